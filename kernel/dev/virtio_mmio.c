/* Virtio over memory-mapped registers: the current layout (version 2) and QEMU's default, the old
 * one. */
#include <arch/arch.h>
#include <arch/devices.h>
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/virtio_mmio.h>

#include "virtio_internal.h"

#define MMIO_MAGIC 0x74726976 /* "virt" */
#define MMIO_SIZE  0x200

struct mmio_device {
    struct virtio_device virtio; /* first */
    volatile uint8_t *registers;
};

static uint32_t mmio_read(struct virtio_device *d, unsigned reg)
{
    return *(volatile uint32_t *)(((struct mmio_device *)d)->registers + reg);
}

static void mmio_write(struct virtio_device *d, unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(((struct mmio_device *)d)->registers + reg) = value;
}

static void write64(struct virtio_device *d, unsigned low, unsigned high, const volatile void *p)
{
    uint64_t pa = direct_paddr((const void *)p).pa;
    mmio_write(d, low, pa);
    mmio_write(d, high, pa >> 32);
}

static uint64_t mmio_offered(struct virtio_device *d)
{
    mmio_write(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    uint64_t high = d->transport->is_modern ? mmio_read(d, VIRTIO_MMIO_DEVICE_FEATURES) : 0;
    mmio_write(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
    return high << 32 | mmio_read(d, VIRTIO_MMIO_DEVICE_FEATURES);
}

static void mmio_accept(struct virtio_device *d, uint64_t features)
{
    mmio_write(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
    mmio_write(d, VIRTIO_MMIO_DRIVER_FEATURES, features);
    if (d->transport->is_modern) {
        mmio_write(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
        mmio_write(d, VIRTIO_MMIO_DRIVER_FEATURES, features >> 32);
    } else {
        mmio_write(d, VIRTIO_MMIO_GUEST_PAGE_SIZE, PAGE_SIZE);
    }
}

static uint8_t mmio_status(struct virtio_device *d)
{
    return mmio_read(d, VIRTIO_MMIO_STATUS);
}

static void mmio_set_status(struct virtio_device *d, uint8_t status)
{
    mmio_write(d, VIRTIO_MMIO_STATUS, status);
}

static void mmio_config(struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
    volatile uint8_t *from = ((struct mmio_device *)d)->registers + VIRTIO_MMIO_CONFIG + offset;
    uint8_t *to = buf;
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static unsigned mmio_queue_size(struct virtio_device *d, unsigned index)
{
    mmio_write(d, VIRTIO_MMIO_QUEUE_SEL, index);
    return mmio_read(d, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

static int mmio_queue_start(struct virtio_device *d, struct virtq *q)
{
    mmio_write(d, VIRTIO_MMIO_QUEUE_SEL, q->index);
    mmio_write(d, VIRTIO_MMIO_QUEUE_NUM, q->ring.num);
    if (d->transport->is_modern) {
        write64(d, VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_DESC_HIGH, q->ring.desc);
        write64(d, VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_MMIO_QUEUE_AVAIL_HIGH, q->ring.avail);
        write64(d, VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_MMIO_QUEUE_USED_HIGH, q->ring.used);
        mmio_write(d, VIRTIO_MMIO_QUEUE_READY, 1);
        return 0;
    }
    uint64_t frame = direct_paddr(q->ring.desc).pa / PAGE_SIZE;
    if (frame > UINT32_MAX)
        return -ENOMEM;
    mmio_write(d, VIRTIO_MMIO_QUEUE_ALIGN, VIRTQ_ALIGN);
    mmio_write(d, VIRTIO_MMIO_QUEUE_PFN, frame);
    return 0;
}

static void mmio_ring(struct virtq *q)
{
    mmio_write(q->device, VIRTIO_MMIO_QUEUE_NOTIFY, q->index);
}

static void mmio_irq(void *arg)
{
    struct virtio_device *d = arg;
    uint32_t why = mmio_read(d, VIRTIO_MMIO_INTERRUPT_STATUS);
    if (!why) /* another device on this line */
        return;
    mmio_write(d, VIRTIO_MMIO_INTERRUPT_ACK, why);
    if (why & VIRTIO_MMIO_INT_CONFIG && d->config_changed)
        d->config_changed(d);
    virtio_queues_irq(d);
}

#define MMIO_OPERATIONS                                                                  \
    .offered = mmio_offered, .accept = mmio_accept, .status = mmio_status,               \
    .set_status = mmio_set_status, .config = mmio_config, .queue_size = mmio_queue_size, \
    .queue_start = mmio_queue_start, .ring = mmio_ring
static const struct virtio_transport modern = {MMIO_OPERATIONS, .is_modern = true};
static const struct virtio_transport legacy = {MMIO_OPERATIONS, .is_modern = false};

/* What may be at `pa`; nothing, if there is no device. */
static void probe(struct paddr pa, unsigned irq)
{
    volatile uint8_t *registers = kmap_device(pa, MMIO_SIZE);
    struct mmio_device *m = registers ? heap_zalloc(sizeof(*m)) : NULL;
    if (!m)
        return;
    m->registers = registers;
    struct virtio_device *d = &m->virtio;
    uint32_t version = mmio_read(d, VIRTIO_MMIO_VERSION);
    d->type = mmio_read(d, VIRTIO_MMIO_DEVICE_ID);
    d->transport = version == 1 ? &legacy : &modern;
    if (mmio_read(d, VIRTIO_MMIO_MAGIC_VALUE) != MMIO_MAGIC || d->type == 0 || version < 1 ||
        version > 2) {
        heap_free(m);
        return;
    }
    virtio_add_device(d);
    if (arch_irq_line(irq, true, mmio_irq, d))
        log_error("virtio: no interrupt %u", irq);
}

/* SIZE@BASE:IRQ[:ID], as Linux. */
static void probe_token(const char *token)
{
    char *at, *colon;
    strtoull(token, &at, 0);
    if (*at == 'K' || *at == 'k')
        at++;
    uint64_t base = *at == '@' ? strtoull(at + 1, &colon, 0) : 0;
    if (!base || *colon != ':') {
        log_warn("virtio_mmio.device=%s is not SIZE@BASE:IRQ", token);
        return;
    }
    probe((struct paddr){base}, strtoul(colon + 1, NULL, 0));
}

void virtio_mmio_find(const char *const tokens[], unsigned nr)
{
    struct paddr pa;
    unsigned irq;
    for (unsigned i = 0; i < nr; i++)
        probe_token(tokens[i]);
    for (unsigned i = 0; nr == 0 && arch_virtio_mmio(i, &pa, &irq); i++)
        probe(pa, irq);
}
