/* AF_UNIX sockets: life, poll, shutdown and what they tell of themselves. */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <base/string.h>
#include <linux/sockios.h>
#include <net/net.h>
#include <unix.h>
#include <vfs/inode.h>

/* Every socket of the family, for /proc/net/unix. */
static struct spinlock all_lock = SPINLOCK_INIT(RANK_SOCKET_NAME); /* guards: */
static struct list all = LIST_INIT(all);                           /* struct unix_sock.all_node */
static unsigned long last_serial;

struct unix_sock *unix_new(int type)
{
    static const struct socket_ops *const ops_of_type[] = {[SOCK_STREAM] = &unix_stream_ops,
                                                           [SOCK_DGRAM] = &unix_dgram_ops,
                                                           [SOCK_SEQPACKET] = &unix_seqpacket_ops};
    struct unix_sock *u = heap_zalloc(sizeof(*u));
    if (!u)
        return NULL;
    socket_setup(&u->s, ops_of_type[type], AF_UNIX, type, 0);
    ref_init(&u->ref);
    mutex_init(&u->io, RANK_SOCKET_IO);
    spin_init(&u->lock, RANK_SOCKET);
    list_init(&u->queue);
    list_init(&u->accept_node);
    list_init(&u->flight_node);
    list_init(&u->gc_node);
    waitq_init_rank(&u->peer_wait, RANK_WAITQ_PEER);
    u->backlog = UNIX_DGRAM_BACKLOG;
    spin_lock(&all_lock);
    u->serial = ++last_serial;
    list_push_back(&all, &u->all_node);
    spin_unlock(&all_lock);
    return u;
}

void unix_put(struct unix_sock *u)
{
    if (!ref_put(&u->ref))
        return;
    spin_lock(&all_lock);
    list_remove(&u->all_node);
    spin_unlock(&all_lock);
    if (u->name)
        unix_name_put(u->name);
    heap_free(u->spare);
    heap_free(u);
}

static int unix_create(int type, int protocol, struct socket **out)
{
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    struct unix_sock *u = unix_new(type);
    if (!u)
        return -ENOMEM;
    *out = &u->s;
    return 0;
}

struct unix_sock *unix_get_peer(struct unix_sock *u)
{
    spin_lock(&u->lock);
    struct unix_sock *peer = u->peer;
    if (peer)
        unix_get(peer);
    spin_unlock(&u->lock);
    return peer;
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock_nested(a < b ? &b->lock : &a->lock, RANK_SOCKET_2);
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b)
{
    if (a != b)
        spin_unlock(a < b ? &b->lock : &a->lock);
    spin_unlock(a < b ? &a->lock : &b->lock);
}

static bool has_room(struct unix_sock *other)
{
    return atomic_load(&other->nr_queued) <= atomic_load(&other->backlog) ||
           atomic_load(&other->is_dead) || (atomic_load(&other->s.shut) & SHUT_RECV);
}

int unix_wait_for_room(struct unix_sock *other, uint64_t deadline)
{
    return SOCKET_WAIT_EXCLUSIVE(&other->peer_wait, has_room(other), deadline);
}

/* --- the end ------------------------------------------------------------------------------------------- */

/* What a connected peer hears. */
static void tell_peer(struct unix_sock *u, struct unix_sock *peer, bool was_unread)
{
    if (!unix_is_datagram(u)) {
        spin_lock(&peer->lock);
        atomic_or(&peer->s.shut, SHUT_BOTH);
        if (was_unread)
            atomic_store(&peer->s.error, -ECONNRESET);
        spin_unlock(&peer->lock);
        socket_wake_all(&peer->s);
        waitq_wake(&peer->peer_wait, 0, POLL_WRITABLE);
    }
    unix_put(peer);
}

/* What nobody will read any more. */
static void drop_queue(struct unix_sock *u, struct list *queue, bool was_listening)
{
    for (struct list *node; (node = list_pop_front(queue));) {
        if (was_listening)
            unix_release_sock(list_entry(node, struct unix_sock, accept_node), true);
        else
            unix_msg_free(list_entry(node, struct unix_msg, node));
    }
}

