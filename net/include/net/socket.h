/* Sockets: what every family implements, and what the system calls ask of it.
 *
 * A struct socket is the object behind a descriptor of type S_IFSOCK.  The families (net/unix*.c, net/inet*.c,
 * net/netlink.c) embed it in a structure of their own and give it operations; this layer adds the file, the options
 * of SOL_SOCKET and the rules that are the same everywhere.  Nothing here knows the layout of a user structure:
 * addresses and option values are kernel memory in Linux's native layout, control data passes one item at a time. */
#pragma once

#include <base/errno.h>
#include <core/atomic.h>
#include <core/wait.h>
#include <vfs/file.h>
#include <vfs/path.h>

/* --- numbers of Linux that no exported header has ------------------------------------------------------- */

enum {
    AF_UNSPEC = 0,
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    AF_NETLINK = 16,
    AF_PACKET = 17,
    AF_MAX = 46
};
enum {
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,
    SOCK_SEQPACKET = 5,
    SOCK_MAX = 11,
    SOCK_TYPE_MASK = 15,
};
enum {
    MSG_OOB = 1,
    MSG_PEEK = 2,
    MSG_DONTROUTE = 4,
    MSG_CTRUNC = 8,
    MSG_PROBE = 0x10,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_EOR = 0x80,
    MSG_WAITALL = 0x100,
    MSG_CONFIRM = 0x800,
    MSG_ERRQUEUE = 0x2000,
    MSG_NOSIGNAL = 0x4000,
    MSG_MORE = 0x8000,
    MSG_CMSG_COMPAT = (int)0x80000000u,
    MSG_WAITFORONE = 0x10000,
    MSG_CMSG_CLOEXEC = 0x40000000,
};
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SCM_MAX_FD = 253 };
/* Bits of struct socket.shut. */
enum { SHUT_RECV = 1, SHUT_SEND = 2, SHUT_BOTH = 3 };

#define SOCKET_SOMAXCONN   4096
#define SOCKET_BUF_DEFAULT 212992
#define SOCKET_BUF_MAX     4194304 /* what SO_SNDBUF and SO_RCVBUF may ask for, before it is doubled */

/* --- who is calling ------------------------------------------------------------------------------------ */

/* The layer above tells, because files are written and paths walked on behalf of someone. */
struct net_caller {
    int pid;
    uint64_t max_files;      /* RLIMIT_NOFILE */
    const struct cred *cred; /* valid until the call ends */
    struct fs_context *fs;   /* likewise */
};
typedef void net_caller_fn(struct net_caller *c);
/* SIGURG to who was made the owner of a file (F_OWNER_*, 0: nobody); any context. */
typedef void net_urgent_fn(int type, int owner);
void net_set_caller(net_caller_fn *fn, net_urgent_fn *urgent); /* boot */
void net_send_urgent(int type, int owner);
void net_get_caller(struct net_caller *c); /* thread context of a program */

/* --- messages ------------------------------------------------------------------------------------------ */

/* A socket's address in Linux's layout; `len` bytes of it count. */
#define SOCKET_ADDR_MAX 128
struct socket_addr {
    unsigned len;
    union {
        uint16_t family;
        char bytes[SOCKET_ADDR_MAX];
    };
};

/* struct ucred. */
struct socket_cred {
    int pid;
    uint32_t uid, gid;
};

/* Files under way from one socket to another (SCM_RIGHTS); each is referenced. */
struct socket_rights {
    struct list node;        /* the owner's */
    unsigned nr, nr_sockets; /* how many in all; how many of them are AF_UNIX sockets */
    struct file *file[];
};
/* Drops the files' references; thread context, no spinlock. */
void socket_rights_free(struct socket_rights *r);

/* One item of control data that is not SOL_SOCKET's. */
struct socket_cmsg {
    int level, type;
    const void *data;
    size_t len;
};
#define SOCKET_CMSG_MAX 8

/* Control data.  Sending: what the caller gave.  Receiving: `emit` delivers items at once to the caller's buffer. */
struct socket_control {
    /* sending: taken over by ops->send when it answers > 0 or when it clears the pointer; receiving: filled in,
     * the caller's from then on */
    struct socket_rights *rights;
    bool takes_scm; /* sending: the family knows SCM_*; others let them be */
    bool has_cred;  /* sending: SCM_CREDENTIALS was given, and checked */
    struct socket_cred cred;
    unsigned nr_items; /* sending */
    struct socket_cmsg items[SOCKET_CMSG_MAX];
    /* receiving: false when it did not fit whole; may sleep */
    bool (*emit)(struct socket_control *c, int level, int type, const void *data, size_t len);
};

struct socket_msg {
    struct iobuf *data;
    struct socket_addr *addr; /* sending: where to; receiving: filled in.  NULL: not of interest */
    struct socket_control *control; /* NULL: none */
    int flags;                      /* MSG_* */
    int out_flags;                  /* receiving: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
    bool nonblock;                  /* O_NONBLOCK or MSG_DONTWAIT */
    struct socket_rights *dropped;  /* receiving: nobody wanted them; socket_recv lets go of them */
    bool raises_sigpipe; /* sending, out: -EPIPE comes with SIGPIPE, unless MSG_NOSIGNAL */
};

