/* The hop limit of what comes over IPv6, as RFC 2292 and RFC 3542 have it: options of their own, and both at once. */
#include "inet_test.h"

#define HOPS_2292 8 /* IPV6_2292HOPLIMIT, which is not a C library's */

static void hear(int from, int to, const void *bytes, size_t n)
{
    struct sockaddr_storage a;
    char data[64];
    union {
        struct cmsghdr align;
        char room[256];
    } control;
    struct iovec v = {data, sizeof data};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    loopback(AF_INET6, &a, from == to ? 0 : local_port(to));
    NEED(sendto(from, bytes, n, 0, (struct sockaddr *)&a, addr_len(AF_INET6)) == (long)n);
    wait_readable(to);
    NEED(recvmsg(to, &m, 0) > 0);
    say(" control %zu, flags %x", (size_t)m.msg_controllen, m.msg_flags);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        int value;
        memcpy(&value, CMSG_DATA(c), sizeof value);
        say(" level %d, type %d, %zu bytes: %d", c->cmsg_level, c->cmsg_type,
            (size_t)c->cmsg_len - CMSG_LEN(0), value);
    }
}

static void options(int from, int to, const void *bytes, size_t n)
{
    static const int numbers[] = {HOPS_2292, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, HOPS_2292};
    hear(from, to, bytes, n);
    for (size_t i = 0; i < NR(numbers); i++) {
        int value = i == 3 ? 0 : 5;
        say("option %d", numbers[i]);
        SHOW(set_opt(to, IPPROTO_IPV6, numbers[i], value));
        SHOW(get_opt(to, IPPROTO_IPV6, numbers[i]));
        hear(from, to, bytes, n);
    }
    SHOW(setsockopt(to, IPPROTO_IPV6, HOPS_2292, &(int){1}, 3));
    close(to);
    if (from != to)
        close(from);
}

/* What answers an echo request, which the socket hears as well. */
static void echo(void)
{
    unsigned char bytes[8] = {128};
    struct sockaddr_storage a;
    int s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), value = 0;
    NEED(s >= 0 && set_opt(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) == 0);
    loopback(AF_INET6, &a, 0);
    NEED(sendto(s, bytes, sizeof bytes, 0, (struct sockaddr *)&a, addr_len(AF_INET6)) == 8);
    while (bytes[0] != 129) {
        union {
            struct cmsghdr align;
            char room[64];
        } control;
        struct iovec v = {bytes, sizeof bytes};
        struct msghdr m = {
            .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 64};
        wait_readable(s);
        NEED(recvmsg(s, &m, 0) == 8 && CMSG_FIRSTHDR(&m));
        memcpy(&value, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof value);
    }
    say("an echo reply's: %d", value);
    close(s);
}

int main(void)
{
    static const unsigned char reply[8] = {129}; /* an echo reply, which nobody answers */
    struct sockaddr_storage a;
    int s = inet_bound(AF_INET6, SOCK_DGRAM, &a), c = socket(AF_INET6, SOCK_DGRAM, 0);
    SHOW(set_opt(c, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9));
    options(c, s, "hello", 5);
    int raw = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    NEED(raw >= 0);
    options(raw, raw, reply, sizeof reply);
    echo();
    SHOW(set_opt(socket(AF_INET, SOCK_DGRAM, 0), IPPROTO_IPV6, HOPS_2292, 1));
    return done();
}
