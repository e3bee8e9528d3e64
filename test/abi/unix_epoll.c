/* What epoll tells of AF_UNIX sockets, edge by edge. */
#include "socket_test.h"

static int ep;

static void watch(int fd, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
}

/* What is reported now. */
static void edges(const char *what)
{
    struct epoll_event ev[4];
    int n = epoll_wait(ep, ev, 4, 0);
    char text[200] = "";
    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s%s%s%s%s",
                 ev[i].events & EPOLLIN ? "IN" : "", ev[i].events & EPOLLOUT ? "+OUT" : "",
                 ev[i].events & EPOLLHUP ? "+HUP" : "", ev[i].events & EPOLLRDHUP ? "+RDHUP" : "",
                 ev[i].events & EPOLLERR ? "+ERR" : "");
    say("%s: %d%s", what, n, text);
}

static void stream(int type)
{
    int s[2];
    char buf[100];
    static char big[300000];
    NEED(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s) == 0);
    ep = epoll_create1(0);
    watch(s[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    edges("added");
    edges("again");
    NEED(send(s[1], "abc", 3, 0) == 3);
    edges("three bytes came");
    edges("nobody read");
    NEED(send(s[1], "d", 1, 0) == 1);
    edges("one more came");
    NEED(recv(s[0], buf, 1, 0) == 1);
    edges("one was read");
    while (recv(s[0], buf, 100, 0) > 0)
        ;
    edges("all was read");
    NEED(send(s[0], "x", 1, 0) == 1);
    edges("one was sent");
    NEED(recv(s[1], buf, 1, 0) == 1);
    edges("the peer read it");
    while (send(s[0], big, type == SOCK_STREAM ? 30000 : 1000, 0) > 0)
        ;
    edges("full");
    while (recv(s[1], big, sizeof big, 0) > 0)
        ;
    edges("drained");
    NEED(shutdown(s[1], SHUT_WR) == 0);
    edges("the peer sends no more");
    edges("again");
    NEED(close(s[1]) == 0);
    edges("the peer closed");
    edges("again");
    close(s[0]);
    edges("closed");
    close(ep);
}

static void level_and_once(void)
{
    int s[2];
    char buf[4];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    ep = epoll_create1(0);
    watch(s[0], EPOLLIN);
    watch(s[1], EPOLLIN | EPOLLONESHOT);
    edges("nothing");
    NEED(write(s[1], "ab", 2) == 2 && write(s[0], "cd", 2) == 2);
    edges("both");
    edges("once was enough for one");
    NEED(read(s[0], buf, 1) == 1);
    edges("half read");
    NEED(read(s[0], buf, 1) == 1);
    edges("all read");
    NEED(write(s[0], "e", 1) == 1);
    edges("spent");
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = s[1]};
    NEED(epoll_ctl(ep, EPOLL_CTL_MOD, s[1], &ev) == 0);
    edges("armed again");
    close(s[0]);
    close(s[1]);
    close(ep);
}

static void listening(void)
{
    int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c[3];
    ep = epoll_create1(0);
    watch(l, EPOLLIN | EPOLLOUT | EPOLLET);
    edges("fresh");
    NEED(un_bind(l, "@abi-epoll") == 0 && listen(l, 5) == 0);
    edges("listening");
    for (int i = 0; i < 3; i++) {
        c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        NEED(un_connect(c[i], "@abi-epoll") == 0);
        edges("someone came");
    }
    int a = accept(l, NULL, NULL);
    edges("one was accepted");
    close(accept(l, NULL, NULL));
    close(accept(l, NULL, NULL));
    SHOW(accept(l, NULL, NULL));
    edges("all were");
    watch(c[0], EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP);
    edges("the client");
    close(a);
    edges("its end closed");
    for (int i = 0; i < 3; i++)
        close(c[i]);
    close(l);
    close(ep);
}

int main(void)
{
    say("streams");
    stream(SOCK_STREAM);
    say("packets");
    stream(SOCK_SEQPACKET);
    level_and_once();
    listening();
    return done();
}
