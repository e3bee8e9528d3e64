/* AF_INET and AF_INET6, shared between their files.
 *
 * lwIP is one stack under one sleeping lock, the net lock.  Everything about its control blocks happens under it, in
 * thread context: system calls, and the net thread, which takes packets in and runs the timers.  What packets a call
 * sends to this very machine are delivered before the lock is given back (inet_unlock).
 *
 *   lwip_port.c   the lock, the thread, memory;  inet_timers.c  lwIP's timers
 *   inet.c        making sockets, addresses, what TCP and UDP share
 *   inet_tcp.c    connections;  inet_tcp_data.c  their bytes;  inet_tcp_room.c  how many;  inet_tcp_urgent.c  MSG_OOB
 *   inet_tcp_bind.c  ports;  inet_tcp_input.c  segments that lwIP would take otherwise than Linux
 *   inet_tcp_table.c  finding connections
 *   inet_udp.c    datagrams, and raw ones;  inet_control.c  their control data;  inet_error.c  errors by ICMP
 *   inet_opt.c    options;  inet_multicast.c  groups
 *   inet_proc.c   /proc/net
 *   netif.c       interfaces: loopback, configuration, frames that come;  netif_tx.c  frames that go */
#pragma once

#include <core/heap.h>
#include <net/socket.h>

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>

struct tcp_pcb;
struct tcp_hdr;
struct udp_pcb;
struct raw_pcb;
struct netif;

/* TCP's urgent byte, of which one is known: it was taken already, is on its way, or here. */
enum inet_urgent { URGENT_NONE, URGENT_TAKEN, URGENT_COMES, URGENT_HERE };
enum inet_state { INET_NEW, INET_CONNECTING, INET_CONNECTED, INET_LISTENING, INET_CLOSED };

struct inet_how { /* how one datagram goes */
    struct netif *netif;
    ip_addr_t source; /* any: as the socket and the interface say */
    int ttl, tos;     /* < 0: as the socket says */
};
struct inet_target { /* where to */
    ip_addr_t ip;
    uint16_t port;
    struct inet_how how;
};

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
    ip_addr_t bound;                /* what bind(2) was asked for, which outlives connections */
    uint16_t bound_port;

    /* receiving */
    struct pbuf *rx, *rx_last; /* TCP: bytes in order; tot_len means nothing here */
    unsigned rx_offset;        /* of the first pbuf: read so far */
    unsigned rx_spare;         /* bytes that the last pbuf has room for */
    size_t rx_bytes;           /* (r) TCP: bytes; else cost of the queue */
    bool has_eof;              /* (r) the peer's FIN came */
    uint32_t rx_seq;           /* (r) TCP: of the next byte to be read */
    uint32_t urgent_seq;       /* (r) of it, unless there is none */
    enum inet_urgent urgent;   /* (r) */
    struct list datagrams;     /* (r) struct inet_datagram.node */
    /* sending */
    bool is_full;  /* (r) TCP: somebody was told so, and wants to hear when it is not */
    bool can_send; /* (r) TCP */
    bool is_corked, is_undelayed, sent_fin, has_urgent_out;
    struct pbuf *pieces;       /* UDP: of a datagram that more is to come for; NULL: none */
    struct inet_target target; /* of it */
    bool is_attempt;           /* TCP: connect(2) began one, and was not told yet how it went */
    uint32_t urgent_end;       /* behind the urgent byte, if has_urgent_out */
    unsigned user_timeout_ms;  /* TCP_USER_TIMEOUT; 0: none */
    bool is_stuck; /* the peer has not taken the byte `stuck_at` since then, in lwIP's ticks */
    uint32_t stuck_at, stuck_since;
    unsigned withheld; /* TCP: of lwIP's receive window, because SO_RCVBUF asks for less */
    bool has_arrived;  /* (r) TCP: while it lingers: the peer has everything, our FIN included */
    struct list linger_node; /* inet_tcp.c's */
    /* a listener's */
    struct list accepts; /* struct inet_sock.accept_node */
    unsigned nr_accepts; /* (r) */
    unsigned backlog;
    struct list accept_node;
    struct inet_sock *listener; /* of one that was not accepted yet */
    /* options */
    uint16_t keep[3]; /* TCP_KEEPIDLE and TCP_KEEPINTVL in seconds, TCP_KEEPCNT */
    uint8_t tos, ttl, multicast_ttl;
    bool multicast_loop, members_only;
    int multicast_if;        /* index; 0: as routes say */
    uint32_t multicast_addr; /* what IP_MULTICAST_IF was told by address; network byte order */
    struct list groups;      /* struct membership.node of inet_multicast.c */
    unsigned nr_groups;
    int mtu_discover;
    bool wants_pktinfo, wants_ttl, wants_tos;
    bool wants_pktinfo6, wants_hops6, wants_class6;
    bool wants_hops6_2292; /* as RFC 2292 has it, with a number of its own */
    bool recverr4, recverr6;
    uint32_t blocked[8];  /* ICMPV6_FILTER, ICMP_FILTER: bits of types that are not wanted */
    struct list errors;   /* struct inet_error.node */
    unsigned nr_errors;   /* (r) */
    unsigned drops;       /* UDP: datagrams that found no room */
    unsigned nr_arrived;  /* (r) UDP: datagrams that did */
    struct list all_node; /* inet_all_udp's, inet_all_raw's; a listener: inet_all_listeners' */
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
/* Any context.  The net thread sees to the timers; it, who holds the lock or an idle CPU to the devices. */
void inet_kick(void);
void inet_frames_came(void);
/* The timers are run at that arch_clock_ns() time, if not before; the net lock is held. */
void inet_run_at(uint64_t at);

