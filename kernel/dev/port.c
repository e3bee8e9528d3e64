/* The bytes of a console port.
 *
 *     host -> guest   PORT_RX_BUFFERS pages wait at the host; the one that came first is read in
 * place, and goes back when it is empty.  A user that takes nothing stops the host when all are
 * full. guest -> host   each write is copied to a page, which comes back when the host has taken
 * it; only a writer that finds no free page asks for an interrupt. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/page.h>

#include "virtio_console.h"

static void pump_work(struct work *w);

void port_init(struct port *p, struct console *c, uint32_t id)
{
    p->console = c;
    p->id = id;
    spin_init(&p->lock, RANK_DRIVER);
    work_init(&p->pump_work, pump_work);
}

/* --- looking ports up --------------------------------------------------------------------- */

struct search {
    const char *name;
    struct port *found;
};

static void match_name(void *arg, struct port *p)
{
    struct search *s = arg;
    if (!s->found && strcmp(p->name, s->name) == 0)
        s->found = p;
}

static void match_console(void *arg, struct port *p)
{
    struct search *s = arg;
    if (!s->found && p->is_console)
        s->found = p;
}

struct port *port_find(const char *name)
{
    struct search s = {name, NULL};
    console_visit(match_name, &s);
    return s.found;
}

struct port *port_find_console(void)
{
    struct search s = {NULL, NULL};
    console_visit(match_console, &s);
    return s.found;
}

/* --- reading ------------------------------------------------------------------------------ */

size_t port_peek(struct port *p, const void **bytes)
{
    bool irqs = spin_lock_irq(&p->lock);
    if (!p->rx_bytes) {
        p->rx_bytes = virtq_take(&p->rx, &p->rx_len);
        p->rx_len = p->rx_bytes ? MIN(p->rx_len, PAGE_SIZE) : 0;
        p->rx_at = 0;
    }
    size_t n = p->rx_len - p->rx_at;
    *bytes = p->rx_bytes + p->rx_at;
    spin_unlock_irq(&p->lock, irqs);
    return n;
}

void port_consume(struct port *p, size_t n)
{
    bool must_ring = false;
    bool irqs = spin_lock_irq(&p->lock);
    assert(n <= p->rx_len - p->rx_at);
    p->rx_at += n;
    if (p->rx_bytes && p->rx_at == p->rx_len) {
        int err = virtq_add(&p->rx, &(struct virtq_buf){p->rx_bytes, PAGE_SIZE}, 0, 1, p->rx_bytes);
        assert(!err);
        (void)err;
        p->rx_bytes = NULL;
        p->rx_len = p->rx_at = 0;
        must_ring = virtq_needs_ring(&p->rx);
    }
    spin_unlock_irq(&p->lock, irqs);
    if (must_ring)
        virtq_ring(&p->rx);
}

bool port_is_closed(struct port *p)
{
    return !atomic_load(&p->host_is_open);
}

bool port_take_opened(struct port *p)
{
    return atomic_swap(&p->was_opened, false);
}

/* Call the user's `readable` on one CPU at a time; a caller that finds it running makes it run once
 * more. */
static void pump(struct port *p)
{
    struct port_user *user = atomic_load(&p->user);
    if (!user || !user->readable)
        return;
    bool irqs = spin_lock_irq(&p->lock);
    p->pump_again = true;
    while (!p->is_pumping && p->pump_again) {
        p->is_pumping = true;
        p->pump_again = false;
        spin_unlock_irq(&p->lock, irqs);
        user->readable(user, p);
        irqs = spin_lock_irq(&p->lock);
        p->is_pumping = false;
        /* Only a user that took everything waits for more; one that did not calls port_pump. */
        if (!p->rx_bytes && virtq_enable_irq(&p->rx))
            p->pump_again = true;
    }
    spin_unlock_irq(&p->lock, irqs);
}

static void pump_work(struct work *w)
{
    pump(container_of(w, struct port, pump_work));
}

void port_pump(struct port *p)
{
    work_queue(&p->pump_work);
}

static void rx_irq(struct virtq *q)
{
    pump(q->arg);
}

void port_host_changed(struct port *p, bool is_open)
{
    if (is_open)
        atomic_store(&p->was_opened, true);
    atomic_store(&p->host_is_open, is_open);
    pump(p);
}

void port_host_resized(struct port *p, unsigned rows, unsigned columns)
{
    struct port_user *user = atomic_load(&p->user);
    if (user && user->resized)
        user->resized(user, p, rows, columns);
}

/* --- writing ------------------------------------------------------------------------------ */

static void reclaim_locked(struct port *p)
{
    void *done;
    while ((done = virtq_take(&p->tx, NULL)) != NULL)
        p->tx_free[p->nr_tx_free++] = done;
}

/* A page that the host does not have; NULL: it has all, or there is no memory for another. */
static uint8_t *tx_page_locked(struct port *p, bool may_allocate)
{
    reclaim_locked(p);
    if (p->nr_tx_free == 0 && p->nr_tx < p->tx.ring.num && may_allocate) {
        struct page *page = page_alloc(0, PG_MAY_FAIL);
        if (page) {
            p->nr_tx++;
            return page_ptr(page);
        }
    }
    return p->nr_tx_free > 0 ? p->tx_free[--p->nr_tx_free] : NULL;
}

