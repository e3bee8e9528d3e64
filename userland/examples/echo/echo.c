/* A server that sends back what it gets, on one thread, with epoll: echo [PORT]. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUF_SIZE 16384

/* A client whose bytes could not all be sent back yet. */
struct client {
    int fd;
    size_t at, len;
    char buf[BUF_SIZE];
};

static int epoll;

static void watch(int op, int fd, unsigned events, struct client *c)
{
    struct epoll_event ev = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, op, fd, &ev)) {
        perror("epoll_ctl");
        exit(1);
    }
}

static void end(struct client *c)
{
    close(c->fd);
    free(c);
}

/* Send what is there, then read more, until one of both would wait. */
static void serve(struct client *c)
{
    for (;;) {
        while (c->at < c->len) {
            ssize_t n = send(c->fd, c->buf + c->at, c->len - c->at, MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN) {
                watch(EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
                return;
            }
            if (n < 0) {
                end(c);
                return;
            }
            c->at += (size_t)n;
        }
        ssize_t n = recv(c->fd, c->buf, BUF_SIZE, 0);
        if (n < 0 && errno == EAGAIN) {
            watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
            return;
        }
        if (n <= 0) {
            end(c);
            return;
        }
        c->at = 0;
        c->len = (size_t)n;
    }
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct client *c = malloc(sizeof *c);
        if (!c) {
            close(fd);
            continue;
        }
        c->fd = fd; /* the buffer takes memory when it is used */
        c->at = c->len = 0;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                               .sin6_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 7))};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* as many clients as may be */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 1024)) {
        perror("echo");
        return 1;
    }
    epoll = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    puts("listening");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                accept_all(listener);
        }
    }
}
