/* How a program can end: with a status, or by a signal; run once for each line of status.args. */
#include "abi.h"

static void *end_by_thread(void *arg)
{
    _exit((int)(intptr_t)arg);
}

static void at_exit(void)
{
    say("exit handlers ran");
}

int main(int argc, char **argv)
{
    int number = argc > 2 ? atoi(argv[2]) : 0;
    pthread_t thread;

    NEED(argc > 1);
    atexit(at_exit);
    say("%s %d", argv[1], number);
    switch (argv[1][0]) {
    case 'r': /* return */
        return number;
    case 'e': /* exit */
        exit(number);
    case '_':
        _exit(number);
    case 't': /* thread */
        pthread_create(&thread, NULL, end_by_thread, (void *)(intptr_t)number);
        for (;;)
            pause();
    case 's': /* signal */
        raise(number);
        say("still there");
        return 0;
    case 'k': /* kill while blocked in another thread's sight */
        kill(getpid(), number);
        for (;;)
            pause();
    case 'n': /* null */
        *(volatile int *volatile)NULL = 0;
        break;
    case 'a':
        abort();
    case 'i': {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL); /* a fault kills although it is blocked */
        __asm__ volatile("ud2");
        break;
    }
    case 'l': /* the last thread of several */
        syscall(SYS_exit, number);
    }
    return 99;
}
