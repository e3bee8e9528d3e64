/* sources: kernel/base/tree.c */
#include "fake_heap.h"

#include "../../kernel/dev/virtq.c"
#include "../../net/dev/virtio_net.c"

/* The driver and its queues against a device that is this test: one that keeps its promises, and one that lies about
 * lengths, numbers and what it gives back. */

/* --- the device ------------------------------------------------------------------------------------ */

#define NR_QUEUES 32
static struct virtq *queue[NR_QUEUES];
static uint16_t seen[NR_QUEUES];     /* taken from the available ring */
static unsigned cpu_of[NR_QUEUES];   /* that it interrupts */
static unsigned nr_rings[NR_QUEUES]; /* how often the driver rang it */
static uint64_t offered;
static bool is_ready;
static uint16_t max_pairs = 1;
static enum { ACCEPTS, REFUSES, IS_SILENT } answer;
static unsigned nr_commands, told_pairs;

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
    if (offset == offsetof(struct virtio_net_config, max_virtqueue_pairs))
        memcpy(buf, &max_pairs, n);
}

static unsigned queue_size(struct virtio_device *d, unsigned index)
{
    return 256;
}

static int queue_start(struct virtio_device *d, struct virtq *q)
{
    assert_false(is_ready);
    queue[q->index] = q;
    seen[q->index] = 0;
    cpu_of[q->index] = d->irq_cpu;
    return 0;
}

static void command(struct virtq *q);
static void ring(struct virtq *q)
{
    assert_true(is_ready);
    nr_rings[q->index]++;
    if (!q->callback)
        command(q);
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
    memset(queue, 0, sizeof(queue));
    memset(nr_rings, 0, sizeof(nr_rings));
    is_ready = false;
    nr_commands = 0;
    d->features = (wanted | 1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1) & offered;
    return 0;
}

void virtio_ready(struct virtio_device *d)
{
    is_ready = true;
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

/* The control queue: head, number, answer.  Every pair is ready for its frames by now. */
static void command(struct virtq *q)
{
    assert_int_equal(q->index, 2 * max_pairs);
    void *p;
    uint32_t len;
    int head = next_offered(q->index, &p, &len);
    const struct vring_desc *d = &q->ring.desc[head];
    assert_int_equal(len, 2);
    assert_memory_equal(p, ((uint8_t[]){VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET}), 2);
    assert_int_equal(d->flags, VRING_DESC_F_NEXT);
    d = &q->ring.desc[d->next];
    assert_int_equal(d->len, 2);
    assert_int_equal(d->flags, VRING_DESC_F_NEXT);
    told_pairs = *(uint16_t *)direct_ptr((struct paddr){d->addr});
    d = &q->ring.desc[d->next];
    assert_int_equal(d->len, 1);
    assert_int_equal(d->flags, VRING_DESC_F_WRITE);
    for (unsigned i = 0; i < told_pairs; i++) {
        assert_int_equal(queue[2 * i]->nr_free, 0);
        assert_non_null(queue[2 * i + 1]);
    }
    nr_commands++;
    if (answer == IS_SILENT)
        return;
    *(uint8_t *)direct_ptr((struct paddr){d->addr}) = answer;
    give_back(q->index, (uint32_t)head, 1);
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

static const struct netdev_seg nothing;

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
    assert_non_null(ops->begin(driver, nothing, 100, false, &size));
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
        char *p = ops->begin(driver, nothing, n, is_large, &room);
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
            ops->ring(driver);
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
    assert_null(ops->begin(driver, nothing, 100000, true, &(size_t){0}));
}

/* --- several pairs --------------------------------------------------------------------------------- */

#define PAIRS (BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MQ))

static unsigned begin_pairs(uint64_t feature_bits, unsigned max, unsigned cpus)
{
    max_pairs = (uint16_t)max;
    fake_cpus = cpus;
    fake_log_lines = 0;
    begin(feature_bits);
    return ((struct virtio_net *)driver)->nr_chosen;
}

static void has_a_pair_for_each_cpu(void **state)
{
    for (unsigned cpus = 2; cpus <= 3; cpus++) {
        answer = ACCEPTS;
        assert_int_equal(begin_pairs(SIMPLE | PAIRS, 5, cpus), cpus);
        assert_int_equal(nr_commands, 1);
        assert_int_equal(told_pairs, cpus);
        assert_int_equal(fake_log_lines, 0);
        for (unsigned i = 0; i < 2 * max_pairs; i++)
            assert_int_equal(queue[i] != NULL, i < 2 * cpus);
        for (unsigned i = 0; i < 2 * cpus; i++) {
            assert_int_equal(cpu_of[i], i / 2);
            assert_int_equal(nr_rings[i], i % 2 == 0);
            assert_int_equal(queue[i]->ring.num, 64);
        }
    }
    assert_int_equal(begin_pairs(SIMPLE | PAIRS, 2, 3), 2);
}

static void check_single(void)
{
    for (unsigned i = 2; i < NR_QUEUES; i++)
        assert_null(queue[i]);
    assert_int_equal(nr_commands, 0);
    assert_int_equal(fake_log_lines, 0);
}

/* Not even the memory for more. */
static void has_one_pair_without_cause_for_more(void **state)
{
    static const struct {
        uint64_t features;
        unsigned max, cpus;
    } cases[] = {{SIMPLE, 4, 4},
                 {SIMPLE | BIT(VIRTIO_NET_F_MQ), 4, 4},
                 {SIMPLE | BIT(VIRTIO_NET_F_CTRL_VQ), 4, 4},
                 {SIMPLE | PAIRS, 4, 1},
                 {SIMPLE | PAIRS, 1, 4},
                 {SIMPLE | PAIRS, 0, 4}};
    uint64_t last = 0;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t before = page_count_free();
        assert_int_equal(begin_pairs(cases[i].features, cases[i].max, cases[i].cpus), 1);
        check_single();
        uint64_t took = before - page_count_free();
        assert_true(i == 0 || took <= last + 1);
        last = MAX(took, last);
    }
}

