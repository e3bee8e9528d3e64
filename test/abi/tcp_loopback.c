/* TCP over the loopback interface: how connections begin, carry bytes, and end. */
#include "inet_test.h"

static int family;

static void basics(void)
{
    struct sockaddr_storage a, b;
    socklen_t len;
    char buf[64];
    int l = tcp_listener(family, &a, 5), c = socket(family, SOCK_STREAM, 0), n = -1;
    say_ready("fresh", c);
    SHOW(recv(c, buf, 1, 0));
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    int fresh = socket(family, SOCK_STREAM, 0);
    SHOW(shutdown(fresh, SHUT_WR));
    close(fresh);
    len = sizeof b;
    SHOW(getpeername(c, (struct sockaddr *)&b, &len));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    say_ready("connected", c);
    say_ready("listener", l);
    len = sizeof b;
    int s = accept(l, (struct sockaddr *)&b, &len);
    NEED(s >= 0);
    say("peer: family %d, length %u, %s", b.ss_family, len,
        is_loopback(&b) ? "loopback" : "elsewhere");
    CHECK(port_of(&b) == local_port(c));
    CHECK(local_port(s) == port_of(&a));
    SHOW(send(c, "hello", 5, 0));
    wait_readable(s);
    SHOW(ioctl(s, FIONREAD, &n));
    say("readable %d", n);
    SHOW(recv(s, buf, 2, MSG_PEEK));
    SHOW(recv(s, buf, 64, 0));
    say("%.5s", buf);
    SHOW(recv(s, buf, 64, MSG_DONTWAIT));
    SHOW(write(s, "answer", 6));
    SHOW(recv(c, buf, 6, MSG_WAITALL));
    say("%.6s", buf);
    SHOW(shutdown(c, SHUT_WR));
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    wait_readable(s);
    say_ready("they send no more", s);
    SHOW(recv(s, buf, 64, 0));
    SHOW(send(s, "tail", 4, 0));
    SHOW(recv(c, buf, 64, 0));
    close(s);
    wait_readable(c);
    SHOW(recv(c, buf, 64, 0));
    say_ready("over", c);
    say("error %d", get_opt(c, SOL_SOCKET, SO_ERROR));
    close(c);
    close(l);
}

static void errors(void)
{
    struct sockaddr_storage a;
    char buf[8];
    int l = tcp_listener(family, &a, 5), one = 1;
    int t = socket(family, SOCK_STREAM, 0);
    SHOW(bind(t, (struct sockaddr *)&a, addr_len(family)));
    SHOW(bind(l, (struct sockaddr *)&a, addr_len(family)));
    SHOW(accept(t, NULL, NULL));
    close(l);
    SHOW(connect(t, (struct sockaddr *)&a, addr_len(family)));
    SHOW(recv(t, buf, 1, MSG_DONTWAIT));
    close(t);
    t = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(t, (struct sockaddr *)&a, addr_len(family)));
    struct pollfd p = {.fd = t, .events = POLLOUT};
    NEED(poll(&p, 1, 5000) == 1);
    say_ready("refused", t);
    say("error %d", get_opt(t, SOL_SOCKET, SO_ERROR));
    say("error %d", get_opt(t, SOL_SOCKET, SO_ERROR));
    close(t);
    /* A reset: closed with bytes unread. */
    l = tcp_listener(family, &a, 5);
    t = socket(family, SOCK_STREAM, 0);
    NEED(connect(t, (struct sockaddr *)&a, addr_len(family)) == 0);
    int s = accept(l, NULL, NULL);
    NEED(send(t, "unread", 6, 0) == 6);
    wait_readable(s);
    close(s);
    wait_readable(t);
    say_ready("reset", t);
    SHOW(recv(t, buf, 8, 0));
    SHOW(recv(t, buf, 8, 0));
    SHOW(send(t, "x", 1, MSG_NOSIGNAL));
    close(t);
    /* Linger with no time: a reset, too. */
    t = socket(family, SOCK_STREAM, 0);
    NEED(connect(t, (struct sockaddr *)&a, addr_len(family)) == 0);
    s = accept(l, NULL, NULL);
    struct linger lg = {1, 0};
    SHOW(setsockopt(t, SOL_SOCKET, SO_LINGER, &lg, sizeof lg));
    close(t);
    wait_readable(s);
    SHOW(recv(s, buf, 8, 0));
    close(s);
    close(l);
    /* The port is free again at once for who says so. */
    t = socket(family, SOCK_STREAM, 0);
    SHOW(setsockopt(t, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    SHOW(bind(t, (struct sockaddr *)&a, addr_len(family)));
    close(t);
    SHOW(connect(-1, (struct sockaddr *)&a, addr_len(family)));
    t = socket(family, SOCK_STREAM, 0);
    SHOW(connect(t, (struct sockaddr *)&a, 4));
    SHOW(bind(t, (struct sockaddr *)&a, 4));
    SHOW(socket(family, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socket(family, SOCK_SEQPACKET, 0));
    SHOW(socket(family, SOCK_STREAM, IPPROTO_TCP) >= 0);
    close(t);
}

static void nonblocking(void)
{
    struct sockaddr_storage a;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET}, got;
    static char big[65536];
    long total = 0, back = 0, n;
    int l = tcp_listener(family, &a, 5), c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0),
        ep = epoll_create1(0);
    SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
    SHOW(accept(l, NULL, NULL));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev) == 0);
    SHOW(epoll_wait(ep, &got, 1, 5000));
    say("events %x, error %d", got.events, get_opt(c, SOL_SOCKET, SO_ERROR));
    SHOW(epoll_wait(ep, &got, 1, 0));
    wait_readable(l);
    int s = accept4(l, NULL, NULL, SOCK_NONBLOCK);
    NEED(s >= 0);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 13 + i / 255);
    while ((n = write(c, big + total % 65536, sizeof big - (size_t)(total % 65536))) > 0)
        total += n;
    say("full: %s, more than 64 KiB %d", strerror(errno), total > 65536);
    say_ready("full", c);
    SHOW(epoll_wait(ep, &got, 1, 0));
    static char in[65536];
    long wrong = 0;
    while (back < total) {
        wait_readable(s);
        n = read(s, in, sizeof in);
        NEED(n > 0);
        for (long i = 0; i < n; i++)
            wrong += in[i] != big[(back + i) % 65536];
        back += n;
    }
    say("wrong %ld", wrong);
    SHOW(epoll_wait(ep, &got, 1, 5000));
    say("events %x", got.events);
    NEED(write(s, "x", 1) == 1);
    SHOW(epoll_wait(ep, &got, 1, 5000));
    say("events %x", got.events);
    NEED(write(s, "y", 1) == 1);
    SHOW(epoll_wait(ep, &got, 1, 5000));
    say("events %x", got.events);
    close(s);
    SHOW(epoll_wait(ep, &got, 1, 5000));
    say("events %x", got.events);
    close(c);
    close(l);
    close(ep);
}

