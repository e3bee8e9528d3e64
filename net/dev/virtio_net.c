/* The virtio network device, over any transport: one pair of queues, a buffer for each frame.
 *
 * The receive interrupt only wakes the net thread and stays off until that has found the queue empty.  Frames that are
 * sent are copied into a buffer of ours, so that lwIP may free or send its own again at once; buffers come back
 * when the next frame looks for one. */
#include <base/errno.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/lock.h>
#include <core/page.h>
#include <dev/virtio.h>
#include <linux/virtio_net.h>
#include <net/netdev.h>
#include <netdrivers/drivers.h>

#define NR_RX      32
#define NR_TX      32
#define NR_POLLED  64   /* frames of one poll, after which others have their turn */
#define BUF_SIZE   2048 /* a frame with its header: two in a page */
#define HDR_MODERN sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define HDR_LEGACY sizeof(struct virtio_net_hdr)
#define MTU        1500

struct virtio_net {
    struct virtio_device *device;
    size_t header; /* bytes before each frame */
    struct virtq rx, tx;
    struct spinlock lock; /* RANK_DRIVER, interrupts off - guards both queues */
    /* under the net lock */
    void *tx_free[NR_TX];
    unsigned nr_tx_free;
    bool is_set_up;
    bool link_changed; /* atomic */
};

static void on_receive(struct virtq *q)
{
    virtq_disable_irq(q);
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

/* Give a buffer to the device; the lock is held. */
static void offer(struct virtio_net *n, void *buf)
{
    if (virtq_add(&n->rx, &(struct virtq_buf){buf, BUF_SIZE}, 0, 1, buf) < 0)
        panic("virtio-net: a receive buffer does not fit its queue");
}

/* The next frame's buffer; NULL: none, and an interrupt will tell of more. */
static void *next_frame(struct virtio_net *n, uint32_t *len)
{
    bool irqs = spin_lock_irq(&n->lock);
    void *buf = virtq_take(&n->rx, len);
    while (!buf && virtq_enable_irq(&n->rx)) {
        virtq_disable_irq(&n->rx);
        buf = virtq_take(&n->rx, len);
    }
    spin_unlock_irq(&n->lock, irqs);
    return buf;
}

static void net_poll(void *driver, struct netdev *d)
{
    struct virtio_net *n = driver;
    uint32_t len;
    void *buf;
    unsigned took = 0;
    if (atomic_swap(&n->link_changed, false))
        netdev_set_link(d, has_link(n));
    while (took < NR_POLLED && (buf = next_frame(n, &len))) {
        if (len > n->header)
            netdev_receive(d, (char *)buf + n->header, len - n->header);
        bool irqs = spin_lock_irq(&n->lock);
        offer(n, buf);
        spin_unlock_irq(&n->lock, irqs);
        took++;
    }
    if (took == NR_POLLED)
        netdev_interrupt(); /* as if it had come just now: the queue's own interrupts are still off */
    if (!took)
        return;
    bool irqs = spin_lock_irq(&n->lock);
    bool rings = virtq_needs_ring(&n->rx);
    spin_unlock_irq(&n->lock, irqs);
    if (rings)
        virtq_ring(&n->rx);
}

/* A buffer to send from; NULL: all are under way. */
static void *take_tx(struct virtio_net *n)
{
    uint32_t written;
    void *buf;
    bool irqs = spin_lock_irq(&n->lock);
    while ((buf = virtq_take(&n->tx, &written)))
        n->tx_free[n->nr_tx_free++] = buf;
    spin_unlock_irq(&n->lock, irqs);
    return n->nr_tx_free > 0 ? n->tx_free[--n->nr_tx_free] : NULL;
}

static bool net_transmit(void *driver, const struct netdev_seg *seg, unsigned nr, size_t len)
{
    struct virtio_net *n = driver;
    if (n->header + len > BUF_SIZE)
        return false;
    char *buf = take_tx(n);
    if (!buf)
        return false;
    memset(buf, 0, n->header);
    char *to = buf + n->header;
    for (unsigned i = 0; i < nr; i++) {
        memcpy(to, seg[i].p, seg[i].len);
        to += seg[i].len;
    }
    struct virtq_buf b = {buf, (uint32_t)(n->header + len)};
    bool irqs = spin_lock_irq(&n->lock);
    int ret = virtq_add(&n->tx, &b, 1, 0, buf);
    bool rings = ret == 0 && virtq_needs_ring(&n->tx);
    spin_unlock_irq(&n->lock, irqs);
    if (ret < 0)
        n->tx_free[n->nr_tx_free++] = buf;
    else if (rings)
        virtq_ring(&n->tx);
    return ret == 0;
}

/* Two buffers to a page, `nr` in all; false: no memory. */
static bool make_buffers(void **buf, unsigned nr)
{
    for (unsigned i = 0; i < nr; i += 2) {
        struct page *p = page_alloc(0, 0);
        if (!p)
            return false;
        buf[i] = page_ptr(p);
        buf[i + 1] = (char *)page_ptr(p) + BUF_SIZE;
    }
    return true;
}

static int start(struct virtio_net *n)
{
    static const struct netdev_ops ops = {net_transmit, net_poll};
    struct virtio_device *d = n->device;
    void *rx[NR_RX];
    uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    int ret = virtio_begin(d, 1ull << VIRTIO_NET_F_MAC | 1ull << VIRTIO_NET_F_STATUS);
    if (ret == 0)
        ret = virtq_start(&n->rx, d, 0, NR_RX, on_receive, n);
    if (ret == 0)
        ret = virtq_start(&n->tx, d, 1, NR_TX, NULL, n);
    if (ret == 0 && (!make_buffers(rx, NR_RX) || !make_buffers(n->tx_free, NR_TX)))
        ret = -ENOMEM;
    if (ret)
        return ret;
    n->header = virtio_has(d, VIRTIO_F_VERSION_1) ? HDR_MODERN : HDR_LEGACY;
    n->nr_tx_free = NR_TX;
    d->driver = n;
    d->config_changed = config_changed;
    for (unsigned i = 0; i < NR_RX; i++)
        offer(n, rx[i]);
    virtio_ready(d);
    virtq_ring(&n->rx);
    if (virtio_has(d, VIRTIO_NET_F_MAC))
        virtio_config(d, 0, mac, sizeof(mac));
    /* From here on the net thread polls. */
    if (!netdev_add(&ops, n, mac, MTU, has_link(n)))
        return -ENOMEM;
    netdev_interrupt(); /* the first poll asks for interrupts */
    return 0;
}

static int net_probe(struct virtio_device *d)
{
    struct virtio_net *n = heap_zalloc(sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->device = d;
    spin_init(&n->lock, RANK_DRIVER);
    int ret = start(n);
    if (ret < 0)
        virtio_fail(d); /* its queues stay where they are */
    return ret;
}

void netdrivers_init(void)
{
    static const struct virtio_driver driver = {VIRTIO_ID_NET, net_probe};
    virtio_add_driver(&driver);
}
