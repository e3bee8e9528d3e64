/* What the tests of frames share: sizes, random numbers, and lwIP's sum written down once more.  Behind lwIP's headers. */
#pragma once

#include "fake_random.h"

#define V4_HEADERS 54u
#define V6_HEADERS 74u
#define MSS        1460u

static uint32_t sum_of(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

u16_t inet_chksum(const void *bytes, u16_t n)
{
    return lwip_htons((u16_t)~sum_of(bytes, n));
}
