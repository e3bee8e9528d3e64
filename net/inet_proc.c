/* /proc/net/{tcp,tcp6,udp,udp6,raw,raw6,dev,arp,if_inet6,route} in Linux's columns, from lwIP's lists.
 *
 * What lwIP goes on with after the socket let go of it (TIME_WAIT and the like) is listed without an inode, and by the
 * family of its addresses.  No kernel address is told: the column is there, and 0. */
#include <base/string.h>
#include <inet.h>
#include <net/ifinfo.h>
#include <net/net.h>
#include <vfs/inode.h>

#include <lwip/priv/tcp_priv.h>

#define TICKS_PER_SLOW (TCP_SLOW_INTERVAL / 10u) /* in Linux's hundredths of a second */
#define TCP_WIDTH      149
#define UDP_WIDTH      127
#define ROUTE_WIDTH    127

enum { TIMER_NONE, TIMER_RESEND, TIMER_TIME_WAIT = 3 };

struct row {
    const ip_addr_t *local, *peer;
    uint16_t local_port, peer_port;
    unsigned state, tx, rx, timer, resent;
    unsigned long when;
    const struct inet_sock *owner; /* NULL: none */
};

/* The files of IPv6 have a word with their name. */
static bool is_of_v6(const struct inode *i)
{
    return ((const struct text_source *)i->data)->string;
}

/* Linux fills the lines of its older files with blanks. */
static void end_line(struct text *t, size_t start, size_t width)
{
    size_t n = t->len - start;
    text_print(t, "%*s\n", n < width ? (int)(width - n) : 0, "");
}

