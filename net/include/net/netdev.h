/* Network devices, between their drivers (net/dev) and the stack. */
#pragma once

#include <base/types.h>

struct netdev;
struct netdev_seg {
    void *p;
    size_t len;
};

/* What a device does by itself. */
enum netdev_features {
    NETDEV_CSUM = 1, /* fills in the checksum of a packet of TCP or UDP */
    NETDEV_TSO4 = 2, /* cuts a long TCP packet into several; with NETDEV_CSUM */
    NETDEV_TSO6 = 4,
};

/* What is left to the device; offsets from the frame's start. */
struct netdev_offload {
    uint16_t csum_start,
        csum_offset;   /* the sum from csum_start on goes to csum_offset behind it; 0: nowhere */
    uint16_t gso_size; /* bytes of payload in each packet; 0: the frame is one */
    uint16_t headers;  /* bytes before the payload, with gso_size */
    bool is_v6;
};

/* Called under the net lock, by a thread or an idle CPU: they do not sleep. */
struct netdev_ops {
    /* Memory to write a frame of n bytes to, or more, up to *room; is_large: as much room as there is.  `head` is how it
     * begins, at least its Ethernet header.  NULL: none is free until the driver calls netdev_interrupt, but for what it
     * was not told of by `flush` or `ring`.  `send` follows before the next `begin`. */
    void *(*begin)(void *driver, struct netdev_seg head, size_t n, bool is_large, size_t *room);
    /* Queue the n bytes that were written there. */
    void (*send)(void *driver, size_t n, const struct netdev_offload *o);
    /* Nothing more follows for now: tell the device of what was queued.  Of the two one is NULL. */
    void (*flush)(void *driver);
    /* The same without the net lock, as under a hypervisor it may take as long as that pleases. */
    void (*ring)(void *driver);
    /* Hand received frames to netdev_receive, until there are none. */
    void (*poll)(void *driver, struct netdev *d);
};

/* A device that works from now on; its name is eth0 or the next.  NULL: no memory.  Boot, thread context. */
struct netdev *netdev_add(const struct netdev_ops *ops, void *driver, const uint8_t mac[6],
                          unsigned mtu, unsigned features, bool has_link);

#define NETDEV_BLOCK    2048u /* bytes: aligned; the first of what the stack keeps of a frame */
#define NETDEV_HEADROOM 64u   /* the stack's own at the start of it */
enum netdev_received {
    NETDEV_VALID = 1, /* the checksums of its payload are known to be right */
    /* Each part starts in a block of its own, behind the headroom, and has a reference to its page, which the stack takes
     * over with the part, unless the frame is too long for it. */
    NETDEV_BLOCKS = 2,
};
/* From ops->poll: a frame in nr parts (at least one).  True: the parts were kept; false: it was copied, or dropped. */
bool netdev_receive(struct netdev *d, const struct netdev_seg *parts, unsigned nr, unsigned how);
void netdev_set_link(struct netdev *d, bool has_link); /* from ops->poll */
/* From ops->poll: do so again in `ns` at the latest, as no interrupt may come. */
void netdev_poll_again(uint64_t ns);
/* Something to poll has come.  Any context. */
void netdev_interrupt(void);

/* What the command line says of the first device: NULL or "" for DHCP, "off", or Linux's ip= with addresses.  Boot,
 * before any device is added. */
void netdev_configure(const char *ip);

/* For the stack. */
void netdev_poll_all(void);
struct ip_addr;
void netdev_set_nameserver(unsigned number, const struct ip_addr *server);
/* Name servers that are known, as text lines for resolv.conf, when they change.  Thread context. */
typedef void netdev_resolv_fn(const char *text);
void netdev_on_resolv(netdev_resolv_fn *fn); /* boot, after the last device was added */
