/* sigqueue: realtime signals queue with their values, in order of number and time; standard ones
 * merge. */
#include "abi.h"

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    say("signal %d, code %d, value %d, from us %d",
        signal < SIGRTMIN ? signal : signal - SIGRTMIN + 1000, info->si_code,
        info->si_value.sival_int, info->si_pid == getpid() && info->si_uid == getuid());
}

static void queue(int signal, int value)
{
    NEED(sigqueue(getpid(), signal, (union sigval){.sival_int = value}) == 0);
}

int main(void)
{
    sigset_t all, none, old;
    siginfo_t info;

    handle(SIGUSR1, on_signal, 0);
    handle(SIGUSR2, on_signal, 0);
    for (int i = 0; i < 4; i++) {
        struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
        sigfillset(&action.sa_mask); /* so that they come one after another, not nested */
        NEED(sigaction(SIGRTMIN + i, &action, NULL) == 0);
    }
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, &old);
    queue(SIGRTMIN + 2, 1);
    queue(SIGRTMIN + 1, 2);
    queue(SIGRTMIN + 1, 3);
    queue(SIGRTMIN + 3, 4);
    queue(SIGRTMIN + 1, 5);
    queue(SIGRTMIN, 6);
    /* The lowest number first, and for one number the oldest first. */
    for (int i = 0; i < 6; i++) {
        int signal = sigwaitinfo(&all, &info);
        say("taken: %d, code %d, value %d", signal - SIGRTMIN, info.si_code,
            info.si_value.sival_int);
    }
    queue(SIGUSR1, 1);
    queue(SIGUSR1, 2);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    say("let go:");
    sigprocmask(SIG_SETMASK, &none, NULL);
    sigprocmask(SIG_SETMASK, &all, NULL);
    queue(SIGRTMIN, 7);
    queue(SIGRTMIN, 8);
    say("let go:");
    sigprocmask(SIG_SETMASK, &none, NULL);
    SHOW(sigqueue(getpid(), 65, (union sigval){0}));
    SHOW(sigqueue(getpid(), 0, (union sigval){0}));
    SHOW(sigqueue(999999, SIGUSR1, (union sigval){0}));
    memset(&info, 0, sizeof info);
    info.si_code = SI_USER;
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = 9;
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid_of_self(), SIGUSR1, &info));
    return done();
}
