/* sigtimedwait, sigwait, sigsuspend: taking signals without a handler, and swapping masks for a
 * wait. */
#include "abi.h"

static volatile sig_atomic_t handled;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    sigset_t now;

    (void)info;
    (void)context;
    handled++;
    sigprocmask(SIG_BLOCK, NULL, &now);
    say("handler of %d; USR2 blocked: %d", signal, sigismember(&now, SIGUSR2));
}

static void *send(void *arg)
{
    wait_until_asleep(getpid());
    kill(getpid(), (int)(intptr_t)arg);
    return NULL;
}

int main(void)
{
    struct timespec zero = {0}, short_time = {0, 20000000};
    sigset_t set, empty, old;
    siginfo_t info;
    pthread_t thread;
    int number;

    handle(SIGUSR1, on_signal, 0);
    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    SHOW(sigtimedwait(&set, &info, &zero));
    int64_t began = now_ns();
    SHOW(sigtimedwait(&set, &info, &short_time));
    CHECK(now_ns() - began >= 20000000);
    raise(SIGUSR2);
    SHOW(sigtimedwait(&set, &info, &zero));
    say("number %d, code %d", info.si_signo, info.si_code);
    pthread_create(&thread, NULL, send, (void *)SIGUSR1);
    SHOW(sigwaitinfo(&set, &info));
    pthread_join(thread, NULL);
    say("number %d, code %d, from us %d, handled %d", info.si_signo, info.si_code,
        info.si_pid == getpid(), (int)handled);
    raise(SIGUSR1);
    SHOW(sigwait(&set, &number));
    say("waited for %d", number);

    /* sigsuspend lets USR1 in for its own duration only. */
    sigaddset(&empty, SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR1);
    SHOW(sigsuspend(&empty));
    sigprocmask(SIG_BLOCK, NULL, &old);
    say("afterwards blocked: %d %d, handled %d", sigismember(&old, SIGUSR1),
        sigismember(&old, SIGUSR2), (int)handled);
    pthread_create(&thread, NULL, send, (void *)SIGUSR1);
    SHOW(sigsuspend(&empty));
    pthread_join(thread, NULL);
    SHOW(sigtimedwait(&set, NULL, &zero));
    SHOW(syscall(SYS_rt_sigtimedwait, &set, NULL, &(struct timespec){0, -1}, 8));
    SHOW(syscall(SYS_rt_sigsuspend, &set, 4));
    SHOW(syscall(SYS_rt_sigtimedwait, (void *)8, NULL, &zero, 8));
    return done();
}
