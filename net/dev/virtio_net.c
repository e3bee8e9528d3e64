/* The virtio network device, over any transport.
 *
 * It may have several pairs of queues: as many are used as there are CPUs, each with its own buffers and an interrupt at
 * a CPU.  The packets of a connection all leave by one pair, as others would overtake them; the device has its answers
 * come by the same.
 *
 * The receive interrupt only has somebody poll and stays off until the queue was found empty.  Frames that are
 * sent are copied into a buffer of ours, so that lwIP may free or send its own again at once; buffers come back
 * when the next frame looks for one, and without any interrupt unless it finds none.
 *
 * A device that checks and cuts packets (QEMU's, with a tap interface) receives whole trains of them into as many pages
 * as they take, and sends frames of tens of KiB from a few large buffers.  Without, each frame has half a page.  The
 * stack keeps what long frames were received in, and the device gets others.
 *
 * What the device writes (lengths, how many buffers a frame has) is believed no further than our own buffers reach. */
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/lock.h>
#include <core/page.h>
#include <dev/virtio.h>
#include <linux/in.h>
#include <linux/virtio_net.h>
#include <net/netdev.h>

#include "net_drivers.h"

#define NR_RX       64
#define NR_RX_PAGES 64u /* with long frames */
#define NR_TX       48  /* a datagram of 64 KiB in pieces */
#define NR_TX_LARGE 8
#define TX_SLOTS    64  /* for all of them */
#define NR_POLLED   64u /* frames of one poll, after which others have their turn */
#define NR_TOLD \
    16u /* of them, after which the device hears of its buffers: it fills them meanwhile */
#define BUF_SIZE    NETDEV_BLOCK /* a frame with its header: two in a page */
#define KEPT_MIN    1024u /* bytes of a frame that the stack keeps where it is: less are copied */
#define LARGE_ORDER 3
#define MAX_PARTS   18u /* pages for 64 KiB and a header */
#define HDR_MERGED  sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define HDR_LEGACY  sizeof(struct virtio_net_hdr)
#define MTU         1500
#define MAX_PAIRS   8u
#define PAIR_PAGES  4096u         /* free memory for each more: it takes a few percent of that */
#define COMMAND_NS  1000000000ull /* that the device has for one */

#define BIT(feature) (1ull << (feature))
#define TSO          (BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6))
#define LONG_FRAMES  (BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))

struct tx_buffer {
    struct tx_buffer *next; /* free ones of a size */
    char *data;
    size_t size;
};

/* A pair of queues: an element of the device's array. */
struct virtio_net {
    struct virtio_device *device;
    size_t header;        /* bytes before each frame */
    size_t rx_size;       /* of a receive buffer */
    struct spinlock lock; /* RANK_DRIVER, interrupts off - guards both queues and: */
    bool is_armed;        /* atomic: no frame was left, and an interrupt tells of the next */
    /* under the net lock */
    char *other_half; /* of the last page for receive buffers, or NULL */
    struct tx_buffer *tx_free, *tx_free_large, *tx_current;
    /* In the first pair, for all: */
    struct virtio_net *sender; /* under the net lock: of what is being written */
    unsigned nr, nr_chosen;    /* pairs; those that frames are sent by */
    bool link_changed;         /* atomic */
    struct virtq rx, tx, control;
    struct {
        struct virtio_net_ctrl_hdr head;
        struct virtio_net_ctrl_mq pairs;
        virtio_net_ctrl_ack ack;
    } command;
    struct tx_buffer buffers[NR_TX + NR_TX_LARGE];
};

/* Frames have come, or there is room again to send. */
static void on_used(struct virtq *q)
{
    struct virtio_net *n = q->arg;
    bool irqs = spin_lock_irq(&n->lock);
    virtq_disable_irq(q);
    /* Another CPU may have taken what we came for, and asked for an interrupt. */
    if (q == &n->rx)
        atomic_store(&n->is_armed, false);
    spin_unlock_irq(&n->lock, irqs);
    netdev_interrupt();
}

static void config_changed(struct virtio_device *d)
{
    struct virtio_net *n = d->driver;
    atomic_store(&n->link_changed, true);
    netdev_interrupt();
}

