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
static inline int deliver(struct unix_sock *peer, struct unix_msg *msg, bool is_oob)
{
    spin_lock(&peer->lock);
    if (unlikely(peer->is_dead || (peer->s.shut & SHUT_RECV))) {
        spin_unlock(&peer->lock);
        return -EPIPE;
    }
    unix_enqueue(peer, msg);
    const struct file *f = unlikely(is_oob) ? peer->s.file : NULL;
    int type = f ? f->owner_type : 0, owner = f ? f->owner_pid : 0;
    if (unlikely(is_oob))
        atomic_store(&peer->oob, msg); /* the one before it is ordinary from now on */
    spin_unlock(&peer->lock);
    if (unlikely(owner))
        net_send_urgent(type, owner);
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
                        bool is_oob, uint64_t deadline)
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
        ret = deliver(peer, msg, is_oob);
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
    size_t oob = m->flags & MSG_OOB ? 1 : 0; /* the last byte is it */
    if (unlikely(oob && m->data->left == 0))
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
        bool is_oob = m->data->left == oob;
        ssize_t ret =
            send_one(u, peer, m, is_oob ? 1 : MIN(m->data->left - oob, most), is_oob, deadline);
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

static struct unix_msg *behind(struct unix_sock *u, const struct unix_msg *msg)
{
    struct list *next = atomic_load(&msg->node.next);
    return next == &u->queue ? NULL : list_entry(next, struct unix_msg, node);
}

static void drop_first(struct unix_sock *u, struct unix_msg *msg)
{
    spin_lock(&u->lock);
    u->bytes_queued -= msg->len - msg->offset;
    msg->offset = msg->len;
    if (u->oob == msg)
        atomic_store(&u->oob, NULL);
    spin_unlock(&u->lock);
    unix_dequeue(u, msg);
    unix_msg_free(msg);
}

/* Whatever `msg` is, it is a mark or the byte of MSG_OOB itself.  1: the read ends before it; 0: it is no more, or
 * was passed; -1: it is read like any other. */
static int pass_mark(struct reading *r, struct unix_msg *msg)
{
    struct unix_sock *u = r->u;
    bool is_oob = msg == atomic_load(&u->oob);
    if (r->done > 0 && (is_oob || !atomic_load(&u->oob)))
        return 1;
    if (is_oob && socket_has(&u->s, SOCKET_OOBINLINE))
        return -1;
    if (r->m->flags & MSG_PEEK)
        r->last_peeked = msg;
    else
        drop_first(u, msg);
    return 0;
}

/* The message to read from; NULL: none there. */
static struct unix_msg *next_message(struct reading *r)
{
    return likely(!r->last_peeked) ? unix_first(r->u) : behind(r->u, r->last_peeked);
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
        if (unlikely(msg == atomic_load(&u->oob))) {
            drop_first(u, msg);
            return had_rights;
        }
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
        bool hides_oob = atomic_load(&r->u->oob) && !socket_has(&r->u->s, SOCKET_OOBINLINE);
        return wait_for_data(r->u, r->skip + (peeks && hides_oob), deadline);
    }
    size_t there = msg->len - msg->offset;
    if (unlikely(there == 0 || msg == atomic_load(&r->u->oob))) {
        int mark = pass_mark(r, msg);
        if (mark >= 0)
            return mark;
    }
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

bool unix_is_at_mark(struct unix_sock *u)
{
    mutex_lock(&u->io);
    struct unix_msg *first = unix_first(u), *oob = atomic_load(&u->oob);
    bool is_at = first && (first == oob ||
                           (first->offset == first->len && (!oob || behind(u, first) == oob)));
    mutex_unlock(&u->io);
    return is_at;
}

static ssize_t recv_oob(struct unix_sock *u, struct socket_msg *m)
{
    mutex_lock(&u->io);
    struct unix_msg *msg = socket_has(&u->s, SOCKET_OOBINLINE) ? NULL : atomic_load(&u->oob);
    ssize_t ret = msg ? 1 : -EINVAL; /* without room for it, too */
    if (msg && m->data->left > 0 && unix_msg_copy(msg, 0, 1, m->data) < 0)
        ret = -EFAULT;
    if (msg && !(m->flags & MSG_PEEK)) {
        spin_lock(&u->lock);
        if (u->oob == msg)
            atomic_store(&u->oob, NULL);
        msg->offset = msg->len;
        u->bytes_queued--;
        spin_unlock(&u->lock);
    }
    mutex_unlock(&u->io);
    if (m->addr)
        m->addr->len = 0;
    if (ret > 0)
        m->out_flags |= MSG_OOB;
    return ret;
}

ssize_t unix_stream_recv(struct socket *s, struct socket_msg *m)
{
    struct unix_sock *u = unix_of(s);
    if (unlikely(u->state != UNIX_CONNECTED))
        return -EINVAL;
    if (unlikely(m->flags & MSG_OOB))
        return recv_oob(u, m);
    struct reading r = {.u = u, .m = m, .low_water = socket_low_water(s, m->flags, m->data->left)};
    bool nonblock = m->nonblock || m->data->how & IOBUF_SPLICE_NOWAIT;
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, nonblock);
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
