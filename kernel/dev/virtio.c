/* The life of a virtio device: found by a transport, given to a driver, agreed on, ready. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/log.h>

#include "virtio_internal.h"

static struct list devices = LIST_INIT(devices);

/* What virtq.c makes use of whenever it is offered. */
#define QUEUE_FEATURES (1ull << VIRTIO_RING_F_EVENT_IDX)

void virtio_add_device(struct virtio_device *d)
{
    list_init(&d->queues);
    list_push_back(&devices, &d->node);
    log_debug("virtio: device of type %u", d->type);
}

void virtio_add_driver(const struct virtio_driver *driver)
{
    struct virtio_device *d;
    list_for_each(d, &devices, node) {
        if (d->is_taken || d->type != driver->type)
            continue;
        int err = driver->probe(d);
        if (err)
            log_error("virtio: device of type %u: error %d", d->type, -err);
        d->is_taken = err == 0;
    }
}

void virtio_init(const char *const mmio[], unsigned nr_mmio)
{
    virtio_pci_find();
    virtio_mmio_find(mmio, nr_mmio);
    virtio_add_driver(&virtio_console_driver);
    virtio_add_driver(&virtio_rng_driver);
    virtio_add_driver(&virtio_9p_driver);
}

static void add_status(struct virtio_device *d, uint8_t bits)
{
    d->transport->set_status(d, d->transport->status(d) | bits);
}

int virtio_begin(struct virtio_device *d, uint64_t wanted)
{
    d->transport->set_status(d, 0);
    add_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    add_status(d, VIRTIO_CONFIG_S_DRIVER);
    uint64_t offered = d->transport->offered(d);
    d->features = offered & (wanted | QUEUE_FEATURES);
    if (d->transport->is_modern) {
        if (!(offered & 1ull << VIRTIO_F_VERSION_1)) {
            virtio_fail(d);
            return -ENODEV;
        }
        d->features |= 1ull << VIRTIO_F_VERSION_1;
    }
    d->transport->accept(d, d->features);
    if (!d->transport->is_modern)
        return 0;
    add_status(d, VIRTIO_CONFIG_S_FEATURES_OK);
    if (d->transport->status(d) & VIRTIO_CONFIG_S_FEATURES_OK)
        return 0;
    virtio_fail(d);
    return -ENODEV;
}

void virtio_ready(struct virtio_device *d)
{
    add_status(d, VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_fail(struct virtio_device *d)
{
    add_status(d, VIRTIO_CONFIG_S_FAILED);
}

bool virtio_has(const struct virtio_device *d, unsigned feature)
{
    return d->features >> feature & 1;
}

void virtio_config(struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
    d->transport->config(d, offset, buf, n);
}

void virtio_queue_irq(void *arg)
{
    struct virtq *q = arg;
    if (q->callback && virtq_has_used(q))
        q->callback(q);
}

/* Queues are only ever put at the end of the list, each with one store, so that walking it needs no
 * lock. */
void virtio_queues_irq(struct virtio_device *d)
{
    struct virtq *q;
    list_for_each(q, &d->queues, node)
        if (!q->has_own_irq)
            virtio_queue_irq(q);
}
