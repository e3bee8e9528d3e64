/* sources: kernel/base/tree.c */
#include "fake_heap.h"

#include "../../kernel/dev/virtq.c"

/* A host whose other programs take this CPU away whenever somebody looks at the clock. */
static uint64_t busy_clock_ns(void)
{
    static uint64_t ns;
    return ns += 300000000;
}

#define arch_clock_ns busy_clock_ns
#include "../../kernel/dev/virtio_console.c"
#undef arch_clock_ns

/* The ports that a console's host tells of are known when the device has been found. */

/* --- the device ------------------------------------------------------------------------------------ */

enum { NR_PORTS = 3 };

static struct virtq *queue[4];
static bool is_mute;
static uint16_t seen[4]; /* taken from the available ring */
static unsigned nr_opened;

static unsigned queue_size(struct virtio_device *d, unsigned index)
{
    return 128;
}

static int queue_start(struct virtio_device *d, struct virtq *q)
{
    queue[q->index] = q;
    seen[q->index] = 0;
    return 0;
}

static uint16_t take_offered(unsigned index, void **p)
{
    struct vring *r = &queue[index]->ring;
    assert_true(seen[index] != r->avail->idx);
    uint16_t head = r->avail->ring[seen[index]++ & queue[index]->mask];
    vring_avail_event(r) = seen[index]; /* the next one is to be told */
    *p = direct_ptr((struct paddr){r->desc[head].addr});
    return head;
}

static void give_back(unsigned index, uint16_t head, uint32_t len)
{
    struct vring_used *u = queue[index]->ring.used;
    u->ring[u->idx & queue[index]->mask] = (struct vring_used_elem){head, len};
    u->idx++;
}

static void tell(uint32_t port, uint16_t event, const char *text)
{
    void *p;
    struct virtio_console_control m = {.id = port, .event = event, .value = 1};
    uint16_t head = take_offered(CONTROL_RX, &p);
    memcpy(p, &m, sizeof(m));
    memcpy((char *)p + sizeof(m), text, strlen(text));
    give_back(CONTROL_RX, head, (uint32_t)(sizeof(m) + strlen(text)));
}

/* It answers as QEMU does, before a message counts as read. */
static void ring(struct virtq *q)
{
    static const char *const names[NR_PORTS] = {"yolk.stdout", "yolk.stderr", "yolk.control"};
    if (q->index != CONTROL_TX || is_mute)
        return;
    while (seen[CONTROL_TX] != q->ring.avail->idx) {
        void *p;
        uint16_t head = take_offered(CONTROL_TX, &p);
        const struct virtio_console_control *m = p;
        for (uint32_t i = 0; m->event == VIRTIO_CONSOLE_DEVICE_READY && i < NR_PORTS; i++)
            tell(i + 1, VIRTIO_CONSOLE_PORT_ADD, "");
        if (m->event == VIRTIO_CONSOLE_PORT_READY) {
            tell(m->id, VIRTIO_CONSOLE_PORT_NAME, names[m->id - 1]);
            tell(m->id, VIRTIO_CONSOLE_PORT_OPEN, "");
        }
        give_back(CONTROL_TX, head, 0);
    }
}

static const struct virtio_transport transport = {
    .queue_size = queue_size, .queue_start = queue_start, .ring = ring, .is_modern = true};

int virtio_begin(struct virtio_device *d, uint64_t wanted)
{
    list_init(&d->queues);
    d->features = wanted | 1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1;
    return 0;
}

void virtio_ready(struct virtio_device *d)
{
}

void virtio_fail(struct virtio_device *d)
{
}

bool virtio_has(const struct virtio_device *d, unsigned feature)
{
    return d->features >> feature & 1;
}

/* --- the ports ------------------------------------------------------------------------------------- */

void port_init(struct port *p, struct console *c, uint32_t id)
{
    p->console = c;
    p->id = id;
}

void port_host_changed(struct port *p, bool is_open)
{
    nr_opened += is_open;
}

void port_host_resized(struct port *p, unsigned rows, unsigned columns)
{
}

static void count_named(void *arg, struct port *p)
{
    *(unsigned *)arg += strncmp(p->name, "yolk.", 5) == 0;
}

static unsigned found(bool mute)
{
    struct virtio_device *d = test_malloc(sizeof(*d));
    *d = (struct virtio_device){.transport = &transport};
    unsigned named = 0;
    consoles = NULL;
    nr_opened = 0;
    is_mute = mute;
    assert_int_equal(virtio_console_driver.probe(d), 0);
    console_visit(count_named, &named);
    test_free(d);
    return named;
}

static void finds_all_on_a_busy_host(void **state)
{
    assert_int_equal(found(false), NR_PORTS);
    assert_int_equal(nr_opened, NR_PORTS);
}

static void gives_up_on_one_that_is_mute(void **state)
{
    assert_int_equal(found(true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_all_on_a_busy_host),
        cmocka_unit_test(gives_up_on_one_that_is_mute),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
