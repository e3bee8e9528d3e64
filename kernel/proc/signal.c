/* Signals: queues, who is chosen, masks, what is delivered next.
 *
 * Everything pending and every handler of a process is guarded by one lock, sighand->lock, taken with interrupts
 * off because timers and terminals send from interrupts.  A task learns of a signal through THREAD_SIGNAL in its
 * work word (THREAD_KILL when it must exit), which ends its sleeps and brings it to signal_deliver on the way to ring
 * 3; both the queue and the bit change under the lock, so the bit is never lost.
 *
 * The rules for choosing (a synchronous signal first, then the lowest number, the task's own before the
 * process's) and for the target of a process-wide signal (the oldest task if it wants it) are Linux's. */
#include "private.h"

#include <linux/signal.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/resource.h>
#include <proc/cred.h>

#define B(sig) SIG_BIT(SIG##sig)
#define UNBLOCKABLE (B(KILL) | B(STOP))

static struct slab *queued_slab, *sighand_slab;

uint64_t signal_class(unsigned classes)
{
    uint64_t set = 0;
    if (classes & SIGNALS_SYNC)
        set |= B(SEGV) | B(BUS) | B(ILL) | B(TRAP) | B(FPE) | B(SYS);
    if (classes & SIGNALS_STOP)
        set |= B(STOP) | B(TSTP) | B(TTIN) | B(TTOU);
    if (classes & SIGNALS_IGNORED)
        set |= B(CONT) | B(CHLD) | B(WINCH) | B(URG);
    if (classes & SIGNALS_REPORT)
        set |= B(QUIT) | B(ILL) | B(TRAP) | B(ABRT) | B(FPE) | B(SEGV) | B(BUS) | B(SYS) | B(XCPU) | B(XFSZ);
    return set;
}

/* Is `sig` in the given class? */
static bool is_class(int sig, unsigned class)
{
    return signal_class(class) & SIG_BIT(sig);
}

void signal_init(void)
{
    queued_slab = slab_new("signal", sizeof(struct queued_signal));
    sighand_slab = slab_new("sighand", sizeof(struct sighand));
}

struct sighand *sighand_new(void)
{
    struct sighand *s = slab_alloc(sighand_slab);
    if (!s)
        return NULL;
    spin_init(&s->lock, RANK_SIGNAL);
    waitq_init(&s->signalfds);
    return s;
}

void sighand_free(struct sighand *s)
{
    slab_free(sighand_slab, s);
}

static bool is_default(const struct sigaction_k *a)
{
    return a->handler == (uintptr_t)SIG_DFL;
}

/* Would the signal be thrown away on delivery? */
static bool is_handler_ignoring(const struct sigaction_k *a, int sig)
{
    return a->handler == (uintptr_t)SIG_IGN || (is_default(a) && is_class(sig, SIGNALS_IGNORED));
}

/* --- queues: sighand->lock is held in all of these ---------------------------------------------- */

void signal_queue_init(struct signal_queue *q)
{
    q->bits = 0;
    list_init(&q->infos);
}

/* `info` is the copy that goes to the program, NULL when the entry is dropped. */
static void queued_done(struct process *p, struct queued_signal *e, siginfo_t *info)
{
    list_remove(&e->node);
    if (e->taken) {
        e->taken(e, info);
    } else {
        p->nr_queued--;
        slab_free(queued_slab, e);
    }
}

void signal_queue_flush(struct process *p, struct signal_queue *q, uint64_t mask)
{
    struct queued_signal *e, *next;
    if (!(q->bits & mask))
        return;
    q->bits &= ~mask;
    list_for_each_safe(e, next, &q->infos, node)
        if (mask & SIG_BIT(e->info.si_signo))
            queued_done(p, e, NULL);
}

static void flush_everywhere(struct process *p, uint64_t mask)
{
    struct task *t;
    signal_queue_flush(p, &p->shared, mask);
    list_for_each(t, &p->tasks, process_node)
        signal_queue_flush(p, &t->pending, mask);
}

/* Only what a program queues on purpose counts against RLIMIT_SIGPENDING; without room a realtime signal fails
 * and an ordinary one loses its siginfo. */
