/* Sets of small integers as arrays of 64-bit words.  No locking. */
#pragma once

#include <base/types.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_has(const uint64_t *map, size_t bit)
{
    return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= 1UL << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / 64] &= ~(1UL << (bit % 64));
}

/* The lowest integer >= from and < bits that is not in the set; `bits` when all are. */
static inline size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from)
{
    size_t word = from / 64;
    uint64_t mask = ~0UL << (from % 64);
    for (; word < BITMAP_WORDS(bits); word++, mask = ~0UL) {
        uint64_t clear = ~map[word] & mask;
        if (clear)
            return MIN(word * 64 + (size_t)__builtin_ctzll(clear), bits);
    }
    return bits;
}

/* Bits set in one word.  Not __builtin_popcountl: without the instruction that is a call into libgcc. */
static inline unsigned bits_count(unsigned long word)
{
    unsigned n = 0;

    for (; word; word &= word - 1)
        n++;
    return n;
}
