/* Datagrams: UDP, and raw IP with ICMP.
 *
 * A datagram waits in the socket's queue as the buffers that it came in. */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <base/string.h>
#include <core/timer.h>
#include <inet.h>
#include <net/netdev.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/raw.h>
#include <lwip/udp.h>
#include <net_hooks.h>

#define DATA_MAX      65507u
#define PIECES_MAX    64u  /* of a datagram that is sent, in as many buffers */
#define DATAGRAM_COST 512u /* of a queued one, beside its bytes */

static const struct socket_ops dgram_ops;
struct list inet_all_udp = LIST_INIT(inet_all_udp), inet_all_raw = LIST_INIT(inet_all_raw);

/* --- arrival ------------------------------------------------------------------------------------------- */

/* What it takes of SO_RCVBUF.  Of one that stays where the device wrote it (netif_rx.c) each part holds a block. */
static size_t cost_of(const struct pbuf *p)
{
    bool is_kept = p->flags & PBUF_FLAG_IS_CUSTOM;
    return DATAGRAM_COST + (is_kept ? pbuf_clen(p) * (size_t)NETDEV_BLOCK : p->tot_len);
}

static void enqueue(struct inet_sock *i, struct pbuf *p, const ip_addr_t *from, uint16_t port)
{
    size_t cost = cost_of(p);
    struct inet_datagram *d = i->rx_bytes + cost <= i->s.rcvbuf ? heap_alloc(sizeof(*d)) : NULL;
    if (!d) {
        i->drops++;
        pbuf_free(p);
        return;
    }
    d->p = p;
    d->from = *from;
    d->to = *ip_current_dest_addr();
    d->from_port = port;
    d->was_peeked = false;
    d->drops = i->drops;
    d->arrived_ns = clock_wall_ns();
    d->ifindex = netif_get_index(ip_current_input_netif());
    d->ttl = ip_current_is_v6() ? IP6H_HOPLIM(ip6_current_header()) : IPH_TTL(ip4_current_header());
    d->tos = ip_current_is_v6() ? IP6H_TC(ip6_current_header()) : IPH_TOS(ip4_current_header());
    list_push_back(&i->datagrams, &d->node);
    atomic_store(&i->rx_bytes, i->rx_bytes + cost);
    atomic_store(&i->nr_arrived, i->nr_arrived + 1);
    socket_wake_readers(&i->s);
}

static void on_udp(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                   u16_t port)
{
    struct inet_sock *i = arg;
    (void)pcb;
    if (i->state == INET_NEW && !ip_addr_ismulticast(ip_current_dest_addr()) &&
        !ip_addr_isbroadcast(ip_current_dest_addr(), ip_current_input_netif()))
        i = inet_share(i, &inet_all_udp, from, port);
    /* What is for a group comes here whoever the socket's peer is. */
    bool is_ours = i->state != INET_CONNECTED ||
                   (port == i->peer_port && ip_addr_cmp_zoneless(from, &i->peer));
    if (is_ours && inet_hears(i, ip_current_dest_addr(), netif_get_index(ip_current_input_netif())))
        enqueue(i, p, from, port);
    else
        pbuf_free(p);
}

/* --- raw sockets' packets ------------------------------------------------------------------------------ */

/* Without raw sockets nobody is asked but those who listen to ICMP (inet_error.c). */
raw_input_state_t net_raw_input(struct pbuf *p, struct netif *n)
{
    const struct ip_hdr *h = p->payload;
    return !list_is_empty(&inet_all_raw) || IPH_PROTO(h) == IP_PROTO_ICMP ? raw_input(p, n)
                                                                          : RAW_INPUT_NONE;
}

