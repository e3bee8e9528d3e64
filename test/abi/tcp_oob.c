/* MSG_OOB on TCP: one byte apart, its mark, SO_OOBINLINE, SIGURG. */
#include "inet_test.h"
#include "oob_test.h"

static volatile sig_atomic_t nr_urgent;

static void begin(const char *what, int family)
{
    struct sockaddr_storage a;
    int one = 1, l = tcp_listener(family, &a, 1);
    say("%s", what);
    s[0] = socket(family, SOCK_STREAM, 0);
    NEED(connect(s[0], (struct sockaddr *)&a, addr_len(family)) == 0);
    NEED((s[1] = accept(l, NULL, NULL)) >= 0);
    NEED(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    close(l);
}

static void at_mark(void)
{
    int n = -1, bytes = -1;
    NEED(ioctl(s[1], SIOCATMARK, &n) == 0 && ioctl(s[1], FIONREAD, &bytes) == 0);
    say("mark: %d, %d bytes", n, bytes);
    say_ready("poll", s[1]);
}

static void set_inline(int on)
{
    NEED(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0);
}

static void apart(int family)
{
    begin("apart", family);
    get(1, MSG_OOB);
    put("", MSG_OOB);
    get(1, MSG_OOB);
    put("x", MSG_OOB);
    at_mark();
    get(1, MSG_OOB | MSG_PEEK);
    get(0, MSG_OOB | MSG_PEEK);
    get(5, MSG_OOB);
    at_mark();
    get(5, MSG_OOB);
    get(5, 0); /* passes over it */
    at_mark();
    put("abcde", MSG_OOB);
    at_mark();
    get(2, 0);
    at_mark();
    get(20, MSG_PEEK);
    get(20, 0); /* as far as the mark */
    at_mark();
    put("fgh", 0);
    at_mark();
    get(20, MSG_PEEK);
    get(1, MSG_OOB);
    at_mark();
    get(20, 0);
    at_mark();
    end();
}

static void inlined(int family)
{
    begin("inline", family);
    set_inline(1);
    put("abc", MSG_OOB);
    put("def", 0);
    at_mark();
    get(1, MSG_OOB);
    get(20, 0);
    at_mark();
    get(20, MSG_PEEK);
    get(20, 0);
    at_mark();
    put("x", MSG_OOB);
    at_mark();
    set_inline(0);
    at_mark();
    get(1, MSG_OOB);
    set_inline(1);
    get(1, 0);
    at_mark();
    end();
}

static void one_after_another(void)
{
    begin("the first is ordinary", AF_INET);
    put("abc", MSG_OOB);
    put("def", MSG_OOB);
    at_mark();
    get(1, MSG_OOB);
    get(20, 0);
    get(20, 0);
    at_mark();
    end();
    begin("the first is lost", AF_INET);
    put("abc", MSG_OOB);
    get(20, 0);
    put("def", MSG_OOB);
    at_mark();
    get(20, 0);
    get(1, MSG_OOB);
    put("g", 0);
    get(20, 0);
    at_mark();
    end();
}

static void all_the_same(void)
{
    char buf[8] = "";
    begin("waiting for all", AF_INET);
    put("abc", MSG_OOB);
    put("defgh", 0);
    SHOW(recv(s[1], buf, 8, MSG_WAITALL));
    SHOW(recv(s[1], buf, 5, MSG_WAITALL));
    CHECK(memcmp(buf, "defgh", 5) == 0);
    put("x", MSG_OOB);
    SHOW(recv(s[1], buf, 1, MSG_OOB | MSG_TRUNC));
    put("ijk", 0);
    SHOW(recv(s[1], buf, 3, MSG_PEEK | MSG_WAITALL));
    CHECK(memcmp(buf, "ijk", 3) == 0);
    SHOW(recv(s[1], buf, 8, MSG_TRUNC));
    put("y", MSG_OOB);
    SHOW(shutdown(s[0], SHUT_WR));
    at_mark();
    get(8, 0);
    get(1, MSG_OOB);
    end();
}

static void on_urgent(int sig)
{
    (void)sig;
    nr_urgent = nr_urgent + 1;
}

static void await(int n)
{
    for (int k = 0; k < 2000 && nr_urgent < n; k++)
        usleep(5000);
    say("%d signals", nr_urgent);
}

static void signals(void)
{
    struct sigaction sa = {.sa_handler = on_urgent};
    struct epoll_event e = {.events = EPOLLPRI | EPOLLET};
    struct f_owner_ex thread = {F_OWNER_TID, gettid()};
    int ep = epoll_create1(0);
    NEED(sigaction(SIGURG, &sa, NULL) == 0);
    begin("signals", AF_INET);
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &e) == 0);
    put("x", MSG_OOB);
    SHOW(nr_urgent);
    SHOW(epoll_wait(ep, &e, 1, 10000));
    CHECK(e.events == EPOLLPRI);
    SHOW(fcntl(s[1], F_SETOWN, getpid()));
    put("y", MSG_OOB);
    await(1);
    SHOW(epoll_wait(ep, &e, 1, 10000));
    SHOW(fcntl(s[1], F_SETOWN_EX, &thread));
    put("z", MSG_OOB);
    await(2);
    end();
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    NEED(fcntl(s[1], F_SETOWN, getpid()) == 0);
    put("x", MSG_OOB);
    await(3);
    end();
    close(ep);
}

/* A call for each kind of socket that has none. */
static void nowhere(void)
{
    struct sockaddr_storage a;
    char byte;
    int l = tcp_listener(AF_INET, &a, 1), fresh = socket(AF_INET, SOCK_STREAM, 0), n = -1;
    SHOW(recv(l, &byte, 1, MSG_OOB | MSG_DONTWAIT));
    SHOW(ioctl(l, SIOCATMARK, &n));
    SHOW(recv(fresh, &byte, 1, MSG_OOB | MSG_DONTWAIT));
    SHOW(send(fresh, "x", 1, MSG_OOB | MSG_NOSIGNAL));
    SHOW(ioctl(fresh, SIOCATMARK, &n));
    SHOW(n);
    close(l);
    close(fresh);
}

int main(void)
{
    alarm(60);
    apart(AF_INET);
    apart(AF_INET6);
    inlined(AF_INET);
    one_after_another();
    all_the_same();
    signals();
    nowhere();
    return done();
}