static void put_addr(struct text *t, bool is_v6, const ip_addr_t *ip, uint16_t port)
{
    bool has_v4 = ip && IP_IS_V4_VAL(*ip);
    uint32_t v4 = has_v4 ? ip4_addr_get_u32(ip_2_ip4(ip)) : 0;
    if (!is_v6) {
        text_print(t, " %08X:%04X", v4, port);
        return;
    }
    uint32_t w[4] = {0, 0, v4 ? PP_HTONL(0xffff) : 0, v4};
    if (ip && !has_v4)
        memcpy(w, ip_2_ip6(ip)->addr, sizeof(w));
    text_print(t, " %08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], port);
}

static void put_row(struct text *t, bool is_v6, const struct row *r)
{
    const struct file *f = r->owner ? atomic_load(&r->owner->s.file) : NULL;
    put_addr(t, is_v6, r->local, r->local_port);
    put_addr(t, is_v6, r->peer, r->peer_port);
    text_print(t, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu", r->state, r->tx, r->rx, r->timer,
               r->when, r->resent, f ? f->inode->uid : 0, 0, f ? f->inode->ino : 0ul);
}

static void put_header(struct text *t, bool is_v6, bool is_udp, size_t width)
{
    size_t start = t->len;
    text_print(t,
               "%s  sl  local_address %*srem%s_address %*s  st tx_queue rx_queue tr tm->when "
               "retrnsmt   uid  timeout inode%s",
               width == UDP_WIDTH ? " " : "", is_v6 ? 24 : 0, "", is_v6 ? "ote" : "",
               is_v6 ? 21 : 0, "", is_udp ? " ref pointer drops" : "");
    end_line(t, start, width);
}

/* --- TCP ----------------------------------------------------------------------------------------------- */

/* One of a list of lwIP's, if it is of the family. */
static bool put_tcp(struct text *t, bool is_v6, unsigned number, struct tcp_pcb *pcb)
{
    const struct inet_sock *i = inet_tcp_owner(pcb);
    bool is_listener = pcb->state == LISTEN;
    if ((i ? i->is_v6 : IP_IS_V6_VAL(pcb->local_ip)) != is_v6)
        return false;
    struct row r = {.local = &pcb->local_ip,
                    .local_port = pcb->local_port,
                    .state = inet_tcp_state_of[pcb->state],
                    .owner = pcb->state == SYN_RCVD ? NULL : i};
    if (is_listener) { /* has no more fields than these */
        r.rx = i ? i->nr_accepts : 0;
    } else {
        r.peer = &pcb->remote_ip;
        r.peer_port = pcb->remote_port;
        r.resent = pcb->nrtx;
        r.tx = pcb->state == TIME_WAIT ? 0 : pcb->snd_lbb - pcb->lastack;
        r.rx = r.owner ? (unsigned)r.owner->rx_bytes + r.owner->has_eof : 0; /* a FIN is one */
        if (pcb->state == TIME_WAIT) {
            r.timer = TIMER_TIME_WAIT;
            r.when = 2 * TCP_MSL / 10 - (tcp_ticks - pcb->tmr) * TICKS_PER_SLOW;
        } else if (pcb->unacked && pcb->rtime >= 0) {
            r.timer = TIMER_RESEND;
            r.when = (unsigned)MAX(pcb->rto - pcb->rtime, 0) * TICKS_PER_SLOW;
        }
    }
    size_t start = t->len;
    text_print(t, "%4u:", number);
    put_row(t, is_v6, &r);
    if (pcb->state == TIME_WAIT)
        text_print(t, " 3 %016x", 0);
    else if (is_listener)
        text_print(t, " 1 %016x 100 0 0 10 0", 0);
    else
        text_print(t, " 1 %016x %u 0 0 %u %u", 0, (unsigned)pcb->rto * TICKS_PER_SLOW,
                   pcb->cwnd / MAX((unsigned)pcb->mss, 1u),
                   pcb->ssthresh / MAX((unsigned)pcb->mss, 1u));
    end_line(t, start, is_v6 ? 0 : TCP_WIDTH);
    return true;
}

int net_show_tcp(struct text *t, struct inode *inode)
{
    bool is_v6 = is_of_v6(inode);
    unsigned n = 0;
    put_header(t, is_v6, false, is_v6 ? 0 : TCP_WIDTH);
    inet_look();
    struct tcp_pcb *const lists[] = {tcp_listen_pcbs.pcbs, tcp_active_pcbs, tcp_tw_pcbs};
    for (unsigned k = 0; k < ARRAY_LEN(lists); k++)
        for (struct tcp_pcb *pcb = lists[k]; pcb; pcb = pcb->next)
            n += put_tcp(t, is_v6, n, pcb);
    inet_unlook();
    return 0;
}

/* --- UDP, and raw sockets ----------------------------------------------------------------------------------------------- */

static bool is_listed(const struct inet_sock *i, bool is_v6)
{
    return i->is_v6 == is_v6 && i->local_port && i->is_raw == (i->s.type == SOCK_RAW);
}

static int show_dgrams(struct text *t, const struct inode *inode, const struct list *list,
                       size_t width)
{
    enum { CONNECTED = 1, UNCONNECTED = 7 };
    bool is_v6 = is_of_v6(inode);
    struct inet_sock *i;
    put_header(t, is_v6, true, is_v6 ? 0 : width);
    inet_look();
    list_for_each(i, list, all_node) {
        if (!is_listed(i, is_v6))
            continue;
        bool is_connected = i->state == INET_CONNECTED;
        struct row r = {.local = &i->local,
                        .peer = is_connected ? &i->peer : NULL,
                        .local_port = i->local_port,
                        .peer_port = is_connected ? i->peer_port : 0,
                        .state = is_connected ? CONNECTED : UNCONNECTED,
                        .rx = (unsigned)i->rx_bytes,
                        .owner = i};
        size_t start = t->len;
        text_print(t, is_v6 || width ? "%5u:" : "%4u:", i->local_port);
        put_row(t, is_v6, &r);
        text_print(t, " 2 %016x %u", 0, i->drops);
        end_line(t, start, is_v6 ? 0 : width);
    }
    inet_unlook();
    return 0;
}

int net_show_udp(struct text *t, struct inode *inode)
{
    return show_dgrams(t, inode, &inet_all_udp, UDP_WIDTH);
}

int net_show_raw(struct text *t, struct inode *inode)
{
    return show_dgrams(t, inode, &inet_all_raw, 0);
}

/* --- interfaces ---------------------------------------------------------------------------------------- */

int net_show_dev(struct text *t, struct inode *inode)
{
    struct ifinfo i;
    text_print(t,
               "Inter-|   %-55s|  Transmit\n"
               " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
               "packets errs drop fifo colls carrier compressed\n",
               "Receive");
    for (unsigned index = 1; ifinfo_next(index, &i); index = i.index + 1)
        text_print(
            t,
            "%6s: %7lu %7lu    0 %4lu    0     0          0         0 %8lu %7lu    0 %4lu    "
            "0     0       0          0\n",
            i.name, i.counts.rx_bytes, i.counts.rx_packets, i.counts.rx_dropped, i.counts.tx_bytes,
            i.counts.tx_packets, i.counts.tx_dropped);
    return 0;
}

int net_show_if_inet6(struct text *t, struct inode *inode)
{
    enum { SCOPE_HOST = 0x10, SCOPE_LINK = 0x20 };
    struct ifinfo i;
    for (unsigned index = 1; ifinfo_next(index, &i); index = i.index + 1) {
        for (unsigned k = 0; k < i.nr_ip6; k++) {
            uint64_t w[2];
            memcpy(w, i.ip6[k].ip, sizeof(w));
            text_print(t, "%016lx%016lx %02x %x %02x 80 %8s\n", __builtin_bswap64(w[0]),
                       __builtin_bswap64(w[1]), i.index, i.is_loopback ? 128 : 64,
                       i.is_loopback            ? SCOPE_HOST
                       : i.ip6[k].is_link_local ? SCOPE_LINK
                                                : 0,
                       i.name);
        }
    }
    return 0;
}

int net_show_arp(struct text *t, struct inode *inode)
{
    struct ifinfo i;
    struct ifinfo_neighbour n;
    char ip[IP4ADDR_STRLEN_MAX];
    unsigned at = 0;
    text_print(t,
               "IP address       HW type     Flags       HW address            Mask     Device\n");
    while (ifinfo_next_neighbour(&at, &n)) {
        if (!ifinfo_at((int)n.index, &i))
            continue;
        ip4addr_ntoa_r(&(ip4_addr_t){n.ip4}, ip, sizeof(ip));
        text_print(t, "%-16s 0x1         0x2         ", ip);
        ifinfo_print_mac(t, n.mac);
        text_print(t, "     *        %s\n", i.name);
    }
    return 0;
}

static void put_route(struct text *t, const char *name, uint32_t to, uint32_t gateway,
                      uint32_t mask)
{
    enum { UP = 1, GATEWAY = 2 };
    size_t start = t->len;
    text_print(t, "%s\t%08X\t%08X\t%04X\t0\t0\t0\t%08X\t0\t0\t0", name, to, gateway,
               gateway ? UP | GATEWAY : UP, mask);
    end_line(t, start, ROUTE_WIDTH);
}

int net_show_route(struct text *t, struct inode *inode)
{
    struct ifinfo i;
    size_t start = t->len;
    text_print(
        t, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
    end_line(t, start, ROUTE_WIDTH);
    for (unsigned index = 1; ifinfo_next(index, &i); index = i.index + 1) {
        if (i.is_loopback || !i.ip4)
            continue;
        if (i.gateway4)
            put_route(t, i.name, 0, i.gateway4, 0);
        put_route(t, i.name, i.ip4 & i.mask4, 0, i.mask4);
    }
    return 0;
}
