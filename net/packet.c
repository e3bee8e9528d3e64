/* AF_PACKET: frames as they come and go, for programs like tcpdump and dhclient; SOCK_RAW with their Ethernet header,
 * SOCK_DGRAM without.
 *
 * Who wants every protocol (ETH_P_ALL) also sees what this machine sends.  A frame is copied for each socket that wants
 * it.  The loopback interface has no Ethernet; its frames get a header of zeros here, as on Linux.  There are no rings
 * (PACKET_RX_RING) and no fanout. */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <base/string.h>
#include <core/timer.h>
#include <inet.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/ifinfo.h>
#include <net_hooks.h>
#include <packet.h>
#include <vfs/inode.h>

#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>

#define SOL_PACKET 263
#define LL_LEN     offsetof(struct sockaddr_ll, sll_addr)
#define FRAME_COST 256u /* of a queued one, beside its bytes */
#define VLAN_HLEN  4u

struct frame {
    struct list node;
    struct sockaddr_ll from;
    uint64_t arrived_ns;
    uint32_t len;
    uint8_t bytes[];
};

/* What a socket asked an interface for; only PACKET_MR_PROMISC changes anything. */
struct request {
    struct list node;
    struct packet_mreq mreq;
    unsigned count;
};

struct packet_sock {
    struct socket s; /* first */
    /* under the net lock; those marked (r) are also read without it */
    struct list node;  /* in `sockets` */
    uint16_t protocol; /* network byte order; 0: hears nothing */
    int ifindex;       /* 0: all */
    struct list frames;
    size_t queued;           /* (r) */
    unsigned nr_arrived;     /* (r) */
    unsigned packets, drops; /* since PACKET_STATISTICS was asked for */
    struct list requests;
    struct sock_filter *filter;
};

/* under the net lock */
static struct list sockets = LIST_INIT(sockets);
static const struct packet_sock *sender; /* does not hear what it sends */
static bool is_injecting; /* a frame goes into the loopback interface, and was seen */

static struct packet_sock *packet_of(struct socket *s)
{
    return (struct packet_sock *)s;
}

/* --- what goes by -------------------------------------------------------------------------------------- */

static bool is_promiscuous(int ifindex)
{
    struct packet_sock *k;
    struct request *r;
    list_for_each(k, &sockets, node) {
        list_for_each(r, &k->requests, node) {
            if (r->mreq.mr_ifindex == ifindex && r->mreq.mr_type == PACKET_MR_PROMISC)
                return true;
        }
    }
    return false;
}

static uint8_t type_of(const struct netif *n, const struct ethhdr *h)
{
    if (memcmp(h->h_dest, n->hwaddr, ETH_ALEN) == 0)
        return PACKET_HOST;
    if (!(h->h_dest[0] & 1))
        return PACKET_OTHERHOST;
    for (unsigned k = 0; k < ETH_ALEN; k++)
        if (h->h_dest[k] != 0xff)
            return PACKET_MULTICAST;
    return PACKET_BROADCAST;
}

static bool wants(const struct packet_sock *k, const struct sockaddr_ll *from)
{
    bool is_out = from->sll_pkttype == PACKET_OUTGOING;
    return k != sender && (!k->ifindex || k->ifindex == from->sll_ifindex) &&
           (k->protocol == PP_HTONS(ETH_P_ALL) || (!is_out && k->protocol == from->sll_protocol)) &&
           k->protocol;
}

/* A copy for one socket: the header, and the rest of it from `skip` of p on. */
static void give(struct packet_sock *k, const struct sockaddr_ll *from, const struct ethhdr *h,
                 const struct pbuf *p, unsigned skip)
{
    unsigned head = k->s.type == SOCK_RAW ? sizeof(*h) : 0, body = p->tot_len - skip;
    struct frame *f = heap_alloc(sizeof(*f) + head + body);
    if (!f) {
        k->drops++;
        return;
    }
    memcpy(f->bytes, h, head);
    pbuf_copy_partial(p, f->bytes + head, (u16_t)body, (u16_t)skip);
    f->len = head + body;
    struct packet_view v = {f->bytes, f->len, lwip_ntohs(from->sll_protocol), from->sll_pkttype,
                            from->sll_ifindex};
    if (k->filter)
        f->len = MIN(f->len, packet_filter_run(k->filter, &v));
    bool is_wanted = f->len > 0, fits = k->queued + f->len + FRAME_COST <= k->s.rcvbuf;
    if (!is_wanted || !fits || (k->s.shut & SHUT_RECV)) {
        k->drops += is_wanted;
        heap_free(f);
        return;
    }
    f->from = *from;
    f->arrived_ns = clock_wall_ns();
    list_push_back(&k->frames, &f->node);
    k->packets++;
    atomic_store(&k->queued, k->queued + f->len + FRAME_COST);
    atomic_store(&k->nr_arrived, k->nr_arrived + 1);
    socket_wake_readers(&k->s);
}

