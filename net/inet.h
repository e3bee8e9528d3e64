/* AF_INET and AF_INET6, shared between their files.
 *
 * lwIP is one stack under one sleeping lock, the net lock.  Everything about its control blocks happens under it, in
 * thread context: system calls, and the net thread, which takes packets in and runs the timers.  What packets a call
 * sends to this very machine are delivered before the lock is given back (inet_unlock).
 *
 *   lwip_port.c   the lock, the thread, timers, memory
 *   inet.c        making sockets, addresses, what TCP and UDP share
 *   inet_tcp.c    connections;  inet_tcp_data.c  their bytes
 *   inet_udp.c    datagrams, and raw ones
 *   inet_opt.c    options
 *   inet_proc.c   /proc/net
 *   netif.c       interfaces: loopback, configuration */
#pragma once

#include <core/heap.h>
#include <net/socket.h>

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>

struct tcp_pcb;
struct udp_pcb;
struct raw_pcb;
struct netif;

enum inet_state { INET_NEW, INET_CONNECTING, INET_CONNECTED, INET_LISTENING, INET_CLOSED };

struct inet_sock {
    struct socket s; /* first */
    bool is_v6;
    bool is_raw; /* of the union below it is `raw` */
    /* under the net lock; those marked (r) are also read without it */
    bool is_v6_only;
    enum inet_state state; /* (r) */
    union {
        struct tcp_pcb *tcp; /* NULL: none, or lwIP has freed it */
        struct udp_pcb *udp;
        struct raw_pcb *raw;
    };
    ip_addr_t local, peer;
    uint16_t local_port, peer_port; /* 0: none */

    /* receiving */
    struct pbuf *rx, *rx_last; /* TCP: bytes in order; tot_len means nothing here */
    unsigned rx_offset;        /* of the first pbuf: read so far */
    size_t rx_bytes;           /* (r) TCP: bytes; else cost of the queue */
    bool has_eof;              /* (r) the peer's FIN came */
    struct list datagrams;     /* (r) struct inet_datagram.node */
    /* sending */
    bool is_full;  /* (r) TCP: somebody was told so, and wants to hear when it is not */
    bool can_send; /* (r) TCP */
    bool is_corked, sent_fin;
    bool has_arrived; /* (r) TCP: while it lingers: the peer has everything, our FIN included */
    struct list linger_node; /* inet_tcp.c's */
    /* a listener's */
    struct list accepts; /* struct inet_sock.accept_node */
    unsigned nr_accepts; /* (r) */
    unsigned backlog;
    struct list accept_node;
    struct inet_sock *listener; /* of one that was not accepted yet */
    /* options */
    uint8_t tos, ttl, multicast_ttl;
    bool multicast_loop;
    int mtu_discover;
    bool wants_pktinfo, wants_ttl, wants_tos;
    unsigned drops;       /* UDP: datagrams that found no room */
    struct list all_node; /* UDP: inet_all_udp's */
};

static inline struct inet_sock *inet_of(struct socket *s)
{
    return (struct inet_sock *)s;
}

/* --- lwip_port.c */
void inet_port_init(void); /* boot */
void inet_lock(void);
void inet_unlock(void); /* delivers what is for this machine first */
/* The lock for a look from /proc, inside of the locks of an open file.  Who holds it otherwise reads nothing in /proc, so
 * nobody waits in a circle.  Between the two nothing is sent. */
void inet_look(void);
void inet_unlook(void);
/* Bring the stack up; the first caller does it. */
void inet_start(void);
void inet_kick(void); /* packets have come: the net thread looks; any context */

/* --- inet.c */
void inet_init(void); /* boot */
struct inet_sock *inet_new(const struct socket_ops *ops, int family, int type,
                           int protocol) must_check;
/* lwIP's answer as an errno. */
int inet_errno(int err);
/* A user's address: 0, -EINVAL, -EAFNOSUPPORT. */
must_check int inet_get_addr(const struct inet_sock *i, const struct socket_addr *a, ip_addr_t *ip,
                             uint16_t *port);
void inet_put_addr(const struct inet_sock *i, const ip_addr_t *ip, uint16_t port,
                   struct socket_addr *a);
/* bind(2)'s checks of an address: 0, -EADDRNOTAVAIL, -EACCES. */
must_check int inet_check_bind(const struct inet_sock *i, ip_addr_t *ip, uint16_t port);
int inet_getname(struct socket *s, struct socket_addr *addr, bool peer);
/* The unspecified destination means this machine. */
void inet_fix_destination(ip_addr_t *ip);
long inet_ioctl(struct socket *s, unsigned cmd, struct uptr arg);

/* --- inet_tcp.c */
struct inet_sock *inet_tcp_new(int family) must_check;
/* Callbacks of a connection's control block; err: the block is gone. */
void inet_tcp_attach(struct inet_sock *i, struct tcp_pcb *pcb);
void inet_tcp_detach(struct inet_sock *i); /* both directions are over: lwIP ends it alone */
void inet_tcp_update(struct inet_sock *i); /* can_send, from the control block */
void inet_tcp_check_linger(void); /* packets were taken in: who waited for an answer has it? */
void inet_tcp_forget_ended(
    void); /* connections without a socket, unfinished packets; the net lock is held */
extern const struct socket_ops inet_tcp_ops;

/* --- inet_tcp_data.c */
ssize_t inet_tcp_send(struct socket *s, struct socket_msg *m);
ssize_t inet_tcp_recv(struct socket *s, struct socket_msg *m);
void inet_tcp_drop_rx(struct inet_sock *i);

/* --- inet_udp.c */
struct inet_datagram {
    struct list node;
    struct pbuf *p;
    ip_addr_t from, to;
    uint16_t from_port;
    uint8_t ttl, tos;
    int ifindex;
    uint64_t arrived_ns; /* wall clock; for SO_TIMESTAMP */
};
struct inet_sock *inet_udp_new(int family) must_check;
struct inet_sock *inet_raw_new(int family, int type, int protocol) must_check;
extern struct list inet_all_udp; /* under the net lock: struct inet_sock.all_node */
void inet_watch_icmp(void);      /* errors for datagram sockets */

/* --- inet_opt.c */
extern const uint8_t inet_tcp_state_of[]; /* Linux's number of lwIP's */
int inet_setsockopt(struct socket *s, int level, int name, const void *value, unsigned len);
int inet_getsockopt(struct socket *s, int level, int name, void *value, unsigned *len);

/* --- netlink.c */
void netlink_init(void); /* boot */

/* --- netif.c */
struct ifinfo_counts *netif_counts(const struct netif *n);
void netif_init_all(void);
