/* AF_NETLINK, as far as programs ask which interfaces, addresses and routes there are (rtnetlink(7)): the dumps of
 * RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE and RTM_GETNEIGH, RTM_GETLINK of one, and IPv4's RTM_GETROUTE of one.  Whatever
 * else is asked is answered with an error message.
 *
 * A request is answered at once, into the asking socket's queue, which SO_RCVBUF bounds as on Linux: what finds no room
 * is lost, and the reader hears of it (ENOBUFS) before it reads on.  Only a dump may come later, when enough was read. */
#include <base/string.h>
#include <core/heap.h>
#include <inet.h>
#include <linux/if_addr.h>
#include <linux/in_route.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ifinfo.h>

#include <lwip/igmp.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>

#define ANSWER_MAX  8192 /* libraries read with buffers of this size */
#define ANSWER_COST 796u /* of a queued one, beside its bytes: as many fit as on Linux */
#define ROOM        512u /* for one message of an answer */
#define OPER_UP     6    /* RFC 2863 */

struct answer {
    struct list node;
    size_t len;
    char bytes[];
};

/* As much of a request as says what is to be dumped. */
struct dump_request {
    struct nlmsghdr h; /* of type 0: there is none */
    uint8_t family;
};

struct netlink {
    struct socket s;             /* first */
    struct mutex io;             /* RANK_SOCKET_IO: who looks at an answer keeps it */
    struct spinlock lock;        /* RANK_SOCKET - guards: */
    struct list queue;           /* struct answer.node */
    size_t queued;               /* its cost in bytes */
    bool is_overrun;             /* an answer was lost, and so is any until the queue is empty */
    struct dump_request waiting; /* for room */
    uint32_t groups;
    /* under all_lock */
    struct list all_node;
    uint32_t port; /* 0: not bound; atomic, as it is read without the lock */
};

static struct spinlock all_lock = SPINLOCK_INIT(RANK_SOCKET_NAME); /* guards: */
static struct list all = LIST_INIT(all);                           /* struct netlink.all_node */
static uint32_t next_port;

static struct netlink *netlink_of(struct socket *s)
{
    return (struct netlink *)s;
}

/* --- building answers ---------------------------------------------------------------------------------- */

struct builder {
    struct netlink *n;
    const struct nlmsghdr *request;
    unsigned flags;        /* of the messages */
    char *bytes;           /* room for ANSWER_MAX */
    size_t len;            /* of what is built there */
    struct nlmsghdr *open; /* the message that attributes go to */
};

/* n->lock is held.  A dump asks before it begins, and there is one of it at a time. */
static bool has_room(const struct netlink *n, size_t cost, bool is_dump)
{
    return list_is_empty(&n->queue) || is_dump ||
           (!n->is_overrun && n->queued + cost <= n->s.rcvbuf);
}

static void send_answer(struct builder *b)
{
    struct netlink *n = b->n;
    size_t cost = ANSWER_COST + b->len;
    if (b->len == 0)
        return;
    struct answer *a = heap_alloc(sizeof(*a) + b->len);
    if (a) {
        a->len = b->len;
        memcpy(a->bytes, b->bytes, b->len);
    }
    b->len = 0;
    spin_lock(&n->lock);
    bool fits = a && has_room(n, cost, b->flags & NLM_F_MULTI);
    if (fits) {
        list_push_back(&n->queue, &a->node);
        n->queued += cost;
    } else if (!n->is_overrun) {
        n->is_overrun = true;
        atomic_store(&n->s.error, -ENOBUFS);
    }
    spin_unlock(&n->lock);
    if (!fits)
        heap_free(a);
}

static void *append(struct builder *b, size_t n)
{
    void *at = b->bytes + b->len;
    memset(at, 0, NLMSG_ALIGN(n));
    b->len += NLMSG_ALIGN(n);
    if (b->open)
        b->open->nlmsg_len += NLMSG_ALIGN(n);
    return at;
}

