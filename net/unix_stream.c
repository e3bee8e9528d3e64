/* Bytes through an AF_UNIX stream.
 *
 * A write is cut into messages as Linux cuts it.  The one reader at a time (io) looks at the queue's first message
 * without its lock, because only he takes messages out; a message that carries descriptors ends what one recvmsg
 * reads, so that they stay with their bytes. */
#include <base/string.h>
#include <unix.h>

#define HEAD_MAX     3776u  /* one page less what Linux keeps behind the data */
#define FRAGMENT_MAX 32768u /* and what may lie apart */

/* Hand `msg` to the peer: 0, or -EPIPE when nobody will read it. */
static inline int deliver(struct unix_sock *peer, struct unix_msg *msg)
{
    spin_lock(&peer->lock);
    if (unlikely(peer->is_dead || (peer->s.shut & SHUT_RECV))) {
        spin_unlock(&peer->lock);
        return -EPIPE;
    }
    unix_enqueue(peer, msg);
    spin_unlock(&peer->lock);
    socket_wake_readers(&peer->s);
    return 0;
}

/* Rights travel with the first message of a send. */
static int take_rights(struct socket_msg *m, struct unix_msg *msg)
{
    if (!m->control || !m->control->rights)
        return 0;
    int ret = unix_rights_send(m->control->rights);
    if (ret < 0)
        return ret;
    msg->rights = m->control->rights;
    m->control->rights = NULL;
    return 0;
}

static ssize_t send_one(struct unix_sock *u, struct unix_sock *peer, struct socket_msg *m, size_t n,
                        uint64_t deadline)
{
    struct unix_msg *msg;
    int ret = unix_msg_new(u, n, HEAD_MAX, deadline, &msg);
    if (ret < 0)
        return ret;
    ret = unix_msg_fill(msg, m->data);
    if (likely(ret == 0))
        ret = take_rights(m, msg);
    if (likely(ret == 0)) {
        unix_msg_sign(msg, m, peer);
        if (unlikely(msg->rights))
            unix_rights_aim(msg->rights, peer);
        ret = deliver(peer, msg);
    }
    if (unlikely(ret < 0)) {
        unix_msg_free(msg);
        return ret;
    }
    return n;
}

