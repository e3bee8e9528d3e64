/* exit_group and death by a signal from any thread end all of them, wherever they are: exit_any.args has the ways. */
#include <poll.h>

#include "abi.h"

#define SLEEPERS 4

static int nowhere[2];
static volatile int *volatile wild = (int *)8;
static volatile int asleep;
static volatile pid_t tids[SLEEPERS];

/* Each thread somewhere else: in a read, in a futex, in a poll, running. */
static void *sleeper(void *arg)
{
    intptr_t n = (intptr_t)arg;
    static int word;
    struct pollfd p = {nowhere[0], POLLIN, 0};
    char byte;

    tids[n] = tid_of_self();
    __atomic_fetch_add(&asleep, 1, __ATOMIC_SEQ_CST);
    if (n == 0)
        read(nowhere[0], &byte, 1);
    else if (n == 1)
        syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0);
    else if (n == 2)
        poll(&p, 1, -1);
    for (;;)
        ;
    return NULL;
}

static void end(const char *how)
{
    if (!strcmp(how, "exit"))
        exit(3);
    if (!strcmp(how, "exit_group"))
        syscall(SYS_exit_group, 0x1234); /* the low byte */
    if (!strcmp(how, "signal"))
        raise(SIGTERM);
    if (!strcmp(how, "abort"))
        abort();
    if (!strcmp(how, "fault"))
        *wild = 1;
    if (!strcmp(how, "ill"))
        __builtin_trap();
    if (!strcmp(how, "kill"))
        kill(getpid(), SIGKILL);
    if (!strcmp(how, "blocked")) { /* a fault whose signal is blocked kills all the same */
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        *wild = 1;
    }
    if (!strcmp(how, "ignored")) {
        signal(SIGSEGV, SIG_IGN);
        *wild = 1;
    }
    if (!strcmp(how, "last")) /* of this thread: the others are the process now */
        syscall(SYS_exit, 7);
}

static void *ender(void *arg)
{
    end(arg);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    NEED(argc == 3 && pipe(nowhere) == 0);
    bool leader_ends = !strcmp(argv[1], "leader");
    if (strcmp(argv[2], "last")) {
        for (intptr_t i = 0; i < SLEEPERS; i++)
            NEED(pthread_create(&thread, NULL, sleeper, (void *)i) == 0);
        while (asleep < SLEEPERS)
            sched_yield();
        for (int i = 0; i < 3; i++)
            wait_until_asleep(tids[i]);
    }
    say("%s: %s", argv[1], argv[2]);
    if (leader_ends)
        end(argv[2]);
    NEED(pthread_create(&thread, NULL, ender, argv[2]) == 0);
    if (!strcmp(argv[2], "last")) {
        pthread_join(thread, NULL); /* never comes: the thread ended behind the libc's back */
    }
    syscall(SYS_exit, 9);
}