/* A new message with a body of n bytes, which it answers. */
static void *begin(struct builder *b, unsigned type, size_t n)
{
    b->open = NULL;
    if (b->len + ROOM > ANSWER_MAX)
        send_answer(b);
    struct nlmsghdr *h = append(b, sizeof(*h));
    *h = (struct nlmsghdr){sizeof(*h), (uint16_t)type, (uint16_t)b->flags, b->request->nlmsg_seq,
                           b->n->port};
    b->open = h;
    return append(b, n);
}

static void put_attr(struct builder *b, unsigned type, const void *value, size_t n)
{
    struct rtattr *a = append(b, RTA_LENGTH(n));
    a->rta_type = (uint16_t)type;
    a->rta_len = (uint16_t)RTA_LENGTH(n);
    memcpy(RTA_DATA(a), value, n);
}

static void put_number(struct builder *b, unsigned type, uint32_t value)
{
    put_attr(b, type, &value, sizeof(value));
}

/* --- the dumps ----------------------------------------------------------------------------------------- */

static void tell_link(struct builder *b, const struct ifinfo *i)
{
    static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
    struct ifinfomsg *m = begin(b, RTM_NEWLINK, sizeof(*m));
    m->ifi_type = i->is_loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
    m->ifi_index = (int)i->index;
    m->ifi_flags = ifinfo_flags(i) | (i->is_up && i->has_link ? 0x10000 : 0); /* IFF_LOWER_UP */
    uint8_t state = OPER_UP;
    put_attr(b, IFLA_IFNAME, i->name, strlen(i->name) + 1);
    put_number(b, IFLA_TXQLEN, 1000);
    put_attr(b, IFLA_OPERSTATE, &state, 1);
    put_number(b, IFLA_MTU, i->mtu);
    put_attr(b, IFLA_ADDRESS, i->mac, sizeof(i->mac));
    put_attr(b, IFLA_BROADCAST, i->is_loopback ? i->mac : broadcast, 6);
}

static unsigned prefix_len(uint32_t mask)
{
    unsigned n = 0;
    for (mask = lwip_ntohl(mask); mask & 0x80000000; mask <<= 1)
        n++;
    return n;
}

static void tell_v4(struct builder *b, const struct ifinfo *i)
{
    if (!i->ip4)
        return;
    struct ifaddrmsg *m = begin(b, RTM_NEWADDR, sizeof(*m));
    *m = (struct ifaddrmsg){AF_INET, (uint8_t)prefix_len(i->mask4), IFA_F_PERMANENT,
                            i->is_loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, i->index};
    put_number(b, IFA_ADDRESS, i->ip4);
    put_number(b, IFA_LOCAL, i->ip4);
    if (!i->is_loopback)
        put_number(b, IFA_BROADCAST, i->ip4 | ~i->mask4);
    put_attr(b, IFA_LABEL, i->name, strlen(i->name) + 1);
}

static void tell_v6(struct builder *b, const struct ifinfo *i)
{
    for (unsigned k = 0; k < i->nr_ip6; k++) {
        struct ifaddrmsg *m = begin(b, RTM_NEWADDR, sizeof(*m));
        *m = (struct ifaddrmsg){AF_INET6, i->is_loopback ? 128 : 64, IFA_F_PERMANENT,
                                i->is_loopback            ? RT_SCOPE_HOST
                                : i->ip6[k].is_link_local ? RT_SCOPE_LINK
                                                          : RT_SCOPE_UNIVERSE,
                                i->index};
        put_attr(b, IFA_ADDRESS, i->ip6[k].ip, 16);
    }
}

static struct rtmsg *begin_route(struct builder *b, const struct ifinfo *i, unsigned prefix,
                                 unsigned protocol, unsigned scope)
{
    struct rtmsg *m = begin(b, RTM_NEWROUTE, sizeof(*m));
    m->rtm_family = AF_INET;
    m->rtm_dst_len = (uint8_t)prefix;
    m->rtm_table = RT_TABLE_MAIN;
    m->rtm_protocol = (uint8_t)protocol;
    m->rtm_scope = (uint8_t)scope;
    m->rtm_type = RTN_UNICAST;
    put_number(b, RTA_TABLE, RT_TABLE_MAIN);
    put_number(b, RTA_OIF, i->index);
    return m;
}

