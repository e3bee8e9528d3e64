/* AF_UNIX datagrams: borders, truncation, peers that go, full queues. */
#include "socket_test.h"

static volatile int nr_sigpipe;

static void on_sigpipe(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    nr_sigpipe++;
}

static void borders(int type)
{
    int s[2], n = -1;
    char buf[16];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    SHOW(send(s[0], "first", 5, 0));
    SHOW(send(s[0], "second", 6, 0));
    SHOW(send(s[0], "", 0, 0));
    SHOW(write(s[0], "fourth", 6));
    SHOW(ioctl(s[1], FIONREAD, &n));
    say("readable %d", n);
    SHOW(recv(s[1], buf, 2, MSG_PEEK));
    SHOW(recv(s[1], buf, 2, MSG_PEEK | MSG_TRUNC));
    struct iovec iov = {buf, 3};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    SHOW(recvmsg(s[1], &m, 0));
    say("flags %x", m.msg_flags);
    SHOW(recv(s[1], buf, 16, MSG_TRUNC));
    SHOW(recv(s[1], buf, 16, 0));
    iov.iov_len = 16;
    SHOW(recvmsg(s[1], &m, 0));
    say("flags %x", m.msg_flags);
    SHOW(recv(s[1], buf, 16, MSG_DONTWAIT));
    SHOW(send(s[0], "x", 1, MSG_OOB));
    SHOW(recv(s[1], buf, 16, MSG_OOB | MSG_DONTWAIT));
    SHOW(send(s[0], "lost", 4, 0));
    SHOW(recv(s[1], (void *)8, 4, 0));
    SHOW(recv(s[1], buf, 16, MSG_DONTWAIT));
    close(s[0]);
    close(s[1]);
}

static void sizes(int type)
{
    int s[2];
    static char big[300000], back[300000];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 251);
    SHOW(send(s[0], big, 212992 - 32, MSG_DONTWAIT));
    SHOW(recv(s[1], back, sizeof back, 0));
    CHECK(memcmp(big, back, 212960) == 0);
    SHOW(send(s[0], big, 212992 - 31, MSG_DONTWAIT));
    SHOW(send(s[0], big, 3776, MSG_DONTWAIT));
    SHOW(send(s[0], big, 3777, MSG_DONTWAIT));
    SHOW(recv(s[1], back, sizeof back, 0));
    SHOW(recv(s[1], back, sizeof back, 0));
    CHECK(memcmp(big, back, 3777) == 0);
    int n = 0;
    while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
        n++;
    say("a pair takes %d, then %s", n, strerror(errno));
    say_ready("full", s[0]);
    close(s[0]);
    close(s[1]);
}

static void ends(int type)
{
    int s[2];
    char buf[8];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    SHOW(send(s[0], "abc", 3, 0));
    SHOW(shutdown(s[1], SHUT_RD));
    say_ready("they read no more: we", s[0]);
    say_ready("they read no more: they", s[1]);
    SHOW(send(s[0], "x", 1, 0));
    SHOW(write(s[0], "x", 1));
    SHOW(read(s[1], buf, 8));
    SHOW(read(s[1], buf, 8));
    SHOW(recv(s[1], buf, 8, MSG_DONTWAIT));
    SHOW(shutdown(s[0], SHUT_WR));
    SHOW(send(s[0], "x", 1, 0));
    SHOW(send(s[1], "y", 1, 0));
    close(s[1]);
    say_ready("peer closed", s[0]);
    SHOW(recv(s[0], buf, 8, MSG_DONTWAIT));
    SHOW(recv(s[0], buf, 8, MSG_DONTWAIT));
    close(s[0]);

    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    SHOW(send(s[0], "unread", 6, 0));
    close(s[1]);
    say_ready("peer closed with a message unread", s[0]);
    SHOW(send(s[0], "x", 1, 0));
    SHOW(send(s[0], "x", 1, 0));
    SHOW(recv(s[0], buf, 8, MSG_DONTWAIT));
    say("error %d", get_opt(s[0], SOL_SOCKET, SO_ERROR));
    close(s[0]);
}

