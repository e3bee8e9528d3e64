/* Signals: sending, and who is told.
 *
 * Everything pending and every handler of a process is guarded by one lock, sighand->lock, taken
 * with interrupts off because timers and terminals send from interrupts.  A task learns of a signal
 * through THREAD_SIGNAL in its work word (THREAD_KILL when it must exit), which ends its sleeps and
 * brings it to signal_deliver on the way to ring 3; both the queue and the bit change under the
 * lock, so the bit is never lost.
 *
 * signal_queue.c keeps what is pending, signal_mask.c what a task asks for, and signal_deliver.c
 * carries out. */
#include "signal_private.h"

#include <core/heap.h>
#include <proc/cred.h>
#include <proc/trace.h>

static struct slab *sighand_slab;

void signal_init(void)
{
    signal_queue_slab_init();
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

/* --- choosing a task: likewise under sighand->lock -------------------------------------------- */

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
void signal_retarget(struct process *p, struct task *from, uint64_t set)
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
        if (!except || t != except)
            thread_post(&t->thread, THREAD_KILL);
    waitq_wake_all(&p->wait_threads);
    return true;
}

seldom_called bool signal_begin_group_exit(struct process *p, int wait_status)
{
    return begin_group_exit(p, wait_status, current_task());
}

/* Tell a task.  A deadly signal without a report ends everybody right away. */
static void notify(struct process *p, struct task *t, int sig)
{
    bool is_deadly = action_is_default(&p->sighand->action[sig - 1]) &&
                     !signal_is(sig, SIGNALS_IGNORED | SIGNALS_STOP | SIGNALS_REPORT);
    if (is_deadly && !(t->waited_for & SIG_BIT(sig)))
        begin_group_exit(p, sig, NULL);
    else
        thread_post(&t->thread, THREAD_SIGNAL);
}

void signal_task_exiting(struct task *t)
{
    struct process *p = t->process;
    t->is_exiting = true;
    signal_retarget(p, t, ~t->blocked);
    signal_queue_flush(p, &t->pending, ~0UL);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Stop signals and SIGCONT cancel each other on sight, delivered or not. */
static void cancel_opposite(struct process *p, int sig)
{
    if (signal_is(sig, SIGNALS_STOP)) {
        signal_flush_everywhere(p, SIG_SET(CONT));
    } else if (sig == SIGCONT) {
        signal_flush_everywhere(p, signal_class(SIGNALS_STOP));
        if (p->is_stopped) {
            p->is_stopped = false;
            p->stop_signal = 0;
            p->was_continued = p->tell_continued = true;
            waitq_wake_all(&p->wait_threads);
        }
    }
}

/* An ignored signal is dropped at once, unless it is blocked: the handler may change before it is
 * unblocked. */
static bool is_dropped(struct process *p, struct task *t, int sig)
{
    if (!t)
        t = list_entry(p->tasks.next, struct task, process_node);
    return !((t->blocked | t->waited_for) & SIG_BIT(sig)) &&
           action_ignores(&p->sighand->action[sig - 1], sig);
}

/* Linux keeps what a traced task would ignore, for the tracer.  Here only what a task sends to itself: that interrupts
 * nobody, so that tracing changes nothing. */
static bool is_for_tracer(const struct process *p, const struct task *t, const siginfo_t *info)
{
    const struct list *first = p->tasks.next;
    if (likely(!trace_hooks) || !info)
        return false;
    if (info->si_code != SI_USER && info->si_code != SI_TKILL && info->si_code != SI_QUEUE)
        return false;
    if (!t && first->next == &p->tasks)
        t = list_entry(first, struct task, process_node);
    return t && &t->thread == current_thread();
}

static bool is_deaf(struct process *p, struct task *t)
{
    return p->is_exiting || list_is_empty(&p->tasks) || (t && t->is_exiting);
}

/* `sig` has just been queued for `t` (NULL: any task). */
static __attribute__((noinline)) void announce(struct process *p, struct task *t, int sig)
{
    /* Who adds himself looks for signals afterwards, under the lock held here: an empty queue is
     * enough to know. */
    if (!waitq_is_empty(&p->sighand->signalfds))
        waitq_wake_all(&p->sighand->signalfds);
    if (!t)
        t = choose(p, sig);
    else if (!is_open_to(t, SIG_BIT(sig)))
        t = NULL;
    if (t)
        notify(p, t, sig);
}

/* sighand->lock held.  `is_forced`: a fault, which is_dropped may not swallow. */
static int send_locked(struct process *p, struct task *t, int sig, const siginfo_t *info,
                       bool is_forced)
{
    if (is_deaf(p, t))
        return 0;
    cancel_opposite(p, sig);
    if (!is_forced && is_dropped(p, t, sig) && !is_for_tracer(p, t, info))
        return 0;
    struct signal_queue *q = t ? &t->pending : &p->shared;
    if (sig < SIGRTMIN && (q->bits & SIG_BIT(sig)))
        return 0;
    int err = signal_queue_add(p, q, sig, info);
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

seldom_called void signal_cancel_queued(struct process *p, struct queued_signal *e)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    if (!list_is_empty(&e->node)) {
        list_remove(&e->node);
        if (!signal_queue_has(e->queue, e->info.si_signo))
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
    siginfo_clear(info);
    info->si_signo = sig;
    info->si_code = code;
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
    bool may = cred->euid == target->suid || cred->euid == target->uid ||
               cred->uid == target->suid || cred->uid == target->uid;
    cred_put(target);
    return may ? 0 : -EPERM;
}

/* --- signals that cannot be refused ----------------------------------------------------------- */

static seldom_called void force(int sig, const siginfo_t *info, bool to_default)
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

seldom_called void signal_fault(int sig, int code, uintptr_t addr, int trapno, uint64_t error)
{
    struct task *t = current_task();
    siginfo_t info;
    siginfo_clear(&info);
    info.si_signo = sig;
    info.si_code = code;
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
