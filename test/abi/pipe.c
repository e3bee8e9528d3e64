/* Pipes: capacity, whole writes, end of file, no reader, not blocking; a reader and a writer on two
 * threads. */
#include <sys/ioctl.h>

#include "abi.h"

static volatile sig_atomic_t broken;

static void on_pipe(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    broken++;
}

static void *write_much(void *arg)
{
    static char block[100000];
    int fd = *(int *)arg;

    for (int i = 0; i < 20; i++) {
        memset(block, i, sizeof block);
        if (write(fd, block, sizeof block) != sizeof block)
            abort();
    }
    close(fd);
    return NULL;
}

/* Blocks of PIPE_BUF bytes from several writers never mix. */
static void *write_blocks(void *arg)
{
    char block[PIPE_BUF];
    int fd = ((int *)arg)[0];

    memset(block, ((int *)arg)[1], sizeof block);
    for (int i = 0; i < 100; i++)
        if (write(fd, block, sizeof block) != sizeof block)
            abort();
    return NULL;
}

int main(void)
{
    static char buffer[200000];
    int ends[2], available;
    pthread_t thread, writers[3];

    NEED(pipe2(ends, O_NONBLOCK) == 0);
    SHOW(read(ends[0], buffer, 1));
    SHOW(write(ends[1], buffer, 100));
    SHOW(ioctl(ends[0], FIONREAD, &available));
    say("available %d", available);
    SHOW(read(ends[0], buffer, 1000));
    SHOW(fcntl(ends[0], F_GETPIPE_SZ));
    SHOW(write(ends[1], buffer, 65536));
    SHOW(write(ends[1], buffer, 1));
    SHOW(read(ends[0], buffer, 4000));
    SHOW(write(ends[1], buffer, PIPE_BUF)); /* less than a whole one is free */
    SHOW(read(ends[0], buffer, 96));
    SHOW(write(ends[1], buffer, PIPE_BUF));
    SHOW(read(ends[0], buffer, sizeof buffer));
    SHOW(write(ends[1], buffer, 100000)); /* more than fits: in part */
    SHOW(read(ends[0], buffer, sizeof buffer));
    SHOW(fcntl(ends[0], F_SETPIPE_SZ, 4096));
    SHOW(write(ends[1], buffer, 10000));
    SHOW(fcntl(ends[0], F_SETPIPE_SZ, 100000));
    SHOW(read(ends[0], buffer, sizeof buffer));
    SHOW(read(ends[1], buffer, 1));
    SHOW(write(ends[0], buffer, 1));
    SHOW(write(ends[1], buffer, 3));
    close(ends[1]);
    SHOW(read(ends[0], buffer, 100));
    SHOW(read(ends[0], buffer, 100));
    close(ends[0]);

    NEED(pipe(ends) == 0);
    handle(SIGPIPE, on_pipe, 0);
    close(ends[0]);
    SHOW(write(ends[1], "x", 1));
    say("SIGPIPE: %d", (int)broken);
    SHOW(write(ends[1], "x", 0));
    close(ends[1]);

    NEED(pipe(ends) == 0);
    NEED(pthread_create(&thread, NULL, write_much, &ends[1]) == 0);
    unsigned long total = 0, sum = 0;
    for (ssize_t n; (n = read(ends[0], buffer, 70000)) > 0; total += (unsigned long)n)
        for (ssize_t i = 0; i < n; i++)
            sum += (unsigned char)buffer[i];
    pthread_join(thread, NULL);
    say("two megabytes: %lu bytes, sum %lu", total, sum);
    close(ends[0]);

    NEED(pipe(ends) == 0);
    static int arguments[3][2];
    for (int i = 0; i < 3; i++) {
        arguments[i][0] = ends[1];
        arguments[i][1] = 'a' + i;
        NEED(pthread_create(&writers[i], NULL, write_blocks, arguments[i]) == 0);
    }
    unsigned mixed = 0, blocks = 0;
    for (; blocks < 300; blocks++) {
        for (size_t got = 0; got < PIPE_BUF;)
            got += (size_t)read(ends[0], buffer + got, PIPE_BUF - got);
        for (size_t i = 1; i < PIPE_BUF; i++)
            mixed += buffer[i] != buffer[0];
    }
    for (int i = 0; i < 3; i++)
        pthread_join(writers[i], NULL);
    say("blocks %u, mixed bytes %u", blocks, mixed);
    SHOW(pipe2(ends, 0x100));
    SHOW(syscall(SYS_pipe2, 8, 0));
    return done();
}
