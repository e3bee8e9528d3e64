/* Frames on their way out, and what the device does for them.
 *
 * A device that fills in checksums is given TCP packets and a program's datagrams without (lwIP leaves the field 0).  For
 * one that also cuts long packets up (TSO), packets that continue each other become one frame on the way: lwIP knows
 * nothing of it, and counts, waits and repeats in packets as the peer sees them.  A frame waits for others no longer than
 * the net lock is held.
 *
 * What the device has no room for waits in a queue, as on Linux: a program that floods us would else cost the answers to
 * others, and a connection that is reset its last words. */
#include <base/string.h>
#include <core/atomic.h>
#include <inet.h>
#include <netif_tcp.h>

#include <lwip/inet_chksum.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>

#define BATCH     8u    /* frames */
#define QUEUE_MAX 1000u /* packets, as on Linux */

/* Where a datagram without a checksum has its header; 0: it is none, or goes on somewhere else. */
static uint16_t find_udp(const uint8_t *f, size_t n, size_t len)
{
    uint16_t at = netif_find_header(f, n, IP_PROTO_UDP, UDP_HLEN);
    return at && get16(f + at + 4) == len - at && get16(f + at + 6) == 0 ? at : 0;
}

/* A TCP packet without a checksum. */
static bool find_tcp(const uint8_t *f, size_t n, size_t len, struct tcp_frame *out)
{
    return netif_tcp_find(f, n, len, out) && get16(f + out->tcp + 16) == 0;
}

static void tell(struct netdev *d)
{
    d->nr_queued = 0;
    if (d->ops->flush)
        d->ops->flush(d->driver);
    else
        atomic_store(&d->must_ring, true);
}

void netif_ring(struct netdev *d)
{
    if (atomic_swap(&d->must_ring, false))
        d->ops->ring(d->driver);
}

/* Not every frame is worth telling, but the device is not to be idle while its ring fills. */
static void queue(struct netdev *d, size_t n, const struct netdev_offload *o)
{
    d->ops->send(d->driver, n, o);
    if (++d->nr_queued == BATCH) {
        tell(d);
        netif_ring(d);
    }
}

/* The frame has a packet of the protocol at `at`: the place of its checksum gets the sum of what IP adds to that, and
 * the device does the rest. */
static void queue_unsummed(struct netdev *d, uint8_t *f, size_t len, uint16_t at, uint8_t protocol,
                           struct netdev_offload *o)
{
    uint32_t sum = netif_pseudo_sum(f, at, protocol, len - at);
    sum = FOLD_U32T(sum);
    uint16_t folded = (uint16_t)FOLD_U32T(sum);
    o->csum_start = at;
    o->csum_offset = protocol == IP_PROTO_TCP ? 16 : 6;
    memcpy(f + at + o->csum_offset, &folded, sizeof(folded));
    queue(d, len, o);
}

/* The pending frame gets its lengths, and goes. */
void netif_send_pending(struct netdev *d)
{
    struct netif_pending *w = &d->pending;
    uint8_t *f = w->frame;
    if (!f)
        return;
    w->frame = NULL;
    struct netdev_offload o = {.headers = w->payload, .is_v6 = w->is_v6};
    if (w->len - w->payload > w->size) {
        o.gso_size = w->size;
        netif_tcp_set_length(f, w->len, w->is_v6);
    }
    queue_unsummed(d, f, w->len, w->tcp, IP_PROTO_TCP, &o);
}

/* To the device, or to the frame that grows.  ERR_MEM: no room. */
static err_t hand_over(struct netdev *d, struct pbuf *p)
{
    struct netif_pending *w = &d->pending;
    struct tcp_frame t = {0};
    size_t len = p->tot_len, room;
    bool is_tcp = (d->features & NETDEV_CSUM) && find_tcp(p->payload, p->len, len, &t);
    uint16_t udp = d->features & NETDEV_CSUM ? find_udp(p->payload, p->len, len) : 0;
    struct netdev_offload nothing = {0};
    if (is_tcp && w->frame && netif_tcp_continues(w, p->payload, &t)) {
        pbuf_copy_partial(p, w->frame + w->len, (u16_t)t.len, t.payload);
        if (netif_tcp_grew(w, &t))
            netif_send_pending(d);
        return ERR_OK;
    }
    netif_send_pending(d);
    bool may_grow = is_tcp && t.len >= NETIF_MIN_MERGED && t.flags == TCP_ACK &&
                    (d->features & (t.is_v6 ? NETDEV_TSO6 : NETDEV_TSO4));
    struct netdev_seg head = {p->payload, p->len};
    uint8_t *frame = d->ops->begin(d->driver, head, len, may_grow, &room);
    if (!frame)
        return ERR_MEM;
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    if (udp)
        queue_unsummed(d, frame, len, udp, IP_PROTO_UDP, &nothing);
    else if (!is_tcp)
        queue(d, len, &nothing);
    else if (netif_tcp_begin(w, frame, len, may_grow ? room : len, &t))
        netif_send_pending(d);
    return ERR_OK;
}

/* lwIP may write to its packet again, so a copy waits. */
static err_t wait_in_line(struct netdev *d, struct pbuf *p)
{
    struct pbuf *copy = d->nr_waiting < QUEUE_MAX ? pbuf_clone(PBUF_RAW, PBUF_RAM, p) : NULL;
    if (!copy)
        return ERR_MEM;
    if (d->nr_waiting++ > 0)
        d->last_waiting->next = copy;
    else
        d->waiting = copy;
    d->last_waiting = copy;
    return ERR_OK;
}

static void forget_first(struct netdev *d)
{
    struct pbuf *p = d->waiting;
    d->waiting = p->next;
    d->nr_waiting--;
    p->next = NULL;
    pbuf_free(p);
}

void netif_drop_waiting(struct netdev *d)
{
    while (d->nr_waiting > 0)
        forget_first(d);
}

void netif_flush(struct netdev *d)
{
    while (d->nr_waiting > 0 && hand_over(d, d->waiting) == ERR_OK)
        forget_first(d);
    netif_send_pending(d);
    if (d->nr_queued > 0)
        tell(d);
}

err_t netif_transmit(struct netif *n, struct pbuf *p)
{
    struct netdev *d = (struct netdev *)n;
    err_t err = d->nr_waiting > 0 ? ERR_MEM : hand_over(d, p);
    if (err)
        err = wait_in_line(d, p);
    if (err) {
        d->counts.tx_dropped++;
        return err;
    }
    inet_timers_sent();
    d->counts.tx_packets++;
    d->counts.tx_bytes += p->tot_len;
    packet_see(n, p, true);
    return ERR_OK;
}
