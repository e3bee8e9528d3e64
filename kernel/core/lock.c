/* Spinlocks, and mutexes that are handed over in arrival order.  The checks of debug builds are in lock_check.c.
 *
 * Spinlocks are not fair, on purpose: in a machine with more virtual CPUs than the host has to give, a lock that is
 * handed to the next in line waits, at each hand-over, until the host runs that very CPU again. */
#include <core/atomic.h>
#include <core/lock.h>
#include <core/sched.h>
#include <core/thread.h>
#include <core/wait.h>

#include "lock_check.h"

/* --- spinlocks ------------------------------------------------------------------------------------ */

void spin_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock){0};
    spin_set_rank(l, rank);
}

/* Never flattened into spin_lock_irq. */
__attribute__((noinline)) void spin_wait(struct spinlock *l)
{
    do
        while (__atomic_load_n(&l->is_locked, __ATOMIC_RELAXED))
            arch_relax();
    while (__atomic_exchange_n(&l->is_locked, 1, __ATOMIC_ACQUIRE));
}

/* Does not wait, so it cannot deadlock and may break the order. */
bool spin_try(struct spinlock *l)
{
    spin_check_context(l);
    if (__atomic_exchange_n(&l->is_locked, 1, __ATOMIC_ACQUIRE))
        return false;
    spin_note_taken(l, spin_rank(l));
    return true;
}

/* --- mutexes -------------------------------------------------------------------------------------- */

/* Bit 0 of mutex.owner.  While it is set, the owner must pass the mutex on under mutex.lock; while it is clear,
 * one compare-and-exchange takes or frees it. */
#define HAS_WAITERS 1UL

/* How often to look at a mutex whose owner is running on another CPU before going to sleep for it. */
#define SPINS 200

struct mutex_waiter {
    struct list node;
    struct thread *thread;
};

void mutex_init(struct mutex *m, enum lock_rank rank)
{
    *m = (struct mutex){0};
    mutex_set_rank(m, rank);
    /* Under it threads are woken, and nothing else is taken. */
    spin_init(&m->lock, RANK_WAITQ);
    list_init(&m->waiters);
}

bool mutex_is_held(const struct mutex *m)
{
    return (atomic_load(&m->owner) & ~HAS_WAITERS) == (uintptr_t)current_thread();
}

/* The owner may be gone by the time it is looked at; its memory is still mapped (the direct map never shrinks), and
 * a wrong answer costs a little time. */
static bool mutex_spin(struct mutex *m, uintptr_t me)
{
    for (int i = 0; i < SPINS; i++) {
        uintptr_t owner = atomic_load(&m->owner);
        if (owner == 0 && atomic_cas(&m->owner, 0, me))
            return true;
        if (owner & HAS_WAITERS)
            return false; /* they come first */
        if (owner != 0 && !atomic_load(&((struct thread *)owner)->on_cpu))
            return false;
        arch_relax();
    }
    return false;
}

/* With m->lock held: true when the mutex was free after all, else the owner now knows that someone waits. */
static bool mutex_take_or_mark(struct mutex *m, uintptr_t me)
{
    for (;;) {
        uintptr_t owner = atomic_load(&m->owner);
        if (owner == 0) {
            if (atomic_cas(&m->owner, 0, me))
                return true;
        } else if ((owner & HAS_WAITERS) || atomic_cas(&m->owner, owner, owner | HAS_WAITERS)) {
            return false;
        }
    }
}

static void mutex_lock_slow(struct mutex *m, uintptr_t me)
{
    struct mutex_waiter w = {.thread = (struct thread *)me};

    if (arch_cpu_count() > 1 && mutex_spin(m, me))
        return;
    spin_lock(&m->lock);
    if (mutex_take_or_mark(m, me)) {
        spin_unlock(&m->lock);
        return;
    }
    list_push_back(&m->waiters, &w.node);
    w.thread->waits_for = m;
    for (;;) {
        wait_prepare(WAIT_UNINTERRUPTIBLE);
        spin_unlock(&m->lock);
        int never = wait_sleep(TIME_NEVER);
        assert(never == 0);
        (void)never;
        /* Always under the lock: the one who passed the mutex on has then finished with `w` and this thread. */
        spin_lock(&m->lock);
        if (mutex_is_held(m))
            break;
    }
    w.thread->waits_for = NULL;
    spin_unlock(&m->lock);
}

static void mutex_take(struct mutex *m, unsigned rank)
{
    uintptr_t me = (uintptr_t)current_thread();

    mutex_check_before(m, rank);
    if (unlikely(!atomic_cas(&m->owner, 0, me)))
        mutex_lock_slow(m, me);
    mutex_note_taken(m, rank);
}

void mutex_lock(struct mutex *m)
{
    mutex_take(m, mutex_rank(m));
}

void mutex_lock_nested(struct mutex *m, enum lock_rank rank)
{
    mutex_take(m, rank);
}

bool mutex_try(struct mutex *m)
{
    if (!atomic_cas(&m->owner, 0, (uintptr_t)current_thread()))
        return false;
    mutex_note_taken(m, mutex_rank(m));
    return true;
}

void mutex_unlock(struct mutex *m)
{
    mutex_note_released(m);
    if (likely(atomic_cas(&m->owner, (uintptr_t)current_thread(), 0)))
        return;
    spin_lock(&m->lock);
    struct mutex_waiter *w = list_entry(list_pop_front(&m->waiters), struct mutex_waiter, node);
    struct thread *next = w->thread;
    atomic_store(&m->owner, (uintptr_t)next | (list_is_empty(&m->waiters) ? 0 : HAS_WAITERS));
    thread_wake_quiet(next);
    spin_unlock(&m->lock);
    sched_send_kicks();
}
