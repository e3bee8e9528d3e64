/* The user's registers as the entry code saves them: Linux's struct pt_regs, so that signal frames,
 * ptrace-like tools and the reader find what they expect.  entry.asm pushes exactly this. */
#pragma once

#include <base/types.h>

struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx; /* callee-saved */
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax; /* the call's number; -1: not a system call's frame, or not any more */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Segment selectors: Linux's values, because programs and debuggers print and compare them. */
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER32_CS 0x23
#define USER_DS   0x2b
#define USER_CS   0x33

#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200
#define RFLAGS_DF 0x400
#define RFLAGS_AC 0x40000

static inline bool regs_from_user(const struct regs *regs)
{
    return (regs->cs & 3) == 3;
}