/* Every raw socket gets a copy, and the stack goes on with the packet. */
static u8_t on_raw(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct inet_sock *i = arg;
    (void)pcb;
    struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    if (!copy)
        return 0;
    u16_t header = ip_current_header_tot_len();
    pbuf_remove_header(copy, header);
    const struct icmp_echo_hdr *echo = copy->payload;
    bool is_answer = copy->len >= sizeof(*echo) &&
                     echo->type == (i->is_v6 ? ICMP6_TYPE_EREP : ICMP_ER) &&
                     lwip_ntohs(echo->id) == i->local_port;
    unsigned type = copy->len ? echo->type : 0;
    if (i->s.type == SOCK_DGRAM ? !is_answer : i->blocked[type / 32] >> type % 32 & 1) {
        pbuf_free(copy);
        return 0;
    }
    if (i->s.type == SOCK_RAW && !i->is_v6) /* which hears the IP header, too */
        pbuf_add_header(copy, header);
    enqueue(i, copy, from, 0);
    return 0;
}

/* --- making, binding, connecting ----------------------------------------------------------------------- */

struct inet_sock *inet_udp_new(int family)
{
    struct inet_sock *i = inet_new(&dgram_ops, family, SOCK_DGRAM, IPPROTO_UDP);
    if (!i)
        return NULL;
    i->udp = udp_new_ip_type(family == AF_INET6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
    if (!i->udp) {
        heap_free(i);
        return NULL;
    }
    udp_recv(i->udp, on_udp, i);
    udp_set_flags(i->udp, UDP_FLAGS_MULTICAST_LOOP);
    udp_set_multicast_ttl(i->udp, 1);
    list_push_back(&inet_all_udp, &i->all_node);
    return i;
}

struct inet_sock *inet_raw_new(int family, int type, int protocol)
{
    struct inet_sock *i = inet_new(&dgram_ops, family, type, protocol);
    if (!i)
        return NULL;
    i->raw = raw_new_ip_type(family == AF_INET6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4, (u8_t)protocol);
    if (!i->raw) {
        heap_free(i);
        return NULL;
    }
    i->is_raw = true;
    if (type == SOCK_RAW) /* so Linux tells it */
        i->local_port = i->bound_port = (uint16_t)protocol;
    list_push_back(&inet_all_raw, &i->all_node);
    raw_recv(i->raw, on_raw, i);
    if (protocol == IPPROTO_ICMPV6) {
        i->raw->chksum_reqd = 1;
        i->raw->chksum_offset = 2;
    }
    return i;
}

/* As with TCP (inet_tcp_bind.c), but that nobody listens. */
static bool is_taken(const struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    for (const struct udp_pcb *p = udp_pcbs; p; p = p->next) {
        const struct inet_sock *other = p->recv_arg; /* NULL: lwIP's own */
        if (p->local_port != port || !other || other == i || !inet_overlaps(&p->local_ip, ip))
            continue;
        unsigned both = atomic_load(&i->s.flags) & atomic_load(&other->s.flags);
        if (!(both & (1u << SOCKET_REUSEADDR | 1u << SOCKET_REUSEPORT)))
            return true;
    }
    return false;
}

static int bind_to(struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    if (i->is_raw) {
        i->local_port = port;
        return inet_errno(raw_bind(i->raw, ip));
    }
    if (port && is_taken(i, ip, port))
        return -EADDRINUSE;
    if (socket_has(&i->s, SOCKET_REUSEADDR) || socket_has(&i->s, SOCKET_REUSEPORT))
        ip_set_option(i->udp, SOF_REUSEADDR);
    int ret = inet_errno(udp_bind(i->udp, ip, port));
    if (ret == 0)
        i->local_port = i->udp->local_port;
    return ret;
}

static int bind_locked(struct inet_sock *i, const struct socket_addr *addr)
{
    ip_addr_t ip;
    uint16_t port;
    int ret = inet_get_addr(i, addr, &ip, &port);
    if (ret == 0 && i->is_v6 && addr->family == AF_INET) /* which is for peers */
        ret = addr->len < sizeof(struct sockaddr_in6) ? -EINVAL : -EAFNOSUPPORT;
    if (ret == 0)
        ret = inet_check_bind(i, &ip, port);
    if (i->s.type == SOCK_RAW)
        port = i->local_port;
    else if (ret == 0 && i->local_port)
        ret = -EINVAL;
    if (ret == 0)
        ret = bind_to(i, &ip, port);
    if (ret == 0) {
        i->local = i->bound = ip;
        i->bound_port = port;
    }
    return ret;
}

static int dgram_bind(struct socket *s, const struct socket_addr *addr)
{
    inet_lock();
    int ret = bind_locked(inet_of(s), addr);
    inet_unlock();
    return ret;
}

/* As bind(2) left it, which may be nothing. */
static void disconnect(struct inet_sock *i)
{
    if (!i->is_raw) {
        udp_disconnect(i->udp);
        i->udp->local_port = i->bound_port;
    }
    i->local = i->bound;
    i->local_port = i->bound_port;
    i->peer_port = 0;
    i->state = INET_NEW;
}

/* The local address of packets to `ip`. */
static void choose_source(struct inet_sock *i, const ip_addr_t *ip)
{
    struct netif *n = inet_route(i, ip);
    const ip_addr_t *source = n ? ip_netif_get_local_ip(n, ip) : NULL;
    if (source && ip_addr_isany(&i->local))
        i->local = *source;
}

/* To everybody, without SO_BROADCAST. */
static bool is_forbidden(const struct inet_sock *i, const ip_addr_t *ip, const struct netif *n)
{
    return ip_addr_isbroadcast(ip, n) && !socket_has(&i->s, SOCKET_BROADCAST);
}

/* A port, if it has none: 0 or -errno. */
static int autobind(struct inet_sock *i)
{
    return i->is_raw || i->local_port ? 0 : bind_to(i, &i->udp->local_ip, 0);
}

static int connect_locked(struct inet_sock *i, const struct socket_addr *addr)
{
    ip_addr_t ip;
    uint16_t port;
    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        disconnect(i);
        return 0;
    }
    int ret = inet_get_addr(i, addr, &ip, &port);
    if (ret < 0)
        return ret;
    inet_fix_destination(&ip);
    const struct netif *n = inet_route(i, &ip);
    if (!n)
        return -ENETUNREACH;
    if (is_forbidden(i, &ip, n))
        return -EACCES;
    ret = autobind(i);
    if (ret == 0 && !i->is_raw)
        ret = inet_errno(udp_connect(i->udp, &ip, port));
    if (ret < 0)
        return ret;
    choose_source(i, &ip);
    i->peer = ip;
    i->peer_port = port;
    i->state = INET_CONNECTED;
    return 0;
}

