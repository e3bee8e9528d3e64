/* Multicast over the loopback interface: groups of both families, how they are joined and left, and what goes there. */
#include "inet_test.h"

#include <net/if.h>

#ifndef IP_MULTICAST_ALL
#define IP_MULTICAST_ALL 49
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

#define GROUP  "239.7.7.7"
#define OTHER  "239.7.7.8"
#define GROUP6 "ff02::7777"
#define OTHER6 "ff02::7778"

static struct ip_mreqn v4_request(const char *group, const char *own, int index)
{
    return (struct ip_mreqn){{inet_addr(group)}, {inet_addr(own)}, index};
}

static struct ipv6_mreq v6_request(const char *group, unsigned index)
{
    struct ipv6_mreq m = {.ipv6mr_interface = index};
    NEED(inet_pton(AF_INET6, group, &m.ipv6mr_multiaddr) == 1);
    return m;
}

static long v4(int fd, int name, const char *group, const char *own, int index)
{
    struct ip_mreqn m = v4_request(group, own, index);
    return setsockopt(fd, IPPROTO_IP, name, &m, sizeof m);
}

static long v6(int fd, int name, const char *group, unsigned index)
{
    struct ipv6_mreq m = v6_request(group, index);
    return setsockopt(fd, IPPROTO_IPV6, name, &m, sizeof m);
}

static long by_group(int fd, int level, int name, int family, const char *group, unsigned index)
{
    struct group_req g = {.gr_interface = index};
    g.gr_group.ss_family = (sa_family_t)family;
    NEED(inet_pton(level == IPPROTO_IP ? AF_INET : AF_INET6, group,
                   level == IPPROTO_IP
                       ? (void *)&((struct sockaddr_in *)&g.gr_group)->sin_addr
                       : (void *)&((struct sockaddr_in6 *)&g.gr_group)->sin6_addr) == 1);
    return setsockopt(fd, level, name, &g, sizeof g);
}

static void joining_v4(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0),
        u = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(v4(s, IP_ADD_MEMBERSHIP, "10.1.2.3", "0.0.0.0", 1));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 999));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "198.51.100.77", 0));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0));
    SHOW(v4(u, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0));
    SHOW(v4(s, IP_ADD_MEMBERSHIP, "224.0.0.1", "127.0.0.1", 0));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, "224.0.0.1", "127.0.0.1", 0));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, OTHER, "127.0.0.1", 0));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, GROUP, "0.0.0.0", 999));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, "10.1.2.3", "0.0.0.0", 1));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(v4(t, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(v4(t, IP_ADD_MEMBERSHIP, "10.1.2.3", "0.0.0.0", 1));
    struct ip_mreqn m = v4_request(GROUP, "127.0.0.1", 1);
    SHOW(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 7));
    SHOW(setsockopt(t, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 7));
    SHOW(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 8));
    SHOW(setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, 12));
    SHOW(by_group(s, IPPROTO_IP, MCAST_JOIN_GROUP, AF_INET, GROUP, 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_JOIN_GROUP, AF_INET, GROUP, 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_LEAVE_GROUP, AF_INET, GROUP, 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_LEAVE_GROUP, AF_INET, GROUP, 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_JOIN_GROUP, AF_INET6, GROUP, 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_JOIN_GROUP, AF_INET, "10.1.2.3", 1));
    SHOW(by_group(s, IPPROTO_IP, MCAST_JOIN_GROUP, AF_INET, GROUP, 999));
    struct group_req g = {0};
    SHOW(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g - 1));
    int joined = 0;
    for (int i = 0; i < 30; i++) {
        char group[20];
        snprintf(group, sizeof group, "239.7.6.%d", i);
        joined += v4(s, IP_ADD_MEMBERSHIP, group, "0.0.0.0", 1) == 0;
    }
    CHECK(joined >= 20);
    close(s);
    close(t);
    close(u);
}

