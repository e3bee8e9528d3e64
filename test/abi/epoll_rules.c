/* epoll: edge, one-shot, exclusive and nested, descriptors that are closed or given twice, all errors. */
#include "abi.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ep;

static long ctl(int op, int fd, unsigned events, int data)
{
    struct epoll_event e = {.events = events, .data.u32 = (uint32_t)data};
    return epoll_ctl(ep, op, fd, &e);
}

static void show(const char *what)
{
    struct epoll_event e[10];
    int n = epoll_wait(ep, e, 10, 0);
    char text[200] = "";
    for (int i = 0; i < n; i++)
        sprintf(text + strlen(text), " %x of %u", e[i].events, e[i].data.u32);
    say("  %s: %d%s", what, n, text);
}

static void test_errors(void)
{
    say("-- errors");
    struct epoll_event e;
    int fd = eventfd(0, 0), file = open("/proc/self/stat", O_RDONLY),
        other = open("/dev/zero", O_RDONLY);
    SHOW(epoll_create(0));
    SHOW(epoll_create(-1));
    SHOW(epoll_create1(1));
    SHOW(ctl(EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    SHOW(ctl(EPOLL_CTL_ADD, ep, EPOLLIN, 0));
    SHOW(ctl(EPOLL_CTL_MOD, fd, EPOLLIN, 0));
    SHOW(ctl(EPOLL_CTL_DEL, fd, 0, 0));
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    SHOW(ctl(77, fd, EPOLLIN, 1));
    SHOW(ctl(EPOLL_CTL_ADD, other, EPOLLIN, 1));
    SHOW(ctl(EPOLL_CTL_ADD, open(".", O_RDONLY), EPOLLIN, 1));
    (void)file;
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, fd, NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
    SHOW(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &e));
    SHOW(epoll_ctl(99, EPOLL_CTL_ADD, fd, &e));
    SHOW(epoll_wait(fd, &e, 1, 0));
    SHOW(epoll_wait(99, &e, 1, 0));
    SHOW(epoll_wait(ep, &e, 0, 0));
    SHOW(epoll_wait(ep, &e, -1, 0));
    SHOW(epoll_wait(ep, &e, 0x7fffffff, 0));
    SHOW(epoll_wait(ep, (void *)8, 1, 0));
    SHOW(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &e, 7));
    close(fd);
}

static void test_triggers(void)
{
    say("-- edge and one-shot");
    uint64_t one = 1, v;
    int edge = eventfd(0, EFD_NONBLOCK), shot = eventfd(0, EFD_NONBLOCK),
        level = eventfd(0, EFD_NONBLOCK);
    SHOW(ctl(EPOLL_CTL_ADD, edge, EPOLLIN | EPOLLOUT | EPOLLET, 1));
    show("an edge at first");
    show("no edge");
    NEED(write(edge, &one, 8) == 8);
    show("an edge");
    NEED(write(edge, &one, 8) == 8);
    show("another, though it was ready");
    NEED(read(edge, &v, 8) == 8);
    show("it is writable, still");
    SHOW(ctl(EPOLL_CTL_MOD, edge, EPOLLIN | EPOLLOUT | EPOLLET, 2));
    show("changed");
    SHOW(ctl(EPOLL_CTL_DEL, edge, 0, 0));
    SHOW(ctl(EPOLL_CTL_ADD, shot, EPOLLIN | EPOLLONESHOT, 3));
    NEED(write(shot, &one, 8) == 8);
    show("once");
    NEED(write(shot, &one, 8) == 8);
    show("never more");
    SHOW(ctl(EPOLL_CTL_ADD, shot, EPOLLIN, 3));
    SHOW(ctl(EPOLL_CTL_MOD, shot, EPOLLIN | EPOLLONESHOT, 4));
    show("armed again");
    SHOW(ctl(EPOLL_CTL_DEL, shot, 0, 0));
    SHOW(ctl(EPOLL_CTL_ADD, level, EPOLLIN, 5));
    NEED(write(level, &one, 8) == 8);
    show("level");
    show("level");
    NEED(read(level, &v, 8) == 8);
    show("nothing");
    SHOW(ctl(EPOLL_CTL_DEL, level, 0, 0));
}

