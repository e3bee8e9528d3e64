/* AF_INET and AF_INET6: sockets by type, addresses, and what TCP and UDP share. */
#include <base/string.h>
#include <inet.h>
#include <linux/capability.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <vfs/inode.h>

#include <lwip/err.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>

#define PORT_MIN_FREE 1024 /* below, binding needs CAP_NET_BIND_SERVICE */
#define SIN6_MIN_LEN  24   /* without the scope */

struct inet_sock *inet_new(const struct socket_ops *ops, int family, int type, int protocol)
{
    struct inet_sock *i = heap_zalloc(sizeof(*i));
    if (!i)
        return NULL;
    socket_setup(&i->s, ops, family, type, protocol);
    i->is_v6 = family == AF_INET6;
    i->ttl = 64;
    i->multicast_ttl = 1;
    i->keep[0] = TCP_KEEPIDLE_DEFAULT / 1000;
    i->keep[1] = TCP_KEEPINTVL_DEFAULT / 1000;
    i->keep[2] = TCP_KEEPCNT_DEFAULT;
    i->multicast_loop = true;
    i->mtu_discover = IP_PMTUDISC_WANT;
    if (type == SOCK_STREAM) { /* what Linux begins with and lets grow */
        i->s.sndbuf = 16384;
        i->s.rcvbuf = 131072;
    }
    list_init(&i->datagrams);
    list_init(&i->errors);
    list_init(&i->groups);
    list_init(&i->accepts);
    list_init(&i->accept_node);
    list_init(&i->all_node);
    return i;
}

static int create(int family, int type, int protocol, struct socket **out)
{
    struct inet_sock *i;
    struct net_caller c;
    net_get_caller(&c);
    int icmp = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return -EINVAL;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_RAW)
        return -ESOCKTNOSUPPORT;
    if (type == SOCK_RAW && !cred_has_cap(c.cred, CAP_NET_RAW))
        return -EPERM;
    inet_start();
    inet_lock();
    if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) {
        i = inet_tcp_new(family);
    } else if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)) {
        i = inet_udp_new(family);
    } else if ((type == SOCK_DGRAM && protocol == icmp) || (type == SOCK_RAW && protocol)) {
        i = inet_raw_new(family, type, protocol);
    } else {
        inet_unlock();
        return -EPROTONOSUPPORT;
    }
    inet_unlock();
    if (!i)
        return -ENOMEM;
    *out = &i->s;
    return 0;
}

static int create_v4(int type, int protocol, struct socket **out)
{
    return create(AF_INET, type, protocol, out);
}

static int create_v6(int type, int protocol, struct socket **out)
{
    return create(AF_INET6, type, protocol, out);
}

int inet_errno(int err)
{
    static const uint8_t errno_of[] = {
        [-ERR_OK] = 0,
        [-ERR_MEM] = ENOBUFS,
        [-ERR_BUF] = ENOBUFS,
        [-ERR_TIMEOUT] = ETIMEDOUT,
        [-ERR_RTE] = ENETUNREACH,
        [-ERR_INPROGRESS] = EINPROGRESS,
        [-ERR_VAL] = EINVAL,
        [-ERR_WOULDBLOCK] = EAGAIN,
        [-ERR_USE] = EADDRINUSE,
        [-ERR_ALREADY] = EALREADY,
        [-ERR_ISCONN] = EISCONN,
        [-ERR_CONN] = ENOTCONN,
        [-ERR_IF] = ENETDOWN,
        [-ERR_ABRT] = ETIMEDOUT,
        [-ERR_RST] = ECONNRESET,
        [-ERR_CLSD] = 0,
        [-ERR_ARG] = EINVAL,
    };
    return err <= 0 && err >= ERR_ARG ? -(int)errno_of[-err] : -EINVAL;
}

/* --- addresses ----------------------------------------------------------------------------------------- */

static int get_v4(const struct socket_addr *a, ip_addr_t *ip, uint16_t *port)
{
    struct sockaddr_in in;
    if (a->len < sizeof(in))
        return -EINVAL;
    memcpy(&in, a->bytes, sizeof(in));
    if (in.sin_family != AF_INET && !(in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == 0))
        return -EAFNOSUPPORT;
    ip_addr_set_ip4_u32_val(*ip, in.sin_addr.s_addr);
    *port = lwip_ntohs(in.sin_port);
    return 0;
}

void inet_set_v6(ip_addr_t *ip, const void *bytes, uint32_t scope)
{
    uint32_t w[4];
    memcpy(w, bytes, sizeof(w));
    if (w[0] == 0 && w[1] == 0 && w[2] == PP_HTONL(0xffff)) {
        ip_addr_set_ip4_u32_val(*ip, w[3]);
    } else {
        memset(ip, 0, sizeof(*ip));
        IP_SET_TYPE(ip, IPADDR_TYPE_V6);
        memcpy(ip_2_ip6(ip)->addr, w, sizeof(w));
        ip6_addr_set_zone(ip_2_ip6(ip), (u8_t)scope);
    }
}