static int echo_listener;

static void *echo(void *arg)
{
    char buf[5000];
    ssize_t n;
    int s = accept(echo_listener, NULL, NULL);
    (void)arg;
    while ((n = read(s, buf, sizeof buf)) > 0)
        for (ssize_t at = 0, w; at < n; at += w)
            NEED((w = write(s, buf + at, (size_t)(n - at))) > 0);
    close(s);
    return NULL;
}

static void *fill(void *arg)
{
    int c = (int)(long)arg;
    static unsigned char out[100000];
    for (long at = 0; at < 3000000; at += (long)sizeof out) {
        for (size_t i = 0; i < sizeof out; i++)
            out[i] = (unsigned char)((at + (long)i) * 7 + ((at + (long)i) >> 9));
        for (size_t done = 0; done < sizeof out;) {
            ssize_t n = write(c, out + done, sizeof out - done);
            NEED(n > 0);
            done += (size_t)n;
        }
    }
    SHOW(shutdown(c, SHUT_WR));
    return NULL;
}

static void bulk(void)
{
    struct sockaddr_storage a;
    pthread_t t, w;
    static unsigned char in[30000];
    long at = 0, wrong = 0;
    ssize_t n;
    echo_listener = tcp_listener(family, &a, 1);
    NEED(pthread_create(&t, NULL, echo, NULL) == 0);
    int c = socket(family, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    NEED(pthread_create(&w, NULL, fill, (void *)(long)c) == 0);
    while ((n = read(c, in, sizeof in)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            wrong += in[i] != (unsigned char)((at + i) * 7 + ((at + i) >> 9));
        at += n;
    }
    pthread_join(w, NULL);
    pthread_join(t, NULL);
    say("%ld bytes there and back, %ld wrong, end %zd", at, wrong, n);
    close(c);
    close(echo_listener);
}

static void options(void)
{
    int s = socket(family, SOCK_STREAM, 0);
    say("nodelay %d", get_opt(s, IPPROTO_TCP, TCP_NODELAY));
    SHOW(set_opt(s, IPPROTO_TCP, TCP_NODELAY, 1));
    say("nodelay %d", get_opt(s, IPPROTO_TCP, TCP_NODELAY));
    SHOW(set_opt(s, SOL_SOCKET, SO_KEEPALIVE, 1));
    say("keepalive %d, %d %d %d", get_opt(s, SOL_SOCKET, SO_KEEPALIVE),
        get_opt(s, IPPROTO_TCP, TCP_KEEPIDLE), get_opt(s, IPPROTO_TCP, TCP_KEEPINTVL),
        get_opt(s, IPPROTO_TCP, TCP_KEEPCNT));
    SHOW(set_opt(s, IPPROTO_TCP, TCP_KEEPIDLE, 33));
    SHOW(set_opt(s, IPPROTO_TCP, TCP_KEEPINTVL, 0));
    say("%d", get_opt(s, IPPROTO_TCP, TCP_KEEPIDLE));
    SHOW(set_opt(s, IPPROTO_TCP, 9999, 1));
    say("%d", get_opt(s, IPPROTO_TCP, 9999));
    say("type %d domain %d protocol %d", get_opt(s, SOL_SOCKET, SO_TYPE),
        get_opt(s, SOL_SOCKET, SO_DOMAIN), get_opt(s, SOL_SOCKET, SO_PROTOCOL));
    SHOW(set_opt(s, SOL_SOCKET, SO_PASSCRED, 1) == -1);
    struct tcp_info info;
    socklen_t len = sizeof info;
    SHOW(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len));
    say("state %d", info.tcpi_state);
    close(s);
}

/* Who reads no more still waits for room to send, and not for ever. */
static void full_without_reading(void)
{
    struct sockaddr_storage a;
    struct timeval soon = {.tv_usec = 50000};
    static char big[65536];
    int l = tcp_listener(family, &a, 5), c = socket(family, SOCK_STREAM, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    int s = accept(l, NULL, NULL);
    NEED(s >= 0);
    SHOW(shutdown(c, SHUT_RD));
    SHOW(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon));
    while (send(c, big, sizeof big, 0) > 0)
        ;
    say("full: %s", strerror(errno));
    while (send(c, big, 1000, MSG_DONTWAIT) > 0)
        ;
    say("full: %s", strerror(errno));
    close(s);
    close(c);
    close(l);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        basics();
        errors();
        nonblocking();
        full_without_reading();
        bulk();
        options();
    }
    return done();
}
