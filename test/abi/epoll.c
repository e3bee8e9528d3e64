/* epoll: level, edge and one-shot, changes, errors, epoll in epoll, closed descriptors. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "abi.h"

static int epoll;

static void wait_for(const char *what, int timeout)
{
    struct epoll_event events[8];
    char line[200] = "";
    int n = epoll_wait(epoll, events, 8, timeout);

    /* Order is not promised: print sorted by their data. */
    for (uint64_t data = 0; data < 100; data++)
        for (int i = 0; i < n; i++)
            if (events[i].data.u64 == data)
                snprintf(line + strlen(line), sizeof line - strlen(line), " %lu:%x", data,
                         events[i].events);
    say("%s: %d%s", what, n, line);
}

static int control(int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return epoll_ctl(epoll, op, fd, &event);
}

static void *write_later(void *arg)
{
    wait_until_asleep(getpid());
    NEED(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

int main(void)
{
    int ends[2], event, file = open("f", O_RDWR | O_CREAT, 0600);
    struct epoll_event none;
    char buffer[10];
    pthread_t thread;

    epoll = epoll_create1(EPOLL_CLOEXEC);
    event = eventfd(0, EFD_NONBLOCK);
    NEED(epoll >= 0 && event >= 0 && file >= 0 && pipe2(ends, O_NONBLOCK) == 0);
    SHOW(control(EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_ADD, ends[1], EPOLLOUT, 2));
    wait_for("at first", 0);
    NEED(write(ends[1], "ab", 2) == 2);
    wait_for("two bytes", -1);
    wait_for("level: again", 0);
    SHOW(control(EPOLL_CTL_MOD, ends[1], 0, 2));
    SHOW(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 1));
    wait_for("edge: once", 0);
    wait_for("edge: not again", 0);
    NEED(read(ends[0], buffer, 1) == 1);
    wait_for("edge: half read", 0);
    NEED(write(ends[1], "c", 1) == 1);
    wait_for("edge: a new byte", 0);
    SHOW(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 3));
    wait_for("one shot", 0);
    NEED(write(ends[1], "d", 1) == 1);
    wait_for("one shot: spent", 0);
    SHOW(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 4));
    wait_for("one shot: armed again", 0);
    SHOW(control(EPOLL_CTL_MOD, ends[0], EPOLLIN, 1));
    NEED(read(ends[0], buffer, 10) == 3);
    wait_for("empty", 20);
    NEED(pthread_create(&thread, NULL, write_later, &ends[1]) == 0);
    wait_for("woken by a writer", -1);
    pthread_join(thread, NULL);

    SHOW(control(EPOLL_CTL_ADD, event, EPOLLIN | EPOLLOUT, 5));
    wait_for("with an eventfd", 0);
    NEED(write(event, &(uint64_t){3}, 8) == 8);
    wait_for("which is counted up", 0);
    struct epoll_event one[1];
    SHOW(epoll_wait(epoll, one, 1, 0)); /* the rest is not forgotten */
    SHOW(control(EPOLL_CTL_DEL, event, 0, 0));
    wait_for("removed", 0);

    /* epoll in epoll. */
    int inner = epoll, outer = epoll_create1(0);
    epoll = outer;
    SHOW(control(EPOLL_CTL_ADD, inner, EPOLLIN, 9));
    wait_for("outer, inner ready", 0);
    NEED(read(ends[0], buffer, 10) == 1);
    wait_for("outer, inner empty", 0);
    struct pollfd p = {inner, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    NEED(write(ends[1], "x", 1) == 1);
    SHOW(poll(&p, 1, 0));
    wait_for("outer, inner ready", 0);
    epoll = inner;
    SHOW(control(EPOLL_CTL_ADD, outer, EPOLLIN, 1)); /* a loop */

    SHOW(control(EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_MOD, event, EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_DEL, event, 0, 1));
    SHOW(control(EPOLL_CTL_ADD, file, EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_ADD, epoll, EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_ADD, 99, EPOLLIN, 1));
    SHOW(control(77, ends[0], EPOLLIN, 1));
    SHOW(epoll_ctl(99, EPOLL_CTL_ADD, ends[0], &none));
    SHOW(epoll_ctl(file, EPOLL_CTL_ADD, ends[0], &none));
    SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], (void *)8));
    SHOW(epoll_wait(epoll, &none, 0, 0));
    SHOW(epoll_wait(epoll, &none, -1, 0));
    SHOW(epoll_wait(epoll, (void *)8, 1, 0));
    SHOW(epoll_wait(file, &none, 1, 0));
    SHOW(epoll_wait(99, &none, 1, 0));
    SHOW(syscall(SYS_epoll_create, 0));
    SHOW(syscall(SYS_epoll_create1, 1));

    /* Closing takes a descriptor out, unless the open file has another one. */
    int copy = dup(ends[0]);
    close(ends[0]);
    wait_for("closed, but dup'ed", 0);
    close(copy);
    wait_for("closed", 0);
    NEED(pipe(ends) == 0);
    SHOW(control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLRDHUP, 6));
    close(ends[1]);
    wait_for("the writer is gone", -1);
    unlink("f");
    return done();
}
