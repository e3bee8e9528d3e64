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
#include <inet.h>
#include <netif_dev.h>

#include <lwip/inet_chksum.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>

#define IP_START   SIZEOF_ETH_HDR
#define V4_LEN     20u
#define V6_LEN     40u
#define MIN_MERGED 256u  /* bytes of payload that are worth it */
#define BATCH      8u    /* frames */
#define QUEUE_MAX  1000u /* packets, as on Linux */

/* Where a TCP packet without a checksum has what. */
struct tcp_frame {
    uint16_t tcp, payload;
    size_t len; /* of the payload */
    uint32_t seq;
    uint8_t flags;
    bool is_v6;
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Where a packet of the protocol has its header of so many bytes; 0: it is none.  `n` of its bytes are at f. */
static uint16_t find_header(const uint8_t *f, size_t n, uint8_t protocol, size_t header)
{
    uint16_t type = n >= IP_START + V4_LEN + header ? get16(f + 12) : 0;
    if (type == ETHTYPE_IP && f[IP_START] == 0x45 && f[IP_START + 9] == protocol &&
        !(get16(f + IP_START + 6) & (IP_OFFMASK | IP_MF)))
        return IP_START + V4_LEN;
    if (type == ETHTYPE_IPV6 && f[IP_START + 6] == protocol && n >= IP_START + V6_LEN + header)
        return IP_START + V6_LEN;
    return 0;
}

/* Where a datagram without a checksum has its header; 0: it is none, or goes on somewhere else. */
static uint16_t find_udp(const uint8_t *f, size_t n, size_t len)
{
    uint16_t at = find_header(f, n, IP_PROTO_UDP, UDP_HLEN);
    return at && get16(f + at + 4) == len - at && get16(f + at + 6) == 0 ? at : 0;
}

/* Is it one?  `n` of its `len` bytes are at f. */
static bool find_tcp(const uint8_t *f, size_t n, size_t len, struct tcp_frame *out)
{
    out->tcp = find_header(f, n, IP_PROTO_TCP, TCP_HLEN);
    if (!out->tcp)
        return false;
    const uint8_t *t = f + out->tcp;
    out->is_v6 = out->tcp == IP_START + V6_LEN;
    out->payload = (uint16_t)(out->tcp + (t[12] >> 4) * 4);
    if (out->payload < out->tcp + TCP_HLEN || out->payload > n || get16(t + 16) != 0)
        return false;
    out->len = len - out->payload;
    out->seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    out->flags = t[13];
    return true;
}

static void tell(struct netdev *d)
{
    d->nr_queued = 0;
    d->ops->flush(d->driver);
}

/* Not every frame is worth telling, but the device is not to be idle while its ring fills. */
static void queue(struct netdev *d, size_t n, const struct netdev_offload *o)
{
    d->ops->send(d->driver, n, o);
    if (++d->nr_queued == BATCH)
        tell(d);
}

/* The frame has a packet of the protocol at `at`: the place of its checksum gets the sum of what IP adds to that, and
 * the device does the rest. */
static void queue_unsummed(struct netdev *d, uint8_t *f, size_t len, uint16_t at, uint8_t protocol,
                           struct netdev_offload *o)
{
    uint16_t addresses = at == IP_START + V6_LEN ? 32 : 8;
    uint32_t sum = (u16_t)~inet_chksum(f + at - addresses, addresses);
    sum += lwip_htons(protocol) + lwip_htons((u16_t)(len - at));
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
    uint8_t *f = w->frame, *ip = f + IP_START;
    if (!f)
        return;
    w->frame = NULL;
    struct netdev_offload o = {.headers = w->payload, .is_v6 = w->is_v6};
    if (w->len - w->payload > w->size) {
        o.gso_size = w->size;
        if (w->is_v6) {
            put16(ip + 4, w->len - IP_START - V6_LEN);
        } else {
            put16(ip + 2, w->len - IP_START);
            memset(ip + 10, 0, 2);
            uint16_t sum = inet_chksum(ip, V4_LEN);
            memcpy(ip + 10, &sum, sizeof(sum));
        }
    }
    queue_unsummed(d, f, w->len, w->tcp, IP_PROTO_TCP, &o);
}

/* Does the packet with its headers at `h` continue the pending frame? */
static bool continues(const struct netif_pending *w, const uint8_t *h, const struct tcp_frame *t)
{
    const uint8_t *f = w->frame;
    if (t->seq != w->next_seq || t->is_v6 != w->is_v6 || t->payload != w->payload || t->len == 0 ||
        t->len > w->size || w->len + t->len > w->room || (t->flags & ~TCP_PSH) != TCP_ACK)
        return false;
    /* Everything but lengths, the packet's number, sequence numbers, PSH and checksums. */
    unsigned fixed = t->is_v6 ? IP_START + 6 : IP_START + 12;
    return memcmp(f, h, IP_START + 2) == 0 &&
           memcmp(f + fixed, h + fixed, t->tcp - fixed + 4) == 0 &&
           (t->is_v6 ? memcmp(f + IP_START + 2, h + IP_START + 2, 2)
                     : memcmp(f + IP_START + 6, h + IP_START + 6, 4)) == 0 &&
           memcmp(f + t->tcp + 8, h + t->tcp + 8, 5) == 0 &&
           memcmp(f + t->tcp + 14, h + t->tcp + 14, 2) == 0 &&
           memcmp(f + t->tcp + 18, h + t->tcp + 18, (size_t)t->payload - t->tcp - 18) == 0;
}

/* The frame has grown by a packet's payload; more may follow, unless this was its last. */
static void grew(struct netdev *d, const struct tcp_frame *t)
{
    struct netif_pending *w = &d->pending;
    w->next_seq = t->seq + (uint32_t)t->len;
    if (t->len < w->size || (t->flags & TCP_PSH) || w->room - w->len < w->size)
        netif_send_pending(d);
}

static void begin(struct netdev *d, uint8_t *frame, size_t len, size_t room,
                  const struct tcp_frame *t)
{
    d->pending = (struct netif_pending){.frame = frame,
                                        .len = len,
                                        .room = room,
                                        .tcp = t->tcp,
                                        .payload = t->payload,
                                        .size = (uint16_t)t->len,
                                        .is_v6 = t->is_v6};
    grew(d, t);
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
    if (is_tcp && w->frame && continues(w, p->payload, &t)) {
        pbuf_copy_partial(p, w->frame + w->len, (u16_t)t.len, t.payload);
        w->frame[t.tcp + 13] |= t.flags;
        w->len += t.len;
        grew(d, &t);
        return ERR_OK;
    }
    netif_send_pending(d);
    bool may_grow = is_tcp && t.len >= MIN_MERGED && t.flags == TCP_ACK &&
                    (d->features & (t.is_v6 ? NETDEV_TSO6 : NETDEV_TSO4));
    uint8_t *frame = d->ops->begin(d->driver, len, may_grow, &room);
    if (!frame)
        return ERR_MEM;
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    if (is_tcp)
        begin(d, frame, len, may_grow ? room : len, &t);
    else if (udp)
        queue_unsummed(d, frame, len, udp, IP_PROTO_UDP, &nothing);
    else
        queue(d, len, &nothing);
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
