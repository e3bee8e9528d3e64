/* How AF_UNIX sockets come together: listen, connect, accept, socketpair, and a datagram socket's fixed peer.
 *
 * A stream's connect makes the other end at once and puts it into the listener's queue; both ends can be used before
 * it is accepted.  A listener with more than `backlog` such ends makes the next caller wait. */
#include <base/string.h>
#include <unix.h>
#include <vfs/inode.h>

static struct socket_cred caller_cred(void)
{
    struct net_caller c;
    net_get_caller(&c);
    return (struct socket_cred){c.pid, c.cred->euid, c.cred->egid};
}

int unix_listen(struct socket *s, int backlog)
{
    struct unix_sock *u = unix_of(s);
    struct socket_cred cred = caller_cred();
    if (!atomic_load(&u->name))
        return -EINVAL;
    int ret = -EINVAL;
    spin_lock(&u->lock);
    if (u->state != UNIX_CONNECTED) {
        u->backlog = (unsigned)backlog;
        u->state = UNIX_LISTENING;
        atomic_store(&s->is_listening, true);
        s->peer_cred = cred; /* what those who connect are shown */
        ret = 0;
    }
    spin_unlock(&u->lock);
    if (ret == 0)
        waitq_wake(&u->peer_wait, 0, POLL_WRITABLE);
    return ret;
}

/* --- connect ------------------------------------------------------------------------------------------- */

/* Join `u` with the fresh `end`, and queue that.  Both of the listener's and u's locks are held. */
static void join(struct unix_sock *u, struct unix_sock *end, struct unix_sock *listener,
                 const struct socket_cred *cred)
{
    unix_get(u);
    end->peer = u;
    end->state = UNIX_CONNECTED;
    end->s.peer_cred = *cred;
    end->name = listener->name;
    ref_get(&end->name->ref);
    end->s.flags = atomic_load(&listener->s.flags) & (1u << SOCKET_PASSCRED | 1u << SOCKET_PASSSEC);

    unix_get(end);
    atomic_store(&u->peer, end);
    u->state = UNIX_CONNECTED;
    u->s.peer_cred = listener->s.peer_cred;

    list_push_back(&listener->queue, &end->accept_node);
    atomic_store(&listener->nr_queued, listener->nr_queued + 1);
}

/* 0; 1: the queue is full; -errno. */
static int try_join(struct unix_sock *u, struct unix_sock *end, struct unix_sock *listener,
                    const struct socket_cred *cred)
{
    int ret = 0;
    if (listener->is_dead || listener->state != UNIX_LISTENING ||
        (atomic_load(&listener->s.shut) & SHUT_RECV))
        ret = -ECONNREFUSED;
    else if (unix_is_full(listener))
        ret = 1;
    else if (u->state == UNIX_CONNECTED)
        ret = -EISCONN;
    else if (u->state == UNIX_LISTENING)
        ret = -EINVAL;
    else
        join(u, end, listener, cred);
    return ret;
}

static int connect_to(struct unix_sock *u, struct unix_sock *end, const struct socket_addr *addr,
                      uint64_t deadline)
{
    struct socket_cred cred = caller_cred();
    for (;;) {
        struct unix_sock *listener;
        int ret = unix_find(addr, u->s.type, &listener);
        if (ret < 0)
            return ret;
        unix_lock_two(u, listener);
        ret = try_join(u, end, listener, &cred);
        unix_unlock_two(u, listener);
        if (ret == 0) {
            socket_wake_one_reader(&listener->s);
            /* The connection can be written to now. */
            socket_wake_writers(&u->s);
        } else if (ret == 1) {
            ret = unix_wait_for_room(listener, deadline);
            if (ret == 0)
                ret = 1;
        }
        unix_put(listener);
        if (ret <= 0)
            return ret;
    }
}

int unix_stream_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    struct unix_sock *u = unix_of(s);
    int ret = unix_check_addr(addr);
    if (ret == 0)
        ret = unix_name_if_wanted(u);
    if (ret < 0)
        return ret;
    struct unix_sock *end = unix_new(s->type);
    if (!end)
        return -ENOMEM;
    ret = connect_to(u, end, addr, socket_deadline(s->sndtimeo_ns, nonblock));
    if (ret < 0)
        unix_put(end);
    return ret;
}

/* --- accept -------------------------------------------------------------------------------------------- */

/* The next connection; NULL: none yet. */
static struct unix_sock *take_connection(struct unix_sock *u)
{
    spin_lock(&u->lock);
    struct list *node = list_pop_front(&u->queue);
    if (node)
        atomic_store(&u->nr_queued, u->nr_queued - 1);
    spin_unlock(&u->lock);
    return node ? list_entry(node, struct unix_sock, accept_node) : NULL;
}

