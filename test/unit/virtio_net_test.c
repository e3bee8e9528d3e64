/* sources: kernel/base/tree.c */
#include "fake_heap.h"

#include "../../kernel/dev/virtq.c"
#include "../../net/dev/virtio_net.c"

/* The driver and its queues against a device that is this test: one that keeps its promises, and one that lies about
 * lengths, numbers and what it gives back. */

/* --- the device ------------------------------------------------------------------------------------ */

static struct virtq *queue[2];
static uint16_t seen[2]; /* taken from the available ring */
static uint64_t offered;

static uint8_t no_status(struct virtio_device *d)
{
    return 0;
}

static void no_set_status(struct virtio_device *d, uint8_t status)
{
}

static void config(struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
    memset(buf, 1, n);
}

static unsigned queue_size(struct virtio_device *d, unsigned index)
{
    return 256;
}

static int queue_start(struct virtio_device *d, struct virtq *q)
{
    queue[q->index] = q;
    seen[q->index] = 0;
    return 0;
}

static void ring(struct virtq *q)
{
}

static const struct virtio_transport transport = {.status = no_status,
                                                  .set_status = no_set_status,
                                                  .config = config,
                                                  .queue_size = queue_size,
                                                  .queue_start = queue_start,
                                                  .ring = ring,
                                                  .is_modern = true};
static struct virtio_device device = {.transport = &transport};

