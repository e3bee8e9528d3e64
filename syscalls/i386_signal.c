/* The signal calls of i386 from before realtime signals: masks of 32 bits, handlers without siginfo. */
#include <base/errno.h>
#include <linux/signal.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

#include "abi.h"
#include "abi_signal.h"

long sys_sigreturn_32(void)
{
    return signal_return_32(arch_user_regs(&current_thread()->arch));
}

static int get_old_action(struct uptr p, struct sigaction_k *a)
{
    union i386_old_sigaction user;
    if (user_get(p, &user))
        return -EFAULT;
    *a = (struct sigaction_k){
        .handler = user.handler,
        .flags = user.flags,
        .restorer = user.restorer,
        .mask = user.mask,
        .is_i386 = true,
    };
    return 0;
}

static int put_old_action(struct uptr p, const struct sigaction_k *a)
{
    union i386_old_sigaction user;
    user.handler = (uint32_t)a->handler;
    user.flags = (uint32_t)a->flags;
    user.restorer = (uint32_t)a->restorer;
    user.mask = (uint32_t)a->mask;
    return user_put(p, &user);
}

long sys_sigaction_32(int signum, struct uptr act, struct uptr oldact)
{
    struct sigaction_k new, old;
    if (!uptr_is_null(act) && get_old_action(act, &new))
        return -EFAULT;
    int err = signal_set_action(signum, uptr_is_null(act) ? NULL : &new, &old);
    if (!err && !uptr_is_null(oldact))
        err = put_old_action(oldact, &old);
    return err;
}

/* The old handler. */
long sys_signal_32(int signum, uintptr_t handler)
{
    struct sigaction_k old, new = {
                                .handler = handler,
                                .flags = SA_RESETHAND | SA_NODEFER,
                                .is_i386 = true,
                            };
    int err = signal_set_action(signum, &new, &old);
    return err ? err : (long)old.handler;
}

long sys_sgetmask_32(void)
{
    return (long)(uint32_t)current_task()->blocked;
}

long sys_ssetmask_32(unsigned newmask)
{
    uint32_t old = (uint32_t)current_task()->blocked;
    signal_set_mask(newmask);
    return (long)old;
}

long sys_sigsuspend_32(unsigned long unused1, unsigned long unused2, unsigned mask)
{
    signal_set_temporary_mask(mask);
    return sys_pause();
}

long sys_sigpending_32(struct uptr set)
{
    uint32_t pending = (uint32_t)(signal_pending_set() & current_task()->blocked);
    return user_put(set, &pending);
}

/* The signals above 32 stay as they are. */
long sys_sigprocmask_32(int how, struct uptr set, struct uptr oldset)
{
    uint64_t blocked = current_task()->blocked;
    uint32_t old = (uint32_t)blocked, mask;
    if (!uptr_is_null(set)) {
        if (user_get(set, &mask))
            return -EFAULT;
        if (how == SIG_BLOCK)
            blocked |= mask;
        else if (how == SIG_UNBLOCK)
            blocked &= ~(uint64_t)mask;
        else if (how == SIG_SETMASK)
            blocked = (blocked & ~(uint64_t)UINT32_MAX) | mask;
        else
            return -EINVAL;
        signal_set_mask(blocked);
    }
    return uptr_is_null(oldset) ? 0 : user_put(oldset, &old);
}
