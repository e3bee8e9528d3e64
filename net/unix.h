/* AF_UNIX, shared between its files: unix(7).
 *
 *   unix.c          life, poll, names told, shutdown, options
 *   unix_name.c     bind, and how a name finds its socket
 *   unix_connect.c  connect, listen, accept, socketpair
 *   unix_msg.c      messages and who pays for their memory
 *   unix_stream.c   bytes;  unix_dgram.c  datagrams and SOCK_SEQPACKET
 *   unix_rights.c   descriptors on their way, and the cycles that nobody can reach
 *
 * A message lies in the queue of the socket that will read it and is paid for by the one that sent it
 * (unix_sock.wmem), as Linux does: what a sender may have under way decides when it blocks.
 *
 * A stream's byte of MSG_OOB is a message in the queue, like others but for what reads it; once that was recv(MSG_OOB), it
 * stays there without bytes, as the mark at which other reads stop. */
#pragma once

#include <base/list.h>
#include <core/heap.h>
#include <net/socket.h>

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

/* A bound name; immutable, shared by the listener and what it accepted. */
struct unix_name {
    struct ref ref;
    struct list node;        /* in the table; guarded by its lock */
    struct unix_sock *owner; /* who is found under it; guarded likewise; NULL: gone */
    struct path place;       /* of a path name: referenced; dentry NULL: abstract */
    struct socket_addr addr; /* as getsockname tells it */
};

struct unix_msg {
    struct list node;         /* in a queue */
    struct unix_sock *sender; /* referenced */
    struct socket_rights *rights;
    struct socket_cred cred;
    bool has_cred;
    uint32_t truesize; /* what it costs the sender */
    uint32_t len;      /* of the data */
    uint32_t offset;   /* read so far (streams) */
    uint32_t head_len; /* of the data, in `head`; the rest is in `pages` */
    bool is_short;     /* room for UNIX_SHORT bytes: can be a spare one */
    struct page *pages;
    char head[];
};

struct unix_sock {
    struct socket s; /* first */
    struct ref ref;  /* its user (a file, an accept queue), peers, messages under way */
    struct mutex io; /* RANK_SOCKET_IO: one reader at a time, and bind */
    struct unix_sock *
        peer; /* referenced; atomic; set under `lock`.  Of a stream: set once, and again by release */
    struct unix_name *name; /* referenced; set once, under `io` and `lock` */
    uint32_t wmem;          /* atomic: bytes of messages that it has under way */
    struct unix_msg *spare; /* atomic: a short message's memory, kept for the next one */

    struct spinlock lock;  /* RANK_SOCKET - guards: */
    enum unix_state state; /* also read without it */
    bool is_dead;          /* released: no message and no connection comes any more */
    struct list queue;     /* struct unix_msg.node; of a listener: struct unix_sock.accept_node */
    unsigned nr_queued;
    unsigned backlog;     /* of a listener, and of datagrams */
    size_t bytes_queued;  /* of data */
    struct unix_msg *oob; /* in the queue: the byte of MSG_OOB; NULL: none.  Also read without it */
    struct list accept_node;
    struct waitq peer_wait; /* RANK_WAITQ_PEER: who waits to send or connect to it */
    /* of a datagram socket: on its peer's peer_wait, wakes our writers */
    struct waiter peer_waiter;

    struct list all_node; /* unix.c's lock */
    unsigned long serial; /* for /proc/net/unix */

    /* unix_rights.c's lock */
    unsigned in_flight; /* messages that hold its file */
    struct list flight_node, gc_node;
    unsigned gc_count;
    bool gc_is_candidate;
};

#define UNIX_DGRAM_BACKLOG 10
#define UNIX_SHORT         128 /* bytes of messages that a spare one serves */

static inline struct unix_sock *unix_of(struct socket *s)
{
    return (struct unix_sock *)s;
}
static inline void unix_get(struct unix_sock *u)
{
    ref_get(&u->ref);
}
void unix_put(struct unix_sock *u);

static inline bool unix_is_datagram(const struct unix_sock *u)
{
    return u->s.type == SOCK_DGRAM;
}
/* A new socket with one reference, its user's; NULL: no memory. */
struct unix_sock *unix_new(int type) must_check;
extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
/* The user has gone; `was_embryo`: it was never accepted. */
void unix_release_sock(struct unix_sock *u, bool was_embryo);

/* The peer, referenced; NULL: none. */
struct unix_sock *unix_get_peer(struct unix_sock *u);
/* Both locks, in order of their addresses; they may be the same. */
void unix_lock_two(struct unix_sock *a, struct unix_sock *b);
void unix_unlock_two(struct unix_sock *a, struct unix_sock *b);
static inline bool unix_is_full(const struct unix_sock *u)
{
    return u->nr_queued > u->backlog;
}
static inline bool unix_is_writable(const struct unix_sock *u)
{
    return u->state != UNIX_LISTENING && atomic_load(&u->wmem) * 4 <= u->s.sndbuf;
}
/* Wait until `other` takes one more message or connection, or is not what it was; a datagram's sender waits for
 * its own connection to change too.  0 or -errno. */
