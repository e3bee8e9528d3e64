/* Several threads in one epoll_wait: each event goes to one of them, with EPOLLET, EPOLLONESHOT and
 * EPOLLEXCLUSIVE; a thousand descriptors. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "abi.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif
#define PIPES 400

static int epoll, stop_event;
static unsigned taken, spurious;
static int pipes[PIPES][2];

static void *take(void *arg)
{
    struct epoll_event event;
    char byte;

    for (;;) {
        NEED(epoll_wait(epoll, &event, 1, -1) == 1);
        if (event.data.fd == stop_event)
            return arg;
        if (read(event.data.fd, &byte, 1) == 1)
            __atomic_fetch_add(&taken, 1, __ATOMIC_RELEASE);
        else
            __atomic_fetch_add(&spurious, 1, __ATOMIC_RELAXED);
        struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = event.data.fd};
        NEED(epoll_ctl(epoll, EPOLL_CTL_MOD, event.data.fd, &again) == 0);
    }
}

int main(void)
{
    pthread_t threads[4];

    epoll = epoll_create1(0);
    for (int i = 0; i < PIPES; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
        NEED(pipe2(pipes[i], O_NONBLOCK) == 0);
        event.data.fd = pipes[i][0];
        NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &event) == 0);
    }
    for (size_t i = 0; i < NR(threads); i++)
        NEED(pthread_create(&threads[i], NULL, take, NULL) == 0);
    for (unsigned round = 1; round <= 5; round++) {
        for (int i = 0; i < PIPES; i++)
            NEED(write(pipes[i][1], "x", 1) == 1);
        while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) < round * PIPES)
            sched_yield();
    }
    say("taken %u, spurious %u", taken, spurious);
    stop_event = eventfd(1, 0);
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = stop_event};
    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, stop_event, &stop) == 0);
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    say("all stopped");
    int other = epoll_create1(0);
    struct epoll_event exclusive = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = 1};
    SHOW(epoll_ctl(other, EPOLL_CTL_ADD, stop_event, &exclusive));
    SHOW(epoll_wait(other, &exclusive, 1, 0));
    exclusive.events = EPOLLIN | EPOLLEXCLUSIVE;
    SHOW(epoll_ctl(other, EPOLL_CTL_MOD, stop_event, &exclusive));
    exclusive.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
    SHOW(epoll_ctl(other, EPOLL_CTL_ADD, pipes[0][0], &exclusive));
    return done();
}
