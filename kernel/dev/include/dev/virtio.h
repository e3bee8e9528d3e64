/* Virtio devices over PCI or memory-mapped registers, and their queues.
 *
 * A driver names the device type it knows and is given every such device; it agrees on features,
 * starts its queues and says that it is ready.  Queues have no lock of their own: the driver calls
 * everything on one queue under a lock of its own, with interrupts off if its callback takes that
 * lock, too. */
#pragma once

#include <base/list.h>
#include <base/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

struct virtio_device;
struct virtq;

struct virtio_driver {
    uint32_t type; /* VIRTIO_ID_* */
    /* Take the device into use: 0, or -errno, after which it is left alone.  Boot. */
    int (*probe)(struct virtio_device *d);
};

/* Find every device and hand it to the drivers of this layer (console, entropy).  `mmio` are the
 * values of the command line's virtio_mmio.device= tokens, "SIZE@BASE:IRQ".  Boot, once, after
 * pci_init. */
void virtio_init(const char *const mmio[], unsigned nr_mmio);
/* A driver of another layer: it is given the devices found so far that nobody took. */
void virtio_add_driver(const struct virtio_driver *driver);

/* --- for drivers -------------------------------------------------------------------------- */

struct virtio_transport; /* virtio_internal.h */

struct virtio_device {
    struct list node;
    uint32_t type;
    bool is_taken;
    const struct virtio_transport *transport;
    uint64_t features; /* agreed on */
    struct list queues;
    unsigned irq_cpu; /* where those that are started next interrupt, if they do so by themselves */
    /* Set by the driver before it is ready: the configuration has changed.  Interrupt context.
     * NULL: ignored. */
    void (*config_changed)(struct virtio_device *d);
    void *driver; /* the driver's own */
};

/* Reset the device and agree on those of `wanted` (bits, VIRTIO_F_*) that it offers, besides the
 * ones the queues know.  0 or -ENODEV. */
must_check int virtio_begin(struct virtio_device *d, uint64_t wanted);
/* The driver is set up: the device may work. */
void virtio_ready(struct virtio_device *d);
/* The driver gives up. */
void virtio_fail(struct virtio_device *d);
bool virtio_has(const struct virtio_device *d, unsigned feature);
/* `n` bytes of the device's configuration. */
void virtio_config(struct virtio_device *d, unsigned offset, void *buf, size_t n);

/* A queue.  The fields are virtq.c's. */
struct virtq {
    struct list node; /* in the device's queues */
    struct virtio_device *device;
    unsigned index;
    void (*callback)(struct virtq *q); /* interrupt context; NULL: the queue is polled */
    void *arg;                         /* the driver's own */
    bool has_own_irq;
    volatile void *notify; /* where the transport rings */

    struct vring ring;
    uint16_t mask;
    uint16_t free_head, nr_free; /* descriptors, linked by their next fields */
    uint16_t avail;              /* the next index we publish */
    uint16_t rung;               /* `avail` when the device was last told */
    uint16_t used;               /* the next index we take */
    void **tokens;               /* by first descriptor */
};

/* Kernel memory that the device reads or writes: in the direct map (heap, pages), not in the image
 * or a stack. */
struct virtq_buf {
    void *p;
    uint32_t len;
};

/* Start queue `index` with at most `max_size` entries (a power of two, up to 128); interrupts are
 * off until virtq_enable_irq.  0, -ENODEV or -ENOMEM. */
must_check int virtq_start(struct virtq *q, struct virtio_device *d, unsigned index,
                           unsigned max_size, void (*callback)(struct virtq *q), void *arg);
/* Queue one request: `nr_out` buffers that the device reads, then `nr_in` that it writes.  `token`
 * (not NULL) comes back from virtq_take.  0 or -ENOSPC. */
must_check int virtq_add(struct virtq *q, const struct virtq_buf *bufs, unsigned nr_out,
                         unsigned nr_in, void *token);
/* Must the device be told of what was added?  Then ring it: that may be done without the lock. */
bool virtq_needs_ring(struct virtq *q);
void virtq_ring(struct virtq *q);
/* A request that the device is done with, and how many bytes it wrote; NULL: none. */
void *virtq_take(struct virtq *q, uint32_t *written);
bool virtq_has_used(const struct virtq *q);
/* Ask for one interrupt, when the device is done with something.  True: something is done already,
 * and there may be no interrupt for it.  So a callback takes until there is nothing and then calls
 * this, until it answers false. */
bool virtq_enable_irq(struct virtq *q);
void virtq_disable_irq(struct virtq *q);
