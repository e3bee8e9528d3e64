/* The x86-64 vDSO: what programs call instead of a system call to read the clocks and their CPU's
 * number.
 *
 * Runs in ring 3 as part of the program, on a stack of unknown depth, possibly in a signal handler;
 * it has no data of its own and reads only the vvar page, which lies directly below it.  What it
 * cannot answer goes to the kernel. */
#include "clocks.h"

#include <asm/unistd.h>
#include <stddef.h>

#define NS_PER_SECOND 1000000000ull

int __vdso_clock_gettime(__kernel_clockid_t clock, struct __kernel_timespec *ts);
int __vdso_clock_getres(__kernel_clockid_t clock, struct __kernel_timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
__kernel_old_time_t __vdso_time(__kernel_old_time_t *t);
long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static inline long syscall3(long nr, long a, long b, long c)
{
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline int put_time(struct __kernel_timespec *ts, uint64_t ns)
{
    ts->tv_sec = ns / NS_PER_SECOND;
    ts->tv_nsec = ns % NS_PER_SECOND;
    return 0;
}

int __vdso_clock_gettime(__kernel_clockid_t clock, struct __kernel_timespec *ts)
{
    /* What programs ask for most, without the question which clock it is and what to add: a sixth less. */
    if (__builtin_expect(clock == CLOCK_MONOTONIC, 1))
        return put_time(ts, vvar_now(&vvar_page, NULL));
    if (!clock_is_in(OUR_CLOCKS, clock))
        return syscall3(__NR_clock_gettime, clock, (long)ts, 0);
    return put_time(ts, clock_ns(clock));
}

int __vdso_clock_getres(__kernel_clockid_t clock, struct __kernel_timespec *ts)
{
    if (!clock_is_in(FINE_CLOCKS, clock))
        return syscall3(__NR_clock_getres, clock, (long)ts, 0);
    if (ts) {
        ts->tv_sec = 0;
        ts->tv_nsec = 1;
    }
    return 0;
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
    if (tz) /* the kernel's business, and obsolete */
        return syscall3(__NR_gettimeofday, (long)tv, (long)tz, 0);
    if (tv) {
        uint64_t ns = clock_ns(CLOCK_REALTIME);
        tv->tv_sec = ns / NS_PER_SECOND;
        tv->tv_usec = ns % NS_PER_SECOND / 1000;
    }
    return 0;
}

__kernel_old_time_t __vdso_time(__kernel_old_time_t *t)
{
    __kernel_old_time_t seconds = clock_ns(CLOCK_REALTIME) / NS_PER_SECOND;
    if (t)
        *t = seconds;
    return seconds;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    uint64_t id;
    if (vvar_page.getcpu == GETCPU_RDPID)
        __asm__ volatile("rdpid %0" : "=r"(id));
    else if (vvar_page.getcpu == GETCPU_RDTSCP)
        __asm__ volatile("rdtscp" : "=c"(id)::"rax", "rdx");
    else
        return syscall3(__NR_getcpu, (long)cpu, (long)node, 0);
    if (cpu)
        *cpu = id & 0xfff;
    if (node)
        *node = (uint32_t)id >> 12;
    return 0;
}

#define ALSO_NAMED(name) __attribute__((weak, alias("__vdso_" #name)))
int clock_gettime(__kernel_clockid_t clock, struct __kernel_timespec *ts) ALSO_NAMED(clock_gettime);
int clock_getres(__kernel_clockid_t clock, struct __kernel_timespec *ts) ALSO_NAMED(clock_getres);
int gettimeofday(struct timeval *tv, struct timezone *tz) ALSO_NAMED(gettimeofday);
__kernel_old_time_t time(__kernel_old_time_t *t) ALSO_NAMED(time);
long getcpu(unsigned *cpu, unsigned *node, void *unused) ALSO_NAMED(getcpu);
