/* The virtio console device: which ports there are, what they are called, whether the host has them
 * open.
 *
 * With the multiport feature all of that is messages on two control queues.  A port's own queues
 * are started when it is opened, which may be after the device was made ready: a console has queues
 * for 31 ports by default, most of which are never used. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/page.h>
#include <linux/virtio_console.h>

#include "virtio_console.h"
#include "virtio_internal.h"

enum {
    CONTROL_RX = 2, /* queue numbers; the ports' are around them */
    CONTROL_TX = 3,
    CONTROL_QUEUE_SIZE = 32,
    CONTROL_MESSAGE_SIZE = PAGE_SIZE / CONTROL_QUEUE_SIZE,
};
/* Only a broken host lets it pass: on a busy one any step may take a second. */
#define SETTLE_TIMEOUT_NS 10000000000ul

struct console {
    struct console *next;
    struct virtio_device *device;
    bool is_multiport;
    struct list ports; /* only ever added to; read without the lock */

    struct spinlock lock; /* RANK_DRIVER, interrupts off - guards the rest: */
    struct virtq rx, tx;  /* control */
    bool is_draining, drain_again;
    uint8_t *tx_free[CONTROL_QUEUE_SIZE];
    unsigned nr_tx_free;
};

static struct console *consoles; /* added to at boot only */

/* --- sending control messages ------------------------------------------------------------- */

static void reclaim_locked(struct console *c)
{
    void *done;
    while ((done = virtq_take(&c->tx, NULL)) != NULL)
        c->tx_free[c->nr_tx_free++] = done;
}

static void console_send(struct console *c, uint32_t port, uint16_t event, uint16_t value)
{
    bool irqs = spin_lock_irq(&c->lock);
    reclaim_locked(c);
    bool is_sent = false, must_ring = false;
    if (c->nr_tx_free > 0) {
        struct virtio_console_control *m = (void *)c->tx_free[--c->nr_tx_free];
        *m = (struct virtio_console_control){.id = port, .event = event, .value = value};
        is_sent = virtq_add(&c->tx, &(struct virtq_buf){m, sizeof(*m)}, 1, 0, m) == 0;
        must_ring = virtq_needs_ring(&c->tx);
    }
    spin_unlock_irq(&c->lock, irqs);
    if (must_ring)
        virtq_ring(&c->tx);
    if (!is_sent)
        log_error("console: the host does not read control messages");
}

