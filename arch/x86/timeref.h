/* Counters of a known frequency, against which the TSC is measured when nothing tells its
 * frequency. */
#pragma once

#include "platform.h"

struct timeref {
    const char *name;
    uint64_t hz;            /* 0: not on this machine */
    uint64_t mask;          /* the counter wraps above this */
    uint64_t (*read)(void); /* counts up */
};

/* Look for the counters of this machine.  After apic_init_this and machine_discover. */
void timeref_init(void);

/* The finest counter, for the short measurement at boot; NULL: none at all. */
const struct timeref *timeref_fine(void);
/* One that nobody else uses and that runs on, for measuring again later; NULL: none. */
const struct timeref *timeref_steady(void);

/* The same moment on both clocks, as nearly as can be read. */
struct timeref_sample {
    uint64_t tsc, count;
};
struct timeref_sample timeref_sample(const struct timeref *ref);

/* TSC ticks per second, from two samples at most half a wrap apart as judged by `hz_guess` (0: the
 * counter has not wrapped).  0: the samples are too close. */
uint64_t timeref_tsc_hz(const struct timeref *ref, struct timeref_sample from,
                        struct timeref_sample to, uint64_t hz_guess);

/* Frequency of the local APIC's counter where it is known; 0: it must be measured. */
uint64_t timeref_apic_hz(void);
