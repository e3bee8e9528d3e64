/* The clocks as both vDSOs know them: which there are, and what they say in nanoseconds. */
#pragma once

#include "../vvar.h"

#include <linux/time.h>

/* By linker script; in the page before the first. */
extern volatile struct vvar vvar_page __attribute__((visibility("hidden")));

#define NR_CLOCKS  8
#define BIT(clock) (1u << (clock))
enum {
    WALL_CLOCKS = BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE),
    /* There is no tick behind the coarse clocks, and no slewing between raw and cooked. */
    OUR_CLOCKS = WALL_CLOCKS | BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) |
                 BIT(CLOCK_MONOTONIC_COARSE) | BIT(CLOCK_BOOTTIME),
    FINE_CLOCKS = OUR_CLOCKS & ~(BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_MONOTONIC_COARSE)),
};

static inline int clock_is_in(unsigned set, __kernel_clockid_t clock)
{
    return (unsigned)clock < NR_CLOCKS && set & BIT(clock);
}

/* Of one of OUR_CLOCKS, now. */
static inline uint64_t clock_ns(__kernel_clockid_t clock)
{
    uint64_t wall, mono = vvar_now(&vvar_page, &wall);
    return WALL_CLOCKS & BIT(clock) ? mono + wall : mono;
}
