/* Load averages, by Linux's arithmetic: every five seconds each average moves a step towards the number of threads
 * that run or wait to run, a step the smaller the longer the time it stands for.  This is the only timer of a machine
 * that has nothing to do. */
#include <core/atomic.h>
#include <core/load.h>
#include <core/sched.h>
#include <core/timer.h>

#define PERIOD_NS 5000000000ULL
#define ONE       (1UL << LOAD_SHIFT)

/* exp(-5 s / 1, 5, 15 min) in fixed point. */
static const unsigned long decay[3] = {1884, 2014, 2037};
static unsigned long averages[3]; /* atomic each */
static struct timer timer;

static unsigned long step(unsigned long load, unsigned long keep, unsigned long active)
{
    unsigned long next = load * keep + active * (ONE - keep);

    if (active >= load) /* round towards what it is on its way to */
        next += ONE - 1;
    return next >> LOAD_SHIFT;
}

/* In interrupt context; every few seconds, so that it may look at all CPUs. */
static void look(struct timer *t)
{
    uint64_t switches;
    unsigned long active = sched_load(&switches) * ONE;

    for (unsigned i = 0; i < 3; i++)
        atomic_store(&averages[i], step(averages[i], decay[i], active));
    timer_arm(t, t->deadline + PERIOD_NS);
}

void load_start(void)
{
    timer_init(&timer, look);
    timer_arm(&timer, clock_mono_ns() + PERIOD_NS);
}

void load_averages(unsigned long average[3])
{
    for (unsigned i = 0; i < 3; i++)
        average[i] = atomic_load(&averages[i]);
}
