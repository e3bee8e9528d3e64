/* The clocks: they agree with each other and with the vDSO, and never go back, on any CPU. */
#include <sys/time.h>

#include "abi.h"

static int64_t ns(const struct timespec *t)
{
    return t->tv_sec * 1000000000ll + t->tv_nsec;
}

static int64_t by_libc(clockid_t clock)
{
    struct timespec t;

    NEED(clock_gettime(clock, &t) == 0);
    return ns(&t);
}

static int64_t by_call(clockid_t clock)
{
    struct timespec t;

    NEED(syscall(SYS_clock_gettime, clock, &t) == 0);
    return ns(&t);
}

static volatile int64_t last_seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Threads on all CPUs take turns: each must see a time not before the last one's. */
static void *take_turns(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&lock);
        int64_t now = i % 2 ? by_libc(CLOCK_MONOTONIC) : by_call(CLOCK_MONOTONIC);
        CHECK(now >= last_seen);
        last_seen = now;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    static const clockid_t clocks[] = {
        CLOCK_REALTIME, CLOCK_MONOTONIC,          CLOCK_BOOTTIME,         CLOCK_MONOTONIC_RAW,
        CLOCK_TAI,      CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    pthread_t threads[4];
    struct timespec t;
    struct timeval tv;

    for (size_t i = 0; i < NR(clocks); i++) {
        for (int n = 0; n < 200; n++) {
            int64_t a = by_libc(clocks[i]), b = by_call(clocks[i]), c = by_libc(clocks[i]);
            CHECK(a <= b && b <= c);
        }
        SHOW(clock_getres(clocks[i], &t));
        say("resolution of %d: %ld ns", clocks[i], t.tv_nsec);
    }
    int64_t coarse = by_libc(CLOCK_REALTIME_COARSE), fine = by_call(CLOCK_REALTIME);
    CHECK(coarse <= fine && fine - coarse < 1000000000);
    coarse = by_libc(CLOCK_MONOTONIC_COARSE), fine = by_call(CLOCK_MONOTONIC);
    CHECK(coarse <= fine && fine - coarse < 1000000000);
    int64_t before = by_call(CLOCK_REALTIME);
    gettimeofday(&tv, NULL);
    int64_t after = by_libc(CLOCK_REALTIME);
    int64_t of_day = tv.tv_sec * 1000000000ll + tv.tv_usec * 1000ll;
    CHECK(before / 1000 <= of_day / 1000 && of_day <= after);
    time_t seconds = time(NULL);
    CHECK(seconds >= before / 1000000000 - 1 && seconds <= after / 1000000000 + 1);
    CHECK(seconds > 1700000000); /* the clock was set */
    /* Time passes while we sleep, and while we work. */
    before = by_libc(CLOCK_MONOTONIC);
    int64_t cpu = by_libc(CLOCK_PROCESS_CPUTIME_ID);
    sleep_ms(300);
    CHECK(by_libc(CLOCK_MONOTONIC) - before >= 300000000);
    CHECK(by_libc(CLOCK_PROCESS_CPUTIME_ID) - cpu < 200000000);
    cpu = by_libc(CLOCK_THREAD_CPUTIME_ID);
    while (by_libc(CLOCK_THREAD_CPUTIME_ID) - cpu < 10000000)
        ;
    say("work takes CPU time, sleep does not");
    for (size_t i = 0; i < NR(threads); i++)
        NEED(pthread_create(&threads[i], NULL, take_turns, NULL) == 0);
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    say("never back");
    SHOW(syscall(SYS_clock_gettime, 99, &t));
    SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8));
    SHOW(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
    SHOW(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t));
    return done();
}