static void tell_routes(struct builder *b, const struct ifinfo *i)
{
    if (i->is_loopback || !i->ip4)
        return;
    if (i->gateway4) {
        begin_route(b, i, 0, RTPROT_BOOT, RT_SCOPE_UNIVERSE);
        put_number(b, RTA_GATEWAY, i->gateway4);
    }
    begin_route(b, i, prefix_len(i->mask4), RTPROT_KERNEL, RT_SCOPE_LINK);
    put_number(b, RTA_DST, i->ip4 & i->mask4);
    put_number(b, RTA_PREFSRC, i->ip4);
}

static void tell_neighbours(struct builder *b, const struct ifinfo *i)
{
    unsigned at = 0;
    struct ifinfo_neighbour n;
    while (ifinfo_next_neighbour(&at, &n)) {
        if (n.index != i->index)
            continue;
        struct ndmsg *m = begin(b, RTM_NEWNEIGH, sizeof(*m));
        m->ndm_family = AF_INET;
        m->ndm_ifindex = (int)n.index;
        m->ndm_state = NUD_REACHABLE;
        m->ndm_type = RTN_UNICAST;
        put_number(b, NDA_DST, n.ip4);
        put_attr(b, NDA_LLADDR, n.mac, sizeof(n.mac));
    }
}

static unsigned family_of(const struct nlmsghdr *request)
{
    return *(const uint8_t *)(request + 1);
}

/* What a request wants to know of one interface. */
static __attribute__((noinline)) void tell(struct builder *b, const struct ifinfo *i)
{
    unsigned family = family_of(b->request);
    switch (b->request->nlmsg_type) {
    case RTM_GETLINK:
        tell_link(b, i);
        break;
    case RTM_GETADDR:
        if (family != AF_INET6)
            tell_v4(b, i);
        if (family != AF_INET)
            tell_v6(b, i);
        break;
    case RTM_GETROUTE:
        if (family != AF_INET6)
            tell_routes(b, i);
        break;
    default: /* RTM_GETNEIGH */
        if (family != AF_INET6)
            tell_neighbours(b, i);
        break;
    }
}

/* Without room it is for go_on to make it: 0, -ENOBUFS, and -EBUSY to the next. */
static int check_dump(struct netlink *n, const struct nlmsghdr *request)
{
    int ret = 0;
    spin_lock(&n->lock);
    if (n->waiting.h.nlmsg_type) {
        ret = -EBUSY;
    } else if (n->queued >= n->s.rcvbuf) {
        n->waiting = (struct dump_request){*request, (uint8_t)family_of(request)};
        ret = -ENOBUFS;
    }
    spin_unlock(&n->lock);
    return ret;
}

static int dump(struct builder *b)
{
    struct ifinfo i;
    int ret = check_dump(b->n, b->request);
    if (ret < 0)
        return ret;
    b->flags = NLM_F_MULTI;
    for (unsigned index = 1; ifinfo_next(index, &i); index = i.index + 1)
        tell(b, &i);
    send_answer(b);
    *(int *)begin(b, NLMSG_DONE, sizeof(int)) = 0;
    return 0;
}

/* The attribute of a request whose body has n bytes, as far as it fits into `size` bytes at `to`: how many it has, -ENOENT,
 * -EINVAL (the body is shorter). */
static int get_attr(const struct nlmsghdr *h, size_t n, unsigned type, void *to, size_t size)
{
    if (h->nlmsg_len < NLMSG_LENGTH(n))
        return -EINVAL;
    int left =
        (int)(h->nlmsg_len - NLMSG_SPACE(n)); /* below 0 behind one whose padding is missing */
    const struct rtattr *a = (const struct rtattr *)((const char *)h + NLMSG_SPACE(n));
    int len = -ENOENT;
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type != type)
            continue;
        len = (int)RTA_PAYLOAD(a);
        memset(to, 0, size);
        memcpy(to, RTA_DATA(a), MIN((size_t)len, size));
    }
    return len;
}

