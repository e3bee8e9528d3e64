/* For the programs that test Internet sockets over the loopback interface. */
#pragma once

#include "socket_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static inline socklen_t addr_len(int family)
{
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* The loopback address with a port. */
static inline void loopback(int family, struct sockaddr_storage *a, int port)
{
    memset(a, 0, sizeof *a);
    a->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        ((struct sockaddr_in6 *)a)->sin6_addr = in6addr_loopback;
        ((struct sockaddr_in6 *)a)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ((struct sockaddr_in *)a)->sin_port = htons((uint16_t)port);
    }
}

static inline int port_of(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

static inline bool is_loopback(const struct sockaddr_storage *a)
{
    struct sockaddr_storage l;
    loopback(a->ss_family, &l, port_of(a));
    return a->ss_family == AF_INET6 ? !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                                              &((struct sockaddr_in6 *)&l)->sin6_addr, 16)
                                    : !memcmp(a, &l, 8);
}

static inline int local_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    NEED(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    return port_of(&a);
}

/* Bound to a free port of the loopback address, which *a tells. */
static inline int inet_bound(int family, int type, struct sockaddr_storage *a)
{
    int s = socket(family, type, 0);
    loopback(family, a, 0);
    NEED(s >= 0 && bind(s, (struct sockaddr *)a, addr_len(family)) == 0);
    loopback(family, a, local_port(s));
    return s;
}

static inline int tcp_listener(int family, struct sockaddr_storage *a, int backlog)
{
    int s = inet_bound(family, SOCK_STREAM, a);
    NEED(listen(s, backlog) == 0);
    return s;
}

/* Until there is something to read, or an end, or an error. */
static inline void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    NEED(poll(&p, 1, 10000) == 1);
}
