/* Frames on their way in.
 *
 * Packets of a TCP connection that continue each other are one packet to the stack, if they come together and their
 * checksums are right: it looks up, counts and acknowledges one in place of dozens.  A packet waits for the next no
 * longer than its device is polled, under the net lock all the time. */
#include <arch/arch.h>
#include <core/page.h>
#include <inet.h>
#include <netif_tcp.h>

#include <lwip/inet_chksum.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/tcp.h>

#define TRAIN_MAX 0xffffu /* bytes of a frame: lengths have 16 bits */

/* A part that stays where the device wrote it has lwIP's head in front of it, at the start of its page. */
_Static_assert(sizeof(struct pbuf_custom) <= NETDEV_HEADROOM, "it fits in front of a part");

static void free_page(struct pbuf *p)
{
    page_put(page_of(direct_paddr(p)));
}

static struct pbuf *keep(const struct netdev_seg *parts, unsigned nr)
{
    struct pbuf *all = NULL;
    for (unsigned i = 0; i < nr; i++) {
        struct pbuf_custom *head = (void *)((uintptr_t)parts[i].p & ~(PAGE_SIZE - 1));
        u16_t len = (u16_t)parts[i].len;
        head->custom_free_function = free_page;
        struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, head, parts[i].p, len);
        if (all)
            pbuf_cat(all, p);
        else
            all = p;
    }
    return all;
}

static struct pbuf *copy(const struct netdev_seg *parts, unsigned nr, size_t n)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
    char *to = p ? p->payload : NULL;
    for (unsigned i = 0; p && i < nr; i++) {
        arch_copy(to, parts[i].p, parts[i].len);
        to += parts[i].len;
    }
    return p;
}

/* What lwIP does of checksums: nothing of TCP's where the device does them, nor then for packets to this machine
 * itself, which have none; of received packets those that nobody has looked at. */
void netif_set_checksums(struct netdev *d, unsigned checks)
{
    unsigned all =
        NETIF_CHECKSUM_ENABLE_ALL & ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    if (d->features & NETDEV_CSUM)
        all &= ~(unsigned)NETIF_CHECKSUM_GEN_TCP;
    NETIF_SET_CHECKSUM_CTRL(&d->netif, (u16_t)(all | checks));
}

static void input(struct netdev *d, struct pbuf *p, bool is_valid)
{
    if (!is_valid)
        netif_set_checksums(d, NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
    if (d->netif.input(p, &d->netif) != ERR_OK)
        pbuf_free(p);
    if (!is_valid)
        netif_set_checksums(d, 0);
}

void netif_take_train(struct netdev *d)
{
    struct netif_pending *w = &d->train;
    if (!w->frame)
        return;
    if (d->last != d->first)
        netif_tcp_set_length(w->frame, w->len, w->is_v6);
    w->frame = NULL;
    size_t left = w->len;
    for (struct pbuf *p = d->first; p; p = p->next) {
        p->tot_len = (u16_t)left;
        left -= p->len;
    }
    input(d, d->first, true);
}

/* A packet that a train may consist of: with payload and nothing else, not padded, and right. */
static bool is_wagon(const uint8_t *f, size_t n, bool is_valid, struct tcp_frame *t)
{
    if (n < SIZEOF_ETH_HDR + TCP_HLEN + NETIF_MIN_MERGED || !netif_tcp_find(f, n, n, t) ||
        t->len < NETIF_MIN_MERGED || (t->flags & ~TCP_PSH) != TCP_ACK)
        return false;
    size_t said = t->is_v6 ? get16(f + 18) + 40u : get16(f + 16), of_tcp = n - t->tcp;
    if (said != n - SIZEOF_ETH_HDR ||
        (!t->is_v6 && inet_chksum(f + SIZEOF_ETH_HDR, IP_HLEN) != 0)) /* a train has a new one */
        return false;
    if (is_valid)
        return true;
    uint32_t sum = netif_pseudo_sum(f, t->tcp, IP_PROTO_TCP, of_tcp) +
                   (u16_t)~inet_chksum(f + t->tcp, (u16_t)of_tcp);
    sum = FOLD_U32T(sum);
    return FOLD_U32T(sum) == 0xffff;
}

/* A frame of one part, whose pbuf is `p`. */
static void board(struct netdev *d, struct pbuf *p, bool is_valid)
{
    struct netif_pending *w = &d->train;
    struct tcp_frame t;
    bool is_over;
    if (!is_wagon(p->payload, p->len, is_valid, &t)) {
        netif_take_train(d);
        input(d, p, is_valid);
        return;
    }
    if (w->frame && netif_tcp_continues(w, p->payload, &t)) {
        pbuf_remove_header(p, t.payload);
        d->last->next = p;
        is_over = netif_tcp_grew(w, &t);
    } else {
        netif_take_train(d);
        d->first = p;
        is_over = netif_tcp_begin(w, p->payload, p->len, TRAIN_MAX, &t);
    }
    d->last = p;
    if (is_over)
        netif_take_train(d);
}

bool netdev_receive(struct netdev *d, const struct netdev_seg *parts, unsigned nr, unsigned how)
{
    size_t n = 0;
    for (unsigned i = 0; i < nr; i++)
        n += parts[i].len;
    bool is_kept = (how & NETDEV_PAGES) && n <= 0xffff;
    struct pbuf *p = is_kept ? keep(parts, nr) : n <= 0xffff ? copy(parts, nr, n) : NULL;
    if (!p) {
        d->counts.rx_dropped++;
        return false;
    }
    d->counts.rx_packets++;
    d->counts.rx_bytes += n;
    packet_see(&d->netif, p, false);
    if (p->next) {
        netif_take_train(d);
        input(d, p, how & NETDEV_VALID);
    } else {
        board(d, p, how & NETDEV_VALID);
    }
    return is_kept;
}
