/* Interfaces as libraries list them: rtnetlink, and the ioctls. */
#include "inet_test.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static void library(void)
{
    struct ifaddrs *list, *a;
    int v4 = 0, v6 = 0, link = 0;
    NEED(getifaddrs(&list) == 0);
    for (a = list; a; a = a->ifa_next) {
        if (strcmp(a->ifa_name, "lo") || !a->ifa_addr)
            continue;
        if (a->ifa_addr->sa_family == AF_INET) {
            v4++;
            CHECK(((struct sockaddr_in *)a->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
            CHECK(((struct sockaddr_in *)a->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000));
        } else if (a->ifa_addr->sa_family == AF_INET6) {
            v6++;
            CHECK(IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr));
        } else {
            link++;
        }
        CHECK(a->ifa_flags & IFF_LOOPBACK);
        CHECK(a->ifa_flags & IFF_UP);
    }
    freeifaddrs(list);
    say("lo: %d IPv4, %d IPv6, %d link", v4, v6, link);
    unsigned index = if_nametoindex("lo");
    char name[IF_NAMESIZE] = "";
    say("index %u, name %s", index, if_indextoname(index, name) ? name : "?");
    SHOW(if_nametoindex("nosuch0"));
}

static void ioctls(void)
{
    struct ifreq r;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&r, 0, sizeof r);
    strcpy(r.ifr_name, "lo");
    SHOW(ioctl(s, SIOCGIFADDR, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFNETMASK, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFMTU, &r));
    say("%d", r.ifr_mtu);
    SHOW(ioctl(s, SIOCGIFFLAGS, &r));
    say("%x", r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_BROADCAST | IFF_RUNNING));
    SHOW(ioctl(s, SIOCGIFHWADDR, &r));
    say("%d", r.ifr_hwaddr.sa_family);
    SHOW(ioctl(s, SIOCGIFDSTADDR, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    r.ifr_map = (struct ifmap){1, 2, 3, 4, 5, 6};
    SHOW(ioctl(s, SIOCGIFMAP, &r));
    say("%lx %lx %x %x %x %x", r.ifr_map.mem_start, r.ifr_map.mem_end, r.ifr_map.base_addr,
        r.ifr_map.irq, r.ifr_map.dma, r.ifr_map.port);
    SHOW(ioctl(s, SIOCGIFBRDADDR, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFINDEX, &r));
    say("%d", r.ifr_ifindex);
    memset(r.ifr_name, 0, sizeof r.ifr_name);
    SHOW(ioctl(s, SIOCGIFNAME, &r));
    say("%s", r.ifr_name);
    r.ifr_ifindex = 12345;
    SHOW(ioctl(s, SIOCGIFNAME, &r));
    strcpy(r.ifr_name, "nosuch0");
    SHOW(ioctl(s, SIOCGIFADDR, &r));
    SHOW(ioctl(s, SIOCGIFADDR, (void *)8));
    SHOW(ioctl(s, SIOCSIFFLAGS, &r));
    SHOW(ioctl(s, SIOCSIFMTU, &r));
    strcpy(r.ifr_name, "lo");
    SHOW(ioctl(s, 0x8947, &r)); /* SIOCGMIIPHY */
    SHOW(ioctl(s, 0x8911, &r)); /* SIOCSIFLINK */
    SHOW(ioctl(s, SIOCGIFMEM, &r));
    SHOW(ioctl(s, SIOCGIFENCAP, &r));
#ifdef __x86_64__ /* i386 has another errno */
    SHOW(ioctl(s, SIOCGIFSLAVE, &r));
#endif
    SHOW(ioctl(s, SIOCGIFPFLAGS, &r));
    SHOW(ioctl(s, SIOCGIFCOUNT, &r));
    /* A command that no version of SIOCETHTOOL has. */
    uint32_t command = 0xffffffff;
    r.ifr_data = (char *)&command;
    SHOW(ioctl(s, 0x8946, &r));
    close(s);
}

/* The loopback interface is the first. */
static void list(void)
{
    struct ifreq r[64];
    struct ifconf c = {.ifc_len = 0, .ifc_req = NULL};
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), all;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    all = c.ifc_len;
    CHECK(all >= (int)sizeof *r && all % sizeof *r == 0);
    memset(r, 0xff, sizeof r);
    c = (struct ifconf){.ifc_len = sizeof *r + 1, .ifc_req = r};
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    CHECK(c.ifc_len == sizeof *r && ((char *)(r + 1))[0] == -1);
    say("%s %d %s", r->ifr_name, r->ifr_addr.sa_family,
        inet_ntoa(((struct sockaddr_in *)&r->ifr_addr)->sin_addr));
    for (size_t k = sizeof r->ifr_name + sizeof(struct sockaddr_in); k < sizeof *r; k++)
        CHECK(((char *)r)[k] == 0);
    c.ifc_len = sizeof r;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    CHECK(c.ifc_len == all);
    c.ifc_len = sizeof *r - 1;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    say("%d bytes", c.ifc_len);
    c = (struct ifconf){.ifc_len = sizeof *r, .ifc_buf = (char *)8};
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    SHOW(ioctl(s, SIOCGIFCONF, (void *)8));
    close(s);
    SHOW(ioctl(0, SIOCGIFCONF, &c) < 0);
}