/* --- inet_timers.c, all under the net lock */
/* A rest is over: before anything that may send, or wants to know the time.  True: they rested. */
bool inet_timers_wake(void);
void inet_timers_use(
    void); /* the stack is being used: the timers run, and go on doing so for a while */
void inet_timers_sent(void);     /* a packet goes out: that is use, too */
void inet_timers_run(void);      /* those that are due */
void inet_timers_delayed(void);  /* an acknowledgement waits */
uint64_t inet_timers_next(void); /* until when the net thread may sleep, in arch_clock_ns() time */

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
/* The 16 bytes of an IPv6 address, which is an IPv4 one if it is mapped. */
void inet_set_v6(ip_addr_t *ip, const void *bytes, uint32_t scope);
/* bind(2)'s checks of an address: 0, -EADDRNOTAVAIL, -EACCES. */
must_check int inet_check_bind(const struct inet_sock *i, ip_addr_t *ip, uint16_t port);
int inet_getname(struct socket *s, struct socket_addr *addr, int peer);
/* The control block sends and receives by the interface that SO_BINDTODEVICE named. */
void inet_bind_interface(struct inet_sock *i);
/* NULL: there is none of that index, whatever that is. */
struct netif *inet_netif(int index);
/* Whereby packets to `ip` go; NULL: there is no way. */
struct netif *inet_route(const struct inet_sock *i, const ip_addr_t *ip);
/* The unspecified destination means this machine. */
void inet_fix_destination(ip_addr_t *ip);
long inet_ioctl(struct socket *s, unsigned cmd, struct uptr arg);

/* --- inet_tcp.c */
struct inet_sock *inet_tcp_new(int family) must_check;
/* Callbacks of a connection's control block; err: the block is gone. */
void inet_tcp_watch(struct inet_sock *i); /* user_timeout_ms has changed */
void inet_tcp_attach(struct inet_sock *i, struct tcp_pcb *pcb);
void inet_tcp_detach(struct inet_sock *i); /* both directions are over: lwIP ends it alone */
void inet_tcp_check_linger(void); /* packets were taken in: who waited for an answer has it? */
/* Until peers have all that ended connections sent; gives up when for so long none has got more.  The net lock is not held;
 * one caller at a time; sleeps. */
void inet_tcp_drain(uint64_t patience_ns);
void inet_tcp_forget_ended(
    void); /* connections without a socket, unfinished packets; the net lock is held */
extern const struct socket_ops inet_tcp_ops;

/* --- inet_tcp_bind.c: the net lock is held */
/* Whose it is: the listener's before its handshake is over; NULL: nobody's any more. */
struct inet_sock *inet_tcp_owner(const struct tcp_pcb *p);
/* The socket lets go of it: inet_tcp_is_taken will ask what the socket allowed. */
void inet_tcp_keep_options(const struct inet_sock *i, struct tcp_pcb *p);
bool inet_overlaps(const ip_addr_t *a, const ip_addr_t *b); /* has one what is sent to the other? */
bool inet_tcp_is_between(const struct tcp_pcb *p, const ip_addr_t *local, uint16_t local_port,
                         const ip_addr_t *peer, uint16_t peer_port);