/* One frame by the pair, and what of it the stack sees. */
static void deliver(unsigned pair, uint8_t byte)
{
    void *p;
    uint32_t room;
    int head = next_offered(2 * pair, &p, &room);
    assert_true(head >= 0);
    memset(p, 0, HDR_MERGED);
    memset((char *)p + HDR_MERGED, byte, 1514);
    give_back(2 * pair, (uint32_t)head, HDR_MERGED + 1514);
}

static bool is_armed(unsigned pair)
{
    return vring_used_event(&queue[2 * pair]->ring) == queue[2 * pair]->used;
}

static void takes_frames_of_every_pair(void **state)
{
    answer = ACCEPTS;
    assert_int_equal(begin_pairs(SIMPLE | PAIRS | BIT(VIRTIO_RING_F_EVENT_IDX), 3, 3), 3);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned which = 1 + (unsigned)fake_random() % 7, nr = 0, frames = nr_frames;
        for (unsigned pair = 0; pair < 3; pair++) {
            assert_true(is_armed(pair));
            for (unsigned k = 0; which >> pair & 1 && k <= i % 3; k++, nr++)
                deliver(pair, (uint8_t)i);
            if (which >> pair & 1 && i % 2)
                queue[2 * pair]->callback(queue[2 * pair]);
        }
        ops->poll(driver, NULL);
        assert_int_equal(nr_frames, frames + nr);
        assert_int_equal(last_bytes[1513], (uint8_t)i);
        for (unsigned pair = 0; pair < 3; pair++)
            assert_int_equal(queue[2 * pair]->nr_free, 0);
    }
    /* As many as a poll takes: it is polled again although nothing more comes, until it has asked for an interrupt. */
    for (unsigned k = 0; k < NR_POLLED; k++)
        deliver(2, 1);
    queue[4]->callback(queue[4]);
    ops->poll(driver, NULL);
    assert_false(is_armed(2));
    ops->poll(driver, NULL);
    assert_true(is_armed(2));
}

/* One that says no, and one that says nothing, or yes when it is no longer waited for. */
static void lives_with_a_refusal(void **state)
{
    static const uint8_t ack = 0;
    for (unsigned late = 0; late < 2; late++) {
        answer = late ? IS_SILENT : REFUSES;
        assert_int_equal(begin_pairs(SIMPLE | PAIRS, 3, 3), 1);
        assert_int_equal(nr_commands, 1);
        assert_int_equal(fake_log_lines, 1);
        if (late) {
            ((struct virtio_net *)driver)->command.ack = ack;
            give_back(6, 0, 1);
        }
        for (unsigned i = 0; i < 30; i++)
            deliver(i % 3, (uint8_t)i);
        ops->poll(driver, NULL);
        assert_int_equal(nr_frames, 30);
        uint8_t head[64] = {[12] = 8, [23] = IPPROTO_TCP};
        for (unsigned port = 0; port < 40; port++) {
            size_t room;
            head[34] = (uint8_t)port;
            assert_non_null(ops->begin(driver, (struct netdev_seg){head, 64}, 64, false, &room));
            ops->send(driver, 64, &(struct netdev_offload){0});
        }
        ops->ring(driver);
        assert_int_equal(queue[1]->ring.avail->idx, 40);
        assert_int_equal(nr_rings[1], 1);
        assert_int_equal(queue[3]->ring.avail->idx, 0);
    }
}

