/* Control data that says how one datagram is to go: from where, by which interface, how far, in which class. */
#include "inet_test.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

static int receiver, sender;
static bool tells_source = true;
static struct sockaddr_storage target;
static socklen_t target_len;

static void show_source(const struct sockaddr_storage *a)
{
    char text[INET6_ADDRSTRLEN];
    const void *ip = a->ss_family == AF_INET6
                         ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
    say(" from %s", inet_ntop(a->ss_family, ip, text, sizeof text));
}

static void show_item(const struct cmsghdr *c)
{
    char text[INET6_ADDRSTRLEN], own[INET6_ADDRSTRLEN];
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        const struct in_pktinfo *i = (void *)CMSG_DATA(c);
        say(" to %s, %s by %d", inet_ntop(AF_INET, &i->ipi_addr, text, sizeof text),
            inet_ntop(AF_INET, &i->ipi_spec_dst, own, sizeof own), i->ipi_ifindex);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        const struct in6_pktinfo *i = (void *)CMSG_DATA(c);
        say(" to %s by %u", inet_ntop(AF_INET6, &i->ipi6_addr, text, sizeof text), i->ipi6_ifindex);
    } else {
        say(" %d %d: %d", c->cmsg_level, c->cmsg_type,
            c->cmsg_len == CMSG_LEN(1) ? *CMSG_DATA(c) : *(int *)CMSG_DATA(c));
    }
}

static void hear(void)
{
    char control[256], text[64];
    struct sockaddr_storage from;
    struct iovec iov = {text, sizeof text};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    if (recvmsg(receiver, &m, MSG_DONTWAIT) < 0) {
        say(" %s", strerror(errno));
        return;
    }
    if (tells_source)
        show_source(&from);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        show_item(c);
}

static char items[256] __attribute__((aligned(8)));
static size_t items_len;

static void add(int level, int type, const void *data, size_t len)
{
    struct cmsghdr *c = (void *)(items + items_len);
    NEED(items_len + CMSG_SPACE(len) <= sizeof items);
    memset(c, 0, CMSG_SPACE(len));
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    items_len += CMSG_SPACE(len);
}

/* Sends with the items that were added, and forgets them. */
static void go(const char *what)
{
    struct iovec iov = {(char *)"data", 4};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_name = target_len ? &target : NULL,
                       .msg_namelen = target_len,
                       .msg_control = items,
                       .msg_controllen = items_len};
    long ret = sendmsg(sender, &m, 0);
    say("%s: %s", what, ret < 0 ? strerror(errno) : "sent");
    items_len = 0;
    if (ret >= 0)
        hear();
}

static void one(int level, int type, const void *data, size_t len, const char *what)
{
    add(level, type, data, len);
    go(what);
}

static void number(int level, int type, int value)
{
    char what[64];
    snprintf(what, sizeof what, "%d %d %d", level, type, value);
    one(level, type, &value, sizeof value, what);
}

static void numbers(int level, int type)
{
    static const int values[] = {-2, -1, 0, 1, 77, 255, 256};
    char zeros[40] = {1};
    for (unsigned i = 0; i < NR(values); i++)
        number(level, type, values[i]);
    for (size_t n = 0; n < 10; n++) {
        char what[64];
        snprintf(what, sizeof what, "%d %d of %zu bytes", level, type, n);
        one(level, type, zeros, n, what);
    }
}

static void info4(const char *own, const char *ignored, int index)
{
    struct in_pktinfo i = {index, {inet_addr(own)}, {inet_addr(ignored)}};
    char what[128];
    snprintf(what, sizeof what, "from %s by %d", own, index);
    one(IPPROTO_IP, IP_PKTINFO, &i, sizeof i, what);
}

static void info6(const char *own, unsigned index)
{
    struct in6_pktinfo i = {.ipi6_ifindex = index};
    char what[128];
    NEED(inet_pton(AF_INET6, own, &i.ipi6_addr) == 1);
    snprintf(what, sizeof what, "from %s by %u", own, index);
    one(IPPROTO_IPV6, IPV6_PKTINFO, &i, sizeof i, what);
}

static void sizes(int level, int type, size_t right)
{
    char data[64] = {0};
    for (size_t n = right - 4; n <= right + 8; n += 4) {
        char what[64];
        snprintf(what, sizeof what, "%d %d of %zu bytes", level, type, n);
        one(level, type, data, n, what);
    }
}

static void strangers(void)
{
    int value = 1;
    number(IPPROTO_IP, 99, 1);
    number(IPPROTO_IPV6, 99, 1);
    number(IPPROTO_TCP, 1, 1);
    number(SOL_UDP, 99, 1);
    number(12345, 1, 1);
    number(SOL_SOCKET, 12345, 1);
    /* The last one counts; one that is wrong spoils all. */
    add(IPPROTO_IP, IP_TTL, &value, sizeof value);
    value = 9;
    add(IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof value);
    add(IPPROTO_IP, IP_TTL, &value, sizeof value);
    add(IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
    go("several");
    add(IPPROTO_IP, IP_TTL, &value, sizeof value);
    add(IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof value);
    value = 1000;
    add(IPPROTO_IP, IP_TTL, &value, sizeof value);
    add(IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof value);
    go("the last is wrong");
    go("none");
}

static void want_all(void)
{
    static const int v4[] = {IP_PKTINFO, IP_RECVTTL, IP_RECVTOS},
                     v6[] = {IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS};
    for (unsigned i = 0; i < NR(v4); i++)
        CHECK(set_opt(receiver, IPPROTO_IP, v4[i], 1) == 0);
    for (unsigned i = 0; i < NR(v6); i++)
        set_opt(receiver, IPPROTO_IPV6, v6[i], 1);
}

static int bound(int family, const char *own, int port)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in b = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(family, SOCK_DGRAM, 0);
    bool is_v6 = family == AF_INET6;
    NEED(inet_pton(family, own, is_v6 ? (void *)&a.sin6_addr : (void *)&b.sin_addr) == 1);
    NEED(bind(s, is_v6 ? (void *)&a : (void *)&b, addr_len(family)) == 0);
    return s;
}