static void names(void)
{
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0),
        c = socket(AF_UNIX, SOCK_RAW, 0);
    char buf[16];
    struct sockaddr_un from;
    socklen_t len = sizeof from;
    NEED(a >= 0 && b >= 0 && c >= 0);
    say("raw is type %d", get_opt(c, SOL_SOCKET, SO_TYPE));
    SHOW(send(a, "x", 1, 0));
    SHOW(un_sendto(a, "x", 0, "@abi-dgram-b"));
    SHOW(un_sendto(a, "x", 0, "no-such-file"));
    SHOW(un_bind(b, "@abi-dgram-b"));
    SHOW(un_sendto(a, "from a", 0, "@abi-dgram-b"));
    SHOW(recvfrom(b, buf, 16, 0, (struct sockaddr *)&from, &len));
    say("nameless sender: length %u", len);
    SHOW(un_bind(a, "a.sock"));
    SHOW(un_sendto(a, "from a", 0, "@abi-dgram-b"));
    len = sizeof from;
    SHOW(recvfrom(b, buf, 16, 0, (struct sockaddr *)&from, &len));
    say_addr("sender", &from, len);
    len = 4;
    SHOW(un_sendto(a, "again", 0, "@abi-dgram-b"));
    SHOW(recvfrom(b, buf, 16, 0, (struct sockaddr *)&from, &len));
    say("length %u", len);
    SHOW(un_connect(b, "a.sock"));
    SHOW(un_sendto(c, "c", 0, "@abi-dgram-b"));
    SHOW(un_connect(c, "@abi-dgram-b"));
    SHOW(un_sendto(a, "a", 0, "@abi-dgram-b"));
    SHOW(recv(b, buf, 16, 0));
    SHOW(send(b, "to a", 4, 0));
    SHOW(recv(a, buf, 16, 0));
    len = sizeof from;
    SHOW(getpeername(b, (struct sockaddr *)&from, &len));
    say_addr("peer", &from, len);
    SHOW(listen(b, 1));
    SHOW(accept(b, NULL, NULL));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    SHOW(connect(b, &none, sizeof none));
    SHOW(send(b, "x", 1, 0));
    SHOW(un_connect(c, "@abi-dgram-b"));
    close(b);
    say_ready("connected, peer gone", c);
    SHOW(send(c, "x", 1, 0));
    SHOW(send(c, "x", 1, 0));
    close(a);
    SHOW(un_sendto(c, "x", 0, "a.sock"));
    SHOW(unlink("a.sock"));
    close(c);
}

static void full_queue(void)
{
    int r = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM, 0);
    char buf[4];
    int n = 0;
    NEED(r >= 0 && s >= 0);
    SHOW(un_bind(r, "@abi-dgram-full"));
    SHOW(un_connect(s, "@abi-dgram-full"));
    while (send(s, "x", 1, MSG_DONTWAIT) == 1)
        n++;
    say("queue takes %d, then %s", n, strerror(errno));
    say_ready("full", s);
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLOUT | EPOLLET}, got;
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev) == 0);
    SHOW(epoll_wait(ep, &got, 1, 0));
    SHOW(recv(r, buf, 4, 0));
    SHOW(epoll_wait(ep, &got, 1, 1000));
    say_ready("one read", s);
    SHOW(send(s, "x", 1, MSG_DONTWAIT));
    SHOW(send(s, "x", 1, MSG_DONTWAIT));
    struct timeval tv = {0, 50000};
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    long start = now_ms();
    SHOW(send(s, "x", 1, 0));
    CHECK(now_ms() - start >= 49);
    SHOW(close(r));
    SHOW(send(s, "x", 1, 0));
    close(ep);
    close(s);
}

int main(void)
{
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    handle(SIGPIPE, on_sigpipe, 0);
    for (unsigned i = 0; i < NR(types); i++) {
        say("type %d", types[i]);
        borders(types[i]);
        sizes(types[i]);
        ends(types[i]);
        say("SIGPIPE %d", nr_sigpipe);
    }
    names();
    full_queue();
    say("SIGPIPE %d", nr_sigpipe);
    return done();
}
