/* Errors that others report by ICMP, and the queue of them that a datagram socket can have (IP_RECVERR).
 *
 * A raw control block of our own sees every ICMP packet first.  The datagram that one quotes tells the socket: without
 * a queue it hears only if it is connected, and only of what is final; with one, of everything. */
#include <base/string.h>
#include <inet.h>
#include <linux/in.h>
#include <linux/in6.h>
/* <linux/errqueue.h> wants a C library's struct timespec. */

#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/udp.h>
#include <lwip/raw.h>
#include <net_hooks.h>

#define QUOTE_MAX 576u /* of a packet, in an ICMP packet with its headers */

enum { EE_ORIGIN_ICMP = 2, EE_ORIGIN_ICMP6 = 3 };
struct extended_err { /* struct sock_extended_err */
    uint32_t ee_errno;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
};

struct inet_error {
    struct list node;
    struct extended_err ee;
    ip_addr_t offender, to;
    uint16_t port;
    uint16_t n;
    char data[];
};

/* --- what a packet means ------------------------------------------------------------------------------- */

struct report {
    int error; /* -errno */
    bool is_final;
    bool is_too_big;
    bool is_v6;
    uint8_t type, code;
    uint32_t info;
    ip_addr_t from, to; /* of the quoted datagram */
    uint16_t from_port, to_port;
    const ip_addr_t *offender;
    struct pbuf *p;
    size_t data; /* where its quoted bytes begin in p */
};

static bool judge_v4(struct report *r)
{
    static const struct {
        uint8_t error;
        bool is_final;
    } unreachable[] = {
        {ENETUNREACH, false},  {EHOSTUNREACH, false}, {ENOPROTOOPT, true},  {ECONNREFUSED, true},
        {EMSGSIZE, false},     {EOPNOTSUPP, false},   {ENETUNREACH, true},  {EHOSTDOWN, true},
        {ENONET, true},        {ENETUNREACH, true},   {EHOSTUNREACH, true}, {ENETUNREACH, false},
        {EHOSTUNREACH, false}, {EHOSTUNREACH, true},  {EHOSTUNREACH, true}, {EHOSTUNREACH, true},
    };
    r->error = -EHOSTUNREACH;
    switch (r->type) {
    case ICMP_TE:
        r->info = 0;
        return true;
    case ICMP_PP:
        r->error = -EPROTO;
        r->is_final = true;
        r->info >>= 24;
        return true;
    case ICMP_DUR:
        r->is_too_big = r->code == ICMP_DUR_FRAG;
        r->info = r->is_too_big ? r->info & 0xffff : 0;
        if (r->code >= ARRAY_LEN(unreachable))
            return true;
        r->error = -unreachable[r->code].error;
        r->is_final = unreachable[r->code].is_final;
        return true;
    default:
        return false;
    }
}

static bool judge_v6(struct report *r)
{
    static const uint8_t unreachable[] = {ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
                                          ECONNREFUSED, EACCES, EACCES};
    r->error = -EPROTO;
    switch (r->type) {
    case ICMP6_TYPE_DUR:
        if (r->code < ARRAY_LEN(unreachable))
            r->error = -unreachable[r->code];
        r->is_final = r->error == -EACCES || r->error == -ECONNREFUSED || r->error == -EPROTO;
        return true;
    case ICMP6_TYPE_PTB:
        r->error = -EMSGSIZE;
        r->is_too_big = true;
        return true;
    case ICMP6_TYPE_PP:
        r->is_final = true;
        return true;
    case ICMP6_TYPE_TE:
        r->error = -EHOSTUNREACH;
        return true;
    default:
        return false;
    }
}

/* --- whom it reaches ----------------------------------------------------------------------------------- */

static void enqueue(struct inet_sock *i, const struct report *r)
{
    size_t n = MIN(r->p->tot_len - r->data, (size_t)UINT16_MAX);
    struct inet_error *e = i->nr_errors < INET_ERRORS_MAX ? heap_alloc(sizeof(*e) + n) : NULL;
    if (!e)
        return;
    e->ee = (struct extended_err){.ee_errno = (uint32_t)-r->error,
                                  .origin = r->is_v6 ? EE_ORIGIN_ICMP6 : EE_ORIGIN_ICMP,
                                  .type = r->type,
                                  .code = r->code,
                                  .info = r->info};
    e->offender = *r->offender;
    e->to = r->to;
    e->port = r->to_port;
    e->n = pbuf_copy_partial(r->p, e->data, (u16_t)n, (u16_t)r->data);
    list_push_back(&i->errors, &e->node);
    atomic_store(&i->nr_errors, i->nr_errors + 1);
}

static bool is_about(const struct inet_sock *i, const struct report *r)
{
    if (i->local_port != r->from_port || (i->is_v6 ? i->is_v6_only && !r->is_v6 : r->is_v6))
        return false;
    if (i->state == INET_CONNECTED)
        return i->peer_port == r->to_port && ip_addr_cmp_zoneless(&i->peer, &r->to);
    return ip_addr_isany(&i->local) || ip_addr_cmp_zoneless(&i->local, &r->from);
}

static void tell(struct report *r)
{
    struct inet_sock *i;
    list_for_each(i, &inet_all_udp, all_node) {
        bool has_queue = r->is_v6 ? i->recverr6 : i->recverr4;
        bool is_final = r->is_too_big ? i->mtu_discover >= IP_PMTUDISC_DO : r->is_final;
        if (!is_about(i, r) || (!has_queue && (!is_final || i->state != INET_CONNECTED)))
            continue;
        if (has_queue)
            enqueue(i, r);
        atomic_store(&i->s.error, r->error);
        socket_wake_all(&i->s);
    }
}

struct icmp_start {
    uint8_t type, code;
    uint16_t sum;
    uint32_t rest;
};