int virtio_begin(struct virtio_device *d, uint64_t wanted)
{
    list_init(&d->queues);
    d->features = (wanted | 1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1) & offered;
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

void virtio_config(struct virtio_device *d, unsigned offset, void *buf, size_t n)
{
    d->transport->config(d, offset, buf, n);
}

void virtio_add_driver(const struct virtio_driver *driver)
{
    assert_int_equal(driver->type, VIRTIO_ID_NET);
    assert_int_equal(driver->probe(&device), 0);
}

/* The next buffer that the driver offers: its head, or -1 and one that nobody reads. */
static int next_offered(unsigned index, void **p, uint32_t *len)
{
    static uint8_t nobodys[PAGE_SIZE];
    struct vring *r = &queue[index]->ring;
    *p = nobodys;
    *len = sizeof(nobodys);
    if (seen[index] == r->avail->idx)
        return -1;
    uint16_t head = r->avail->ring[seen[index]++ & queue[index]->mask];
    *p = direct_ptr((struct paddr){r->desc[head].addr});
    *len = r->desc[head].len;
    return head;
}

static void give_back(unsigned index, uint32_t id, uint32_t len)
{
    struct vring_used *u = queue[index]->ring.used;
    u->ring[u->idx & queue[index]->mask] = (struct vring_used_elem){id, len};
    u->idx++;
}

/* --- the stack ------------------------------------------------------------------------------------- */

static const struct netdev_ops *ops;
static void *driver;
static unsigned features, nr_frames, last_nr;
static size_t last_len;
static uint8_t last_bytes[0x20000];
static unsigned last_how;
static bool keeps;

struct netdev *netdev_add(const struct netdev_ops *o, void *d, const uint8_t mac[6], unsigned mtu,
                          unsigned f, bool has_link)
{
    ops = o;
    driver = d;
    features = f;
    return (struct netdev *)&device;
}

void netdev_interrupt(void)
{
}

void netdev_set_link(struct netdev *d, bool has_link)
{
}

/* Every part lies in one buffer: a page, or half of one. */
bool netdev_receive(struct netdev *d, const struct netdev_seg *parts, unsigned nr, unsigned how)
{
    struct virtio_net *n = driver;
    size_t unit = has_pages(n) ? PAGE_SIZE : BUF_SIZE;
    nr_frames++;
    last_len = 0;
    last_nr = nr;
    last_how = how;
    for (unsigned i = 0; i < nr; i++) {
        uintptr_t at = (uintptr_t)parts[i].p;
        assert_true(at >= DIRECT_BASE + (1 << 20) && at < DIRECT_BASE + (64u << 20));
        assert_true(parts[i].len == 0 || at / unit == (at + parts[i].len - 1) / unit);
        assert_true(last_len + parts[i].len <= sizeof(last_bytes));
        memcpy(last_bytes + last_len, parts[i].p, parts[i].len);
        last_len += parts[i].len;
    }
    if (!(how & NETDEV_PAGES) || !keeps)
        return false;
    for (unsigned i = 0; i < nr; i++)
        page_put(page_of(direct_paddr(parts[i].p)));
    return true;
}

/* --- tests ----------------------------------------------------------------------------------------- */

static void begin(uint64_t feature_bits)
{
    offered = feature_bits;
    virtio_net_find();
    ops->poll(driver, NULL);
    nr_frames = 0;
    keeps = true;
}

#define ALL    (~0ull)
#define SIMPLE (1ull << VIRTIO_F_VERSION_1)

/* Everything that was posted and not given back is still with the device: the ring is full. */
static void check_full(void)
{
    assert_int_equal(queue[0]->nr_free, 0);
}

static void takes_plain_frames(void **state)
{
    begin(SIMPLE);
    assert_int_equal(features, 0);
    for (unsigned i = 0; i < 1000; i++) {
        void *p;
        uint32_t room;
        int head = next_offered(0, &p, &room);
        assert_int_equal(room, BUF_SIZE);
        memset(p, 0, HDR_MERGED);
        memset((char *)p + HDR_MERGED, (int)i, 1514);
        give_back(0, (uint32_t)head, HDR_MERGED + 1514);
        ops->poll(driver, NULL);
        assert_int_equal(nr_frames, i + 1);
        assert_int_equal(last_len, 1514);
        assert_int_equal(last_bytes[1513], (uint8_t)i);
        assert_int_equal(last_how, 0);
        check_full();
    }
}

/* A frame of `len` bytes in as many buffers as it takes. */
static void deliver_long(size_t len, uint8_t seed)
{
    struct virtio_net_hdr_mrg_rxbuf *h = NULL;
    size_t at = 0, begin = HDR_MERGED;
    unsigned nr = 0;
    while (at < len) {
        void *p;
        uint32_t room;
        int head = next_offered(0, &p, &room);
        assert_true(head >= 0);
        if (nr++ == 0) {
            h = p;
            memset(h, 0, sizeof(*h));
            h->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        }
        size_t n = MIN(len - at, room - begin);
        for (size_t i = 0; i < n; i++)
            ((uint8_t *)p)[begin + i] = (uint8_t)((at + i) * seed);
        give_back(0, (uint32_t)head, (uint32_t)(begin + n));
        at += n;
        begin = 0;
    }
    h->num_buffers = (uint16_t)nr;
}

static void takes_long_frames(void **state)
{
    begin(ALL);
    assert_int_equal(features, NETDEV_CSUM | NETDEV_TSO4 | NETDEV_TSO6);
    uint64_t before = page_count_free();
    for (unsigned i = 0; i < 2000; i++) {
        size_t len = i % 3 == 0 ? 60 + fake_random() % 3900 : 4100 + fake_random() % 61000;
        keeps = i % 5 != 0;
        deliver_long(len, (uint8_t)(i | 1));
        ops->poll(driver, NULL);
        assert_int_equal(nr_frames, i + 1);
        assert_int_equal(last_len, len);
        assert_int_equal(last_how & NETDEV_VALID, NETDEV_VALID);
        assert_int_equal(last_how & NETDEV_PAGES, last_nr > 1 ? NETDEV_PAGES : 0);
        for (size_t k = 0; k < len; k++)
            if (last_bytes[k] != (uint8_t)(k * (uint8_t)(i | 1)))
                fail_msg("byte %zu of frame %u", k, i);
        check_full();
    }
    assert_int_equal(page_count_free(), before);
}

/* No long frames where they could not be put down or are not checked; no cutting of what has no checksum. */
static void agrees_on_what_it_can_use(void **state)
{
    begin(ALL & ~BIT(VIRTIO_NET_F_MRG_RXBUF));
    assert_int_equal(device.features & LONG_FRAMES, 0);
    assert_int_equal(((struct virtio_net *)driver)->rx_size, BUF_SIZE);
    begin(ALL & ~BIT(VIRTIO_NET_F_GUEST_CSUM));
    assert_int_equal(device.features & LONG_FRAMES, 0);
    begin(ALL & ~BIT(VIRTIO_NET_F_CSUM));
    assert_int_equal(device.features & TSO, 0);
    assert_int_equal(features, 0);
    begin(ALL & ~BIT(VIRTIO_NET_F_HOST_TSO6));
    assert_int_equal(features, NETDEV_CSUM | NETDEV_TSO4);
}

static void believes_no_length(void **state)
{
    static const uint32_t lengths[] = {0,    1,          11,        12, 13, BUF_SIZE, BUF_SIZE + 1,
                                       4096, 0x7fffffff, 0xffffffff};
    for (unsigned pass = 0; pass < 2; pass++) {
        begin(pass ? ALL : SIMPLE);
        for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
            void *p;
            uint32_t room;
            int head = next_offered(0, &p, &room);
            memset(p, 0, HDR_MERGED);
            unsigned frames = nr_frames;
            give_back(0, (uint32_t)head, lengths[i]);
            ops->poll(driver, NULL);
            assert_int_equal(nr_frames, frames + (lengths[i] > HDR_MERGED));
            assert_true(nr_frames == frames || last_len == MIN(lengths[i], room) - HDR_MERGED);
            check_full();
        }
    }
}