static int queue_add(struct process *p, struct signal_queue *q, int sig, const siginfo_t *info)
{
    bool is_free = sig < SIGRTMIN && (!info || info->si_code >= 0);
    struct queued_signal *e = NULL;
    if (sig != SIGKILL && (is_free || p->nr_queued < process_rlimit(p, RLIMIT_SIGPENDING)))
        e = slab_alloc(queued_slab);
    if (e) {
        if (info)
            e->info = *info;
        else
            e->info.si_code = SI_KERNEL;
        e->info.si_signo = sig;
        p->nr_queued++;
        list_push_back(&q->infos, &e->node);
    } else if (sig >= SIGRTMIN && info && info->si_code != SI_USER) {
        return -EAGAIN;
    }
    q->bits |= SIG_BIT(sig);
    return 0;
}

static bool is_queued(struct signal_queue *q, int sig)
{
    struct queued_signal *e;
    list_for_each(e, &q->infos, node)
        if (e->info.si_signo == sig)
            return true;
    return false;
}

/* Take `sig` out of `q`.  Another instance may stay queued behind it. */
static void queue_take(struct process *p, struct signal_queue *q, int sig, siginfo_t *info)
{
    struct queued_signal *e;
    list_for_each(e, &q->infos, node) {
        if (e->info.si_signo != sig)
            continue;
        *info = e->info;
        queued_done(p, e, info);
        if (!is_queued(q, sig))
            q->bits &= ~SIG_BIT(sig);
        return;
    }
    q->bits &= ~SIG_BIT(sig); /* its siginfo found no room */
    *info = (siginfo_t){.si_signo = sig, .si_code = SI_USER};
}

static int lowest(uint64_t set)
{
    uint64_t sync = set & signal_class(SIGNALS_SYNC);
    return set ? __builtin_ctzl(sync ? sync : set) + 1 : 0;
}

/* The next signal of `set` for `t`, taken out of its queue; 0: none. */
static int take_next(struct task *t, uint64_t set, siginfo_t *info)
{
    struct process *p = t->process;
    int sig = lowest(t->pending.bits & set);
    if (sig) {
        queue_take(p, &t->pending, sig, info);
        return sig;
    }
    sig = lowest(p->shared.bits & set);
    if (sig)
        queue_take(p, &p->shared, sig, info);
    return sig;
}

/* A fault comes before whatever else is pending, so that its handler sees the faulting registers. */
static int take_fault(struct task *t, siginfo_t *info)
{
    uint64_t set = t->pending.bits & signal_class(SIGNALS_SYNC) & ~t->blocked;
    struct queued_signal *e;
    if (!set)
        return 0;
    list_for_each(e, &t->pending.infos, node) {
        int sig = e->info.si_signo;
        if ((set & SIG_BIT(sig)) && e->info.si_code > SI_USER) {
            queue_take(t->process, &t->pending, sig, info);
            return sig;
        }
    }
    return 0;
}

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

/* --- choosing a task: likewise under sighand->lock ------------------------------------------------ */

static bool is_open_to(struct task *t, uint64_t set)
{
    return !t->is_exiting && (set & ~(t->blocked & ~t->waited_for));
}

/* A task that is busy with a signal already will look for more by itself. */
static bool wants(struct task *t, int sig)
{
    return is_open_to(t, SIG_BIT(sig)) &&
           (sig == SIGKILL || !(atomic_load(&t->thread.work) & THREAD_SIGNAL));
}

static struct task *choose(struct process *p, int sig)
{
    struct task *t;
    list_for_each(t, &p->tasks, process_node) /* the oldest, usually the leader, comes first */
        if (wants(t, sig))
            return t;
    return NULL;
}

/* Somebody else must look at what `from` can no longer take. */
static void retarget(struct process *p, struct task *from, uint64_t set)
{
    struct task *t;
    set &= p->shared.bits;
    if (!set || p->nr_tasks < 2)
        return;
    list_for_each(t, &p->tasks, process_node) {
        if (t == from || !is_open_to(t, set))
            continue;
        set &= t->blocked;
        thread_post(&t->thread, THREAD_SIGNAL);
        if (!set)
            return;
    }
}

