/* The processor as a program sees it: CPUID, the time-stamp counter, vector extensions, odd
 * instructions. */
#include <cpuid.h>

#include "abi.h"

static __attribute__((target("avx2"))) int sum_avx2(const int *values)
{
    typedef int v8 __attribute__((vector_size(32)));
    v8 sum = {0};
    int total = 0;

    for (int i = 0; i < 64; i += 8)
        sum += *(const v8 *)(values + i);
    for (int i = 0; i < 8; i++)
        total += sum[i];
    return total;
}

int main(void)
{
    static int values[64] __attribute__((aligned(32)));
    unsigned a, b, c, d, total = 0;

    NEED(__get_cpuid(1, &a, &b, &c, &d));
    say("fpu %u, tsc %u, sse2 %u, long mode by being here", d & 1, d >> 4 & 1, d >> 26 & 1);
    bool xsave = c >> 26 & 1, osxsave = c >> 27 & 1;
    CHECK(!xsave || osxsave); /* if the CPU has it, the kernel has enabled it */
    if (osxsave) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        CHECK((a & 3) == 3);
    }
    uint64_t before = __builtin_ia32_rdtsc();
    sleep_ms(5);
    CHECK(__builtin_ia32_rdtsc() > before);
    for (int i = 0; i < 64; i++) {
        values[i] = i * i;
        total += (unsigned)values[i];
    }
    __builtin_cpu_init();
    CHECK(!__builtin_cpu_supports("avx2") || sum_avx2(values) == (int)total);
    /* 16 bytes at once. */
    static __int128 wide __attribute__((aligned(16)));
    unsigned char swapped;
    uint64_t low = 0, high = 0;
    __asm__ volatile("lock cmpxchg16b %1; sete %0"
                     : "=q"(swapped), "+m"(wide), "+a"(low), "+d"(high)
                     : "b"(5ul), "c"(6ul)
                     : "cc");
    say("cmpxchg16b: %d %lu %lu", swapped, (uint64_t)wide, (uint64_t)(wide >> 64));
    /* Floating point: rounding, exceptions masked, x87 extended precision. */
    volatile double one = 1, three = 3, zero = 0;
    volatile long double third = 1.0L / 3.0L;
    say("1/3 = %.17g, 1/0 = %g, 0/0 is a NaN: %d, extended: %d", one / three, one / zero,
        zero / zero != zero / zero, third != (long double)(one / three));
    unsigned control;
    unsigned short word;
    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(control), "=m"(word));
    say("control words: %x %x", control & ~0x3fu, word);
    /* Large copies over page borders: the string instructions. */
    char *p = map_pages(64, PROT_READ | PROT_WRITE);
    void *to = p + 32 * PAGE + 5, *from = p + 3;
    unsigned long count = 30 * PAGE;
    memset(p + 3, 0x5a, count);
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    say("copied: %d", !memcmp(p + 3, p + 32 * PAGE + 5, 30 * PAGE));
    return done();
}
