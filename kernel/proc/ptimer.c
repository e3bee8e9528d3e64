/* Timers on the program's clocks.
 *
 * Time on the monotonic clock is the kernel's own.  A wall-clock deadline is converted, and converted again when that
 * clock is set.  CPU time passes only while threads run, at most as fast as there are CPUs: the kernel timer is armed
 * for the earliest moment at which the deadline can have come, and again for the rest when it has not. */
#include "ptimer.h"

#include <core/wait.h>
#include <linux/time.h>

#define CPU_POLL_NS 200000ULL /* CPU-time deadlines are checked no more often than this */
#define INTERVAL_NS 20000ULL /* shorter intervals expire only so often; what is missed is counted */

static struct {
    struct spinlock lock; /* RANK_SIGNAL, interrupts off - guards: */
    struct list timers;   /* struct ptimer.wall_node */
} wall = {.lock = SPINLOCK_INIT(RANK_SIGNAL), .timers = LIST_INIT(wall.timers)};

/* --- clocks ----------------------------------------------------------------------------------------- */

uint64_t process_cpu_ns(struct process *p)
{
    struct task *t;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    uint64_t ns = p->dead_usage.user_ns + p->dead_usage.kernel_ns;

    list_for_each(t, &p->tasks, process_node)
        ns += sched_thread_ns(&t->thread);
    spin_unlock_irq(&p->sighand->lock, irqs);
    return ns;
}

/* Linux's encoding of CPU-time clocks: ~pid in the upper bits, bit 2 for a thread, 0..2 below for what to count
 * (we count the same for all three). */
static int cpu_clock_get(int clockid, struct clock_ref *c)
{
    int id = ~(clockid >> 3);
    bool is_thread = clockid & 4;

    if ((clockid & 3) == 3)
        return -EINVAL;
    if (is_thread) {
        *c = (struct clock_ref){.kind = CLOCK_KIND_TASK_CPU};
        c->task = task_find(id ? id : current_task()->tid);
        if (c->task && c->task->process != current_process())
            clock_ref_put(c);
        return c->task ? 0 : -EINVAL;
    }
    *c = (struct clock_ref){.kind = CLOCK_KIND_PROCESS_CPU};
    c->process = process_find(id ? id : current_process()->pid);
    return c->process ? 0 : -EINVAL;
}

int clock_ref_get(int clockid, struct clock_ref *c)
{
    *c = (struct clock_ref){.kind = CLOCK_KIND_MONO};
    if (clockid < 0)
        return cpu_clock_get(clockid, c);
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        c->kind = CLOCK_KIND_WALL;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        return cpu_clock_get((int)(~0u << 3) | 2, c);
    case CLOCK_THREAD_CPUTIME_ID:
        return cpu_clock_get((int)(~0u << 3) | 6, c);
    default:
        return -EINVAL;
    }
}

void clock_ref_put(struct clock_ref *c)
{
    if (c->process)
        process_put(c->process);
    if (c->task)
        task_put(c->task);
    c->process = NULL;
    c->task = NULL;
}

uint64_t clock_ref_read(const struct clock_ref *c)
{
    switch (c->kind) {
    case CLOCK_KIND_WALL:
        return clock_wall_ns();
    case CLOCK_KIND_PROCESS_CPU:
        return process_cpu_ns(c->process);
    case CLOCK_KIND_TASK_CPU:
        return sched_thread_ns(&c->task->thread);
    default:
        return clock_mono_ns();
    }
}

/* --- the kernel timer below --------------------------------------------------------------------------- */

static bool is_cpu_clock(const struct ptimer *t)
{
    return t->clock.kind == CLOCK_KIND_PROCESS_CPU || t->clock.kind == CLOCK_KIND_TASK_CPU;
}

static uint64_t read_clock(const struct ptimer *t)
{
    return t->is_relative_wall ? clock_mono_ns() : clock_ref_read(&t->clock);
}

/* When to look again, given the time on the timer's own clock.  t->lock held. */
static uint64_t look_again_at(const struct ptimer *t, uint64_t now)
{
    uint64_t left = t->expires_ns > now ? t->expires_ns - now : 0;

    if (t->clock.kind == CLOCK_KIND_PROCESS_CPU)
        left /= arch_cpu_count();
    if (is_cpu_clock(t))
        left = MAX(left, CPU_POLL_NS);
    uint64_t mono = clock_mono_ns();
    return left < TIME_NEVER - mono ? mono + left : TIME_NEVER - 1;
}

/* Reading a CPU clock takes locks that come before t->lock: do it first, and arm with that. */
static void arm(struct ptimer *t)
{
    uint64_t now = read_clock(t);
    bool irqs = spin_lock_irq(&t->lock);

    if (t->is_armed)
        timer_arm(&t->timer, look_again_at(t, now));
    spin_unlock_irq(&t->lock, irqs);
}

