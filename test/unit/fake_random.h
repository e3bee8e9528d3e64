/* The same numbers in every run. */
#pragma once

#include <stdint.h>

static inline uint64_t fake_random(void)
{
    static uint64_t x = 88172645463325252;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}