static void show(const struct netif *n, const struct ethhdr *h, const struct pbuf *p, unsigned skip,
                 uint8_t type)
{
    struct sockaddr_ll from = {
        .sll_family = AF_PACKET,
        .sll_protocol = h->h_proto,
        .sll_ifindex = netif_get_index(n),
        .sll_hatype = n->name[0] == 'l' ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
        .sll_pkttype = type,
        .sll_halen = ETH_ALEN,
    };
    if (lwip_ntohs(h->h_proto) < ETH_P_802_3_MIN) /* a length */
        from.sll_protocol = PP_HTONS(ETH_P_802_2);
    memcpy(from.sll_addr, h->h_source, ETH_ALEN);
    if (type == PACKET_OTHERHOST && n->name[0] != 'l' && !is_promiscuous(from.sll_ifindex))
        return; /* most cards would not have taken it */
    struct packet_sock *k;
    list_for_each(k, &sockets, node) {
        if (wants(k, &from))
            give(k, &from, h, p, skip);
    }
}

void packet_see(const struct netif *n, const struct pbuf *p, bool is_out)
{
    struct ethhdr h;
    if (likely(list_is_empty(&sockets)) || pbuf_copy_partial(p, &h, sizeof(h), 0) != sizeof(h))
        return;
    show(n, &h, p, sizeof(h), is_out ? PACKET_OUTGOING : type_of(n, &h));
}

void packet_see_loop(const struct netif *n, const struct pbuf *p)
{
    struct ethhdr h = {.h_proto = PP_HTONS(ETH_P_IP)};
    if (likely(list_is_empty(&sockets)) || is_injecting)
        return;
    if (*(const uint8_t *)p->payload >> 4 == 6)
        h.h_proto = PP_HTONS(ETH_P_IPV6);
    show(n, &h, p, 0, PACKET_OUTGOING);
    show(n, &h, p, 0, PACKET_HOST);
}

/* --- sending ------------------------------------------------------------------------------------------- */

/* A frame into the loopback interface, which takes only the packet in it. */
static void inject(struct netif *n, struct pbuf *p, const struct ethhdr *h)
{
    show(n, h, p, sizeof(*h), PACKET_OUTGOING);
    sender = NULL;
    show(n, h, p, sizeof(*h), type_of(n, h));
    bool is_ip = h->h_proto == PP_HTONS(ETH_P_IP) || h->h_proto == PP_HTONS(ETH_P_IPV6);
    if (!is_ip || p->tot_len == sizeof(*h))
        return;
    pbuf_remove_header(p, sizeof(*h));
    pbuf_ref(p);
    is_injecting = true;
    if (n->input(p, n) != ERR_OK)
        pbuf_free(p);
    is_injecting = false;
}

struct target {
    struct netif *n;
    struct ethhdr h;
    unsigned head; /* bytes of h that are ours to write */
};

/* Whereto: 0 or -errno.  The net lock is held. */
static int aim(const struct packet_sock *k, const struct socket_msg *m, struct target *t)
{
    struct sockaddr_ll a = {.sll_protocol = k->protocol, .sll_ifindex = k->ifindex};
    bool is_raw = k->s.type == SOCK_RAW, has_addr = m->addr;
    if (has_addr) {
        memcpy(&a, m->addr->bytes, MIN(m->addr->len, (unsigned)sizeof(a)));
        if (m->addr->len < sizeof(a) || m->addr->len < a.sll_halen + LL_LEN)
            return -EINVAL;
    }
    t->n = inet_netif(a.sll_ifindex);
    if (!t->n)
        return -ENXIO;
    if (!netif_is_up(t->n))
        return -ENETDOWN;
    bool is_loop = t->n->name[0] == 'l';
    size_t most = (is_loop ? 65536u : t->n->mtu) + (is_raw ? ETH_HLEN : 0u) + VLAN_HLEN;
    if (m->data->left > MIN(most, (size_t)0xffff - ETH_HLEN))
        return -EMSGSIZE;
    if (is_raw ? m->data->left < ETH_HLEN : !has_addr && !is_loop)
        return -EINVAL;
    t->head = is_raw ? 0 : ETH_HLEN;
    memcpy(t->h.h_dest, a.sll_addr, ETH_ALEN);
    memcpy(t->h.h_source, t->n->hwaddr, ETH_ALEN);
    t->h.h_proto = a.sll_protocol;
    return 0;
}

