/* The clocks: monotonic time comes from the architecture, wall time is that plus an offset. */
#include <arch/arch.h>
#include <base/log.h>
#include <core/atomic.h>
#include <core/timer.h>
#include <core/wait.h>

static clock_set_fn *set_fns[4];
static unsigned nr_set_fns; /* atomic; registered at boot and never removed */

static struct waitq set_waitq = {
    .lock = SPINLOCK_INIT(RANK_WAITQ),
    .waiters = LIST_INIT(set_waitq.waiters),
};

uint64_t clock_mono_ns(void)
{
    return arch_clock_ns();
}

uint64_t clock_wall_ns(void)
{
    return arch_clock_ns() + arch_wall_offset_ns();
}

seldom_called void clock_set_wall_ns(uint64_t ns)
{
    arch_set_wall_offset_ns(ns - arch_clock_ns());
    for (unsigned i = 0; i < atomic_load(&nr_set_fns); i++)
        set_fns[i]();
    waitq_wake_all(&set_waitq);
}

struct waitq *clock_set_waitq(void)
{
    return &set_waitq;
}

uint64_t clock_deadline_mono(const struct clock_deadline *d)
{
    if (d->ns == TIME_NEVER || !d->is_wall)
        return d->ns;
    uint64_t offset = arch_wall_offset_ns();
    return d->ns > offset ? d->ns - offset : 0;
}

void clock_on_set(clock_set_fn *fn)
{
    if (nr_set_fns == ARRAY_LEN(set_fns))
        panic("too many functions want to know of clock_settime");
    set_fns[nr_set_fns] = fn;
    atomic_add(&nr_set_fns, 1);
}
