#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../net/netif_tcp.c"
#include "../../net/netif_rx.c"

#include "fake_packets.h"

/* Packets that continue each other reach the stack as one that says the same; all else reaches it as it came. */

/* --- what the kernel and lwIP have ----------------------------------------------------------------- */

void arch_copy(void *dst, const void *src, size_t n)
{
    memcpy(dst, src, n);
}

static int nr_pbufs;

struct pbuf *pbuf_alloc(pbuf_layer layer, u16_t n, pbuf_type type)
{
    struct pbuf *p = calloc(1, sizeof(*p));
    p->payload = malloc(n); /* its end is guarded */
    p->len = p->tot_len = n;
    nr_pbufs++;
    return p;
}

u8_t pbuf_remove_header(struct pbuf *p, size_t n)
{
    assert_true(n <= p->len);
    memmove(p->payload, (char *)p->payload + n, p->len - n); /* so that it can be freed */
    p->len = (u16_t)(p->len - n);
    p->tot_len = (u16_t)(p->tot_len - n);
    return 0;
}

u8_t pbuf_free(struct pbuf *p)
{
    for (struct pbuf *next; p; p = next) {
        next = p->next;
        free(p->payload);
        free(p);
        nr_pbufs--;
    }
    return 1;
}

struct pbuf *pbuf_alloced_custom(pbuf_layer l, u16_t n, pbuf_type type, struct pbuf_custom *p,
                                 void *payload, u16_t size)
{
    fail();
    return NULL;
}

void pbuf_cat(struct pbuf *head, struct pbuf *tail)
{
    fail();
}

struct page *page_of(struct paddr p)
{
    return NULL;
}

void page_put(struct page *p)
{
    fail();
}

static unsigned nr_seen; /* by sockets of AF_PACKET */

void packet_see(const struct netif *n, const struct pbuf *p, bool goes_out)
{
    assert_true(!goes_out && !p->next);
    nr_seen++;
}

/* --- the stack ------------------------------------------------------------------------------------- */

static uint8_t got[1 << 20];
static uint32_t got_from, got_to; /* sequence numbers */
static unsigned nr_inputs, nr_unchecked;
static size_t last_len;
static uint8_t last_flags;
static bool refuses;

static err_t take_in(struct pbuf *p, struct netif *n)
{
    static uint8_t frame[1 << 17];
    size_t len = 0;
    bool is_checked = !(n->chksum_flags & NETIF_CHECKSUM_CHECK_TCP);
    nr_inputs++;
    nr_unchecked += is_checked;
    for (struct pbuf *q = p; q; q = q->next) {
        assert_int_equal(q->tot_len + len, p->tot_len);
        memcpy(frame + len, q->payload, q->len);
        len += q->len;
    }
    last_len = len;
    struct tcp_frame t;
    if (netif_tcp_find(frame, MIN(len, 128u), len, &t)) {
        last_flags = t.flags;
        if (is_checked) /* a train, perhaps */
            assert_int_equal(t.is_v6 ? get16(frame + 18) + 40u : get16(frame + 16), len - 14);
        if (is_checked && !t.is_v6)
            assert_int_equal(sum_of(frame + 14, 20), 0xffff);
        if (t.seq == got_to) {
            memcpy(got + (t.seq - got_from), frame + t.payload, t.len);
            got_to += (uint32_t)t.len;
        }
    }
    if (refuses)
        return ERR_MEM;
    pbuf_free(p);
    return ERR_OK;
}

static struct netdev dev = {.netif.input = take_in};

/* --- packets --------------------------------------------------------------------------------------- */

static void set_sum(bool is_v6, size_t len)
{
    unsigned tcp = is_v6 ? V6_HEADERS - 20 : V4_HEADERS - 20;
    put16(packet + tcp + 16, 0);
    if (!is_v6) {
        put16(packet + 24, 0);
        put16(packet + 24, (uint16_t)~sum_of(packet + 14, 20));
    }
    uint8_t pseudo[4] = {0, 6, (uint8_t)((len + 20) >> 8), (uint8_t)(len + 20)};
    uint32_t sum = (is_v6 ? sum_of(packet + 22, 32) : sum_of(packet + 26, 8)) + sum_of(pseudo, 4) +
                   sum_of(packet + tcp, len + 20);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(packet + tcp + 16, (uint16_t)~sum);
}

static size_t make(bool is_v6, uint32_t seq, size_t len, uint8_t flags)
{
    size_t n = make_packet(is_v6, seq, len, flags);
    set_sum(is_v6, len);
    return n;
}

static void receive(size_t n)
{
    assert_false(netdev_receive(&dev, &(struct netdev_seg){packet, n}, 1, 0));
}

static void start(uint32_t seq)
{
    netif_take_train(&dev);
    assert_int_equal(nr_pbufs, 0);
    got_from = got_to = seq;
    nr_inputs = nr_seen = nr_unchecked = 0;
}

static void check_got(uint32_t until)
{
    assert_int_equal(got_to, until);
    for (uint32_t s = got_from; s != until; s++)
        if (got[s - got_from] != byte_at(s))
            fail_msg("byte %u", s - got_from);
}

/* --- tests ----------------------------------------------------------------------------------------- */

