/* Virtio over PCI, as of version 1.0: the registers are found through vendor capabilities. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/log.h>
#include <core/heap.h>
#include <dev/pci.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "virtio_internal.h"

enum {
    VIRTIO_VENDOR = 0x1af4,
    VIRTIO_FIRST_TRANSITIONAL = 0x1000, /* also has the old layout, which we never use */
    VIRTIO_FIRST_MODERN = 0x1040,
    VIRTIO_LAST_MODERN = 0x107f,
    SHARED_MESSAGE = 0, /* for the configuration and queues that got no message of their own */
};

struct vpci_device {
    struct virtio_device virtio; /* first */
    struct pci_device *pci;
    volatile struct virtio_pci_common_cfg *common;
    volatile uint8_t *notify, *isr, *config;
    uint32_t notify_multiplier;
    bool has_messages;
    unsigned next_message;
};

static struct vpci_device *vpci(struct virtio_device *d)
{
    return (struct vpci_device *)d;
}

static uint64_t vpci_offered(struct virtio_device *d)
{
    vpci(d)->common->device_feature_select = 0;
    uint64_t low = vpci(d)->common->device_feature;
    vpci(d)->common->device_feature_select = 1;
    return (uint64_t)vpci(d)->common->device_feature << 32 | low;
}

static void vpci_accept(struct virtio_device *d, uint64_t features)
{
    vpci(d)->common->guest_feature_select = 0;
    vpci(d)->common->guest_feature = features;
    vpci(d)->common->guest_feature_select = 1;
    vpci(d)->common->guest_feature = features >> 32;
}

static uint8_t vpci_status(struct virtio_device *d)
{
    return vpci(d)->common->device_status;
}

static void vpci_set_status(struct virtio_device *d, uint8_t status)
{
    vpci(d)->common->device_status = status;
    while (status == 0 && vpci(d)->common->device_status != 0)
        arch_relax();
    if (status == 0 && vpci(d)->has_messages) /* reset forgot it */
        vpci(d)->common->msix_config = SHARED_MESSAGE;
}

static void vpci_config(struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
    uint8_t *to = buf;
    for (size_t i = 0; i < n; i++)
        to[i] = vpci(d)->config ? vpci(d)->config[offset + i] : 0;
}

static unsigned vpci_queue_size(struct virtio_device *d, unsigned index)
{
    if (index >= vpci(d)->common->num_queues)
        return 0;
    vpci(d)->common->queue_select = index;
    return vpci(d)->common->queue_size;
}

static void write64(volatile uint32_t *low, const volatile void *p)
{
    uint64_t pa = direct_paddr((const void *)p).pa;
    low[0] = pa;
    low[1] = pa >> 32;
}

static int vpci_queue_start(struct virtio_device *d, struct virtq *q)
{
    struct vpci_device *v = vpci(d);
    volatile struct virtio_pci_common_cfg *c = v->common;
    unsigned message = SHARED_MESSAGE;
    if (v->has_messages && q->callback && v->next_message < v->pci->nr_msix &&
        pci_msix(v->pci, v->next_message, d->irq_cpu, virtio_queue_irq, q) == 0) {
        message = v->next_message++;
        q->has_own_irq = true;
    }
    c->queue_select = q->index;
    c->queue_size = q->ring.num;
    if (v->has_messages) {
        c->queue_msix_vector = message;
        if (c->queue_msix_vector != message)
            return -ENOSPC;
    }
    write64(&c->queue_desc_lo, q->ring.desc);
    write64(&c->queue_avail_lo, q->ring.avail);
    write64(&c->queue_used_lo, q->ring.used);
    q->notify = v->notify + c->queue_notify_off * v->notify_multiplier;
    c->queue_enable = 1;
    return 0;
}

static void vpci_ring(struct virtq *q)
{
    *(volatile uint16_t *)q->notify = q->index;
}

static const struct virtio_transport transport = {
    .offered = vpci_offered,
    .accept = vpci_accept,
    .status = vpci_status,
    .set_status = vpci_set_status,
    .config = vpci_config,
    .queue_size = vpci_queue_size,
    .queue_start = vpci_queue_start,
    .ring = vpci_ring,
    .is_modern = true,
};