static bool has_link(struct virtio_net *n)
{
    uint16_t status = VIRTIO_NET_S_LINK_UP;
    if (virtio_has(n->device, VIRTIO_NET_F_STATUS))
        virtio_config(n->device, offsetof(struct virtio_net_config, status), &status,
                      sizeof(status));
    return status & VIRTIO_NET_S_LINK_UP;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

/* Receive buffers are pages, or two to a page. */
static bool has_pages(const struct virtio_net *n)
{
    return n->rx_size > BUF_SIZE;
}

/* Give a buffer to the device; the lock is held. */
static void offer(struct virtio_net *n, void *buf)
{
    if (virtq_add(&n->rx, &(struct virtq_buf){buf, (uint32_t)n->rx_size}, 0, 1, buf) < 0)
        panic("virtio-net: a receive buffer does not fit its queue");
}

static void *take(struct virtio_net *n, size_t *len)
{
    uint32_t written;
    void *buf = virtq_take(&n->rx, &written);
    *len = buf ? MIN((size_t)written, n->rx_size) : 0;
    return buf;
}

/* The next frame's buffers, the header still in the first: how many; 0: none, and an interrupt will tell of more. */
static unsigned next_frame(struct virtio_net *n, struct netdev_seg part[MAX_PARTS])
{
    unsigned nr = 0, wanted = 1;
    bool irqs = spin_lock_irq(&n->lock);
    part[0].p = take(n, &part[0].len);
    while (!part[0].p && virtq_enable_irq(&n->rx)) {
        virtq_disable_irq(&n->rx);
        part[0].p = take(n, &part[0].len);
    }
    atomic_store(&n->is_armed, !part[0].p);
    if (part[0].p)
        nr = 1;
    if (nr && n->header == HDR_MERGED && virtio_has(n->device, VIRTIO_NET_F_MRG_RXBUF))
        wanted = ((const struct virtio_net_hdr_mrg_rxbuf *)part[0].p)->num_buffers;
    while (nr && nr < MIN(wanted, MAX_PARTS) && (part[nr].p = take(n, &part[nr].len)))
        nr++;
    spin_unlock_irq(&n->lock, irqs);
    if (nr && nr < wanted)
        part[0].len = 0; /* it has not given as many, or more than a frame takes: no frame */
    return nr;
}

/* A page or half of one, with a reference to it; NULL: no memory. */
static void *new_buffer(struct virtio_net *n)
{
    char *half = n->other_half;
    n->other_half = NULL;
    if (half)
        return half;
    struct page *p = page_alloc(0, PG_MAY_FAIL);
    if (!p)
        return NULL;
    char *buf = (char *)page_ptr(p) + NETDEV_HEADROOM;
    if (!has_pages(n)) {
        page_get(p);
        n->other_half = buf + BUF_SIZE;
    }
    return buf;
}

static void give_up_buffers(void *const spare[], unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        page_put(page_of(direct_paddr(spare[i])));
}

/* In place of those that the stack is to keep; false: not enough memory. */
static bool spare_buffers(struct virtio_net *n, void *spare[MAX_PARTS], unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        if (!(spare[i] = new_buffer(n))) {
            give_up_buffers(spare, i);
            return false;
        }
    }
    return true;
}

/* One frame to the stack, and buffers back to the device: those or others. */
static void receive(struct virtio_net *n, struct netdev *d, struct netdev_seg *part, unsigned nr)
{
    void *old[MAX_PARTS], *spare[MAX_PARTS];
    const struct virtio_net_hdr *h = part[0].p;
    unsigned how = 0;
    bool is_kept = false;
    for (unsigned i = 0; i < nr; i++)
        old[i] = part[i].p;
    if (h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID) &&
        virtio_has(n->device, VIRTIO_NET_F_GUEST_CSUM))
        how |= NETDEV_VALID;
    if ((nr > 1 || part[0].len >= KEPT_MIN) && spare_buffers(n, spare, nr))
        how |= NETDEV_BLOCKS;
    if (part[0].len > n->header) {
        part[0].p = (char *)part[0].p + n->header;
        part[0].len -= n->header;
        is_kept = netdev_receive(d, part, nr, how) && (how & NETDEV_BLOCKS);
    }
    if ((how & NETDEV_BLOCKS) && !is_kept)
        give_up_buffers(spare, nr);
    bool irqs = spin_lock_irq(&n->lock);
    for (unsigned i = 0; i < nr; i++)
        offer(n, is_kept ? spare[i] : old[i]);
    spin_unlock_irq(&n->lock, irqs);
}