static void raw(void)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    NEED(s >= 0);
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    say("family %d, length %u", a.ss_family, len);
    char buf[16];
    SHOW(recv(s, buf, sizeof buf, MSG_DONTWAIT));
    say("type %d domain %d", get_opt(s, SOL_SOCKET, SO_TYPE), get_opt(s, SOL_SOCKET, SO_DOMAIN));
    close(s);
    SHOW(socket(AF_NETLINK, SOCK_STREAM, 0));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 31));
}

/* What comes back, but for interfaces that another machine may not have. */
static void answers(int s, const char *what)
{
    static union {
        struct nlmsghdr h;
        char bytes[32768];
    } u;
    long n;
    while ((n = recv(s, &u, sizeof u, MSG_DONTWAIT)) >= 0) {
        struct nlmsghdr *h = &u.h;
        for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            const struct ifinfomsg *m = NLMSG_DATA(h);
            const struct nlmsgerr *e = NLMSG_DATA(h);
            if (h->nlmsg_type == RTM_NEWLINK && m->ifi_index == 1)
                say(" %s: link of type %d, flags %x, message's %x, of %u", what, m->ifi_type,
                    m->ifi_flags, h->nlmsg_flags, h->nlmsg_seq);
            else if (h->nlmsg_type == NLMSG_DONE)
                say(" %s: done, %u bytes, flags %x", what, h->nlmsg_len, h->nlmsg_flags);
            else if (h->nlmsg_type == NLMSG_ERROR)
                say(" %s: %s, of %u: type %u, %u bytes", what, strerror(-e->error), h->nlmsg_seq,
                    e->msg.nlmsg_type, e->msg.nlmsg_len);
        }
    }
    say(" %s: %s", what, strerror(errno));
}

static void ask(int s, const char *what, int type, int flags, const void *body, size_t n)
{
    struct {
        struct nlmsghdr h;
        char body[700];
    } q = {{(unsigned)NLMSG_LENGTH(n), (uint16_t)type, (uint16_t)flags, 7, 0}, {0}};
    memcpy(q.body, body, n);
    SHOW(send(s, &q, q.h.nlmsg_len, 0));
    answers(s, what);
}

