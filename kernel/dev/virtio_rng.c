/* The virtio entropy device: asked once, at boot, for a seed; the answer comes when the host has
 * it. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/random.h>
#include <dev/virtio.h>

#include "virtio_internal.h"

#define SEED_SIZE 64

struct rng {
    struct virtq queue;
    uint8_t seed[SEED_SIZE];
};

static void seed_arrived(struct virtq *q)
{
    struct rng *r = q->arg;
    uint32_t n;
    if (!virtq_take(q, &n))
        return;
    n = MIN(n, SEED_SIZE);
    random_add(r->seed, n, n * 8);
    memset(r->seed, 0, SEED_SIZE);
}

static int rng_probe(struct virtio_device *d)
{
    struct rng *r = heap_zalloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    int err = virtio_begin(d, 0);
    if (err)
        goto fail;
    err = virtq_start(&r->queue, d, 0, 1, seed_arrived, r);
    if (err)
        goto fail;
    virtio_ready(d);
    err = virtq_add(&r->queue, &(struct virtq_buf){r->seed, SEED_SIZE}, 0, 1, r);
    virtq_enable_irq(&r->queue);
    virtq_ring(&r->queue);
    return err;

fail:
    virtio_fail(d);
    heap_free(r);
    return err;
}

const struct virtio_driver virtio_rng_driver = {VIRTIO_ID_RNG, rng_probe};