/* Of what was added. */
static void tell(struct virtio_net *n, struct virtq *q)
{
    bool irqs = spin_lock_irq(&n->lock);
    bool is_needed = virtq_needs_ring(q);
    spin_unlock_irq(&n->lock, irqs);
    if (is_needed)
        virtq_ring(q);
}

static void poll_pair(struct virtio_net *n, struct netdev *d)
{
    struct netdev_seg part[MAX_PARTS];
    unsigned nr, took = 0;
    while (took < NR_POLLED && (nr = next_frame(n, part)) > 0) {
        receive(n, d, part, nr);
        if (++took % NR_TOLD == 0)
            tell(n, &n->rx);
    }
    if (took == NR_POLLED)
        netdev_interrupt(); /* as if it had come just now: the queue's own interrupts are still off */
    if (took % NR_TOLD)
        tell(n, &n->rx);
}

static void net_poll(void *driver, struct netdev *d)
{
    struct virtio_net *n = driver;
    if (atomic_swap(&n->link_changed, false))
        netdev_set_link(d, has_link(n));
    for (unsigned i = 0; i < n->nr; i++)
        if (!atomic_load(&n[i].is_armed) || virtq_has_used(&n[i].rx))
            poll_pair(&n[i], d);
}

/* --- sending ------------------------------------------------------------------------------------------- */

static struct tx_buffer **free_list(struct virtio_net *n, const struct tx_buffer *b)
{
    return b->size > BUF_SIZE ? &n->tx_free_large : &n->tx_free;
}

static void put_tx(struct virtio_net *n, struct tx_buffer *b)
{
    struct tx_buffer **list = free_list(n, b);
    b->next = *list;
    *list = b;
}

/* When all are under way, an interrupt tells of the next one. */
static void take_back_sent(struct virtio_net *n)
{
    struct tx_buffer *b;
    bool irqs = spin_lock_irq(&n->lock);
    do {
        while ((b = virtq_take(&n->tx, NULL)))
            put_tx(n, b);
    } while (!n->tx_free && virtq_enable_irq(&n->tx));
    spin_unlock_irq(&n->lock, irqs);
}

/* 16 bits that are the same for all packets of a connection, from their ports; 0: it has none, or they are not with the
 * head.  Multiplied, as those that Linux gives to clients are all even. */
static unsigned flow_of(struct netdev_seg head)
{
    const uint8_t *f = head.p;
    bool is_v6 = f[12] == 0x86;
    unsigned at = is_v6 ? 54 : 34;
    uint32_t ports;
    if (at + sizeof(ports) > head.len)
        return 0;
    uint8_t protocol = f[is_v6 ? 20 : 23];
    bool is_fragment = !is_v6 && ((f[20] & 0x3f) | f[21]);
    if (is_fragment || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
        return 0;
    memcpy(&ports, f + at, sizeof(ports));
    return ports * 0x9e3779b1u >> 16;
}

static void *net_begin(void *driver, struct netdev_seg head, size_t len, bool is_large,
                       size_t *room)
{
    struct virtio_net *n = driver;
    if (n->nr_chosen > 1)
        n = n->sender = n + (flow_of(head) * n->nr_chosen >> 16);
    take_back_sent(n);
    struct tx_buffer **list = is_large && n->tx_free_large ? &n->tx_free_large : &n->tx_free;
    struct tx_buffer *b = *list;
    if (!b || len > b->size - n->header)
        return NULL;
    *list = b->next;
    n->tx_current = b;
    *room = b->size - n->header;
    return b->data + n->header;
}

static void net_send(void *driver, size_t len, const struct netdev_offload *o)
{
    struct virtio_net *n = ((struct virtio_net *)driver)->sender;
    struct tx_buffer *b = n->tx_current;
    struct virtio_net_hdr *h = (void *)b->data;
    memset(b->data, 0, n->header);
    if (o->csum_start) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = o->csum_start;
        h->csum_offset = o->csum_offset;
    }
    if (o->gso_size) {
        h->gso_type = o->is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
        h->gso_size = o->gso_size;
        h->hdr_len = o->headers;
    }
    struct virtq_buf buf = {b->data, (uint32_t)(n->header + len)};
    bool irqs = spin_lock_irq(&n->lock);
    int ret = virtq_add(&n->tx, &buf, 1, 0, b);
    spin_unlock_irq(&n->lock, irqs);
    if (ret < 0)
        put_tx(n, b); /* a queue shorter than our buffers: lost */
}