static u8_t on_icmp(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct {
        struct icmp_start h;
        struct ip_hdr ip;
        struct udp_hdr udp;
    } __attribute__((packed)) m;
    size_t at = ip_current_header_tot_len();
    (void)arg, (void)pcb;
    if (pbuf_copy_partial(p, &m, sizeof(m), (u16_t)at) != sizeof(m) ||
        IPH_PROTO(&m.ip) != IP_PROTO_UDP || IPH_HL_BYTES(&m.ip) != IP_HLEN)
        return 0;
    struct report r = {.type = m.h.type,
                       .code = m.h.code,
                       .info = lwip_ntohl(m.h.rest),
                       .from_port = lwip_ntohs(m.udp.src),
                       .to_port = lwip_ntohs(m.udp.dest),
                       .offender = from,
                       .p = p,
                       .data = at + sizeof(m)};
    ip_addr_set_ip4_u32_val(r.from, m.ip.src.addr);
    ip_addr_set_ip4_u32_val(r.to, m.ip.dest.addr);
    if (judge_v4(&r))
        tell(&r);
    return 0;
}

static u8_t on_icmp6(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct {
        struct icmp_start h;
        struct ip6_hdr ip;
        struct udp_hdr udp;
    } __attribute__((packed)) m;
    size_t at = ip_current_header_tot_len();
    (void)arg, (void)pcb;
    if (pbuf_copy_partial(p, &m, sizeof(m), (u16_t)at) != sizeof(m) ||
        IP6H_NEXTH(&m.ip) != IP6_NEXTH_UDP)
        return 0;
    struct report r = {.is_v6 = true,
                       .type = m.h.type,
                       .code = m.h.code,
                       .info = lwip_ntohl(m.h.rest),
                       .from_port = lwip_ntohs(m.udp.src),
                       .to_port = lwip_ntohs(m.udp.dest),
                       .offender = from,
                       .p = p,
                       .data = at + sizeof(m)};
    ip_addr_copy_from_ip6_packed(r.from, m.ip.src);
    ip_addr_copy_from_ip6_packed(r.to, m.ip.dest);
    if (judge_v6(&r))
        tell(&r);
    return 0;
}

void inet_watch_icmp(void)
{
    struct raw_pcb *v4 = raw_new_ip_type(IPADDR_TYPE_V4, IP_PROTO_ICMP);
    struct raw_pcb *v6 = raw_new_ip_type(IPADDR_TYPE_V6, IP6_NEXTH_ICMP6);
    if (!v4 || !v6)
        panic("no memory for the network");
    raw_recv(v4, on_icmp, NULL);
    raw_recv(v6, on_icmp6, NULL);
}

/* lwIP's own quotes eight bytes of the datagram, as hosts did long ago; Linux quotes what fits. */
void net_icmp_unreach(struct pbuf *p, enum icmp_dur_type code)
{
    struct icmp_start h = {.type = ICMP_DUR, .code = (uint8_t)code};
    ip4_addr_t to;
    ip4_addr_copy(to, ((struct ip_hdr *)p->payload)->src);
    u16_t n = (u16_t)MIN((unsigned)p->tot_len, QUOTE_MAX - IP_HLEN - (unsigned)sizeof(h));
    struct pbuf *q = pbuf_alloc(PBUF_IP, (u16_t)(sizeof(h) + n), PBUF_RAM);
    if (!q)
        return;
    pbuf_copy_partial(p, (char *)q->payload + sizeof(h), n, 0);
    memcpy(q->payload, &h, sizeof(h));
    ((struct icmp_start *)q->payload)->sum = inet_chksum(q->payload, q->len);
    ip4_output(q, NULL, &to, ICMP_TTL, 0, IP_PROTO_ICMP);
    pbuf_free(q);
}

/* --- the queue ----------------------------------------------------------------------------------------- */

static struct inet_error *take(struct inet_sock *i)
{
    struct list *node = list_pop_front(&i->errors);
    if (!node)
        return NULL;
    atomic_store(&i->nr_errors, i->nr_errors - 1);
    return list_entry(node, struct inet_error, node);
}

void inet_drop_errors(struct inet_sock *i)
{
    for (struct inet_error *e; (e = take(i));)
        heap_free(e);
}

static ssize_t deliver(struct inet_sock *i, struct socket_msg *m, struct inet_error *e)
{
    struct {
        struct extended_err ee;
        char offender[sizeof(struct sockaddr_in6)];
    } c = {.ee = e->ee};
    struct socket_addr a;
    size_t n = MIN((size_t)e->n, m->data->left);
    m->out_flags |= MSG_ERRQUEUE | (n < e->n ? MSG_TRUNC : 0);
    if (n > 0 && iobuf_put(m->data, e->data, n) != (ssize_t)n)
        return -EFAULT;
    if (m->addr)
        inet_put_addr(i, &e->to, e->port, m->addr);
    inet_put_addr(i, &e->offender, 0, &a);
    memcpy(c.offender, a.bytes, a.len);
    socket_emit(m, i->is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, i->is_v6 ? IPV6_RECVERR : IP_RECVERR, &c,
                sizeof(c.ee) + a.len);
    return (ssize_t)n;
}

ssize_t inet_recv_error(struct inet_sock *i, struct socket_msg *m)
{
    inet_lock();
    struct inet_error *e = take(i);
    if (e) { /* the next one is what SO_ERROR tells of now */
        struct inet_error *next = list_entry(i->errors.next, struct inet_error, node);
        atomic_store(&i->s.error, i->nr_errors > 0 ? -(int)next->ee.ee_errno : 0);
    }
    inet_unlock();
    if (!e)
        return -EAGAIN;
    ssize_t ret = deliver(i, m, e);
    heap_free(e);
    return ret;
}