/* --- the object ---------------------------------------------------------------------------------------- */

struct socket;

/* The peer's may be asked for as accept(2) tells it: also of a connection that is over already. */
enum socket_name { SOCKET_OWN, SOCKET_PEER, SOCKET_ACCEPTED };

/* Thread context, no locks, may sleep unless said otherwise.  Results >= 0 or -errno.  A wait that a signal ends
 * answers what socket_wait_result says.  NULL members answer -EOPNOTSUPP. */
struct socket_ops {
    int (*bind)(struct socket *s, const struct socket_addr *addr);
    int (*connect)(struct socket *s, const struct socket_addr *addr, bool nonblock);
    int (*listen)(struct socket *s, int backlog); /* 0 <= backlog <= SOCKET_SOMAXCONN */
    /* A connected socket in *out, without a file. */
    int (*accept)(struct socket *s, struct socket **out, bool nonblock);
    /* Connect two fresh sockets. */
    int (*pair)(struct socket *a, struct socket *b);
    ssize_t (*send)(struct socket *s, struct socket_msg *m);
    ssize_t (*recv)(struct socket *s, struct socket_msg *m);
    int (*shutdown)(struct socket *s, int how);                            /* SHUT_* */
    int (*getname)(struct socket *s, struct socket_addr *addr, int whose); /* enum socket_name */
    /* Levels and names that socket_set_option does not know; `len` bytes at `value`. */
    int (*setsockopt)(struct socket *s, int level, int name, const void *value, unsigned len);
    /* `*len` is the room at `value` and then what was filled. */
    int (*getsockopt)(struct socket *s, int level, int name, void *value, unsigned *len);
    /* POLL* bits that hold; adds itself to `t` with poll_on.  Does not sleep. */
    uint32_t (*poll)(struct socket *s, struct file *f, struct poll_table *t);
    long (*ioctl)(struct socket *s, unsigned cmd, struct uptr arg); /* NULL: -ENOTTY */
    /* SO_SNDBUF, SO_RCVBUF, SO_RCVLOWAT have changed.  NULL: nothing to do. */
    void (*buffers_changed)(struct socket *s);
    /* The last user has gone: free it.  Never NULL. */
    void (*release)(struct socket *s);
    int (*show)(struct socket *s, char *buf, size_t size); /* for fdinfo.  NULL: nothing */
};

struct socket {
    const struct socket_ops *ops;
    int family, type, protocol; /* immutable */
    struct file *file;          /* whose data it is; not referenced; NULL: not accepted yet */
    struct waitq read_wait, write_wait; /* told with POLLIN... and POLLOUT... */

    int error;         /* atomic, <= 0: SO_ERROR */
    unsigned shut;     /* atomic: SHUT_RECV, SHUT_SEND */
    bool is_listening; /* SO_ACCEPTCONN */

    /* options: each is one word, written whole */
    unsigned sndbuf, rcvbuf;
    int rcvlowat, priority, mark, peek_off, incoming_cpu;
    int ifindex;                      /* SO_BINDTODEVICE; 0: any */
    int64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none */
    int linger_s;                     /* < 0: off */
    uint32_t flags;                   /* atomic: 1 << SOCKET_* */
    struct socket_cred peer_cred;     /* SO_PEERCRED; pid 0: none */
};

/* Bits of struct socket.flags. */
enum {
    SOCKET_DEBUG,
    SOCKET_REUSEADDR,
    SOCKET_REUSEPORT,
    SOCKET_DONTROUTE,
    SOCKET_BROADCAST,
    SOCKET_KEEPALIVE,
    SOCKET_OOBINLINE,
    SOCKET_PASSCRED,
    SOCKET_PASSSEC,
    SOCKET_TIMESTAMP, /* a socket has one of these four at most */
    SOCKET_TIMESTAMPNS,
    SOCKET_TIMESTAMP_NEW, /* with 64 bits in either ABI */
    SOCKET_TIMESTAMPNS_NEW,
    SOCKET_RXQ_OVFL,
    SOCKET_SET_SNDBUF, /* no option: the program has said how large a buffer is to be */
    SOCKET_SET_RCVBUF,
};
#define SOCKET_STAMPS (15u << SOCKET_TIMESTAMP) /* all four */
static short_inline bool socket_has(const struct socket *s, unsigned flag)
{
    return atomic_load(&s->flags) >> flag & 1;
}

/* A family registers itself at boot. */
struct socket_family {
    int family;
    /* A new socket in *out.  -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EPERM, -ENOMEM. */
    int (*create)(int type, int protocol, struct socket **out);
    struct socket_family *next; /* the registry's */
};
void socket_register_family(struct socket_family *f);

/* Fill the common part of a zeroed socket. */
void socket_setup(struct socket *s, const struct socket_ops *ops, int family, int type,
                  int protocol);
/* The rest of what a family shares with another socket of it: options that accepted ones inherit. */
void socket_inherit(struct socket *s, const struct socket *from);