static void net_ring(void *driver)
{
    struct virtio_net *n = driver;
    for (unsigned i = 0; i < n->nr_chosen; i++)
        tell(&n[i], &n[i].tx);
}

/* --- starting ------------------------------------------------------------------------------------------ */

/* Memory for a buffer: the other half of the page that begins at `last`, or 2^order pages.  NULL: none. */
static char *next_buffer(char *last, unsigned order)
{
    if (last && (uintptr_t)last % PAGE_SIZE == 0)
        return last + BUF_SIZE;
    struct page *p = page_alloc(order, 0);
    return p ? page_ptr(p) : NULL;
}

/* Large ones are as many as there is memory for. */
static bool make_tx_buffers(struct virtio_net *n, bool has_large)
{
    char *buf = NULL;
    for (unsigned i = 0; i < NR_TX + (has_large ? NR_TX_LARGE : 0); i++) {
        bool is_large = i >= NR_TX;
        buf = next_buffer(is_large ? NULL : buf, is_large ? LARGE_ORDER : 0);
        if (!buf)
            return is_large;
        n->buffers[i].data = buf;
        n->buffers[i].size = is_large ? PAGE_SIZE << LARGE_ORDER : BUF_SIZE;
        put_tx(n, &n->buffers[i]);
    }
    return true;
}

static bool offer_all(struct virtio_net *n)
{
    while (n->rx.nr_free > 0) {
        void *buf = new_buffer(n);
        if (!buf)
            return false;
        offer(n, buf);
    }
    return true;
}

static unsigned features_of(const struct virtio_device *d)
{
    enum { SHIFT = VIRTIO_NET_F_HOST_TSO4 - 1 };
    _Static_assert(NETDEV_CSUM == BIT(VIRTIO_NET_F_CSUM) &&
                       NETDEV_TSO4 << SHIFT == 1 << VIRTIO_NET_F_HOST_TSO4 &&
                       NETDEV_TSO6 << SHIFT == 1 << VIRTIO_NET_F_HOST_TSO6,
                   "bits in the same order");
    return (d->features & NETDEV_CSUM) | (d->features >> SHIFT & (NETDEV_TSO4 | NETDEV_TSO6));
}

/* Once more without what a feature alone is no use for: long frames are spread over buffers and not checked. */
static int agree(struct virtio_device *d)
{
    uint64_t wanted = BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) |
                      BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_CSUM) |
                      BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_CTRL_VQ) |
                      BIT(VIRTIO_NET_F_MQ) | TSO | LONG_FRAMES;
    int ret = virtio_begin(d, wanted);
    uint64_t useless = virtio_has(d, VIRTIO_NET_F_CSUM) ? 0 : TSO;
    if (!virtio_has(d, VIRTIO_NET_F_MRG_RXBUF) || !virtio_has(d, VIRTIO_NET_F_GUEST_CSUM))
        useless |= LONG_FRAMES;
    return ret == 0 && (d->features & useless) ? virtio_begin(d, wanted & ~useless) : ret;
}

/* Pairs that the device has. */
static unsigned count_pairs(struct virtio_device *d)
{
    uint16_t max = 1;
    if (virtio_has(d, VIRTIO_NET_F_CTRL_VQ) && virtio_has(d, VIRTIO_NET_F_MQ))
        virtio_config(d, offsetof(struct virtio_net_config, max_virtqueue_pairs), &max,
                      sizeof(max));
    return max;
}

