/* Sleeping and waking.
 *
 * A thread's sleep_state says how far it is: NONE, PREPARED (it looks at its condition once more) or ASLEEP (it is
 * off its CPU, or about to be).  wait_prepare sets PREPARED with a full barrier before the condition is read; a
 * waker changes the condition and then swaps the state to NONE, also with a full barrier.  So either the sleeper
 * sees the condition, or the waker sees the state.  Only who swaps ASLEEP away makes the thread ready, so a thread is
 * made ready once.
 *
 * A waiter on a stack may go away as soon as its thread runs, and its thread may be gone soon after; a waker
 * therefore clears waiter->queue as the very last thing, and waitq_remove waits for that by taking the lock.  So that
 * it need not wait long, other CPUs are interrupted only after the lock is given back: sched_send_kicks. */
#include <core/timer.h>
#include <core/wait.h>

#include "core_cpu.h"

void waitq_init_rank(struct waitq *q, enum lock_rank rank)
{
    spin_init(&q->lock, rank);
    list_init(&q->waiters);
}

void waitq_init(struct waitq *q)
{
    waitq_init_rank(q, RANK_WAITQ);
}

void waiter_init_fn(struct waiter *w, waiter_fn *fn)
{
    *w = (struct waiter){.fn = fn};
    list_init(&w->node);
}

void waiter_init(struct waiter *w)
{
    waiter_init_fn(w, NULL);
    w->thread = current_thread();
}

