/* For the programs of test/abi: each prints what it saw, checks what it can, and ends with `return
 * done();`.
 *
 * A program is run on Linux first, where it must end with status 0, then in the guest, where every
 * byte that it prints and its status must be the same.  So nothing that may differ between two runs
 * (addresses, process numbers, times, the order of threads) is printed. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* On i386 musl's times have 64 bits, and it calls the others by their size. */
#ifdef SYS_clock_gettime32
#define SYS_clock_gettime   SYS_clock_gettime64
#define SYS_clock_settime   SYS_clock_settime64
#define SYS_clock_getres    SYS_clock_getres_time64
#define SYS_clock_nanosleep SYS_clock_nanosleep_time64
#define SYS_timer_gettime   SYS_timer_gettime64
#define SYS_timer_settime   SYS_timer_settime64
#define SYS_timerfd_gettime SYS_timerfd_gettime64
#define SYS_timerfd_settime SYS_timerfd_settime64
#define SYS_gettimeofday    SYS_gettimeofday_time32
#undef SYS_futex
#undef SYS_recvmmsg
#define SYS_recvmmsg SYS_recvmmsg_time64
#define SYS_futex    SYS_futex_time64
#endif
#ifdef __i386__
#define SYS_newfstatat SYS_fstatat64
#endif

#define PAGE      4096
#define NR(array) (sizeof(array) / sizeof *(array))

static int abi_failures;

__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (len > (int)sizeof line - 2)
        len = (int)sizeof line - 2;
    line[len++] = '\n';
    if (write(1, line, (size_t)len) != len)
        _exit(99);
}

static inline bool abi_check(bool good, const char *text, const char *file, int line)
{
    if (!good) {
        __atomic_fetch_add(&abi_failures, 1, __ATOMIC_RELAXED);
        say("%s:%d: not true: %s (errno %d)", strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
            line, text, errno);
    }
    return good;
}
#define CHECK(condition) abi_check(condition, #condition, __FILE__, __LINE__)

/* What cannot be gone on without. */
#define NEED(condition)                                            \
    do {                                                           \
        if (!abi_check(condition, #condition, __FILE__, __LINE__)) \
            _exit(1);                                              \
    } while (0)

/* Prints the call and its result; returns the result. */
static inline long abi_show(const char *text, long result)
{
    if (result == -1)
        say("%s: %s", text, strerror(errno));
    else
        say("%s: %ld", text, result);
    return result;
}
#define SHOW(call) abi_show(#call, (errno = 0, (long)(call)))
/* The same for results whose value may differ: only whether it worked. */
#define SHOW_OK(call) (errno = 0, abi_show(#call, (long)(call) == -1 ? -1 : 0))

static inline int done(void)
{
    if (abi_failures)
        say("%d checks failed", abi_failures);
    return abi_failures != 0;
}

static inline void *map_pages(size_t pages, int prot)
{
    void *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    NEED(p != MAP_FAILED);
    return p;
}

static inline void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    NEED(sigaction(signal, &action, NULL) == 0);
}

/* Touching memory that may fault: 0, or the signal; the facts of the fault are kept. */
static __thread sigjmp_buf abi_fault_exit;
static __thread siginfo_t abi_fault;

static void abi_on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    abi_fault = *info;
    siglongjmp(abi_fault_exit, signal);
}

static inline int abi_touch(volatile unsigned char *p, bool writes)
{
    struct sigaction action = {.sa_sigaction = abi_on_fault, .sa_flags = SA_SIGINFO}, segv, bus;
    int signal;

    sigaction(SIGSEGV, &action, &segv);
    sigaction(SIGBUS, &action, &bus);
    signal = sigsetjmp(abi_fault_exit, 1);
    if (!signal) {
        unsigned char byte = *p;
        if (writes)
            *p = byte;
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
    return signal;
}
#define READS(p)  (abi_touch((void *)(p), false))
#define WRITES(p) (abi_touch((void *)(p), true))

/* Prints the facts of a fault that was just taken: say_fault("what", READS(p), p). */
static inline void say_fault(const char *what, int signal, const void *expected)
{
    if (signal)
        say("%s: signal %d, code %d, right address: %d", what, signal, abi_fault.si_code,
            abi_fault.si_addr == expected);
    else
        say("%s: no fault", what);
}

static inline int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static inline void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

static inline pid_t tid_of_self(void)
{
    return (pid_t)syscall(SYS_gettid);
}

/* Waits until the thread sleeps in the kernel, as far as /proc tells. */
static inline void wait_until_asleep(pid_t tid)
{
    char path[64], stat[512];

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t n = fd >= 0 ? read(fd, stat, sizeof stat - 1) : -1;
        if (fd >= 0)
            close(fd);
        if (n <= 0) {
            sleep_ms(100); /* no such file: time has to do */
            return;
        }
        stat[n] = 0;
        char *state = strrchr(stat, ')');
        if (state && (state[2] == 'S' || state[2] == 'D'))
            return;
        sched_yield();
    }
}
