/* Errors that ICMP reports to UDP sockets: SO_ERROR, and the queue of IP_RECVERR. */
#include "inet_test.h"

#include <linux/errqueue.h>

static int family, level, option;

static void dead_port(struct sockaddr_storage *a)
{
    close(inet_bound(family, SOCK_DGRAM, a));
}

static bool is_quiet(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

static long receive(int fd, struct msghdr *m, size_t room, size_t control_room, int flags)
{
    static struct sockaddr_storage name;
    static struct iovec iov;
    static char buf[2000];
    static union {
        struct cmsghdr align;
        char room[512];
    } control;
    memset(buf, 0, sizeof buf);
    iov = (struct iovec){buf, room};
    *m = (struct msghdr){.msg_name = &name,
                         .msg_namelen = sizeof name,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = control_room};
    return recvmsg(fd, m, flags | MSG_DONTWAIT);
}

static void show(int fd, size_t room, size_t control_room, const struct sockaddr_storage *to)
{
    struct msghdr m;
    long n = receive(fd, &m, room, control_room, MSG_ERRQUEUE);
    if (n < 0) {
        say("queue: %s", strerror(errno));
        return;
    }
    say("queue: %ld bytes \"%.8s\", flags %x, name of %u, control of %d", n,
        (char *)m.msg_iov->iov_base, m.msg_flags, m.msg_namelen, m.msg_controllen > 0);
    CHECK(port_of(m.msg_name) == port_of(to) && is_loopback(m.msg_name));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        struct sock_extended_err e;
        say(" item %d %d of %zu", c->cmsg_level, c->cmsg_type, (size_t)(c->cmsg_len - CMSG_LEN(0)));
        if (c->cmsg_len < CMSG_LEN(sizeof e) || c->cmsg_level != level || c->cmsg_type != option)
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        say(" %s, origin %d, type %d, code %d, info %u, data %u", strerror((int)e.ee_errno),
            e.ee_origin, e.ee_type, e.ee_code, e.ee_info, e.ee_data);
        struct sockaddr_storage offender = {0};
        memcpy(&offender, CMSG_DATA(c) + sizeof e, c->cmsg_len - CMSG_LEN(sizeof e));
        say(" offender: family %d, port %d, %s", offender.ss_family, port_of(&offender),
            is_loopback(&offender) ? "loopback" : "elsewhere");
    }
}

static void unconnected(void)
{
    struct sockaddr_storage a, b;
    char byte;
    int c = socket(family, SOCK_DGRAM, 0);
    dead_port(&a);
    /* Without the queue nobody hears of it. */
    SHOW(sendto(c, "lost", 4, 0, (struct sockaddr *)&a, addr_len(family)));
    CHECK(is_quiet(c));
    say("%d", get_opt(c, SOL_SOCKET, SO_ERROR));
    show(c, 100, 256, &a);
    say("%d", get_opt(c, level, option));
    SHOW(set_opt(c, level, option, 1));
    say("%d", get_opt(c, level, option));
    SHOW(sendto(c, "first", 5, 0, (struct sockaddr *)&a, addr_len(family)));
    say_ready("after the first", c);
    SHOW(sendto(c, "second", 6, 0, (struct sockaddr *)&a, addr_len(family)));
    SHOW(sendto(c, "second", 6, 0, (struct sockaddr *)&a, addr_len(family)));
    say_ready("after the second", c);
    SHOW(recv(c, &byte, 1, MSG_DONTWAIT));
    SHOW(recv(c, &byte, 1, MSG_DONTWAIT));
    say_ready("without a pending error", c);
    show(c, 100, 256, &a);
    say_ready("one is left", c);
    say("%d", get_opt(c, SOL_SOCKET, SO_ERROR));
    show(c, 100, 256, &a);
    say_ready("none", c);
    show(c, 100, 256, &a);
    /* An empty datagram, and little room. */
    SHOW(sendto(c, "", 0, 0, (struct sockaddr *)&a, addr_len(family)));
    show(c, 100, 256, &a);
    SHOW(sendto(c, "longer", 6, 0, (struct sockaddr *)&a, addr_len(family)));
    show(c, 3, 24, &a);
    say("%d", get_opt(c, SOL_SOCKET, SO_ERROR));
    static char big[1000];
    memset(big, 'b', sizeof big);
    SHOW(sendto(c, big, sizeof big, 0, (struct sockaddr *)&a, addr_len(family)));
    show(c, 2000, 0, &a);
    /* Off: what waits is gone, the pending error is not. */
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&a, addr_len(family)));
    SHOW(set_opt(c, level, option, 0));
    show(c, 100, 256, &a);
    say_ready("off", c);
    say("%d", get_opt(c, SOL_SOCKET, SO_ERROR));
    /* The errors of one do not disturb the data of another. */
    int s = inet_bound(family, SOCK_DGRAM, &b);
    SHOW(set_opt(c, level, option, 1));
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&a, addr_len(family)));
    loopback(family, &b, local_port(c));
    SHOW(sendto(s, "data", 4, 0, (struct sockaddr *)&b, addr_len(family)));
    char buf[8];
    SHOW(recv(c, buf, 8, MSG_DONTWAIT));
    SHOW(recv(c, buf, 8, MSG_DONTWAIT));
    say_ready("still queued", c);
    close(s);
    close(c);
}

static void connected(void)
{
    struct sockaddr_storage a;
    int c = socket(family, SOCK_DGRAM, 0);
    dead_port(&a);
    SHOW(set_opt(c, level, option, 5));
    say("%d", get_opt(c, level, option));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(send(c, "hello", 5, 0));
    say_ready("refused", c);
    show(c, 100, 256, &a);
    SHOW(send(c, "again", 5, 0));
    SHOW(send(c, "again", 5, 0));
    show(c, 100, 256, &a);
    show(c, 100, 256, &a);
    if (family == AF_INET6) {
        SHOW(set_opt(c, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
        SHOW(set_opt(c, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
    }
    close(c);
}

static void others(void)
{
    struct msghdr m;
    char value = 1;
    int t = socket(family, SOCK_STREAM, 0), u = socket(AF_UNIX, SOCK_DGRAM, 0);
    SHOW(set_opt(t, level, option, 1));
    say("%d", get_opt(t, level, option));
    SHOW(receive(t, &m, 10, 64, MSG_ERRQUEUE));
    SHOW(set_opt(u, level, option, 1));
    SHOW(setsockopt(t, level, option, &value, 1));
    SHOW(setsockopt(t, level, option, &value, 0));
    close(t);
    close(u);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
        option = family == AF_INET ? IP_RECVERR : IPV6_RECVERR;
        say("family %d", family);
        unconnected();
        connected();
        others();
    }
    return done();
}