static void one_link(int s)
{
    static const int numbers[] = {1, 12345};
    struct {
        struct ifinfomsg m;
        struct rtattr other;
        uint32_t value;
        struct rtattr a;
        char name[12];
    } q = {.other = {RTA_LENGTH(4), IFLA_EXT_MASK}, .a = {RTA_LENGTH(3), IFLA_IFNAME}};
    strcpy(q.name, "lo");
    ask(s, "by name", RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, &q, sizeof q);
    strcpy(q.name, "nosuch0");
    q.a.rta_len = RTA_LENGTH(8);
    ask(s, "by a name that is none", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q);
    q.m.ifi_index = 1;
    ask(s, "by both", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q);
    /* An attribute at the end whose padding is missing. */
    q.other = (struct rtattr){RTA_LENGTH(1), IFLA_LINKMODE};
    ask(s, "unpadded", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q.m + RTA_LENGTH(1));
    for (unsigned i = 0; i < NR(numbers); i++) {
        struct ifinfomsg m = {.ifi_index = numbers[i]};
        ask(s, "by number", RTM_GETLINK, NLM_F_REQUEST, &m, sizeof m);
    }
    ask(s, "short", RTM_GETLINK, NLM_F_REQUEST, &q, 4);
}

/* Interfaces that are asked for in ways that are none. */
static void no_link(int s)
{
    static const struct {
        const char *name;
        unsigned len;
    } names[] = {{"lo", 2},
                 {"", 0},
                 {"", 1},
                 {"fifteen-letters", 15},
                 {"fifteen-letters", 16},
                 {"sixteen--letters", 16},
                 {"sixteen--letters", 17}};
    struct {
        struct ifinfomsg m;
        struct rtattr a;
        char name[20];
    } q = {.m = {.ifi_index = -1}};
    ask(s, "neither", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q.m);
    q.m.ifi_index = 0;
    ask(s, "number 0", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q.m);
    ask(s, "an attribute without a length", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q);
    for (unsigned i = 0; i < NR(names); i++) {
        strcpy(q.name, names[i].name);
        q.a = (struct rtattr){(uint16_t)RTA_LENGTH(names[i].len), IFLA_IFNAME};
        q.m.ifi_index = i == 0 ? -1 : 0;
        ask(s, "a name", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q);
    }
    q.m.ifi_index = 1;
    ask(s, "a number, and a long name", RTM_GETLINK, NLM_F_REQUEST, &q, sizeof q);
}

static void requests(void)
{
    struct ifinfomsg m = {0};
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof a;
    int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    CHECK(a.nl_pid == (unsigned)getpid());
    one_link(s);
    no_link(s);
    ask(s, "dump", RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK, &m, sizeof m);
    ask(s, "root alone", RTM_GETLINK, NLM_F_REQUEST | NLM_F_ROOT, &m, sizeof m);
    ask(s, "one byte", RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, &m, 1);
    ask(s, "none", RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, &m, 0);
    ask(s, "none, to be told", RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK, &m, 0);
    ask(s, "no request", RTM_GETLINK, NLM_F_DUMP, &m, sizeof m);
    ask(s, "no request, to be told", RTM_GETLINK, NLM_F_ACK, &m, sizeof m);
    ask(s, "no such type", 200, NLM_F_REQUEST, &m, sizeof m);
    ask(s, "no such dump", 200, NLM_F_REQUEST | NLM_F_DUMP, &m, sizeof m);
    ask(s, "nothing", NLMSG_NOOP, NLM_F_REQUEST, &m, sizeof m);
    ask(s, "nothing, to be told", NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, &m, sizeof m);
    SHOW(send(s, "", 0, 0));
    SHOW(send(s, "", 0, MSG_OOB));
    SHOW(send(s, "urgent", 6, MSG_OOB));
    SHOW(recv(s, &m, 1, MSG_OOB | MSG_DONTWAIT));
    SHOW(send(s, "too short", 9, 0));
    answers(s, "too short");
    struct {
        struct nlmsghdr first, second;
        char body[4];
    } two = {{16, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {17, 200, NLM_F_REQUEST, 2, 0}, ""};
    SHOW(send(s, &two, sizeof two, 0));
    answers(s, "two");
    two.first.nlmsg_len = 15;
    SHOW(send(s, &two, sizeof two, 0));
    answers(s, "a length below the header's");
    two.first.nlmsg_len = sizeof two + 1;
    SHOW(send(s, &two, sizeof two, 0));
    answers(s, "a length beyond the end");
    two.first.nlmsg_len = 16;
    SHOW(send(s, &two, sizeof two, 0));
    say_ready("answered", s);
    SHOW(recv(s, &two, 5, MSG_PEEK));
    SHOW(recv(s, &two, 5, MSG_PEEK | MSG_TRUNC));
    SHOW(recv(s, &two, 5, 0));
    SHOW(recv(s, &two, 5, 0));
    SHOW(recv(s, &two, 5, MSG_DONTWAIT));
    close(s);
}

/* The process's number belongs to one socket at a time. */
static void ports(void)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof a;
    int s = socket(AF_NETLINK, SOCK_RAW, 0), t = socket(AF_NETLINK, SOCK_RAW, 0);
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(bind(t, (struct sockaddr *)&a, 4));
    SHOW(connect(t, (struct sockaddr *)&a, 4));
    SHOW(bind(t, (struct sockaddr *)&a, sizeof a));
    SHOW(getsockname(t, (struct sockaddr *)&a, &len));
    CHECK(a.nl_pid >> 31);
    close(s);
    close(t);
    s = socket(AF_NETLINK, SOCK_RAW, 0);
    a.nl_pid = 0;
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    CHECK(a.nl_pid == (unsigned)getpid());
    close(s);
}

