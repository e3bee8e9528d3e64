/* UDP over the loopback interface. */
#include "inet_test.h"

static int family;

static void basics(void)
{
    struct sockaddr_storage a, b, from;
    socklen_t len = sizeof from;
    char buf[64];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0), n = -1;
    say_ready("fresh", c);
    SHOW(send(c, "x", 1, 0));
    SHOW(sendto(c, "hello", 5, 0, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(c) != 0);
    wait_readable(s);
    SHOW(ioctl(s, FIONREAD, &n));
    say("readable %d", n);
    SHOW(recvfrom(s, buf, 3, MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&from, &len));
    say("family %d, length %u, %s", from.ss_family, len,
        is_loopback(&from) ? "loopback" : "elsewhere");
    CHECK(port_of(&from) == local_port(c));
    SHOW(recv(s, buf, 3, 0));
    SHOW(recv(s, buf, 3, MSG_DONTWAIT));
    SHOW(sendto(c, "", 0, 0, (struct sockaddr *)&a, addr_len(family)));
    wait_readable(s);
    SHOW(recv(s, buf, 3, 0));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(send(c, "connected", 9, 0));
    struct iovec iov = {buf, 4};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof from};
    wait_readable(s);
    SHOW(recvmsg(s, &m, 0));
    say("flags %x, name %u", m.msg_flags, m.msg_namelen);
    /* Only the peer is heard. */
    int other = inet_bound(family, SOCK_DGRAM, &b);
    loopback(family, &b, local_port(c));
    SHOW(sendto(other, "stranger", 8, 0, (struct sockaddr *)&b, addr_len(family)));
    SHOW(sendto(s, "peer", 4, 0, (struct sockaddr *)&b, addr_len(family)));
    wait_readable(c);
    SHOW(recv(c, buf, 64, 0));
    len = sizeof from;
    SHOW(getpeername(c, (struct sockaddr *)&from, &len));
    CHECK(port_of(&from) == port_of(&a));
    static char big[70000], back[70000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 3 + i / 256);
    SHOW(send(c, big, 60000, 0));
    wait_readable(s);
    SHOW(recv(s, back, sizeof back, 0));
    CHECK(memcmp(big, back, 60000) == 0);
    if (family == AF_INET)
        SHOW(send(c, big, 65508, 0));
    SHOW(send(c, big, 70000, 0));
    close(other);
    close(s);
    close(c);
}

static void errors(void)
{
    struct sockaddr_storage a, none = {.ss_family = AF_UNSPEC};
    char buf[8];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0);
    int t = socket(family, SOCK_DGRAM, 0);
    SHOW(bind(t, (struct sockaddr *)&a, addr_len(family)));
    SHOW(bind(s, (struct sockaddr *)&a, addr_len(family)));
    SHOW(listen(s, 1));
    SHOW(accept(s, NULL, NULL));
    SHOW(shutdown(s, SHUT_RD));
    close(s);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    SHOW(send(c, "x", 1, 0));
    wait_readable(c);
    say_ready("nobody there", c);
    SHOW(send(c, "x", 1, 0));
    SHOW(recv(c, buf, 8, MSG_DONTWAIT) == -1);
    SHOW(connect(c, (struct sockaddr *)&none, sizeof(sa_family_t) + 14));
    SHOW(send(c, "x", 1, 0));
    loopback(family, &a, 0);
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&a, addr_len(family)));
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&a, 5));
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)8, 16));
    struct timeval tv = {0, 30000};
    SHOW(setsockopt(t, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    long start = now_ms();
    SHOW(recv(t, buf, 8, 0));
    CHECK(now_ms() - start >= 29);
    close(c);
    close(t);
}

/* Without its peer a socket has no source either, unless bind(2) gave it one. */
static void no_peer_any_more(void)
{
    struct sockaddr_storage a, own, none = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof own;
    char buf[8];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(c) != 0);
    SHOW(connect(c, (struct sockaddr *)&none, sizeof none));
    NEED(getsockname(c, (struct sockaddr *)&own, &len) == 0);
    say("port %d, %s", port_of(&own), is_loopback(&own) ? "loopback" : "any");
    SHOW(sendto(c, "again", 5, 0, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(c) != 0);
    /* Who reads no more still has what came before, and hears what comes. */
    wait_readable(s);
    SHOW(shutdown(s, SHUT_RD));
    SHOW(recv(s, buf, 8, MSG_DONTWAIT));
    SHOW(sendto(c, "late", 4, 0, (struct sockaddr *)&a, addr_len(family)));
    SHOW(recv(s, buf, 8, 0));
    SHOW(recv(s, buf, 8, 0));
    SHOW(recv(s, buf, 8, MSG_OOB | MSG_DONTWAIT)); /* a flag that says nothing here */
    close(c);
    close(s);
}

/* No signal comes with the error, and a peer's IPv4 address is none of an IPv6 socket's own. */
static void refused(void)
{
    struct sockaddr_storage a = {.ss_family = AF_INET};
    int c = socket(family, SOCK_DGRAM, 0), s = inet_bound(family, SOCK_DGRAM, &a);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    SHOW(shutdown(c, SHUT_WR));
    SHOW(send(c, "x", 1, 0));
    close(c);
    close(s);
    memset(&a, 0, sizeof a);
    a.ss_family = AF_INET;
    c = socket(AF_INET6, SOCK_DGRAM, 0);
    SHOW(bind(c, (struct sockaddr *)&a, sizeof(struct sockaddr_in)));
    SHOW(bind(c, (struct sockaddr *)&a, sizeof(struct sockaddr_in6)));
    close(c);
}

/* Of the loopback interface, once there is a peer. */
static void mtu(int type)
{
    struct sockaddr_storage a;
    int l = inet_bound(AF_INET, type, &a), c = socket(AF_INET, type, 0), value = -1;
    socklen_t len = sizeof value;
    if (type == SOCK_STREAM)
        NEED(listen(l, 1) == 0);
    SHOW(getsockopt(c, IPPROTO_IP, IP_MTU, &value, &len));
    SHOW(getsockopt(l, IPPROTO_IP, IP_MTU, &value, &len));
    NEED(connect(c, (struct sockaddr *)&a, sizeof(struct sockaddr_in)) == 0);
    SHOW(getsockopt(c, IPPROTO_IP, IP_MTU, &value, &len));
    say("mtu %d, length %u", value, len);
    SHOW(setsockopt(c, IPPROTO_IP, IP_MTU, &value, sizeof value));
    close(c);
    close(l);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        basics();
        errors();
        no_peer_any_more();
        refused();
    }
    mtu(SOCK_DGRAM);
    mtu(SOCK_STREAM);
    return done();
}