void unix_release_sock(struct unix_sock *u, bool was_embryo)
{
    struct list queue = LIST_INIT(queue);
    unix_unbind(u);
    unix_unwatch_peer(u);

    spin_lock(&u->lock);
    bool was_listening = u->state == UNIX_LISTENING;
    u->state = UNIX_CLOSED;
    atomic_store(&u->is_dead, true);
    atomic_or(&u->s.shut, SHUT_BOTH);
    struct unix_sock *peer = u->peer;
    u->peer = NULL;
    bool was_unread = !was_listening && !list_is_empty(&u->queue);
    while (!list_is_empty(&u->queue))
        list_push_back(&queue, list_pop_front(&u->queue));
    u->nr_queued = 0;
    u->bytes_queued = 0;
    spin_unlock(&u->lock);

    waitq_wake(&u->peer_wait, 0, POLL_WRITABLE);
    if (peer)
        tell_peer(u, peer, was_unread || was_embryo);
    drop_queue(u, &queue, was_listening);
    unix_put(u);
    if (!was_embryo)
        unix_collect_garbage();
}

static void unix_release(struct socket *s)
{
    unix_release_sock(unix_of(s), false);
}

static int unix_shutdown(struct socket *s, int how)
{
    static const unsigned bits_of_how[] = {SHUT_RECV, SHUT_SEND, SHUT_BOTH};
    struct unix_sock *u = unix_of(s);
    if ((unsigned)how > SHUT_RDWR)
        return -EINVAL;
    unsigned bits = bits_of_how[how];
    spin_lock(&u->lock);
    atomic_or(&s->shut, bits);
    struct unix_sock *peer = u->peer;
    if (peer)
        unix_get(peer);
    spin_unlock(&u->lock);
    socket_wake_all(s);
    waitq_wake(&u->peer_wait, 0, POLL_WRITABLE);
    if (peer && !unix_is_datagram(u)) {
        unsigned mirrored = (bits & SHUT_RECV ? SHUT_SEND : 0) | (bits & SHUT_SEND ? SHUT_RECV : 0);
        spin_lock(&peer->lock);
        atomic_or(&peer->s.shut, mirrored);
        spin_unlock(&peer->lock);
        socket_wake_all(&peer->s);
    }
    if (peer)
        unix_put(peer);
    return 0;
}

/* --- what it tells ------------------------------------------------------------------------------------- */

static int unix_getname(struct socket *s, struct socket_addr *addr, int wants_peer)
{
    struct unix_sock *u = unix_of(s), *peer = NULL;
    if (wants_peer) {
        peer = unix_get_peer(u);
        if (!peer)
            return -ENOTCONN;
        u = peer;
    }
    unix_tell_name(atomic_load(&u->name), addr);
    if (peer)
        unix_put(peer);
    return 0;
}

static uint32_t common_poll(struct unix_sock *u, struct file *f, struct poll_table *t)
{
    struct socket *s = &u->s;
    uint32_t events = 0;
    poll_on(t, f, &s->read_wait);
    poll_on(t, f, &s->write_wait);
    unsigned shut = atomic_load(&s->shut);
    if (atomic_load(&s->error))
        events |= POLLERR;
    if (shut == SHUT_BOTH)
        events |= POLLHUP;
    if (shut & SHUT_RECV)
        events |= POLLRDHUP | POLL_READABLE;
    if (unix_first(u) || atomic_load(&u->nr_queued))
        events |= POLL_READABLE;
    if (atomic_load(&u->oob))
        events |= POLLPRI;
    if (!unix_is_datagram(u) && u->state == UNIX_CLOSED)
        events |= POLLHUP;
    return events;
}

static uint32_t unix_stream_poll(struct socket *s, struct file *f, struct poll_table *t)
{
    uint32_t events = common_poll(unix_of(s), f, t);
    return unix_is_writable(unix_of(s)) ? events | POLL_WRITABLE | POLLWRBAND : events;
}

static uint32_t unix_dgram_poll(struct socket *s, struct file *f, struct poll_table *t)
{
    struct unix_sock *u = unix_of(s);
    uint32_t events = common_poll(u, f, t);
    if (!unix_is_writable(u))
        return events;
    struct unix_sock *peer = unix_get_peer(u);
    bool is_stuck = peer && atomic_load(&peer->peer) != u && !has_room(peer);
    if (peer)
        unix_put(peer);
    return is_stuck ? events : events | POLL_WRITABLE | POLLWRBAND;
}

