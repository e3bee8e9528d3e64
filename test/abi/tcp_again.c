/* What is left of a TCP socket when its connection, or the attempt, is over: errors, names, options, and the next attempt. */
#include "inet_test.h"

static int family, l, c, s; /* a listener, and both ends of a connection to it */
static struct sockaddr_storage a;

static void connected(void)
{
    l = tcp_listener(family, &a, 5);
    c = socket(family, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    s = accept(l, NULL, NULL);
    NEED(s >= 0);
}

static void over(void)
{
    close(c);
    close(s);
    close(l);
}

static int state_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    NEED(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    return info.tcpi_state;
}

static void wait_for(int fd, int events)
{
    struct pollfd p = {.fd = fd, .events = (short)events};
    NEED(poll(&p, 1, 10000) == 1);
}

static int disconnect(int fd)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    return connect(fd, &none, sizeof none);
}

static long has_peer(int fd)
{
    struct sockaddr_storage b;
    socklen_t len = sizeof b;
    return getpeername(fd, (struct sockaddr *)&b, &len);
}

/* A reset that follows the peer's FIN: a broken pipe, and for who reads the end. */
static void reset_after_fin(bool reads_first)
{
    char buf[8];
    connected();
    NEED(send(c, "abc", 3, 0) == 3);
    wait_readable(s);
    NEED(recv(s, buf, 8, 0) == 3);
    close(c);
    wait_readable(s);
    SHOW(send(s, "x", 1, MSG_NOSIGNAL));
    wait_for(s, POLLHUP);
    say_ready("reset", s);
    if (reads_first)
        SHOW(recv(s, buf, 8, 0));
    else
        say("error %d", get_opt(s, SOL_SOCKET, SO_ERROR));
    SHOW(send(s, "y", 1, MSG_NOSIGNAL));
    SHOW(recv(s, buf, 8, 0));
    say("error %d", get_opt(s, SOL_SOCKET, SO_ERROR));
    SHOW(has_peer(s));
    over();
}

/* A connection that was reset stays one that is over. */
static void reset(void)
{
    struct linger now = {1, 0};
    connected();
    NEED(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(c);
    wait_for(s, POLLHUP);
    SHOW(connect(s, (struct sockaddr *)&a, addr_len(family)));
    say_ready("reset", s);
    SHOW(shutdown(s, SHUT_RDWR));
    say("error %d", get_opt(s, SOL_SOCKET, SO_ERROR));
    SHOW(connect(s, (struct sockaddr *)&a, addr_len(family)));
    close(s);
    close(l);
}

/* How an attempt went is told once, also to who asks by connect(2), and then there may be another. */
static void asked_again(bool is_refused, bool takes_error)
{
    l = tcp_listener(family, &a, 5);
    if (is_refused)
        close(l);
    c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    wait_for(c, POLLOUT);
    if (takes_error)
        say("error %d", get_opt(c, SOL_SOCKET, SO_ERROR));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    say_ready("asked", c);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    close(c);
    if (!is_refused)
        close(l);
}

/* After connect(2) to nobody the error is still to be told. */
static void disconnected(void)
{
    char byte;
    connected();
    SHOW(disconnect(c));
    SHOW(recv(c, &byte, 1, 0));
    SHOW(recv(c, &byte, 1, 0));
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    over();
    c = socket(family, SOCK_STREAM, 0);
    SHOW(shutdown(c, SHUT_RD));
    SHOW(recv(c, &byte, 1, 0));
    close(c);
}

/* Nobody lingers for what has arrived. */
static void nothing_to_linger_for(void)
{
    struct linger ten = {1, 10};
    struct timespec t0, t1;
    connected();
    NEED(setsockopt(c, SOL_SOCKET, SO_LINGER, &ten, sizeof ten) == 0);
    close(s);
    wait_readable(c);
    NEED(shutdown(c, SHUT_WR) == 0);
    while (state_of(c) != 7)
        sched_yield();
    clock_gettime(CLOCK_MONOTONIC, &t0);
    close(c);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    CHECK((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 < 100);
    close(l);
}

/* Both sides have ended it. */
static void both_ends(void)
{
    connected();
    SHOW(shutdown(c, SHUT_WR));
    close(s);
    wait_for(c, POLLHUP);
    say("state %d", state_of(c));
    SHOW(has_peer(c));
    SHOW(shutdown(c, SHUT_RDWR));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    over();
}

/* Who was reset before he was accepted is accepted all the same. */
static void gone_before_accept(void)
{
    struct linger now = {1, 0};
    struct sockaddr_storage b;
    socklen_t len = sizeof b;
    char byte;
    l = tcp_listener(family, &a, 5);
    c = socket(family, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    wait_readable(l);
    int port = local_port(c);
    NEED(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(c);
    sleep_ms(50);
    s = accept(l, (struct sockaddr *)&b, &len);
    CHECK(s >= 0 && port_of(&b) == port);
    SHOW(has_peer(s));
    SHOW(recv(s, &byte, 1, 0));
    close(s);
    close(l);
}

static void set_options(int fd)
{
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0);
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_KEEPIDLE, 77) == 0);
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_KEEPINTVL, 7) == 0);
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_KEEPCNT, 4) == 0);
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_CORK, 1) == 0);
    CHECK(set_opt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345) == 0);
    CHECK(set_opt(fd, IPPROTO_IP, IP_TTL, 33) == 0);
    CHECK(set_opt(fd, IPPROTO_IP, IP_TOS, 0x13) == 0); /* without the bits of ECN */
    CHECK(set_opt(fd, IPPROTO_IP, IP_MTU_DISCOVER, 2) == 0);
    CHECK(set_opt(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == 0);
}