static void waitq_insert(struct waitq *q, struct waiter *w, bool is_exclusive)
{
    bool irqs = spin_lock_irq(&q->lock);

    assert(!w->is_queued);
    w->queue = q;
    w->is_queued = true;
    w->was_woken = false;
    w->is_exclusive = is_exclusive;
    if (w->thread)
        w->thread->last_queue = q;
    if (is_exclusive)
        list_push_back(&q->waiters, &w->node);
    else
        list_push_front(&q->waiters, &w->node);
    spin_unlock_irq(&q->lock, irqs);
    /* The caller looks at its condition next; waitq_wake looks at the list after changing it. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
    waitq_insert(q, w, false);
}

void waitq_add_exclusive(struct waitq *q, struct waiter *w)
{
    waitq_insert(q, w, true);
}

void waitq_remove(struct waiter *w)
{
    struct waitq *q = atomic_load(&w->queue);

    if (!q)
        return;
    bool irqs = spin_lock_irq(&q->lock);
    list_remove(&w->node);
    w->is_queued = false;
    w->queue = NULL;
    spin_unlock_irq(&q->lock, irqs);
}

/* True when the waiter took the wake-up.  One of a thread is gone when this returns. */
static bool waiter_call(struct waiter *w, unsigned long key)
{
    if (w->fn) {
        w->was_woken = true;
        return w->fn(w, key);
    }
    list_remove(&w->node);
    w->was_woken = true;
    atomic_store(&w->is_queued, false);
    thread_wake_quiet(w->thread);
    atomic_store(&w->queue, NULL);
    return true;
}

static inline __attribute__((always_inline)) unsigned wake_queued(struct waitq *q, unsigned nr,
                                                                  unsigned long key)
{
    struct waiter *w, *next;
    unsigned taken = 0;

    bool irqs = spin_lock_irq(&q->lock);
    list_for_each_safe(w, next, &q->waiters, node) {
        bool is_exclusive = w->is_exclusive; /* a thread may be gone afterwards, and its waiter */
        if (!waiter_call(w, key))
            continue;
        taken++;
        if (is_exclusive && --nr == 0)
            break;
    }
    spin_unlock_irq(&q->lock, irqs);
    return taken;
}

unsigned waitq_wake_queued(struct waitq *q, unsigned nr, unsigned long key)
{
    unsigned taken = wake_queued(q, nr, key);

    sched_send_kicks();
    return taken;
}

unsigned waitq_wake_nested(struct waitq *q, unsigned nr, unsigned long key)
{
    return wake_queued(q, nr, key);
}

/* --- the sleep of the current thread ---------------------------------------------------------------- */

void wait_prepare(enum wait_how how)
{
    struct thread *t = current_thread();

    t->sleep_how = how;
    atomic_swap(&t->sleep_state, SLEEP_PREPARED);
}

void wait_cancel(void)
{
    atomic_store(&current_thread()->sleep_state, SLEEP_NONE);
}

/* The work bits that end a sleep; by enum wait_how. */
static const uint32_t wake_masks[] = {0, THREAD_SIGNAL | THREAD_KILL, THREAD_KILL};

static inline uint32_t wake_mask(const struct thread *t)
{
    return wake_masks[t->sleep_how];
}

struct alarm {
    struct timer timer;
    struct thread *thread;
    bool has_rung;
};

static void alarm_ring(struct timer *timer)
{
    struct alarm *a = container_of(timer, struct alarm, timer);

    atomic_store(&a->has_rung, true);
    thread_wake(a->thread);
}

static void block(struct thread *t, uint64_t deadline)
{
    if (unlikely(t->is_idle))
        sched_idle_wait(t, deadline);
    else
        sched_block(t);
}

/* True when the deadline came.  Apart, because most sleeps have none. */
static __attribute__((noinline)) bool block_until(struct thread *t, uint64_t deadline)
{
    struct alarm a = {.thread = t};

    if (deadline <= clock_mono_ns())
        return true;
    timer_init(&a.timer, alarm_ring);
    timer_arm(&a.timer, deadline);
    block(t, deadline);
    timer_cancel_sync(&a.timer);
    return a.has_rung;
}

int wait_sleep(uint64_t deadline)
{
    struct thread *t = current_thread();
    uint32_t mask = wake_mask(t);
    bool is_late = false;

    lock_assert_may_sleep();
    if (!(atomic_load(&t->work) & mask)) {
        if (deadline == TIME_NEVER)
            block(t, deadline);
        else
            is_late = block_until(t, deadline);
    }
    atomic_store(&t->sleep_state, SLEEP_NONE);
    if (thread_has_work(mask))
        return -EINTR;
    return is_late ? -ETIMEDOUT : 0;
}

int wait_sleep_until(const struct clock_deadline *until)
{
    struct waiter on_set;

    if (!until)
        return wait_sleep(TIME_NEVER);
    if (!until->is_wall)
        return wait_sleep(until->ns);
    waiter_init(&on_set);
    waitq_add(clock_set_waitq(), &on_set);
    int result = wait_sleep(clock_deadline_mono(until));
    waitq_remove(&on_set);
    return result;
}

int wait_event_step(struct event_wait *e, struct waitq *q, bool is_exclusive, enum wait_how how,
                    uint64_t deadline)
{
    if (e->stage == EVENT_WAIT_PREPARED) {
        e->stage = EVENT_WAIT_AWAKE;
        e->result = wait_sleep(deadline);
        if (unlikely(e->result <
                     0)) /* whoever wakes one of the others from here on does not mean this one */
            waitq_remove(&e->waiter);
        return 0;
    }
    if (e->stage == EVENT_WAIT_NEW) {
        waiter_init(&e->waiter);
        e->result = 0;
    }
    if (e->result < 0)
        return e->result;
    wait_prepare(how);
    if (!e->waiter.is_queued)
        waitq_insert(q, &e->waiter, is_exclusive);
    e->stage = EVENT_WAIT_PREPARED;
    return 0;
}

void wait_event_end(struct event_wait *e)
{
    if (e->stage == EVENT_WAIT_PREPARED)
        wait_cancel();
    waitq_remove(&e->waiter);
}

bool thread_wake_quiet(struct thread *t)
{
    uint32_t was = atomic_swap(&t->sleep_state, SLEEP_NONE);

    if (was == SLEEP_ASLEEP)
        sched_make_ready(t);
    else if (was == SLEEP_PREPARED && t->is_idle && t != current_thread())
        arch_send_resched(t->cpu);
    return was != SLEEP_NONE;
}

bool thread_wake(struct thread *t)
{
    bool was_asleep = thread_wake_quiet(t);

    sched_send_kicks();
    return was_asleep;
}

void thread_post(struct thread *t, uint32_t work)
{
    atomic_or(&t->work, work);
    if (atomic_load(&t->sleep_state) != SLEEP_NONE && (work & wake_mask(t)))
        thread_wake(t);
    sched_kick(t);
}