static int get_v6(const struct socket_addr *a, ip_addr_t *ip, uint16_t *port)
{
    struct sockaddr_in6 in = {0};
    if (a->len < SIN6_MIN_LEN)
        return -EINVAL;
    memcpy(&in, a->bytes, MIN(a->len, sizeof(in)));
    if (in.sin6_family != AF_INET6)
        return -EAFNOSUPPORT;
    inet_set_v6(ip, &in.sin6_addr, in.sin6_scope_id);
    *port = lwip_ntohs(in.sin6_port);
    return 0;
}

int inet_get_addr(const struct inet_sock *i, const struct socket_addr *a, ip_addr_t *ip,
                  uint16_t *port)
{
    if (!i->is_v6)
        return get_v4(a, ip, port);
    if (a->len >= sizeof(struct sockaddr_in) && a->family == AF_INET && !i->is_v6_only &&
        i->s.type != SOCK_STREAM)
        return get_v4(a, ip, port);
    int ret = get_v6(a, ip, port);
    if (ret == 0 && IP_IS_V4(ip) && i->is_v6_only)
        return -ENETUNREACH;
    return ret;
}

void inet_put_addr(const struct inet_sock *i, const ip_addr_t *ip, uint16_t port,
                   struct socket_addr *a)
{
    if (!i->is_v6) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = lwip_htons(port)};
        in.sin_addr.s_addr = IP_IS_V4(ip) ? ip4_addr_get_u32(ip_2_ip4(ip)) : 0;
        a->len = sizeof(in);
        memcpy(a->bytes, &in, sizeof(in));
        return;
    }
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = lwip_htons(port)};
    uint32_t w[4] = {0};
    if (IP_IS_V6_VAL(*ip)) {
        memcpy(w, ip_2_ip6(ip)->addr, sizeof(w));
        in.sin6_scope_id = ip6_addr_zone(ip_2_ip6(ip));
    } else if (IP_IS_V4_VAL(*ip) && !(ip_addr_isany(ip) && !i->peer_port)) {
        w[2] = PP_HTONL(0xffff);
        w[3] = ip4_addr_get_u32(ip_2_ip4(ip));
    }
    memcpy(&in.sin6_addr, w, sizeof(w));
    a->len = sizeof(in);
    memcpy(a->bytes, &in, sizeof(in));
}

/* Is it an address of this machine? */
static bool is_local(const ip_addr_t *ip)
{
    struct netif *n;
    if (ip_addr_isloopback(ip) || ip_addr_ismulticast(ip))
        return true;
    NETIF_FOREACH(n)
    {
        if (IP_IS_V4(ip) && ip4_addr_cmp(ip_2_ip4(ip), netif_ip4_addr(n)))
            return true;
        if (IP_IS_V6(ip) && netif_get_ip6_addr_match(n, ip_2_ip6(ip)) >= 0)
            return true;
    }
    return false;
}

int inet_check_bind(const struct inet_sock *i, ip_addr_t *ip, uint16_t port)
{
    struct net_caller c;
    net_get_caller(&c);
    if (ip_addr_isany(ip)) {
        if (i->is_v6 && IP_IS_V6(ip) && !i->is_v6_only)
            *ip = *IP_ANY_TYPE;
    } else if (!is_local(ip)) {
        return -EADDRNOTAVAIL;
    }
    if (port && port < PORT_MIN_FREE && !cred_has_cap(c.cred, CAP_NET_BIND_SERVICE))
        return -EACCES;
    return 0;
}

void inet_bind_interface(struct inet_sock *i)
{
    struct ip_pcb *pcb = (struct ip_pcb *)i->tcp;
    if (pcb) /* lwIP counts in a byte, and has fewer */
        pcb->netif_idx = (u8_t)MIN(i->s.ifindex, 255);
}

struct netif *inet_netif(int index)
{
    return index > 0 && index < 255 ? netif_get_by_index((u8_t)index) : NULL;
}

struct netif *inet_route(const struct inet_sock *i, const ip_addr_t *ip)
{
    int index = i->s.ifindex ?: ip_addr_ismulticast(ip) ? i->multicast_if : 0;
    return index ? inet_netif(index) : ip_route(&i->local, ip);
}

void inet_fix_destination(ip_addr_t *ip)
{
    if (!ip_addr_isany(ip))
        return;
    if (IP_IS_V6(ip))
        ip_addr_set_loopback(true, ip);
    else
        ip_addr_set_loopback(false, ip);
}

int inet_getname(struct socket *s, struct socket_addr *addr, int peer)
{
    struct inet_sock *i = inet_of(s);
    int ret = 0;
    inet_lock();
    if (!peer)
        inet_put_addr(i, &i->local, i->local_port, addr);
    else if (i->peer_port && (peer == SOCKET_ACCEPTED || (i->tcp && i->state != INET_CONNECTING)))
        inet_put_addr(i, &i->peer, i->peer_port, addr);
    else
        ret = -ENOTCONN;
    inet_unlock();
    return ret;
}

static struct socket_family families[] = {{.family = AF_INET, .create = create_v4},
                                          {.family = AF_INET6, .create = create_v6}};

void inet_init(void)
{
    inet_port_init();
    for (unsigned n = 0; n < ARRAY_LEN(families); n++)
        socket_register_family(&families[n]);
}