static int dgram_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    (void)nonblock;
    inet_lock();
    int ret = connect_locked(inet_of(s), addr);
    inet_unlock();
    return ret;
}

/* --- sending ------------------------------------------------------------------------------------------- */

static int send_by(struct inet_sock *i, struct pbuf *p, const struct inet_target *to)
{
    const ip_addr_t *ip = &to->ip, *own = &((struct ip_pcb *)i->udp)->local_ip;
    struct netif *n = to->how.netif;
    if (!ip_addr_isany(&to->how.source))
        own = &to->how.source;
    else if (ip_addr_isany(own) || ip_addr_ismulticast(own))
        own = ip_netif_get_local_ip(n, ip);
    if (!own)
        return -ENETUNREACH;
    if (i->is_raw)
        return inet_errno(raw_sendto_if_src(i->raw, p, ip, n, own));
    size_t mtu = IP_IS_V6(ip) ? nd6_get_destination_mtu(ip_2_ip6(ip), n) : n->mtu;
    netif_leave_udp(n, p->tot_len + UDP_HLEN + (IP_IS_V6(ip) ? IP6_HLEN : IP_HLEN) <= mtu);
    int ret = inet_errno(udp_sendto_if_src(i->udp, p, ip, to->port, n, own));
    netif_leave_udp(n, false);
    if (!i->local_port)
        i->local_port = i->udp->local_port;
    return ret == -EINVAL ? -ENETUNREACH : ret;
}

/* What is said of this datagram alone is the socket's option meanwhile. */
static int send_pbuf(struct inet_sock *i, struct pbuf *p, const struct inet_target *to)
{
    uint8_t ttl = i->ttl, tos = i->tos, multicast_ttl = i->multicast_ttl;
    if (to->how.ttl >= 0)
        i->ttl = i->multicast_ttl = (uint8_t)to->how.ttl;
    if (to->how.tos >= 0)
        i->tos = (uint8_t)to->how.tos;
    inet_set_block(i);
    int ret = send_by(i, p, to);
    i->ttl = ttl;
    i->tos = tos;
    i->multicast_ttl = multicast_ttl;
    inet_set_block(i);
    return ret;
}

