/* epoll of epolls: events that go up, circles and depth refused, descriptors that are closed while watched, and
 * duplicates of them. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "abi.h"

static int watch(int epoll, int fd, unsigned events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static void say_events(const char *what, int epoll)
{
    struct epoll_event e[8];
    int n = epoll_wait(epoll, e, 8, 0);
    char text[200] = "";

    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %x:%d", e[i].events,
                 (int)e[i].data.u64);
    say("%s: %d%s", what, n, text);
}

static void nested(void)
{
    int event = eventfd(0, EFD_NONBLOCK), inner = epoll_create1(0), outer = epoll_create1(0);
    uint64_t one = 1;

    NEED(watch(inner, event, EPOLLIN, 1) == 0 && watch(outer, inner, EPOLLIN, 2) == 0);
    say_events("quiet", outer);
    NEED(write(event, &one, 8) == 8);
    struct pollfd p = {outer, POLLIN, 0};
    say("poll of the outer: %d %x", poll(&p, 1, 0), p.revents);
    say_events("outer", outer);
    say_events("inner", inner);
    NEED(read(event, &one, 8) == 8);
    say_events("outer, read", outer);
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET, .data.u64 = 3};
    NEED(epoll_ctl(outer, EPOLL_CTL_MOD, inner, &edge) == 0);
    NEED(write(event, &one, 8) == 8);
    say_events("edge", outer);
    say_events("edge again", outer);
    NEED(write(event, &one, 8) == 8);
    say_events("a new edge", outer);
    close(inner);
    say_events("the inner closed", outer);
    close(event);
    close(outer);
}

static void circles(void)
{
    int e[8];

    for (size_t i = 0; i < NR(e); i++)
        e[i] = epoll_create1(0);
    SHOW(watch(e[0], e[0], EPOLLIN, 0));
    SHOW(watch(e[0], e[1], EPOLLIN, 0));
    SHOW(watch(e[1], e[0], EPOLLIN, 0));
    SHOW(watch(e[1], e[2], EPOLLIN, 0));
    SHOW(watch(e[2], e[0], EPOLLIN, 0));
    SHOW(watch(e[2], e[3], EPOLLIN, 0));
    SHOW(watch(e[3], e[4], EPOLLIN, 0));
    SHOW(watch(e[4], e[5], EPOLLIN, 0));
    SHOW(watch(e[5], e[6], EPOLLIN, 0));
    SHOW(watch(e[0], e[1], EPOLLIN, 0));
    for (size_t i = 0; i < NR(e); i++)
        close(e[i]);
}

static void closed(void)
{
    int ends[2], epoll = epoll_create1(0);

    NEED(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    NEED(watch(epoll, ends[0], EPOLLIN, 1) == 0);
    int copy = dup(ends[0]);
    SHOW(watch(epoll, copy, EPOLLIN, 2)); /* the same pipe, another number */
    say_events("both", epoll);
    close(ends[0]); /* the open file lives on in its duplicate */
    say_events("one number closed", epoll);
    struct epoll_event e = {.events = EPOLLIN};
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], &e));
    close(copy);
    say_events("both closed", epoll);
    NEED(pipe(ends) == 0);
    SHOW(watch(epoll, ends[0], EPOLLIN, 3)); /* a number used again */
    say_events("a new pipe", epoll);
    close(ends[1]);
    say_events("its writer gone", epoll);
    SHOW(watch(epoll, epoll, EPOLLIN, 0));
    int file = open("file", O_CREAT | O_RDWR, 0600);
    SHOW(watch(epoll, file, EPOLLIN, 0));
    unlink("file");
}

static void kinds(void)
{
    int event = eventfd(1, EFD_NONBLOCK), epoll = epoll_create1(0), other = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE};

    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &e));
    e.events = EPOLLIN;
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &e));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
    SHOW(watch(epoll, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0));
    SHOW(watch(epoll, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP, 0));
    SHOW(watch(epoll, other, EPOLLIN | EPOLLEXCLUSIVE, 0));
    SHOW(watch(epoll, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET | EPOLLOUT, 4));
    say_events("exclusive", epoll);
    SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, event, NULL));
    SHOW(watch(epoll, event, 0, 5)); /* errors only */
    say_events("nothing asked", epoll);
    e = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 6};
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &e));
    say_events("once", epoll);
    say_events("and no more", epoll);
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &e));
    say_events("armed again", epoll);
}

int main(void)
{
    nested();
    circles();
    closed();
    kinds();
    return done();
}
