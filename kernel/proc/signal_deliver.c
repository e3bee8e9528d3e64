/* Delivery: on the way to ring 3 the task takes its signals and carries them out, one after the
 * other: stop, end the process, or enter a handler.  Here, and nowhere else, an interrupted system
 * call is restarted. */
#include <proc/trace.h>

#include "signal_private.h"

struct delivery {
    int sig;
    struct sigaction_k action;
    siginfo_t info;
};

/* The first task to take a stop signal tells the others. */
static void begin_stop(struct process *p, int sig)
{
    struct task *t;
    p->is_stopped = true;
    p->stop_signal = sig;
    p->nr_stopped = 0;
    p->nr_stops++;
    p->was_continued = p->tell_continued = false;
    list_for_each(t, &p->tasks, process_node)
        thread_post(&t->thread, THREAD_SIGNAL);
}

/* Sleep until SIGCONT or death.  Takes sighand->lock over and drops it. */
static void stop(struct process *p, bool irqs)
{
    bool is_last = ++p->nr_stopped == p->nr_tasks;
    unsigned this_stop = p->nr_stops; /* after SIGCONT and another stop it must be counted again */
    int sig = p->stop_signal;
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (unlikely(trace_hooks))
        trace_hooks->stops(current_task(), sig);
    if (is_last)
        family_tell_parent(p, CLD_STOPPED);
    int killed = WAIT_EVENT(&p->wait_threads,
                            !atomic_load(&p->is_stopped) || atomic_load(&p->nr_stops) != this_stop,
                            WAIT_KILLABLE, TIME_NEVER);
    (void)killed; /* seen at once by the caller's loop */
    if (atomic_swap(&p->tell_continued, false))
        family_tell_parent(p, CLD_CONTINUED);
}

/* Carry out a default action other than death: true when the signal is dealt with.  sighand->lock
 * is dropped. */
static bool default_survived(struct process *p, int sig, bool irqs)
{
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (signal_is(sig, SIGNALS_IGNORED))
        return true;
    if (!signal_is(sig, SIGNALS_STOP))
        return false;
    /* The terminal may not stop a group that nobody could continue. */
    if (sig != SIGSTOP && family_is_orphaned_group(process_group(p)))
        return true;
    irqs = spin_lock_irq(&p->sighand->lock);
    if (!p->is_exiting)
        begin_stop(p, sig);
    spin_unlock_irq(&p->sighand->lock, irqs);
    return true;
}

static void tell_tracer(struct task *t, const struct delivery *d)
{
    if (unlikely(trace_hooks))
        trace_hooks->signal(t, d->sig, &d->info);
}

static noreturn void die(struct process *p, const struct regs *regs, const struct delivery *d)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool is_first = signal_begin_group_exit(p, d->sig);
    spin_unlock_irq(&p->sighand->lock, irqs);
    tell_tracer(current_task(), d);
    if (is_first && signal_is(d->sig, SIGNALS_REPORT))
        report_death(regs, d->sig, &d->info);
    task_exit(p->exit_code);
}

/* Exit if this task was told to.  sighand->lock held, dropped when it does not return. */
static void exit_if_told(struct task *t, bool irqs)
{
    struct process *p = t->process;
    if (!p->is_exiting && (!p->exec_task || p->exec_task == t))
        return;
    int code = p->is_exiting ? p->exit_code : 0;
    spin_unlock_irq(&p->sighand->lock, irqs);
    task_exit(code);
}

/* The next signal that has a handler; false: nothing left to do.  Does not return when the task
 * must die. */
static bool next_delivery(struct task *t, const struct regs *regs, struct delivery *d)
{
    struct process *p = t->process;
    for (;;) {
        bool irqs = spin_lock_irq(&p->sighand->lock);
        exit_if_told(t, irqs);
        if (p->is_stopped) {
            stop(p, irqs);
            continue;
        }
        d->sig = signal_take_fault(t, &d->info);
        if (!d->sig)
            d->sig = signal_take_next(t, ~t->blocked, &d->info);
        if (!d->sig) {
            thread_clear_work(THREAD_SIGNAL);
            spin_unlock_irq(&p->sighand->lock, irqs);
            return false;
        }
        struct sigaction_k *a = &p->sighand->action[d->sig - 1];
        d->action = *a;
        if (action_is_default(a)) {
            if (!default_survived(p, d->sig, irqs))
                die(p, regs, d);
            tell_tracer(t, d);
            continue;
        }
        bool is_ignored = action_ignores(a, d->sig);
        if (!is_ignored && (a->flags & SA_RESETHAND))
            a->handler = (uintptr_t)SIG_DFL;
        spin_unlock_irq(&p->sighand->lock, irqs);
        tell_tracer(t, d);
        if (!is_ignored)
            return true;
    }
}

/* The one place that knows what becomes of an interrupted call.  Executing SYSCALL (or int 0x80)
 * again takes two bytes back and its number in rax. */
static void restart(struct regs *regs, uint64_t number)
{
    regs->rax = number;
    regs->rip -= 2;
}

static void restart_after_handler(struct regs *regs, const struct sigaction_k *action)
{
    if ((int64_t)regs->orig_rax < 0) /* not a system call */
        return;
    switch ((int64_t)regs->rax) {
    case -ERESTART_RESTARTBLOCK:
    case -ERESTARTNOHAND:
        regs->rax = (uint64_t)-EINTR;
        break;
    case -ERESTARTSYS:
        if (!(action->flags & SA_RESTART)) {
            regs->rax = (uint64_t)-EINTR;
            break;
        }
        restart(regs, regs->orig_rax);
        break;
    case -ERESTARTNOINTR:
        restart(regs, regs->orig_rax);
        break;
    }
}

static void restart_without_handler(struct task *t, struct regs *regs)
{
    enum { NR_RESTART_SYSCALL_64 = 219, NR_RESTART_SYSCALL_32 = 0 };
    if ((int64_t)regs->orig_rax < 0)
        return;
    switch ((int64_t)regs->rax) {
    case -ERESTARTNOHAND:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
        restart(regs, regs->orig_rax);
        break;
    case -ERESTART_RESTARTBLOCK:
        restart(regs, t->restart.is_i386 ? NR_RESTART_SYSCALL_32 : NR_RESTART_SYSCALL_64);
        break;
    }
}

static void run_handler(struct task *t, struct regs *regs, const struct delivery *d)
{
    uint64_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;
    restart_after_handler(regs, &d->action);
    if (!uptr_is_null(t->rseq.area))
        rseq_return_to_user(regs);
    int err = d->action.is_i386 ? sigframe_push_32(regs, d->sig, &d->action, &d->info, mask)
                                : sigframe_push(regs, d->sig, &d->action, &d->info, mask);
    if (err) {
        if (d->sig == SIGSEGV)
            signal_force_default(SIGSEGV);
        else
            signal_force(SIGSEGV);
        return;
    }
    t->restore_blocked = false;
    uint64_t during = t->blocked | d->action.mask;
    if (!(d->action.flags & SA_NODEFER))
        during |= SIG_BIT(d->sig);
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    signal_set_blocked(t, during);
    spin_unlock_irq(&t->process->sighand->lock, irqs);
}

void signal_deliver(struct regs *regs)
{
    struct task *t = current_task();
    struct delivery d;
    if (next_delivery(t, regs, &d)) {
        run_handler(t, regs, &d);
        return;
    }
    restart_without_handler(t, regs);
    signal_restore_mask();
}
