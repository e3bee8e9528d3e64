/* Signals: a handler with its facts, a nested mask, a fault that is survived, an interrupted wait,
 * an alarm. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t count, last_code;
static volatile void *last_address;
static sigjmp_buf back;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    count++;
    last_code = info->si_code;
    last_address = info->si_addr;
}

static void escape(int signal, siginfo_t *info, void *context)
{
    note(signal, info, context);
    siglongjmp(back, signal);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigaction(signal, &action, NULL);
}

int main(void)
{
    sigset_t set;
    /* Repeated, so that one that comes before the read does no harm. */
    struct itimerval soon = {.it_value = {.tv_usec = 20000}, .it_interval = {.tv_usec = 20000}};
    int pipe_ends[2];
    char byte;

    handle(SIGUSR1, note, 0);
    raise(SIGUSR1);
    printf("SIGUSR1 delivered: %d, from ourselves: %d\n", (int)count, last_code == SI_TKILL);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    raise(SIGUSR1);
    int blocked = count;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("while blocked: %d, after: %d\n", blocked, (int)count);

    handle(SIGSEGV, escape, 0);
    if (!sigsetjmp(back, 1))
        *(volatile int *)0x1234 = 1;
    printf("a wild store survived: address %p, unmapped: %d\n", (void *)last_address,
           last_code == SEGV_MAPERR);

    handle(SIGALRM, note, 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    if (pipe(pipe_ends) || (read(pipe_ends[0], &byte, 1) < 0 && errno != EINTR))
        return 1;
    printf("a read was interrupted: %s\n", strerror(errno));
    return 0;
}
