/* From registers to a sys_ function and back: one typed thunk for each row, so that no function pointer is ever
 * cast and a body that disagrees with its row does not compile.
 *
 * The whole path of a call: entry.asm -> up_syscall -> thunk -> sys_NAME -> regs->rax.  Nothing here takes a lock,
 * reads a clock or touches FP state; restart codes are translated later, on the way out (proc/signal.c). */
#include <arch/upcalls.h>
#include <base/errno.h>
#include <base/log.h>
#include <core/atomic.h>
#include <proc/process.h>
#include <syscalls/bodies.h>
#include <syscalls/dispatch.h>

#define FROM_S32(type, word)  ((type)(word))
#define FROM_U32(type, word)  ((type)(word))
#define FROM_WORD(type, word) ((type)(word))
#define FROM_LONG(type, word) ((type)(word))
#define FROM_PAIR(type, word) ((type)(word))
#define FROM_UPTR(type, word) ((type){(word)})
#define KIND(name, type, how, show)                                                                \
    __attribute__((unused)) static inline type as_##name(uint64_t word)                            \
    {                                                                                              \
        return FROM_##how(type, word);                                                             \
    }
#include "kinds.def"
#undef KIND

#define PASS(i, k, n) as_##k(arg[i])
#define PASS_NONE
#define ROW(id, str, res, sup, miss, n, ...)                                                       \
    static long call_##id(const uint64_t *arg)                                                     \
    {                                                                                              \
        (void)arg;                                                                                 \
        return sys_##id(EACH_##n(PASS, ##__VA_ARGS__));                                            \
    }
#include <syscalls/table.h>

static long (*const call_of_row[NR_ROWS])(const uint64_t *arg) = {
#define ROW(id, ...) [ROW_##id] = call_##id,
#include <syscalls/table.h>
};

/* A call without a body answers ENOSYS, and says so the first time. */
static long call_missing(enum abi abi, uint64_t nr, const uint64_t *reg)
{
    static uint8_t logged[NR_ABIS][SYSCALL_NUMBERS / 8];
    uint8_t bit = (uint8_t)(1 << (nr % 8));

    if (nr >= SYSCALL_NUMBERS)
        log_info("system call %lu does not exist", (unsigned long)nr);
    else if (!(atomic_or(&logged[abi][nr / 8], bit) & bit))
        log_warn("system call %lu (%s) is not implemented: %#lx, %#lx, %#lx, %#lx, %#lx, %#lx",
                 (unsigned long)nr, syscalls[syscall_row(abi, nr)].name, (unsigned long)reg[0],
                 (unsigned long)reg[1], (unsigned long)reg[2], (unsigned long)reg[3],
                 (unsigned long)reg[4], (unsigned long)reg[5]);
    return -ENOSYS;
}

long syscall_dispatch(enum abi abi, uint64_t nr, const uint64_t reg[SYSCALL_MAX_ARGS])
{
    enum row row = syscall_row(abi, nr);
    uint64_t arg[SYSCALL_MAX_ARGS];

    if (unlikely(!call_of_row[row]))
        return call_missing(abi, nr, reg);
    if (likely(abi == ABI_X86_64))
        return call_of_row[row](reg);
    syscall_args_32(&syscalls[row], reg, arg);
    return call_of_row[row](arg);
}

void up_syscall(struct regs *regs)
{
    const uint64_t reg[SYSCALL_MAX_ARGS] = {regs->rdi, regs->rsi, regs->rdx,
                                            regs->r10, regs->r8,  regs->r9};

    regs->rax = (uint64_t)syscall_dispatch(ABI_X86_64, (uint32_t)regs->orig_rax, reg);
}

void up_syscall_32(struct regs *regs)
{
    const uint64_t reg[SYSCALL_MAX_ARGS] = {regs->rbx, regs->rcx, regs->rdx,
                                            regs->rsi, regs->rdi, regs->rbp};

    current_task()->is_i386 = true;
    regs->rax = (uint64_t)syscall_dispatch(ABI_I386, (uint32_t)regs->orig_rax, reg);
    current_task()->is_i386 = false;
}