/* The pair that a packet with this head leaves by, whole. */
static unsigned sent_by(const uint8_t *head, size_t n)
{
    size_t room;
    char *p = ops->begin(driver, (struct netdev_seg){(void *)head, n}, 300, false, &room);
    unsigned found = 0, nr = 0, rings = nr_rings[1] + nr_rings[3] + nr_rings[5];
    assert_non_null(p);
    memset(p, 0, 300);
    memcpy(p, head, n);
    ops->send(driver, 300, &(struct netdev_offload){.csum_start = 34, .csum_offset = 16});
    ops->ring(driver);
    ops->ring(driver);
    assert_int_equal(nr_rings[1] + nr_rings[3] + nr_rings[5], rings + 1);
    for (unsigned pair = 0; pair < 3; pair++) {
        void *data;
        uint32_t len;
        int id = next_offered(2 * pair + 1, &data, &len);
        if (id < 0)
            continue;
        nr++;
        found = pair;
        assert_int_equal(len, HDR_MERGED + 300);
        assert_ptr_equal(data, p - HDR_MERGED);
        assert_int_equal(((struct virtio_net_hdr *)data)->csum_start, 34);
        assert_memory_equal((char *)data + HDR_MERGED, head, n);
        give_back(2 * pair + 1, (uint32_t)id, 0);
    }
    assert_int_equal(nr, 1);
    return found;
}

/* All packets of a connection by one pair, connections by all of them, and what is none by the first. */
static void sends_connections_by_all_pairs(void **state)
{
    answer = ACCEPTS;
    assert_int_equal(begin_pairs((ALL & ~BIT(VIRTIO_RING_F_EVENT_IDX)), 3, 3), 3);
    uint8_t head[62] = {0};
    for (unsigned kind = 0; kind < 4; kind++) {
        unsigned nr[3] = {0}, at = kind & 1 ? 54 : 34;
        head[12] = kind & 1 ? 0x86 : 8;
        head[kind & 1 ? 20 : 23] = kind & 2 ? IPPROTO_UDP : IPPROTO_TCP;
        for (unsigned port = 0; port < 300; port++) {
            uint8_t ports[4] = {31, 144, (uint8_t)((32768 + 2 * port) >> 8), (uint8_t)(2 * port)};
            memcpy(head + at, ports, sizeof(ports));
            unsigned pair = sent_by(head, at + 4);
            nr[pair]++;
            for (unsigned i = 0; i < 12; i++)
                head[i] = (uint8_t)fake_random();
            assert_int_equal(sent_by(head, at + 8), pair);
            assert_int_equal(sent_by(head, at + 3), 0); /* they are not all there */
            assert_int_equal(sent_by(head, 14), 0);
        }
        assert_true(MIN(MIN(nr[0], nr[1]), nr[2]) > 50);
        head[kind & 1 ? 20 : 23] = kind & 2 ? 1 : 58;
        for (unsigned i = 0; i < 100; i++) {
            head[at + 3] = (uint8_t)i;
            assert_int_equal(sent_by(head, sizeof(head)), 0);
        }
        memset(head, 0, sizeof(head));
    }
}

/* A small machine keeps its memory: a pair for each 16 MiB that are free. */
static void takes_pairs_by_memory(void **state)
{
    answer = ACCEPTS;
    unsigned fit = (unsigned)(page_count_free() / PAIR_PAGES);
    assert_in_range(fit, 2, 3);
    assert_int_equal(begin_pairs(SIMPLE | PAIRS, 8, 8), fit);
    struct page *taken[64];
    unsigned nr = 0;
    while (page_count_free() >= 2 * PAIR_PAGES &&
           (taken[nr] = page_alloc(PAGE_MAX_ORDER, PG_MAY_FAIL)))
        nr++;
    assert_true(nr > 0 && page_count_free() < 2 * PAIR_PAGES);
    assert_int_equal(begin_pairs(SIMPLE | PAIRS, 8, 8), 1);
    check_single();
    while (nr > 0)
        page_put(taken[--nr]);
    max_pairs = fake_cpus = 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_pair_for_each_cpu),
        cmocka_unit_test(has_one_pair_without_cause_for_more),
        cmocka_unit_test(takes_frames_of_every_pair),
        cmocka_unit_test(lives_with_a_refusal),
        cmocka_unit_test(sends_connections_by_all_pairs),
        cmocka_unit_test(takes_pairs_by_memory),
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
