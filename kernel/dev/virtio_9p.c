/* The virtio 9P transport: one queue of requests with their answers, for a shared folder's client (vfs/p9). */
#include <base/errno.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/lock.h>
#include <core/wait.h>
#include <dev/virtio.h>
#include <linux/virtio_9p.h>
#include <vfs/p9.h>

#include "virtio_internal.h"

#define QUEUE_SIZE 128

struct virtio_9p {
    struct p9_transport transport; /* first */
    struct virtq queue;
    struct spinlock lock; /* RANK_DRIVER, interrupts off - guards the queue */
    struct waitq answers, room;
};

/* One exchange, on the stack of whoever waits for it. */
struct exchange {
    const struct p9_buf *bufs;
    unsigned nr_out, nr_in;
    uint32_t received;
    int error;
    bool is_done; /* atomic, and the last word of whoever sets it */
};

static void answered(struct virtq *q)
{
    struct virtio_9p *v = q->arg;
    bool irqs = spin_lock_irq(&v->lock);
    do {
        struct exchange *e;
        uint32_t n;
        while ((e = virtq_take(q, &n))) {
            e->received = n;
            atomic_store(&e->is_done, true);
        }
    } while (virtq_enable_irq(q));
    spin_unlock_irq(&v->lock, irqs);
    waitq_wake_all(&v->answers);
    waitq_wake_all(&v->room);
}

/* Queue it, unless the queue is full: false. */
static bool submit(struct virtio_9p *v, struct exchange *e)
{
    _Static_assert(sizeof(struct p9_buf) == sizeof(struct virtq_buf), "passed on as they are");
    bool irqs = spin_lock_irq(&v->lock);
    e->error = virtq_add(&v->queue, (const struct virtq_buf *)e->bufs, e->nr_out, e->nr_in, e);
    bool rings = e->error == 0 && virtq_needs_ring(&v->queue);
    spin_unlock_irq(&v->lock, irqs);
    if (rings)
        virtq_ring(&v->queue);
    return e->error != -ENOSPC;
}

static ssize_t v9p_exchange(struct p9_transport *t, const struct p9_buf *bufs, unsigned nr_out,
                            unsigned nr_in)
{
    struct virtio_9p *v = (struct virtio_9p *)t;
    struct exchange e = {.bufs = bufs, .nr_out = nr_out, .nr_in = nr_in};
    (void)!WAIT_EVENT(&v->room, submit(v, &e), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
    if (e.error < 0)
        return e.error;
    (void)!WAIT_EVENT(&v->answers, atomic_load(&e.is_done), WAIT_UNINTERRUPTIBLE, TIME_NEVER);
    return e.received;
}

/* The folder's name: length[2] name. */
static char *read_tag(struct virtio_device *d)
{
    uint16_t len;
    virtio_config(d, 0, &len, sizeof(len));
    char *tag = heap_zalloc((size_t)len + 1);
    if (tag)
        virtio_config(d, offsetof(struct virtio_9p_config, tag), tag, len);
    return tag;
}

static int v9p_probe(struct virtio_device *d)
{
    struct virtio_9p *v = heap_zalloc(sizeof(*v));
    if (!v)
        return -ENOMEM;
    spin_init(&v->lock, RANK_DRIVER);
    waitq_init(&v->answers);
    waitq_init(&v->room);
    int ret = virtio_begin(d, 1ull << VIRTIO_9P_MOUNT_TAG);
    if (ret == 0)
        ret = virtq_start(&v->queue, d, 0, QUEUE_SIZE, answered, v);
    if (ret == 0) {
        v->transport.exchange = v9p_exchange;
        v->transport.tag = read_tag(d);
        ret = v->transport.tag ? 0 : -ENOMEM;
    }
    if (ret < 0) {
        virtio_fail(d); /* its queue stays where it is */
        return ret;
    }
    virtio_ready(d);
    virtq_enable_irq(&v->queue);
    p9_add_transport(&v->transport);
    return 0;
}

const struct virtio_driver virtio_9p_driver = {VIRTIO_ID_9P, v9p_probe};
