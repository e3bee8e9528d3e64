#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../net/netif_tcp.c"
#include "../../net/netif_tx.c"

#include "fake_packets.h"

/* Packets that continue each other become one frame, and what the device makes of it is what was sent. */

/* --- lwIP and the device --------------------------------------------------------------------------- */

u16_t pbuf_copy_partial(const struct pbuf *p, void *to, u16_t len, u16_t offset)
{
    assert_true(offset + len <= p->len);
    memcpy(to, (const char *)p->payload + offset, len);
    return len;
}

struct pbuf *pbuf_clone(pbuf_layer layer, pbuf_type type, struct pbuf *p)
{
    struct pbuf *copy = test_malloc(sizeof(*copy) + p->len);
    *copy = *p;
    copy->payload = memcpy(copy + 1, p->payload, p->len);
    copy->next = NULL;
    return copy;
}

u8_t pbuf_free(struct pbuf *p)
{
    assert_null(p->next);
    test_free(p);
    return 1;
}

void inet_timers_sent(void)
{
}

static unsigned nr_seen; /* by sockets of AF_PACKET */

void packet_see(const struct netif *n, const struct pbuf *p, bool goes_out)
{
    (void)n;
    assert_true(goes_out && p->tot_len > 0);
    nr_seen++;
}

static uint8_t buffer[1 << 16];
static size_t room;
static bool is_begun, is_out;
static unsigned frames_left; /* until is_out; 0: no end */

/* What the wire sees: each packet's TCP payload, cut and checked as a device would. */
static uint8_t wire[1 << 20];
static uint32_t wire_from, wire_to; /* sequence numbers */
static unsigned nr_frames, nr_packets, nr_plain, nr_told, nr_datagrams, nr_rung;
static uint8_t last_flags;

static void *begin_frame(void *driver, struct netdev_seg head, size_t n, bool is_large, size_t *to)
{
    assert_false(is_begun);
    assert_true(head.len >= 14 &&
                (get16(head.p + 12) == ETHTYPE_IP || get16(head.p + 12) == ETHTYPE_IPV6));
    if (is_out)
        return NULL;
    is_begun = true;
    is_out = frames_left > 0 && --frames_left == 0;
    *to = is_large ? room : MAX(n, 1600u);
    memset(buffer, 0xee, sizeof(buffer));
    return buffer;
}

/* The checksum's field has the addresses' part. */
static bool check_sum_place(unsigned start, size_t n, uint8_t protocol, unsigned offset)
{
    bool is_v6 = get16(buffer + 12) == ETHTYPE_IPV6;
    uint8_t pseudo[4] = {0, protocol, (uint8_t)((n - start) >> 8), (uint8_t)(n - start)};
    uint32_t sum = (is_v6 ? sum_of(buffer + 22, 32) : sum_of(buffer + 26, 8)) + sum_of(pseudo, 4);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return get16(buffer + start + offset) == sum;
}

static void send_frame(void *driver, size_t n, const struct netdev_offload *o)
{
    assert_true(is_begun);
    is_begun = false;
    nr_frames++;
    if (!o->csum_start) {
        nr_plain++;
        return;
    }
    bool is_v6 = get16(buffer + 12) == ETHTYPE_IPV6;
    uint8_t *ip = buffer + 14, *tcp = buffer + o->csum_start;
    size_t payload = n - o->headers;
    if (o->csum_offset == 6) {
        assert_true(check_sum_place(o->csum_start, n, 17, 6) && o->gso_size == 0);
        nr_datagrams++;
        return;
    }
    assert_int_equal(o->is_v6, is_v6);
    assert_int_equal(o->csum_offset, 16);
    assert_int_equal(o->headers, o->csum_start + (tcp[12] >> 4) * 4);
    assert_int_equal(get16(ip + (is_v6 ? 4 : 2)), n - 14 - (is_v6 ? 40 : 0));
    if (!is_v6)
        assert_int_equal(sum_of(ip, 20), 0xffff);
    assert_true(check_sum_place(o->csum_start, n, 6, 16));
    assert_true(o->gso_size ? payload > o->gso_size : payload <= MSS);
    nr_packets += o->gso_size ? (unsigned)((payload + o->gso_size - 1) / o->gso_size) : 1;
    uint32_t seq = (uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6);
    last_flags = tcp[13];
    assert_int_equal(seq, wire_to);
    memcpy(wire + (seq - wire_from), buffer + o->headers, payload);
    wire_to += (uint32_t)payload;
}

static void told(void *driver)
{
    assert_false(is_begun);
    nr_told++;
}

static void rung(void *driver)
{
    assert_false(is_begun);
    nr_rung++;
}

static const struct netdev_ops ops = {begin_frame, send_frame, NULL, rung, NULL};
static const struct netdev_ops flushed_ops = {begin_frame, send_frame, told, NULL, NULL};
static struct netdev dev = {.ops = &ops};

/* --- packets --------------------------------------------------------------------------------------- */

