/* What POSIX timers and interval timers are made of: a deadline on one of the program's clocks. */
#pragma once

#include <core/timer.h>
#include <proc/process.h>
#include <proc/timers.h>

struct ptimer {
    struct timer timer;     /* the kernel's: armed for when the clock may have got there */
    struct clock_ref clock; /* immutable */
    /* Interrupt context, no lock held.  A timer with an interval stands still until ptimer_forward. */
    void (*expired)(struct ptimer *t);
    /* on the list of absolute wall-clock timers, guarded by that list's lock */
    struct list wall_node;
    struct spinlock lock;             /* RANK_DRIVER, interrupts off - guards: */
    uint64_t expires_ns, interval_ns; /* of `clock`; interval 0: once */
    bool is_armed;                    /* will expire, or has and waits for ptimer_forward */
    bool is_relative_wall; /* follows the monotonic clock although `clock` is the wall clock */
};

void ptimer_init(struct ptimer *t, const struct clock_ref *clock,
                 void (*expired)(struct ptimer *t));
/* Stop it and drop the clock; `expired` is not running when this returns.  Thread context. */
void ptimer_destroy(struct ptimer *t);
void ptimer_stop(struct ptimer *t); /* likewise, but keep the timer */
/* A value of 0 stops it.  Thread context, after ptimer_stop. */
void ptimer_start(struct ptimer *t, bool is_absolute, const struct timer_setting *setting);
/* What is left, and the interval; 0 when it does not run. */
void ptimer_get(struct ptimer *t, struct timer_setting *now);
/* After an expiry: on to the next interval that is not over.  How many were missed.  Any context. */
uint64_t ptimer_forward(struct ptimer *t);

void ptimer_boot(void);
/* posix_timers.c, itimers.c */
void posix_timers_free(struct process *p);
void itimers_free(struct process *p);