static void sources_v4(void)
{
    info4("0.0.0.0", "0.0.0.0", 0);
    info4("0.0.0.0", "0.0.0.0", 1);
    info4("127.0.0.1", "1.2.3.4", 0);
    info4("127.0.0.5", "1.2.3.4", 0);
    info4("127.0.0.5", "1.2.3.4", 1);
    info4("198.51.100.77", "127.0.0.1", 0);
    info4("198.51.100.77", "127.0.0.1", 1);
    info4("198.51.100.77", "127.0.0.1", 999);
    info4("127.0.0.5", "127.0.0.1", 999);
    info4("0.0.0.0", "127.0.0.1", 999);
    info4("0.0.0.0", "127.0.0.1", -1);
    info4("239.1.2.3", "127.0.0.1", 0);
    sizes(IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo));
}

static void v4(void)
{
    say("IPv4");
    receiver = bound(AF_INET, "0.0.0.0", 0);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    want_all();
    loopback(AF_INET, &target, local_port(receiver));
    target_len = addr_len(AF_INET);
    sources_v4();
    numbers(IPPROTO_IP, IP_TTL);
    numbers(IPPROTO_IP, IP_TOS);
    strangers();
    info6("::ffff:127.0.0.7", 0);
    /* What it does not say is as the socket says, before and after. */
    CHECK(set_opt(sender, IPPROTO_IP, IP_TTL, 33) == 0 &&
          set_opt(sender, IPPROTO_IP, IP_TOS, 8) == 0);
    number(IPPROTO_IP, IP_TTL, 44);
    number(IPPROTO_IP, IP_TOS, 16);
    go("as the socket says");
    NEED(connect(sender, (struct sockaddr *)&target, target_len) == 0);
    target_len = 0;
    info4("127.0.0.5", "127.0.0.1", 1);
    number(IPPROTO_IP, IP_TTL, 1);
    close(sender);
    sender = bound(AF_INET, "127.0.0.6", 0);
    target_len = addr_len(AF_INET);
    go("bound");
    info4("127.0.0.5", "127.0.0.1", 0);
    go("bound");
    close(sender);
    close(receiver);
}

/* From whom is the machine's affair: it may have other addresses. */
static void group(void)
{
    struct ip_mreqn m = {{inet_addr("239.7.7.7")}, {0}, 1};
    say("a group");
    tells_source = false;
    receiver = bound(AF_INET, "0.0.0.0", 0);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) == 0);
    CHECK(setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m) == 0);
    CHECK(set_opt(receiver, IPPROTO_IP, IP_RECVTTL, 1) == 0);
    loopback(AF_INET, &target, local_port(receiver));
    ((struct sockaddr_in *)&target)->sin_addr = m.imr_multiaddr;
    go("as the socket says");
    number(IPPROTO_IP, IP_TTL, 7);
    info4("127.0.0.1", "0.0.0.0", 1);
    go("as the socket says");
    tells_source = true;
    close(sender);
    close(receiver);
}

static void v6(void)
{
    say("IPv6");
    receiver = bound(AF_INET6, "::", 0);
    sender = socket(AF_INET6, SOCK_DGRAM, 0);
    want_all();
    loopback(AF_INET6, &target, local_port(receiver));
    target_len = addr_len(AF_INET6);
    info6("::", 0);
    info6("::", 1);
    info6("::1", 0);
    info6("::1", 1);
    info6("::", 999);
    info6("::1", 999);
    info6("2001:db8::77", 0);
    info6("2001:db8::77", 1);
    info6("2001:db8::77", 999);
    info6("fe80::1:2:3:4", 0);
    info6("fe80::1:2:3:4", 1);
    info6("ff02::1", 1);
    info6("::ffff:127.0.0.1", 0);
    sizes(IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo));
    numbers(IPPROTO_IPV6, IPV6_HOPLIMIT);
    numbers(IPPROTO_IPV6, IPV6_TCLASS);
    strangers();
    CHECK(set_opt(sender, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33) == 0 &&
          set_opt(sender, IPPROTO_IPV6, IPV6_TCLASS, 8) == 0);
    number(IPPROTO_IPV6, IPV6_HOPLIMIT, 44);
    number(IPPROTO_IPV6, IPV6_HOPLIMIT, -1);
    number(IPPROTO_IPV6, IPV6_TCLASS, 16);
    number(IPPROTO_IPV6, IPV6_TCLASS, -1);
    go("as the socket says");
    say("IPv4 in IPv6");
    close(sender);
    sender = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 *a = (void *)&target;
    NEED(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a->sin6_addr) == 1);
    info6("::ffff:127.0.0.5", 0);
    info6("::ffff:127.0.0.5", 1);
    info6("::ffff:127.0.0.5", 999);
    info6("::ffff:198.51.100.77", 0);
    info6("::1", 0);
    info6("::", 0);
    sizes(IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo));
    info4("127.0.0.5", "127.0.0.1", 1);
    number(IPPROTO_IP, IP_TTL, 44);
    number(IPPROTO_IPV6, IPV6_HOPLIMIT, 45);
    number(IPPROTO_IPV6, IPV6_HOPLIMIT, 1000);
    number(IPPROTO_IPV6, IPV6_TCLASS, 46);
    close(sender);
    close(receiver);
}

int main(void)
{
    v4();
    group();
    v6();
    return done();
}
