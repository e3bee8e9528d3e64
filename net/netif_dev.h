/* A device and lwIP's interface over it: netif.c, and what goes out of it: netif_tx.c. */
#pragma once

#include <net/ifinfo.h>
#include <net/netdev.h>

#include <lwip/netif.h>

/* A frame that is written but not sent yet, because what follows may continue it. */
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
    struct netif_pending pending;
    unsigned nr_queued; /* frames that the device was not told of yet */
    unsigned
        nr_waiting; /* packets that it had no room for, in order: each one pbuf, `next` leads to the next packet */
    struct pbuf *waiting, *last_waiting;
    struct netdev *next;
};

/* netif.linkoutput */
err_t netif_transmit(struct netif *n, struct pbuf *p);
void netif_drop_waiting(struct netdev *d);
void netif_send_pending(struct netdev *d);
void netif_flush(struct netdev *d); /* all that was sent goes now, as far as the device has room */