/* Is the port another's, by what both have said about that? */
bool inet_tcp_is_taken(const struct inet_sock *i, const ip_addr_t *ip, uint16_t port);
int inet_tcp_bind(struct socket *s, const struct socket_addr *addr); /* bind(2); takes the lock */

/* --- inet_share.c: the net lock is held */
extern struct list inet_all_listeners; /* struct inet_sock.all_node */
/* Whose is what comes from there to `i`: its own, or another's of `all` that shares the port (SO_REUSEPORT). */
struct inet_sock *inet_share(struct inet_sock *i, const struct list *all, const ip_addr_t *from,
                             uint16_t port);

/* Of one end of a connection, or of both if `ports` has the ports of both. */
uint32_t inet_hash(const ip_addr_t *peer, unsigned ports);

/* --- inet_tcp_table.c: the net lock is held */
/* The newest connection of lwIP's list is in the table, too. */
void inet_tcp_enter_newest(void);
/* NULL: there is none, in any state but LISTEN. */
struct tcp_pcb *inet_tcp_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *peer,
                              uint16_t peer_port);
/* lwIP has found what a segment is for: its lists are whole again. */
void inet_tcp_show_all(void);

/* --- inet_tcp_loss.c: the net lock is held */
struct inet_tcp_loss {
    bool is_recovering; /* a loss was seen, and: */
    uint32_t recover;   /* the end of what was sent by then */
};
/* Before lwIP takes in a segment of `pcb`; its header and the n bytes of a SACK option's blocks; and afterwards, if the
 * connection is still there. */
void inet_tcp_loss_begin(struct tcp_pcb *pcb);
void inet_tcp_loss_sack(const struct tcp_pcb *pcb, const struct tcp_hdr *h, const uint8_t *at,
                        size_t n);
void inet_tcp_loss_end(struct inet_tcp_loss *l, struct tcp_pcb *pcb);

/* --- inet_tcp_room.c */
#define INET_WINDOW_MIN 4096u /* two segments, so that their sender need not wait for a timer */
size_t inet_tcp_room(const struct inet_sock *i); /* bytes that may be sent now; it has a block */
void inet_tcp_update(struct inet_sock *i);       /* can_send, from the control block */
/* The connection is there: its window becomes what SO_RCVBUF says.  Before its block goes back to lwIP, it is given
 * back. */
void inet_tcp_open_window(struct inet_sock *i);
void inet_tcp_restore_window(struct inet_sock *i);
void inet_tcp_was_read(struct inet_sock *i, size_t n); /* n bytes: the window opens again */
void inet_tcp_buffers_changed(struct socket *s);

/* --- inet_tcp_input.c: the net lock is held */
/* Is there a connection in TIME_WAIT between the same two?  Then it is over, and the next one is to be theirs. */
bool inet_tcp_end_wait(const struct tcp_pcb *like);
void inet_tcp_forget_oldest_waits(void); /* those beyond net_max_tw_buckets */

/* --- inet_tcp_data.c */
ssize_t inet_tcp_send(struct socket *s, struct socket_msg *m);
ssize_t inet_tcp_recv(struct socket *s, struct socket_msg *m);
/* They have come; the net lock is held. */
void inet_tcp_queue_rx(struct inet_sock *i, struct pbuf *p);
void inet_tcp_drop_rx(struct inet_sock *i);
/* Up to `most` bytes at `skip` and after: bytes moved, -EFAULT; the net lock is held. */
ssize_t inet_tcp_copy_out(struct inet_sock *i, size_t skip, struct iobuf *to, size_t most);
void inet_tcp_consume(struct inet_sock *i,
                      size_t n); /* that many were read; the net lock is held */

/* --- inet_tcp_urgent.c: the net lock is held, but for the last two */
void inet_tcp_mark_urgent(struct inet_sock *i); /* the last byte that was written */
/* A segment that goes, its header in network order; one that comes with its flag, in lwIP's. */
void inet_tcp_tell_urgent(struct inet_sock *i, const struct tcp_pcb *pcb, struct tcp_hdr *h);
void inet_tcp_urgent_comes(struct inet_sock *i, const struct tcp_pcb *pcb, const struct tcp_hdr *h);
void inet_tcp_find_urgent(struct inet_sock *i); /* bytes have come */
/* How many bytes may be read from `*skip` on (SIZE_MAX: all); 0: a read that has some ends.  Passes over the urgent byte. */
size_t inet_tcp_to_mark(struct inet_sock *i, int flags, size_t *skip, bool has_some);
/* How far the urgent byte is from the next to be read; SIZE_MAX: there is none. */
size_t inet_tcp_mark(const struct inet_sock *i);
ssize_t inet_tcp_recv_urgent(struct inet_sock *i, struct socket_msg *m); /* takes the lock */

