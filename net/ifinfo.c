/* Interfaces as Linux tells of them, from lwIP's; the old ioctls (SIOCGIF*) that ask; and /sys/class/net. */
#include <base/string.h>
#include <inet.h>
#include <linux/in.h>
#include <linux/sockios.h>
#include <net/ifinfo.h>
#include <vfs/simplefs.h>
#include <vfs/sysfs.h>
#include <vfs/text_file.h>

#include <lwip/etharp.h>
#include <lwip/netif.h>

enum {
    FLAG_UP = 1,
    FLAG_BROADCAST = 2,
    FLAG_LOOPBACK = 8,
    FLAG_RUNNING = 0x40,
    FLAG_MULTICAST = 0x1000
};
#define LOOPBACK_MTU 65536

static void make_name(char *name, size_t size, unsigned index)
{
    snprintf(name, size, index == 1 ? "lo" : "eth%u", index - 2);
}

static void fill(const struct netif *n, struct ifinfo *out)
{
    memset(out, 0, sizeof(*out));
    out->index = netif_get_index(n);
    out->is_loopback = n->name[0] == 'l';
    make_name(out->name, sizeof(out->name), out->index);
    out->is_up = netif_is_up(n);
    out->has_link = netif_is_link_up(n);
    out->mtu = out->is_loopback ? LOOPBACK_MTU : n->mtu;
    memcpy(out->mac, n->hwaddr, sizeof(out->mac));
    out->ip4 = ip4_addr_get_u32(netif_ip4_addr(n));
    out->mask4 = ip4_addr_get_u32(netif_ip4_netmask(n));
    out->gateway4 = ip4_addr_get_u32(netif_ip4_gw(n));
    out->counts = *netif_counts(n);
    for (unsigned k = 0; k < LWIP_IPV6_NUM_ADDRESSES && out->nr_ip6 < IFINFO_ADDRS; k++) {
        if (!ip6_addr_isvalid(netif_ip6_addr_state(n, k)))
            continue;
        memcpy(out->ip6[out->nr_ip6].ip, netif_ip6_addr(n, k)->addr, 16);
        out->ip6[out->nr_ip6++].is_link_local = ip6_addr_islinklocal(netif_ip6_addr(n, k));
    }
}

bool ifinfo_next(unsigned index, struct ifinfo *out)
{
    struct netif *n, *best = NULL;
    inet_start();
    inet_look();
    NETIF_FOREACH(n)
    {
        if (netif_get_index(n) >= index && (!best || netif_get_index(n) < netif_get_index(best)))
            best = n;
    }
    if (best)
        fill(best, out);
    inet_unlook();
    return best;
}

bool ifinfo_at(int index, struct ifinfo *out)
{
    return ifinfo_next((unsigned)index, out) && (int)out->index == index;
}

bool ifinfo_next_neighbour(unsigned *at, struct ifinfo_neighbour *out)
{
    ip4_addr_t *ip;
    struct netif *n;
    struct eth_addr *mac;
    bool found = false;
    inet_look();
    while (!found && *at < ARP_TABLE_SIZE)
        found = etharp_get_entry((*at)++, &ip, &n, &mac);
    if (found) {
        out->index = netif_get_index(n);
        out->ip4 = ip4_addr_get_u32(ip);
        memcpy(out->mac, mac, sizeof(out->mac));
    }
    inet_unlook();
    return found;
}

void ifinfo_print_mac(struct text *t, const uint8_t mac[6])
{
    for (unsigned k = 0; k < 6; k++)
        text_print(t, k ? ":%02x" : "%02x", mac[k]);
}

unsigned ifinfo_flags(const struct ifinfo *i)
{
    unsigned flags = i->is_loopback ? FLAG_LOOPBACK : FLAG_BROADCAST | FLAG_MULTICAST;
    if (i->is_up)
        flags |= FLAG_UP;
    if (i->is_up && i->has_link)
        flags |= FLAG_RUNNING;
    return flags;
}

/* --- ioctls -------------------------------------------------------------------------------------------- */

/* struct ifreq as far as both ABIs agree. */
struct request {
    char name[16];
    union {
        struct sockaddr_in addr;
        struct {
            uint16_t family;
            uint8_t bytes[14];
        } hw;
        short flags;
        int number;
    };
};

bool ifinfo_find(const char *name, struct ifinfo *out)
{
    for (unsigned index = 1; ifinfo_next(index, out); index = out->index + 1)
        if (strncmp(out->name, name, sizeof(out->name)) == 0)
            return true;
    return false;
}

static void put_addr(struct request *r, uint32_t ip)
{
    memset(&r->addr, 0, sizeof(r->addr));
    r->addr.sin_family = AF_INET;
    r->addr.sin_addr.s_addr = ip;
}