/* So it does where a program says the number itself, and so does any other. */
static void ports_of_choice(void)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = (unsigned)getpid()}, b = a;
    struct sockaddr other = {.sa_family = AF_INET};
    socklen_t len = sizeof b;
    int s = socket(AF_NETLINK, SOCK_RAW, 0), t = socket(AF_NETLINK, SOCK_RAW, 0);
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(bind(t, (struct sockaddr *)&a, sizeof a));
    close(t); /* after that Linux tells a number that is not its own */
    t = socket(AF_NETLINK, SOCK_RAW, 0);
    SHOW(connect(t, &other, sizeof other));
    other.sa_family = AF_UNSPEC;
    SHOW(connect(t, &other, sizeof other));
    SHOW(getsockname(t, (struct sockaddr *)&b, &len));
    say("port %u", b.nl_pid);
    SHOW(connect(t, (struct sockaddr *)&a, 4));
    b.nl_pid = 0;
    SHOW(connect(t, (struct sockaddr *)&b, sizeof b));
    SHOW(getsockname(t, (struct sockaddr *)&b, &len));
    CHECK(b.nl_pid >> 31);
    close(s);
    s = socket(AF_NETLINK, SOCK_RAW, 0);
    SHOW(bind(s, (struct sockaddr *)&b, sizeof b));
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(bind(s, (struct sockaddr *)&b, sizeof b));
    close(t);
    close(s);
}

enum { CLAIMANTS = 8, CLAIMS = 200 };
static pthread_barrier_t together;
static unsigned claimed[CLAIMANTS];
static int shared;

static void *claim(void *arg)
{
    unsigned *mine = arg;
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof a;
    pthread_barrier_wait(&together);
    if (connect(shared, (struct sockaddr *)&a, sizeof a) == 0 &&
        getsockname(shared, (struct sockaddr *)&a, &len) == 0)
        *mine = a.nl_pid;
    return NULL;
}

/* Threads that give one socket its number at a time agree upon it, and it is the process's. */
static void race(void)
{
    unsigned nr_wrong = 0;
    pthread_barrier_init(&together, NULL, CLAIMANTS);
    for (unsigned k = 0; k < CLAIMS; k++) {
        pthread_t threads[CLAIMANTS];
        shared = socket(AF_NETLINK, SOCK_RAW, 0);
        for (unsigned i = 0; i < CLAIMANTS; i++)
            NEED(pthread_create(&threads[i], NULL, claim, &claimed[i]) == 0);
        for (unsigned i = 0; i < CLAIMANTS; i++) {
            pthread_join(threads[i], NULL);
            nr_wrong += claimed[i] != (unsigned)getpid();
        }
        close(shared);
    }
    SHOW(nr_wrong);
}

