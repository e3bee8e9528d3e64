/* Datagrams of AF_UNIX, and SOCK_SEQPACKET, which is the same between connected sockets.
 *
 * A receiver's queue holds backlog + 1 messages; who sends more waits on the receiver's peer_wait.  Order of checks
 * and errors as in Linux's unix_dgram_sendmsg(). */
#include <base/string.h>
#include <unix.h>

#define DATA_MAX(u) ((u)->s.sndbuf - 32) /* longer is -EMSGSIZE */
#define HEAD_MAX    3776u

/* Whoever has a peer of its own hears nobody else. */
static bool may_send(const struct unix_sock *u, const struct unix_sock *to)
{
    struct unix_sock *its = atomic_load(&to->peer);
    return !its || its == u;
}

/* Our peer has died: forget it. */
static int lose_peer(struct unix_sock *u, struct unix_sock *dead)
{
    mutex_lock(&u->io); /* connects of this socket wait */
    spin_lock(&u->lock);
    bool was_peer = u->peer == dead;
    if (was_peer) {
        atomic_store(&u->peer, NULL);
        if (u->s.type == SOCK_DGRAM)
            u->state = UNIX_CLOSED;
    }
    spin_unlock(&u->lock);
    if (was_peer)
        unix_unwatch_peer(u);
    mutex_unlock(&u->io);
    if (was_peer)
        unix_put(dead);
    return was_peer ? -ECONNREFUSED : 0;
}

/* Into the queue of `to`: 0; 1: it is full; 2: it is dead; -errno. */
static int try_deliver(struct unix_sock *u, struct unix_sock *to, struct unix_msg *msg)
{
    int ret = 0;
    spin_lock(&to->lock);
    if (!may_send(u, to))
        ret = -EPERM;
    else if (to->is_dead)
        ret = 2;
    else if (to->s.shut & SHUT_RECV)
        ret = -EPIPE;
    else if (to != u && to->peer != u && unix_is_full(to))
        ret = 1;
    else
        unix_enqueue(to, msg);
    spin_unlock(&to->lock);
    if (ret == 0)
        socket_wake_one_reader(&to->s);
    return ret;
}

/* Deliver to the peer, or to `addr` when that is given. */
static int send_to(struct unix_sock *u, const struct socket_addr *addr, const struct socket_msg *m,
                   struct unix_msg *msg, uint64_t deadline)
{
    struct unix_sock *to = NULL;
    for (;;) {
        int ret = 0;
        if (!to) {
            if (addr) {
                ret = unix_find(addr, u->s.type, &to);
            } else {
                to = unix_get_peer(u);
                ret = to ? 0 : -ECONNRESET;
            }
            if (ret < 0)
                return ret;
            unix_msg_sign(msg, m, to);
            if (unlikely(msg->rights))
                unix_rights_aim(msg->rights, to);
        }
        ret = try_deliver(u, to, msg);
        if (ret == 1)
            ret = unix_wait_for_room(to, deadline) ?: 1;
        if (ret == 2) {
            int lost = lose_peer(u, to);
            unix_put(to);
            to = NULL;
            if (lost < 0)
                return lost;
            if (!addr)
                return -ECONNRESET;
            continue;
        }
        if (ret <= 0) {
            unix_put(to);
            return ret;
        }
    }
}

ssize_t unix_dgram_send(struct socket *s, struct socket_msg *m)
{
    struct unix_sock *u = unix_of(s);
    struct unix_msg *msg;
    size_t n = m->data->left;
    int ret = 0;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->addr && m->addr->len == 0)
        m->addr = NULL;
    if (m->addr)
        ret = unix_check_addr(m->addr);
    else if (!atomic_load(&u->peer))
        ret = -ENOTCONN;
    if (ret == 0)
        ret = unix_name_if_wanted(u);
    if (ret == 0 && n > DATA_MAX(u))
        ret = -EMSGSIZE;
    if (ret < 0)
        return ret;
    uint64_t deadline = socket_deadline(s->sndtimeo_ns, m->nonblock);
    ret = unix_msg_new(u, n, HEAD_MAX, deadline, &msg);
    if (ret < 0)
        return ret;
    ret = unix_msg_fill(msg, m->data);
    if (ret == 0 && m->control && m->control->rights) {
        ret = unix_rights_send(m->control->rights);
        if (ret == 0) {
            msg->rights = m->control->rights;
            m->control->rights = NULL;
        }
    }
    if (ret == 0)
        ret = send_to(u, m->addr, m, msg, deadline);
    if (ret < 0) {
        unix_msg_free(msg);
        return ret;
    }
    return n;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

