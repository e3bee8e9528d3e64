/* Network devices, between their drivers (net/dev) and the stack. */
#pragma once

#include <base/types.h>

struct netdev_seg {
    const void *p;
    size_t len;
};

/* Called under the net lock, in thread context. */
struct netdev_ops {
    /* Send one frame of `n` bytes, copied before this answers; false: dropped. */
    bool (*transmit)(void *driver, const struct netdev_seg *seg, unsigned nr, size_t n);
    /* Hand received frames to netdev_receive, until there are none. */
    void (*poll)(void *driver);
};

struct netdev;

/* A device that works from now on; its name is eth0 or the next.  NULL: no memory.  Boot, thread context. */
struct netdev *netdev_add(const struct netdev_ops *ops, void *driver, const uint8_t mac[6],
                          unsigned mtu, bool has_link);
/* From ops->poll: a frame, which is copied. */
void netdev_receive(struct netdev *d, const void *frame, size_t n);
void netdev_set_link(struct netdev *d, bool has_link); /* from ops->poll */
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
void netdev_on_resolv(netdev_resolv_fn *fn); /* boot */
