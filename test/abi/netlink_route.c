/* RTM_GETROUTE of one address: what the loopback interface's are, and requests that are not whole. */
#include "inet_test.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static int s;

struct request {
    struct nlmsghdr h;
    struct rtmsg m;
    char attributes[64];
};

static void answer(const char *what)
{
    union {
        struct nlmsghdr h;
        char bytes[4096];
    } u;
    uint32_t values[RTA_TABLE + 1] = {0}, there = 0;
    long n = recv(s, &u, sizeof u, MSG_DONTWAIT);
    const struct rtmsg *m = NLMSG_DATA(&u.h);
    const struct nlmsgerr *e = NLMSG_DATA(&u.h);
    NEED(n >= (long)NLMSG_LENGTH(sizeof *m));
    if (u.h.nlmsg_type == NLMSG_ERROR) {
        say("%s: %s", what, strerror(-e->error));
        return;
    }
    say("%s: message %d; family %d, /%d, protocol %d, scope %d, type %d, flags %x", what,
        u.h.nlmsg_type, m->rtm_family, m->rtm_dst_len, m->rtm_protocol, m->rtm_scope, m->rtm_type,
        m->rtm_flags);
    int left = (int)RTM_PAYLOAD(&u.h);
    for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type > RTA_TABLE)
            continue;
        memcpy(&values[a->rta_type], RTA_DATA(a), sizeof *values);
        there |= 1u << a->rta_type;
    }
    say(" interface %u, to %08x%s from %08x%s by %08x%s", values[RTA_OIF], ntohl(values[RTA_DST]),
        there >> RTA_DST & 1 ? "" : " (none)", ntohl(values[RTA_PREFSRC]),
        there >> RTA_PREFSRC & 1 ? "" : " (none)", ntohl(values[RTA_GATEWAY]),
        there >> RTA_GATEWAY & 1 ? "" : " (none)");
}

static void ask(const char *what, struct request *q, size_t n)
{
    q->h = (struct nlmsghdr){(unsigned)(sizeof q->h + sizeof q->m + n), RTM_GETROUTE, NLM_F_REQUEST,
                             9, 0};
    NEED(send(s, q, q->h.nlmsg_len, 0) == (long)q->h.nlmsg_len);
    answer(what);
}

/* An attribute at `at` with so many bytes of an address: where the next one would be. */
static size_t attribute(struct request *q, size_t at, int type, const char *ip, size_t n)
{
    struct rtattr a = {(uint16_t)RTA_LENGTH(n), (uint16_t)type};
    char bytes[16] = {0};
    uint32_t value = ip ? inet_addr(ip) : 0;
    memcpy(bytes, &value, sizeof value);
    memcpy(q->attributes + at, &a, sizeof a);
    memcpy(q->attributes + at + sizeof a, bytes, n);
    return at + RTA_SPACE(n);
}

static void routes(void)
{
    static const char *const to[] = {"127.0.0.1", "127.0.0.0",       "127.255.255.254",
                                     "127.1.2.3", "127.255.255.255", "0.0.0.0"};
    for (size_t i = 0; i < NR(to); i++) {
        struct request q = {.m = {.rtm_family = AF_INET, .rtm_dst_len = 32}};
        ask(to[i], &q, attribute(&q, 0, RTA_DST, to[i], 4));
    }
}

static void requests(void)
{
    struct request q = {.m = {.rtm_family = AF_INET}};
    char what[40];
    ask("no address", &q, 0);
    for (size_t n = 0; n <= 8; n++) {
        snprintf(what, sizeof what, "an address of %zu bytes", n);
        ask(what, &q, attribute(&q, 0, RTA_DST, "127.0.0.1", n));
    }
    ask("a whole one and a short one", &q,
        attribute(&q, attribute(&q, 0, RTA_DST, "127.0.0.1", 4), RTA_DST, "127.0.0.1", 3));
    ask("two", &q,
        attribute(&q, attribute(&q, 0, RTA_DST, "127.0.0.1", 4), RTA_DST, "127.255.255.255", 4));
    q.m.rtm_family = AF_UNSPEC;
    ask("of any family", &q, attribute(&q, 0, RTA_DST, "127.0.0.1", 4));
    ask("of any family, short", &q, attribute(&q, 0, RTA_DST, "127.0.0.1", 3));
}

int main(void)
{
    s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    NEED(s >= 0);
    routes();
    requests();
    return done();
}
