/* Vectors: how many, how much, empty and wild segments among good ones, and what is moved before the fault. */
#include <sys/uio.h>

#include "abi.h"

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

static int in, out, file;
static char data[64] = "0123456789abcdefghijklmnopqrstuvwxyz";

static void say_read(const char *what)
{
    char got[200];
    ssize_t n = read(in, got, sizeof got - 1);

    if (n < 0) {
        say("%s: %s", what, strerror(errno));
        return;
    }
    got[n] = 0;
    say("%s: %zd \"%s\"", what, n, got);
}

static void counts(void)
{
    static struct iovec many[IOV_MAX + 1];

    for (size_t i = 0; i < NR(many); i++)
        many[i] = (struct iovec){data, i < 3 ? 1 : 0};
    SHOW(writev(out, many, IOV_MAX));
    say_read("three of many");
    SHOW(writev(out, many, IOV_MAX + 1));
    SHOW(writev(out, many, -1));
    SHOW(writev(out, many, 0));
    SHOW(writev(out, NULL, 0));
    SHOW(writev(out, NULL, 1));
    SHOW(pwritev(file, many, IOV_MAX + 1, 0));
    SHOW(pwritev(file, many, 3, -1));
    SHOW(preadv(file, many, 3, 0));
    SHOW(preadv(out, many, 3, 0));
}

static void lengths(void)
{
    struct iovec v[3] = {{data, 4}, {data, SIZE_MAX}, {data, 4}};

    SHOW(writev(file, v, 3));
    v[1].iov_len = (size_t)SSIZE_MAX + 1;
    SHOW(writev(file, v, 3));
    SHOW(lseek(file, 0, SEEK_CUR));
    v[1].iov_len = 0;
    v[1].iov_base = (void *)8; /* nothing is nothing, wherever */
    SHOW(writev(out, v, 3));
    say_read("around nothing");
    v[0].iov_len = v[2].iov_len = 0;
    SHOW(writev(out, v, 3));
    SHOW(readv(in, v, 3)); /* nothing asked, nothing waited for */
}

static void faults(void)
{
    char *page = map_pages(2, PROT_READ | PROT_WRITE);
    NEED(munmap(page + PAGE, PAGE) == 0);
    memset(page, 'p', PAGE);
    struct iovec v[3] = {{data, 4}, {(void *)8, 4}, {data + 4, 4}};

    SHOW(writev(out, v, 3)); /* what came before the fault */
    say_read("before the fault");
    SHOW(writev(file, v, 3));
    SHOW(lseek(file, 0, SEEK_SET));
    v[0] = (struct iovec){page + PAGE - 3, 8};
    SHOW(writev(file, v, 1));
    SHOW(lseek(file, 0, SEEK_SET));
    v[0] = (struct iovec){(void *)8, 4};
    v[1] = (struct iovec){data, 4};
    SHOW(writev(out, v, 2));
    say_read("fault first");
    NEED(write(out, "abcdefgh", 8) == 8);
    char a[4] = "", b[4] = "";
    struct iovec r[3] = {{a, 3}, {(void *)8, 3}, {b, 2}};
    SHOW(readv(in, r, 3));
    say("read before the fault: %.3s", a);
    say_read("what is left");
    r[0] = (struct iovec){(void *)0xffff800000000000ull, 1};
    SHOW(readv(in, r, 1));
    NEED(pwrite(file, "0123456789", 10, 0) == 10);
    r[0] = (struct iovec){a, 2};
    r[1] = (struct iovec){page + PAGE, 2};
    SHOW(preadv(file, r, 2, 4));
    say("from the file: %.2s", a);
}

static void order(void)
{
    char a[4] = "", b[4] = "", c[4] = "";
    struct iovec v[3] = {{a, 2}, {b, 3}, {c, 3}};

    NEED(write(out, "123456", 6) == 6);
    SHOW(readv(in, v, 3));
    say("%s %s %s", a, b, c);
    struct iovec same[2] = {{a, 2}, {a, 2}};
    NEED(write(out, "wxyz", 4) == 4);
    SHOW(readv(in, same, 2));
    say("twice the same place: %.2s", a);
}

int main(void)
{
    int ends[2];

    NEED(pipe2(ends, O_NONBLOCK) == 0);
    in = ends[0];
    out = ends[1];
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("file");
    NEED(file >= 0);
    counts();
    lengths();
    faults();
    order();
    return done();
}
