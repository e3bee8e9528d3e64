/* Timers and clocks of CPU time. */
#include "abi.h"

static volatile sig_atomic_t nr_signals;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    nr_signals++;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    NEED(clock_gettime(clock, &t) == 0);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void burn_until(volatile sig_atomic_t *n, int wanted)
{
    while (*n < wanted)
        ;
}

static void timer_on(clockid_t clock)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {{0, 5000000}, {0, 5000000}}, now;
    timer_t timer;

    nr_signals = 0;
    NEED(timer_create(clock, &event, &timer) == 0);
    int64_t began = clock_ns(clock);
    NEED(timer_settime(timer, 0, &every, NULL) == 0);
    burn_until(&nr_signals, 4);
    CHECK(clock_ns(clock) - began >= 20000000);
    NEED(timer_gettime(timer, &now) == 0);
    CHECK(now.it_interval.tv_nsec == 5000000 && now.it_value.tv_nsec > 0);
    SHOW(timer_delete(timer));
}

int main(void)
{
    struct itimerval every = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    clockid_t mine;

    handle(SIGUSR1, on_signal, 0);
    handle(SIGPROF, on_signal, 0);
    handle(SIGVTALRM, on_signal, 0);
    timer_on(CLOCK_PROCESS_CPUTIME_ID);
    timer_on(CLOCK_THREAD_CPUTIME_ID);
    NEED(pthread_getcpuclockid(pthread_self(), &mine) == 0);
    timer_on(mine);
    NEED(clock_getcpuclockid(0, &mine) == 0);
    timer_on(mine);
    for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
        nr_signals = 0;
        NEED(setitimer(which, &every, NULL) == 0);
        burn_until(&nr_signals, 4);
        NEED(setitimer(which, &never, NULL) == 0);
    }
    /* CPU time stands still while the thread sleeps. */
    int64_t before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    sleep_ms(100);
    CHECK(clock_ns(CLOCK_THREAD_CPUTIME_ID) - before < 50000000);
    SHOW(syscall(SYS_clock_gettime, (~0x3ffffffu << 3) | 2, &(struct timespec){0}));
    SHOW(syscall(SYS_clock_gettime, -1, &(struct timespec){0}));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){0, 1}, NULL));
    return done();
}
