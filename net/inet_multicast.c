/* Multicast: which groups a socket is in, and how it sends to groups.
 *
 * lwIP counts the members of a group for each interface and tells the routers; who they are is known here, so that a
 * socket that closes leaves its groups.  There are no source filters. */
#include <base/string.h>
#include <inet.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <lwip/igmp.h>
#include <lwip/ip.h>
#include <lwip/mld6.h>
#include <lwip/netif.h>
#include <lwip/udp.h>

#define GROUPS_MAX 20 /* net.ipv4.igmp_max_memberships */

struct membership {
    struct list node;
    ip_addr_t group;
    u8_t ifindex;
};

static struct netif *netif_of_address(uint32_t ip)
{
    struct netif *n;
    NETIF_FOREACH(n)
    {
        if (ip4_addr_get_u32(netif_ip4_addr(n)) == ip)
            return n;
    }
    return NULL;
}

/* Every interface is in this one, and lwIP takes no further members. */
static bool is_everybody(const ip_addr_t *group)
{
    return IP_IS_V4(group) && ip4_addr_get_u32(ip_2_ip4(group)) == PP_HTONL(0xe0000001ul);
}

static void leave(struct inet_sock *i, struct membership *m)
{
    struct netif *n = netif_get_by_index(m->ifindex);
    if (n && IP_IS_V4(&m->group) && !is_everybody(&m->group))
        igmp_leavegroup_netif(n, ip_2_ip4(&m->group));
    else if (n && IP_IS_V6(&m->group))
        mld6_leavegroup_netif(n, ip_2_ip6(&m->group));
    list_remove(&m->node);
    i->nr_groups--;
    heap_free(m);
}

void inet_leave_all(struct inet_sock *i)
{
    while (!list_is_empty(&i->groups))
        leave(i, list_entry(i->groups.next, struct membership, node));
}

/* The socket's membership of a group; ifindex 0: by any interface. */
static struct membership *find(struct inet_sock *i, const ip_addr_t *group, int ifindex)
{
    struct membership *m;
    list_for_each(m, &i->groups, node) {
        if (ip_addr_cmp_zoneless(&m->group, group) && (!ifindex || m->ifindex == ifindex))
            return m;
    }
    return NULL;
}

static int join(struct inet_sock *i, const ip_addr_t *group, struct netif *n)
{
    if (!n)
        return -ENODEV;
    if (find(i, group, netif_get_index(n)))
        return -EADDRINUSE;
    struct membership *m = i->nr_groups < GROUPS_MAX ? heap_alloc(sizeof(*m)) : NULL;
    if (!m)
        return -ENOBUFS;
    m->group = *group;
    m->ifindex = netif_get_index(n);
    err_t err = is_everybody(group) ? ERR_OK
                : IP_IS_V4(group)   ? igmp_joingroup_netif(n, ip_2_ip4(group))
                                    : mld6_joingroup_netif(n, ip_2_ip6(group));
    if (err != ERR_OK) {
        heap_free(m);
        return inet_errno(err);
    }
    list_push_back(&i->groups, &m->node);
    i->nr_groups++;
    return 0;
}

static int change(struct inet_sock *i, const ip_addr_t *group, struct netif *n, int ifindex,
                  bool joins)
{
    if (joins)
        return join(i, group, n);
    struct membership *m = find(i, group, ifindex);
    if (!m)
        return -EADDRNOTAVAIL;
    leave(i, m);
    return 0;
}

static int change_v4(struct inet_sock *i, uint32_t ip, uint32_t own, int ifindex, bool joins)
{
    ip_addr_t group;
    ip_addr_set_ip4_u32_val(group, ip);
    if (!ip4_addr_ismulticast(ip_2_ip4(&group)))
        return joins ? -EINVAL : -EADDRNOTAVAIL;
    struct netif *n = ifindex ? inet_netif(ifindex)
                      : own   ? netif_of_address(own)
                              : ip4_route(ip_2_ip4(&group));
    if (!joins && !n && !ifindex && !own)
        return -ENODEV;
    return change(i, &group, n, ifindex ? ifindex : own && n ? netif_get_index(n) : 0, joins);
}