static void show_options(const char *what, int fd)
{
    say("%s: nodelay %d, keepalive %d: %d %d %d, cork %d, timeout %d, ttl %d, tos %d, mtu %d", what,
        get_opt(fd, IPPROTO_TCP, TCP_NODELAY), get_opt(fd, SOL_SOCKET, SO_KEEPALIVE),
        get_opt(fd, IPPROTO_TCP, TCP_KEEPIDLE), get_opt(fd, IPPROTO_TCP, TCP_KEEPINTVL),
        get_opt(fd, IPPROTO_TCP, TCP_KEEPCNT), get_opt(fd, IPPROTO_TCP, TCP_CORK),
        get_opt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), get_opt(fd, IPPROTO_IP, IP_TTL),
        get_opt(fd, IPPROTO_IP, IP_TOS), get_opt(fd, IPPROTO_IP, IP_MTU_DISCOVER));
}

/* A listener's options, set before and after listen(2), are those of what it accepts. */
static void inherited(void)
{
    l = inet_bound(family, SOCK_STREAM, &a);
    set_options(l);
    SHOW(listen(l, 5));
    show_options("a listener", l);
    CHECK(set_opt(l, IPPROTO_TCP, TCP_KEEPIDLE, 78) == 0);
    c = socket(family, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    s = accept(l, NULL, NULL);
    NEED(s >= 0);
    show_options("accepted", s);
    over();
}

/* Refused, and then not: from the port that was asked for, and with the options. */
static void refused_then_not(void)
{
    struct sockaddr_storage own;
    int one = 1, other = inet_bound(family, SOCK_STREAM, &own);
    l = tcp_listener(family, &a, 5);
    close(l);
    close(other);
    c = socket(family, SOCK_STREAM, 0);
    NEED(bind(c, (struct sockaddr *)&own, addr_len(family)) == 0);
    set_options(c);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(c) == port_of(&own));
    l = socket(family, SOCK_STREAM, 0);
    NEED(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    NEED(bind(l, (struct sockaddr *)&a, addr_len(family)) == 0 && listen(l, 5) == 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(c) == port_of(&own));
    show_options("connected at last", c);
    s = accept(l, NULL, NULL);
    SHOW(disconnect(c));
    CHECK(local_port(c) == port_of(&own));
    SHOW(has_peer(c));
    say_ready("no connection any more", c);
    wait_for(s, POLLHUP);
    say("theirs %d", get_opt(s, SOL_SOCKET, SO_ERROR));
    close(s);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family))); /* which forgets the error */
    say("ours %d", get_opt(c, SOL_SOCKET, SO_ERROR));
    s = accept(l, NULL, NULL);
    over();
}

