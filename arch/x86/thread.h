/* What thread.c and switch.asm agree on. */
#pragma once

#include "internal.h"

/* What switch_stacks pushes, lowest address first. */
struct switch_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

struct thread *switch_stacks(struct thread *prev, struct thread *next);
extern const char switch_first[];
noreturn void thread_first_run(struct thread *prev, void (*entry)(void *), void *arg);

/* entry.asm: to ring 3 with these registers, which are at the top of the current stack. */
noreturn void entry_return(struct regs *regs);
