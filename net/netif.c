/* Interfaces: lwIP's netifs over our devices, and how they get their addresses.
 *
 * Configuration happens in the background: DHCP and router advertisements when the command line says nothing, given
 * addresses otherwise.  Nobody waits for either. */
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/work.h>
#include <inet.h>
#include <net_hooks.h>
#include <netif_dev.h>

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/igmp.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/ip6.h>
#include <netif/ethernet.h>

#define NR_SERVERS 3

static struct netdev *devices; /* atomic: they only become more; changed under the net lock */
/* under the net lock */
static ip_addr_t servers[NR_SERVERS];
static struct ifinfo_counts loop_counts;
static bool is_delivering; /* under the net lock: packets are the machine's own */
static const char *boot_ip = "";
static bool are_told; /* of `servers`, who wants to know */
static netdev_resolv_fn *resolv_fn;

void netdev_configure(const char *ip)
{
    boot_ip = ip ? ip : "";
}

void netdev_interrupt(void)
{
    inet_frames_came();
}

void netdev_poll_all(void)
{
    for (struct netdev *d = devices; d; d = d->next) {
        d->ops->poll(d->driver, d);
        netif_take_train(d);
    }
}

unsigned netif_nr_waiting(void)
{
    unsigned nr = 0;
    for (const struct netdev *d = devices; d; d = d->next)
        nr += d->nr_waiting;
    return nr;
}

void netif_drop_all_waiting(void)
{
    for (struct netdev *d = devices; d; d = d->next)
        netif_drop_waiting(d);
}

void netif_flush_all(void)
{
    for (struct netdev *d = devices; d; d = d->next)
        if (d->pending.frame || d->nr_queued > 0 || d->nr_waiting > 0)
            netif_flush(d);
}

void netif_ring_all(void)
{
    for (struct netdev *d = atomic_load(&devices); d; d = d->next)
        if (atomic_load(&d->must_ring))
            netif_ring(d);
}

/* --- names servers ------------------------------------------------------------------------------------- */

static void tell_servers(netdev_resolv_fn *fn)
{
    char text[NR_SERVERS * 64];
    size_t n = 0;
    inet_lock();
    are_told = true;
    for (unsigned k = 0; k < NR_SERVERS; k++)
        if (!ip_addr_isany_val(servers[k]))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "nameserver %s\n",
                                  ipaddr_ntoa(&servers[k]));
    inet_unlock();
    if (n > 0)
        fn(text);
}

/* Whoever takes in what DHCP says may not sleep, as writing a file does. */
static void tell_work(struct work *w)
{
    (void)w;
    tell_servers(resolv_fn);
}

static struct work tell = {.fn = tell_work, .node = LIST_INIT(tell.node)};

void netdev_set_nameserver(unsigned number, const struct ip_addr *server)
{
    if (number >= NR_SERVERS || ip_addr_cmp(&servers[number], server))
        return;
    servers[number] = *server;
    are_told = false;
    if (resolv_fn)
        work_queue(&tell);
}

/* Those that the command line has named are told of at once: the program may ask for them. */
void netdev_on_resolv(netdev_resolv_fn *fn)
{
    if (!devices)
        return;
    tell_servers(fn);
    inet_lock();
    resolv_fn = fn;
    if (!are_told)
        work_queue(&tell);
    inet_unlock();
}

/* --- lwIP's side of a device --------------------------------------------------------------------------- */

struct ifinfo_counts *netif_counts(const struct netif *n)
{
    return n->linkoutput == netif_transmit ? &((struct netdev *)n)->counts : &loop_counts;
}

static void set_loop_addr(uint32_t addr)
{
    ip_addr_set_ip4_u32_val(netif_get_by_index(1)->ip_addr, addr);
}

void netif_deliver(struct netif *n)
{
    is_delivering = true;
    netif_poll(n);
    is_delivering = false;
    set_loop_addr(PP_HTONL(IPADDR_LOOPBACK));
}

/* From a wire, although no machine may send so but this one to itself: programs believe who has such an address.  Of
 * IPv6's only loopback, as on Linux. */
