/* The Internet's checksum (RFC 1071), in place of lwIP's own, which adds two bytes at a time.
 *
 * A sum of quadwords whose carries go round is, folded, the sum of their halves: the order of bytes does not matter to it,
 * and so neither do the places of addresses, protocol and length of the pseudo header. */
#include <arch/arch.h>
#include <base/types.h>

#include <lwip/inet_chksum.h>

static uint64_t add(uint64_t sum, uint64_t more)
{
    return __builtin_add_overflow(sum, more, &sum) ? sum + 1 : sum;
}

/* Halves added to halves that have changed places: the upper one of the sum has the lower one's carry in it. */
static short_inline u16_t fold(uint64_t sum)
{
    uint32_t n = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
    return (u16_t)((n + (n << 16 | n >> 16)) >> 16);
}

/* A part that begins at an odd place has its bytes the other way round. */
static uint64_t sum_of(const struct pbuf *p)
{
    uint64_t sum = 0;
    bool is_odd = false;
    for (; p; p = p->next) {
        uint64_t part = arch_sum(p->payload, p->len);
        sum = add(sum, is_odd ? part << 8 | part >> 56 : part);
        is_odd ^= p->len % 2;
    }
    return sum;
}

u16_t inet_chksum(const void *bytes, u16_t n)
{
    return (u16_t)~fold(arch_sum(bytes, n));
}

u16_t inet_chksum_pbuf(struct pbuf *p)
{
    return (u16_t)~fold(sum_of(p));
}

/* `sum` and what both families add to it. */
static u16_t with_pseudo(const struct pbuf *p, u8_t protocol, u16_t n, uint64_t sum)
{
    return (u16_t)~fold(add(sum_of(p), sum + lwip_htons(protocol) + lwip_htons(n)));
}

u16_t ip6_chksum_pseudo(struct pbuf *p, u8_t protocol, u16_t n, const ip6_addr_t *src,
                        const ip6_addr_t *dst)
{
    return with_pseudo(p, protocol, n,
                       (uint64_t)fold(arch_sum(src->addr, sizeof(src->addr))) +
                           fold(arch_sum(dst->addr, sizeof(dst->addr))));
}

u16_t ip_chksum_pseudo(struct pbuf *p, u8_t protocol, u16_t n, const ip_addr_t *src,
                       const ip_addr_t *dst)
{
    if (IP_IS_V6(dst))
        return ip6_chksum_pseudo(p, protocol, n, ip_2_ip6(src), ip_2_ip6(dst));
    return with_pseudo(p, protocol, n,
                       (uint64_t)ip4_addr_get_u32(ip_2_ip4(src)) + ip4_addr_get_u32(ip_2_ip4(dst)));
}
