/* From registers to a sys_ function and back: one typed thunk for each row, so that no body is called as what it
 * is not, and one that disagrees with its row does not compile.
 *
 * The whole path of a call: entry.asm -> up_syscall -> thunk -> sys_NAME.  Argument registers stay where they
 * are down to the body, and the result is written to regs->rax by who called.  Nothing here takes a lock,
 * reads a clock or touches FP state; restart codes are translated later, on the way out (proc/signal.c). */
#include <arch/upcalls.h>
#include <base/errno.h>
#include <base/log.h>
#include <core/atomic.h>
#include <proc/process.h>
#include <syscalls/bodies.h>
#include <syscalls/custom.h>
#include <syscalls/thunk.h>
#include <syscalls/tracer.h>

#define FROM_S32(type, word)  ((type)(word))
#define FROM_U32(type, word)  ((type)(word))
#define FROM_WORD(type, word) ((type)(word))
#define FROM_LONG(type, word) ((type)(word))
#define FROM_PAIR(type, word) ((type)(word))
#define FROM_UPTR(type, word) ((type){(word)})
#define KIND(name, type, how, when, show, names)                        \
    __attribute__((unused)) static inline type as_##name(uint64_t word) \
    {                                                                   \
        return FROM_##how(type, word);                                  \
    }
#include "kinds.def"
#undef KIND

#define PASS(i, k, n) as_##k(a##i)
#define PASS_NONE
#define ROW(id, str, res, sup, miss, n, ...)            \
    __attribute__((weak)) long call_##id(WORDS)         \
    {                                                   \
        return sys_##id(EACH_##n(PASS, ##__VA_ARGS__)); \
    }
#include <syscalls/table.h>

/* A number that is not Linux's. */
static long call_beyond(enum abi abi, uint64_t nr, WORDS)
{
    const uint64_t arg[SYSCALL_MAX_ARGS] = {a0, a1, a2, a3, a4, a5};
    long ret = -ENOSYS;

    if (!custom_call(abi, nr, arg, &ret))
        log_info("system call %lu does not exist", (unsigned long)nr);
    return ret;
}

/* A call without a body answers ENOSYS, and says so the first time. */
static long call_missing(enum abi abi, uint64_t nr, WORDS)
{
    static uint8_t logged[NR_ABIS][SYSCALL_NUMBERS / 8];
    uint8_t bit = (uint8_t)(1 << (nr % 8));

    if (nr >= SYSCALL_NUMBERS)
        return call_beyond(abi, nr, a0, a1, a2, a3, a4, a5);
    if (!(atomic_or(&logged[abi][nr / 8], bit) & bit))
        log_warn("system call %lu (%s) is not implemented: %#lx, %#lx, %#lx, %#lx, %#lx, %#lx",
                 (unsigned long)nr, syscall_name(&syscalls[syscall_row(abi, nr)]),
                 (unsigned long)a0, (unsigned long)a1, (unsigned long)a2, (unsigned long)a3,
                 (unsigned long)a4, (unsigned long)a5);
    return -ENOSYS;
}

long call_gap(WORDS)
{
    uint64_t nr = (uint32_t)arch_user_regs(&current_thread()->arch)->orig_rax;
    return call_missing(ABI_X86_64, nr, a0, a1, a2, a3, a4, a5);
}

#define GAP(id, ...) syscall_thunk call_##id __attribute__((weak, alias("call_gap")));
#include <syscalls/table.h>

/* The one cast of a function pointer: from the half of it that call_table.S has. */
static inline syscall_thunk *thunk_of(enum row row)
{
    return (syscall_thunk *)(intptr_t)call_of_row[row];
}

long up_syscall(WORDS, uint64_t orig_rax)
{
    uint32_t nr = (uint32_t)orig_rax;

    if (unlikely(nr >= SYSCALL_NUMBERS))
        return call_gap(a0, a1, a2, a3, a4, a5);
    return thunk_of((enum row)syscall_row_of_number[ABI_X86_64][nr])(a0, a1, a2, a3, a4, a5);
}

long up_syscall_traced(WORDS, uint64_t orig_rax)
{
    struct tracer_call call;
    const uint64_t arg[SYSCALL_MAX_ARGS] = {a0, a1, a2, a3, a4, a5};
    bool is_traced = tracer_enter(&call, ABI_X86_64, (uint32_t)orig_rax, arg,
                                  arch_user_regs(&current_thread()->arch));
    long ret = up_syscall(a0, a1, a2, a3, a4, a5, orig_rax);

    if (is_traced)
        tracer_leave(&call, ret);
    return ret;
}

long syscall_call_32(enum row row, const uint64_t reg[SYSCALL_MAX_ARGS])
{
    uint64_t arg[SYSCALL_MAX_ARGS] = {0};

    if (thunk_of(row) == call_gap)
        return -ENOSYS;
    syscall_args_32(&syscalls[row], reg, arg);
    return thunk_of(row)(arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static long call_number_32(uint64_t nr, const uint64_t reg[SYSCALL_MAX_ARGS])
{
    enum row row = syscall_row(ABI_I386, nr);

    if (thunk_of(row) == call_gap)
        return call_missing(ABI_I386, nr, (uint32_t)reg[0], (uint32_t)reg[1], (uint32_t)reg[2],
                            (uint32_t)reg[3], (uint32_t)reg[4], (uint32_t)reg[5]);
    return syscall_call_32(row, reg);
}

static long call_traced_32(uint64_t nr, const uint64_t reg[SYSCALL_MAX_ARGS],
                           const struct regs *regs)
{
    struct tracer_call call;
    uint64_t arg[SYSCALL_MAX_ARGS] = {0};

    syscall_args_32(syscall_of_row(syscall_find_row(ABI_I386, nr)), reg, arg);
    bool is_traced = tracer_enter(&call, ABI_I386, nr, arg, regs);
    long ret = call_number_32(nr, reg);

    if (is_traced)
        tracer_leave(&call, ret);
    return ret;
}

static long call_32(const struct regs *regs)
{
    const uint64_t reg[SYSCALL_MAX_ARGS] = {regs->rbx, regs->rcx, regs->rdx,
                                            regs->rsi, regs->rdi, regs->rbp};
    uint64_t nr = (uint32_t)regs->orig_rax;

    if (unlikely(tracer_is_on()))
        return call_traced_32(nr, reg, regs);
    return call_number_32(nr, reg);
}

void up_syscall_32(struct regs *regs)
{
    struct task *t = current_task();

    t->is_i386 = true;
    regs->rax = (uint64_t)call_32(regs);
    if ((long)regs->rax == -ERESTART_RESTARTBLOCK) {
        t->restart.is_i386 = true;
        t->restart.is_time64 = t->is_time64;
    }
    t->is_i386 = t->is_time64 = false;
}
