/* Debug builds: who holds which lock, and the order in which they are taken.
 *
 * For each CPU there is a stack of the spinlocks that it holds and for each thread one of its mutexes; taking a
 * lock whose rank is not above all of these is a panic that names both, long before the deadlock that it could
 * become.  The stacks of spinlocks live outside struct core_cpu, because locks are taken before that is there. */
#include <core/atomic.h>
#include <core/thread.h>

#include "lock_check.h"

#ifdef YOLK_DEBUG

static struct spinlock *held_spins[ARCH_MAX_CPUS];

/* The name of a lock is its rank until someone gives it a better one. */
static const char *spin_name(const struct spinlock *l)
{
    return l->name ? l->name : "lock";
}

static void spin_check_before(struct spinlock *l, unsigned rank)
{
    const struct cpu *cpu = this_cpu();

    if (atomic_load(&l->cpu_plus_1) == cpu->index + 1)
        panic("%s (rank %u) taken again by its holder", spin_name(l), rank);
    for (const struct spinlock *h = held_spins[cpu->index]; h; h = h->held_below) {
        if (h->held_depth == cpu->irq_depth && h->held_rank >= rank)
            panic("lock order: %s (rank %u) taken under %s (rank %u)", spin_name(l), rank,
                  spin_name(h), h->held_rank);
        if (h->seen_in_irq && l->seen_irqs_on)
            panic("%s (rank %u) is taken with interrupts on, and here under %s (rank %u), which "
                  "handlers take",
                  spin_name(l), rank, spin_name(h), h->held_rank);
    }
}

void spin_check_context(struct spinlock *l)
{
    if (this_cpu()->irq_depth > 0)
        l->seen_in_irq = true;
    else if (arch_irqs_are_on())
        l->seen_irqs_on = true;
    if (l->seen_in_irq && l->seen_irqs_on)
        panic("%s (rank %u) is taken by interrupt handlers, and also with interrupts on",
              spin_name(l), l->rank);
}

/* The stack is shared with interrupt handlers of this CPU, whose locks come and go on top of it. */
void spin_note_taken(struct spinlock *l, unsigned rank)
{
    bool irqs = arch_irq_save();
    unsigned cpu = this_cpu()->index;

    l->held_rank = (uint16_t)rank;
    l->held_depth = (uint8_t)this_cpu()->irq_depth;
    atomic_store(&l->cpu_plus_1, (uint16_t)(cpu + 1));
    l->held_below = held_spins[cpu];
    held_spins[cpu] = l;
    arch_irq_restore(irqs);
}

static void spin_note_released(struct spinlock *l)
{
    bool irqs = arch_irq_save();
    unsigned cpu = this_cpu()->index;
    struct spinlock **at = &held_spins[cpu];

    if (l->cpu_plus_1 != cpu + 1)
        panic("%s (rank %u) released by cpu %u, held by %d", spin_name(l), l->rank, cpu,
              l->cpu_plus_1 - 1);
    while (*at != l)
        at = &(*at)->held_below;
    *at = l->held_below;
    atomic_store(&l->cpu_plus_1, (uint16_t)0);
    arch_irq_restore(irqs);
}

void spin_lock_nested(struct spinlock *l, enum lock_rank rank)
{
    spin_check_context(l);
    spin_check_before(l, rank);
    spin_take(l);
    spin_note_taken(l, rank);
}

void spin_lock(struct spinlock *l)
{
    spin_lock_nested(l, (enum lock_rank)l->rank);
}

void spin_unlock(struct spinlock *l)
{
    spin_note_released(l);
    spin_release(l);
}

bool spin_is_held(const struct spinlock *l)
{
    return atomic_load(&l->cpu_plus_1) == this_cpu()->index + 1;
}

void lock_assert_may_sleep(void)
{
    const struct spinlock *h = held_spins[this_cpu()->index];

    if (h)
        panic("about to sleep under %s (rank %u)", spin_name(h), h->held_rank);
    if (this_cpu()->irq_depth > 0)
        panic("about to sleep in an interrupt handler");
    if (this_cpu()->kicks)
        panic("about to sleep before sched_send_kicks");
}

void mutex_check_before(const struct mutex *m, unsigned rank)
{
    struct thread *me = current_thread();

    lock_assert_may_sleep();
    if ((m->owner & ~1UL) == (uintptr_t)me)
        panic("mutex of rank %u taken again by its owner", rank);
    for (const struct mutex *h = me->held_mutexes; h; h = h->held_below)
        if (h->held_rank > rank || (h->held_rank == rank && rank != RANK_INODE))
            panic("lock order: mutex of rank %u taken under one of rank %u", rank, h->held_rank);
}

void mutex_note_taken(struct mutex *m, unsigned rank)
{
    struct thread *me = current_thread();

    m->held_rank = (uint16_t)rank;
    m->held_below = me->held_mutexes;
    me->held_mutexes = m;
}

void mutex_note_released(struct mutex *m)
{
    struct mutex **at = &current_thread()->held_mutexes;

    if (!mutex_is_held(m))
        panic("mutex of rank %u released by a thread that does not hold it", m->rank);
    while (*at != m)
        at = &(*at)->held_below;
    *at = m->held_below;
}

#endif
