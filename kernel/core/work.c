/* Deferred work: one kernel thread that runs queued functions in order. */
#include <core/wait.h>
#include <core/work.h>

#include "core_cpu.h"

static struct {
    struct spinlock lock; /* interrupts off; guards: */
    struct list queue;
    struct waitq wait; /* the worker */
} works = {
    .lock = SPINLOCK_INIT(RANK_THREADS),
    .queue = LIST_INIT(works.queue),
    .wait = {.lock = SPINLOCK_INIT(RANK_WAITQ), .waiters = LIST_INIT(works.wait.waiters)},
};

void work_init(struct work *w, void (*fn)(struct work *w))
{
    *w = (struct work){.fn = fn};
    list_init(&w->node);
}

void work_queue(struct work *w)
{
    bool irqs = spin_lock_irq(&works.lock);
    bool is_new = !w->is_queued;

    if (is_new) {
        w->is_queued = true;
        list_push_back(&works.queue, &w->node);
    }
    spin_unlock_irq(&works.lock, irqs);
    if (is_new)
        waitq_wake_all(&works.wait);
}

static struct work *work_take(void)
{
    bool irqs = spin_lock_irq(&works.lock);
    struct list *first = list_pop_front(&works.queue);
    struct work *w = first ? list_entry(first, struct work, node) : NULL;

    if (w)
        w->is_queued = false;
    spin_unlock_irq(&works.lock, irqs);
    return w;
}

static void worker(void *unused)
{
    struct work *w;

    for (;;) {
        while ((w = work_take()))
            w->fn(w); /* may free `w` */
        int never =
            WAIT_EVENT(&works.wait, !list_is_empty(&works.queue), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
        assert(never == 0);
        (void)never;
    }
}

void work_start(void)
{
    if (!thread_spawn("worker", worker, NULL))
        panic("no memory for the worker thread");
}