static int start_pair(struct virtio_net *n, struct virtio_device *d, unsigned index)
{
    bool is_merged = virtio_has(d, VIRTIO_NET_F_MRG_RXBUF);
    bool is_long = is_merged && (d->features & LONG_FRAMES);
    n->device = d;
    spin_init(&n->lock, RANK_DRIVER);
    n->rx_size = (is_long ? PAGE_SIZE : BUF_SIZE) - NETDEV_HEADROOM;
    n->header = is_merged || virtio_has(d, VIRTIO_F_VERSION_1) ? HDR_MERGED : HDR_LEGACY;
    d->irq_cpu = index;
    int ret = virtq_start(&n->rx, d, 2 * index, is_long ? NR_RX_PAGES : NR_RX, on_used, n);
    if (ret == 0)
        ret = virtq_start(&n->tx, d, 2 * index + 1, TX_SLOTS, on_used, n);
    if (ret == 0 && (!make_tx_buffers(n, d->features & TSO) || !offer_all(n)))
        ret = -ENOMEM;
    return ret;
}

/* The device is to use all pairs.  One that does so later than it is waited for has them polled, too. */
static bool choose_pairs(struct virtio_net *n)
{
    const struct virtq_buf bufs[] = {{&n->command.head, sizeof(n->command.head)},
                                     {&n->command.pairs, sizeof(n->command.pairs)},
                                     {&n->command.ack, sizeof(n->command.ack)}};
    uint64_t until = arch_clock_ns() + COMMAND_NS;
    n->command.head =
        (struct virtio_net_ctrl_hdr){VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET};
    n->command.pairs.virtqueue_pairs = (uint16_t)n->nr;
    n->command.ack = VIRTIO_NET_ERR;
    (void)!virtq_add(&n->control, bufs, 2, 1, n); /* without room there is no answer */
    virtq_ring(&n->control);
    while (!virtq_take(&n->control, NULL) && arch_clock_ns() < until)
        arch_relax();
    return n->command.ack == VIRTIO_NET_OK;
}

static int start(struct virtio_net *n, struct virtio_device *d, unsigned max, unsigned wanted)
{
    static const struct netdev_ops ops = {net_begin, net_send, NULL, net_ring, net_poll};
    uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    int ret = start_pair(n, d, 0);
    if (ret)
        return ret;
    n->sender = n;
    n->nr = n->nr_chosen = 1;
    if (wanted > 1 && virtq_start(&n->control, d, 2 * max, 4, NULL, n) == 0)
        while (n->nr < wanted && start_pair(&n[n->nr], d, n->nr) == 0)
            n->nr++;
    d->driver = n;
    d->config_changed = config_changed;
    virtio_ready(d);
    for (unsigned i = 0; i < n->nr; i++)
        virtq_ring(&n[i].rx);
    if (n->nr > 1 && choose_pairs(n))
        n->nr_chosen = n->nr;
    if (n->nr_chosen < wanted)
        log_warn("virtio-net: %u of %u queue pairs", n->nr_chosen, wanted);
    if (virtio_has(d, VIRTIO_NET_F_MAC))
        virtio_config(d, 0, mac, sizeof(mac));
    /* From here on the net thread polls. */
    if (!netdev_add(&ops, n, mac, MTU, features_of(d), has_link(n)))
        return -ENOMEM;
    netdev_interrupt(); /* the first poll asks for interrupts */
    return 0;
}

static int net_probe(struct virtio_device *d)
{
    int ret = agree(d);
    if (ret < 0)
        return ret;
    unsigned max = count_pairs(d), cpus = arch_cpu_count();
    unsigned fit = (unsigned)(page_count_free() / PAIR_PAGES);
    unsigned nr = MIN(MIN(max, cpus), MIN(fit, MAX_PAIRS)) ?: 1;
    struct virtio_net *n = heap_zalloc(nr * sizeof(*n));
    ret = n ? start(n, d, max, nr) : -ENOMEM;
    if (ret < 0)
        virtio_fail(d); /* its queues stay where they are */
    return ret;
}

void virtio_net_find(void)
{
    static const struct virtio_driver driver = {VIRTIO_ID_NET, net_probe};
    virtio_add_driver(&driver);
}
