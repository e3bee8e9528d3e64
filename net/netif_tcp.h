/* TCP packets in Ethernet frames, as far as trains of them are put together: on their way out (netif_tx.c) and in
 * (netif_rx.c). */
#pragma once

#include <netif_dev.h>

#define NETIF_MIN_MERGED 256u /* bytes of payload that are worth it */

/* Where a TCP packet has what: offsets in the frame. */
struct tcp_frame {
    uint16_t tcp, payload;
    size_t len; /* of the payload */
    uint32_t seq;
    uint8_t flags;
    bool is_v6;
};

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void put16(uint8_t *p, size_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Is it one?  `n` of the frame's `len` bytes are at f.  Not one: fragments, and IP headers with options. */
bool netif_tcp_find(const uint8_t *f, size_t n, size_t len, struct tcp_frame *out);
/* Where a packet of the protocol has its header of so many bytes; 0: it is none.  `n` of its bytes are at f. */
uint16_t netif_find_header(const uint8_t *f, size_t n, uint8_t protocol, size_t header);
/* The sum of the addresses, the protocol and `n`, the bytes of the packet from its header at `at` on: not folded. */
uint32_t netif_pseudo(const uint8_t *f, unsigned at, uint8_t protocol, size_t n);
/* The frame has become `len` bytes long: its IP header says so. */
void netif_tcp_set_length(uint8_t *f, size_t len, bool is_v6);
/* `w` begins with the packet `t` in the frame of `len` bytes at f, and may become `room` bytes long.  True: nothing can
 * follow. */
bool netif_tcp_begin(struct netif_pending *w, uint8_t *f, size_t len, size_t room,
                     const struct tcp_frame *t);
/* Does the packet with its headers at `h` continue the pending frame? */
bool netif_tcp_continues(const struct netif_pending *w, const uint8_t *h,
                         const struct tcp_frame *t);
/* The pending frame has grown by the packet's payload.  True: nothing can follow. */
bool netif_tcp_grew(struct netif_pending *w, const struct tcp_frame *t);