static bool begin_group_exit(struct process *p, int wait_status, struct task *except)
{
    struct task *t;
    if (p->is_exiting)
        return false;
    p->is_exiting = true;
    p->is_stopped = false;
    p->exit_code = wait_status;
    list_for_each(t, &p->tasks, process_node)
        if (t != except)
            thread_post(&t->thread, THREAD_KILL);
    waitq_wake_all(&p->wait_threads);
    return true;
}

bool signal_begin_group_exit(struct process *p, int wait_status)
{
    return begin_group_exit(p, wait_status, current_task());
}

/* Tell a task.  A deadly signal without a report ends everybody right away. */
static void notify(struct process *p, struct task *t, int sig)
{
    bool is_deadly = is_default(&p->sighand->action[sig - 1]) &&
                     !is_class(sig, SIGNALS_IGNORED | SIGNALS_STOP | SIGNALS_REPORT);
    if (is_deadly && !(t->waited_for & SIG_BIT(sig)))
        begin_group_exit(p, sig, NULL);
    else
        thread_post(&t->thread, THREAD_SIGNAL);
}

/* --- sending ------------------------------------------------------------------------------------------ */

/* Stop signals and SIGCONT cancel each other on sight, delivered or not. */
static void cancel_opposite(struct process *p, int sig)
{
    if (is_class(sig, SIGNALS_STOP)) {
        flush_everywhere(p, B(CONT));
    } else if (sig == SIGCONT) {
        flush_everywhere(p, signal_class(SIGNALS_STOP));
        if (p->is_stopped) {
            p->is_stopped = false;
            p->stop_signal = 0;
            p->was_continued = p->tell_continued = true;
            waitq_wake_all(&p->wait_threads);
        }
    }
}

/* An ignored signal is dropped at once, unless it is blocked: the handler may change before it is unblocked. */
static bool is_dropped(struct process *p, struct task *t, int sig)
{
    if (!t)
        t = list_entry(p->tasks.next, struct task, process_node);
    return !(t->blocked & SIG_BIT(sig)) && !(t->waited_for & SIG_BIT(sig)) &&
           is_handler_ignoring(&p->sighand->action[sig - 1], sig);
}

static bool is_deaf(struct process *p, struct task *t)
{
    return p->is_exiting || list_is_empty(&p->tasks) || (t && t->is_exiting);
}

/* `sig` has just been queued for `t` (NULL: any task). */
static void announce(struct process *p, struct task *t, int sig)
{
    waitq_wake_all(&p->sighand->signalfds);
    if (!t)
        t = choose(p, sig);
    else if (!is_open_to(t, SIG_BIT(sig)))
        t = NULL;
    if (t)
        notify(p, t, sig);
}

/* sighand->lock held.  `is_forced`: a fault, which is_dropped may not swallow. */
static int send_locked(struct process *p, struct task *t, int sig, const siginfo_t *info, bool is_forced)
{
    if (is_deaf(p, t))
        return 0;
    cancel_opposite(p, sig);
    if (!is_forced && is_dropped(p, t, sig))
        return 0;
    struct signal_queue *q = t ? &t->pending : &p->shared;
    if (sig < SIGRTMIN && (q->bits & SIG_BIT(sig)))
        return 0;
    int err = queue_add(p, q, sig, info);
    if (!err)
        announce(p, t, sig);
    return err;
}

static int send(struct process *p, struct task *t, int sig, const siginfo_t *info)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    int err = send_locked(p, t, sig, info, false);
    spin_unlock_irq(&p->sighand->lock, irqs);
    return err;
}

int signal_send_process(struct process *p, int sig, const siginfo_t *info)
{
    return send(p, NULL, sig, info);
}

int signal_send_task(struct task *t, int sig, const siginfo_t *info)
{
    return send(t->process, t, sig, info);
}