static bool has_connection(struct unix_sock *u)
{
    return atomic_load(&u->nr_queued) > 0 || (atomic_load(&u->s.shut) & SHUT_RECV);
}

int unix_accept(struct socket *s, struct socket **out, bool nonblock)
{
    struct unix_sock *u = unix_of(s), *end;
    if (u->state != UNIX_LISTENING)
        return -EINVAL;
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, nonblock);
    while (!(end = take_connection(u))) {
        if (atomic_load(&s->shut) & SHUT_RECV)
            return -EINVAL;
        int ret = SOCKET_WAIT_EXCLUSIVE(&s->read_wait, has_connection(u), deadline);
        if (ret < 0)
            return ret;
    }
    waitq_wake(&u->peer_wait, 1, POLL_WRITABLE);
    *out = &end->s;
    return 0;
}

/* --- pairs --------------------------------------------------------------------------------------------- */

int unix_pair(struct socket *sa, struct socket *sb)
{
    struct unix_sock *a = unix_of(sa), *b = unix_of(sb);
    sa->peer_cred = sb->peer_cred = caller_cred();
    unix_get(a);
    unix_get(b);
    a->peer = b;
    b->peer = a;
    a->state = b->state = UNIX_CONNECTED;
    return 0;
}

/* --- datagrams ----------------------------------------------------------------------------------------- */

/* The peer has room again: its other senders' writers hear of it. */
static bool on_peer_room(struct waiter *w, unsigned long key)
{
    struct unix_sock *u = container_of(w, struct unix_sock, peer_waiter);
    socket_wake_writers(&u->s);
    return false;
}

void unix_watch_peer(struct unix_sock *u, struct unix_sock *peer)
{
    waiter_init_fn(&u->peer_waiter, on_peer_room);
    waitq_add(&peer->peer_wait, &u->peer_waiter);
}

void unix_unwatch_peer(struct unix_sock *u)
{
    waitq_remove(&u->peer_waiter);
}

/* `u` does not talk to `old` any more: what came from there is dropped, and a peer that talks to us is told. */
static void leave_peer(struct unix_sock *u, struct unix_sock *old)
{
    struct list dropped = LIST_INIT(dropped);
    mutex_lock(&u->io); /* a reader keeps the message that it reads */
    spin_lock(&u->lock);
    while (!list_is_empty(&u->queue))
        list_push_back(&dropped, list_pop_front(&u->queue));
    bool had_messages = u->nr_queued > 0;
    atomic_store(&u->nr_queued, 0);
    u->bytes_queued = 0;
    spin_unlock(&u->lock);
    mutex_unlock(&u->io);
    for (struct list *node; (node = list_pop_front(&dropped));)
        unix_msg_free(list_entry(node, struct unix_msg, node));
    if (!had_messages)
        return;
    waitq_wake(&u->peer_wait, 0, POLL_WRITABLE);
    if (!atomic_load(&old->is_dead) && atomic_load(&old->peer) == u) {
        atomic_store(&old->s.error, -ECONNRESET);
        socket_wake_all(&old->s);
    }
}

/* Become the peer of `other` (NULL: of none). */
static void set_peer(struct unix_sock *u, struct unix_sock *other)
{
    mutex_lock(&u->io); /* connects of one socket one after the other */
    unix_unwatch_peer(u);
    spin_lock(&u->lock);
    struct unix_sock *old = u->peer;
    atomic_store(&u->peer, other);
    u->state = other ? UNIX_CONNECTED : UNIX_CLOSED;
    spin_unlock(&u->lock);
    if (other && other != u)
        unix_watch_peer(u, other);
    mutex_unlock(&u->io);
    if (old && old != other)
        leave_peer(u, old);
    if (old)
        unix_put(old);
    socket_wake_writers(&u->s);
}

int unix_dgram_connect(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    struct unix_sock *u = unix_of(s), *other;
    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        set_peer(u, NULL);
        return 0;
    }
    int ret = unix_check_addr(addr);
    if (ret == 0)
        ret = unix_name_if_wanted(u);
    if (ret == 0)
        ret = unix_find(addr, s->type, &other);
    if (ret)
        return ret;
    struct unix_sock *its = atomic_load(&other->peer);
    if (its && its != u) {
        unix_put(other);
        return -EPERM;
    }
    set_peer(u, other); /* which takes the reference over */
    return 0;
}