/* RTM_GETLINK of the interface with this number or (not above 0) name: 0, -errno. */
static int get_link(struct builder *b)
{
    const struct ifinfomsg *m = NLMSG_DATA(b->request);
    struct ifinfo i;
    char name[sizeof(i.name)] = "";
    int len = get_attr(b->request, sizeof(*m), IFLA_IFNAME, name, sizeof(name));
    if (len == 0 || len > (int)sizeof(name) || name[sizeof(name) - 1])
        return -ERANGE;
    if (len == -EINVAL || (m->ifi_index <= 0 && len < 0))
        return -EINVAL;
    if (m->ifi_index > 0 ? !ifinfo_at(m->ifi_index, &i) : !ifinfo_find(name, &i))
        return -ENODEV;
    tell(b, &i);
    return 0;
}

/* What an address is to this machine (RTN_*), and the interface that has it, or by which packets go there; RTN_UNSPEC: there
 * is no way.  *is_member: it is a group that the interface is in. */
static unsigned find_way(uint32_t to, struct ifinfo *i, bool *is_member)
{
    ip4_addr_t ip = {to};
    *is_member = false;
    for (unsigned index = 1; ifinfo_next(index, i); index = i->index + 1) {
        if (i->ip4 && to == (i->ip4 | ~i->mask4) && prefix_len(i->mask4) < 31)
            return RTN_BROADCAST;
        if (i->is_loopback ? !to || ip4_addr_isloopback(&ip) : i->ip4 == to)
            return RTN_LOCAL;
    }
    inet_look();
    struct netif *n = ip4_route(&ip);
    int index = n ? netif_get_index(n) : 0;
    *is_member = n && igmp_lookfor_group(n, &ip);
    inet_unlook();
    if (!ifinfo_at(index, i))
        return RTN_UNSPEC;
    return ip4_addr_ismulticast(&ip) ? RTN_MULTICAST
           : to == IPADDR_BROADCAST  ? RTN_BROADCAST
                                     : RTN_UNICAST;
}

/* RTM_GETROUTE of one address: 0, -errno. */
static int get_route(struct builder *b)
{
    const struct rtmsg *m = NLMSG_DATA(b->request);
    static const uint32_t flags[] = {[RTN_LOCAL] = RTCF_LOCAL,
                                     [RTN_BROADCAST] = RTCF_BROADCAST | RTCF_LOCAL,
                                     [RTN_MULTICAST] = RTCF_MULTICAST};
    struct ifinfo i;
    uint32_t to = 0;
    bool is_member;
    if (m->rtm_family != AF_INET)
        return -EOPNOTSUPP;
    int len = get_attr(b->request, sizeof(*m), RTA_DST, &to, sizeof(to));
    if (len == -EINVAL)
        return -EINVAL;
    if (len >= 0 && len < (int)sizeof(to))
        return -ERANGE;
    unsigned type = find_way(to, &i, &is_member);
    if (type == RTN_UNSPEC)
        return -ENETUNREACH;
    uint32_t source = i.ip4;
    if (type == RTN_LOCAL)
        i.index = 1;
    struct rtmsg *told = begin_route(b, &i, 32, RTPROT_UNSPEC, RT_SCOPE_UNIVERSE);
    told->rtm_type = (uint8_t)type;
    told->rtm_flags = RTM_F_CLONED | flags[type] | (is_member ? RTCF_LOCAL : 0);
    put_number(b, RTA_DST, to);
    put_number(b, RTA_PREFSRC, source);
    if (type == RTN_UNICAST && ((to ^ i.ip4) & i.mask4))
        put_number(b, RTA_GATEWAY, i.gateway4);
    return 0;
}

/* The request is quoted no further than its header, as NETLINK_CAP_ACK asks Linux for. */
static void acknowledge(struct builder *b, int error)
{
    b->flags = NLM_F_CAPPED;
    struct nlmsgerr *m = begin(b, NLMSG_ERROR, sizeof(*m));
    m->error = error;
    m->msg = *b->request;
}

/* Whether the request is to be acknowledged (1), or -errno. */
static __attribute__((noinline)) int answer(struct builder *b)
{
    const struct nlmsghdr *h = b->request;
    unsigned type = h->nlmsg_type;
    int ret = 0;
    if ((h->nlmsg_flags & NLM_F_REQUEST) && type >= NLMSG_MIN_TYPE && h->nlmsg_len > sizeof(*h)) {
        bool is_get = type <= RTM_GETNEIGH && type % 4 == RTM_GETLINK % 4;
        if (is_get && (h->nlmsg_flags & NLM_F_DUMP))
            return dump(b);
        ret = type == RTM_GETLINK ? get_link(b) : type == RTM_GETROUTE ? get_route(b) : -EOPNOTSUPP;
    }
    return ret < 0 ? ret : (h->nlmsg_flags & NLM_F_ACK) != 0;
}

