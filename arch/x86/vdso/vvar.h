/* The page that the kernel writes and every program reads: how to turn the TSC into time.
 *
 *     monotonic ns = base_ns + (tsc - base_tsc) * mult / 2^32
 *     wall ns      = monotonic ns + wall_offset_ns
 *
 * `seq` is odd while the kernel changes the rest (clock.c, rarely: when it learns the TSC's
 * frequency better, or when the wall clock is set); a reader tries again if it saw an odd or a
 * changed one.  Compiled into the kernel and into the vDSO, so that there is one reader. */
#pragma once

#include <stdint.h>

enum vvar_getcpu { GETCPU_SYSCALL, GETCPU_RDTSCP, GETCPU_RDPID };

struct vvar {
    uint32_t seq;
    uint32_t getcpu; /* enum vvar_getcpu; constant once programs run */
    uint64_t base_tsc;
    uint64_t base_ns;
    uint64_t mult; /* ns per tick, times 2^32 */
    uint64_t wall_offset_ns;
};

#define VVAR_SHIFT 32

static inline uint64_t vvar_tsc(void)
{
    uint32_t lo, hi;
    /* The fence keeps the CPU from reading the counter before earlier loads: time never runs
     * backwards against what another CPU was seen to have stored. */
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

static inline uint64_t vvar_scale(uint64_t ticks, uint64_t mult)
{
#ifdef __SIZEOF_INT128__
    return (uint64_t)((unsigned __int128)ticks * mult >> VVAR_SHIFT);
#else /* the same number, from products of 32 bits: the i386 vDSO */
    uint64_t low = (uint32_t)ticks;
    return (ticks >> VVAR_SHIFT) * mult + low * (mult >> VVAR_SHIFT) +
           (low * (uint32_t)mult >> VVAR_SHIFT);
#endif
}

/* For the writer, or with `v` a private copy.  A TSC slightly behind another CPU's may be read as
 * older than the base: that is the base's time. */
static inline uint64_t vvar_ns_at(const struct vvar *v, uint64_t tsc)
{
    int64_t ticks = tsc - v->base_tsc;
    return v->base_ns + (__builtin_expect(ticks > 0, 1) ? vvar_scale(ticks, v->mult) : 0);
}

/* Now, in monotonic ns; *wall is what to add for the wall clock (NULL: not asked for, and not read).  The page is
 * changed behind the compiler's back, so it must not be declared const. */
static inline __attribute__((always_inline)) uint64_t vvar_now(volatile struct vvar *page,
                                                               uint64_t *wall)
{
    for (;;) {
        uint32_t seq = __atomic_load_n(&page->seq, __ATOMIC_ACQUIRE);
        uint64_t tsc = vvar_tsc();
        struct vvar copy = {
            .base_tsc = page->base_tsc, .base_ns = page->base_ns, .mult = page->mult};
        if (wall)
            *wall = page->wall_offset_ns;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__builtin_expect(!(seq & 1) && __atomic_load_n(&page->seq, __ATOMIC_RELAXED) == seq, 1))
            return vvar_ns_at(&copy, tsc);
        __builtin_ia32_pause();
    }
}
