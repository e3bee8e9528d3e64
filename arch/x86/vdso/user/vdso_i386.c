/* The i386 vDSO: the way into the kernel that AT_SYSINFO tells, the ends of signal handlers, and the clocks.
 *
 * The clocks are those of vdso.c with other types: int is a word, the time comes in seconds of 32 bits or of 64. */
#include "clocks.h"

#include <asm/unistd.h>
#include <linux/time_types.h>
#include <stddef.h>

#define NS_PER_SECOND 1000000000u

int __vdso_clock_gettime(__kernel_clockid_t clock, struct timespec *ts);
int __vdso_clock_gettime64(__kernel_clockid_t clock, struct __kernel_timespec *ts);
int __vdso_clock_getres(__kernel_clockid_t clock, struct timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
__kernel_old_time_t __vdso_time(__kernel_old_time_t *t);

/* The three ends, 16 bytes apart: arch/x86/vdso/vdso.c counts on it.  Unwinders know the last two by their bytes, and
 * that they begin one byte behind a nop. */
__asm__(".text\n"
        ".balign 16, 0x90\n"
        ".globl __kernel_vsyscall\n"
        ".type __kernel_vsyscall, @function\n"
        "__kernel_vsyscall:\n"
        "    int $0x80\n"
        "    ret\n"
        ".size __kernel_vsyscall, . - __kernel_vsyscall\n"
        ".balign 16, 0x90\n"
        ".globl __kernel_sigreturn\n"
        ".type __kernel_sigreturn, @function\n"
        "__kernel_sigreturn:\n"
        "    popl %eax\n"
        "    movl $119, %eax\n"
        "    int $0x80\n"
        ".size __kernel_sigreturn, . - __kernel_sigreturn\n"
        ".balign 16, 0x90\n"
        ".globl __kernel_rt_sigreturn\n"
        ".type __kernel_rt_sigreturn, @function\n"
        "__kernel_rt_sigreturn:\n"
        "    movl $173, %eax\n"
        "    int $0x80\n"
        ".size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn\n"
        ".balign 16, 0x90\n");

static inline int syscall2(int nr, long a, long b)
{
    int ret;
    __asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b) : "memory");
    return ret;
}

/* By a number of 32 bits: the compiler would call a library for it. */
static inline uint64_t divide(uint64_t n, uint32_t by, uint32_t *rest)
{
    uint32_t high = (uint32_t)(n >> 32) / by, low, left = (uint32_t)(n >> 32) % by;
    __asm__("divl %4" : "=a"(low), "=d"(*rest) : "0"((uint32_t)n), "1"(left), "rm"(by));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t seconds_of(__kernel_clockid_t clock, uint32_t *ns)
{
    return divide(clock_ns(clock), NS_PER_SECOND, ns);
}

int __vdso_clock_gettime64(__kernel_clockid_t clock, struct __kernel_timespec *ts)
{
    uint32_t ns;
    if (!clock_is_in(OUR_CLOCKS, clock))
        return syscall2(__NR_clock_gettime64, clock, (long)ts);
    ts->tv_sec = seconds_of(clock, &ns);
    ts->tv_nsec = ns;
    return 0;
}

int __vdso_clock_gettime(__kernel_clockid_t clock, struct timespec *ts)
{
    uint32_t ns;
    if (!clock_is_in(OUR_CLOCKS, clock))
        return syscall2(__NR_clock_gettime, clock, (long)ts);
    ts->tv_sec = (long)seconds_of(clock, &ns);
    ts->tv_nsec = (long)ns;
    return 0;
}

int __vdso_clock_getres(__kernel_clockid_t clock, struct timespec *ts)
{
    if (!clock_is_in(FINE_CLOCKS, clock))
        return syscall2(__NR_clock_getres, clock, (long)ts);
    if (ts) {
        ts->tv_sec = 0;
        ts->tv_nsec = 1;
    }
    return 0;
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    uint32_t ns;
    if (tz) /* the kernel's business, and obsolete */
        return syscall2(__NR_gettimeofday, (long)tv, (long)tz);
    if (tv) {
        tv->tv_sec = (long)seconds_of(CLOCK_REALTIME, &ns);
        tv->tv_usec = (long)(ns / 1000);
    }
    return 0;
}

__kernel_old_time_t __vdso_time(__kernel_old_time_t *t)
{
    uint32_t ns;
    __kernel_old_time_t seconds = (__kernel_old_time_t)seconds_of(CLOCK_REALTIME, &ns);
    if (t)
        *t = seconds;
    return seconds;
}
