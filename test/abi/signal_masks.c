/* Masks during handlers: sa_mask, the signal itself, SA_NODEFER, SA_RESETHAND; the order of pending
 * signals. */
#include "abi.h"

static int depth, raises;

static bool is_blocked(int signal)
{
    sigset_t set;

    sigprocmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, signal);
}

static bool is_pending(int signal)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, signal);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    say("%*ssignal %d begins; blocked: USR1 %d, USR2 %d, TERM %d", depth * 2, "", signal,
        is_blocked(SIGUSR1), is_blocked(SIGUSR2), is_blocked(SIGTERM));
    depth++;
    if (signal == SIGUSR1 && raises-- > 0) {
        raise(SIGUSR2);
        raise(SIGTERM);
        raise(SIGUSR1);
        say("%*spending: USR1 %d, USR2 %d, TERM %d", depth * 2, "", is_pending(SIGUSR1),
            is_pending(SIGUSR2), is_pending(SIGTERM));
    }
    depth--;
    say("%*ssignal %d ends", depth * 2, "", signal);
}

static void set(int flags, int also)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags}, old;

    raises = 2;
    sigemptyset(&action.sa_mask);
    if (also)
        sigaddset(&action.sa_mask, also);
    NEED(sigaction(SIGUSR1, &action, NULL) == 0);
    NEED(sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK(old.sa_sigaction == on_signal && sigismember(&old.sa_mask, SIGUSR1) == 0);
}

int main(void)
{
    struct sigaction old;
    sigset_t all;

    handle(SIGUSR2, on_signal, 0);
    handle(SIGTERM, on_signal, 0);
    set(0, 0);
    raise(SIGUSR1);
    say("-- with SIGUSR2 in sa_mask");
    set(0, SIGUSR2);
    raise(SIGUSR1);
    say("-- with SA_NODEFER");
    set(SA_NODEFER, 0);
    raise(SIGUSR1);
    say("-- with SA_RESETHAND");
    set(SA_RESETHAND, 0);
    raises = 0;
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    say("the handler is gone: %d", old.sa_handler == SIG_DFL);

    say("-- blocked together, then let go");
    set(0, 0);
    raises = 0;
    sigfillset(&all);
    SHOW(sigprocmask(SIG_SETMASK, &all, NULL));
    say("KILL and STOP cannot be blocked: %d %d", is_blocked(SIGKILL), is_blocked(SIGSTOP));
    raise(SIGTERM);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigemptyset(&all);
    SHOW(sigprocmask(SIG_SETMASK, &all, NULL));
    SHOW(sigprocmask(77, &all, NULL));
    SHOW(sigaction(SIGKILL, &old, NULL));
    SHOW(sigaction(SIGSTOP, &old, NULL));
    SHOW(sigaction(0, &old, NULL));
    SHOW(sigaction(65, &old, NULL));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &all, 16));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8));
    /* Ignored signals vanish, also when they are pending. */
    sigaddset(&all, SIGUSR1);
    sigprocmask(SIG_BLOCK, &all, NULL);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    say("ignored while pending: %d", is_pending(SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(SIGCHLD);
    raise(SIGURG);
    raise(SIGWINCH);
    raise(SIGCONT);
    say("ignored by default: CHLD, URG, WINCH; CONT");
    return done();
}