static void joining_v6(void)
{
    int s = socket(AF_INET6, SOCK_DGRAM, 0), t = socket(AF_INET6, SOCK_STREAM, 0),
        o = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(v6(s, IPV6_JOIN_GROUP, "fe80::1", 1));
    SHOW(v6(s, IPV6_JOIN_GROUP, GROUP6, 999));
    SHOW(v6(s, IPV6_JOIN_GROUP, GROUP6, 1));
    SHOW(v6(s, IPV6_JOIN_GROUP, GROUP6, 1));
    SHOW(v6(s, IPV6_JOIN_GROUP, GROUP6, 0));
    SHOW(v6(s, IPV6_LEAVE_GROUP, OTHER6, 1));
    SHOW(v6(s, IPV6_LEAVE_GROUP, "fe80::1", 1));
    SHOW(v6(s, IPV6_LEAVE_GROUP, GROUP6, 999));
    SHOW(v6(s, IPV6_LEAVE_GROUP, GROUP6, 0));
    SHOW(v6(s, IPV6_LEAVE_GROUP, GROUP6, 1));
    SHOW(v6(t, IPV6_JOIN_GROUP, GROUP6, 1));
    SHOW(v6(o, IPV6_JOIN_GROUP, GROUP6, 1));
    struct ipv6_mreq m = v6_request(GROUP6, 1);
    SHOW(setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, 19));
    SHOW(setsockopt(t, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, 19));
    SHOW(by_group(s, IPPROTO_IPV6, MCAST_JOIN_GROUP, AF_INET6, GROUP6, 1));
    SHOW(by_group(s, IPPROTO_IPV6, MCAST_JOIN_GROUP, AF_INET6, GROUP6, 1));
    SHOW(by_group(s, IPPROTO_IPV6, MCAST_LEAVE_GROUP, AF_INET6, GROUP6, 1));
    SHOW(by_group(s, IPPROTO_IPV6, MCAST_LEAVE_GROUP, AF_INET6, GROUP6, 1));
    SHOW(by_group(s, IPPROTO_IPV6, MCAST_JOIN_GROUP, AF_INET, GROUP6, 1));
    /* Groups of IPv4 on a socket of IPv6. */
    SHOW(v4(s, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0));
    SHOW(v4(s, IP_DROP_MEMBERSHIP, GROUP, "127.0.0.1", 0));
    close(s);
    close(t);
    close(o);
}

static void option(const char *what, int fd, int level, int name, int value)
{
    long ret = set_opt(fd, level, name, value);
    say("%s %d: %s; %d", what, value, ret ? strerror(errno) : "good", get_opt(fd, level, name));
}

static void options(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (unsigned i = 0; i < 4; i++) {
        int family = families[i % 2], s = socket(family, i < 2 ? SOCK_DGRAM : SOCK_STREAM, 0);
        say("%s of %d", i < 2 ? "dgram" : "stream", family);
        struct in_addr a = {inet_addr("127.0.0.1")};
        SHOW(get_opt(s, IPPROTO_IP, IP_MULTICAST_IF));
        SHOW(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &a, sizeof a));
        say("told: %d", get_opt(s, IPPROTO_IP, IP_MULTICAST_IF) == (int)a.s_addr);
        SHOW(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &a, 3));
        SHOW(v4(s, IP_MULTICAST_IF, "0.0.0.0", "0.0.0.0", 1));
        say("told: %d", get_opt(s, IPPROTO_IP, IP_MULTICAST_IF));
        SHOW(v4(s, IP_MULTICAST_IF, "0.0.0.0", "0.0.0.0", 999));
        SHOW(v4(s, IP_MULTICAST_IF, "0.0.0.0", "198.51.100.77", 0));
        SHOW(v4(s, IP_MULTICAST_IF, "0.0.0.0", "0.0.0.0", 0));
        option("all", s, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        option("all", s, IPPROTO_IP, IP_MULTICAST_ALL, 2);
        if (family == AF_INET)
            continue;
        option("interface", s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1);
        option("interface", s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 999);
        option("interface", s, IPPROTO_IPV6, IPV6_MULTICAST_IF, -1);
        option("interface", s, IPPROTO_IPV6, IPV6_MULTICAST_IF, 0);
        option("hops", s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 7);
        option("hops", s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 256);
        option("hops", s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -1);
        option("hops", s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -2);
        option("loop", s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
        option("loop", s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2);
        option("all", s, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        option("all", s, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 2);
        close(s);
    }
}

static int bound_to_any(int family, int port)
{
    struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
    int s = socket(family, SOCK_DGRAM, 0);
    NEED(set_opt(s, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
    ((struct sockaddr_in *)&a)->sin_port = htons((uint16_t)port); /* at one place in both */
    NEED(bind(s, (struct sockaddr *)&a, addr_len(family)) == 0);
    return s;
}

static void hear(const char *who, int fd, const struct sockaddr_in *to)
{
    char control[128], text[16] = "";
    struct iovec iov = {text, sizeof text};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &m, MSG_DONTWAIT) < 0) {
        say("%s: %s", who, strerror(errno));
        return;
    }
    say("%s: \"%s\"", who, text);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        const struct in_pktinfo *i = (void *)CMSG_DATA(c);
        if (c->cmsg_type == IP_PKTINFO)
            say(" to the group: %d, by %d", i->ipi_addr.s_addr == to->sin_addr.s_addr,
                i->ipi_ifindex);
        else
            say(" %d %d: %d", c->cmsg_level, c->cmsg_type, *(int *)CMSG_DATA(c));
    }
}

