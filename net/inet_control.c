/* Control data of datagrams: how one came, and how one is to go. */
#include <asm/socket.h>
#include <base/string.h>
#include <inet.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <lwip/netif.h>

#define SOL_UDP 17

struct in6_info { /* struct in6_pktinfo, which no exported header has without a C library's */
    uint8_t addr[16];
    int ifindex;
};

/* --- receiving ----------------------------------------------------------------------------------------- */

static void put_control_v4(const struct inet_sock *i, struct socket_msg *m,
                           const struct inet_datagram *d)
{
    int value = d->ttl;
    if (i->wants_pktinfo) {
        struct in_pktinfo info = {.ipi_ifindex = d->ifindex};
        info.ipi_spec_dst.s_addr = info.ipi_addr.s_addr = ip4_addr_get_u32(ip_2_ip4(&d->to));
        socket_emit(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    if (i->wants_ttl)
        socket_emit(m, IPPROTO_IP, IP_TTL, &value, sizeof(value));
    if (i->wants_tos)
        socket_emit(m, IPPROTO_IP, IP_TOS, &d->tos, sizeof(d->tos));
}

static void put_control_v6(const struct inet_sock *i, struct socket_msg *m,
                           const struct inet_datagram *d)
{
    int value = d->ttl;
    if (i->wants_pktinfo6) {
        struct in6_info info = {.ifindex = d->ifindex};
        struct socket_addr a;
        inet_put_addr(i, &d->to, 1, &a);
        memcpy(info.addr, a.bytes + offsetof(struct sockaddr_in6, sin6_addr), 16);
        socket_emit(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if (IP_IS_V4(&d->to))
        return;
    if (i->wants_hops6)
        socket_emit(m, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof(value));
    value = d->tos;
    if (i->wants_class6)
        socket_emit(m, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
    value = d->ttl;
    if (i->wants_hops6_2292)
        socket_emit(m, IPPROTO_IPV6, IPV6_2292HOPLIMIT, &value, sizeof(value));
}

void inet_put_control(struct inet_sock *i, struct socket_msg *m, const struct inet_datagram *d)
{
    socket_emit_stamp(&i->s, m, d->arrived_ns);
    if (socket_has(&i->s, SOCKET_RXQ_OVFL) && d->drops)
        socket_emit(m, SOL_SOCKET, SO_RXQ_OVFL, &d->drops, sizeof(d->drops));
    if (i->is_v6)
        put_control_v6(i, m, d);
    if (IP_IS_V4(&d->to))
        put_control_v4(i, m, d);
}

/* --- sending ------------------------------------------------------------------------------------------- */

static int get_number(const struct socket_cmsg *c, int min, int *out)
{
    int value;
    if (c->len != sizeof(value))
        return -EINVAL;
    memcpy(&value, c->data, sizeof(value));
    if (value < min || value > 255)
        return -EINVAL;
    *out = value;
    return 0;
}

static int get_v4(const struct socket_cmsg *c, struct inet_how *how, int *ifindex)
{
    struct in_pktinfo info;
    switch (c->type) {
    case IP_PKTINFO:
        if (c->len != sizeof(info))
            return -EINVAL;
        memcpy(&info, c->data, sizeof(info));
        *ifindex = info.ipi_ifindex ?: *ifindex;
        ip_addr_set_ip4_u32_val(how->source, info.ipi_spec_dst.s_addr);
        return 0;
    case IP_TTL:
        return get_number(c, 1, &how->ttl);
    case IP_TOS:
        if (c->len == 1) {
            how->tos = *(const uint8_t *)c->data;
            return 0;
        }
        return get_number(c, 0, &how->tos);
    default:
        return -EINVAL;
    }
}

/* IPV6_PKTINFO, the only item of IPv6 that an IPv4 datagram of an IPv6 socket may have: then of an IPv4 address. */
static int get_info6(const struct socket_cmsg *c, bool to_v4, struct inet_how *how, int *ifindex)
{
    struct in6_info info;
    if (c->len < sizeof(info))
        return -EINVAL;
    memcpy(&info, c->data, sizeof(info));
    int was = *ifindex;
    *ifindex = info.ifindex ?: was;
    inet_set_v6(&how->source, info.addr, 0);
    if (to_v4)
        return IP_IS_V4(&how->source) ? 0 : -EINVAL;
    if (was && was != *ifindex)
        return -EINVAL;
    if (*ifindex && !inet_netif(*ifindex))
        return -ENODEV;
    return IP_IS_V4(&how->source) ? -EINVAL : 0;
}

static int get_v6(const struct socket_cmsg *c, struct inet_how *how, int *ifindex)
{
    int value, ret;
    switch (c->type) {
    case IPV6_PKTINFO:
        return get_info6(c, false, how, ifindex);
    case IPV6_HOPLIMIT:
        return get_number(c, -1, &how->ttl);
    case IPV6_TCLASS:
        ret = get_number(c, -1, &value);
        if (ret == 0)
            how->tos = value & 0xff; /* so says Linux of -1, too */
        return ret;
    default:
        return -EINVAL;
    }
}

/* Is the source an address of this machine, and of that interface if it is one of a link? */
static int check_source(const struct inet_sock *i, struct inet_how *how)
{
    ip_addr_t *ip = &how->source;
    if (ip_addr_isany(ip))
        return 0;
    if (ip_addr_ismulticast(ip))
        return -EINVAL;
    if (IP_IS_V6(ip) && how->netif)
        ip6_addr_assign_zone(ip_2_ip6(ip), IP6_UNICAST, how->netif);
    if (inet_check_bind(i, ip, 0) == 0)
        return 0;
    return IP_IS_V6(ip) ? -EINVAL : -ENETUNREACH;
}

int inet_get_control(const struct inet_sock *i, const struct socket_msg *m, ip_addr_t *to,
                     struct inet_how *how)
{
    bool to_v4 = IP_IS_V4(to);
    int ret = 0, ifindex = i->s.ifindex ?: to_v4 ? 0 : ip6_addr_zone(ip_2_ip6(to));
    for (unsigned k = 0; m->control && k < m->control->nr_items && ret == 0; k++) {
        const struct socket_cmsg *c = &m->control->items[k];
        if (c->level == SOL_UDP)
            ret = -EINVAL;
        else if (to_v4 && c->level == IPPROTO_IP)
            ret = get_v4(c, how, &ifindex);
        else if (to_v4 && i->is_v6 && c->level == IPPROTO_IPV6 && c->type == IPV6_PKTINFO)
            ret = get_info6(c, true, how, &ifindex);
        else if (!to_v4 && c->level == IPPROTO_IPV6)
            ret = get_v6(c, how, &ifindex);
    }
    if (ret < 0)
        return ret;
    how->netif = ifindex ? inet_netif(ifindex) : NULL;
    ret = check_source(i, how);
    if (ret < 0)
        return ret;
    if (ifindex && !how->netif)
        return -ENODEV;
    if (!ifindex)
        how->netif = inet_route(i, to);
    else if (!to_v4 && ip6_addr_lacks_zone(ip_2_ip6(to), IP6_UNKNOWN))
        ip6_addr_assign_zone(ip_2_ip6(to), IP6_UNKNOWN, how->netif);
    return how->netif ? 0 : -ENETUNREACH;
}