static ssize_t packet_send(struct socket *s, struct socket_msg *m)
{
    struct target t;
    size_t n = m->data->left;
    inet_lock();
    int ret = aim(packet_of(s), m, &t);
    inet_unlock();
    if (ret < 0)
        return ret;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(t.head + n), PBUF_RAM);
    if (!p)
        return -ENOBUFS;
    memcpy(p->payload, &t.h, t.head);
    if (iobuf_get(m->data, (char *)p->payload + t.head, n) != (ssize_t)n) {
        pbuf_free(p);
        return -EFAULT;
    }
    memcpy(&t.h, p->payload, sizeof(t.h));
    inet_lock();
    sender = packet_of(s);
    if (t.n->name[0] == 'l')
        inject(t.n, p, &t.h);
    else if (t.n->linkoutput(t.n, p) != ERR_OK)
        ret = -ENOBUFS;
    sender = NULL;
    inet_unlock();
    pbuf_free(p);
    return ret < 0 ? ret : (ssize_t)n;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

static ssize_t deliver(struct packet_sock *k, struct socket_msg *m, const struct frame *f)
{
    size_t n = MIN((size_t)f->len, m->data->left);
    if (n < f->len)
        m->out_flags |= MSG_TRUNC;
    if (n > 0 && iobuf_put(m->data, f->bytes, n) != (ssize_t)n)
        return -EFAULT;
    if (m->addr) {
        memcpy(m->addr->bytes, &f->from, sizeof(f->from));
        m->addr->len = sizeof(f->from);
    }
    socket_emit_stamp(&k->s, m, f->arrived_ns);
    return m->flags & MSG_TRUNC ? (ssize_t)f->len : (ssize_t)n;
}

static struct frame *first(const struct packet_sock *k)
{
    return list_is_empty(&k->frames) ? NULL : list_entry(k->frames.next, struct frame, node);
}

static void drop(struct packet_sock *k, struct frame *f)
{
    list_remove(&f->node);
    atomic_store(&k->queued, k->queued - f->len - FRAME_COST);
    heap_free(f);
}

static bool has_news(struct packet_sock *k, unsigned seen)
{
    return atomic_load(&k->nr_arrived) != seen || atomic_load(&k->s.error);
}

static ssize_t packet_recv(struct socket *s, struct socket_msg *m)
{
    struct packet_sock *k = packet_of(s);
    if (m->flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_ERRQUEUE))
        return -EINVAL;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN;
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, m->nonblock);
    for (;;) {
        ssize_t ret = socket_take_error(s);
        if (ret < 0)
            return ret;
        inet_lock();
        unsigned seen = k->nr_arrived;
        struct frame *f = first(k);
        if (f) {
            ret = deliver(k, m, f);
            if (!(m->flags & MSG_PEEK))
                drop(k, f);
        }
        inet_unlock();
        if (f)
            return ret;
        ret = SOCKET_WAIT(&s->read_wait, has_news(k, seen), deadline);
        if (ret < 0)
            return ret;
    }
}

/* --- names and options --------------------------------------------------------------------------------- */

static bool exists(int ifindex)
{
    return inet_netif(ifindex);
}

static int packet_bind(struct socket *s, const struct socket_addr *addr)
{
    struct packet_sock *k = packet_of(s);
    struct sockaddr_ll a;
    if (addr->len < sizeof(a) || addr->family != AF_PACKET)
        return -EINVAL;
    memcpy(&a, addr->bytes, sizeof(a));
    inet_lock();
    int ret = a.sll_ifindex && !exists(a.sll_ifindex) ? -ENODEV : 0;
    if (ret == 0) {
        k->ifindex = a.sll_ifindex;
        k->protocol = a.sll_protocol ?: k->protocol;
    }
    inet_unlock();
    return ret;
}

static int packet_getname(struct socket *s, struct socket_addr *addr, int peer)
{
    const struct packet_sock *k = packet_of(s);
    struct ifinfo i;
    if (peer)
        return -EOPNOTSUPP;
    struct sockaddr_ll a = {
        .sll_family = AF_PACKET, .sll_protocol = k->protocol, .sll_ifindex = k->ifindex};
    if (k->ifindex && ifinfo_next((unsigned)k->ifindex, &i)) {
        a.sll_hatype = i.is_loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
        a.sll_halen = ETH_ALEN;
        memcpy(a.sll_addr, i.mac, ETH_ALEN);
    }
    addr->len = (unsigned)LL_LEN + a.sll_halen;
    memcpy(addr->bytes, &a, sizeof(a));
    return 0;
}

