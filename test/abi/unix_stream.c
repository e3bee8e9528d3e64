/* AF_UNIX streams: bytes, flags, shutdown, end, and what a full one does. */
#include "socket_test.h"

static volatile int nr_sigpipe;

static void on_sigpipe(int sig, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    nr_sigpipe += sig == SIGPIPE;
}

static void bytes(void)
{
    int s[2];
    char buf[64];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    SHOW(write(s[0], "hello ", 6));
    SHOW(write(s[0], "world", 5));
    int n = -1;
    SHOW(ioctl(s[1], FIONREAD, &n));
    say("readable %d", n);
    SHOW(recv(s[1], buf, 3, MSG_PEEK));
    SHOW(recv(s[1], buf, sizeof buf, MSG_PEEK));
    SHOW(recv(s[1], buf, 8, 0));
    say("%.8s", buf);
    SHOW(recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    say("%.3s", buf);
    SHOW(recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    SHOW(read(s[1], buf, 0));
    SHOW(recv(s[1], buf, 0, MSG_DONTWAIT));
    SHOW(send(s[0], "x", 0, 0));
    SHOW(write(s[0], "x", 0));
    SHOW(recv(s[1], buf, 1, MSG_DONTWAIT));
    SHOW(send(s[0], "abc", 3, MSG_OOB | MSG_DONTROUTE) == 3 || errno == EOPNOTSUPP);
    close(s[0]);
    close(s[1]);
}

static void vectors(void)
{
    int s[2];
    char a[4] = {0}, b[8] = {0};
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[2] = {{a, 3}, {b, 7}};
    SHOW(writev(s[0], out, 3));
    SHOW(readv(s[1], in, 2));
    say("%s %s", a, b);
    SHOW(send(s[0], (void *)8, 4, 0));
    SHOW(write(s[0], (void *)8, 4));
    SHOW(send(s[0], "abcd", 4, 0));
    SHOW(recv(s[1], (void *)8, 4, 0));
    SHOW(recv(s[1], b, 4, 0));
    SHOW(pread(s[1], b, 4, 0));
    SHOW(lseek(s[1], 0, SEEK_CUR));
    SHOW(ftruncate(s[1], 0));
    SHOW(fsync(s[1]));
    close(s[0]);
    close(s[1]);
}

static void ends(void)
{
    int s[2];
    char buf[8];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    say_ready("new", s[0]);
    SHOW(write(s[0], "tail", 4));
    say_ready("with data", s[1]);
    SHOW(shutdown(s[0], SHUT_WR));
    say_ready("after SHUT_WR, we", s[0]);
    say_ready("after SHUT_WR, they", s[1]);
    SHOW(write(s[0], "x", 1));
    say("SIGPIPE %d", nr_sigpipe);
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    SHOW(send(s[0], "x", 1, 0));
    say("SIGPIPE %d", nr_sigpipe);
    SHOW(read(s[1], buf, sizeof buf));
    SHOW(read(s[1], buf, sizeof buf));
    SHOW(write(s[1], "back", 4));
    SHOW(read(s[0], buf, sizeof buf));
    SHOW(shutdown(s[0], SHUT_RD));
    SHOW(write(s[1], "more", 4));
    SHOW(read(s[0], buf, sizeof buf));
    say_ready("both ways", s[0]);
    SHOW(shutdown(s[0], 3));
    SHOW(shutdown(s[0], -1));
    close(s[0]);
    say_ready("peer closed", s[1]);
    SHOW(read(s[1], buf, sizeof buf));
    SHOW(write(s[1], "x", 1));
    close(s[1]);

    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    SHOW(write(s[0], "unread", 6));
    close(s[1]);
    say_ready("peer closed with data unread", s[0]);
    SHOW(read(s[0], buf, sizeof buf));
    SHOW(read(s[0], buf, sizeof buf));
    say("error %d", get_opt(s[0], SOL_SOCKET, SO_ERROR));
    close(s[0]);

    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    SHOW(write(s[1], "left", 4));
    close(s[1]);
    say_ready("data and end", s[0]);
    SHOW(read(s[0], buf, sizeof buf));
    SHOW(read(s[0], buf, sizeof buf));
    close(s[0]);
}

static void full(void)
{
    int s[2], n = 0;
    static char big[65536];
    long total = 0, ret;
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
    while ((ret = write(s[0], "x", 1)) == 1)
        n++;
    say("one at a time: %d, then %s", n, strerror(errno));
    say_ready("full", s[0]);
    SHOW(ioctl(s[0], SIOCOUTQ, &n));
    say("under way %d", n);
    for (int i = 0; i < 180; i++)
        NEED(read(s[1], big, 1) == 1);
    say_ready("after 180", s[0]);
    for (int i = 0; i < 40; i++)
        NEED(read(s[1], big, 1) == 1);
    say_ready("after 220", s[0]);
    while ((ret = read(s[1], big, sizeof big)) > 0)
        total += ret;
    say("drained %ld", total);
    total = 0;
    while ((ret = write(s[0], big, sizeof big)) > 0)
        total += ret;
    say("big writes: %ld, then %s", total, strerror(errno));
    long got = 0;
    while ((ret = read(s[1], big, 50000)) > 0)
        got += ret;
    say("read back %ld", got);
    close(s[0]);
    close(s[1]);
}

static void unconnected(void)
{
    char buf[4];
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(s >= 0);
    say_ready("unconnected", s);
    SHOW(read(s, buf, 4));
    SHOW(write(s, "x", 1));
    SHOW(send(s, "x", 1, 0));
    SHOW(recv(s, buf, 1, MSG_OOB));
    SHOW(un_sendto(s, "x", 0, "@nowhere"));
    SHOW(shutdown(s, SHUT_WR));
    SHOW(listen(s, 1));
    SHOW(accept(s, NULL, NULL));
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    SHOW(getpeername(s, (struct sockaddr *)&a, &len));
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    say_addr("nameless", &a, len);
    close(s);
    int p[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    SHOW(un_sendto(p[0], "x", 0, "@nowhere"));
    SHOW(sendto(p[0], "x", 1, 0, (struct sockaddr *)&a, 0));
    SHOW(un_connect(p[0], "@nowhere"));
    SHOW(listen(p[0], 1));
    len = sizeof a;
    SHOW(recvfrom(p[1], buf, 4, 0, (struct sockaddr *)&a, &len));
    say("from: length %u", len);
    close(p[0]);
    close(p[1]);
}

static void facts(void)
{
    int s[2];
    struct stat st;
    char path[64], link[64] = "", want[64];
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
    NEED(fstat(s[0], &st) == 0);
    say("mode %o, size %ld, nlink %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
    snprintf(path, sizeof path, "/proc/self/fd/%d", s[0]);
    NEED(readlink(path, link, sizeof link - 1) > 0);
    snprintf(want, sizeof want, "socket:[%lu]", (unsigned long)st.st_ino);
    CHECK(strcmp(link, want) == 0);
    SHOW(open(path, O_RDWR));
    say("flags %x %x", fcntl(s[0], F_GETFD), fcntl(s[0], F_GETFL));
    SHOW(fcntl(s[0], F_SETFL, O_NONBLOCK));
    say("flags %x", fcntl(s[0], F_GETFL));
    SHOW(read(s[0], link, 1));
    int off = 0;
    SHOW(ioctl(s[0], FIONBIO, &off));
    say("flags %x", fcntl(s[0], F_GETFL));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, s[0], 0) != MAP_FAILED);
    SHOW(ioctl(s[0], TCGETS, path));
    close(s[0]);
    close(s[1]);
}

int main(void)
{
    handle(SIGPIPE, on_sigpipe, 0);
    bytes();
    vectors();
    ends();
    full();
    unconnected();
    facts();
    say("SIGPIPE %d", nr_sigpipe);
    return done();
}
