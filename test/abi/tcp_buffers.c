/* SO_SNDBUF, SO_RCVBUF and the backlog of TCP: what they are told to be, and that they bound what may wait. */
#include <fcntl.h>

#include "inet_test.h"

static int family;

static void told(int type)
{
    static const int values[] = {0, 1, 2000, 10000, 65536, 300000, 1 << 20, -1};
    int s = socket(family, type, 0);
    say("fresh: receive %d", get_opt(s, SOL_SOCKET, SO_RCVBUF));
    say("fresh: send %d", get_opt(s, SOL_SOCKET, SO_SNDBUF));
    for (unsigned i = 0; i < NR(values); i++) {
        int most = values[i] == -1;
        SHOW(set_opt(s, SOL_SOCKET, SO_SNDBUF, values[i]));
        SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUF, values[i]));
        int snd = get_opt(s, SOL_SOCKET, SO_SNDBUF), rcv = get_opt(s, SOL_SOCKET, SO_RCVBUF);
        if (most) /* net.core.wmem_max is this machine's */
            say("the most is some: %d %d", snd >= 212992 * 2, rcv >= 212992 * 2);
        else if (values[i] <= 212992)
            say("%d: %d %d", values[i], snd, rcv);
    }
    SHOW(set_opt(s, SOL_SOCKET, SO_SNDBUFFORCE, 20 << 20));
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUFFORCE, 20 << 20));
    say("forced: %d %d", get_opt(s, SOL_SOCKET, SO_SNDBUF), get_opt(s, SOL_SOCKET, SO_RCVBUF));
    close(s);
}

/* Bytes that go into a connection whose other end does not read. */
static long fill(int fd)
{
    static char bytes[16384];
    long n, sum = 0;
    for (int idle = 0; idle < 3;) {
        while ((n = send(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
            sum += n, idle = 0;
        NEED(errno == EAGAIN);
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, 50) == 0)
            idle++;
    }
    return sum;
}

static long drain(int fd)
{
    static char bytes[10000];
    long n, sum = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        NEED(poll(&p, 1, 10000) == 1);
        if ((n = recv(fd, bytes, sizeof bytes, 0)) <= 0)
            return sum;
        sum += n;
    }
}

/* Buffers of both ends, 0: as they are.  They are set before the handshake, or on a connection. */
static void bounds(int send_size, int recv_size, bool early)
{
    struct sockaddr_storage a;
    int l = inet_bound(family, SOCK_STREAM, &a), c = socket(family, SOCK_STREAM, 0);
    if (early && recv_size)
        NEED(set_opt(l, SOL_SOCKET, SO_RCVBUF, recv_size) == 0);
    NEED(listen(l, 1) == 0);
    if (early && send_size)
        NEED(set_opt(c, SOL_SOCKET, SO_SNDBUF, send_size) == 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    int s = accept(l, NULL, NULL);
    NEED(s >= 0);
    if (early && recv_size)
        say("inherited: %d", get_opt(s, SOL_SOCKET, SO_RCVBUF));
    if (!early && send_size)
        NEED(set_opt(c, SOL_SOCKET, SO_SNDBUF, send_size) == 0);
    if (!early && recv_size)
        NEED(set_opt(s, SOL_SOCKET, SO_RCVBUF, recv_size) == 0);
    long n = fill(c);
    say_ready("full", c);
    if (send_size && recv_size && early) /* a last piece may be beyond */
        say("within bounds: %d", n >= send_size && n <= 2 * (send_size + recv_size) + 70000);
    SHOW(shutdown(c, SHUT_WR));
    CHECK(drain(s) == n);
    CHECK(send(s, "x", 1, 0) == 1);
    wait_readable(c);
    char byte;
    SHOW(recv(c, &byte, 1, 0));
    close(s);
    close(c);
    close(l);
}

/* Connections that come to be while nobody accepts: one more than the backlog says. */
static void backlog(int size)
{
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, size), c[20], done = 0, in_progress = 0, accepted = 0;
    for (unsigned i = 0; i < NR(c); i++) {
        c[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int r = connect(c[i], (struct sockaddr *)&a, addr_len(family));
        NEED(r == 0 || errno == EINPROGRESS);
        in_progress += r != 0;
    }
    for (unsigned i = 0; i < NR(c); i++)
        done += (ready(c[i]) & (POLLOUT | POLLHUP)) == POLLOUT;
    say("backlog %d: %d are connected", size, done);
    CHECK(in_progress == NR(c));
    fcntl(l, F_SETFL, O_NONBLOCK);
    for (int s; (s = accept(l, NULL, NULL)) >= 0; accepted++)
        close(s);
    say("backlog %d: %d could be accepted", size, accepted);
    for (unsigned i = 0; i < NR(c); i++)
        close(c[i]);
    close(l);
}

/* Who found no room gets in once there is some. */
static void later(void)
{
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, 0), c = socket(family, SOCK_STREAM, 0),
        d = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(connect(d, (struct sockaddr *)&a, addr_len(family)));
    SHOW(listen(l, 5));
    int s = accept(l, NULL, NULL);
    struct pollfd p = {.fd = d, .events = POLLOUT};
    SHOW(poll(&p, 1, 20000));
    SHOW(get_opt(d, SOL_SOCKET, SO_ERROR));
    int t = accept(l, NULL, NULL);
    SHOW(send(d, "late", 4, 0));
    char buf[8];
    SHOW(recv(t, buf, 8, 0));
    close(s);
    close(t);
    close(c);
    close(d);
    close(l);
}

static void many(void)
{
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, 1000), n = 0, accepted = 0;
    static int c[400];
    for (unsigned i = 0; i < NR(c); i++) {
        c[i] = socket(family, SOCK_STREAM, 0);
        n += connect(c[i], (struct sockaddr *)&a, addr_len(family)) == 0;
    }
    say("%d wait", n);
    fcntl(l, F_SETFL, O_NONBLOCK);
    for (int s; (s = accept(l, NULL, NULL)) >= 0; accepted++)
        close(s);
    say("%d were accepted", accepted);
    for (unsigned i = 0; i < NR(c); i++)
        close(c[i]);
    close(l);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        told(SOCK_STREAM);
        told(SOCK_DGRAM);
        bounds(30000, 20000, true);
        bounds(4000, 100000, true);
        bounds(200000, 2000, true);
        bounds(0, 0, false);
        bounds(10000, 10000, false);
        backlog(0);
        backlog(1);
        backlog(7);
    }
    later();
    many();
    return done();
}
