/* For the programs that test sockets. */
#pragma once

#include "abi.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef SIOCOUTQ
#define SIOCOUTQ TIOCOUTQ
#endif

/* An address of AF_UNIX: a path, or an abstract name when it begins with '@'. */
static inline socklen_t un_addr(struct sockaddr_un *a, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, name, strlen(name));
    if (name[0] == '@')
        a->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
}

static inline int un_bind(int fd, const char *name)
{
    struct sockaddr_un a;
    socklen_t len = un_addr(&a, name);
    return bind(fd, (struct sockaddr *)&a, len);
}

static inline int un_connect(int fd, const char *name)
{
    struct sockaddr_un a;
    socklen_t len = un_addr(&a, name);
    return connect(fd, (struct sockaddr *)&a, len);
}

static inline long un_sendto(int fd, const char *text, int flags, const char *name)
{
    struct sockaddr_un a;
    socklen_t len = un_addr(&a, name);
    return sendto(fd, text, strlen(text), flags, (struct sockaddr *)&a, len);
}

/* A name as it is told: NULs as '@'. */
static inline void say_addr(const char *what, const struct sockaddr_un *a, socklen_t len)
{
    char text[120] = "";
    size_t n = len > 2 ? len - 2 : 0;
    for (size_t i = 0; i < n && i < sizeof(a->sun_path); i++)
        text[i] = a->sun_path[i] ? a->sun_path[i] : '@';
    say("%s: family %d, length %u, \"%s\"", what, len >= 2 ? a->sun_family : -1, len, text);
}

static inline int ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
    NEED(poll(&p, 1, 0) >= 0);
    return p.revents;
}

/* Poll bits in words. */
static inline void say_ready(const char *what, int fd)
{
    int r = ready(fd);
    say("%s:%s%s%s%s%s%s", what, r & POLLIN ? " IN" : "", r & POLLOUT ? " OUT" : "",
        r & POLLPRI ? " PRI" : "", r & POLLERR ? " ERR" : "", r & POLLHUP ? " HUP" : "",
        r & POLLRDHUP ? " RDHUP" : "");
}

static inline int get_opt(int fd, int level, int name)
{
    int value = -12345;
    socklen_t len = sizeof(value);
    if (getsockopt(fd, level, name, &value, &len) < 0)
        return -errno;
    CHECK(len == sizeof(value));
    return value;
}

static inline int set_opt(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

/* Send one byte with descriptors. */
static inline long send_fds(int fd, const int *fds, int nr, int flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(253 * sizeof(int))];
    } control;
    char byte = 'F';
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control};
    memset(&control, 0, sizeof(control));
    m.msg_controllen = CMSG_SPACE((size_t)nr * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)nr * sizeof(int));
    memcpy(CMSG_DATA(c), fds, (size_t)nr * sizeof(int));
    return sendmsg(fd, &m, flags);
}

/* Receive one byte with at most `room` descriptors: how many came; *flags is msg_flags. */
static inline int recv_fds(int fd, int *fds, int room, int recv_flags, int *flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(253 * sizeof(int))];
    } control;
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    int nr = 0;
    if (room > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_LEN((size_t)room * sizeof(int));
    }
    if (recvmsg(fd, &m, recv_flags) < 0)
        return -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds + nr, CMSG_DATA(c), (size_t)n * sizeof(int));
        nr += n;
    }
    if (flags)
        *flags = m.msg_flags;
    return nr;
}

static inline long now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
