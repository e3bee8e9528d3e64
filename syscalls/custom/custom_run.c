/* Running a handler of a custom call, and getting out of it when it touches what it must not.
 *
 * The handlers' code lies together (cmake/handlers.ld), with their own copies of the memory and string functions, so that the
 * address of a fault tells: in there no lock of the kernel's is held, and the call can be left where it stands. */
#include "custom.h"

#include <arch/upcalls.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/console.h>
#include <linux/signal.h>
#include <proc/process.h>
#include <proc/signal.h>
#include <syscalls/custom.h>
#include <syscalls/thunk.h>

extern const char custom_text_start[], custom_text_end[];

struct custom_frame *custom_current(void)
{
    return current_task()->custom;
}

static void end_with_locks(const struct custom_frame *f)
{
    log_error("system call %s ends with %u locks held: the program cannot go on", f->name,
              f->nr_locks);
    signal_force_default(SIGSEGV);
}

long custom_run(const char *name, custom_body *body, const uint64_t arg[SYSCALL_MAX_ARGS])
{
    struct custom_frame f = {.name = name};
    long ret = -EFAULT;

    current_task()->custom = &f;
    if (!__builtin_setjmp(f.jump))
        ret = body(arg);
    current_task()->custom = NULL;
    if (f.nr_locks)
        end_with_locks(&f);
    return ret;
}

bool custom_call(enum abi abi, uint64_t nr, const uint64_t arg[SYSCALL_MAX_ARGS], long *ret)
{
    const struct custom_table *t = custom_table();
    unsigned row = syscall_find_row(abi, nr);
    uint64_t wide[SYSCALL_MAX_ARGS] = {0};

    if (row < NR_ROWS)
        return false;
    const struct syscall *sc = syscall_of_row(row);
    if (abi == ABI_I386) {
        syscall_args_32(sc, arg, wide);
        arg = wide;
    }
    *ret = custom_run(t->rows[row - NR_ROWS].name, custom_bodies[row - NR_ROWS], arg);
    return true;
}

/* --- faults ---------------------------------------------------------------------------------------------------- */

static bool is_in_handler(uintptr_t rip)
{
    return rip >= (uintptr_t)custom_text_start && rip < (uintptr_t)custom_text_end;
}

static noreturn void leave(struct custom_frame *f, uintptr_t rip, uintptr_t addr)
{
    struct task *t = current_task();
    char where[96];

    if (!symbol_name(rip, where, sizeof(where)))
        snprintf(where, sizeof(where), "%#lx", (unsigned long)rip);
    log_error(
        "%s (process %d, thread %d): the handler of system call %s used the user address %#lx as "
        "its own, in %s: the call answers EFAULT",
        t->thread.name, t->process->pid, t->tid, f->name, (unsigned long)addr, where);
    __builtin_longjmp(f->jump, 1);
}

void up_wild_access(struct regs *regs, uintptr_t addr)
{
    struct thread *self = current_thread();
    struct custom_frame *f = self && self->is_user ? custom_current() : NULL;

    if (!f || !is_in_handler(regs->rip))
        return;
    arch_irq_restore(true); /* as handlers run */
    leave(f, regs->rip, addr);
}

void custom_check(const void *p)
{
    if (unlikely((uintptr_t)p < USER_TOP))
        leave(custom_current(), (uintptr_t)__builtin_return_address(0), (uintptr_t)p);
}