static void makes_one_of_a_train(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint32_t seq = 0xffffe000; /* goes round */
        start(seq);
        for (unsigned i = 0; i < 100; i++, seq += MSS)
            receive(make(v6, seq, MSS, TCP_ACK));
        receive(make(v6, seq, 300, TCP_ACK | TCP_PSH));
        seq += 300;
        assert_int_equal(nr_pbufs, 0); /* the last one pushes */
        check_got(seq);
        assert_int_equal(nr_seen, 101);
        assert_int_equal(nr_inputs, 3); /* 44 packets in 64 KiB */
        assert_int_equal(nr_unchecked, 3);
        assert_int_equal(last_flags, TCP_ACK | TCP_PSH);
        assert_int_equal(dev.counts.rx_packets, 101 * (v6 + 1));
    }
}

static void waits_for_the_end_of_the_poll(void **state)
{
    start(5);
    receive(make(false, 5, MSS, TCP_ACK));
    assert_int_equal(nr_inputs, 0);
    netif_take_train(&dev);
    netif_take_train(&dev);
    assert_int_equal(nr_inputs, 1);
    check_got(5 + MSS);
    refuses = true; /* what lwIP does not take is freed here */
    start(5);
    receive(make(false, 5, MSS, TCP_ACK));
    receive(make(false, 5 + MSS, MSS, TCP_ACK));
    netif_take_train(&dev);
    refuses = false;
    assert_int_equal(nr_pbufs, 0);
}

/* In order, and each by itself: what is no part of a train. */
static void lets_others_pass(void **state)
{
    static const struct {
        size_t len;
        uint8_t flags;
    } second[] = {
        {0, TCP_ACK}, {100, TCP_ACK}, {MSS, TCP_ACK | TCP_FIN}, {MSS, TCP_ACK | TCP_URG}, {MSS, 0}};
    for (unsigned i = 0; i < ARRAY_LEN(second); i++) {
        start(5);
        receive(make(false, 5, MSS, TCP_ACK));
        receive(make(false, 5 + MSS, second[i].len, second[i].flags));
        assert_int_equal(nr_inputs, 2);
        assert_int_equal(nr_unchecked, 1); /* lwIP looks at the second itself */
        check_got(5 + MSS + (uint32_t)second[i].len);
        assert_int_equal(last_flags, second[i].flags);
    }
    static const uint32_t at[] = {MSS + 1, MSS - 1, 0};
    for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
        start(5);
        receive(make(false, 5, MSS, TCP_ACK));
        receive(make(false, 5 + at[i], MSS, TCP_ACK));
        netif_take_train(&dev);
        assert_int_equal(nr_inputs, 2);
    }
}

/* Any byte that is not what it was when the sum was made: the packet is not believed, and the stack is told to look. */
static void believes_no_wrong_sum(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        size_t headers = v6 ? V6_HEADERS : V4_HEADERS;
        for (size_t at = v6 ? headers - 52 : 14; at < headers + 600; at++) {
            start(5);
            receive(make(v6, 5, MSS, TCP_ACK));
            size_t n = make(v6, 5 + MSS, MSS, TCP_ACK);
            packet[at] ^= 1u << at % 8;
            receive(n);
            netif_take_train(&dev);
            assert_int_equal(nr_inputs, 2);
            if (nr_unchecked != 1)
                fail_msg("byte %zu", at);
        }
    }
}

/* Headers that differ where a train's are the same, under a right sum. */
static void keeps_others_apart(void **state)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        size_t headers = v6 ? V6_HEADERS : V4_HEADERS, tcp = headers - 20;
        for (size_t at = 0; at < headers; at++) {
            bool is_free = v6 ? false : at == 18 || at == 19 || at == 24 || at == 25;
            if (is_free || at == tcp + 16 || at == tcp + 17)
                continue;
            start(5);
            receive(make(v6, 5, MSS, TCP_ACK));
            size_t n = make(v6, 5 + MSS, MSS, TCP_ACK);
            packet[at] ^= at == tcp + 13 ? TCP_URG : 1;
            set_sum(v6, MSS);
            receive(n);
            netif_take_train(&dev);
            if (nr_inputs != 2)
                fail_msg("byte %zu", at);
        }
    }
}

/* Padded or cut: the IP header says another length than the frame has. */
static void looks_at_the_length(void **state)
{
    for (int more = -10; more <= 10; more++) {
        start(5);
        receive(make(false, 5, MSS, TCP_ACK));
        size_t n = make(false, 5 + MSS, 400, TCP_ACK);
        receive(n + (size_t)(long)more);
        netif_take_train(&dev);
        assert_int_equal(nr_inputs, more == 0 ? 1 : 2);
    }
}

static void survives_anything(void **state)
{
    start(0);
    for (unsigned i = 0; i < 100000; i++) {
        bool is_v6 = fake_random() % 2;
        size_t n = make(is_v6, 5, 256 + fake_random() % 600, TCP_ACK);
        for (unsigned k = fake_random() % 4; k > 0; k--)
            packet[fake_random() % 100] = (uint8_t)fake_random();
        receive(fake_random() % 4 ? n : 14 + fake_random() % (n - 13));
    }
    netif_take_train(&dev);
    assert_int_equal(nr_pbufs, 0);
    assert_int_equal(nr_seen, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_of_a_train), cmocka_unit_test(waits_for_the_end_of_the_poll),
        cmocka_unit_test(lets_others_pass),     cmocka_unit_test(believes_no_wrong_sum),
        cmocka_unit_test(keeps_others_apart),   cmocka_unit_test(looks_at_the_length),
        cmocka_unit_test(survives_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