static bool is_martian(const struct pbuf *p)
{
    const struct ip_hdr *h = p->payload;
    struct netif *n;
    if (IPH_V(h) != 4) {
        const ip6_addr_p_t *from = &((const struct ip6_hdr *)h)->src;
        return p->len >= IP6_HLEN && ip6_addr_isloopback(from);
    }
    if (p->len < IP_HLEN) /* lwIP drops it */
        return false;
    NETIF_FOREACH(n)
    if (h->src.addr && h->src.addr == netif_ip4_addr(n)->addr)
        return true;
    return ip4_addr_isloopback(&h->src);
}

int net_input(struct pbuf *p, const struct netif *n)
{
    const struct ip_hdr *h = p->payload;
    struct ifinfo_counts *c = netif_counts(n);
    if (c != &loop_counts) {
        /* What is for the machine itself comes by the interface that has the address, too. */
        if (!is_delivering && unlikely(is_martian(p))) {
            pbuf_free(p);
            return 1;
        }
    } else {
        c->tx_packets = ++c->rx_packets;
        c->tx_bytes = c->rx_bytes += p->tot_len;
        packet_see_loop(n, p);
        if (IPH_V(h) == 4 && ip4_addr_isloopback(&h->dest))
            set_loop_addr(h->dest.addr);
    }
    return 0;
}

/* lwIP believes what a single packet says.  A redirect, which it takes from anybody, to a next hop that may be anything, would
 * end what goes to a destination; without redirects the detour goes on.  A path's MTU of less than 1280 (RFC 8201: never)
 * would cut packets into crumbs, and one above the interface's make packets that no device has room for, and that all others
 * wait behind. */
void net_nd6_input(struct pbuf *p, struct netif *n)
{
    const struct icmp6_hdr *h = p->payload; /* icmp6_input has seen that it is whole */
    uint32_t mtu = lwip_ntohl(h->data);
    if (h->type == ICMP6_TYPE_RD ||
        (h->type == ICMP6_TYPE_PTB && (mtu < IP6_MIN_MTU_LENGTH || mtu > n->mtu6)))
        pbuf_free(p);
    else
        nd6_input(p, n);
}

/* For one more packet that waits for a neighbour's address.  lwIP lets any number wait, and for a router that never answers as
 * long as that has said that it is one: the oldest make room. */
void *net_nd6_malloc(memp_t type)
{
    for (unsigned i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++) {
        struct nd6_q_entry *oldest = neighbor_cache[i].q;
        unsigned nr = 0;
        for (const struct nd6_q_entry *q = oldest; q; q = q->next)
            nr++;
        if (nr >= ARP_QUEUE_LEN) {
            neighbor_cache[i].q = oldest->next;
            pbuf_free(oldest->p);
            memp_free(type, oldest);
        }
    }
    return memp_malloc(type);
}

static err_t setup(struct netif *n)
{
    n->name[0] = 'e';
    n->name[1] = 't';
    n->hwaddr_len = ETH_HWADDR_LEN;
    n->output = etharp_output;
    n->output_ip6 = ethip6_output;
    n->linkoutput = netif_transmit;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP |
               NETIF_FLAG_MLD6;
    return ERR_OK;
}

void netif_leave_udp(struct netif *n, bool leave)
{
    unsigned flag = NETIF_CHECKSUM_GEN_UDP;
    if (n->linkoutput == netif_transmit && ((struct netdev *)n)->features & NETDEV_CSUM)
        NETIF_SET_CHECKSUM_CTRL(n,
                                (u16_t)(leave ? n->chksum_flags & ~flag : n->chksum_flags | flag));
}

void netdev_set_link(struct netdev *d, bool has_link)
{
    if (has_link)
        netif_set_link_up(&d->netif);
    else
        netif_set_link_down(&d->netif);
}

/* --- configuration ------------------------------------------------------------------------------------- */

/* The next field of Linux's CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTO:DNS0:DNS1, into buf. */
static const char *next_field(const char *s, char *buf, size_t size)
{
    size_t n = 0;
    for (; *s && *s != ':'; s++)
        if (n + 1 < size)
            buf[n++] = *s;
    buf[n] = '\0';
    return *s == ':' ? s + 1 : s;
}

