/* Options of IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, and ioctls of Internet sockets. */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <base/string.h>
#include <inet.h>
#include <linux/in.h>
#include <linux/icmpv6.h>
#include <linux/in6.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>

#define MS_PER_S 1000u
#define SOL_RAW  255

/* From <linux/udp.h>, which needs a C library's headers. */
#define SOL_UDP  17
#define UDP_CORK 1

static bool is_tcp(const struct inet_sock *i)
{
    return i->s.type == SOCK_STREAM;
}

/* The block of a connection, for options that lwIP keeps in it; NULL for a listener and what is over. */
static struct tcp_pcb *block(struct inet_sock *i)
{
    return is_tcp(i) && i->state != INET_LISTENING ? i->tcp : NULL;
}

static int answer(void *to, unsigned *len, const void *from, unsigned n)
{
    *len = MIN(*len, n);
    memcpy(to, from, *len);
    return 0;
}

/* --- TCP ----------------------------------------------------------------------------------------------- */

static int set_tcp(struct inet_sock *i, int name, int value)
{
    struct tcp_pcb *pcb = block(i);
    switch (name) {
    case TCP_NODELAY:
        i->is_undelayed = value != 0;
        inet_set_block(i);
        if (pcb && value && i->state == INET_CONNECTED)
            tcp_output(pcb);
        return 0;
    case TCP_CORK: /* and UDP_CORK */
        i->is_corked = value != 0;
        if (pcb && !value && i->state == INET_CONNECTED)
            tcp_output(pcb);
        if (!value)
            (void)!inet_udp_uncork(i); /* how that datagram fares is not told, as on Linux */
        return 0;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
        if (value < 1 || value > (name == TCP_KEEPCNT ? 127 : 32767))
            return -EINVAL;
        i->keep[name - TCP_KEEPIDLE] = (uint16_t)value;
        inet_set_block(i);
        return 0;
    case TCP_USER_TIMEOUT:
        if (value < 0)
            return -EINVAL;
        i->user_timeout_ms = (unsigned)value;
        inet_tcp_watch(i);
        return 0;
    case TCP_QUICKACK: /* hints, which lwIP has no use for */
    case TCP_DEFER_ACCEPT:
        return 0;
    case TCP_MAXSEG:
        if (value < 88 || value > 32767)
            return -EINVAL;
        if (pcb && i->state == INET_CONNECTED)
            pcb->mss = (u16_t)MIN((unsigned)pcb->mss, (unsigned)value);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT CLOSING LAST_ACK TIME_WAIT */
const uint8_t inet_tcp_state_of[] = {7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6};

static void fill_info(struct inet_sock *i, struct tcp_info *t)
{
    struct tcp_pcb *pcb = block(i);
    memset(t, 0, sizeof(*t));
    t->tcpi_state = i->state == INET_LISTENING ? 10 : pcb ? inet_tcp_state_of[pcb->state] : 7;
    if (i->state == INET_LISTENING) {
        t->tcpi_unacked = i->nr_accepts;
        return;
    }
    if (!pcb)
        return;
    t->tcpi_retransmits = pcb->nrtx;
    t->tcpi_snd_mss = pcb->mss;
    t->tcpi_rcv_mss = TCP_MSS;
    t->tcpi_advmss = TCP_MSS;
    t->tcpi_pmtu = TCP_MSS + 40;
    t->tcpi_rto = (unsigned)pcb->rto * TCP_SLOW_INTERVAL * 1000u;
    t->tcpi_rtt = (unsigned)(pcb->sa >> 3) * TCP_SLOW_INTERVAL * 1000u;
    t->tcpi_snd_cwnd = pcb->cwnd / MAX((unsigned)pcb->mss, 1u);
    t->tcpi_snd_ssthresh = pcb->ssthresh / MAX((unsigned)pcb->mss, 1u);
    t->tcpi_rcv_space = pcb->rcv_wnd;
    t->tcpi_options = TCPI_OPT_WSCALE | TCPI_OPT_SACK;
    t->tcpi_snd_wscale = pcb->snd_scale;
    t->tcpi_rcv_wscale = pcb->rcv_scale;
}

static int get_tcp(struct inet_sock *i, int name, void *value, unsigned *len)
{
    struct tcp_pcb *pcb = block(i);
    int n;
    switch (name) {
    case TCP_NODELAY:
        n = i->is_undelayed;
        break;
    case TCP_CORK:
        n = i->is_corked;
        break;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
        n = i->keep[name - TCP_KEEPIDLE];
        break;
    case TCP_MAXSEG:
        n = pcb && i->state == INET_CONNECTED ? pcb->mss : 536;
        break;
    case TCP_USER_TIMEOUT:
        n = (int)i->user_timeout_ms;
        break;
    case TCP_QUICKACK:
        n = 1;
        break;
    case TCP_DEFER_ACCEPT:
        n = 0;
        break;
    case TCP_CONGESTION:
        return answer(value, len, "reno\0\0\0\0\0\0\0\0\0\0\0", 16);
    case TCP_INFO: {
        struct tcp_info t;
        fill_info(i, &t);
        return answer(value, len, &t, sizeof(t));
    }
    default:
        return -ENOPROTOOPT;
    }
    return answer(value, len, &n, sizeof(n));
}

/* --- IP ------------------------------------------------------------------------------------------------ */

void inet_set_block(struct inet_sock *i)
{
    struct ip_pcb *any = (struct ip_pcb *)i->tcp; /* all protocols' begin alike */
    struct tcp_pcb *pcb = block(i);
    if (any) {
        any->ttl = i->ttl;
        any->tos = i->tos;
    }
    if (pcb) {
        pcb->keep_idle = i->keep[0] * MS_PER_S;
        pcb->keep_intvl = i->keep[1] * MS_PER_S;
        pcb->keep_cnt = i->keep[2];
        tcp_clear_flags(pcb, TF_NODELAY);
        tcp_set_flags(pcb, i->is_undelayed ? TF_NODELAY : 0);
        if (socket_has(&i->s, SOCKET_KEEPALIVE))
            ip_set_option(pcb, SOF_KEEPALIVE);
        else
            ip_reset_option(pcb, SOF_KEEPALIVE);
    }
    inet_set_multicast(i);
}

void inet_inherit(struct inet_sock *i, const struct inet_sock *l, struct tcp_pcb *pcb)
{
    socket_inherit(&i->s, &l->s);
    i->user_timeout_ms = l->user_timeout_ms;
    memcpy(i->keep, l->keep, sizeof(i->keep));
    i->ttl = l->ttl;
    i->tos = l->tos;
    i->mtu_discover = l->mtu_discover;
    i->is_undelayed = l->is_undelayed;
    i->is_corked = l->is_corked;
    i->is_v6_only = l->is_v6_only;
    inet_tcp_attach(i, pcb);
    inet_set_block(i);
}

static int set_tos(struct inet_sock *i, int n)
{
    i->tos = (uint8_t)(is_tcp(i) ? n & ~3 : n); /* the other two bits are ECN's there */
    inet_set_block(i);
    return 0;
}

static int set_mtu_discover(struct inet_sock *i, int n)
{
    if ((unsigned)n > IP_PMTUDISC_OMIT)
        return -EINVAL;
    i->mtu_discover = n;
    return 0;
}

static int set_ip_number(struct inet_sock *i, int name, int n)
{
    switch (name) {
    case IP_TOS:
        return set_tos(i, n);
    case IP_TTL:
        if (n != -1 && (n < 1 || n > 255))
            return -EINVAL;
        i->ttl = n == -1 ? 64 : (uint8_t)n;
        inet_set_block(i);
        return 0;
    case IP_PKTINFO:
        i->wants_pktinfo = n;
        return 0;
    case IP_RECVTTL:
        i->wants_ttl = n;
        return 0;
    case IP_RECVTOS:
        i->wants_tos = n;
        return 0;
    case IP_MTU_DISCOVER:
        return set_mtu_discover(i, n);
    case IP_RECVERR:
        i->recverr4 = n != 0;
        if (!n)
            inet_drop_errors(i);
        return 0;
    case IP_MULTICAST_TTL:
        if (i->s.type == SOCK_STREAM || n < -1 || n > 255)
            return -EINVAL;
        i->multicast_ttl = n == -1 ? 1 : (uint8_t)n;
        inet_set_block(i);
        return 0;
    case IP_MULTICAST_LOOP:
        i->multicast_loop = n != 0;
        inet_set_multicast(i);
        return 0;
    case IP_MULTICAST_ALL:
        if (n != 0 && n != 1)
            return -EINVAL;
        i->members_only = !n;
        return 0;
    case IP_BIND_ADDRESS_NO_PORT: /* a hint */
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ip(struct inet_sock *i, int name, const void *value, unsigned len)
{
    switch (name) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
        return inet_membership(i, value, len, name == IP_ADD_MEMBERSHIP);
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return inet_group_request(i, false, value, len, name == MCAST_JOIN_GROUP);
    case IP_MULTICAST_IF:
        return inet_set_multicast_if(i, value, len);
    }
    int n;
    if (len >= sizeof(n))
        memcpy(&n, value, sizeof(n));
    else
        n = len >= 1 ? *(const uint8_t *)value : 0;
    return set_ip_number(i, name, n);
}

/* Of the way to the peer; lwIP's loopback interface has none, and Linux stops where a packet's length does. */
static int get_mtu(struct inet_sock *i)
{
    struct netif *n = i->state == INET_CONNECTED ? inet_route(i, &i->peer) : NULL;
    return !n ? -ENOTCONN : n->mtu ? n->mtu : 0xffff;
}

/* Options that are told as a field of the socket holds them: false if it is none of these. */
struct field {
    uint8_t name, size;
    uint16_t at;
};
#define FIELD(name, member)                                                                  \
    {                                                                                        \
        name, sizeof(((struct inet_sock *)NULL)->member), offsetof(struct inet_sock, member) \
    }

static bool get_field(const struct inet_sock *i, const struct field *f, unsigned nr, int name,
                      int *n)
{
    for (; nr > 0 && f->name != name; f++)
        nr--;
    *n = 0;
    if (nr > 0)
        memcpy(n, (const char *)i + f->at, f->size);
    return nr > 0;
}

static int get_ip(struct inet_sock *i, int name, void *value, unsigned *len)
{
    static const struct field fields[] = {
        FIELD(IP_TOS, tos),
        FIELD(IP_TTL, ttl),
        FIELD(IP_PKTINFO, wants_pktinfo),
        FIELD(IP_RECVTTL, wants_ttl),
        FIELD(IP_MTU_DISCOVER, mtu_discover),
        FIELD(IP_RECVERR, recverr4),
        FIELD(IP_RECVTOS, wants_tos),
        FIELD(IP_MULTICAST_IF, multicast_addr),
        FIELD(IP_MULTICAST_TTL, multicast_ttl),
        FIELD(IP_MULTICAST_LOOP, multicast_loop),
        FIELD(IP_MULTICAST_ALL, members_only),
    };
    int n;
    if (name == IP_MTU)
        n = get_mtu(i);
    else if (!get_field(i, fields, ARRAY_LEN(fields), name, &n))
        return -ENOPROTOOPT;
    if (name == IP_MULTICAST_ALL)
        n = !n;
    return n < 0 && name == IP_MTU ? n : answer(value, len, &n, sizeof(n));
}

static int set_ipv6_number(struct inet_sock *i, int name, int n)
{
    switch (name) {
    case IPV6_MULTICAST_IF:
        return inet_set_multicast_if6(i, n);
    case IPV6_MULTICAST_ALL:
        i->members_only = !n;
        return 0;
    case IPV6_V6ONLY:
        if (i->local_port || i->state != INET_NEW)
            return -EINVAL;
        i->is_v6_only = n;
        if (i->tcp && n && i->s.type != SOCK_RAW)
            IP_SET_TYPE_VAL(((struct ip_pcb *)i->tcp)->local_ip, IPADDR_TYPE_V6);
        else if (i->tcp && i->s.type != SOCK_RAW)
            IP_SET_TYPE_VAL(((struct ip_pcb *)i->tcp)->local_ip, IPADDR_TYPE_ANY);
        return 0;
    case IPV6_UNICAST_HOPS:
        if (n < -1 || n > 255)
            return -EINVAL;
        i->ttl = n == -1 ? 64 : (uint8_t)n;
        inet_set_block(i);
        return 0;
    case IPV6_TCLASS:
        return n < -1 || n > 255 ? -EINVAL : set_tos(i, MAX(n, 0));
    case IPV6_MTU_DISCOVER:
        return set_mtu_discover(i, n);
    case IPV6_RECVPKTINFO:
        i->wants_pktinfo6 = n;
        return 0;
    case IPV6_RECVHOPLIMIT:
        i->wants_hops6 = n;
        return 0;
    case IPV6_2292HOPLIMIT:
        i->wants_hops6_2292 = n;
        return 0;
    case IPV6_RECVTCLASS:
        i->wants_class6 = n;
        return 0;
    case IPV6_RECVERR:
        i->recverr6 = n != 0;
        if (!n)
            inet_drop_errors(i);
        return 0;
    case IPV6_MULTICAST_HOPS:
        if (is_tcp(i))
            return -ENOPROTOOPT;
        if (n < -1 || n > 255)
            return -EINVAL;
        i->multicast_ttl = n == -1 ? 1 : (uint8_t)n;
        inet_set_block(i);
        return 0;
    case IPV6_MULTICAST_LOOP:
        if (n != 0 && n != 1)
            return -EINVAL;
        i->multicast_loop = n;
        inet_set_multicast(i);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ipv6(struct inet_sock *i, int name, const void *value, unsigned len)
{
    int n;
    if (!i->is_v6)
        return -ENOPROTOOPT;
    if (len < sizeof(n))
        return -EINVAL;
    memcpy(&n, value, sizeof(n));
    switch (name) {
    case IPV6_ADD_MEMBERSHIP:
    case IPV6_DROP_MEMBERSHIP:
        return inet_membership6(i, value, len, name == IPV6_ADD_MEMBERSHIP);
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return inet_group_request(i, true, value, len, name == MCAST_JOIN_GROUP);
    default:
        return set_ipv6_number(i, name, n);
    }
}

static int get_ipv6(struct inet_sock *i, int name, void *value, unsigned *len)
{
    static const struct field fields[] = {
        FIELD(IPV6_V6ONLY, is_v6_only),
        FIELD(IPV6_UNICAST_HOPS, ttl),
        FIELD(IPV6_TCLASS, tos),
        FIELD(IPV6_MTU_DISCOVER, mtu_discover),
        FIELD(IPV6_RECVERR, recverr6),
        FIELD(IPV6_MULTICAST_IF, multicast_if),
        FIELD(IPV6_MULTICAST_HOPS, multicast_ttl),
        FIELD(IPV6_MULTICAST_LOOP, multicast_loop),
        FIELD(IPV6_MULTICAST_ALL, members_only),
        FIELD(IPV6_RECVPKTINFO, wants_pktinfo6),
        FIELD(IPV6_RECVHOPLIMIT, wants_hops6),
        FIELD(IPV6_2292HOPLIMIT, wants_hops6_2292),
        FIELD(IPV6_RECVTCLASS, wants_class6),
    };
    int n;
    if (!get_field(i, fields, ARRAY_LEN(fields), name, &n))
        return -ENOPROTOOPT;
    if (name == IPV6_MULTICAST_ALL)
        n = !n;
    return answer(value, len, &n, sizeof(n));
}

/* Is it an option of TCP?  UDP's only one is, too, once *name is what TCP calls it. */
static __attribute__((noinline)) bool is_tcp_option(const struct inet_sock *i, int level, int *name)
{
    if (is_tcp(i))
        return level == IPPROTO_TCP;
    if (level != SOL_UDP || *name != UDP_CORK || i->is_raw)
        return false;
    *name = TCP_CORK;
    return true;
}

/* --- filters of raw sockets ---------------------------------------------------------------------------- */

static bool is_raw_level(const struct inet_sock *i, int level)
{
    return i->s.type == SOCK_RAW && level == (i->is_v6 ? IPPROTO_ICMPV6 : SOL_RAW);
}

/* Bytes of the filter by types of ICMP, or -errno. */
static int filter_size(const struct inet_sock *i, int name)
{
    if (name != ICMPV6_FILTER) /* and ICMP_FILTER */
        return -ENOPROTOOPT;
    if (i->s.protocol != (i->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
        return -EOPNOTSUPP;
    return i->is_v6 ? sizeof(i->blocked) : sizeof(i->blocked[0]);
}

/* --- all together -------------------------------------------------------------------------------------- */

int inet_setsockopt(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct inet_sock *i = inet_of(s);
    int ret = -ENOPROTOOPT, n = 0;
    bool is_tcps = is_tcp_option(i, level, &name);
    if (len >= sizeof(n))
        memcpy(&n, value, sizeof(n));
    inet_lock();
    if (level == SOL_SOCKET && name == SO_BINDTOIFINDEX)
        inet_bind_interface(i);
    else if (level == SOL_SOCKET)
        inet_set_block(i); /* SO_KEEPALIVE */
    else if (is_tcps && name == TCP_CONGESTION)
        ret = len >= 4 && memcmp(value, "reno", 4) == 0 ? 0 : -ENOENT;
    else if (is_tcps)
        ret = len < sizeof(n) ? -EINVAL : set_tcp(i, name, n);
    else if (level == IPPROTO_IP)
        ret = set_ip(i, name, value, len);
    else if (level == IPPROTO_IPV6)
        ret = set_ipv6(i, name, value, len);
    else if (is_raw_level(i, level)) {
        ret = filter_size(i, name);
        if (ret > 0) {
            memcpy(i->blocked, value, MIN(len, (unsigned)ret));
            ret = 0;
        }
    }
    inet_unlock();
    return ret;
}

int inet_getsockopt(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct inet_sock *i = inet_of(s);
    int ret = level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
    bool is_tcps = is_tcp_option(i, level, &name);
    inet_lock();
    if (is_tcps)
        ret = get_tcp(i, name, value, len);
    else if (level == IPPROTO_IP)
        ret = get_ip(i, name, value, len);
    else if (level == IPPROTO_IPV6 && i->is_v6)
        ret = get_ipv6(i, name, value, len);
    else if (is_raw_level(i, level)) {
        ret = filter_size(i, name);
        if (ret > 0)
            ret = answer(value, len, i->blocked, (unsigned)ret);
    }
    inet_unlock();
    return ret;
}

/* For FIONREAD: bytes up to one that is not read with the others. */
static size_t unread(const struct inet_sock *i)
{
    size_t n = atomic_load(&i->rx_bytes);
    return socket_has(&i->s, SOCKET_OOBINLINE) ? n : MIN(n, inet_tcp_mark(i));
}

long inet_ioctl(struct socket *s, unsigned cmd, struct uptr arg)
{
    struct inet_sock *i = inet_of(s);
    int n = 0;
    switch (cmd) {
    case FIONREAD:
        if (i->state == INET_LISTENING)
            return -EINVAL;
        return socket_put_int(arg, (int)unread(i));
    case TIOCOUTQ:
    case SIOCOUTQNSD:
        if (cmd == SIOCOUTQNSD && !is_tcp(i))
            return -ENOTTY;
        if (i->state == INET_LISTENING)
            return -EINVAL;
        inet_lock();
        if (block(i))
            n = (int)(cmd == TIOCOUTQ ? TCP_SND_BUF - i->tcp->snd_buf
                                      : i->tcp->snd_lbb - i->tcp->snd_nxt);
        inet_unlock();
        return socket_put_int(arg, n);
    case SIOCATMARK:
        return is_tcp(i) ? socket_put_int(arg, inet_tcp_mark(i) == 0) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}
