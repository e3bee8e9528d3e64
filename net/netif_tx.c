/* Frames on their way out, and what the device does for them.
 *
 * A device that fills in checksums is given TCP packets without (lwIP leaves the field 0).  For one that also cuts long
 * packets up (TSO), packets that continue each other become one frame on the way: lwIP knows nothing of it, and counts,
 * waits and repeats in packets as the peer sees them.  A frame waits no longer than the net lock is held. */
#include <base/string.h>
#include <core/atomic.h>
#include <inet.h>
#include <netif_tcp.h>

#include <lwip/inet_chksum.h>
#include <lwip/prot/tcp.h>

#define BATCH 8u /* frames */

/* A TCP packet without a checksum. */
static bool find_tcp(const uint8_t *f, size_t n, size_t len, struct tcp_frame *out)
{
    return netif_tcp_find(f, n, len, out) && get16(f + out->tcp + 16) == 0;
}

static void tell(struct netdev *d)
{
    d->nr_queued = 0;
    if (d->ops->flush(d->driver))
        atomic_store(&d->must_ring, true);
}

void netif_ring(struct netdev *d)
{
    if (atomic_load(&d->must_ring) && atomic_swap(&d->must_ring, false))
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

/* The pending frame gets its lengths and the sum of what IP adds to TCP's checksum, and goes. */
void netif_send_pending(struct netdev *d)
{
    struct netif_pending *w = &d->pending;
    uint8_t *f = w->frame;
    if (!f)
        return;
    w->frame = NULL;
    struct netdev_offload o = {
        .csum_start = w->tcp, .csum_offset = 16, .headers = w->payload, .is_v6 = w->is_v6};
    if (w->len - w->payload > w->size) {
        o.gso_size = w->size;
        netif_tcp_set_length(f, w->len, w->is_v6);
    }
    uint32_t sum = netif_tcp_pseudo(f, w->tcp, w->is_v6, w->len - w->tcp);
    sum = FOLD_U32T(sum);
    uint16_t folded = (uint16_t)FOLD_U32T(sum);
    memcpy(f + w->tcp + o.csum_offset, &folded, sizeof(folded));
    queue(d, w->len, &o);
}

void netif_flush(struct netdev *d)
{
    netif_send_pending(d);
    if (d->nr_queued > 0)
        tell(d);
}

err_t netif_transmit(struct netif *n, struct pbuf *p)
{
    struct netdev *d = (struct netdev *)n;
    struct netif_pending *w = &d->pending;
    struct tcp_frame t;
    size_t len = p->tot_len, room;
    bool is_tcp = (d->features & NETDEV_CSUM) && find_tcp(p->payload, p->len, len, &t);
    bool is_merged = is_tcp && w->frame && netif_tcp_continues(w, p->payload, &t);
    if (is_merged) {
        pbuf_copy_partial(p, w->frame + w->len, (u16_t)t.len, t.payload);
        if (netif_tcp_grew(w, &t))
            netif_send_pending(d);
    } else {
        netif_send_pending(d);
        bool may_grow = is_tcp && t.len >= NETIF_MIN_MERGED && t.flags == TCP_ACK &&
                        (d->features & (t.is_v6 ? NETDEV_TSO6 : NETDEV_TSO4));
        uint8_t *frame = d->ops->begin(d->driver, len, may_grow, &room);
        if (!frame) {
            d->counts.tx_dropped++;
            return ERR_MEM;
        }
        pbuf_copy_partial(p, frame, p->tot_len, 0);
        if (!is_tcp)
            queue(d, len, &(struct netdev_offload){0});
        else if (netif_tcp_begin(w, frame, len, may_grow ? room : len, &t))
            netif_send_pending(d);
    }
    inet_timers_use();
    d->counts.tx_packets++;
    d->counts.tx_bytes += len;
    packet_see(n, p, true);
    return ERR_OK;
}