/* Also ADDRESS/LENGTH and ADDRESS/LENGTH,GATEWAY.  False: no address in it. */
static bool parse_static(const char *text, ip4_addr_t *ip, ip4_addr_t *mask, ip4_addr_t *gw)
{
    char field[64], *end;
    const char *rest = next_field(text, field, sizeof(field));
    char *comma = strchr(field, ','), *slash;
    ip4_addr_set_zero(gw);
    IP4_ADDR(mask, 255, 255, 255, 0);
    if (comma) {
        *comma = '\0';
        ip4addr_aton(comma + 1, gw);
    }
    if ((slash = strchr(field, '/'))) {
        *slash = '\0';
        unsigned len = (unsigned)strtoul(slash + 1, &end, 10);
        ip4_addr_set_u32(mask, len ? lwip_htonl(~0u << (32 - MIN(len, 32u))) : 0);
    }
    if (!ip4addr_aton(field, ip))
        return false;
    static const char *const names[] = {"server", "gateway", "netmask", "host",
                                        "device", "auto",    "dns0",    "dns1"};
    for (unsigned k = 0; *rest && k < ARRAY_LEN(names); k++) {
        ip_addr_t server;
        rest = next_field(rest, field, sizeof(field));
        if (k == 1 && field[0])
            ip4addr_aton(field, gw);
        if (k == 2 && field[0])
            ip4addr_aton(field, mask);
        if (k >= 6 && ipaddr_aton(field, &server))
            netdev_set_nameserver(k - 6, &server);
    }
    return true;
}

static void configure(struct netif *n)
{
    ip4_addr_t ip, mask, gw;
    if (strcmp(boot_ip, "off") == 0 || strcmp(boot_ip, "none") == 0)
        return;
    if (parse_static(boot_ip, &ip, &mask, &gw))
        netif_set_addr(n, &ip, &mask, &gw);
    else
        dhcp_start(n);
}

struct netdev *netdev_add(const struct netdev_ops *ops, void *driver, const uint8_t mac[6],
                          unsigned mtu, unsigned features, bool has_link)
{
    struct netdev *d = heap_zalloc(sizeof(*d));
    if (!d)
        return NULL;
    d->ops = ops;
    d->driver = driver;
    d->features = features;
    inet_start();
    inet_lock();
    struct netif *n = &d->netif;
    bool is_first = !devices;
    netif_add_noaddr(n, d, setup, ethernet_input);
    netif_set_checksums(d, 0);
    memcpy(n->hwaddr, mac, ETH_HWADDR_LEN);
    n->mtu = (u16_t)mtu;
    n->mtu6 = (u16_t)mtu;
    netif_set_hostname(n, "yolk");
    d->next = devices;
    atomic_store(&devices, d);
    netif_create_ip6_linklocal_address(n, 1);
    n->ip6_autoconfig_enabled = 1;
    netif_set_up(n);
    if (is_first)
        netif_set_default(n);
    if (has_link)
        netif_set_link_up(n);
    if (is_first)
        configure(n);
    inet_unlock();
    inet_kick();
    ifinfo_publish(netif_get_index(n));
    return d;
}

/* What goes to a group has been looped already, unless its sender does not want that. */
static err_t loop_output(struct netif *n, struct pbuf *p)
{
    return p->flags & PBUF_FLAG_MCASTLOOP ? ERR_OK : netif_loop_output(n, p);
}

static err_t loop_output4(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
    return loop_output(n, p);
}

static err_t loop_output6(struct netif *n, struct pbuf *p, const ip6_addr_t *to)
{
    return loop_output(n, p);
}

/* The loopback interface is lwIP's own, made by its netif_init.  Groups can be joined there, as on Linux. */
void netif_init_all(void)
{
    struct netif *n = netif_get_by_index(1);
    n->output = loop_output4;
    n->output_ip6 = loop_output6;
    n->flags |= NETIF_FLAG_IGMP;
    igmp_start(n);
}