/* Where to and how: 0 or -errno.  The first piece of a datagram says so for all. */
static int destination(struct inet_sock *i, const struct socket_msg *m, struct inet_target *to)
{
    struct socket_addr *a = m->addr;
    if (i->pieces)
        return 0;
    to->how = (struct inet_how){.ttl = -1, .tos = -1};
    if (a && a->len >= sizeof(a->family) && a->family == AF_UNSPEC) {
        if (i->is_v6)
            a = NULL;
        else
            a->bytes[0] = AF_INET;
    }
    if (!a) {
        to->ip = i->peer;
        to->port = i->peer_port;
        return i->state == INET_CONNECTED ? inet_get_control(i, m, &to->ip, &to->how)
                                          : -EDESTADDRREQ;
    }
    int ret = inet_get_addr(i, a, &to->ip, &to->port);
    if (ret == -EAFNOSUPPORT && i->is_v6 && !i->is_raw)
        ret = -EINVAL;
    if (ret < 0)
        return ret;
    if (to->port == 0 && !i->is_raw)
        return -EINVAL;
    inet_fix_destination(&to->ip);
    ret = inet_get_control(i, m, &to->ip, &to->how);
    return ret == 0 && is_forbidden(i, &to->ip, to->how.netif) ? -EACCES : ret;
}

static void drop_pieces(struct inet_sock *i)
{
    if (i->pieces)
        pbuf_free(i->pieces);
    i->pieces = NULL;
}

int inet_udp_uncork(struct inet_sock *i)
{
    int ret = i->pieces ? send_pbuf(i, i->pieces, &i->target) : 0;
    drop_pieces(i);
    return ret;
}

/* `p` is the next piece, most often the only one: 0 or -errno, which costs those before it, too, as on Linux. */
static int send_piece(struct inet_sock *i, struct pbuf *p, int flags)
{
    if (!i->pieces) {
        i->pieces = p;
    } else if (p->tot_len > 0) {
        pbuf_cat(i->pieces, p);
        /* What is added to a chain walks along it: many small pieces become one. */
        if (pbuf_clen(i->pieces) > PIECES_MAX)
            i->pieces = pbuf_coalesce(i->pieces, PBUF_TRANSPORT);
    } else { /* lwIP has no such end of a chain */
        pbuf_free(p);
    }
    return !i->is_raw && (i->is_corked || (flags & MSG_MORE)) ? 0 : inet_udp_uncork(i);
}

/* What leaves a socket of ICMP's: 0 or -EINVAL.  A SOCK_DGRAM sends echo requests alone, with its own number; lwIP
 * panics where a checksum has no room. */
static int prepare_icmp(struct inet_sock *i, struct pbuf *p)
{
    struct icmp_echo_hdr *echo = p->payload;
    static uint16_t next_id;
    if (i->s.type == SOCK_RAW)
        return i->s.protocol == IPPROTO_ICMPV6 && p->len < sizeof(*echo) / 2 ? -EINVAL : 0;
    if (p->len < sizeof(*echo) || echo->code != 0 ||
        echo->type != (i->is_v6 ? ICMP6_TYPE_EREQ : ICMP_ECHO))
        return -EINVAL;
    if (!i->local_port)
        i->local_port = ++next_id ?: ++next_id;
    echo->id = lwip_htons(i->local_port);
    echo->chksum = 0;
    if (!i->is_v6) /* of IPv6 addresses count, too: lwIP does it */
        echo->chksum = inet_chksum(p->payload, p->len);
    return 0;
}

/* What is wrong with `n` bytes, in Linux's order: 0 or -errno.  With pieces that wait there is a buffer already, and
 * neither an error nor shutdown(2) keeps more from it. */