bool signal_send_queued(struct process *p, struct task *t, struct queued_signal *e)
{
    int sig = e->info.si_signo;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool was_queued = !list_is_empty(&e->node);
    if (!was_queued && !is_deaf(p, t) && !is_dropped(p, t, sig)) {
        e->queue = t ? &t->pending : &p->shared;
        list_push_back(&e->queue->infos, &e->node);
        e->queue->bits |= SIG_BIT(sig);
        announce(p, t, sig);
    }
    spin_unlock_irq(&p->sighand->lock, irqs);
    return !was_queued;
}

void signal_cancel_queued(struct process *p, struct queued_signal *e)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    if (!list_is_empty(&e->node)) {
        list_remove(&e->node);
        if (!is_queued(e->queue, e->info.si_signo))
            e->queue->bits &= ~SIG_BIT(e->info.si_signo);
    }
    spin_unlock_irq(&p->sighand->lock, irqs);
}

struct group_send {
    int sig, sent;
    const siginfo_t *info;
};

static void send_to_member(void *arg, struct process *p)
{
    struct group_send *g = arg;
    if (signal_send_process(p, g->sig, g->info) == 0)
        g->sent++;
}

int signal_send_group(int pgid, int sig, const siginfo_t *info)
{
    struct group_send g = {.sig = sig, .info = info};
    return process_visit_group(pgid, send_to_member, &g) ? 0 : -ESRCH;
}

void signal_info_from_current(siginfo_t *info, int sig, int code)
{
    *info = (siginfo_t){.si_signo = sig, .si_code = code};
    info->si_pid = current_process()->pid;
    info->si_uid = current_cred()->uid;
}

int signal_may_send(struct process *p, int sig)
{
    struct process *self = current_process();
    const struct cred *cred = current_cred();
    if (p == self || cred_has_cap(cred, CAP_KILL))
        return 0;
    if (sig == SIGCONT && process_session(p) == process_session(self))
        return 0;
    struct cred *target = cred_of_process(p);
    if (!target) /* a zombie minds nothing */
        return 0;
    bool may = cred->euid == target->suid || cred->euid == target->uid || cred->uid == target->suid ||
               cred->uid == target->uid;
    cred_put(target);
    return may ? 0 : -EPERM;
}

/* --- signals that cannot be refused -------------------------------------------------------------------- */

static void force(int sig, const siginfo_t *info, bool to_default)
{
    struct task *t = current_task();
    struct process *p = t->process;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    struct sigaction_k *a = &p->sighand->action[sig - 1];
    bool is_blocked = t->blocked & SIG_BIT(sig);
    if (is_blocked || to_default || a->handler == (uintptr_t)SIG_IGN) {
        a->handler = (uintptr_t)SIG_DFL;
        t->blocked &= ~SIG_BIT(sig);
    }
    send_locked(p, t, sig, info, true);
    spin_unlock_irq(&p->sighand->lock, irqs);
}

void signal_fault(int sig, int code, uintptr_t addr, int trapno, uint64_t error)
{
    struct task *t = current_task();
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_addr = (void *)addr;
    t->trap.number = (uint64_t)trapno;
    t->trap.error = error;
    force(sig, &info, false);
}

void signal_force(int sig)
{
    force(sig, NULL, false);
}

void signal_force_default(int sig)
{
    force(sig, NULL, true);
}

/* --- masks ---------------------------------------------------------------------------------------------- */

/* sighand->lock held. */
static void set_blocked(struct task *t, uint64_t mask)
{
    mask &= ~UNBLOCKABLE;
    uint64_t newly = mask & ~t->blocked;
    t->blocked = mask;
    if (newly && (atomic_load(&t->thread.work) & THREAD_SIGNAL))
        retarget(t->process, t, newly);
    signal_recheck(t);
}