static int change_v6(struct inet_sock *i, const void *ip, int ifindex, bool joins)
{
    ip_addr_t group = {.type = IPADDR_TYPE_V6};
    memcpy(ip_2_ip6(&group)->addr, ip, sizeof(ip_2_ip6(&group)->addr));
    if (!ip_addr_ismulticast(&group))
        return -EINVAL;
    struct netif *n = ifindex ? inet_netif(ifindex) : ip6_route(IP6_ADDR_ANY6, ip_2_ip6(&group));
    if (joins && !ifindex && find(i, &group, 0))
        return -EADDRINUSE;
    return change(i, &group, n, ifindex, joins);
}

int inet_membership(struct inet_sock *i, const void *value, unsigned len, bool joins)
{
    struct ip_mreqn m = {0};
    if (i->s.type == SOCK_STREAM)
        return -EPROTO;
    if (len < sizeof(struct ip_mreq))
        return -EINVAL;
    memcpy(&m, value, len < sizeof(m) ? sizeof(struct ip_mreq) : sizeof(m));
    return change_v4(i, m.imr_multiaddr.s_addr, m.imr_address.s_addr, m.imr_ifindex, joins);
}

int inet_membership6(struct inet_sock *i, const void *value, unsigned len, bool joins)
{
    struct ipv6_mreq m;
    if (len < sizeof(m))
        return -EINVAL;
    if (i->s.type == SOCK_STREAM)
        return -EPROTO;
    memcpy(&m, value, sizeof(m));
    return change_v6(i, &m.ipv6mr_multiaddr, m.ipv6mr_ifindex, joins);
}

int inet_group_request(struct inet_sock *i, bool is_v6, const void *value, unsigned len, bool joins)
{
    struct group_req g;
    if (len < sizeof(g))
        return -EINVAL;
    memcpy(&g, value, sizeof(g));
    const void *a = &g.gr_group;
    if (is_v6)
        return g.gr_group.ss_family != AF_INET6
                   ? -EADDRNOTAVAIL
                   : change_v6(i, &((const struct sockaddr_in6 *)a)->sin6_addr, (int)g.gr_interface,
                               joins);
    return g.gr_group.ss_family != AF_INET
               ? -EINVAL
               : change_v4(i, ((const struct sockaddr_in *)a)->sin_addr.s_addr, 0,
                           (int)g.gr_interface, joins);
}

/* --- sending ------------------------------------------------------------------------------------------- */

void inet_set_multicast(struct inet_sock *i)
{
    if (i->is_raw || i->s.type != SOCK_DGRAM)
        return;
    udp_set_multicast_ttl(i->udp, i->multicast_ttl);
    udp_set_multicast_netif_index(i->udp, (u8_t)i->multicast_if);
    if (i->multicast_loop)
        udp_set_flags(i->udp, UDP_FLAGS_MULTICAST_LOOP);
    else
        udp_clear_flags(i->udp, UDP_FLAGS_MULTICAST_LOOP);
}

static int set_interface(struct inet_sock *i, struct netif *n, int error)
{
    if (!n)
        return error;
    if (i->s.ifindex && i->s.ifindex != netif_get_index(n))
        return -EINVAL;
    i->multicast_if = netif_get_index(n);
    inet_set_multicast(i);
    return 0;
}

int inet_set_multicast_if(struct inet_sock *i, const void *value, unsigned len)
{
    struct ip_mreqn m = {0};
    if (i->s.type == SOCK_STREAM || len < sizeof(m.imr_address))
        return -EINVAL;
    if (len < sizeof(struct ip_mreq))
        memcpy(&m.imr_address, value, sizeof(m.imr_address));
    else
        memcpy(&m, value, len < sizeof(m) ? sizeof(struct ip_mreq) : sizeof(m));
    uint32_t own = m.imr_address.s_addr;
    struct netif *n = m.imr_ifindex ? inet_netif(m.imr_ifindex) : netif_of_address(own);
    int ret = 0;
    if (m.imr_ifindex || own)
        ret = set_interface(i, n, -EADDRNOTAVAIL);
    else
        i->multicast_if = 0;
    if (ret == 0)
        i->multicast_addr = own;
    inet_set_multicast(i);
    return ret;
}

int inet_set_multicast_if6(struct inet_sock *i, int index)
{
    if (i->s.type == SOCK_STREAM)
        return -ENOPROTOOPT;
    if (index)
        return set_interface(i, inet_netif(index), -ENODEV);
    i->multicast_if = 0;
    inet_set_multicast(i);
    return 0;
}

bool inet_hears(struct inet_sock *i, const ip_addr_t *to, int ifindex)
{
    return !ip_addr_ismulticast(to) || !i->members_only || find(i, to, ifindex);
}
