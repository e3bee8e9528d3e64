/* What a task asks for: its mask, the signals it waits for, the handlers of its process. */
#include "signal_private.h"

static uint64_t deliverable(struct task *t)
{
    return (t->pending.bits | t->process->shared.bits) & ~(t->blocked & ~t->waited_for);
}

void signal_recheck(struct task *t)
{
    if (deliverable(t) || t->process->is_stopped)
        thread_post(&t->thread, THREAD_SIGNAL);
    else if (t == current_task())
        thread_clear_work(THREAD_SIGNAL);
}

/* --- masks ------------------------------------------------------------------------------------ */

/* sighand->lock held. */
void signal_set_blocked(struct task *t, uint64_t mask)
{
    mask &= ~UNBLOCKABLE;
    uint64_t newly = mask & ~t->blocked;
    t->blocked = mask;
    if (newly && (atomic_load(&t->thread.work) & THREAD_SIGNAL))
        signal_retarget(t->process, t, newly);
    signal_recheck(t);
}

void signal_set_mask(uint64_t mask)
{
    struct task *t = current_task();
    if (t->blocked == (mask & ~UNBLOCKABLE)) /* its own: nobody else changes it */
        return;
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    signal_set_blocked(t, mask);
    spin_unlock_irq(&t->process->sighand->lock, irqs);
}

void signal_set_temporary_mask(uint64_t mask)
{
    struct task *t = current_task();
    t->saved_blocked = t->blocked;
    t->restore_blocked = true;
    signal_set_mask(mask);
}

void signal_restore_mask(void)
{
    struct task *t = current_task();
    if (!t->restore_blocked)
        return;
    t->restore_blocked = false;
    signal_set_mask(t->saved_blocked);
}

bool signal_pending(void)
{
    return thread_interrupted();
}

uint64_t signal_pending_set(void)
{
    struct task *t = current_task();
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    uint64_t set = t->pending.bits | t->process->shared.bits;
    spin_unlock_irq(&t->process->sighand->lock, irqs);
    return set;
}

seldom_called int signal_take(uint64_t set, siginfo_t *info)
{
    struct task *t = current_task();
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    int sig = signal_take_next(t, set & ~UNBLOCKABLE, info);
    if (sig)
        signal_recheck(t);
    spin_unlock_irq(&t->process->sighand->lock, irqs);
    return sig;
}

/* While it waits, the set wakes this task as if it were unblocked, but is never delivered nor
 * deadly. */
static int wait_for(struct task *t, uint64_t set, siginfo_t *info, uint64_t deadline)
{
    struct spinlock *lock = &t->process->sighand->lock;
    bool irqs = spin_lock_irq(lock);
    t->waited_for = set;
    signal_recheck(t);
    spin_unlock_irq(lock, irqs);

    int err;
    do {
        wait_prepare(WAIT_INTERRUPTIBLE);
        err = wait_sleep(deadline);
    } while (err == 0);

    irqs = spin_lock_irq(lock);
    t->waited_for = 0;
    int sig = signal_take_next(t, set, info);
    signal_recheck(t);
    spin_unlock_irq(lock, irqs);
    return sig ? sig : err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

seldom_called int signal_wait(uint64_t set, siginfo_t *info, uint64_t deadline)
{
    set &= ~UNBLOCKABLE;
    int sig = signal_take(set, info);
    if (sig)
        return sig;
    if (deadline <= arch_clock_ns())
        return -EAGAIN;
    return wait_for(current_task(), set, info, deadline);
}

/* --- handlers --------------------------------------------------------------------------------- */

int signal_set_action(int sig, const struct sigaction_k *new, struct sigaction_k *old)
{
    struct process *p = current_process();
    if (sig < 1 || sig > NR_SIGNALS || (new && (SIG_BIT(sig) & UNBLOCKABLE)))
        return -EINVAL;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    struct sigaction_k *a = &p->sighand->action[sig - 1];
    if (old)
        *old = *a;
    if (new) {
        *a = *new;
        a->mask &= ~UNBLOCKABLE;
        a->flags &= SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
                    SA_NODEFER | (unsigned)SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER;
        if (action_ignores(a, sig)) /* POSIX: what is pending goes, blocked or not */
            signal_flush_everywhere(p, SIG_BIT(sig));
    }
    spin_unlock_irq(&p->sighand->lock, irqs);
    return 0;
}

void signal_exec(void)
{
    struct task *t = current_task();
    struct sighand *s = t->process->sighand;
    bool irqs = spin_lock_irq(&s->lock);
    for (unsigned i = 0; i < NR_SIGNALS; i++)
        s->action[i] = (struct sigaction_k){
            .handler = s->action[i].handler == (uintptr_t)SIG_IGN ? (uintptr_t)SIG_IGN : 0};
    spin_unlock_irq(&s->lock, irqs);
    t->altstack.sp = t->altstack.size = 0; /* Linux leaves the flags */
}
