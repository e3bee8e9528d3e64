/* A device and lwIP's interface over it: netif.c, what goes out of it: netif_tx.c, and what comes in: netif_rx.c. */
#pragma once

#include <net/ifinfo.h>
#include <net/netdev.h>

#include <lwip/netif.h>

/* A frame that does not go on its way yet, because what follows may continue it. */
struct netif_pending {
    uint8_t *frame; /* NULL: none */
    size_t len, room;
    uint32_t next_seq;           /* of the byte behind it */
    uint16_t tcp, payload, size; /* offsets in it; bytes of payload in the first packet */
    bool is_v6;
};

struct netdev {
    struct netif netif; /* first */
    const struct netdev_ops *ops;
    void *driver;
    unsigned features;
    struct ifinfo_counts counts;
    struct netif_pending pending; /* to be sent */
    /* Received: the frame is in `first`, its later payload in the pbufs behind. */
    struct netif_pending train;
    struct pbuf *first, *last;
    unsigned nr_queued; /* frames that the device was not told of yet */
    /* Packets that it had no room for, in order: each one pbuf, `next` leads to the next packet. */
    unsigned nr_waiting;
    struct pbuf *waiting, *last_waiting;
    bool must_ring; /* atomic: whoever clears it rings */
    struct netdev *next;
};

/* netif.linkoutput */
err_t netif_transmit(struct netif *n, struct pbuf *p);
void netif_drop_waiting(struct netdev *d);
void netif_send_pending(struct netdev *d);
/* All that was sent goes when the device is rung, as far as that has room. */
void netif_flush(struct netdev *d);
void netif_ring(struct netdev *d); /* if it must be */
/* lwIP computes and checks those checksums that the device does not; `checks`: NETIF_CHECKSUM_CHECK_* of the payload. */
void netif_set_checksums(struct netdev *d, unsigned checks);
void netif_take_train(struct netdev *d); /* no more frames for now: the stack gets what waits */