/* Bytes taken: as many as there are pages for. */
static size_t write_locked(struct port *p, const char *bytes, size_t n, bool may_allocate)
{
    size_t taken = 0;
    uint8_t *page;
    while (taken < n && (page = tx_page_locked(p, may_allocate)) != NULL) {
        size_t len = MIN(n - taken, PAGE_SIZE);
        memcpy(page, bytes + taken, len);
        int err = virtq_add(&p->tx, &(struct virtq_buf){page, len}, 1, 0, page);
        assert(!err); /* as many entries as pages */
        (void)err;
        taken += len;
    }
    return taken;
}

size_t port_write(struct port *p, const void *bytes, size_t n)
{
    size_t taken = 0;
    bool is_full;
    bool irqs = spin_lock_irq(&p->lock);
    do {
        taken += write_locked(p, (const char *)bytes + taken, n - taken, true);
        is_full = taken < n;
        /* A page that came back before the interrupt was on will cause none. */
    } while (is_full && virtq_enable_irq(&p->tx));
    p->writer_waits |= is_full;
    bool must_ring = virtq_needs_ring(&p->tx);
    spin_unlock_irq(&p->lock, irqs);
    if (must_ring)
        virtq_ring(&p->tx);
    return taken;
}

/* The caller may be a panic in the middle of anything, this file included, or the log under its
 * lock: so neither wait for the lock for long, nor allocate. */
size_t port_write_all(struct port *p, const void *bytes, size_t n, uint64_t timeout_ns)
{
    uint64_t give_up = arch_clock_ns() + timeout_ns;
    size_t done = 0;
    bool irqs = arch_irq_save(), is_late;
    do {
        is_late = arch_clock_ns() >=
                  give_up; /* read first: whoever took our CPU away costs us no attempt */
        if (!spin_try(&p->lock)) {
            arch_relax();
            continue;
        }
        done += write_locked(p, (const char *)bytes + done, n - done, false);
        bool must_ring = virtq_needs_ring(&p->tx);
        spin_unlock(&p->lock);
        if (must_ring)
            virtq_ring(&p->tx);
    } while (done < n && !is_late);
    arch_irq_restore(irqs);
    return done;
}

static void tx_irq(struct virtq *q)
{
    struct port *p = q->arg;
    bool irqs = spin_lock_irq(&p->lock);
    reclaim_locked(p);
    bool wake = p->writer_waits && p->nr_tx_free > 0;
    if (wake)
        p->writer_waits = false;
    spin_unlock_irq(&p->lock, irqs);
    if (wake && p->user->writable)
        p->user->writable(p->user, p);
}

bool port_is_flushed(struct port *p)
{
    if (!atomic_load(&p->user) || port_is_closed(p))
        return true;
    bool irqs = arch_irq_save(), is_empty = false;
    if (spin_try(&p->lock)) { /* in a panic its holder may have stopped for good */
        reclaim_locked(p);
        is_empty = p->nr_tx_free == p->nr_tx;
        spin_unlock(&p->lock);
    }
    arch_irq_restore(irqs);
    return is_empty;
}

static void flush_one(void *arg, struct port *p)
{
    bool *is_empty = arg;
    *is_empty &= port_is_flushed(p);
}

void port_flush_all(uint64_t timeout_ns)
{
    uint64_t give_up = arch_clock_ns() + timeout_ns;
    bool is_empty;
    do {
        is_empty = true;
        console_visit(flush_one, &is_empty);
    } while (!is_empty && arch_clock_ns() < give_up);
}

/* --- opening ------------------------------------------------------------------------------ */

int port_open(struct port *p, struct port_user *u)
{
    if (p->user)
        return -EBUSY;
    int err = console_start_queues(p, rx_irq, tx_irq);
    if (err)
        return err;
    bool irqs = spin_lock_irq(&p->lock);
    /* One page to write with from the start: port_write_all cannot make any. */
    struct page *first = page_alloc(0, 0);
    if (first)
        p->tx_free[p->nr_tx_free++] = page_ptr(first);
    p->nr_tx = p->nr_tx_free;
    err = first ? 0 : -ENOMEM;
    for (unsigned i = 0; i < p->rx.ring.num && !err; i++) {
        struct page *page = page_alloc(0, 0);
        err = page ? virtq_add(&p->rx, &(struct virtq_buf){page_ptr(page), PAGE_SIZE}, 0, 1,
                               page_ptr(page))
                   : -ENOMEM;
    }
    spin_unlock_irq(&p->lock, irqs);
    if (err) /* the pages stay with the queue, which the device knows */
        return err;
    atomic_store(&p->user, u);
    virtq_ring(&p->rx);
    console_send_open(p);
    pump(p); /* enables the interrupt; what came until now is not lost */
    return 0;
}
