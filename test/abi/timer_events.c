/* timer_create: who is told (the process, one thread, nobody), what the signal says, overruns, and what
 * timer_gettime and timer_settime answer. */
#include "abi.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id __sev_fields.sigev_notify_thread_id
#endif
#define NEVER 100000 /* seconds */

static int make(clockid_t clock, int notify, int signal, int value)
{
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal};
    int id = -1;

    event.sigev_value.sival_int = value;
    if (notify == SIGEV_THREAD_ID)
        event.sigev_notify_thread_id = tid_of_self();
    SHOW(syscall(SYS_timer_create, clock, &event, &id));
    return id;
}

static void set(int id, long s, long ns, long interval_ns)
{
    struct itimerspec spec = {.it_value = {s, ns}, .it_interval = {0, interval_ns}};

    NEED(syscall(SYS_timer_settime, id, 0, &spec, NULL) == 0);
}

static void wait_for(int signal, int id)
{
    siginfo_t info;
    sigset_t wanted;

    sigemptyset(&wanted);
    sigaddset(&wanted, signal);
    NEED(sigwaitinfo(&wanted, &info) == signal);
    say("signal %d, code %d, value %d, its own timer: %d", info.si_signo, info.si_code,
        info.si_value.sival_int, info.si_timerid == id);
    CHECK(info.si_overrun >= 0);
}

static void *in_thread(void *arg)
{
    int id = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGUSR1, 7);

    set(id, 0, 1000000, 0);
    wait_for(SIGUSR1, id);
    SHOW(syscall(SYS_timer_delete, id));
    return arg;
}

/* Periods pass while the signal is blocked and pending: counted, not queued. */
static void overruns(void)
{
    int id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, 5);
    siginfo_t info;
    sigset_t wanted;
    int left = 1;

    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR2);
    set(id, 0, 1000000, 1000000);
    sleep_ms(50);
    NEED(sigwaitinfo(&wanted, &info) == SIGUSR2);
    CHECK(info.si_overrun >= 20);
    CHECK(syscall(SYS_timer_getoverrun, id) == info.si_overrun);
    set(id, 0, 0, 0);
    /* A period may have passed since sigwaitinfo: one signal at most, and then no other. */
    while (sigtimedwait(&wanted, &info, &(struct timespec){0}) == SIGUSR2)
        NEED(left-- > 0);
    sigset_t pending;
    sigpending(&pending);
    say("after it was stopped, pending: %d", sigismember(&pending, SIGUSR2));
    SHOW(syscall(SYS_timer_delete, id));
    SHOW(syscall(SYS_timer_getoverrun, id));
}

static void nobody(void)
{
    struct itimerspec now, old, none = {0};
    int id = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);

    set(id, NEVER, 0, 3000000);
    NEED(syscall(SYS_timer_gettime, id, &now) == 0);
    say("left: %d, interval %ld",
        now.it_value.tv_sec > NEVER - 1000 && now.it_value.tv_sec <= NEVER,
        (long)now.it_interval.tv_nsec);
    NEED(syscall(SYS_timer_settime, id, 0, &none, &old) == 0);
    say("old interval %ld", (long)old.it_interval.tv_nsec);
    set(id, 0, 1000000, 0); /* comes and goes */
    sleep_ms(20);
    NEED(syscall(SYS_timer_gettime, id, &now) == 0);
    say("gone by: %ld %ld", (long)now.it_value.tv_sec, (long)now.it_value.tv_nsec);
    SHOW(syscall(SYS_timer_delete, id));
}

static void absolute(void)
{
    struct itimerspec spec = {.it_value = {1, 0}}, now;
    int id = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 9);

    SHOW(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL)); /* long past */
    wait_for(SIGUSR1, id);
    clock_gettime(CLOCK_REALTIME, &spec.it_value);
    spec.it_value.tv_sec += NEVER;
    SHOW(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL));
    NEED(syscall(SYS_timer_gettime, id, &now) == 0);
    CHECK(now.it_value.tv_sec > NEVER - 1000 && now.it_value.tv_sec <= NEVER); /* always relative */
    SHOW(syscall(SYS_timer_delete, id));
}

int main(void)
{
    pthread_t thread;
    sigset_t all;
    int id = -1;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    id = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 3);
    set(id, 0, 1, 0);
    wait_for(SIGRTMIN, id);
    SHOW(syscall(SYS_timer_delete, id));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id)); /* SIGALRM, its number as value */
    set(id, 0, 1, 0);
    siginfo_t info;
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    NEED(sigwaitinfo(&alarm, &info) == SIGALRM);
    CHECK(info.si_value.sival_int == id && info.si_code == SI_TIMER);
    SHOW(syscall(SYS_timer_delete, id));
    NEED(pthread_create(&thread, NULL, in_thread, NULL) == 0);
    pthread_join(thread, NULL);
    overruns();
    nobody();
    absolute();
    make(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 0);
    make(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, 0, 0);
    make(CLOCK_MONOTONIC, SIGEV_THREAD, SIGUSR1, 0);
    return done();
}
