/* The edges that epoll tells of a TCP connection which ends by halves, from both sides and in every order. */
#include "inet_test.h"

#define ALL (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

static struct sockaddr_storage address;
static int listener, ep, own, peer;

static void begin(uint32_t events)
{
    struct epoll_event e = {.events = events};
    own = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(own, (struct sockaddr *)&address, sizeof(struct sockaddr_in)) == 0);
    peer = accept(listener, NULL, NULL);
    NEED(peer >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, own, &e) == 0);
}

static void tell(const char *what)
{
    struct epoll_event e;
    int n = epoll_wait(ep, &e, 1, 0);
    say(" %s: %d, %x", what, n, n == 1 ? e.events : 0);
}

static int change(uint32_t events)
{
    struct epoll_event e = {.events = events};
    return epoll_ctl(ep, EPOLL_CTL_MOD, own, &e);
}

/* What goes over the loopback interface has arrived when the call is over. */
static void halves(int how, bool writes)
{
    say("shutdown %d, %s", how, writes ? "answered" : "not answered");
    begin(ALL);
    tell("connected");
    tell("again");
    SHOW(shutdown(peer, how));
    tell("the peer's shutdown");
    tell("again");
    if (writes) {
        SHOW(send(own, "x", 1, MSG_NOSIGNAL));
        tell("a byte for the peer");
        SHOW(send(own, "x", 1, MSG_NOSIGNAL));
        say("errors %d %d", get_opt(peer, SOL_SOCKET, SO_ERROR),
            get_opt(own, SOL_SOCKET, SO_ERROR));
    }
    SHOW(shutdown(own, SHUT_WR));
    tell("no more is sent");
    SHOW(shutdown(own, SHUT_RD));
    tell("no more is read");
    close(peer);
    tell("the peer closed");
    SHOW(change(ALL));
    tell("looked at anew");
    close(own);
}

static void once(void)
{
    say("EPOLLONESHOT");
    begin(EPOLLIN | EPOLLONESHOT);
    NEED(write(peer, "a", 1) == 1);
    tell("a byte");
    NEED(write(peer, "b", 1) == 1);
    tell("spent");
    SHOW(change(EPOLLIN | EPOLLRDHUP | EPOLLONESHOT));
    tell("anew");
    close(peer);
    tell("closed while spent");
    SHOW(change(EPOLLIN | EPOLLRDHUP | EPOLLONESHOT));
    tell("anew");
    SHOW(change(EPOLLIN | EPOLLEXCLUSIVE));
    close(own);
}

static void reset(void)
{
    struct linger at_once = {1, 0};
    char byte;
    say("reset");
    begin(ALL);
    tell("connected");
    NEED(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    close(peer);
    tell("reset");
    SHOW(read(own, &byte, 1));
    SHOW(read(own, &byte, 1));
    tell("told");
    close(own);
}

static void exclusive(void)
{
    static const uint32_t events[] = {EPOLLIN,    EPOLLOUT,     EPOLLERR, EPOLLHUP,    EPOLLPRI,
                                      EPOLLRDHUP, EPOLLONESHOT, EPOLLET,  EPOLLRDNORM, 1u << 20};
    say("EPOLLEXCLUSIVE");
    begin(EPOLLIN);
    for (size_t i = 0; i < NR(events); i++) {
        struct epoll_event e = {.events = EPOLLEXCLUSIVE | events[i]};
        say("with %x", events[i]);
        epoll_ctl(ep, EPOLL_CTL_DEL, own, NULL);
        if (SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, own, &e)) == 0)
            SHOW(change(EPOLLIN));
    }
    close(own);
    close(peer);
}

int main(void)
{
    listener = tcp_listener(AF_INET, &address, 5);
    ep = epoll_create1(0);
    for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
        halves(how, false);
        halves(how, true);
    }
    once();
    reset();
    exclusive();
    return done();
}