static err_t transmit(size_t n)
{
    struct pbuf p = {.payload = packet, .len = (u16_t)n, .tot_len = (u16_t)n};
    return netif_transmit(&dev.netif, &p);
}

static void start(unsigned features, uint32_t seq)
{
    netif_send_pending(&dev);
    dev.features = features;
    room = 32768;
    wire_from = wire_to = seq;
    nr_frames = nr_packets = nr_plain = nr_seen = nr_datagrams = 0;
}

static void check_wire(uint32_t until)
{
    assert_int_equal(wire_to, until);
    for (uint32_t s = wire_from; s != until; s++)
        if (wire[s - wire_from] != byte_at(s))
            fail_msg("byte %u", s - wire_from);
}

#define ALL (NETDEV_CSUM | NETDEV_TSO4 | NETDEV_TSO6)

static void merges_a_train(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint32_t seq = 0xffffe000; /* goes round */
        start(ALL, seq);
        for (unsigned i = 0; i < 50; i++, seq += MSS)
            transmit(make_packet(v6, seq, MSS, TCP_ACK));
        transmit(make_packet(v6, seq, 100, TCP_ACK | TCP_PSH));
        seq += 100;
        assert_false(is_begun); /* the last one pushes */
        check_wire(seq);
        assert_int_equal(nr_packets, 51);
        assert_int_equal(nr_seen, 51);  /* each as lwIP made it */
        assert_int_equal(nr_frames, 3); /* 22 packets in 32 KiB */
        assert_int_equal(last_flags, TCP_ACK | TCP_PSH);
    }
}

static void waits_no_longer_than_it_must(void **state)
{
    start(ALL, 5);
    transmit(make_packet(false, 5, MSS, TCP_ACK));
    assert_true(is_begun);
    netif_ring(&dev);
    nr_told = nr_rung = 0;
    netif_flush(&dev);
    netif_flush(&dev);
    assert_int_equal(nr_rung, 0); /* that is for when the lock has been given back */
    netif_ring(&dev);
    netif_ring(&dev);
    assert_int_equal(nr_rung, 1);
    check_wire(5 + MSS);
    assert_int_equal(nr_frames, 1);
    dev.ops = &flushed_ops;
    start(ALL, 5);
    transmit(make_packet(false, 5, MSS, TCP_ACK));
    netif_flush(&dev);
    netif_flush(&dev);
    assert_int_equal(nr_told, 1);
    netif_ring(&dev);
    assert_int_equal(nr_rung, 1);
    dev.ops = &ops;
    start(ALL, 5);
    transmit(make_packet(false, 5, MSS, TCP_ACK | TCP_PSH));
    assert_false(is_begun);
    start(NETDEV_CSUM, 5);
    transmit(make_packet(false, 5, MSS, TCP_ACK));
    assert_false(is_begun);
    start(NETDEV_CSUM | NETDEV_TSO4, 5);
    transmit(make_packet(true, 5, MSS, TCP_ACK));
    assert_false(is_begun);
    start(0, 5);
    transmit(make_packet(false, 5, MSS, TCP_ACK));
    assert_int_equal(nr_plain, 1);
}

/* What finds no room goes later, in order and before what comes then; merged, if it can be. */
static void queues_what_finds_no_room(void **state)
{
    static const uint32_t sizes[] = {MSS, 3, MSS, MSS, 0};
    for (unsigned features = 0; features <= ALL; features += ALL) {
        uint32_t seq = 5;
        start(features | NETDEV_CSUM, seq);
        is_out = true;
        unsigned nr = 0, dropped = dev.counts.tx_dropped;
        for (; transmit(make_packet(false, seq, sizes[nr % 5], TCP_ACK)) == ERR_OK; nr++)
            seq += sizes[nr % 5];
        assert_int_equal(nr, QUEUE_MAX);
        assert_int_equal(nr_seen, nr);
        assert_int_equal(dev.counts.tx_dropped, dropped + 1);
        netif_flush(&dev);
        assert_int_equal(nr_frames, 0);
        /* Room for a few at a time. */
        while (dev.nr_waiting > 0) {
            is_out = false;
            frames_left = 3;
            netif_flush(&dev);
            assert_false(is_begun);
            if (dev.nr_waiting > 0 && dev.nr_waiting < 100) {
                uint32_t len = (uint32_t)fake_random() % 3;
                assert_int_equal(transmit(make_packet(false, seq, len, TCP_ACK)), ERR_OK);
                seq += len;
            }
        }
        frames_left = 0;
        is_out = false;
        transmit(make_packet(false, seq, 10, TCP_ACK | TCP_PSH));
        check_wire(seq + 10);
        assert_true(features ? nr_frames < nr_packets : nr_frames == nr_packets);
    }
}

