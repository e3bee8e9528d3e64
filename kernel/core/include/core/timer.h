/* Timers: call a function at a time.  Per-CPU heaps ordered by deadline; the hardware is armed for the
 * nearest only, so an idle machine gets no interrupts. */
#pragma once

#include <base/list.h>
#include <base/types.h>

struct timer;
/* In interrupt context on the CPU that armed it; may re-arm its own timer. */
typedef void timer_fn(struct timer *t);

struct timer {
    uint64_t deadline;  /* arch_clock_ns() */
    timer_fn *fn;
    uint32_t heap_index, cpu; /* timer.c's, guarded by its per-CPU lock */
    bool is_armed, is_running;
};

void timer_init(struct timer *t, timer_fn *fn);
/* Arm or move; a deadline in the past fires as soon as possible.  Any context.  0 or -ENOMEM (heap growth). */
must_check int timer_arm(struct timer *t, uint64_t deadline_ns);
/* Disarm: true when it was armed (the function will not run).  When false, the function has run or is running. */
bool timer_cancel(struct timer *t);
/* timer_cancel, and wait for a running function to end.  Not from the function itself, nor with a lock that it
 * takes. */
void timer_cancel_sync(struct timer *t);

/* --- the clocks ---------------------------------------------------------------------------------------- */
uint64_t clock_mono_ns(void);  /* CLOCK_MONOTONIC and CLOCK_BOOTTIME: arch_clock_ns() */
uint64_t clock_wall_ns(void);  /* CLOCK_REALTIME */
void clock_set_wall_ns(uint64_t ns);
/* Called (thread context) after each clock_set_wall_ns, for TFD_TIMER_CANCEL_ON_SET and absolute timers. */
typedef void clock_set_fn(void);
void clock_on_set(clock_set_fn *fn); /* up to 4 */
