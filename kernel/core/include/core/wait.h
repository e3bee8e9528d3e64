/* The one way to sleep, and to be told that something became ready.
 *
 * A wait queue belongs to an object (a pipe, a futex bucket, a child list).  Waiters are either threads that
 * sleep or callbacks (epoll).  The pattern, which loses no wake-up because the waiter is on the queue and its
 * thread marked as sleeping BEFORE the condition is looked at:
 *
 *     WAIT_EVENT(&pipe->readers, pipe_has_data(pipe), WAIT_INTERRUPTIBLE, TIME_NEVER)
 *
 * and the other side changes the condition first and then calls waitq_wake.  The condition may take locks of
 * a lower rank than RANK_WAITQ, but must not sleep. */
#pragma once

#include <base/errno.h>
#include <core/lock.h>

#define TIME_NEVER UINT64_MAX /* a deadline in arch_clock_ns() time */

struct waitq {
    struct spinlock lock; /* guards: */
    struct list waiters;
};

struct waiter;
/* Called under the queue's lock, in any context, for each wake-up with the `key` given to waitq_wake (poll
 * events, or 0); answers true when it consumed the wake-up (counts against waitq_wake's limit). */
typedef bool waiter_fn(struct waiter *w, unsigned long key);

/* A waiter of a thread leaves its queue when it is woken; one with a callback stays until it is removed. */
struct waiter {
    struct list node;      /* guarded by the queue's lock */
    struct waitq *queue;   /* NULL: on none, and no waker is looking at this waiter */
    struct thread *thread; /* woken when fn is NULL */
    waiter_fn *fn;
    bool is_exclusive; /* counts against the limit: put behind the others */
    bool is_queued;
    bool was_woken;
};

enum wait_how {
    WAIT_UNINTERRUPTIBLE,
    WAIT_INTERRUPTIBLE, /* ends with -EINTR when thread_interrupted() */
    WAIT_KILLABLE,      /* ends with -EINTR when thread_killed() */
};

void waitq_init(struct waitq *q);
void waitq_init_rank(struct waitq *q, enum lock_rank rank);
/* A hint, unless the caller's own lock orders it against additions. */
static short_inline bool waitq_is_empty(const struct waitq *q)
{
    return __atomic_load_n(&q->waiters.next, __ATOMIC_ACQUIRE) == &q->waiters;
}

/* Wake all non-exclusive waiters and up to `nr` exclusive ones (0: all).  Any context; answers how many threads
 * or callbacks took it.  `key` is passed to callbacks. */
unsigned waitq_wake_queued(struct waitq *q, unsigned nr, unsigned long key);
/* The same from a callback: the wake-up that it is part of ends with sched_send_kicks. */
unsigned waitq_wake_nested(struct waitq *q, unsigned nr, unsigned long key);
static inline __attribute__((always_inline)) unsigned waitq_wake(struct waitq *q, unsigned nr,
                                                                 unsigned long key)
{
    /* The caller has changed a condition; who waits for it is on the list before looking at the condition. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return waitq_is_empty(q) ? 0 : waitq_wake_queued(q, nr, key);
}
static inline unsigned waitq_wake_all(struct waitq *q)
{
    return waitq_wake(q, 0, 0);
}

/* The pieces under WAIT_EVENT, for callers with several queues (poll) or their own condition (futex).
 * waiter_init makes a waiter that wakes the current thread. */
void waiter_init(struct waiter *w);
void waiter_init_fn(struct waiter *w, waiter_fn *fn);
void waitq_add(struct waitq *q, struct waiter *w); /* any context */
void waitq_add_exclusive(struct waitq *q, struct waiter *w);
void waitq_remove(struct waiter *w); /* nothing when it is on no queue */
/* Mark the current thread as about to sleep; a wake-up from here on makes wait_sleep return at once. */
void wait_prepare(enum wait_how how);
/* Sleep until woken, `deadline` (arch_clock_ns) or an interruption: 0, -ETIMEDOUT or -EINTR.  No spinlock held. */
must_check int wait_sleep(uint64_t deadline);
/* The same until a point in time on either clock; 0 also when the wall clock was set: look at it again.  NULL: no
 * deadline. */
struct clock_deadline;
must_check int wait_sleep_until(const struct clock_deadline *until);
/* The condition came true before sleeping: undo wait_prepare. */
void wait_cancel(void);

/* 0 once `cond` is true; -ETIMEDOUT; -EINTR.  `cond` is looked at first, so a satisfied wait costs nothing; between
 * joining the queue and sleeping, so that no wake-up is missed; and after leaving the queue for good, so that an
 * exclusive wake-up that meets a signal or the deadline is not lost.  Who sees it hold need not have taken the queue's
 * lock since, so something else must keep the queue in memory until its wakers are done. */
#define WAIT_EVENT(q, cond, how, deadline)           WAIT_EVENT_ON(q, cond, how, deadline, false)
#define WAIT_EVENT_EXCLUSIVE(q, cond, how, deadline) WAIT_EVENT_ON(q, cond, how, deadline, true)
#define WAIT_EVENT_ON(q, cond, how, deadline, is_exclusive)                         \
    __extension__({                                                                 \
        struct event_wait wait_;                                                    \
        int ret_ = 0;                                                               \
        wait_.stage = EVENT_WAIT_NEW;                                               \
        while (ret_ == 0 && !(cond))                                                \
            ret_ = wait_event_step(&wait_, (q), (is_exclusive), (how), (deadline)); \
        if (wait_.stage != EVENT_WAIT_NEW)                                          \
            wait_event_end(&wait_);                                                 \
        ret_;                                                                       \
    })

/* What WAIT_EVENT is made of: when the condition does not hold, the next step is taken and answers 0, so that the
 * condition is looked at again, or why there is no use in that. */
struct event_wait {
    struct waiter waiter;
    int result; /* of the last sleep */
    enum { EVENT_WAIT_NEW, EVENT_WAIT_PREPARED, EVENT_WAIT_AWAKE } stage;
};
must_check int wait_event_step(struct event_wait *e, struct waitq *q, bool is_exclusive,
                               enum wait_how how, uint64_t deadline);
void wait_event_end(struct event_wait *e);
