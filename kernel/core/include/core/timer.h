/* Timers: call a function at a time.  Per-CPU heaps ordered by deadline, linked through the timers
 * themselves, so that arming needs no memory; the hardware is armed for the nearest only, so an idle machine gets
 * no interrupts. */
#pragma once

#include <base/list.h>
#include <base/types.h>

struct timer;
/* In interrupt context on the CPU that armed it; may re-arm its own timer. */
typedef void timer_fn(struct timer *t);

struct timer {
    uint64_t deadline; /* arch_clock_ns() */
    timer_fn *fn;
    /* guarded by the lock of the queue of `cpu` */
    struct timer *child, *next,
        *prev;    /* pairing heap: first child, siblings; prev of a first child: the parent */
    unsigned cpu; /* whose queue it is on, or was on last */
    bool is_armed;
};

void timer_init(struct timer *t, timer_fn *fn);
/* Arm or move; a deadline in the past fires as soon as possible.  Any context. */
void timer_arm(struct timer *t, uint64_t deadline_ns);
/* Disarm: true when it was armed (the function will not run).  When false, the function has run or is running. */
bool timer_cancel(struct timer *t);
/* timer_cancel, and wait for a running function to end.  Not from the function itself, nor with a lock that it
 * takes. */
bool timer_cancel_sync(struct timer *t);

/* --- the clocks ---------------------------------------------------------------------------------------- */
uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC and CLOCK_BOOTTIME: arch_clock_ns() */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME */
void clock_set_wall_ns(uint64_t ns);
/* Called (thread context) after each clock_set_wall_ns, for TFD_TIMER_CANCEL_ON_SET and absolute timers. */
typedef void clock_set_fn(void);
void clock_on_set(clock_set_fn *fn); /* up to 4 */

/* A point in time on either clock.  Who sleeps until one of the wall clock also waits on clock_set_waitq, and works
 * the deadline out anew when that was woken. */
struct clock_deadline {
    uint64_t ns; /* TIME_NEVER: none */
    bool is_wall;
};
uint64_t clock_deadline_mono(const struct clock_deadline *d);
struct waitq;
struct waitq *clock_set_waitq(void);
