/* What makes a train of TCP packets: see netif_tcp.h. */
#include <base/string.h>
#include <netif_tcp.h>

#include <lwip/inet_chksum.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/tcp.h>

#define IP_START SIZEOF_ETH_HDR
#define V4_LEN   20u
#define V6_LEN   40u

uint16_t netif_find_header(const uint8_t *f, size_t n, uint8_t protocol, size_t header)
{
    uint16_t type = n >= IP_START + V4_LEN + header ? get16(f + 12) : 0;
    if (type == ETHTYPE_IP && f[IP_START] == 0x45 && f[IP_START + 9] == protocol &&
        !(get16(f + IP_START + 6) & (IP_OFFMASK | IP_MF)))
        return IP_START + V4_LEN;
    if (type == ETHTYPE_IPV6 && f[IP_START + 6] == protocol && n >= IP_START + V6_LEN + header)
        return IP_START + V6_LEN;
    return 0;
}

bool netif_tcp_find(const uint8_t *f, size_t n, size_t len, struct tcp_frame *out)
{
    out->tcp = netif_find_header(f, n, IP_PROTO_TCP, TCP_HLEN);
    if (!out->tcp)
        return false;
    const uint8_t *t = f + out->tcp;
    out->is_v6 = out->tcp == IP_START + V6_LEN;
    out->payload = (uint16_t)(out->tcp + (t[12] >> 4) * 4);
    if (out->payload < out->tcp + TCP_HLEN || out->payload > n)
        return false;
    out->len = len - out->payload;
    out->seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    out->flags = t[13];
    return true;
}

uint32_t netif_pseudo_sum(const uint8_t *f, unsigned at, uint8_t protocol, size_t n)
{
    uint16_t addresses = at == IP_START + V6_LEN ? 32 : 8;
    return (u16_t)~inet_chksum(f + at - addresses, addresses) + lwip_htons(protocol) +
           lwip_htons((u16_t)n);
}

void netif_tcp_set_length(uint8_t *f, size_t len, bool is_v6)
{
    uint8_t *ip = f + IP_START;
    if (is_v6) {
        put16(ip + 4, len - IP_START - V6_LEN);
        return;
    }
    put16(ip + 2, len - IP_START);
    memset(ip + 10, 0, 2);
    uint16_t sum = inet_chksum(ip, V4_LEN);
    memcpy(ip + 10, &sum, sizeof(sum));
}

static bool is_last(const struct netif_pending *w, const struct tcp_frame *t)
{
    return t->len < w->size || (t->flags & TCP_PSH) || w->room - w->len < w->size;
}

bool netif_tcp_begin(struct netif_pending *w, uint8_t *f, size_t len, size_t room,
                     const struct tcp_frame *t)
{
    *w = (struct netif_pending){.frame = f,
                                .len = len,
                                .room = room,
                                .next_seq = t->seq + (uint32_t)t->len,
                                .tcp = t->tcp,
                                .payload = t->payload,
                                .size = (uint16_t)t->len,
                                .is_v6 = t->is_v6};
    return is_last(w, t);
}

struct word {
    uint64_t value;
} __attribute__((packed));
struct half {
    uint32_t value;
} __attribute__((packed));

static inline uint64_t differ(const uint8_t *a, const uint8_t *b)
{
    return ((const struct word *)a)->value ^ ((const struct word *)b)->value;
}

static inline uint32_t differ_half(const uint8_t *a, const uint8_t *b)
{
    return ((const struct half *)a)->value ^ ((const struct half *)b)->value;
}

/* Everything of Ethernet, IP and the ports but lengths, a packet's number and its checksum: bytes 16 to 19 and 24 to 25 of
 * IPv4; 18 and 19 of IPv6. */
static bool differ_below(const uint8_t *a, const uint8_t *b, bool is_v6)
{
    if (differ(a, b) | differ(a + 8, b + 8))
        return true;
    if (!is_v6)
        return differ_half(a + 20, b + 20) | differ(a + 26, b + 26) | differ_half(a + 34, b + 34);
    return differ_half(a + 14, b + 14) | differ_half(a + 20, b + 20) | differ(a + 22, b + 22) |
           differ(a + 30, b + 30) | differ(a + 38, b + 38) | differ(a + 46, b + 46) |
           differ_half(a + 54, b + 54);
}

/* Of TCP the acknowledgement, the header's length, the window, the urgent pointer and options. */
static bool differ_above(const uint8_t *a, const uint8_t *b, size_t n)
{
    const uint64_t flags = 0xffull << 40;
    return (differ(a + 8, b + 8) & ~flags) || get16(a + 18) != get16(b + 18) ||
           (n > TCP_HLEN && memcmp(a + TCP_HLEN, b + TCP_HLEN, n - TCP_HLEN) != 0);
}

bool netif_tcp_continues(const struct netif_pending *w, const uint8_t *h, const struct tcp_frame *t)
{
    const uint8_t *f = w->frame;
    return t->seq == w->next_seq && t->is_v6 == w->is_v6 && t->payload == w->payload &&
           t->len > 0 && t->len <= w->size && w->len + t->len <= w->room &&
           (t->flags & ~TCP_PSH) == TCP_ACK && !differ_below(f, h, t->is_v6) &&
           !differ_above(f + t->tcp, h + t->tcp, (size_t)t->payload - t->tcp);
}

bool netif_tcp_grew(struct netif_pending *w, const struct tcp_frame *t)
{
    w->frame[t->tcp + 13] |= t->flags;
    w->len += t->len;
    w->next_seq = t->seq + (uint32_t)t->len;
    return is_last(w, t);
}