void console_send_open(struct port *p)
{
    if (p->console->is_multiport)
        console_send(p->console, p->id, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

/* --- ports -------------------------------------------------------------------------------- */

static struct port *port_by_id(struct console *c, uint32_t id)
{
    struct port *p;
    list_for_each(p, &c->ports, node)
        if (p->id == id)
            return p;
    return NULL;
}

static struct port *port_add(struct console *c, uint32_t id)
{
    struct port *p = heap_zalloc(sizeof(*p));
    if (!p) {
        log_error("console: no memory for a port");
        return NULL;
    }
    port_init(p, c, id);
    list_push_back(&c->ports, &p->node);
    return p;
}

/* Port 0 has the first two queues, the others come behind the control queues. */
int console_start_queues(struct port *p, void (*rx)(struct virtq *q), void (*tx)(struct virtq *q))
{
    unsigned base = p->id == 0 ? 0 : 2 + 2 * p->id;
    int err = virtq_start(&p->rx, p->console->device, base, PORT_RX_BUFFERS, rx, p);
    if (err)
        return err;
    return virtq_start(&p->tx, p->console->device, base + 1, PORT_TX_BUFFERS, tx, p);
}

void console_visit(void (*visit)(void *arg, struct port *p), void *arg)
{
    for (struct console *c = consoles; c; c = c->next) {
        struct port *p;
        list_for_each(p, &c->ports, node)
            visit(arg, p);
    }
}

/* --- receiving control messages ----------------------------------------------------------- */

struct resize {
    uint16_t columns, rows; /* in QEMU's order, which is not the specification's */
};

static void handle_message(struct console *c, const uint8_t *bytes, size_t n)
{
    struct virtio_console_control m;
    if (n < sizeof(m))
        return;
    memcpy(&m, bytes, sizeof(m));
    bytes += sizeof(m);
    n -= sizeof(m);
    struct port *p = port_by_id(c, m.id);
    if (m.event == VIRTIO_CONSOLE_PORT_ADD && !p) {
        if (port_add(c, m.id))
            console_send(c, m.id, VIRTIO_CONSOLE_PORT_READY, 1);
        return;
    }
    if (!p)
        return;
    struct resize size;
    switch (m.event) {
    case VIRTIO_CONSOLE_PORT_NAME:
        n = MIN(n, sizeof(p->name) - 1);
        memcpy(p->name, bytes, n);
        p->name[n] = '\0';
        break;
    case VIRTIO_CONSOLE_CONSOLE_PORT:
        p->is_console = true;
        break;
    case VIRTIO_CONSOLE_PORT_OPEN:
        port_host_changed(p, m.value != 0);
        break;
    case VIRTIO_CONSOLE_PORT_REMOVE:
        port_host_changed(p, false);
        break;
    case VIRTIO_CONSOLE_RESIZE:
        if (n < sizeof(size))
            break;
        memcpy(&size, bytes, sizeof(size));
        port_host_resized(p, size.rows, size.columns);
        break;
    }
}

/* The next message into `copy`, its buffer back to the host; false when there is none. */
static bool next_message_locked(struct console *c, uint8_t copy[CONTROL_MESSAGE_SIZE], uint32_t *n)
{
    uint8_t *buffer = virtq_take(&c->rx, n);
    if (!buffer)
        return false;
    *n = MIN(*n, CONTROL_MESSAGE_SIZE);
    memcpy(copy, buffer, *n);
    int err = virtq_add(&c->rx, &(struct virtq_buf){buffer, CONTROL_MESSAGE_SIZE}, 0, 1, buffer);
    assert(!err);
    (void)err;
    return true;
}

/* Messages are handled in their order, by one CPU at a time, without the lock: whoever comes
 * meanwhile leaves the work to the one who is at it. */
static void drain(struct console *c)
{
    uint8_t copy[CONTROL_MESSAGE_SIZE];
    uint32_t n;
    bool irqs = spin_lock_irq(&c->lock);
    c->drain_again = true;
    while (!c->is_draining && c->drain_again) {
        c->is_draining = true;
        c->drain_again = false;
        while (next_message_locked(c, copy, &n)) {
            bool must_ring = virtq_needs_ring(&c->rx);
            spin_unlock_irq(&c->lock, irqs);
            if (must_ring)
                virtq_ring(&c->rx);
            handle_message(c, copy, n);
            irqs = spin_lock_irq(&c->lock);
        }
        c->is_draining = false;
        c->drain_again |= virtq_enable_irq(&c->rx);
    }
    spin_unlock_irq(&c->lock, irqs);
}

static void control_irq(struct virtq *q)
{
    drain(q->arg);
}

/* Until the host has read what we said and we have read its answers, which it has written by then:
 * QEMU answers before the message counts as read.  Under emulation that is at once. */
static void settle(struct console *c)
{
    uint64_t give_up = arch_clock_ns() + SETTLE_TIMEOUT_NS;
    bool is_quiet = false, is_late = false;
    while (!is_quiet && !is_late) {
        is_late = arch_clock_ns() >=
                  give_up; /* read first: whoever took our CPU away costs us no attempt */
        bool irqs = spin_lock_irq(&c->lock);
        reclaim_locked(c);
        is_quiet = c->nr_tx_free == c->tx.ring.num;
        spin_unlock_irq(&c->lock, irqs);
        drain(c);
        irqs = spin_lock_irq(&c->lock);
        is_quiet &= c->nr_tx_free == c->tx.ring.num; /* nothing sent in answer */
        spin_unlock_irq(&c->lock, irqs);
    }
    if (!is_quiet)
        log_warn("console: the host does not answer");
}

/* --- boot --------------------------------------------------------------------------------- */

static int start_control(struct console *c)
{
    int err = virtq_start(&c->rx, c->device, CONTROL_RX, CONTROL_QUEUE_SIZE, control_irq, c);
    if (!err)
        err = virtq_start(&c->tx, c->device, CONTROL_TX, CONTROL_QUEUE_SIZE, NULL, c);
    if (err)
        return err;
    struct page *rx = page_alloc(0, 0), *tx = page_alloc(0, 0);
    if (!rx || !tx)
        return -ENOMEM;
    for (unsigned i = 0; i < c->rx.ring.num; i++) {
        uint8_t *buffer = (uint8_t *)page_ptr(rx) + i * CONTROL_MESSAGE_SIZE;
        err = virtq_add(&c->rx, &(struct virtq_buf){buffer, CONTROL_MESSAGE_SIZE}, 0, 1, buffer);
        assert(!err);
    }
    for (unsigned i = 0; i < c->tx.ring.num; i++)
        c->tx_free[c->nr_tx_free++] = (uint8_t *)page_ptr(tx) + i * CONTROL_MESSAGE_SIZE;
    return 0;
}

static int console_probe(struct virtio_device *d)
{
    struct console *c = heap_zalloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->device = d;
    list_init(&c->ports);
    spin_init(&c->lock, RANK_DRIVER);
    int err = virtio_begin(d, 1ull << VIRTIO_CONSOLE_F_MULTIPORT);
    if (err)
        goto fail;
    c->is_multiport = virtio_has(d, VIRTIO_CONSOLE_F_MULTIPORT);
    if (c->is_multiport)
        err = start_control(c);
    if (err)
        goto fail_device;
    virtio_ready(d);
    c->next = consoles;
    consoles = c;
    if (c->is_multiport) {
        virtq_ring(&c->rx);
        console_send(c, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
        settle(c);
    } else {
        struct port *p = port_add(c, 0);
        if (p)
            p->is_console = p->host_is_open = true;
    }
    return 0;

fail_device: /* its queues stay: the device may still look at them */
    virtio_fail(d);
    return err;
fail:
    heap_free(c);
    return err;
}

const struct virtio_driver virtio_console_driver = {VIRTIO_ID_CONSOLE, console_probe};