static bool has_something(struct unix_sock *u)
{
    return atomic_load(&u->nr_queued) > 0 || atomic_load(&u->s.error) ||
           (atomic_load(&u->s.shut) & SHUT_RECV);
}

/* The message to read, `io` held: 1, 0 (end: the socket was shut down), -errno. */
static int wait_for_message(struct unix_sock *u, bool nonblock, struct unix_msg **out)
{
    uint64_t deadline = socket_deadline(u->s.rcvtimeo_ns, nonblock);
    for (;;) {
        int ret = socket_take_error(&u->s);
        if (ret < 0)
            return ret;
        *out = unix_first(u);
        if (*out)
            return 1;
        bool is_over = atomic_load(&u->s.shut) & SHUT_RECV;
        if (deadline == 0)
            return is_over && u->s.type == SOCK_SEQPACKET ? 0 : -EAGAIN;
        if (is_over)
            return 0;
        mutex_unlock(&u->io);
        ret = SOCKET_WAIT_EXCLUSIVE(&u->s.read_wait, has_something(u), deadline);
        mutex_lock(&u->io);
        if (ret < 0)
            return ret;
    }
}

static ssize_t read_message(struct unix_sock *u, struct socket_msg *m, struct unix_msg *msg)
{
    size_t skip =
        m->flags & MSG_PEEK && u->s.peek_off > 0 ? MIN((uint32_t)u->s.peek_off, msg->len) : 0;
    size_t there = msg->len - skip, n = MIN(there, m->data->left);
    if (n < there)
        m->out_flags |= MSG_TRUNC;
    if (unix_msg_copy(msg, skip, n, m->data) < 0)
        return -EFAULT;
    if (m->addr) {
        unix_tell_name(atomic_load(&msg->sender->name), m->addr);
        if (!msg->sender->name)
            m->addr->len = 0;
    }
    socket_emit_stamp(&u->s, m, 0);
    unix_give_cred(m, u, msg);
    (void)unix_give_rights(m, msg);
    if (u->s.peek_off >= 0)
        u->s.peek_off =
            m->flags & MSG_PEEK ? u->s.peek_off + (int)n : MAX(0, u->s.peek_off - (int)msg->len);
    return m->flags & MSG_TRUNC ? there : n;
}

ssize_t unix_dgram_recv(struct socket *s, struct socket_msg *m)
{
    struct unix_sock *u = unix_of(s);
    struct unix_msg *msg;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    mutex_lock(&u->io);
    ssize_t ret = wait_for_message(u, m->nonblock, &msg);
    bool takes = ret > 0 && !(m->flags & MSG_PEEK);
    if (takes) { /* also when it cannot be delivered: it is gone then */
        unix_dequeue(u, msg);
        waitq_wake(&u->peer_wait, 1, POLL_WRITABLE);
    }
    if (ret > 0)
        ret = read_message(u, m, msg);
    else if (m->addr)
        m->addr->len = 0;
    mutex_unlock(&u->io);
    if (takes)
        unix_msg_free(msg);
    return ret;
}

/* --- SOCK_SEQPACKET ------------------------------------------------------------------------------------ */

ssize_t unix_seqpacket_send(struct socket *s, struct socket_msg *m)
{
    int ret = socket_take_error(s);
    if (ret < 0)
        return ret;
    if (unix_of(s)->state != UNIX_CONNECTED)
        return -ENOTCONN;
    m->addr = NULL;
    return unix_dgram_send(s, m);
}

ssize_t unix_seqpacket_recv(struct socket *s, struct socket_msg *m)
{
    if (unix_of(s)->state != UNIX_CONNECTED)
        return -ENOTCONN;
    return unix_dgram_recv(s, m);
}