/* One that the program names is one socket's, too. */
static void named_ports(void)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = 0x7fffff42}, b = {0};
    socklen_t len = sizeof b;
    int s = socket(AF_NETLINK, SOCK_RAW, 0), t = socket(AF_NETLINK, SOCK_RAW, 0);
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    a.nl_groups = 1;
    SHOW(bind(t, (struct sockaddr *)&a, sizeof a));
    SHOW(getsockname(t, (struct sockaddr *)&b, &len));
    say("groups %x", b.nl_groups);
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    close(s);
    SHOW(bind(t, (struct sockaddr *)&a, sizeof a));
    SHOW(getsockname(t, (struct sockaddr *)&b, &len));
    say("port %x, groups %x", b.nl_pid, b.nl_groups);
    close(t);
}

struct route_request {
    struct nlmsghdr h;
    struct rtmsg m;
    struct rtattr a;
    uint32_t to;
};

/* How packets to a loopback address go. */
static void one_route(int s, const char *to)
{
    struct route_request q = {{sizeof q, RTM_GETROUTE, NLM_F_REQUEST, 9, 0},
                              {.rtm_family = AF_INET, .rtm_dst_len = 32},
                              {RTA_LENGTH(4), RTA_DST},
                              inet_addr(to)};
    union {
        struct nlmsghdr h;
        char bytes[4096];
    } u;
    NEED(send(s, &q, sizeof q, 0) == (long)sizeof q);
    long n = recv(s, &u, sizeof u, MSG_DONTWAIT);
    NEED(n >= (long)NLMSG_LENGTH(sizeof(struct rtmsg)));
    const struct rtmsg *m = NLMSG_DATA(&u.h);
    say("%s: message %d, flags %x; /%d, table %d, protocol %d, scope %d, type %d, flags %x", to,
        u.h.nlmsg_type, u.h.nlmsg_flags, m->rtm_dst_len, m->rtm_table, m->rtm_protocol,
        m->rtm_scope, m->rtm_type, m->rtm_flags);
    uint32_t values[RTA_TABLE + 1] = {0};
    int left = (int)RTM_PAYLOAD(&u.h);
    for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type <= RTA_TABLE)
            memcpy(&values[a->rta_type], RTA_DATA(a), sizeof *values);
    }
    say(" interface %u, table %u, to %08x from %08x by %08x", values[RTA_OIF], values[RTA_TABLE],
        ntohl(values[RTA_DST]), ntohl(values[RTA_PREFSRC]), ntohl(values[RTA_GATEWAY]));
}

/* Each neighbour, if there is any, has an address of its family and one of hardware. */
static void neighbours(int s)
{
    struct {
        struct nlmsghdr h;
        struct ndmsg m;
    } q = {{sizeof q, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 8, 0}, {.ndm_family = AF_INET}};
    union {
        struct nlmsghdr h;
        char bytes[32768];
    } u;
    long n;
    bool is_done = false;
    NEED(send(s, &q, sizeof q, 0) == (long)sizeof q);
    while ((n = recv(s, &u, sizeof u, MSG_DONTWAIT)) >= 0) {
        struct nlmsghdr *h = &u.h;
        for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            const struct ndmsg *m = NLMSG_DATA(h);
            is_done = h->nlmsg_type == NLMSG_DONE;
            if (is_done)
                continue;
            CHECK(h->nlmsg_type == RTM_NEWNEIGH && h->nlmsg_flags == NLM_F_MULTI);
            CHECK(m->ndm_family == AF_INET && m->ndm_ifindex > 0 && m->ndm_state);
        }
    }
    say("neighbours: done %d, %s", is_done, strerror(errno));
}

static void routes(void)
{
    int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    NEED(s >= 0);
    one_route(s, "127.0.0.1");
    one_route(s, "127.1.2.3");
    ask(s, "a short route", RTM_GETROUTE, NLM_F_REQUEST, "", 1);
    neighbours(s);
    close(s);
}

int main(void)
{
    library();
    ioctls();
    list();
    raw();
    requests();
    ports();
    ports_of_choice();
    race();
    named_ports();
    routes();
    return done();
}