static int change_request(struct packet_sock *k, const void *value, unsigned len, bool adds)
{
    struct packet_mreq q;
    struct request *r;
    if (len < sizeof(q))
        return -EINVAL;
    memcpy(&q, value, sizeof(q));
    if (adds && !exists(q.mr_ifindex))
        return -ENODEV;
    if (adds && q.mr_alen > ETH_ALEN)
        return -EINVAL;
    list_for_each(r, &k->requests, node) {
        if (r->mreq.mr_ifindex != q.mr_ifindex || r->mreq.mr_type != q.mr_type ||
            r->mreq.mr_alen != q.mr_alen ||
            memcmp(r->mreq.mr_address, q.mr_address, MIN(q.mr_alen, 8u)) != 0)
            continue;
        r->count += adds ? 1 : -1;
        if (r->count == 0) {
            list_remove(&r->node);
            heap_free(r);
        }
        return 0;
    }
    if (!adds)
        return 0;
    r = heap_alloc(sizeof(*r));
    if (!r)
        return -ENOBUFS;
    r->mreq = q;
    r->count = 1;
    list_push_back(&k->requests, &r->node);
    return 0;
}

static int set_filter(struct packet_sock *k, const void *value, unsigned len)
{
    unsigned n = len / (unsigned)sizeof(struct sock_filter);
    int ret = packet_filter_check(value, n);
    if (ret < 0)
        return ret;
    struct sock_filter *f = heap_alloc(len);
    if (!f)
        return -ENOMEM;
    memcpy(f, value, len);
    heap_free(k->filter);
    k->filter = f;
    return 0;
}

static int packet_setsockopt(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct packet_sock *k = packet_of(s);
    int ret = -ENOPROTOOPT;
    inet_lock();
    if (level == SOL_PACKET && (name == PACKET_ADD_MEMBERSHIP || name == PACKET_DROP_MEMBERSHIP)) {
        ret = change_request(k, value, len, name == PACKET_ADD_MEMBERSHIP);
    } else if (level == SOL_SOCKET && name == SO_ATTACH_FILTER) {
        ret = set_filter(k, value, len);
    } else if (level == SOL_SOCKET && name == SO_DETACH_FILTER) {
        ret = k->filter ? 0 : -ENOENT;
        heap_free(k->filter);
        k->filter = NULL;
    }
    inet_unlock();
    return ret;
}

static int packet_getsockopt(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct packet_sock *k = packet_of(s);
    if (level != SOL_PACKET || name != PACKET_STATISTICS)
        return -ENOPROTOOPT;
    inet_lock();
    struct tpacket_stats st = {k->packets + k->drops, k->drops};
    k->packets = k->drops = 0;
    inet_unlock();
    *len = MIN(*len, (unsigned)sizeof(st));
    memcpy(value, &st, *len);
    return 0;
}

static uint32_t packet_poll(struct socket *s, struct file *f, struct poll_table *t)
{
    poll_on(t, f, &s->read_wait);
    poll_on(t, f, &s->write_wait);
    return POLL_WRITABLE | POLLWRBAND | (atomic_load(&s->error) ? POLLERR : 0) |
           (atomic_load(&packet_of(s)->queued) > 0 ? POLL_READABLE : 0);
}

static long packet_ioctl(struct socket *s, unsigned cmd, struct uptr arg)
{
    if (cmd == TIOCOUTQ)
        return socket_put_int(arg, 0);
    if (cmd != FIONREAD)
        return -ENOTTY;
    inet_lock();
    const struct frame *f = first(packet_of(s));
    int n = f ? (int)f->len : 0;
    inet_unlock();
    return socket_put_int(arg, n);
}

static void packet_release(struct socket *s)
{
    struct packet_sock *k = packet_of(s);
    struct frame *f;
    inet_lock();
    list_remove(&k->node);
    while ((f = first(k)))
        drop(k, f);
    for (struct list *node; (node = list_pop_front(&k->requests));)
        heap_free(list_entry(node, struct request, node));
    inet_unlock();
    heap_free(k->filter);
    heap_free(k);
}

static const struct socket_ops packet_ops = {
    .bind = packet_bind,
    .send = packet_send,
    .recv = packet_recv,
    .getname = packet_getname,
    .setsockopt = packet_setsockopt,
    .getsockopt = packet_getsockopt,
    .poll = packet_poll,
    .ioctl = packet_ioctl,
    .release = packet_release,
};

static int create(int type, int protocol, struct socket **out)
{
    struct net_caller c;
    net_get_caller(&c);
    if (!cred_has_cap(c.cred, CAP_NET_RAW))
        return -EPERM;
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    struct packet_sock *k = heap_zalloc(sizeof(*k));
    if (!k)
        return -ENOMEM;
    inet_start();
    socket_setup(&k->s, &packet_ops, AF_PACKET, type, 0);
    k->protocol = (uint16_t)protocol;
    list_init(&k->frames);
    list_init(&k->requests);
    inet_lock();
    list_push_back(&sockets, &k->node);
    inet_unlock();
    *out = &k->s;
    return 0;
}

void packet_init(void)
{
    static struct socket_family family = {.family = AF_PACKET, .create = create};
    socket_register_family(&family);
}
