/* setitimer and alarm: real time, and CPU time of two kinds. */
#include "abi.h"

static volatile sig_atomic_t real, virtual, prof;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != SI_KERNEL && info->si_code != SI_TIMER)
        say("code %d", info->si_code);
    if (signal == SIGALRM)
        real++;
    else if (signal == SIGVTALRM)
        virtual ++;
    else
        prof++;
}

int main(void)
{
    struct itimerval every = {{0, 10000}, {0, 10000}}, never = {0}, old;

    handle(SIGALRM, on_signal, 0);
    handle(SIGVTALRM, on_signal, 0);
    handle(SIGPROF, on_signal, 0);
    SHOW(setitimer(ITIMER_REAL, &every, NULL));
    SHOW(getitimer(ITIMER_REAL, &old));
    say("interval %ld", (long)old.it_interval.tv_usec);
    CHECK(old.it_value.tv_usec <= 10000);
    while (real < 5)
        pause();
    SHOW(setitimer(ITIMER_REAL, &never, &old));
    int seen = real;
    sleep_ms(30);
    say("none after it was stopped: %d", real == seen);

    SHOW(setitimer(ITIMER_VIRTUAL, &every, NULL));
    SHOW(setitimer(ITIMER_PROF, &every, NULL));
    sleep_ms(50);
    say("sleeping takes no CPU time: %d", virtual + prof <= 2);
    while (virtual < 5 || prof < 5)
        ;
    SHOW(setitimer(ITIMER_VIRTUAL, &never, NULL));
    SHOW(setitimer(ITIMER_PROF, &never, NULL));
    say("working does");

    SHOW(alarm(100));
    SHOW(alarm(0));
    SHOW(alarm(0));
    struct itimerval once = {{0, 0}, {0, 1000}};
    real = 0;
    setitimer(ITIMER_REAL, &once, NULL);
    while (!real)
        sched_yield();
    getitimer(ITIMER_REAL, &old);
    say("one shot: %ld %ld", (long)old.it_value.tv_sec, (long)old.it_value.tv_usec);
    once.it_value.tv_usec = 1000000;
    SHOW(setitimer(ITIMER_REAL, &once, NULL));
    SHOW(syscall(SYS_setitimer, 7, &every, NULL));
    SHOW(syscall(SYS_getitimer, 7, &every));
    SHOW(syscall(SYS_setitimer, ITIMER_REAL, 8, NULL));
    return done();
}
