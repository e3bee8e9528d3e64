/* Timers: for each CPU a pairing heap, which is a tree in which no child is due before its parent.
 *
 * The hardware is set to the nearest deadline and never set back: when the nearest timer is cancelled, one interrupt
 * comes for nothing, which is cheaper than telling the hardware each time. */
#include <arch/upcalls.h>
#include <core/wait.h>

#include "core_cpu.h"
#include "timer_heap.h"

void timer_init_cpu(struct timer_queue *q, unsigned cpu)
{
    *q = (struct timer_queue){.armed_ns = TIME_NEVER, .cpu = cpu};
    spin_init(&q->lock, RANK_TIMER);
}

void timer_init(struct timer *t, timer_fn *fn)
{
    *t = (struct timer){.fn = fn, .cpu = this_cpu()->index};
}

/* The queue that `t` belongs to now, locked.  Interrupts are off. */
static struct timer_queue *lock_queue_of(struct timer *t)
{
    for (;;) {
        unsigned cpu = atomic_load(&t->cpu);
        struct timer_queue *q = &core_cpus[cpu]->timers;
        spin_lock(&q->lock);
        if (likely(t->cpu == cpu))
            return q;
        spin_unlock(&q->lock);
    }
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
    q->root = timer_heap_remove(q->root, t);
    t->is_armed = false;
}

/* Unlock this CPU's queue, and set the hardware if it would be late: without the lock, because in a virtual machine a
 * device's register may take as long as its host pleases.  Interrupts are off, so nobody else sets it. */
static void unlock_and_program(struct timer_queue *q)
{
    uint64_t at = q->root ? q->root->deadline : TIME_NEVER;
    bool is_late = at < q->armed_ns;
    if (is_late)
        q->armed_ns = at;
    spin_unlock(&q->lock);
    if (is_late)
        arch_timer_arm(at);
}

void timer_arm(struct timer *t, uint64_t deadline_ns)
{
    bool irqs = arch_irq_save();
    struct timer_queue *here = &this_core()->timers, *q;

    /* To this CPU's queue, whatever queue it is in; but a timer whose function is running elsewhere stays there, so
     * that the function does not run twice at once.  That CPU looks at its queue again afterwards. */
    for (;;) {
        q = lock_queue_of(t);
        if (t->is_armed)
            queue_remove(q, t);
        if (q == here || atomic_load(&q->running) == t)
            break;
        atomic_store(&t->cpu, here->cpu);
        spin_unlock(&q->lock);
    }
    t->deadline = deadline_ns;
    t->is_armed = true;
    q->root = timer_heap_add(q->root, t);
    if (q == here && !q->running)
        unlock_and_program(q);
    else
        spin_unlock(&q->lock);
    arch_irq_restore(irqs);
}

bool timer_cancel(struct timer *t)
{
    bool irqs = arch_irq_save();
    struct timer_queue *q = lock_queue_of(t);
    bool was_armed = t->is_armed;

    if (was_armed)
        queue_remove(q, t);
    spin_unlock_irq(&q->lock, irqs);
    return was_armed;
}

bool timer_cancel_sync(struct timer *t)
{
    bool was_armed = false, is_running;

    do {
        bool irqs = arch_irq_save();
        struct timer_queue *q = lock_queue_of(t);
        is_running = atomic_load(&q->running) == t;
        if (t->is_armed) {
            queue_remove(q, t);
            was_armed = true;
        }
        spin_unlock_irq(&q->lock, irqs);
        /* Without the lock, which that CPU needs next. */
        while (is_running && atomic_load(&q->running) == t)
            arch_relax();
    } while (is_running);
    return was_armed;
}

void up_timer_irq(void)
{
    struct timer_queue *q = &this_core()->timers;
    uint64_t now = arch_clock_ns();

    spin_lock(&q->lock);
    q->armed_ns = TIME_NEVER;
    while (q->root && q->root->deadline <= now) {
        struct timer *t = q->root;
        queue_remove(q, t);
        q->running = t;
        spin_unlock(&q->lock);
        t->fn(t); /* may free `t` */
        atomic_store(&q->running, NULL);
        spin_lock(&q->lock);
    }
    unlock_and_program(q);
}