/* socket(2) without the descriptor.  -EINVAL, -EAFNOSUPPORT and ops->create's. */
must_check int socket_create(int family, int type, int protocol, struct socket **out);
/* A file of it, which owns the socket from then on; `flags` O_NONBLOCK.  NULL: no memory; the socket is released. */
struct file *socket_new_file(struct socket *s, int flags) must_check;
/* The socket of a file; NULL: it is none (-ENOTSOCK). */
struct socket *socket_of_file(const struct file *f);

/* send(2), recv(2) and their like on one message. */
ssize_t socket_send(struct socket *s, struct socket_msg *m);
ssize_t socket_recv(struct socket *s, struct socket_msg *m);
must_check int socket_listen(struct socket *s, int backlog);

/* setsockopt(2), getsockopt(2); SO_RCVTIMEO and SO_SNDTIMEO are int64_t nanoseconds here. */
must_check int socket_set_option(struct socket *s, int level, int name, const void *value,
                                 unsigned len);
must_check int socket_get_option(struct socket *s, int level, int name, void *value, unsigned *len);

/* --- for families -------------------------------------------------------------------------------------- */

/* Take the pending error: -errno or 0. */
static inline int socket_take_error(struct socket *s)
{
    return unlikely(atomic_load(&s->error)) ? atomic_swap(&s->error, 0) : 0;
}

/* Until when a call may wait: 0 means that it may not. */
static inline uint64_t socket_deadline(int64_t timeout_ns, bool nonblock)
{
    if (nonblock)
        return 0;
    return timeout_ns ? arch_clock_ns() + (uint64_t)timeout_ns : TIME_NEVER;
}

/* What an ended wait means to the caller: -EAGAIN when the time is up; a call without a time limit may be restarted
 * after a signal, one with is -EINTR. */
static inline int socket_wait_result(int ret, uint64_t deadline)
{
    if (ret == -ETIMEDOUT)
        return -EAGAIN;
    if (ret == -EINTR)
        return deadline == TIME_NEVER ? -ERESTARTSYS : -EINTR;
    return ret;
}

/* Sleep on `q` until `cond`; 0, or -errno as above. */
#define SOCKET_WAIT(q, cond, deadline)                                                         \
    __extension__({                                                                            \
        uint64_t until_ = (deadline);                                                          \
        until_ == 0                                                                            \
            ? -EAGAIN                                                                          \
            : socket_wait_result(WAIT_EVENT((q), (cond), WAIT_INTERRUPTIBLE, until_), until_); \
    })
#define SOCKET_WAIT_EXCLUSIVE(q, cond, deadline)                                                  \
    __extension__({                                                                               \
        uint64_t until_ = (deadline);                                                             \
        until_ == 0 ? -EAGAIN                                                                     \
                    : socket_wait_result(                                                         \
                          WAIT_EVENT_EXCLUSIVE((q), (cond), WAIT_INTERRUPTIBLE, until_), until_); \
    })

#define POLL_READABLE (POLLIN | POLLRDNORM)
#define POLL_WRITABLE (POLLOUT | POLLWRNORM)
/* Something arrived; room was made; the connection's state changed.  Any context that may take RANK_WAITQ. */
static inline void socket_wake_readers(struct socket *s)
{
    waitq_wake(&s->read_wait, 0, POLL_READABLE | POLLPRI | POLLRDBAND);
}
static inline void socket_wake_one_reader(struct socket *s)
{
    waitq_wake(&s->read_wait, 1, POLL_READABLE | POLLPRI | POLLRDBAND);
}
static inline void socket_wake_writers(struct socket *s)
{
    waitq_wake(&s->write_wait, 0, POLL_WRITABLE | POLLWRBAND);
}
void socket_wake_all(struct socket *s);

/* Control data for the receiver; what does not fit is MSG_CTRUNC. */
static inline void socket_emit(struct socket_msg *m, int level, int type, const void *data,
                               size_t len)
{
    if (!m->control || !m->control->emit(m->control, level, type, data, len))
        m->out_flags |= MSG_CTRUNC;
}

/* SO_TIMESTAMP and its like: when it arrived, in nanoseconds of the wall clock; 0: now. */
void socket_emit_stamp(const struct socket *s, struct socket_msg *m, uint64_t ns);

/* SO_PEEK_OFF: where a peek begins, 0 when it is off; and n bytes were peeked at, or read. */
static inline size_t socket_peek_offset(const struct socket *s, int flags)
{
    return flags & MSG_PEEK && s->peek_off > 0 ? (size_t)s->peek_off : 0;
}
static inline void socket_move_peek(struct socket *s, int flags, size_t n)
{
    if (s->peek_off >= 0)
        s->peek_off = flags & MSG_PEEK ? s->peek_off + (int)n : MAX(s->peek_off - (int)n, 0);
}

/* The bytes that a receiver wants before it stops waiting. */
static inline size_t socket_low_water(const struct socket *s, int flags, size_t n)
{
    size_t want = flags & MSG_WAITALL ? n : MIN(n, (size_t)s->rcvlowat);
    return want ? want : 1;
}

/* ioctl's answers. */
must_check long socket_put_int(struct uptr arg, int value);