/* Bytes that can be read: of a datagram socket, of the first message. */
static long bytes_readable(struct unix_sock *u)
{
    long n = -EINVAL;
    spin_lock(&u->lock);
    if (u->state != UNIX_LISTENING) {
        struct unix_msg *first = unix_first(u);
        n = unix_is_datagram(u) ? (first ? (long)first->len : 0) : (long)u->bytes_queued;
    }
    spin_unlock(&u->lock);
    return n;
}

static long unix_ioctl(struct socket *s, unsigned cmd, struct uptr arg)
{
    struct unix_sock *u = unix_of(s);
    long n;
    switch (cmd) {
    case FIONREAD: /* SIOCINQ */
        n = bytes_readable(u);
        return n < 0 ? n : socket_put_int(arg, (int)n);
    case TIOCOUTQ: /* SIOCOUTQ */
        return socket_put_int(arg, (int)atomic_load(&u->wmem));
    case SIOCATMARK:
        if (s->type != SOCK_STREAM)
            return -EOPNOTSUPP;
        return socket_put_int(arg, unix_is_at_mark(unix_of(s)));
    default:
        return -ENOTTY;
    }
}

static int unix_show(struct socket *s, char *buf, size_t size)
{
    struct unix_sock *u = unix_of(s);
    unsigned nr = 0;
    if (u->state == UNIX_LISTENING)
        return 0;
    spin_lock(&u->lock);
    struct unix_msg *m;
    list_for_each(m, &u->queue, node)
        nr += m->rights ? m->rights->nr : 0;
    spin_unlock(&u->lock);
    return snprintf(buf, size, "scm_fds: %u\n", nr);
}

const struct socket_ops unix_stream_ops = {
    .bind = unix_bind,
    .connect = unix_stream_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .pair = unix_pair,
    .send = unix_stream_send,
    .recv = unix_stream_recv,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .poll = unix_stream_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
    .show = unix_show,
};

const struct socket_ops unix_dgram_ops = {
    .bind = unix_bind,
    .connect = unix_dgram_connect,
    .pair = unix_pair,
    .send = unix_dgram_send,
    .recv = unix_dgram_recv,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .poll = unix_dgram_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
    .show = unix_show,
};

const struct socket_ops unix_seqpacket_ops = {
    .bind = unix_bind,
    .connect = unix_stream_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .pair = unix_pair,
    .send = unix_seqpacket_send,
    .recv = unix_seqpacket_recv,
    .shutdown = unix_shutdown,
    .getname = unix_getname,
    .poll = unix_dgram_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
    .show = unix_show,
};

/* --- /proc/net/unix ------------------------------------------------------------------------------------ */

#define ACCEPTS_FLAG 0x10000u /* __SO_ACCEPTCON */

static void show_line(struct text *t, struct unix_sock *u)
{
    enum { UNCONNECTED = 1, CONNECTING, CONNECTED, DISCONNECTING };
    struct file *f = u->s.file;
    bool is_connected = u->state == UNIX_CONNECTED;
    int state =
        f ? (is_connected ? CONNECTED : UNCONNECTED) : (is_connected ? CONNECTING : DISCONNECTING);
    char name[SOCKET_ADDR_MAX + 2] = "";
    struct unix_name *n = atomic_load(&u->name);
    if (n) {
        size_t len = n->addr.len - sizeof(n->addr.family);
        name[0] = ' ';
        memcpy(name + 1, n->addr.bytes + sizeof(n->addr.family), len);
        for (size_t i = 1; i <= len; i++)
            if (!name[i] && (i < len || name[1] == '@' || !name[1]))
                name[i] = '@';
        name[len + 1] = '\0';
    }
    text_print(t, "%016lx: %08X %08X %08X %04X %02X %5lu%s\n", u->serial, u->ref.count + 1, 0u,
               u->state == UNIX_LISTENING ? ACCEPTS_FLAG : 0u, (unsigned)u->s.type, (unsigned)state,
               f && !u->is_dead ? f->inode->ino : 0ul, name);
}

int net_show_unix(struct text *t, struct inode *i)
{
    text_print(t, "Num               RefCount Protocol Flags    Type St Inode Path\n");
    struct unix_sock *u;
    spin_lock(&all_lock);
    list_for_each(u, &all, all_node)
        show_line(t, u);
    spin_unlock(&all_lock);
    return 0;
}

static struct socket_family family = {.family = AF_UNIX, .create = unix_create};

void unix_init(void)
{
    unix_name_init();
    socket_register_family(&family);
}
