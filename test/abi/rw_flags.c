/* preadv2(2) and pwritev2(2): what the flags do, and which are refused where. */
#include "file_test.h"

#include <sys/eventfd.h>
#include <sys/uio.h>

#ifndef RWF_HIPRI
#define RWF_HIPRI  1
#define RWF_DSYNC  2
#define RWF_SYNC   4
#define RWF_NOWAIT 8
#define RWF_APPEND 16
#endif
#define RWF_NOAPPEND_ 32

static long put(int fd, const char *text, off_t at, int flags)
{
    struct iovec v = {(void *)text, strlen(text)};
    return syscall(SYS_pwritev2, fd, &v, 1, at, at >> 32, flags);
}

static long get(int fd, char *to, size_t n, off_t at, int flags)
{
    struct iovec v = {to, n};
    return syscall(SYS_preadv2, fd, &v, 1, at, at >> 32, flags);
}

static void contents(const char *name)
{
    char text[64] = "";
    int fd = open(name, O_RDONLY);
    NEED(read(fd, text, sizeof text - 1) >= 0);
    say("%s: \"%s\"", name, text);
    close(fd);
}

static void test_append(void)
{
    say("-- append");
    make_file("f", "0123456789");
    int fd = open("f", O_RDWR);
    SHOW(put(fd, "AB", 2, 0));
    SHOW(put(fd, "CD", 2, RWF_APPEND));
    contents("f");
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(put(fd, "EF", -1, RWF_APPEND)); /* the file's own position moves */
    SHOW(lseek(fd, 0, SEEK_CUR));
    contents("f");
    close(fd);
    fd = open("f", O_RDWR | O_APPEND);
    SHOW(put(fd, "xy", 0, 0));
    contents("f");
    SHOW(put(fd, "zz", 0, RWF_NOAPPEND_));
    contents("f");
    SHOW(put(fd, "zz", 0, RWF_NOAPPEND_ | RWF_APPEND));
    close(fd);
}

static void test_sync(void)
{
    say("-- sync");
    char buf[8];
    int fd = open("f", O_RDWR);
    SHOW(put(fd, "s", 0, RWF_SYNC));
    SHOW(put(fd, "d", 1, RWF_DSYNC));
    SHOW(put(fd, "h", 2, RWF_HIPRI));
    SHOW(get(fd, buf, 3, 0, RWF_SYNC));
    SHOW(get(fd, buf, 3, 0, RWF_DSYNC | RWF_HIPRI));
    SHOW(get(fd, buf, 3, 0, RWF_APPEND));
    SHOW(get(fd, buf, 3, 0, 1 << 20));
    SHOW(put(fd, "h", 2, 1 << 20));
    SHOW(get(fd, buf, 3, -2, 0));
    SHOW(get(99, buf, 3, 0, 1 << 20));
    close(fd);
}

static void test_nowait(void)
{
    say("-- nowait");
    char buf[70000];
    int p[2], e = eventfd(0, 0);
    NEED(pipe(p) == 0);
    SHOW(get(p[0], buf, 8, -1, RWF_NOWAIT));
    SHOW(put(p[1], "abc", -1, RWF_NOWAIT));
    SHOW(get(p[0], buf, 8, -1, RWF_NOWAIT));
    SHOW(get(p[0], buf, 8, 0, RWF_NOWAIT));
    memset(buf, 'x', sizeof buf - 1);
    buf[sizeof buf - 1] = 0;
    SHOW(put(p[1], buf, -1, RWF_NOWAIT));
    SHOW(put(p[1], "y", -1, RWF_NOWAIT));
    SHOW(get(e, buf, 8, -1, RWF_NOWAIT));
    int fd = open("f", O_RDWR), dir = open(".", O_RDONLY);
    SHOW(get(fd, buf, 3, 0, RWF_NOWAIT));
    SHOW(put(fd, "n", 0, RWF_NOWAIT));
    SHOW(get(dir, buf, 3, 0, RWF_NOWAIT));
    int zero = open("/dev/zero", O_RDWR);
    SHOW(get(zero, buf, 3, 0, RWF_NOWAIT));
    SHOW(put(zero, "n", 0, RWF_NOWAIT));
    int null = open("/dev/null", O_RDWR);
    SHOW(get(null, buf, 3, 0, RWF_NOWAIT));
}

int main(void)
{
    enter_test_dir("rw_flags");
    test_append();
    test_sync();
    test_nowait();
    return done();
}