/* --- inet_udp.c */
struct inet_datagram {
    struct list node;
    struct pbuf *p;
    ip_addr_t from, to;
    uint16_t from_port;
    uint8_t ttl, tos;
    bool was_peeked;
    int ifindex;
    unsigned drops;      /* before it */
    uint64_t arrived_ns; /* wall clock; for SO_TIMESTAMP */
};
struct inet_sock *inet_udp_new(int family) must_check;
struct inet_sock *inet_raw_new(int family, int type, int protocol) must_check;
/* What waits for more (MSG_MORE, UDP_CORK) goes, if there is anything; the net lock is held.  0 or -errno. */
int inet_udp_uncork(struct inet_sock *i);
extern struct list inet_all_udp, inet_all_raw; /* under the net lock: struct inet_sock.all_node */

/* --- inet_control.c: the net lock is held */
/* From the control data of a message to `to`, which may get the interface as its zone.  0, -EINVAL, -ENODEV,
 * -ENETUNREACH. */
must_check int inet_get_control(const struct inet_sock *i, const struct socket_msg *m,
                                ip_addr_t *to, struct inet_how *how);
void inet_put_control(struct inet_sock *i, struct socket_msg *m, const struct inet_datagram *d);

/* --- inet_error.c */
#define INET_ERRORS_MAX 256
void inet_watch_icmp(void);
/* recvmsg(2) with MSG_ERRQUEUE: takes the net lock, does not wait. */
ssize_t inet_recv_error(struct inet_sock *i, struct socket_msg *m);
void inet_drop_errors(struct inet_sock *i);

/* --- inet_opt.c */
extern const uint8_t inet_tcp_state_of[]; /* Linux's number of lwIP's */
/* The control block, which may be a new one, does as the options say. */
void inet_set_block(struct inet_sock *i);
/* A connection that `l` accepts begins with its options; its block becomes the socket's. */
void inet_inherit(struct inet_sock *i, const struct inet_sock *l, struct tcp_pcb *pcb);
int inet_setsockopt(struct socket *s, int level, int name, const void *value, unsigned len);
int inet_getsockopt(struct socket *s, int level, int name, void *value, unsigned *len);

/* --- inet_multicast.c: the net lock is held; 0 or -errno */
int inet_membership(struct inet_sock *i, const void *value, unsigned len, bool joins);
int inet_membership6(struct inet_sock *i, const void *value, unsigned len, bool joins);
int inet_group_request(struct inet_sock *i, bool is_v6, const void *value, unsigned len,
                       bool joins); /* MCAST_*_GROUP */
int inet_set_multicast_if(struct inet_sock *i, const void *value, unsigned len);
int inet_set_multicast_if6(struct inet_sock *i, int index);
void inet_set_multicast(struct inet_sock *i); /* the control block does as the options say */
void inet_leave_all(struct inet_sock *i);
/* Is a datagram to `to`, if it is a group, for a socket that asked for those of its own groups only? */
bool inet_hears(struct inet_sock *i, const ip_addr_t *to, int ifindex);

/* --- packet.c: the net lock is held */
void packet_see(const struct netif *n, const struct pbuf *p,
                bool is_out);                                      /* with its Ethernet header */
void packet_see_loop(const struct netif *n, const struct pbuf *p); /* of the loopback interface */

/* --- netlink.c */
void netlink_init(void); /* boot */

/* --- netif.c */
unsigned netif_nr_waiting(void); /* packets that devices have no room for */
void netif_drop_all_waiting(void);
/* Datagrams that lwIP is given meanwhile, each in one frame, have no checksum where the device fills it in. */
void netif_leave_udp(struct netif *n, bool leave);
/* Takes in what waits on the interface for the machine itself.  All of 127/8 is this machine, and lwIP's loopback interface has
 * one address: the packet's while it takes one in, and then its own again.  The net lock is held. */
void netif_deliver(struct netif *n);
void netif_flush_all(void); /* the net lock is to be given back: nothing waits for more to send */
void netif_ring_all(void);  /* it was: devices hear of what was sent */
struct ifinfo_counts *netif_counts(const struct netif *n);
void netif_init_all(void);
