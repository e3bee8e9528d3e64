/* Intel's 8254x and 82574 gigabit cards, as QEMU, VirtualBox and VMware emulate them: one ring each way, a buffer of
 * 2 KiB for each entry, nothing left to the card.
 *
 * An interrupt masks them all and wakes the net thread, which lets them in again when it has found the ring empty.  The
 * 82574 sends a message; the others have a line, of which only the firmware knows where it leads: so the card is told to
 * raise it at the start, and until the interrupt has come the card is polled. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/log.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/page.h>
#include <dev/pci.h>
#include <net/netdev.h>

#include "net_drivers.h"

#define NR       32u /* entries of a ring */
#define BUF_SIZE 2048u
#define MTU      1500
#define POLL_NS  2000000u

/* Registers, and bits of them. */
enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    ICR = 0x00c0, /* what there was to interrupt for; what is written is forgotten */
    ICS = 0x00c8, /* pretend */
    IMS = 0x00d0, /* let in */
    IMC = 0x00d8, /* mask */
    IVAR = 0x00e4,
    RCTL = 0x0100,
    TCTL = 0x0400,
    TIPG = 0x0410,
    RX_RING = 0x2800,
    TX_RING = 0x3800,
    MULTICAST = 0x5200,
    MAC_LOW = 0x5400,
    MAC_HIGH = 0x5404,
    REGISTERS_SIZE = 0x6000,

    RING_HIGH = 4, /* behind a ring's first register */
    RING_LEN = 8,
    RING_HEAD = 0x10,
    RING_TAIL = 0x18,

    CTRL_LINK_UP = 1 << 6,
    CTRL_RESET = 1 << 26,
    STATUS_LINK = 1 << 1,
    IRQ_LINK = 1 << 2,
    /* a link's change, receive: few buffers left, overrun, timer; with messages: queue 0 and the others */
    IRQS = IRQ_LINK | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 20 | 1 << 24,
    IRQS_SENT = 1 << 0 | 1 << 22, /* a frame was sent; with messages: queue 0 */
    IVAR_ALL_TO_0 = 1 << 3 | 1 << 11 | 1 << 19,
    /* on, all multicast, broadcast, buffers of 2 KiB, without checksum */
    RCTL_BITS = 1 << 1 | 1 << 4 | 1 << 15 | 1 << 26,
    TCTL_BITS = 1 << 1 | 1 << 3 | 0x10 << 4 | 0x40 << 12, /* on, padded, usual collision times */
    TIPG_BITS = 10 | 8 << 10 | 6 << 20,

    DONE = 1, /* status: the card is done with it; of a received one: a whole frame */
    WHOLE = 2,
    TX_COMMAND = 1 | 1 << 1 | 1 << 3, /* the whole frame, add its checksum, report */
};

/* An entry of either ring. */
struct entry {
    uint64_t address;
    uint16_t len;
    uint8_t offset, command; /* to send; else a checksum */
    uint8_t status, errors;
    uint16_t special;
};

struct e1000 {
    volatile uint8_t *registers;
    bool link_changed, is_masked; /* atomic */
    bool has_irq;                 /* atomic: it has come once */
    /* under the net lock */
    struct ring {
        struct entry *entries;
        char *buffers; /* one behind the other */
        unsigned at;   /* the entry that is next */
    } rx, tx;
};

static uint32_t read(struct e1000 *n, unsigned reg)
{
    return *(volatile uint32_t *)(n->registers + reg);
}

/* What was stored before is there for the card. */
static void write(struct e1000 *n, unsigned reg, uint32_t value)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    *(volatile uint32_t *)(n->registers + reg) = value;
}

static void on_irq(void *arg)
{
    struct e1000 *n = arg;
    uint32_t why = read(n, ICR);
    if (!why) /* another device on this line */
        return;
    write(n, ICR, why);
    write(n, IMC, ~0u);
    atomic_store(&n->is_masked, true);
    atomic_store(&n->has_irq, true);
    if (why & IRQ_LINK)
        atomic_store(&n->link_changed, true);
    netdev_interrupt();
}

static bool has_link(struct e1000 *n)
{
    return read(n, STATUS) & STATUS_LINK;
}

static bool is_done(const struct entry *e)
{
    return __atomic_load_n(&e->status, __ATOMIC_ACQUIRE) & DONE;
}

static char *buffer(const struct ring *r)
{
    return r->buffers + (size_t)r->at * BUF_SIZE;
}

static void receive_all(struct e1000 *n, struct netdev *d)
{
    struct ring *r = &n->rx;
    unsigned last = NR;
    for (struct entry *e; is_done(e = &r->entries[r->at]); r->at = (r->at + 1) % NR) {
        struct netdev_seg frame = {buffer(r), MIN((unsigned)e->len, BUF_SIZE)};
        if ((e->status & WHOLE) && !e->errors && frame.len > 0)
            netdev_receive(d, &frame, 1, 0);
        e->status = 0;
        last = r->at;
    }
    if (last < NR)
        write(n, RX_RING + RING_TAIL, last);
}