void signal_set_mask(uint64_t mask)
{
    struct task *t = current_task();
    if (t->blocked == (mask & ~UNBLOCKABLE)) /* its own: nobody else changes it */
        return;
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    set_blocked(t, mask);
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

int signal_take(uint64_t set, siginfo_t *info)
{
    struct task *t = current_task();
    bool irqs = spin_lock_irq(&t->process->sighand->lock);
    int sig = take_next(t, set & ~UNBLOCKABLE, info);
    if (sig)
        signal_recheck(t);
    spin_unlock_irq(&t->process->sighand->lock, irqs);
    return sig;
}

/* While it waits, the set wakes this task as if it were unblocked, but is never delivered nor deadly. */
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
    int sig = take_next(t, set, info);
    signal_recheck(t);
    spin_unlock_irq(lock, irqs);
    return sig ? sig : err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

int signal_wait(uint64_t set, siginfo_t *info, uint64_t deadline)
{
    set &= ~UNBLOCKABLE;
    int sig = signal_take(set, info);
    if (sig)
        return sig;
    if (deadline <= arch_clock_ns())
        return -EAGAIN;
    return wait_for(current_task(), set, info, deadline);
}

/* --- handlers --------------------------------------------------------------------------------------------- */

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
        a->flags &= SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |
                    (unsigned)SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER;
        if (is_handler_ignoring(a, sig)) /* POSIX: what is pending goes, blocked or not */
            flush_everywhere(p, SIG_BIT(sig));
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
    t->altstack = (struct sigaltstack_state){.flags = SS_DISABLE};
}

void signal_task_exiting(struct task *t)
{
    struct process *p = t->process;
    t->is_exiting = true;
    retarget(p, t, ~t->blocked);
    signal_queue_flush(p, &t->pending, ~0UL);
}

/* --- delivery ------------------------------------------------------------------------------------------------ */

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
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (is_last)
        family_tell_parent(p, CLD_STOPPED);
    int killed = WAIT_EVENT(&p->wait_threads,
                            !atomic_load(&p->is_stopped) || atomic_load(&p->nr_stops) != this_stop,
                            WAIT_KILLABLE, TIME_NEVER);
    (void)killed; /* seen at once by the caller's loop */
    if (atomic_swap(&p->tell_continued, false))
        family_tell_parent(p, CLD_CONTINUED);
}

/* Carry out a default action other than death: true when the signal is dealt with.  sighand->lock is dropped. */
static bool default_survived(struct process *p, int sig, bool irqs)
{
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (is_class(sig, SIGNALS_IGNORED))
        return true;
    if (!is_class(sig, SIGNALS_STOP))
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

static noreturn void die(struct process *p, const struct regs *regs, const struct delivery *d)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool is_first = signal_begin_group_exit(p, d->sig);
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (is_first && is_class(d->sig, SIGNALS_REPORT))
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

/* The next signal that has a handler; false: nothing left to do.  Does not return when the task must die. */
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
        d->sig = take_fault(t, &d->info);
        if (!d->sig)
            d->sig = take_next(t, ~t->blocked, &d->info);
        if (!d->sig) {
            thread_clear_work(THREAD_SIGNAL);
            spin_unlock_irq(&p->sighand->lock, irqs);
            return false;
        }
        struct sigaction_k *a = &p->sighand->action[d->sig - 1];
        d->action = *a;
        if (is_default(a)) {
            if (!default_survived(p, d->sig, irqs))
                die(p, regs, d);
            continue;
        }
        bool is_ignored = is_handler_ignoring(a, d->sig);
        if (!is_ignored && (a->flags & SA_RESETHAND))
            a->handler = (uintptr_t)SIG_DFL;
        spin_unlock_irq(&p->sighand->lock, irqs);
        if (!is_ignored)
            return true;
    }
}

/* The one place that knows what becomes of an interrupted call.  Executing SYSCALL (or int 0x80) again takes two
 * bytes back and its number in rax. */
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
        restart(regs, t->is_i386 ? NR_RESTART_SYSCALL_32 : NR_RESTART_SYSCALL_64);
        break;
    }
}

static void run_handler(struct task *t, struct regs *regs, const struct delivery *d)
{
    uint64_t mask = t->restore_blocked ? t->saved_blocked : t->blocked;
    restart_after_handler(regs, &d->action);
    if (!uptr_is_null(t->rseq.area))
        rseq_return_to_user(regs);
    if (sigframe_push(regs, d->sig, &d->action, &d->info, mask)) {
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
    set_blocked(t, during);
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
