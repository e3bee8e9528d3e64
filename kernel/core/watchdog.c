/* Debug builds: each CPU has a timer that every two seconds looks at itself and at its neighbour.
 *
 * Itself: has the scheduler been seen since?  The timer asks for it (WORK_RESCHED), so only a thread that stays in
 * the kernel can keep it away.  The neighbour: has its own timer run?  Only interrupts that are off can prevent
 * that. */
#include <arch/upcalls.h>
#include <core/console.h>
#include <core/sched.h>

#include "core_cpu.h"

#ifdef YOLK_DEBUG

#define PERIOD_NS  2000000000ULL
#define STUCK      5 /* periods */
#define OVERDUE_NS 60000000000ULL

static struct watch {
    struct timer timer;
    uint32_t seen_progress, seen_ticks; /* mine; my neighbour's */
    unsigned no_progress, no_ticks;     /* periods since these changed */
} watches[ARCH_MAX_CPUS];

static void watch_self(struct watch *w, struct core_cpu *core)
{
    if ((core->rq.current->is_idle && !core->does_idle_work) ||
        core->nr_progress != w->seen_progress) {
        w->seen_progress = core->nr_progress;
        w->no_progress = 0;
    } else if (++w->no_progress == STUCK) {
        log_error("cpu %u: thread %s has been in the kernel for 10 s:", core->index,
                  core->rq.current->name);
        log_backtrace(0);
    }
    atomic_or(&this_cpu()->work, WORK_RESCHED);
}

static bool is_overdue(struct timer_queue *q)
{
    if (!spin_try(&q->lock))
        return false;
    bool overdue = q->root && arch_clock_ns() > q->root->deadline + OVERDUE_NS;
    spin_unlock(&q->lock);
    return overdue;
}

static void watch_neighbour(struct watch *w, struct core_cpu *other)
{
    uint32_t ticks = atomic_load(&other->nr_ticks);

    if (ticks != w->seen_ticks) {
        w->seen_ticks = ticks;
        w->no_ticks = 0;
    } else if (++w->no_ticks == STUCK) {
        log_error("cpu %u has had its interrupts off for 10 s", other->index);
        sched_dump_cpus();
    }
    if (w->no_ticks == STUCK && is_overdue(&other->timers))
        log_error("cpu %u: a timer is overdue by a minute", other->index);
}

static void watch(struct timer *t)
{
    struct watch *w = container_of(t, struct watch, timer);
    struct core_cpu *core = this_core();
    unsigned neighbour = (core->index + 1) % arch_cpu_count();

    atomic_add(&core->nr_ticks, 1);
    watch_self(w, core);
    if (neighbour != core->index && core_cpus[neighbour])
        watch_neighbour(w, core_cpus[neighbour]);
    timer_arm(t, arch_clock_ns() + PERIOD_NS);
}

void watchdog_start(void)
{
    struct watch *w = &watches[this_cpu()->index];

    timer_init(&w->timer, watch);
    timer_arm(&w->timer, arch_clock_ns() + PERIOD_NS);
}

#else

void watchdog_start(void)
{
}

#endif
