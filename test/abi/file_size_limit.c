/* RLIMIT_FSIZE: a write stops at the limit; behind it SIGXFSZ and EFBIG. */
#include "file_test.h"

#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int nr_signals;
static siginfo_t last;

static void on_xfsz(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    nr_signals++;
    last = *info;
}

static void limit_to(rlim_t n)
{
    struct rlimit r = {n, RLIM_INFINITY};
    NEED(setrlimit(RLIMIT_FSIZE, &r) == 0);
}

static void told(void)
{
    if (nr_signals)
        say("  SIGXFSZ %d times, code %d", nr_signals, last.si_code);
    nr_signals = 0;
}
#define TOLD(call)  \
    do {            \
        SHOW(call); \
        told();     \
    } while (0)

static void test_writes(int fd)
{
    static char buf[8192];
    say("-- writes");
    limit_to(5000);
    TOLD(write(fd, buf, 4000));
    TOLD(write(fd, buf, 4000)); /* what fits */
    TOLD(write(fd, buf, 4000));
    TOLD(pwrite(fd, buf, 0, 9000)); /* of nothing there is never too much */
    TOLD(pwrite(fd, buf, 10, 4995));
    TOLD(pwrite(fd, buf, 10, 5000));
    TOLD(pwrite(fd, buf, 10, 100000));
    struct iovec v[2] = {{buf, 100}, {buf, 4000}};
    TOLD(pwritev(fd, v, 2, 4950));
    TOLD(lseek(fd, 0, SEEK_END));
}

static void test_sizes(int fd)
{
    say("-- sizes");
    TOLD(ftruncate(fd, 5000));
    TOLD(ftruncate(fd, 5001));
    TOLD(truncate("f", 5001));
    TOLD(fallocate(fd, 0, 0, 5000));
    TOLD(fallocate(fd, 0, 4000, 2000));
    TOLD(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4000, 2000));
    limit_to(100);
    TOLD(ftruncate(fd, 4000)); /* smaller is always fine */
    TOLD(write(fd, "x", 1));
    TOLD(pwrite(fd, "x", 1, 0));
    TOLD(fallocate(fd, 0, 0, 4000));
}

static void test_other_ways(int fd)
{
    say("-- other ways");
    int to = open("g", O_RDWR | O_CREAT, 0600), p[2];
    off_t at = 0;
    NEED(pipe(p) == 0);
    limit_to(100);
    TOLD(sendfile(to, fd, &at, 1000));
    TOLD(sendfile(to, fd, &at, 1000));
    loff_t in = 0, out = 50;
    TOLD(copy_file_range(fd, &in, to, &out, 1000, 0));
    TOLD(copy_file_range(fd, &in, to, &out, 1000, 0));
    NEED(write(p[1], "0123456789", 10) == 10);
    loff_t near_end = 95;
    TOLD(splice(p[0], NULL, to, &near_end, 10, 0));
    TOLD(splice(p[0], NULL, to, &near_end, 10, 0));
    TOLD(write(p[1], "0123456789", 10)); /* not a file with a size */
    int device = open("/dev/null", O_WRONLY);
    char big[200] = "";
    TOLD(write(device, big, sizeof big));
}

int main(void)
{
    enter_test_dir("file_size_limit");
    handle(SIGXFSZ, on_xfsz, 0);
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    test_writes(fd);
    test_sizes(fd);
    test_other_ways(fd);
    limit_to(RLIM_INFINITY);
    TOLD(pwrite(fd, "x", 1, 100000));
    /* Ignored, the signal changes nothing about the error. */
    signal(SIGXFSZ, SIG_IGN);
    limit_to(10);
    TOLD(pwrite(fd, "x", 1, 10));
    limit_to(RLIM_INFINITY);
    return done();
}
