/* Between virtio.c, virtq.c and the two transports. */
#pragma once

#include <dev/virtio.h>

/* Of the used ring in a queue's page; the old register layout wants to be told. */
#define VIRTQ_ALIGN 64

/* How a transport does what the specification asks for.  Thread context, except `ring`. */
struct virtio_transport {
    uint64_t (*offered)(struct virtio_device *d);
    void (*accept)(struct virtio_device *d, uint64_t features);
    uint8_t (*status)(struct virtio_device *d);
    void (*set_status)(struct virtio_device *d, uint8_t status); /* 0 resets and waits for it */
    void (*config)(struct virtio_device *d, unsigned offset, void *buf, size_t n);
    /* Largest size of a queue; 0: there is no such queue. */
    unsigned (*queue_size)(struct virtio_device *d, unsigned index);
    /* q->ring and q->index are set: let the device use it.  0 or -errno. */
    int (*queue_start)(struct virtio_device *d, struct virtq *q);
    void (*ring)(struct virtq *q); /* any context */
    bool is_modern;                /* knows VIRTIO_F_VERSION_1 */
};

/* virtio.c */
void virtio_add_device(struct virtio_device *d);
/* In interrupt context: call the queues that have no interrupt of their own. */
void virtio_queues_irq(struct virtio_device *d);
/* The same for one with its own: `arg` is the struct virtq. */
void virtio_queue_irq(void *arg);

/* virtio_pci.c, virtio_mmio.c */
void virtio_pci_find(void);
void virtio_mmio_find(const char *const tokens[], unsigned nr);

/* The drivers of this layer. */
extern const struct virtio_driver virtio_console_driver, virtio_rng_driver, virtio_9p_driver;