static void believes_no_number_of_buffers(void **state)
{
    static const uint16_t numbers[] = {0, 2, 18, 19, 64, 65, 0xffff};
    begin(ALL);
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        void *p;
        uint32_t room;
        int head = next_offered(0, &p, &room);
        memset(p, 0, HDR_MERGED);
        ((struct virtio_net_hdr_mrg_rxbuf *)p)->num_buffers = numbers[i];
        unsigned frames = nr_frames;
        give_back(0, (uint32_t)head, 200);
        ops->poll(driver, NULL);
        assert_int_equal(nr_frames, frames + (numbers[i] == 0));
        check_full();
    }
}

/* What was not offered, twice, or beyond the ring: nothing comes of it, and the real ones still work. */
static void believes_no_id(void **state)
{
    begin(SIMPLE);
    void *p;
    uint32_t room;
    int head = next_offered(0, &p, &room);
    memset(p, 0, HDR_MERGED);
    give_back(0, (uint32_t)head, 100);
    give_back(0, (uint32_t)head, 100);
    give_back(0, (uint32_t)head, 100);
    ops->poll(driver, NULL);
    assert_true(nr_frames >= 1);
    check_full();
    give_back(1, 0, 0); /* nothing was sent */
    give_back(1, 0xffffffff, 7);
    size_t size;
    assert_non_null(ops->begin(driver, 100, false, &size));
    ops->send(driver, 100, &(struct netdev_offload){0});
}

static void survives_anything(void **state)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        begin(pass ? ALL : SIMPLE);
        uint64_t before = page_count_free();
        for (unsigned i = 0; i < 100000; i++) {
            void *p;
            uint32_t room;
            keeps = fake_random() % 2;
            int head = next_offered(0, &p, &room);
            if (head >= 0)
                for (unsigned k = 0; k < HDR_MERGED; k++)
                    ((uint8_t *)p)[k] = (uint8_t)(fake_random() % 4 ? 0 : fake_random());
            uint32_t id = fake_random() % 8 && head >= 0 ? (uint32_t)head : (uint32_t)fake_random();
            give_back(0, id, (uint32_t)(fake_random() % 4 ? fake_random() % 5000 : fake_random()));
            if (fake_random() % 3 == 0)
                ops->poll(driver, NULL);
            assert_true(queue[0]->nr_free <= queue[0]->ring.num);
        }
        ops->poll(driver, NULL);
        check_full();
        assert_int_equal(page_count_free(), before);
    }
}

/* No buffer is written to while it is with the device, whatever that says it has sent. */
static void sends_from_its_own(void **state)
{
    begin(ALL);
    for (unsigned i = 0; i < 100000; i++) {
        size_t n = fake_random() % 1515, room = 0;
        bool is_large = fake_random() % 2;
        char *p = ops->begin(driver, n, is_large, &room);
        /* Without room, and only then, it is told of the next that was sent. */
        if (!p || ((struct virtio_net *)driver)->tx_free)
            assert_int_equal(vring_used_event(&queue[1]->ring) == queue[1]->used, !p);
        if (p) {
            struct netdev_offload o = {.csum_start = 34, .csum_offset = 16};
            if (room > 20000 && is_large) {
                n = 20000;
                o.gso_size = 1460;
            }
            assert_true(n <= room);
            memset(p, (int)i, n);
            struct vring *r = &queue[1]->ring;
            for (uint16_t k = seen[1]; k != r->avail->idx; k++) {
                char *busy =
                    direct_ptr((struct paddr){r->desc[r->avail->ring[k & queue[1]->mask]].addr});
                assert_true(p + room <= busy || p >= busy + PAGE_SIZE / 2);
            }
            ops->send(driver, n, &o);
            ops->flush(driver);
        }
        if (fake_random() % 2 == 0) {
            void *q;
            uint32_t len;
            int head = next_offered(1, &q, &len);
            if (head >= 0) {
                const struct virtio_net_hdr *h = q;
                assert_int_equal(h->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
                assert_int_equal(h->gso_type, h->gso_size ? VIRTIO_NET_HDR_GSO_TCPV4 : 0);
                give_back(1, (uint32_t)head, 0);
            }
        }
    }
    assert_null(ops->begin(driver, 100000, true, &(size_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_plain_frames),
        cmocka_unit_test(takes_long_frames),
        cmocka_unit_test(agrees_on_what_it_can_use),
        cmocka_unit_test(believes_no_length),
        cmocka_unit_test(believes_no_number_of_buffers),
        cmocka_unit_test(believes_no_id),
        cmocka_unit_test(survives_anything),
        cmocka_unit_test(sends_from_its_own),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
