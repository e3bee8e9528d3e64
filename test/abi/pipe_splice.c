/* splice(2), tee(2), vmsplice(2), F_SETPIPE_SZ, packets, and atomic writes. */
#include "file_test.h"

#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static int waiting(int fd)
{
    int n = -1;
    ioctl(fd, FIONREAD, &n);
    return n;
}

static void test_size(void)
{
    say("-- size");
    int p[2];
    static char buf[200000];
    NEED(pipe2(p, O_NONBLOCK) == 0);
    SHOW(fcntl(p[0], F_GETPIPE_SZ));
    SHOW(fcntl(p[0], F_SETPIPE_SZ, 5000));
    SHOW(write(p[1], buf, sizeof buf));
    SHOW(write(p[1], buf, 1));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 4096));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 100000));
    SHOW(write(p[1], buf, sizeof buf));
    SHOW(waiting(p[0]));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 0));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, (1u << 31) + 1));
    SHOW(fcntl(0, F_SETPIPE_SZ, 4096) == -1 || fcntl(0, F_GETPIPE_SZ) == 4096);
    int fd = open("/dev/null", O_RDONLY);
    SHOW(fcntl(fd, F_GETPIPE_SZ));
    while (read(p[0], buf, sizeof buf) > 0)
        ;
    SHOW(write(p[1], buf, 5000)); /* more than PIPE_BUF: as much as fits */
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 8192));
    SHOW(write(p[1], buf, 4096)); /* all or nothing */
    SHOW(write(p[1], buf, 3000));
}

static void test_packets(void)
{
    say("-- packets");
    int p[2];
    char buf[100];
    NEED(pipe2(p, O_DIRECT | O_NONBLOCK) == 0);
    SHOW(write(p[1], "one", 3));
    SHOW(write(p[1], "two!", 4));
    SHOW(read(p[0], buf, 2)); /* the rest is lost */
    SHOW(read(p[0], buf, 100));
    SHOW(read(p[0], buf, 100));
    SHOW(write(p[1], buf, 0));
    SHOW(fcntl(p[1], F_SETFL, O_NONBLOCK));
    SHOW(write(p[1], "a", 1));
    SHOW(write(p[1], "b", 1));
    SHOW(read(p[0], buf, 100));
}

static void test_splice(void)
{
    say("-- splice");
    make_file("f", "0123456789abcdef");
    int fd = open("f", O_RDWR), p[2], q[2], app = open("f", O_RDWR | O_APPEND);
    loff_t at = 4;
    char buf[100];
    NEED(pipe2(p, O_NONBLOCK) == 0 && pipe2(q, O_NONBLOCK) == 0);
    SHOW(splice(fd, &at, p[1], NULL, 6, 0));
    say("at %ld", (long)at);
    SHOW(splice(fd, NULL, p[1], NULL, 3, 0));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(tee(p[0], q[1], 100, 0));
    SHOW(waiting(p[0]));
    SHOW(waiting(q[0]));
    SHOW(splice(p[0], NULL, q[1], NULL, 4, 0));
    SHOW(waiting(q[0]));
    /* Into another file: of this one the pipe may have the pages themselves. */
    int to = open("to", O_CREAT | O_RDWR, 0600);
    SHOW(splice(p[0], NULL, to, NULL, 100, 0));
    SHOW(splice(p[0], NULL, to, NULL, 100, SPLICE_F_NONBLOCK));
    SHOW(pread(to, buf, 100, 0));
    say("%.5s", buf);
    SHOW(read(q[0], buf, 100));
    say("%.13s", buf);
    SHOW(splice(fd, NULL, p[1], NULL, 100, 0));
    SHOW(splice(fd, NULL, p[1], NULL, 100, 0)); /* at the end */
    SHOW(splice(p[0], NULL, app, NULL, 100, 0));
    SHOW(splice(fd, NULL, app, NULL, 100, 0));
    SHOW(splice(p[0], &at, fd, NULL, 1, 0));
    SHOW(splice(fd, NULL, p[1], &at, 1, 0));
    SHOW(splice(fd, (loff_t *)8, p[1], NULL, 1, 0));
    SHOW(splice(p[1], NULL, fd, NULL, 1, 0));
    SHOW(splice(fd, NULL, p[0], NULL, 1, 0));
    SHOW(splice(p[0], NULL, p[1], NULL, 1, 0));
    SHOW(splice(99, NULL, p[1], NULL, 1, 0));
    SHOW(splice(fd, NULL, p[1], NULL, 0, 0));
    SHOW(splice(fd, NULL, p[1], NULL, 1, 0x100));
    SHOW(tee(fd, p[1], 1, 0));
    SHOW(tee(p[0], p[1], 1, 0));
    SHOW(tee(p[0], q[1], 1, 0x100));
    SHOW(tee(q[0], p[1], 1, 0));
    close(q[1]);
    SHOW(tee(q[0], p[1], 1, 0));
    at = -1;
    SHOW(splice(fd, &at, p[1], NULL, 1, 0));
}

static void test_vmsplice(void)
{
    say("-- vmsplice");
    int p[2];
    char out[20] = "";
    struct iovec v[2] = {{"hello, ", 7}, {"pipe", 4}}, w = {out, 15}, bad = {(void *)8, 4};
    NEED(pipe2(p, O_NONBLOCK) == 0);
    SHOW(vmsplice(p[1], v, 2, 0));
    SHOW(waiting(p[0]));
    SHOW(vmsplice(p[0], &w, 1, 0));
    say("%s", out);
    SHOW(vmsplice(p[0], &w, 1, SPLICE_F_NONBLOCK));
    SHOW(vmsplice(p[1], &bad, 1, 0));
    SHOW(vmsplice(p[1], v, 0, 0));
    SHOW(vmsplice(p[1], v, 2, 0x100));
    SHOW(vmsplice(99, v, 2, 0));
    int fd = open("f", O_RDWR);
    SHOW(vmsplice(fd, v, 2, 0));
    close(p[0]);
    signal(SIGPIPE, SIG_IGN);
    SHOW(vmsplice(p[1], v, 2, 0));
}

static void test_sendfile(void)
{
    say("-- sendfile");
    int in = open("f", O_RDWR), out = open("g", O_CREAT | O_RDWR, 0600), p[2];
    off_t at = 2;
    NEED(pipe2(p, O_NONBLOCK) == 0);
    SHOW(sendfile(out, in, NULL, 5));
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(sendfile(out, in, &at, 3));
    say("at %ld", (long)at);
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(sendfile(p[1], in, &at, 1000));
    SHOW(sendfile(p[1], in, &at, 1000));
    SHOW(sendfile(out, p[0], NULL, 5));
    SHOW(sendfile(out, in, (off_t *)8, 5));
    SHOW(sendfile(out, 99, NULL, 5));
    SHOW(sendfile(99, in, NULL, 5));
    at = -1;
    SHOW(sendfile(out, in, &at, 5));
    int ro = open("g", O_RDONLY), app = open("g", O_WRONLY | O_APPEND), wo = open("f", O_WRONLY);
    SHOW(sendfile(ro, in, NULL, 5));
    SHOW(sendfile(app, in, NULL, 5));
    SHOW(sendfile(out, wo, NULL, 5));
    SHOW(lseek(out, 0, SEEK_END));
}

int main(void)
{
    enter_test_dir("pipe_splice");
    test_size();
    test_packets();
    test_splice();
    test_vmsplice();
    test_sendfile();
    return done();
}