static void test_exclusive(void)
{
    say("-- exclusive");
    int fd = eventfd(1, 0), inner = epoll_create1(0);
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
    show("ready");
    SHOW(ctl(EPOLL_CTL_MOD, fd, EPOLLIN, 1));
    SHOW(ctl(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 1));
    SHOW(ctl(EPOLL_CTL_DEL, fd, 0, 0));
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLPRI | EPOLLEXCLUSIVE, 1));
    SHOW(ctl(EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE, 1));
    close(fd);
    close(inner);
}

static void test_nested(void)
{
    say("-- nested");
    int inner = epoll_create1(0), fd = eventfd(0, 0), depth[8];
    struct epoll_event e = {.events = EPOLLIN};
    uint64_t one = 1, v;
    NEED(epoll_ctl(inner, EPOLL_CTL_ADD, fd, &e) == 0);
    SHOW(ctl(EPOLL_CTL_ADD, inner, EPOLLIN, 1));
    show("quiet");
    NEED(write(fd, &one, 8) == 8);
    show("through two");
    struct pollfd p = {ep, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    NEED(read(fd, &v, 8) == 8);
    show("quiet again");
    SHOW(epoll_ctl(inner, EPOLL_CTL_ADD, ep, &e)); /* a circle */
    for (int i = 0; i < 8; i++) {
        depth[i] = epoll_create1(0);
        if (i > 0)
            say("depth %d: %s", i,
                epoll_ctl(depth[i], EPOLL_CTL_ADD, depth[i - 1], &e) ? strerror(errno) : "fine");
    }
    for (int i = 0; i < 8; i++)
        close(depth[i]);
    SHOW(ctl(EPOLL_CTL_DEL, inner, 0, 0));
    close(inner);
    close(fd);
}

static void test_closed(void)
{
    say("-- closed");
    int p[2], twin;
    char c;
    NEED(pipe(p) == 0);
    SHOW(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    twin = dup(p[0]);
    SHOW(ctl(EPOLL_CTL_ADD, twin, EPOLLIN, 2)); /* another descriptor of the same file */
    NEED(write(p[1], "x", 1) == 1);
    show("both");
    close(p[0]);
    show("both still");
    SHOW(ctl(EPOLL_CTL_DEL, p[0], 0, 0));
    close(twin);
    show("gone");
    NEED(pipe(p) == 0);
    SHOW(ctl(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLRDHUP, 1));
    SHOW(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT, 2));
    show("writable");
    NEED(write(p[1], "x", 1) == 1);
    close(p[1]);
    show("data and hang-up");
    NEED(read(p[0], &c, 1) == 1);
    show("hang-up");
    SHOW(ctl(EPOLL_CTL_MOD, p[0], 0, 3)); /* which cannot be refused */
    show("hang-up");
    close(p[0]);
    NEED(pipe(p) == 0);
    SHOW(ctl(EPOLL_CTL_ADD, p[1], EPOLLOUT, 4));
    close(p[0]);
    show("nobody reads");
    close(p[1]);
    show("nothing");
}

static void test_widened(void)
{
    say("-- events that were not asked for at first");
    int fd = eventfd(0, 0);
    uint64_t n = UINT64_MAX - 1;
    SHOW(ctl(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 1));
    NEED(write(fd, &n, 8) == 8);
    show("full");
    SHOW(ctl(EPOLL_CTL_MOD, fd, EPOLLOUT | EPOLLET, 2));
    show("no room");
    NEED(read(fd, &n, 8) == 8);
    show("room");
    SHOW(ctl(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLET, 3));
    show("room");
    show("nothing new");
    n = 1;
    NEED(write(fd, &n, 8) == 8);
    show("written");
    NEED(read(fd, &n, 8) == 8);
    show("read");
    close(fd);
}

int main(void)
{
    ep = epoll_create1(EPOLL_CLOEXEC);
    test_errors();
    test_triggers();
    test_exclusive();
    test_nested();
    test_closed();
    test_widened();
    return done();
}
