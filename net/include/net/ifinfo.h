/* What there is to tell of the network interfaces: for netlink, ioctls and /proc. */
#pragma once

#include <base/types.h>

/* From <linux/if_arp.h>, which needs a C library's headers. */
#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772

#define IFINFO_ADDRS 4

/* A neighbour by IPv4 whose hardware address is known. */
struct ifinfo_neighbour {
    unsigned index; /* of the interface */
    uint32_t ip4;   /* network byte order */
    uint8_t mac[6];
};

/* Since the machine began; the loopback interface receives all that it sends. */
struct ifinfo_counts {
    uint64_t rx_bytes, rx_packets, rx_dropped, tx_bytes, tx_packets, tx_dropped;
};

struct ifinfo {
    unsigned index; /* from 1 */
    char name[16];
    bool is_loopback, is_up, has_link;
    unsigned mtu;
    uint8_t mac[6];
    uint32_t ip4, mask4, gateway4; /* network byte order; 0: none */
    struct ifinfo_counts counts;
    unsigned nr_ip6;
    struct {
        uint8_t ip[16];
        bool is_link_local;
    } ip6[IFINFO_ADDRS];
};

/* The interface with this index; false: there is none.  Otherwise as ifinfo_next. */
bool ifinfo_at(int index, struct ifinfo *out) must_check;
/* The interface with the least index >= `index`; false: there is none.  Brings the stack up.  Thread context. */
bool ifinfo_next(unsigned index, struct ifinfo *out);
/* The interface of that name; false: there is none. */
bool ifinfo_find(const char *name, struct ifinfo *out);
/* The neighbour at `*at` (from 0) of the ARP cache or after, and the place behind it; false: there is none.  Thread context. */
bool ifinfo_next_neighbour(unsigned *at, struct ifinfo_neighbour *out);
/* SIOCGIF*, which every socket answers, but for addresses, which are IPv4's; -ENOTTY: not one of them. */
long ifinfo_ioctl(int family, unsigned cmd, struct uptr arg);
/* SIOCGIFCONF: the interfaces that have an IPv4 address, each as a struct ifreq of `size` bytes (at least 32), as many as
 * `room` bytes hold.  The bytes filled, or, if `to` is NULL, needed; -EFAULT. */
long ifinfo_list(struct uptr to, size_t room, size_t size);
/* Boot: /sys/class/net has the interface with this index from now on. */
void ifinfo_publish(unsigned index);
/* As 12:34:56:78:9a:bc. */
struct text;
void ifinfo_print_mac(struct text *t, const uint8_t mac[6]);
/* Linux's IFF_* flags of it. */
unsigned ifinfo_flags(const struct ifinfo *i);
