/* Split virtqueues with event indices (virtio 1.1, section 2.6).
 *
 *     descriptors   a table of buffers; chains of them are requests, the free ones are a chain, too
 *     avail ring    we publish the first descriptor of each request
 *     used ring     the device publishes the ones it is done with
 *
 * All three lie in one page, which bounds a queue to 128 entries: enough for every driver here, and
 * a machine of a few MiB can afford it.  The rings are shared with the host: nothing read from them
 * is trusted further than to index our own arrays after masking. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/log.h>
#include <core/heap.h>
#include <core/page.h>

#include "virtio_internal.h"

#define VIRTQ_MAX_SIZE 128

/* Stores to the rings before the next load: whether the other side looked too early. */
static void full_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool has_event_idx(const struct virtq *q)
{
    return virtio_has(q->device, VIRTIO_RING_F_EVENT_IDX);
}

static short_inline uint16_t used_index(const struct virtq *q)
{
    return __atomic_load_n(&q->ring.used->idx, __ATOMIC_ACQUIRE);
}

int virtq_start(struct virtq *q, struct virtio_device *d, unsigned index, unsigned max_size,
                void (*callback)(struct virtq *q), void *arg)
{
    unsigned size = MIN(MIN(d->transport->queue_size(d, index), max_size), VIRTQ_MAX_SIZE);
    if (size == 0 || (size & (size - 1)) != 0)
        return -ENODEV;
    struct page *page = page_alloc(0, PG_ZERO);
    void **tokens = heap_zalloc(size * sizeof(*tokens));
    if (!page || !tokens)
        goto no_memory;

    *q = (struct virtq){.device = d,
                        .index = index,
                        .callback = callback,
                        .arg = arg,
                        .mask = size - 1,
                        .nr_free = size,
                        .tokens = tokens};
    vring_init(&q->ring, size, page_ptr(page), VIRTQ_ALIGN);
    _Static_assert(sizeof(struct vring_desc) * VIRTQ_MAX_SIZE + 2 * (3 + VIRTQ_MAX_SIZE) +
                           VIRTQ_ALIGN + 2 * 3 + sizeof(struct vring_used_elem) * VIRTQ_MAX_SIZE <=
                       PAGE_SIZE,
                   "a queue fits in a page");
    for (unsigned i = 0; i < size; i++)
        q->ring.desc[i].next = i + 1;
    virtq_disable_irq(q);
    int err = d->transport->queue_start(d, q);
    if (err) {
        page_put(page);
        heap_free(tokens);
        return err;
    }
    list_push_back(&d->queues, &q->node);
    return 0;

no_memory:
    if (page)
        page_put(page);
    heap_free(tokens);
    return -ENOMEM;
}

int virtq_add(struct virtq *q, const struct virtq_buf *bufs, unsigned nr_out, unsigned nr_in,
              void *token)
{
    unsigned nr = nr_out + nr_in;
    assert(nr > 0 && token);
    if (q->nr_free < nr)
        return -ENOSPC;
    uint16_t head = q->free_head, at = head;
    for (unsigned i = 0; i < nr; i++) {
        struct vring_desc *desc = &q->ring.desc[at];
        desc->addr = direct_paddr(bufs[i].p).pa;
        desc->len = bufs[i].len;
        desc->flags = (i >= nr_out ? VRING_DESC_F_WRITE : 0) | (i + 1 < nr ? VRING_DESC_F_NEXT : 0);
        at = desc->next & q->mask;
    }
    q->free_head = at;
    q->nr_free -= nr;
    q->tokens[head] = token;
    q->ring.avail->ring[q->avail++ & q->mask] = head;
    __atomic_store_n(&q->ring.avail->idx, q->avail, __ATOMIC_RELEASE);
    return 0;
}

bool virtq_needs_ring(struct virtq *q)
{
    uint16_t old = q->rung;
    if (old == q->avail)
        return false;
    q->rung = q->avail;
    full_barrier();
    if (has_event_idx(q))
        return vring_need_event(*(volatile uint16_t *)&vring_avail_event(&q->ring), q->avail, old);
    return !(*(volatile uint16_t *)&q->ring.used->flags & VRING_USED_F_NO_NOTIFY);
}

void virtq_ring(struct virtq *q)
{
    q->device->transport->ring(q);
}

bool virtq_has_used(const struct virtq *q)
{
    return used_index(q) != q->used;
}

/* The descriptors of a finished request back to the free chain. */
static void free_chain(struct virtq *q, uint16_t head)
{
    uint16_t last = head;
    unsigned nr = 1;
    while (q->ring.desc[last].flags & VRING_DESC_F_NEXT && nr <= q->mask) {
        last = q->ring.desc[last].next & q->mask;
        nr++;
    }
    q->ring.desc[last].next = q->free_head;
    q->free_head = head;
    q->nr_free += nr;
}

void *virtq_take(struct virtq *q, uint32_t *written)
{
    while (used_index(q) != q->used) {
        struct vring_used_elem elem = q->ring.used->ring[q->used++ & q->mask];
        uint16_t head = elem.id & q->mask;
        void *token = q->tokens[head];
        if (!token) {
            log_error("virtio: queue %u: the device gave back what it did not have", q->index);
            continue;
        }
        q->tokens[head] = NULL;
        free_chain(q, head);
        if (written)
            *written = elem.len;
        return token;
    }
    return NULL;
}

/* With event indices, `used_event` == the index we take next asks for one interrupt, at that one;
 * one behind it asks for none (until the index has gone all the way round, which then costs one
 * spurious interrupt). */
bool virtq_enable_irq(struct virtq *q)
{
    if (has_event_idx(q))
        vring_used_event(&q->ring) = q->used;
    else
        q->ring.avail->flags = 0;
    full_barrier();
    return virtq_has_used(q);
}

void virtq_disable_irq(struct virtq *q)
{
    if (has_event_idx(q))
        vring_used_event(&q->ring) = q->used - 1;
    else
        q->ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}