static int handle(struct netlink *n, const struct nlmsghdr *h)
{
    struct builder b = {.n = n, .request = h, .bytes = heap_alloc(ANSWER_MAX)};
    if (!b.bytes)
        return -ENOBUFS;
    int ret = answer(&b);
    if (ret != 0)
        acknowledge(&b, MIN(ret, 0));
    send_answer(&b);
    heap_free(b.bytes);
    waitq_wake(&n->s.read_wait, 0, POLL_READABLE | POLLERR);
    return 0;
}

/* Something was read: the dump that waits for room is made, if half of it is free now. */
static void go_on(struct netlink *n)
{
    spin_lock(&n->lock);
    struct dump_request d = n->waiting;
    bool is_due = d.h.nlmsg_type && n->queued <= n->s.rcvbuf / 2;
    if (is_due)
        n->waiting.h.nlmsg_type = 0;
    spin_unlock(&n->lock);
    if (is_due && handle(n, &d.h) < 0) {
        atomic_store(&n->s.error, -ENOBUFS);
        waitq_wake(&n->s.read_wait, 0, POLL_READABLE | POLLERR);
    }
}

/* --- the socket ---------------------------------------------------------------------------------------- */

static bool is_taken(uint32_t port)
{
    struct netlink *n;
    list_for_each(n, &all, all_node) {
        if (n->port == port)
            return true;
    }
    return false;
}

/* That one, or (0) the process's number for one socket at a time, and for others what is no process's: 0, -EADDRINUSE. */
static int choose_port(struct netlink *n, uint32_t wanted)
{
    struct net_caller c;
    net_get_caller(&c);
    spin_lock(&all_lock);
    bool has_one = n->port;
    uint32_t port = n->port ?: wanted ?: (uint32_t)c.pid;
    bool is_other = has_one ? wanted && wanted != port : is_taken(port);
    while (!has_one && !wanted && is_other) {
        port = 0x80000000u + next_port++;
        is_other = is_taken(port);
    }
    if (!is_other)
        atomic_store(&n->port, port);
    spin_unlock(&all_lock);
    return !is_other ? 0 : has_one ? -EINVAL : -EADDRINUSE;
}

static int netlink_bind(struct socket *s, const struct socket_addr *addr)
{
    struct netlink *n = netlink_of(s);
    struct sockaddr_nl nl;
    if (addr->len < sizeof(nl))
        return -EINVAL;
    memcpy(&nl, addr->bytes, sizeof(nl));
    if (nl.nl_family != AF_NETLINK)
        return -EINVAL;
    if (n->port && nl.nl_pid != n->port)
        return -EINVAL;
    int ret = choose_port(n, nl.nl_pid);
    if (ret == 0)
        n->groups = nl.nl_groups;
    return ret;
}

static int netlink_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    (void)nonblock;
    if (addr->len >= sizeof(addr->family) && addr->family == AF_UNSPEC)
        return 0;
    if (addr->len < sizeof(struct sockaddr_nl) || addr->family != AF_NETLINK)
        return -EINVAL;
    return choose_port(netlink_of(s), 0);
}

static void put_addr(struct socket_addr *a, uint32_t port, uint32_t groups)
{
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
    a->len = sizeof(nl);
    memcpy(a->bytes, &nl, sizeof(nl));
}

static int netlink_getname(struct socket *s, struct socket_addr *a, int peer)
{
    struct netlink *n = netlink_of(s);
    put_addr(a, peer ? 0 : n->port, peer ? 0 : n->groups);
    return 0;
}

