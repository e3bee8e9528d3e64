/* Sockets of ICMP's, of both families: those that send echo requests (SOCK_DGRAM), raw ones, and their filters. */
#include "inet_test.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

static int family;
static struct sockaddr_storage to;

static int protocol(void)
{
    return family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* An echo request as both protocols have it; the raw socket of IPv4 wants a checksum of the program's. */
static void fill(unsigned char q[16])
{
    unsigned sum = 0;
    memcpy(q, "\0\0\0\0\x12\x34\0\1hello!!", 16);
    q[0] = family == AF_INET6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    for (unsigned i = 0; i < 16; i += 2)
        sum += (unsigned)q[i] << 8 | q[i + 1];
    sum = ~((sum & 0xffff) + (sum >> 16));
    if (family == AF_INET) {
        q[2] = (unsigned char)(sum >> 8);
        q[3] = (unsigned char)sum;
    }
}

static long put(int s, const void *data, size_t n)
{
    return sendto(s, data, n, 0, (struct sockaddr *)&to, addr_len(family));
}

/* The next message; of IPv4's raw sockets it has a header. */
static void get(const char *what, int s, unsigned at)
{
    unsigned char b[100] = {0};
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    wait_readable(s);
    long n = recvfrom(s, b, sizeof b, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
    say("%s: %ld bytes, type %d, code %d, \"%s\", mine %d, from loopback %d", what, n, b[at],
        b[at + 1], b + at + 8, at == 0 && ((b[4] << 8) | b[5]) == local_port(s),
        is_loopback(&from));
    if (at)
        say(" hops %d, protocol %d", b[8], b[9]);
}

static void echo(void)
{
    unsigned char q[16];
    int s = socket(family, SOCK_DGRAM, protocol());
    NEED(s >= 0);
    say("port %d", local_port(s));
    fill(q);
    SHOW(put(s, q, 16));
    CHECK(local_port(s) != 0);
    get("answer", s, 0);
    say_ready("after it", s);
    for (size_t n = 0; n < 9; n++)
        say("%zu bytes: %s", n, put(s, q, n) < 0 ? strerror(errno) : "good");
    get("to the short one", s, 0);
    q[1] = 1;
    SHOW(put(s, q, 16));
    q[1] = 0;
    q[0]++;
    SHOW(put(s, q, 16));
    SHOW(recv(s, q, 16, MSG_DONTWAIT));
    SHOW(connect(s, (struct sockaddr *)&to, addr_len(family)));
    fill(q);
    SHOW(send(s, q, 16, 0));
    get("connected", s, 0);
    close(s);
}

/* How much of a filter is given and asked for is the program's matter. */
static void filters_of_ipv6(int s)
{
    static const socklen_t lengths[] = {0, 1, 4, 31, 32, 33, 64};
    unsigned char filter[64];
    for (unsigned i = 0; i < NR(lengths); i++) {
        socklen_t len = lengths[i];
        memset(filter, (int)(17 * i + 1), sizeof filter);
        SHOW(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, filter, len));
        memset(filter, 0, sizeof filter);
        SHOW(getsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, filter, &len));
        say(" %u bytes: %x %x %x, %x", len, filter[0], filter[3], filter[31], filter[32]);
        len = sizeof filter;
        SHOW(getsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, filter, &len));
        say(" all %u: %x %x %x, %x", len, filter[0], filter[3], filter[31], filter[32]);
    }
    memset(filter, 0, sizeof filter);
    SHOW(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, filter, 32));
    /* Others have none. */
    int echoes = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6),
        v4 = socket(AF_INET, SOCK_RAW, IPPROTO_ICMPV6);
    SHOW(setsockopt(echoes, IPPROTO_ICMPV6, ICMP6_FILTER, filter, 32));
    SHOW(setsockopt(v4, IPPROTO_ICMPV6, ICMP6_FILTER, filter, 32));
    close(echoes);
    close(v4);
}

/* ICMP_FILTER and ICMPV6_FILTER: the same option of two levels. */
static void filters(int s, int other)
{
    int level = family == AF_INET ? SOL_RAW : IPPROTO_ICMPV6;
    uint32_t filter[8] = {0x12345678}, got[16];
    socklen_t len = 2;
    SHOW(setsockopt(s, level, 1, filter, 2));
    SHOW(getsockopt(s, level, 1, got, &len));
    say("%u bytes", len);
    for (len = 0; len <= sizeof got; len += 8) {
        socklen_t n = len;
        memset(got, 0xff, sizeof got);
        SHOW(getsockopt(s, level, 1, got, &n));
        say("%u bytes, %x", n, got[0]);
    }
    SHOW(setsockopt(s, level, 2, filter, sizeof filter));
    SHOW(getsockopt(s, level, 2, got, &len));
    SHOW(setsockopt(other, level, 1, filter, sizeof filter));
    SHOW(getsockopt(other, level, 1, got, &len));
    memset(filter, 0, sizeof filter);
    SHOW(setsockopt(s, level, 1, filter, sizeof filter));
}

static void raw(void)
{
    unsigned char q[16], filter[32];
    unsigned at = family == AF_INET ? 20 : 0;
    int s = socket(family, SOCK_RAW, protocol()), other = socket(family, SOCK_RAW, IPPROTO_UDP);
    NEED(s >= 0);
    fill(q);
    SHOW(put(s, q, 16));
    get("request", s, at);
    get("answer", s, at);
    filters(s, other);
    if (family == AF_INET) {
        uint32_t all_but_answers = ~(1u << ICMP_ECHOREPLY);
        SHOW(setsockopt(s, SOL_RAW, 1, &all_but_answers, sizeof all_but_answers));
        SHOW(put(s, q, 16));
        get("through the filter", s, at);
        SHOW(recv(s, q, 16, MSG_DONTWAIT));
    }
    if (family == AF_INET6) {
        /* Everything but answers is blocked. */
        memset(filter, 0xff, sizeof filter);
        filter[ICMP6_ECHO_REPLY / 8] &= (unsigned char)~(1 << ICMP6_ECHO_REPLY % 8);
        SHOW(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, filter, sizeof filter));
        SHOW(put(s, q, 16));
        get("through the filter", s, at);
        SHOW(recv(s, q, 16, MSG_DONTWAIT));
        SHOW(setsockopt(s, IPPROTO_ICMPV6, 2, filter, sizeof filter));
        filters_of_ipv6(s);
        CHECK(setsockopt(other, IPPROTO_ICMPV6, ICMP6_FILTER, filter, sizeof filter) == -1);
        /* There is no room for a checksum; below two bytes Linux has an errno of its own. */
        for (size_t n = 2; n < 4; n++)
            say("%zu bytes: %s", n, put(s, q, n) < 0 ? strerror(errno) : "good");
        CHECK(put(s, q, 0) == -1 && put(s, q, 1) == -1);
    }
    close(other);
    close(s);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    int range = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);
    if (range >= 0) { /* on Linux nobody may, unless told otherwise */
        NEED(write(range, "0 2147483647", 12) == 12);
        close(range);
    }
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        loopback(family, &to, 0);
        echo();
        raw();
    }
    SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6));
    SHOW(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP));
    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_ICMP));
    return done();
}
