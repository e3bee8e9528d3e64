#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "../../net/inet_chksum.c"

#include "fake_random.h"

/* The Internet's sum of chains of buffers of any lengths is that of their bytes in a row, written down as in RFC 1071. */

#define BYTES_MAX 4000u
#define PARTS_MAX 9

uint64_t arch_sum(const void *bytes, size_t n)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < n; at += 8) {
        uint64_t word = 0;
        memcpy(&word, (const char *)bytes + at, MIN(n - at, (size_t)8));
        sum = add(sum, word);
    }
    return sum;
}

static uint32_t sum_of_bytes(uint32_t sum, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static u16_t complement(uint32_t sum)
{
    return lwip_htons((u16_t)~sum);
}

static uint8_t bytes[BYTES_MAX];

static unsigned random_below(unsigned n)
{
    return (unsigned)(fake_random() % n);
}

/* `bytes` as a chain of up to PARTS_MAX parts, some of them empty; how many bytes. */
static size_t make_chain(struct pbuf part[PARTS_MAX])
{
    unsigned nr = 1 + random_below(PARTS_MAX), is_dense = random_below(2);
    size_t n = 0;
    for (unsigned i = 0; i < nr; i++) {
        unsigned len = random_below(random_below(2) ? 20 : BYTES_MAX / PARTS_MAX);
        part[i] = (struct pbuf){.payload = bytes + n, .len = (u16_t)len};
        part[i].next = i + 1 < nr ? &part[i + 1] : NULL;
        n += len;
    }
    for (size_t i = 0; i < n; i++)
        bytes[i] = is_dense ? 0xff : (uint8_t)fake_random();
    return n;
}

static void test_chains(void **state)
{
    struct pbuf part[PARTS_MAX];
    for (int i = 0; i < 20000; i++) {
        size_t n = make_chain(part);
        u16_t wanted = complement(sum_of_bytes(0, bytes, n));
        assert_int_equal(inet_chksum(bytes, (u16_t)n), wanted);
        assert_int_equal(inet_chksum_pbuf(part), wanted);
    }
}

static void fill(void *to, size_t n)
{
    bool is_full = random_below(4) == 0;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = is_full ? 0xff : (uint8_t)fake_random();
}

static void test_pseudo_headers(void **state)
{
    struct pbuf part[PARTS_MAX];
    for (int i = 0; i < 20000; i++) {
        bool is_v6 = i % 2;
        u8_t protocol = random_below(2) ? 6 : 255;
        ip_addr_t src = {0}, dst = {0};
        size_t n = make_chain(part), of_address = is_v6 ? 16 : 4;
        fill(&src.u_addr, of_address);
        fill(&dst.u_addr, of_address);
        IP_SET_TYPE_VAL(src, is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
        IP_SET_TYPE_VAL(dst, is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
        uint32_t sum = sum_of_bytes(0, &src.u_addr, of_address);
        sum = sum_of_bytes(sum, &dst.u_addr, of_address) + protocol + (uint32_t)n;
        assert_int_equal(ip_chksum_pseudo(part, protocol, (u16_t)n, &src, &dst),
                         complement(sum_of_bytes(sum, bytes, n)));
    }
}

/* What was sent with its sum in it sums up to nothing, and one bit that changed is seen. */
static void test_receivers_view(void **state)
{
    for (int i = 0; i < 2000; i++) {
        size_t n = 2 + 2 * random_below(700);
        fill(bytes, n);
        memset(bytes, 0, 2);
        u16_t sum = inet_chksum(bytes, (u16_t)n);
        memcpy(bytes, &sum, 2);
        assert_int_equal(inet_chksum(bytes, (u16_t)n), 0);
        bytes[random_below((unsigned)n)] ^= (uint8_t)(1u << random_below(8));
        assert_int_not_equal(inet_chksum(bytes, (u16_t)n), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_pseudo_headers),
        cmocka_unit_test(test_receivers_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