ssize_t unix_stream_send(struct socket *s, struct socket_msg *m)
{
    struct unix_sock *u = unix_of(s), *peer = atomic_load(&u->peer);
    if (unlikely(m->flags & MSG_OOB))
        return -EOPNOTSUPP;
    if (unlikely(m->addr && m->addr->len > 0))
        return u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    if (unlikely(!peer))
        return -ENOTCONN;
    m->raises_sigpipe = true;
    if (unlikely(atomic_load(&s->shut) & SHUT_SEND))
        return -EPIPE;
    uint64_t deadline = socket_deadline(s->sndtimeo_ns, m->nonblock);
    size_t most = MIN(s->sndbuf / 2 - 64, HEAD_MAX + FRAGMENT_MAX), done = 0;
    while (m->data->left > 0) {
        ssize_t ret = send_one(u, peer, m, MIN(m->data->left, most), deadline);
        if (unlikely(ret < 0))
            return done > 0 ? (ssize_t)done : ret;
        done += ret;
    }
    return done;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

static bool has_something(struct unix_sock *u, size_t skip)
{
    return atomic_load(&u->bytes_queued) > skip || atomic_load(&u->s.error) ||
           (atomic_load(&u->s.shut) & SHUT_RECV);
}

/* Nothing (more) to read behind `skip` bytes: 0 when it is worth another look, 1 at the end, -errno. */
static __attribute__((noinline)) int wait_for_data(struct unix_sock *u, size_t skip,
                                                   uint64_t deadline)
{
    int ret = socket_take_error(&u->s);
    if (ret < 0)
        return ret;
    if (atomic_load(&u->bytes_queued) > skip)
        return 0;
    if (atomic_load(&u->s.shut) & SHUT_RECV)
        return 1;
    if (deadline == 0)
        return -EAGAIN;
    mutex_unlock(&u->io);
    ret = SOCKET_WAIT(&u->s.read_wait, has_something(u, skip), deadline);
    mutex_lock(&u->io);
    return ret;
}

static bool same_writer(const struct unix_msg *a, const struct socket_cred *cred, bool has_cred)
{
    return a->has_cred == has_cred && (!has_cred || memcmp(&a->cred, cred, sizeof(*cred)) == 0);
}

/* One recv call's progress. */
struct reading {
    struct unix_sock *u;
    struct socket_msg *m;
    const struct unix_msg *last_peeked; /* MSG_PEEK goes on behind it */
    size_t done, low_water, skip;       /* skip: SO_PEEK_OFF */
    struct socket_cred cred;
    bool has_cred, checks_cred;
};

/* The message to read from; NULL: none there. */
static struct unix_msg *next_message(struct reading *r)
{
    struct unix_sock *u = r->u;
    if (likely(!r->last_peeked))
        return unix_first(u);
    struct list *next = atomic_load(&r->last_peeked->node.next);
    return next == &u->queue ? NULL : list_entry(next, struct unix_msg, node);
}

/* The first message of a call says who wrote and from where. */
static bool begin_writer(struct reading *r, struct unix_msg *msg)
{
    if (r->checks_cred)
        return same_writer(msg, &r->cred, r->has_cred);
    if (socket_has(&r->u->s, SOCKET_PASSCRED)) {
        r->cred = msg->cred;
        r->has_cred = msg->has_cred;
        r->checks_cred = true;
        unix_give_cred(r->m, r->u, msg);
    }
    if (r->m->addr) {
        unix_tell_name(atomic_load(&msg->sender->name), r->m->addr);
        if (!msg->sender->name)
            r->m->addr->len = 0;
        r->m->addr = NULL;
    }
    return true;
}

/* The bytes of `msg` were copied, n of them.  True: the call ends here. */
static bool consume(struct reading *r, struct unix_msg *msg, size_t n)
{
    struct unix_sock *u = r->u;
    if (r->m->flags & MSG_PEEK) {
        r->last_peeked = msg;
        if (u->s.peek_off >= 0)
            u->s.peek_off += (int)n;
        r->skip = 0;
        return unix_give_rights(r->m, msg);
    }
    bool had_rights = unix_give_rights(r->m, msg);
    if (u->s.peek_off > 0)
        u->s.peek_off = MAX(0, u->s.peek_off - (int)n);
    if (msg->offset + n == msg->len) {
        unix_dequeue(u, msg);
        unix_msg_free(msg);
        return had_rights;
    }
    spin_lock(&u->lock);
    msg->offset += n;
    u->bytes_queued -= n;
    spin_unlock(&u->lock);
    return true; /* the buffer is full */
}

/* 0: go on; 1: done; -errno. */
static int read_step(struct reading *r, uint64_t deadline)
{
    struct unix_msg *msg = next_message(r);
    if (!msg) {
        bool peeks = r->m->flags & MSG_PEEK;
        if (r->done >= r->low_water || (peeks && r->done > 0))
            return 1;
        r->last_peeked = NULL; /* it may be gone when the wait is over */
        r->skip = peeks && r->u->s.peek_off > 0 ? (size_t)r->u->s.peek_off : 0;
        return wait_for_data(r->u, r->skip, deadline);
    }
    size_t there = msg->len - msg->offset;
    if (unlikely(r->skip >= there && r->skip > 0)) {
        r->skip -= there;
        r->last_peeked = msg;
        return 0;
    }
    if (!begin_writer(r, msg))
        return 1;
    size_t n = MIN(there - r->skip, r->m->data->left);
    if (unlikely(unix_msg_copy(msg, msg->offset + r->skip, n, r->m->data) < 0))
        return -EFAULT;
    r->done += n;
    return consume(r, msg, n) || r->m->data->left == 0;
}

ssize_t unix_stream_recv(struct socket *s, struct socket_msg *m)
{
    struct unix_sock *u = unix_of(s);
    if (unlikely(u->state != UNIX_CONNECTED))
        return -EINVAL;
    if (unlikely(m->flags & MSG_OOB))
        return -EOPNOTSUPP;
    struct reading r = {.u = u, .m = m, .low_water = socket_low_water(s, m->flags, m->data->left)};
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, m->nonblock);
    int ret;
    mutex_lock(&u->io);
    if (unlikely(m->flags & MSG_PEEK) && s->peek_off > 0)
        r.skip = (size_t)s->peek_off;
    do {
        ret = read_step(&r, deadline);
    } while (ret == 0);
    mutex_unlock(&u->io);
    if (m->addr)
        m->addr->len = 0;
    return r.done > 0 || ret > 0 ? (ssize_t)r.done : ret;
}