static void net_poll(void *driver, struct netdev *d)
{
    struct e1000 *n = driver;
    bool is_polled = !atomic_load(&n->has_irq);
    if (atomic_swap(&n->link_changed, false) || is_polled)
        netdev_set_link(d, has_link(n));
    receive_all(n, d);
    if (atomic_swap(&n->is_masked, false)) {
        write(n, IMS, IRQS);
        receive_all(n, d);
    }
    if (is_polled)
        netdev_poll_again(POLL_NS);
}

/* One entry stays empty: a full ring would look like an empty one. */
static bool has_room(const struct ring *r)
{
    return is_done(&r->entries[(r->at + 1) % NR]);
}

/* A full ring has the card interrupt once for what it sends. */
static void *net_begin(void *driver, struct netdev_seg head, size_t len, bool is_large,
                       size_t *room)
{
    struct e1000 *n = driver;
    (void)head;
    (void)is_large;
    *room = BUF_SIZE;
    if (len <= BUF_SIZE && !has_room(&n->tx))
        write(n, IMS, IRQS_SENT);
    return len <= BUF_SIZE && has_room(&n->tx) ? buffer(&n->tx) : NULL;
}

static void net_send(void *driver, size_t len, const struct netdev_offload *o)
{
    struct e1000 *n = driver;
    struct entry *e = &n->tx.entries[n->tx.at];
    (void)o; /* nothing is left to the card */
    e->len = (uint16_t)len;
    e->command = TX_COMMAND;
    e->status = 0;
    n->tx.at = (n->tx.at + 1) % NR;
}

/* The register says how far frames are queued, so that it is written in their order: under the net lock. */
static void net_flush(void *driver)
{
    struct e1000 *n = driver;
    write(n, TX_RING + RING_TAIL, n->tx.at);
}

/* --- starting ------------------------------------------------------------------------------------------ */

/* Entries, each with its buffer. */
static bool make_ring(struct e1000 *n, struct ring *r, unsigned reg, uint8_t status)
{
    struct page *entries = page_alloc(0, PG_ZERO), *buffers = page_alloc(4, 0);
    _Static_assert(NR * BUF_SIZE == PAGE_SIZE << 4, "they fill the block");
    if (!entries || !buffers)
        return false;
    r->entries = page_ptr(entries);
    r->buffers = page_ptr(buffers);
    for (unsigned i = 0; i < NR; i++) {
        r->entries[i].address = page_paddr(buffers).pa + (size_t)i * BUF_SIZE;
        r->entries[i].status = status;
    }
    write(n, reg, (uint32_t)page_paddr(entries).pa);
    write(n, reg + RING_HIGH, (uint32_t)(page_paddr(entries).pa >> 32));
    write(n, reg + RING_LEN, NR * sizeof(struct entry));
    write(n, reg + RING_HEAD, 0);
    write(n, reg + RING_TAIL, 0);
    return true;
}

static void reset(struct e1000 *n, uint8_t mac[6])
{
    uint32_t low = read(n, MAC_LOW), high = read(n, MAC_HIGH);
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
    write(n, IMC, ~0u);
    write(n, CTRL, read(n, CTRL) | CTRL_RESET);
    for (unsigned i = 0; i < 100000 && (read(n, CTRL) & CTRL_RESET); i++)
        arch_relax();
    write(n, IMC, ~0u);
    write(n, CTRL, read(n, CTRL) | CTRL_LINK_UP);
    write(n, MAC_LOW, low);
    write(n, MAC_HIGH, high);
    for (unsigned i = 0; i < 128; i++)
        write(n, MULTICAST + 4 * i, 0);
}

static int start(struct e1000 *n, struct pci_device *pci)
{
    static const struct netdev_ops ops = {net_begin, net_send, net_flush, NULL, net_poll};
    uint8_t mac[6];
    reset(n, mac);
    if (!make_ring(n, &n->rx, RX_RING, 0) || !make_ring(n, &n->tx, TX_RING, DONE))
        return -ENOMEM;
    if (pci_msix(pci, 0, 0, on_irq, n) == 0)
        write(n, IVAR, IVAR_ALL_TO_0);
    else
        (void)!pci_irq(pci, on_irq, n);
    write(n, RCTL, RCTL_BITS);
    write(n, TCTL, TCTL_BITS);
    write(n, TIPG, TIPG_BITS);
    write(n, RX_RING + RING_TAIL, NR - 1);
    if (!netdev_add(&ops, n, mac, MTU, 0, has_link(n)))
        return -ENOMEM;
    write(n, IMS, IRQS);
    write(n, ICS, IRQ_LINK);
    netdev_interrupt(); /* the first poll, and the last if the interrupt comes */
    return 0;
}

/* 82544GC, 82540EM, 82545EM, 82574L. */
static bool is_known(const struct pci_device *d)
{
    return d->vendor == 0x8086 && (d->device == 0x1004 || d->device == 0x100e ||
                                   d->device == 0x100f || d->device == 0x10d3);
}

void e1000_find(void)
{
    for (struct pci_device *d = pci_next(NULL); d; d = pci_next(d)) {
        struct e1000 *n = is_known(d) ? heap_zalloc(sizeof(*n)) : NULL;
        if (!n)
            continue;
        pci_enable(d);
        n->registers = pci_map(d, 0, 0, REGISTERS_SIZE);
        if (!n->registers || start(n, d) < 0)
            log_error("e1000: cannot be used"); /* what it has stays where it is */
    }
}