static void on_timer(struct timer *timer)
{
    struct ptimer *t = container_of(timer, struct ptimer, timer);
    uint64_t now = read_clock(t);
    bool irqs = spin_lock_irq(&t->lock), has_expired = t->is_armed && now >= t->expires_ns;

    if (has_expired && t->interval_ns == 0)
        t->is_armed = false;
    else if (t->is_armed && !has_expired)
        timer_arm(timer, look_again_at(t, now));
    spin_unlock_irq(&t->lock, irqs);
    if (has_expired)
        t->expired(t);
}

uint64_t ptimer_forward(struct ptimer *t)
{
    uint64_t now = read_clock(t), passed = 0;
    bool irqs = spin_lock_irq(&t->lock);

    if (t->is_armed && t->interval_ns > 0) {
        if (now >= t->expires_ns)
            passed = (now - t->expires_ns) / t->interval_ns + 1;
        t->expires_ns += passed * t->interval_ns;
        uint64_t at = look_again_at(t, now);
        timer_arm(&t->timer,
                  t->interval_ns < INTERVAL_NS ? MAX(at, clock_mono_ns() + INTERVAL_NS) : at);
    }
    spin_unlock_irq(&t->lock, irqs);
    return passed > 0 ? passed - 1 : 0;
}

/* --- what the owners call ----------------------------------------------------------------------------- */

void ptimer_init(struct ptimer *t, const struct clock_ref *clock, void (*expired)(struct ptimer *t))
{
    *t = (struct ptimer){.clock = *clock, .expired = expired};
    timer_init(&t->timer, on_timer);
    list_init(&t->wall_node);
    spin_init(&t->lock, RANK_DRIVER);
}

static void wall_list(struct ptimer *t, bool add)
{
    bool irqs = spin_lock_irq(&wall.lock);

    list_remove(&t->wall_node);
    if (add)
        list_push_back(&wall.timers, &t->wall_node);
    spin_unlock_irq(&wall.lock, irqs);
}

void ptimer_stop(struct ptimer *t)
{
    bool irqs = spin_lock_irq(&t->lock);

    t->is_armed = false;
    spin_unlock_irq(&t->lock, irqs);
    if (t->clock.kind == CLOCK_KIND_WALL)
        wall_list(t, false);
    timer_cancel_sync(&t->timer);
}

void ptimer_destroy(struct ptimer *t)
{
    ptimer_stop(t);
    clock_ref_put(&t->clock);
}

void ptimer_start(struct ptimer *t, bool is_absolute, const struct timer_setting *setting)
{
    bool irqs = spin_lock_irq(&t->lock);
    t->is_relative_wall = !is_absolute && t->clock.kind == CLOCK_KIND_WALL;
    spin_unlock_irq(&t->lock, irqs);

    uint64_t start = is_absolute ? 0 : read_clock(t);
    irqs = spin_lock_irq(&t->lock);
    t->interval_ns = setting->interval_ns;
    t->expires_ns = setting->value_ns < TIME_NEVER - start ? start + setting->value_ns : TIME_NEVER;
    t->is_armed = setting->value_ns > 0;
    spin_unlock_irq(&t->lock, irqs);
    if (setting->value_ns == 0)
        return;
    if (is_absolute && t->clock.kind == CLOCK_KIND_WALL)
        wall_list(t, true);
    arm(t);
}

void ptimer_get(struct ptimer *t, struct timer_setting *now)
{
    uint64_t time = read_clock(t);
    bool irqs = spin_lock_irq(&t->lock);

    *now = (struct timer_setting){.interval_ns = t->interval_ns};
    if (t->is_armed) {
        uint64_t over = time >= t->expires_ns ? time - t->expires_ns : 0;
        if (time < t->expires_ns)
            now->value_ns = t->expires_ns - time;
        else if (t->interval_ns > 0)
            now->value_ns = t->interval_ns - over % t->interval_ns;
        else
            now->value_ns =
                1; /* due, but not delivered yet: not the 0 of a timer that does not run */
    }
    spin_unlock_irq(&t->lock, irqs);
}

/* The wall clock was set: look at every timer on it now; those that are not due are armed anew. */
static void on_clock_set(void)
{
    struct ptimer *t;
    bool irqs = spin_lock_irq(&wall.lock);

    list_for_each(t, &wall.timers, wall_node)
        arm(t);
    spin_unlock_irq(&wall.lock, irqs);
}

void timers_init(void)
{
    clock_on_set(on_clock_set);
}

void timers_exec(struct process *p)
{
    posix_timers_free(p);
}

void timers_exit(struct process *p)
{
    posix_timers_free(p);
    itimers_free(p);
}
