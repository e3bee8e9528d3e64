/* Pipes: writes up to PIPE_BUF are whole or not at all, O_DIRECT keeps packets apart, and sizes that are set. */
#include <poll.h>
#include <sys/ioctl.h>

#include "abi.h"

static int in, out;
static char block[1 << 17];

static void make(int flags)
{
    int ends[2];

    NEED(pipe2(ends, flags) == 0);
    in = ends[0];
    out = ends[1];
}

static void drop(void)
{
    close(in);
    close(out);
}

static void whole_or_nothing(void)
{
    make(O_NONBLOCK);
    SHOW(write(out, block, sizeof block)); /* larger than PIPE_BUF: as much as there is room */
    SHOW(write(out, block, 1));
    SHOW(read(in, block, 100));
    SHOW(write(out, block, 50)); /* room of bytes is not room of pages */
    SHOW(read(in, block, 4096));
    SHOW(write(out, block, 4096));
    SHOW(write(out, block, 4097));
    SHOW(read(in, block, 4096));
    SHOW(write(out, block, 8192));
    int bytes = -1;
    SHOW(ioctl(in, FIONREAD, &bytes));
    say("readable: %d", bytes);
    SHOW(ioctl(out, FIONREAD, &bytes));
    drop();
    make(O_NONBLOCK);
    for (int i = 0; i < 5; i++)
        NEED(write(out, block, 3) == 3); /* small ones share a page */
    SHOW(write(out, block, 65536 - 15));
    drop();
}

static void packets(void)
{
    make(O_DIRECT | O_NONBLOCK);
    SHOW(write(out, "one", 3));
    SHOW(write(out, "three", 5));
    SHOW(read(in, block, 100));
    SHOW(read(in, block, 2)); /* the rest of a packet is lost */
    SHOW(read(in, block, 100));
    SHOW(write(out, block, 5000)); /* more than PIPE_BUF is several */
    SHOW(read(in, block, sizeof block));
    SHOW(read(in, block, sizeof block));
    SHOW(write(out, block, 0));
    SHOW(read(in, block, 100));
    int n = 0;
    while (write(out, "x", 1) == 1)
        n++;
    say("packets that fit: %d", n);
    SHOW(fcntl(out, F_SETFL, O_NONBLOCK));
    SHOW(fcntl(out, F_GETFL) & O_DIRECT);
    SHOW(read(in, block, 100)); /* what was written as packets stays so */
    drop();
    make(O_NONBLOCK);
    SHOW(write(out, "ab", 2));
    SHOW(fcntl(out, F_SETFL, O_NONBLOCK | O_DIRECT));
    SHOW(write(out, "cd", 2));
    SHOW(read(in, block, 100));
    SHOW(read(in, block, 100));
    drop();
}

static void sizes(void)
{
    make(O_NONBLOCK);
    SHOW(fcntl(in, F_GETPIPE_SZ));
    SHOW(fcntl(out, F_SETPIPE_SZ, 1));
    SHOW(fcntl(in, F_GETPIPE_SZ));
    SHOW(write(out, block, 8192));
    SHOW(fcntl(out, F_SETPIPE_SZ, 5000));
    SHOW(write(out, block, 8192));
    SHOW(fcntl(out, F_SETPIPE_SZ, 4096)); /* what is in it does not fit */
    SHOW(read(in, block, 4096));
    SHOW(fcntl(out, F_SETPIPE_SZ, 4096));
    SHOW(fcntl(out, F_SETPIPE_SZ, 3 * 4096));
    SHOW(fcntl(out, F_SETPIPE_SZ, 1 << 20));
    SHOW(write(out, block, sizeof block));
    SHOW(fcntl(out, F_SETPIPE_SZ, 0));
    SHOW(fcntl(out, F_SETPIPE_SZ, -1));
    struct pollfd p = {out, POLLOUT, 0};
    SHOW(poll(&p, 1, 0));
    drop();
    SHOW(fcntl(0, F_GETPIPE_SZ));
    int file = open("file", O_CREAT | O_RDWR, 0600);
    SHOW(fcntl(file, F_GETPIPE_SZ));
    SHOW(fcntl(file, F_SETPIPE_SZ, 4096));
    unlink("file");
}

static void *write_much(void *arg)
{
    (void)arg;
    char mine[512];

    memset(mine, (int)(intptr_t)arg, sizeof mine);
    for (int i = 0; i < 400; i++)
        NEED(write(out, mine, sizeof mine) == sizeof mine);
    return NULL;
}

/* Several writers, and one reader of odd lengths: no record is torn. */
static void atomic(void)
{
    pthread_t writers[3];
    char record[512];
    int torn = 0;

    make(0);
    for (intptr_t i = 0; i < 3; i++)
        NEED(pthread_create(&writers[i], NULL, write_much, (void *)('a' + i)) == 0);
    for (int n = 0; n < 1200; n++) {
        for (size_t got = 0; got < sizeof record;)
            got += (size_t)read(in, record + got, (sizeof record - got + 1) / 2);
        for (size_t i = 1; i < sizeof record; i++)
            torn += record[i] != record[0];
    }
    for (int i = 0; i < 3; i++)
        pthread_join(writers[i], NULL);
    say("torn: %d", torn);
    drop();
}

int main(void)
{
    whole_or_nothing();
    packets();
    sizes();
    atomic();
    return done();
}