static void listeners(void)
{
    l = tcp_listener(family, &a, 5);
    SHOW(shutdown(l, SHUT_WR));
    say("state %d", state_of(l));
    SHOW(shutdown(l, SHUT_RD));
    say("state %d", state_of(l));
    say_ready("not listening", l);
    SHOW(accept(l, NULL, NULL));
    c = socket(family, SOCK_STREAM, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    close(c);
    SHOW(listen(l, 5));
    struct sockaddr_storage b;
    socklen_t len = sizeof b;
    NEED(getsockname(l, (struct sockaddr *)&b, &len) == 0);
    CHECK(is_loopback(&b)); /* and not everywhere */
    SHOW(disconnect(l));
    say("state %d", state_of(l));
    close(l);
}

static void *connect_there(void *arg)
{
    int *ret = arg;
    *ret = connect(c, (struct sockaddr *)&a, addr_len(family)) < 0 ? errno : 0;
    return NULL;
}

/* shutdown(2) ends an attempt: there is no answer as the listener is full. */
static void shutdown_ends_an_attempt(void)
{
    int full[4], ret = -1;
    pthread_t t;
    l = tcp_listener(family, &a, 0);
    for (unsigned i = 0; i < NR(full); i++) {
        full[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(full[i], (struct sockaddr *)&a, addr_len(family));
    }
    sleep_ms(100);
    c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(shutdown(c, SHUT_RDWR));
    say_ready("ended", c);
    say("state %d, error %d", state_of(c), get_opt(c, SOL_SOCKET, SO_ERROR));
    SHOW(shutdown(c, SHUT_RDWR));
    close(c);
    c = socket(family, SOCK_STREAM, 0);
    NEED(pthread_create(&t, NULL, connect_there, &ret) == 0);
    while (state_of(c) != 2)
        sched_yield();
    SHOW(shutdown(c, SHUT_RDWR));
    NEED(pthread_join(t, NULL) == 0);
    say("a blocked connect: %s", strerror(ret));
    close(c);
    for (unsigned i = 0; i < NR(full); i++)
        close(full[i]);
    close(l);
}

/* Every address that begins with 127 is this machine. */
static void other_loopbacks(int type)
{
    struct sockaddr_in b = {.sin_family = AF_INET, .sin_addr = {inet_addr("127.3.2.1")}}, own;
    socklen_t len = sizeof own;
    char byte = 0;
    l = socket(AF_INET, type, 0);
    NEED(bind(l, (struct sockaddr *)&b, sizeof b) == 0);
    b.sin_port = htons((uint16_t)local_port(l));
    if (type == SOCK_STREAM)
        NEED(listen(l, 5) == 0);
    c = socket(AF_INET, type, 0);
    SHOW(connect(c, (struct sockaddr *)&b, sizeof b));
    SHOW(send(c, "x", 1, 0));
    s = type == SOCK_STREAM ? accept(l, NULL, NULL) : dup(l);
    wait_readable(s);
    SHOW(recv(s, &byte, 1, 0));
    NEED(getsockname(s, (struct sockaddr *)&own, &len) == 0);
    say("at %s", inet_ntoa(own.sin_addr));
    NEED(getsockname(c, (struct sockaddr *)&own, &len) == 0);
    say("from %s", inet_ntoa(own.sin_addr));
    over();
    b.sin_addr.s_addr = inet_addr("127.9.9.9");
    c = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(c, (struct sockaddr *)&b, sizeof b));
    b.sin_addr.s_addr = INADDR_BROADCAST;
    SHOW(connect(c, (struct sockaddr *)&b, sizeof b));
    close(c);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    alarm(60);
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        reset_after_fin(true);
        reset_after_fin(false);
        reset();
        asked_again(false, false);
        asked_again(true, false);
        asked_again(true, true);
        disconnected();
        nothing_to_linger_for();
        both_ends();
        gone_before_accept();
        inherited();
        refused_then_not();
        listeners();
        shutdown_ends_an_attempt();
    }
    other_loopbacks(SOCK_STREAM);
    other_loopbacks(SOCK_DGRAM);
    return done();
}