/* Any byte of the headers that differs keeps packets apart, except those that differ by nature. */
static void keeps_others_apart(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        size_t headers = v6 ? V6_HEADERS : V4_HEADERS, tcp = headers - 20;
        for (size_t at = 0; at < headers; at++) {
            bool is_free =
                v6 ? at == 18 || at == 19
                   : at == 18 || at == 19 || at == 24 || at == 25 || at == 16 || at == 17;
            if (is_free || at == tcp + 16 || at == tcp + 17)
                continue;
            start(ALL, 5);
            transmit(make_packet(v6, 5, MSS, TCP_ACK));
            size_t n = make_packet(v6, 5 + MSS, MSS, TCP_ACK);
            packet[at] ^= at == tcp + 12 ? 0x20 : at == tcp + 13 ? TCP_URG : 1;
            struct netif_pending before = dev.pending;
            struct tcp_frame t;
            bool is_tcp = find_tcp(packet, n, n, &t);
            if (is_tcp && netif_tcp_continues(&before, packet, &t))
                fail_msg("byte %zu", at);
        }
    }
}

static void ends_with_what_is_no_train(void **state)
{
    static const struct {
        uint32_t gap;
        size_t len;
        uint8_t flags;
    } second[] = {{MSS, 0, TCP_ACK},
                  {MSS, 10, TCP_ACK | TCP_FIN},
                  {MSS, MSS, TCP_ACK | TCP_URG},
                  {MSS, MSS, TCP_RST}};
    for (unsigned i = 0; i < ARRAY_LEN(second); i++) {
        start(ALL, 5);
        transmit(make_packet(false, 5, MSS, TCP_ACK));
        transmit(make_packet(false, 5 + second[i].gap, second[i].len, second[i].flags));
        netif_send_pending(&dev);
        assert_int_equal(nr_frames, 2);
        assert_int_equal(last_flags, second[i].flags);
    }
    /* A gap, an overlap, a longer one. */
    static const uint32_t at[] = {MSS + 1, MSS - 1, 0};
    for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
        start(ALL, 5);
        transmit(make_packet(false, 5, MSS, TCP_ACK));
        netif_send_pending(&dev);
        wire_to = 5 + at[i];
        transmit(make_packet(false, 5 + at[i], MSS, TCP_ACK));
        netif_send_pending(&dev);
        assert_int_equal(nr_frames, 2);
    }
    start(ALL, 5);
    transmit(make_packet(false, 5, 1000, TCP_ACK));
    transmit(make_packet(false, 1005, MSS, TCP_ACK));
    netif_send_pending(&dev);
    check_wire(1005 + MSS);
    assert_int_equal(nr_frames, 2);
}

/* A datagram as lwIP makes it, with a checksum or without. */
static size_t make_datagram(bool is_v6, size_t len, uint16_t sum)
{
    size_t n = make_packet(is_v6, 5, len - 12, TCP_ACK),
           udp = is_v6 ? V6_HEADERS - 20 : V4_HEADERS - 20;
    packet[is_v6 ? 20 : 23] = 17;
    put16(packet + udp + 4, len + 8);
    put16(packet + udp + 6, sum);
    return n;
}

static void leaves_datagrams_to_the_device(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        size_t udp = v6 ? V6_HEADERS - 20 : V4_HEADERS - 20;
        start(ALL, 5);
        transmit(make_packet(v6, 5, MSS, TCP_ACK));
        transmit(make_datagram(v6, 500, 0));
        assert_false(is_begun); /* neither waits for the other's like */
        assert_int_equal(nr_frames, 2);
        assert_int_equal(nr_datagrams, 1);
        transmit(make_datagram(v6, 500, 0x1234));
        /* Lengths that do not fit, and a fragment: the sum is not over what the frame has. */
        size_t n = make_datagram(v6, 500, 0);
        packet[udp + 5]++;
        transmit(n);
        n = make_datagram(v6, 500, 0);
        packet[20] = v6 ? 44 : 0x20;
        transmit(n);
        assert_int_equal(nr_datagrams, 1);
        assert_int_equal(nr_plain, 3);
        start(0, 5);
        transmit(make_datagram(v6, 500, 0));
        assert_int_equal(nr_datagrams, 0);
    }
}

/* Whatever a raw socket sends: read no further than it reaches. */
static void survives_anything(void **state)
{
    start(ALL, 0);
    for (unsigned i = 0; i < 300000; i++) {
        size_t n = 14 + fake_random() % 120;
        uint8_t *exact = malloc(n); /* its end is guarded */
        size_t made = make_packet(fake_random() % 2, 5, 60, TCP_ACK);
        memcpy(exact, packet, MIN(n, made));
        for (unsigned k = fake_random() % 6; k > 0; k--)
            exact[fake_random() % n] = (uint8_t)fake_random();
        struct tcp_frame t = {0};
        size_t len = n + fake_random() % 1000;
        if (find_tcp(exact, n, len, &t))
            assert_true(t.payload <= n && t.len <= len && t.tcp + 20u <= t.payload);
        assert_true(find_udp(exact, n, len) + 8u <= n);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_a_train),
        cmocka_unit_test(waits_no_longer_than_it_must),
        cmocka_unit_test(keeps_others_apart),
        cmocka_unit_test(ends_with_what_is_no_train),
        cmocka_unit_test(leaves_datagrams_to_the_device),
        cmocka_unit_test(queues_what_finds_no_room),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
