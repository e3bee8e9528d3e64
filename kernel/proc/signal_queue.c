/* Queues of pending signals: one for each task and one for each process, a bit for each signal and
 * a siginfo for those that came with one.  Everything here runs under sighand->lock.
 *
 * What is taken first is Linux's rule: a synchronous signal before others, then the lowest number,
 * the task's own queue before the process's. */
#include "signal_private.h"

#include <core/heap.h>
#include <linux/resource.h>

static struct slab *queued_slab;

void signal_queue_slab_init(void)
{
    queued_slab = slab_new("signal", sizeof(struct queued_signal));
}

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
        if (p->spare_signal)
            slab_free(queued_slab, e);
        else
            p->spare_signal = e;
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

void signal_flush_everywhere(struct process *p, uint64_t mask)
{
    struct task *t;
    signal_queue_flush(p, &p->shared, mask);
    list_for_each(t, &p->tasks, process_node)
        signal_queue_flush(p, &t->pending, mask);
}

/* One is kept at hand for each process: programs that live on signals send them one at a time. */
static struct queued_signal *queued_new(struct process *p)
{
    struct queued_signal *e = p->spare_signal;
    if (!e)
        return slab_alloc(queued_slab);
    p->spare_signal = NULL;
    return e;
}

void signal_queue_discard_spare(struct process *p)
{
    if (p->spare_signal)
        slab_free(queued_slab, p->spare_signal);
}

int signal_charge(struct process *p)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool fits = p->nr_queued < process_rlimit(p, RLIMIT_SIGPENDING);
    p->nr_queued += fits;
    spin_unlock_irq(&p->sighand->lock, irqs);
    return fits ? 0 : -EAGAIN;
}

void signal_uncharge(struct process *p)
{
    bool irqs = spin_lock_irq(&p->sighand->lock);
    p->nr_queued--;
    spin_unlock_irq(&p->sighand->lock, irqs);
}

/* Only what a program queues on purpose counts against RLIMIT_SIGPENDING; without room a realtime
 * signal fails and an ordinary one loses its siginfo. */
int signal_queue_add(struct process *p, struct signal_queue *q, int sig, const siginfo_t *info)
{
    bool is_free = sig < SIGRTMIN && (!info || info->si_code >= 0);
    struct queued_signal *e = NULL;
    if (sig != SIGKILL && (is_free || p->nr_queued < process_rlimit(p, RLIMIT_SIGPENDING)))
        e = queued_new(p);
    if (e) {
        if (info) {
            siginfo_copy(&e->info, info);
        } else {
            siginfo_clear(&e->info);
            e->info.si_code = SI_KERNEL;
        }
        e->info.si_signo = sig;
        p->nr_queued++;
        list_push_back(&q->infos, &e->node);
    } else if (sig >= SIGRTMIN && info && info->si_code != SI_USER) {
        return -EAGAIN;
    }
    q->bits |= SIG_BIT(sig);
    return 0;
}

bool signal_queue_has(struct signal_queue *q, int sig)
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
        siginfo_copy(info, &e->info);
        queued_done(p, e, info);
        if (!signal_queue_has(q, sig))
            q->bits &= ~SIG_BIT(sig);
        return;
    }
    q->bits &= ~SIG_BIT(sig); /* its siginfo found no room */
    siginfo_clear(info);
    info->si_signo = sig; /* and SI_USER, of nobody */
}

static int lowest(uint64_t set)
{
    uint64_t sync = set & signal_class(SIGNALS_SYNC);
    return set ? __builtin_ctzl(sync ? sync : set) + 1 : 0;
}

/* The next signal of `set` for `t`, taken out of its queue; 0: none. */
int signal_take_next(struct task *t, uint64_t set, siginfo_t *info)
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

/* A fault comes before all else that is pending: its handler must see the faulting registers. */
int signal_take_fault(struct task *t, siginfo_t *info)
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