static int answer(struct request *r, unsigned cmd, const struct ifinfo *i)
{
    switch (cmd) {
    case SIOCGIFFLAGS:
        r->flags = (short)ifinfo_flags(i);
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR: /* as there is no other end */
        put_addr(r, i->ip4);
        return i->ip4 ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFNETMASK:
        put_addr(r, i->mask4);
        return i->ip4 ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFBRDADDR:
        put_addr(r, i->is_loopback ? 0 : i->ip4 | ~i->mask4);
        return i->ip4 ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFMTU:
        r->number = (int)i->mtu;
        return 0;
    case SIOCGIFINDEX:
        r->number = (int)i->index;
        return 0;
    case SIOCGIFMETRIC:
        r->number = 0;
        return 0;
    case SIOCGIFMAP: /* as far as i386 has it */
        memset(&r->addr, 0, sizeof(r->addr));
        return 0;
    case SIOCGIFTXQLEN:
        r->number = 1000;
        return 0;
    case SIOCGIFHWADDR:
        memset(&r->hw, 0, sizeof(r->hw));
        r->hw.family = i->is_loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
        memcpy(r->hw.bytes, i->mac, sizeof(i->mac));
        return 0;
    case SIOCGIFSLAVE:
        return -EINVAL;
    default: /* libpcap counts on this errno */
        return -EOPNOTSUPP;
    }
}

long ifinfo_list(struct uptr to, size_t room, size_t size)
{
    struct ifinfo i;
    size_t n = 0;
    for (unsigned index = 1; ifinfo_next(index, &i); index = i.index + 1) {
        struct request r = {0};
        struct uptr at = uptr_add(to, n);
        if (!i.ip4)
            continue;
        if (!uptr_is_null(to) && room - n < size)
            break;
        strlcpy(r.name, i.name, sizeof(r.name));
        put_addr(&r, i.ip4);
        if (!uptr_is_null(to) && (user_zero(at, size) < 0 || user_put(at, &r) < 0))
            return -EFAULT;
        n += size;
    }
    return (long)n;
}

#define SOCKET_IOCTLS 0x89u /* the upper byte of all of them */
/* The numbers above SIOCGIFNAME's that Linux has no meaning for, or no longer. */
#define UNUSED 0x0030ff40fd618002ul

long ifinfo_ioctl(int family, unsigned cmd, struct uptr arg)
{
    struct request r;
    struct ifinfo i;
    if (cmd >> 8 != SOCKET_IOCTLS)
        return -ENOTTY;
    if (user_get(arg, &r) < 0)
        return -EFAULT;
    bool is_apart = cmd == SIOCGIFNAME || cmd == SIOCGIFMAP;
    if (!is_apart && (cmd < SIOCGIFFLAGS || cmd > SIOCWANDEV || UNUSED >> (cmd - SIOCGIFNAME) & 1))
        return -ENOTTY;
    bool has_v4 = family == AF_INET || family == AF_PACKET;
    if (!has_v4 && cmd >= SIOCGIFADDR && cmd <= SIOCSIFNETMASK)
        return -ENOTTY;
    if (cmd == SIOCGIFPFLAGS)
        return family == AF_INET ? -EINVAL : -ENOTTY;
    r.name[sizeof(r.name) - 1] = '\0';
    if (cmd == SIOCGIFNAME) {
        if (!ifinfo_at(r.number, &i))
            return -ENODEV;
        strlcpy(r.name, i.name, sizeof(r.name));
        return user_put(arg, &r);
    }
    if (!ifinfo_find(r.name, &i))
        return -ENODEV;
    int ret = answer(&r, cmd, &i);
    return ret < 0 ? ret : user_put(arg, &r);
}

/* --- /sys/class/net ------------------------------------------------------------------------------------ */

enum { ADDRESS, CARRIER, FLAGS, IFINDEX, MTU, OPERSTATE, TYPE };
static const char names[][10] = {"address", "carrier",   "flags", "ifindex",
                                 "mtu",     "operstate", "type"};

struct attribute {
    struct text_source source; /* first */
    unsigned what, index;
};

static int show_attribute(struct text *t, struct inode *inode)
{
    const struct attribute *a = inode->data;
    struct ifinfo i;
    if (!ifinfo_at((int)a->index, &i))
        return -ENODEV;
    unsigned n = 0;
    switch (a->what) {
    case ADDRESS:
        ifinfo_print_mac(t, i.mac);
        text_put(t, "\n", 1);
        return 0;
    case OPERSTATE:
        text_print(t, "%s\n", i.is_loopback ? "unknown" : i.has_link ? "up" : "down");
        return 0;
    case FLAGS:
        text_print(t, "0x%x\n", ifinfo_flags(&i) & ~FLAG_RUNNING);
        return 0;
    case CARRIER:
        n = i.has_link;
        break;
    case IFINDEX:
        n = i.index;
        break;
    case MTU:
        n = i.mtu;
        break;
    case TYPE:
        n = i.is_loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
        break;
    }
    text_print(t, "%u\n", n);
    return 0;
}

void ifinfo_publish(unsigned index)
{
    char name[16];
    make_name(name, sizeof(name), index);
    struct dentry *dir = simple_dir(sysfs_class_net, name, 0755);
    struct attribute *a = heap_alloc(ARRAY_LEN(names) * sizeof(*a));
    bool is_made = dir && a;
    for (unsigned k = 0; is_made && k < ARRAY_LEN(names); k++) {
        a[k] = (struct attribute){{.show = show_attribute}, k, index};
        is_made = text_file(dir, names[k], 0444, &a[k].source);
    }
    if (!is_made)
        panic("no memory for /sys");
}
