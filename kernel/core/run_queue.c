/* The threads that wait for one CPU: who is next, and what a time slice is.
 *
 * Moving a ready thread takes it out of one queue under that queue's lock, sets thread->cpu there, and puts it into
 * the other under the other's lock; nobody holds two.  In between it is READY and on no list. */
#include "sched_private.h"

#define SLICE_NS     4000000ULL /* of a thread of nice 0 */
#define SLICE_MAX_NS 40000000ULL

/* Each step of nice is worth a quarter, as on Linux. */
uint64_t sched_slice_ns(const struct thread *t)
{
    uint64_t slice = SLICE_NS;

    for (int n = t->nice; n < 0 && slice < SLICE_MAX_NS; n++)
        slice += slice / 4;
    for (int n = t->nice; n > 0 && slice > SLICE_MIN_NS; n--)
        slice -= slice / 5;
    return slice;
}

/* Behind the threads of higher and, unless it `continues`, of its own priority. */
static void queue_urgent(struct run_queue *rq, struct thread *t, bool continues)
{
    struct thread *other;

    list_for_each(other, &rq->urgent, run_node)
        if (other->rt_priority < t->rt_priority ||
            (continues && other->rt_priority == t->rt_priority))
            break;
    list_push_back(&other->run_node, &t->run_node); /* before `other`, or at the end */
}

static void queue_normal(struct run_queue *rq, struct thread *t, enum ready_how how)
{
    if (t->policy == POLICY_IDLE) {
        how = READY_LAST;
        t->gives_way = true;
    } else if (how == READY_WOKEN) {
        t->gives_way = false;
    }
    if (how == READY_WOKEN)
        list_push_back(&rq->front, &t->run_node);
    else if (how == READY_LAST)
        list_push_back(&rq->back, &t->run_node);
    else
        list_push_front(t->gives_way ? &rq->back : &rq->front, &t->run_node);
}

void run_queue_add(struct core_cpu *core, struct thread *t, enum ready_how how)
{
    struct run_queue *rq = &core->rq;

    assert(spin_is_held(&rq->lock) && t->cpu == core->index);
    if (t->budget_ns == 0) {
        t->budget_ns = sched_slice_ns(t);
        t->gives_way = true;
        if (t->policy != POLICY_FIFO)
            how = READY_LAST;
    }
    if (t->rt_priority > 0)
        queue_urgent(rq, t, how == READY_AGAIN);
    else
        queue_normal(rq, t, how);
    t->state = THREAD_READY;
    atomic_store(&rq->nr_waiting, rq->nr_waiting + 1);
}

void run_queue_remove(struct core_cpu *core, struct thread *t)
{
    list_remove(&t->run_node);
    atomic_store(&core->rq.nr_waiting, core->rq.nr_waiting - 1);
}

static struct thread *queue_first(const struct list *queue)
{
    return list_is_empty(queue) ? NULL : list_entry(queue->next, struct thread, run_node);
}

inline struct thread *run_queue_peek(const struct run_queue *rq)
{
    struct thread *t;

    if (rq->nr_waiting == 0)
        return NULL;
    if ((t = queue_first(&rq->urgent)) || (t = queue_first(&rq->front)))
        return t;
    return queue_first(&rq->back);
}

struct thread *run_queue_pick(struct core_cpu *core)
{
    struct thread *t = run_queue_peek(&core->rq);

    if (!t)
        return &core->idle;
    run_queue_remove(core, t);
    return t;
}

bool sched_outranks(const struct thread *t, const struct thread *running)
{
    if (t->rt_priority != running->rt_priority)
        return t->rt_priority > running->rt_priority;
    return t->rt_priority == 0 && running->gives_way && !t->gives_way;
}

void sched_account(struct thread *t, uint64_t now)
{
    uint64_t ran = now - t->run_start_ns;

    t->run_start_ns = now;
    t->ran_ns += ran;
    t->budget_ns -= MIN(ran, t->budget_ns);
}

void sched_set_cpu(struct thread *t, unsigned cpu)
{
    atomic_store(&t->cpu, cpu);
    if (t->has_rseq)
        atomic_or(&t->work, THREAD_CALL);
}