static int check_send(struct inet_sock *i, const struct socket_msg *m, size_t n)
{
    int ret = autobind(i) ? -EAGAIN : destination(i, m, &i->target);
    if (ret == 0 && (i->pieces ? i->pieces->tot_len : 0) + n > DATA_MAX)
        ret = -EMSGSIZE;
    if (ret == 0 && !i->pieces)
        ret = socket_take_error(&i->s) ?: (i->s.shut & SHUT_SEND ? -EPIPE : 0);
    return ret;
}

static ssize_t dgram_send(struct socket *s, struct socket_msg *m)
{
    struct inet_sock *i = inet_of(s);
    size_t n = m->data->left;
    if (!i->is_v6 || i->is_raw) { /* this costs no pieces */
        if (n > 0xffff)
            return -EMSGSIZE;
        if (m->flags & MSG_OOB)
            return -EOPNOTSUPP;
    }
    bool is_long = n > DATA_MAX;
    struct pbuf *p =
        pbuf_alloc(i->is_raw ? PBUF_IP : PBUF_TRANSPORT, is_long ? 0 : (u16_t)n, PBUF_RAM);
    if (!p)
        return -ENOBUFS;
    bool is_whole = is_long || n == 0 || iobuf_get(m->data, p->payload, n) == (ssize_t)n;
    inet_lock();
    int ret = check_send(i, m, n) ?: (is_whole ? 0 : -EFAULT);
    if (ret == 0 && i->is_raw)
        ret = prepare_icmp(i, p);
    if (ret == 0 && !(m->flags & MSG_PROBE)) {
        ret = send_piece(i, p, m->flags);
    } else { /* of a probe all is said, and nothing goes */
        pbuf_free(p);
        if (ret < 0)
            drop_pieces(i);
    }
    inet_unlock();
    return ret < 0 ? ret : (ssize_t)n;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

static ssize_t copy_out(struct pbuf *p, size_t offset, struct iobuf *to, size_t n)
{
    for (size_t left = n; p && left > 0; p = p->next) {
        if (offset >= p->len) {
            offset -= p->len;
            continue;
        }
        size_t step = MIN(left, p->len - offset);
        if (iobuf_put(to, (char *)p->payload + offset, step) != (ssize_t)step)
            return -EFAULT;
        left -= step;
        offset = 0;
    }
    return (ssize_t)n;
}

static void free_datagram(struct inet_datagram *d)
{
    pbuf_free(d->p);
    heap_free(d);
}

/* The datagram at *offset (SO_PEEK_OFF), which becomes the bytes of it to leave out; NULL: none.  The net lock is held. */
static struct inet_datagram *look(struct inet_sock *i, size_t *offset)
{
    struct inet_datagram *d;
    list_for_each(d, &i->datagrams, node) {
        size_t n = d->p->tot_len;
        if (i->s.peek_off < 0 || *offset < n || (*offset == 0 && !d->was_peeked))
            return d;
        *offset -= n;
    }
    return NULL;
}

/* The first datagram, taken out; the net lock is held. */
static struct inet_datagram *take(struct inet_sock *i)
{
    struct list *node = list_pop_front(&i->datagrams);
    if (!node)
        return NULL;
    struct inet_datagram *d = list_entry(node, struct inet_datagram, node);
    atomic_store(&i->rx_bytes, i->rx_bytes - cost_of(d->p));
    return d;
}

static bool has_news(struct inet_sock *i, unsigned seen)
{
    return atomic_load(&i->nr_arrived) != seen || atomic_load(&i->s.error) ||
           (atomic_load(&i->s.shut) & SHUT_RECV);
}

static ssize_t deliver(struct inet_sock *i, struct socket_msg *m, struct inet_datagram *d,
                       size_t offset)
{
    size_t full = d->p->tot_len, n = MIN(full - offset, m->data->left);
    if (m->data->left <= full - offset && n < full) /* also one whose end was peeked at */
        m->out_flags |= MSG_TRUNC;
    ssize_t ret = copy_out(d->p, offset, m->data, n);
    if (ret < 0)
        return ret;
    if (m->addr) {
        uint16_t peer_port = i->peer_port; /* so that a real address is told as one */
        i->peer_port = 1;
        inet_put_addr(i, &d->from, d->from_port, m->addr);
        i->peer_port = peer_port;
    }
    inet_put_control(i, m, d);
    ret = m->flags & MSG_TRUNC ? (ssize_t)full : ret;
    d->was_peeked = true;
    socket_move_peek(&i->s, m->flags, (size_t)ret);
    return ret;
}

static ssize_t dgram_recv(struct socket *s, struct socket_msg *m)
{
    struct inet_sock *i = inet_of(s);
    bool peeks = m->flags & MSG_PEEK;
    if ((m->flags & MSG_OOB) && i->is_raw)
        return -EOPNOTSUPP;
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, m->nonblock);
    if (m->flags & MSG_ERRQUEUE)
        return inet_recv_error(i, m);
    for (;;) {
        int ret = socket_take_error(s);
        if (ret < 0)
            return ret;
        inet_lock();
        unsigned seen = i->nr_arrived;
        size_t offset = socket_peek_offset(s, m->flags);
        struct inet_datagram *d = peeks ? look(i, &offset) : take(i);
        ssize_t n = d ? deliver(i, m, d, offset) : 0;
        inet_unlock();
        if (d) {
            if (!peeks)
                free_datagram(d);
            return n;
        }
        if ((s->shut & SHUT_RECV) && deadline)
            return 0;
        ret = SOCKET_WAIT(&s->read_wait, has_news(i, seen), deadline);
        if (ret < 0)
            return ret;
    }
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static int dgram_shutdown(struct socket *s, int how)
{
    static const unsigned bits[] = {SHUT_RECV, SHUT_SEND, SHUT_BOTH};
    if ((unsigned)how > SHUT_RDWR)
        return -EINVAL;
    atomic_or(&s->shut, bits[how]);
    socket_wake_all(s);
    return inet_of(s)->state == INET_CONNECTED ? 0 : -ENOTCONN;
}

static uint32_t dgram_poll(struct socket *s, struct file *f, struct poll_table *t)
{
    poll_on(t, f, &s->read_wait);
    poll_on(t, f, &s->write_wait);
    unsigned shut = atomic_load(&s->shut);
    uint32_t events = POLL_WRITABLE | POLLWRBAND;
    if (atomic_load(&s->error) || atomic_load(&inet_of(s)->nr_errors) > 0)
        events |= POLLERR;
    if (shut == SHUT_BOTH)
        events |= POLLHUP;
    if (shut & SHUT_RECV)
        events |= POLLRDHUP | POLL_READABLE;
    if (atomic_load(&inet_of(s)->rx_bytes) > 0)
        events |= POLL_READABLE;
    return events;
}

static void dgram_release(struct socket *s)
{
    struct inet_sock *i = inet_of(s);
    struct inet_datagram *d;
    inet_lock();
    list_remove(&i->all_node);
    drop_pieces(i);
    if (i->is_raw) {
        raw_remove(i->raw);
    } else {
        udp_remove(i->udp);
    }
    while ((d = take(i)))
        free_datagram(d);
    inet_drop_errors(i);
    inet_leave_all(i);
    inet_unlock();
    heap_free(i);
}

static long dgram_ioctl(struct socket *s, unsigned cmd, struct uptr arg)
{
    struct inet_sock *i = inet_of(s);
    if (cmd != FIONREAD)
        return inet_ioctl(s, cmd, arg);
    inet_lock();
    struct inet_datagram *d = list_entry(i->datagrams.next, struct inet_datagram, node);
    int n = i->rx_bytes > 0 ? d->p->tot_len : 0;
    inet_unlock();
    return socket_put_int(arg, n);
}

static const struct socket_ops dgram_ops = {
    .bind = dgram_bind,
    .connect = dgram_connect,
    .send = dgram_send,
    .recv = dgram_recv,
    .shutdown = dgram_shutdown,
    .getname = inet_getname,
    .setsockopt = inet_setsockopt,
    .getsockopt = inet_getsockopt,
    .poll = dgram_poll,
    .ioctl = dgram_ioctl,
    .release = dgram_release,
};