static ssize_t netlink_send(struct socket *s, struct socket_msg *m)
{
    struct netlink *n = netlink_of(s);
    size_t len = m->data->left;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (len == 0)
        return -ENODATA;
    if (len < sizeof(struct nlmsghdr))
        return (ssize_t)len;
    if (len > ANSWER_MAX)
        return -EMSGSIZE;
    char *buf = heap_alloc(len);
    if (!buf)
        return -ENOBUFS;
    int ret = choose_port(n, 0);
    if (iobuf_get(m->data, buf, len) != (ssize_t)len)
        ret = -EFAULT;
    size_t at = 0;
    while (ret == 0 && len - at >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)(buf + at);
        if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len - at)
            break;
        ret = handle(n, h);
        at += MIN((size_t)NLMSG_ALIGN(h->nlmsg_len), len - at);
    }
    heap_free(buf);
    return ret < 0 ? ret : (ssize_t)len;
}

static bool has_answer(struct netlink *n)
{
    return atomic_load(&n->queue.next) != &n->queue;
}

static struct answer *take(struct netlink *n, bool peeks)
{
    spin_lock(&n->lock);
    struct list *first = list_is_empty(&n->queue) ? NULL : n->queue.next;
    struct answer *a = first ? list_entry(first, struct answer, node) : NULL;
    if (a && !peeks) {
        list_remove(first);
        n->queued -= ANSWER_COST + a->len;
        if (list_is_empty(&n->queue))
            n->is_overrun = false;
    }
    spin_unlock(&n->lock);
    return a;
}

static ssize_t deliver(struct answer *a, struct socket_msg *m)
{
    size_t len = a->len, part = MIN(len, m->data->left);
    if (part < len)
        m->out_flags |= MSG_TRUNC;
    if (part > 0 && iobuf_put(m->data, a->bytes, part) != (ssize_t)part)
        return -EFAULT;
    if (m->addr)
        put_addr(m->addr, 0, 0);
    return m->flags & MSG_TRUNC ? (ssize_t)len : (ssize_t)part;
}

static ssize_t netlink_recv(struct socket *s, struct socket_msg *m)
{
    struct netlink *n = netlink_of(s);
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, m->nonblock);
    bool peeks = m->flags & MSG_PEEK;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    for (;;) {
        ssize_t ret = socket_take_error(s);
        if (ret < 0)
            return ret;
        mutex_lock(&n->io);
        struct answer *a = take(n, peeks);
        ret = a ? deliver(a, m) : 0;
        mutex_unlock(&n->io);
        if (a) {
            if (!peeks)
                heap_free(a);
            go_on(n);
            return ret;
        }
        ret = SOCKET_WAIT(&s->read_wait, has_answer(n) || atomic_load(&s->error), deadline);
        if (ret < 0)
            return ret;
    }
}

static uint32_t netlink_poll(struct socket *s, struct file *f, struct poll_table *t)
{
    poll_on(t, f, &s->read_wait);
    return POLL_WRITABLE | (has_answer(netlink_of(s)) ? POLL_READABLE : 0) |
           (atomic_load(&s->error) ? POLLERR : 0);
}

static void netlink_release(struct socket *s)
{
    struct netlink *n = netlink_of(s);
    struct answer *a;
    spin_lock(&all_lock);
    list_remove(&n->all_node);
    spin_unlock(&all_lock);
    while ((a = take(n, false)))
        heap_free(a);
    heap_free(n);
}

static const struct socket_ops ops = {
    .bind = netlink_bind,
    .connect = netlink_connect,
    .send = netlink_send,
    .recv = netlink_recv,
    .getname = netlink_getname,
    .poll = netlink_poll,
    .release = netlink_release,
};

static int create(int type, int protocol, struct socket **out)
{
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != NETLINK_ROUTE)
        return -EPROTONOSUPPORT;
    struct netlink *n = heap_zalloc(sizeof(*n));
    if (!n)
        return -ENOMEM;
    socket_setup(&n->s, &ops, AF_NETLINK, type, protocol);
    spin_init(&n->lock, RANK_SOCKET);
    mutex_init(&n->io, RANK_SOCKET_IO);
    list_init(&n->queue);
    spin_lock(&all_lock);
    list_push_back(&all, &n->all_node);
    spin_unlock(&all_lock);
    *out = &n->s;
    return 0;
}

static struct socket_family family = {.family = AF_NETLINK, .create = create};

void netlink_init(void)
{
    socket_register_family(&family);
}
