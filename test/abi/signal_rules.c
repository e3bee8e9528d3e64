/* Masks, queues, the order of delivery, waiting for signals, and what the calls refuse. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void result(const char *what, long r)
{
    if (r < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, r);
}

static volatile int depth;

static void note(int sig, siginfo_t *si, void *context)
{
    sigset_t now;
    (void)context;
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("  handler %d code %d value %d depth %d blocked %lx\n", sig, si->si_code,
           si->si_code == SI_QUEUE ? si->si_value.sival_int : 0, ++depth, *(unsigned long *)&now);
    depth--;
}

static void install(int sig, int flags)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigaction(sig, &sa, NULL);
}

static sigset_t set_of(int a, int b, int c)
{
    sigset_t s;
    sigemptyset(&s);
    if (a)
        sigaddset(&s, a);
    if (b)
        sigaddset(&s, b);
    if (c)
        sigaddset(&s, c);
    return s;
}

static void order_of_delivery(void)
{
    sigset_t all, old, pending;
    puts("order:");
    for (int sig = 1; sig <= 40; sig++)
        if (sig != SIGKILL && sig != SIGSTOP && sig != 32 && sig != 33)
            install(sig, 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    union sigval v = {.sival_int = 1};
    sigqueue(getpid(), 36, v);
    v.sival_int = 2;
    sigqueue(getpid(), 36, v);
    v.sival_int = 3;
    sigqueue(getpid(), 35, v);
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGTERM);
    raise(SIGUSR2);
    raise(SIGSEGV);
    kill(getpid(), SIGHUP);
    v.sival_int = 4;
    sigqueue(getpid(), 36, v);
    sigpending(&pending);
    printf("pending %lx\n", *(unsigned long *)&pending);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static int raises_left;

static void nested(int sig)
{
    printf("  in %d, depth %d\n", sig, ++depth);
    if (raises_left-- > 0)
        raise(sig);
    printf("  out of %d\n", sig);
    depth--;
}

static void flags_of_handlers(void)
{
    struct sigaction sa = {.sa_handler = nested, .sa_flags = SA_NODEFER}, old;
    puts("SA_NODEFER:");
    sigaction(SIGUSR1, &sa, NULL);
    raises_left = 2;
    raise(SIGUSR1);
    puts("deferred:");
    sa.sa_flags = 0;
    sigaction(SIGUSR1, &sa, NULL);
    raises_left = 2;
    raise(SIGUSR1);
    puts("SA_RESETHAND:");
    sa.sa_flags = SA_RESETHAND | SA_NODEFER;
    raises_left = 0;
    sigaction(SIGCHLD, &sa, NULL);
    raise(SIGCHLD);
    sigaction(SIGCHLD, NULL, &old);
    printf("default again: %d\n", old.sa_handler == SIG_DFL);
}

static void ignored_and_pending(void)
{
    sigset_t s = set_of(SIGUSR1, SIGWINCH, SIGURG), pending;
    sigprocmask(SIG_BLOCK, &s, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGWINCH, SIG_DFL);
    signal(SIGURG, SIG_DFL);
    raise(SIGUSR1);
    raise(SIGWINCH);
    sigpending(&pending);
    printf("blocked and by default ignored stays: %d %d\n", sigismember(&pending, SIGUSR1),
           sigismember(&pending, SIGWINCH));
    signal(SIGUSR1, SIG_IGN);
    signal(SIGWINCH, SIG_IGN);
    sigpending(&pending);
    printf("gone with SIG_IGN: %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGWINCH));
    sigprocmask(SIG_UNBLOCK, &s, NULL);
}

static void waiting(void)
{
    sigset_t s = set_of(SIGUSR1, 40, 0);
    siginfo_t si = {0};
    struct timespec none = {0, 0}, little = {0, 20000000}, bad = {0, 1000000000};
    puts("waiting:");
    install(SIGUSR1, 0);
    install(40, 0);
    sigprocmask(SIG_BLOCK, &s, NULL);
    result("nothing there", sigtimedwait(&s, &si, &none));
    result("nothing comes", sigtimedwait(&s, &si, &little));
    result("bad timeout", sigtimedwait(&s, &si, &bad));
    union sigval v = {.sival_int = 99};
    sigqueue(getpid(), 40, v);
    raise(SIGUSR1);
    result("first", sigtimedwait(&s, &si, &none));
    printf("  %d code %d mine %d\n", si.si_signo, si.si_code, si.si_pid == getpid());
    result("second", sigwaitinfo(&s, &si));
    printf("  %d code %d value %d\n", si.si_signo, si.si_code, si.si_value.sival_int);
    sigprocmask(SIG_UNBLOCK, &s, NULL);

    sigset_t other = set_of(SIGUSR2, 0, 0), old;
    install(SIGUSR2, 0);
    sigprocmask(SIG_BLOCK, &other, &old);
    raise(SIGUSR2);
    puts("suspend:");
    result("sigsuspend", sigsuspend(&old));
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    printf("mask is back: %d\n", sigismember(&now, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void refusals(void)
{
    struct sigaction sa = {.sa_handler = SIG_IGN};
    unsigned long mask = 0;
    puts("refusals:");
    result("sigaction SIGKILL", sigaction(SIGKILL, &sa, NULL));
    result("read SIGKILL", sigaction(SIGKILL, NULL, &sa));
    result("rt_sigaction 65", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    result("rt_sigaction 0", syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
    result("rt_sigaction size", syscall(SYS_rt_sigaction, 1, NULL, NULL, 4));
    result("rt_sigaction fault", syscall(SYS_rt_sigaction, 1, 8L, NULL, 8));
    result("rt_sigprocmask how", syscall(SYS_rt_sigprocmask, 9, &mask, NULL, 8));
    result("rt_sigprocmask how, no set", syscall(SYS_rt_sigprocmask, 9, NULL, NULL, 8));
    result("rt_sigprocmask size", syscall(SYS_rt_sigprocmask, 0, &mask, NULL, 16));
    result("rt_sigprocmask fault", syscall(SYS_rt_sigprocmask, 0, 8L, NULL, 8));
    result("rt_sigpending size", syscall(SYS_rt_sigpending, &mask, 16));
    result("rt_sigpending 4", syscall(SYS_rt_sigpending, &mask, 4));
    result("kill 0 to self", kill(getpid(), 0));
    result("kill bad signal", kill(getpid(), 65));
    result("kill nobody", kill(32000, SIGTERM));
    result("kill nobody, bad signal", kill(32000, 99));
    result("kill group nobody", kill(-32000, SIGTERM));
    result("kill INT_MIN", kill(-2147483647 - 1, SIGTERM));
    result("tkill 0", syscall(SYS_tkill, 0, SIGTERM));
    result("tkill -1", syscall(SYS_tkill, -1, SIGTERM));
    result("tgkill wrong group", syscall(SYS_tgkill, 32000, syscall(SYS_gettid), SIGTERM));
    result("tgkill bad", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), -1));
    siginfo_t si = {.si_code = SI_USER};
    result("rt_sigqueueinfo as kill to self", syscall(SYS_rt_sigqueueinfo, getpid(), 0, &si));
    result("rt_sigqueueinfo as kill to other", syscall(SYS_rt_sigqueueinfo, 32000, 0, &si));
    si.si_code = SI_QUEUE;
    result("rt_sigqueueinfo nobody", syscall(SYS_rt_sigqueueinfo, 32000, 0, &si));
    result("rt_sigqueueinfo fault", syscall(SYS_rt_sigqueueinfo, getpid(), 0, 8L));
    result("rt_tgsigqueueinfo 0", syscall(SYS_rt_tgsigqueueinfo, 0, 0, 0, &si));
    result("rt_sigtimedwait size", syscall(SYS_rt_sigtimedwait, &mask, NULL, NULL, 4));
    result("rt_sigsuspend size", syscall(SYS_rt_sigsuspend, &mask, 4));
    sa.sa_flags = (int)0xffffffff;
    result("all flags", syscall(SYS_rt_sigaction, SIGUSR2, &(unsigned long[]){1, ~0UL, 0, ~0UL}, NULL, 8));
    unsigned long kept[4];
    syscall(SYS_rt_sigaction, SIGUSR2, NULL, kept, 8);
    printf("kept flags %lx mask %lx\n", kept[1], kept[3]);
}

static void queue_limit(void)
{
    struct rlimit l = {5, 5};
    sigset_t s = set_of(41, SIGUSR1, 0);
    union sigval v = {0};
    int sent = 0, taken = 0;
    siginfo_t si;
    struct timespec none = {0, 0};
    sigprocmask(SIG_BLOCK, &s, NULL);
    setrlimit(RLIMIT_SIGPENDING, &l);
    while (sent < 20 && sigqueue(getpid(), 41, v) == 0)
        sent++;
    result("an ordinary one still", kill(getpid(), SIGUSR1));
    while (sigtimedwait(&s, &si, &none) > 0)
        taken++;
    /* Others of the same user count too, and come and go meanwhile. */
    printf("limited %d, all taken %d\n", sent < 20, taken == sent + 1);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    order_of_delivery();
    flags_of_handlers();
    ignored_and_pending();
    waiting();
    refusals();
    queue_limit();
    return 0;
}
