/* AF_PACKET, between its files: packet.c sockets and what they see, packet_filter.c which of it they want. */
#pragma once

#include <base/types.h>
#include <linux/filter.h>

/* A frame as a filter sees it. */
struct packet_view {
    const uint8_t *bytes;
    uint32_t len;
    uint16_t protocol; /* host byte order */
    uint8_t type;      /* PACKET_* */
    int ifindex;
};

/* Will it end, and does it know no instruction that packet_filter_run does not: 0 or -EINVAL. */
must_check int packet_filter_check(const struct sock_filter *f, unsigned n);
/* How many bytes of the frame are wanted; 0: it is not. */
uint32_t packet_filter_run(const struct sock_filter *f, const struct packet_view *v);

void packet_init(void); /* boot */