int unix_wait_for_room(struct unix_sock *other, uint64_t deadline);

void unix_init(void); /* boot */

/* --- names */
void unix_name_init(void);
void unix_name_put(struct unix_name *n);
int unix_bind(struct socket *s, const struct socket_addr *addr);
int unix_autobind(struct unix_sock *u); /* 0, also when it has a name */
/* SO_PASSCRED asks for a name that answers can go to. */
must_check int unix_name_if_wanted(struct unix_sock *u);
/* A well-formed address: 0 or -EINVAL. */
must_check int unix_check_addr(const struct socket_addr *addr);
/* The socket of a name, referenced.  -ECONNREFUSED, -EPROTOTYPE, and path_walk's. */
must_check int unix_find(const struct socket_addr *addr, int type, struct unix_sock **out);
void unix_unbind(struct unix_sock *u);
void unix_tell_name(const struct unix_name *n, struct socket_addr *addr); /* NULL: nameless */

/* --- connections */
int unix_listen(struct socket *s, int backlog);
int unix_accept(struct socket *s, struct socket **out, bool nonblock);
int unix_stream_connect(struct socket *s, const struct socket_addr *addr, bool nonblock);
int unix_dgram_connect(struct socket *s, const struct socket_addr *addr, bool nonblock);
int unix_pair(struct socket *a, struct socket *b);
void unix_watch_peer(struct unix_sock *u, struct unix_sock *peer); /* a datagram socket's */
void unix_unwatch_peer(struct unix_sock *u);

/* --- messages */
/* Room for `n` bytes, `fragment` of which may lie apart, paid for by `u`; waits for its other messages to be read.
 * -EPIPE when its sending side was shut down, the pending error, -EAGAIN and so on, -ENOBUFS. */
must_check int unix_msg_new(struct unix_sock *u, size_t n, size_t max_head, uint64_t deadline,
                            struct unix_msg **out);
/* The sender's data, and what control data says.  -EFAULT. */
must_check int unix_msg_fill(struct unix_msg *m, struct iobuf *from);
/* Data from `offset` on: bytes moved, or -EFAULT. */
ssize_t unix_msg_copy(struct unix_msg *m, size_t offset, size_t n, struct iobuf *to);
void unix_msg_free(struct unix_msg *m);
/* Queue it, locked. */
static inline void unix_enqueue(struct unix_sock *u, struct unix_msg *m)
{
    list_push_back(&u->queue, &m->node);
    u->nr_queued++;
    u->bytes_queued += m->len;
}
/* The first message; NULL: none.  Locked, or by the only reader. */
static inline struct unix_msg *unix_first(const struct unix_sock *u)
{
    struct list *first = atomic_load(&u->queue.next);
    return first == &u->queue ? NULL : list_entry(first, struct unix_msg, node);
}
/* Take it out.  Called without the lock, by the only reader. */
void unix_dequeue(struct unix_sock *u, struct unix_msg *m);
/* Who sends: control data's credentials, or the caller's where either side wants them. */
void unix_msg_sign(struct unix_msg *m, const struct socket_msg *sm, const struct unix_sock *to);
void unix_give_cred(struct socket_msg *sm, struct unix_sock *u, const struct unix_msg *m);
/* Rights to the receiver: out of the message, or copied with MSG_PEEK.  True when there were some. */
bool unix_give_rights(struct socket_msg *sm, struct unix_msg *m);

ssize_t unix_stream_send(struct socket *s, struct socket_msg *m);
ssize_t unix_stream_recv(struct socket *s, struct socket_msg *m);
bool unix_is_at_mark(struct unix_sock *u); /* SIOCATMARK */
ssize_t unix_dgram_send(struct socket *s, struct socket_msg *m);
ssize_t unix_dgram_recv(struct socket *s, struct socket_msg *m);
ssize_t unix_seqpacket_send(struct socket *s, struct socket_msg *m);
ssize_t unix_seqpacket_recv(struct socket *s, struct socket_msg *m);

/* --- rights */
/* They go into a message: 0 or -ETOOMANYREFS. */
must_check int unix_rights_send(struct socket_rights *r);
/* It will go to `to`: called after the former and before the message is queued, so that of two that make a cycle
 * together one sees the other. */
void unix_rights_aim(const struct socket_rights *r, const struct unix_sock *to);
/* They come out of one. */
void unix_rights_receive(struct socket_rights *r);
/* A copy with references of its own; NULL: no memory. */
struct socket_rights *unix_rights_peek(struct socket_rights *r) must_check;
/* Drop rights that were in a message. */
void unix_rights_drop(struct socket_rights *r);
/* Sockets that only messages in each other's queues refer to are let go. */
void unix_collect_garbage(void);