static void traffic(void)
{
    int in = bound_to_any(AF_INET, 0), port = local_port(in), also = bound_to_any(AF_INET, port),
        picky = bound_to_any(AF_INET, port), c = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = inet_addr(GROUP);
    SHOW(v4(c, IP_MULTICAST_IF, "0.0.0.0", "0.0.0.0", 1));
    SHOW(set_opt(c, IPPROTO_IP, IP_MULTICAST_TTL, 3));
    SHOW(set_opt(in, IPPROTO_IP, IP_PKTINFO, 1));
    SHOW(set_opt(in, IPPROTO_IP, IP_RECVTTL, 1));
    SHOW(set_opt(picky, IPPROTO_IP, IP_MULTICAST_ALL, 0));
    SHOW(v4(in, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(sendto(c, "one", 3, 0, (struct sockaddr *)&to, sizeof to));
    hear("member", in, &to);
    hear("another", also, &to);
    hear("only of its own", picky, &to);
    SHOW(v4(picky, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 1));
    SHOW(sendto(c, "two", 3, 0, (struct sockaddr *)&to, sizeof to));
    hear("member", in, &to);
    hear("only of its own", picky, &to);
    close(in);
    close(picky);
    close(also);
    close(c);
}

/* An index of an interface whereby IPv6 can send to groups, which the loopback interface need not be; 0: there is none.
 * No hop leaves the machine. */
static unsigned usable(int fd, const struct sockaddr_in6 *to)
{
    NEED(set_opt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0) == 0);
    for (int i = 2; i < 30; i++)
        if (set_opt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, i) == 0 &&
            sendto(fd, "probe", 5, 0, (const struct sockaddr *)to, sizeof *to) == 5)
            return (unsigned)i;
    return 0;
}

static bool got(int fd, const char *text)
{
    char buf[16] = "";
    return recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0 && !strcmp(buf, text);
}

static void traffic_v6(void)
{
    int in = bound_to_any(AF_INET6, 0), port = local_port(in), also = bound_to_any(AF_INET6, port),
        picky = bound_to_any(AF_INET6, port), c = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    NEED(inet_pton(AF_INET6, GROUP6, &to.sin6_addr) == 1);
    unsigned index = usable(c, &to);
    if (!index)
        return;
    CHECK(set_opt(in, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0);
    CHECK(set_opt(picky, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) == 0);
    CHECK(v6(in, IPV6_JOIN_GROUP, GROUP6, index) == 0);
    CHECK(sendto(c, "one", 3, 0, (struct sockaddr *)&to, sizeof to) == 3);
    char control[128], text[16] = "";
    struct iovec iov = {text, sizeof text};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK(recvmsg(in, &m, MSG_DONTWAIT) == 3 && !strcmp(text, "one"));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    NEED(h && h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO);
    const struct in6_pktinfo *info = (void *)CMSG_DATA(h);
    CHECK(!memcmp(&info->ipi6_addr, &to.sin6_addr, 16) && info->ipi6_ifindex == index);
    CHECK(got(also, "one") && !got(picky, "one"));
    CHECK(v6(picky, IPV6_JOIN_GROUP, GROUP6, index) == 0);
    CHECK(sendto(c, "two", 3, 0, (struct sockaddr *)&to, sizeof to) == 3);
    CHECK(got(picky, "two") && got(in, "two"));
    CHECK(set_opt(c, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) == 0);
    CHECK(sendto(c, "three", 5, 0, (struct sockaddr *)&to, sizeof to) == 5);
    CHECK(!got(picky, "three"));
    /* Who has closed is no member any more. */
    close(in);
    close(picky);
    CHECK(set_opt(c, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) == 0 && got(also, "two"));
    CHECK(sendto(c, "four", 4, 0, (struct sockaddr *)&to, sizeof to) == 4);
    CHECK(!got(also, "four"));
    close(also);
    close(c);
}

int main(void)
{
    joining_v4();
    joining_v6();
    options();
    traffic();
    traffic_v6();
    return done();
}
