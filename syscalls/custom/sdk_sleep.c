/* The SDK's sleeping and waking; contracts in <yolk/sdk.h>.
 *
 * A yolk_queue only counts its wake-ups.  Who sleeps is on one of a few wait queues, found by the address; to be woken for
 * another queue's sake costs a look at the count. */
#include <arch/arch.h>
#include <core/atomic.h>
#include <core/thread.h>
#include <core/wait.h>
#include <yolk/sdk.h>

#include "custom.h"

#define SLEEPERS(i) \
    [i] = {.lock = SPINLOCK_INIT(RANK_WAITQ), .waiters = LIST_INIT(sleepers[i].waiters)}
static struct waitq sleepers[] = {SLEEPERS(0), SLEEPERS(1), SLEEPERS(2), SLEEPERS(3),
                                  SLEEPERS(4), SLEEPERS(5), SLEEPERS(6), SLEEPERS(7)};

static struct waitq *sleepers_of(const struct yolk_queue *q)
{
    return &sleepers[(uintptr_t)q / sizeof(*q) % ARRAY_LEN(sleepers)];
}

uint64_t yolk_now_ns(void)
{
    return arch_clock_ns();
}

unsigned yolk_ticket(struct yolk_queue *q)
{
    custom_check(q);
    return atomic_load(&q->wakes);
}

int yolk_sleep(struct yolk_queue *q, unsigned ticket, uint64_t deadline_ns)
{
    custom_check(q);
    int err = WAIT_EVENT(sleepers_of(q), atomic_load(&q->wakes) != ticket, WAIT_INTERRUPTIBLE,
                         deadline_ns);
    return err == -EINTR ? YOLK_RESTART : err;
}

void yolk_wake(struct yolk_queue *q)
{
    custom_check(q);
    atomic_add(&q->wakes, 1);
    waitq_wake_all(sleepers_of(q));
}

static bool try_lock(struct yolk_lock *l)
{
    return atomic_swap(&l->is_taken, 1) == 0;
}

int yolk_lock(struct yolk_lock *l)
{
    custom_check(l);
    int err = WAIT_EVENT(sleepers_of(&l->queue), try_lock(l), WAIT_KILLABLE, TIME_NEVER);
    if (!err)
        custom_current()->nr_locks++;
    return err;
}

void yolk_unlock(struct yolk_lock *l)
{
    custom_check(l);
    if (!atomic_swap(&l->is_taken, 0))
        panic("system call %s: yolk_unlock of a lock that is free", custom_current()->name);
    custom_current()->nr_locks--;
    waitq_wake_all(sleepers_of(&l->queue));
}
