/* What the tests of `yolk trace` look for: calls that fail and succeed, a thread that waits, a signal, a death. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int ends[2];

static void *reader(void *unused)
{
    char c;

    if (read(ends[0], &c, 1) != 1)
        exit(3);
    return unused;
}

static void handler(int sig)
{
    (void)sig;
}

/* A thread waits in read until the other, which has called much meanwhile, writes. */
static void threads(void)
{
    pthread_t t;

    if (pipe(ends) || pthread_create(&t, NULL, reader, NULL))
        exit(4);
    for (int i = 0; i < 200; i++)
        usleep(1000);
    if (write(ends[1], "x", 1) != 1)
        exit(5);
    pthread_join(t, NULL);
}

/* More than a record of a trace holds. */
static void large(void)
{
    static char bytes[3][30000];
    struct iovec v[3];

    for (int i = 0; i < 3; i++)
        v[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
    if (writev(open("/tmp/f", O_CREAT | O_RDWR, 0640), v, 3) != 90000)
        exit(7);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    static char big[5000];

    memset(big, 'a', sizeof(big));
    if (!strcmp(what, "threads"))
        threads();
    if (!strcmp(what, "signal")) {
        signal(SIGUSR1, handler);
        raise(SIGUSR1);
    }
    if (!strcmp(what, "ignored")) {
        signal(SIGUSR1, SIG_IGN);
        raise(SIGUSR1);
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGWINCH);
    }
    if (!strcmp(what, "large"))
        large();
    if (!strcmp(what, "segv"))
        *(volatile int *)(strlen(what) + 4) = 1;
    if (!strcmp(what, "many"))
        for (int i = 0; i < 20000; i++)
            syscall(SYS_getppid);
    if (open("/does/not/exist", O_RDONLY) >= 0 ||
        write(open("/tmp/f", O_CREAT | O_RDWR, 0640), big, sizeof(big)) < 0)
        return 6;
    if (!strcmp(what, "status"))
        return atoi(argv[2]);
    return 0;
}
