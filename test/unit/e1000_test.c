/* sources: kernel/base/tree.c */
#include "fake_heap.h"

#define read  e1000_read
#define write e1000_write
#include "../../net/dev/e1000.c"

/* The driver's rings against a card that is this test, and that writes what it likes into them. */

static struct pci_device card = {.vendor = 0x8086, .device = 0x100e};
static uint8_t registers[REGISTERS_SIZE];

struct pci_device *pci_next(struct pci_device *d)
{
    return d ? NULL : &card;
}

void pci_enable(struct pci_device *d)
{
}

volatile void *pci_map(struct pci_device *d, unsigned bar, uint64_t offset, size_t size)
{
    assert_true(size <= sizeof(registers));
    return registers;
}

int pci_msix(struct pci_device *d, unsigned entry, unsigned cpu, irq_handler *handler, void *arg)
{
    return -ENODEV;
}

static irq_handler *irq;
static void *irq_arg;

int pci_irq(struct pci_device *d, irq_handler *handler, void *arg)
{
    irq = handler;
    irq_arg = arg;
    return 0;
}

static const struct netdev_ops *ops;
static struct e1000 *n;
static const struct netdev_seg nothing;
static unsigned nr_frames, nr_polls_wanted, nr_interrupts;
static size_t last_len;
static bool link;

struct netdev *netdev_add(const struct netdev_ops *o, void *driver, const uint8_t mac[6],
                          unsigned mtu, unsigned features, bool has_link)
{
    static const uint8_t expected[6] = {0x52, 0x54, 0, 1, 2, 3};
    assert_memory_equal(mac, expected, 6);
    assert_int_equal(features, 0);
    ops = o;
    n = driver;
    link = has_link;
    return (struct netdev *)&card;
}

void netdev_interrupt(void)
{
    nr_interrupts++;
}

void netdev_poll_again(uint64_t ns)
{
    nr_polls_wanted++;
}

void netdev_set_link(struct netdev *d, bool has_link)
{
    link = has_link;
}

bool netdev_receive(struct netdev *d, const struct netdev_seg *parts, unsigned nr, unsigned how)
{
    assert_int_equal(nr, 1);
    assert_int_equal(how, 0);
    char *p = parts->p;
    assert_true(p >= n->rx.buffers && p + parts->len <= n->rx.buffers + NR * BUF_SIZE);
    assert_int_equal((p - n->rx.buffers) % BUF_SIZE, 0);
    assert_true(parts->len > 0 && parts->len <= BUF_SIZE);
    nr_frames++;
    last_len = parts->len;
    return false;
}

static uint32_t *reg(unsigned at)
{
    return (uint32_t *)(registers + at);
}

static void starts(void **state)
{
    *reg(MAC_LOW) = 0x01005452;
    *reg(MAC_HIGH) = 0x80000302;
    *reg(STATUS) = STATUS_LINK;
    e1000_find();
    assert_non_null(n);
    assert_true(link);
    assert_int_equal(*reg(RX_RING + RING_TAIL), NR - 1);
    assert_int_equal(*reg(MAC_LOW), 0x01005452);
    /* Until an interrupt has come it wants to be polled, and looks at the link itself. */
    *reg(STATUS) = 0;
    ops->poll(n, NULL);
    assert_int_equal(nr_polls_wanted, 1);
    assert_false(link);
    *reg(ICR) = 0;
    irq(irq_arg); /* somebody else's */
    ops->poll(n, NULL);
    assert_int_equal(nr_polls_wanted, 2);
    *reg(ICR) = IRQ_LINK;
    *reg(STATUS) = STATUS_LINK;
    nr_interrupts = 0;
    irq(irq_arg);
    assert_int_equal(nr_interrupts, 1);
    *reg(IMS) = 0;
    ops->poll(n, NULL);
    assert_int_equal(nr_polls_wanted, 2);
    assert_int_equal(*reg(IMS), IRQS);
    assert_true(link);
}

static void believes_no_entry(void **state)
{
    unsigned at = 0;
    for (unsigned i = 0; i < 100000; i++) {
        struct entry *e = &n->rx.entries[at];
        e->address = fake_random();
        e->len = (uint16_t)(fake_random() % 2 ? 0xffff : fake_random());
        e->errors = fake_random() % 4 == 0;
        e->status = DONE | (fake_random() % 8 ? WHOLE : 0);
        bool is_frame = (e->status & WHOLE) && !e->errors && e->len > 0;
        size_t len = MIN(e->len, BUF_SIZE);
        unsigned frames = nr_frames;
        ops->poll(n, NULL);
        assert_int_equal(nr_frames, frames + is_frame);
        assert_true(!is_frame || last_len == len);
        assert_int_equal(e->status, 0);
        assert_int_equal(*reg(RX_RING + RING_TAIL), at);
        at = (at + 1) % NR;
    }
}

/* All entries but one can be under way; then the card is to tell when it has sent. */
static void sends_in_turn(void **state)
{
    size_t room;
    assert_null(ops->begin(n, nothing, BUF_SIZE + 1, false, &room));
    for (unsigned round = 0; round < 100; round++) {
        unsigned nr = 0;
        *reg(IMS) = 0;
        for (char *p; (p = ops->begin(n, nothing, 60, false, &room)); nr++) {
            assert_int_equal(room, BUF_SIZE);
            assert_int_equal(*reg(IMS), 0);
            memset(p, 0, room);
            unsigned at = n->tx.at;
            ops->send(n, 60 + nr, &(struct netdev_offload){0});
            assert_int_equal(n->tx.entries[at].len, 60 + nr);
            assert_int_equal(n->tx.entries[at].command, TX_COMMAND);
            if (nr % 3 == 0) {
                ops->flush(n);
                assert_int_equal(*reg(TX_RING + RING_TAIL), (at + 1) % NR);
            }
        }
        assert_int_equal(nr, NR - 1);
        assert_int_equal(*reg(IMS), IRQS_SENT);
        for (unsigned i = 0; i < NR; i++)
            n->tx.entries[i].status |= DONE;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),
        cmocka_unit_test(believes_no_entry),
        cmocka_unit_test(sends_in_turn),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
