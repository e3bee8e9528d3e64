/* timer_create: signals with a value, to a thread, no signal at all; overruns, remaining time,
 * deletion. */
#include "abi.h"

static volatile sig_atomic_t count, value, overrun, wrong;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    if (info->si_code != SI_TIMER)
        wrong++;
    value = info->si_value.sival_int;
    overrun += info->si_overrun;
    count++;
}

int main(void)
{
    struct itimerspec every = {{0, 5000000}, {0, 5000000}}, once = {.it_value = {0, 20000000}},
                      never = {0}, now;
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77};
    timer_t timer, silent, other;
    sigset_t set;

    handle(SIGRTMIN, on_signal, 0);
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(timer_settime(timer, 0, &every, NULL));
    while (count < 5)
        pause();
    say("value %d, wrong codes %d", (int)value, (int)wrong);
    SHOW(timer_gettime(timer, &now));
    say("interval %ld", now.it_interval.tv_nsec);
    /* While it is blocked it counts. */
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sleep_ms(60);
    overrun = 0;
    int seen = count;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    say("overruns while blocked: %d", overrun >= 5 && count - seen < 5);
    SHOW(timer_settime(timer, 0, &never, NULL));
    SHOW_OK(timer_getoverrun(timer));
    SHOW(timer_delete(timer));

    event.sigev_notify = SIGEV_NONE;
    SHOW(timer_create(CLOCK_REALTIME, &event, &silent));
    SHOW(timer_settime(silent, 0, &once, NULL));
    timer_gettime(silent, &now);
    CHECK(now.it_value.tv_nsec > 0);
    do
        timer_gettime(silent, &now);
    while (now.it_value.tv_nsec);
    say("a silent one ran out");
    SHOW(timer_settime(silent, 0, &once, &now));
    SHOW(timer_delete(silent));

    SHOW(timer_create(CLOCK_MONOTONIC, NULL, &other)); /* SIGALRM */
    handle(SIGALRM, on_signal, 0);
    count = 0;
    struct itimerspec past = {.it_value = {1, 0}};
    SHOW(timer_settime(other, TIMER_ABSTIME, &past, NULL));
    while (!count)
        sched_yield();
    say("an absolute time in the past fires at once");
    SHOW(timer_delete(other));
    event.sigev_notify = SIGEV_SIGNAL;
    int raw = 0;
    SHOW(syscall(SYS_timer_create, 99, &event, &raw));
    event.sigev_signo = 99;
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &raw));
    SHOW(syscall(SYS_timer_settime, 12345, 0, &once, NULL));
    SHOW(syscall(SYS_timer_gettime, 12345, &now));
    SHOW(syscall(SYS_timer_delete, 12345));
    return done();
}