/* --- interrupts --------------------------------------------------------------------------- */

/* A message cannot say whether it is for the configuration or a queue: look at everything. */
static void shared_message(void *arg)
{
    struct virtio_device *d = arg;
    if (d->config_changed)
        d->config_changed(d);
    virtio_queues_irq(d);
}

static void line_irq(void *arg)
{
    struct virtio_device *d = arg;
    uint8_t why = *vpci(d)->isr; /* reading lets go of the line */
    if (why & VIRTIO_PCI_ISR_CONFIG && d->config_changed)
        d->config_changed(d);
    if (why)
        virtio_queues_irq(d);
}

static int open_interrupts(struct vpci_device *v)
{
    if (v->pci->msix && pci_msix(v->pci, SHARED_MESSAGE, 0, shared_message, &v->virtio) == 0) {
        v->has_messages = true;
        v->next_message = SHARED_MESSAGE + 1;
        return 0;
    }
    return pci_irq(v->pci, line_irq, &v->virtio);
}

/* --- finding it --------------------------------------------------------------------------- */

/* The window that a capability describes; NULL: not there. */
static volatile void *map_window(struct pci_device *pci, unsigned capability)
{
    uint32_t offset = pci_read(pci, capability + VIRTIO_PCI_CAP_OFFSET, 4);
    uint32_t length = pci_read(pci, capability + VIRTIO_PCI_CAP_LENGTH, 4);
    if (length == 0)
        return NULL;
    return pci_map(pci, pci_read(pci, capability + VIRTIO_PCI_CAP_BAR, 1), offset, length);
}

/* Of several capabilities of one kind the first that can be used counts. */
static void read_capability(struct vpci_device *v, unsigned at)
{
    struct pci_device *pci = v->pci;
    uint8_t kind = pci_read(pci, at + VIRTIO_PCI_CAP_CFG_TYPE, 1);
    if (kind == VIRTIO_PCI_CAP_COMMON_CFG && !v->common) {
        v->common = map_window(pci, at);
    } else if (kind == VIRTIO_PCI_CAP_NOTIFY_CFG && !v->notify) {
        v->notify = map_window(pci, at);
        v->notify_multiplier = pci_read(pci, at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
    } else if (kind == VIRTIO_PCI_CAP_ISR_CFG && !v->isr) {
        v->isr = map_window(pci, at);
    } else if (kind == VIRTIO_PCI_CAP_DEVICE_CFG && !v->config) {
        v->config = map_window(pci, at);
    }
}

static uint32_t type_of(const struct pci_device *pci)
{
    if (pci->device >= VIRTIO_FIRST_MODERN)
        return pci->device - VIRTIO_FIRST_MODERN;
    return pci_read(pci, PCI_SUBSYSTEM_ID, 2);
}

static void probe(struct pci_device *pci)
{
    struct vpci_device *v = heap_zalloc(sizeof(*v));
    if (!v)
        return;
    v->pci = pci;
    v->virtio.transport = &transport;
    v->virtio.type = type_of(pci);
    pci_enable(pci);
    for (unsigned at = 0; (at = pci_find_capability(pci, PCI_CAP_ID_VNDR, at)) != 0;)
        read_capability(v, at);
    if (!v->common || !v->notify || !v->isr) {
        log_warn("virtio: a PCI device of type %u has no registers that we know", v->virtio.type);
        heap_free(v);
        return;
    }
    virtio_add_device(&v->virtio);
    if (open_interrupts(v))
        log_error("virtio: a PCI device of type %u has no interrupt", v->virtio.type);
}

void virtio_pci_find(void)
{
    for (struct pci_device *d = pci_next(NULL); d; d = pci_next(d))
        if (d->vendor == VIRTIO_VENDOR && d->device >= VIRTIO_FIRST_TRANSITIONAL &&
            d->device <= VIRTIO_LAST_MODERN)
            probe(d);
}
