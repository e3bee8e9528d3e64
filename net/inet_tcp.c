/* TCP sockets over lwIP's control blocks: how connections begin and end.
 *
 * lwIP frees a control block by itself when the connection dies (it then calls on_error) and when TIME_WAIT is over
 * (it then says nothing).  So a socket lets go of its block as soon as both sides have sent their FIN, and keeps what
 * it is asked for afterwards (names, unread bytes) itself. */
#include <base/string.h>
#include <inet.h>
#include <core/thread.h>
#include <core/wait.h>
#include <linux/in.h>

#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <lwip/tcp.h>
#include <net_hooks.h>

struct inet_sock *inet_tcp_new(int family)
{
    struct inet_sock *i = inet_new(&inet_tcp_ops, family, SOCK_STREAM, IPPROTO_TCP);
    if (!i)
        return NULL;
    i->tcp = tcp_new_ip_type(family == AF_INET6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
    if (!i->tcp) {
        heap_free(i);
        return NULL;
    }
    tcp_arg(i->tcp, i);
    return i;
}

/* --- what lwIP tells ----------------------------------------------------------------------------------- */

static void die(struct inet_sock *i, int error)
{
    i->tcp = NULL;
    if (error)
        atomic_store(&i->s.error, error);
    if (i->state == INET_CONNECTING)
        atomic_store(&i->state, INET_CLOSED);
    atomic_or(&i->s.shut, SHUT_BOTH);
    atomic_store(&i->can_send, false);
    socket_wake_all(&i->s);
}

/* The block is gone already. */
static void on_error(void *arg, err_t err)
{
    struct inet_sock *i = arg;
    if (!i)
        return;
    int error = inet_errno(err);
    if (err == ERR_RST && i->state == INET_CONNECTING)
        error = -ECONNREFUSED;
    else if (err == ERR_RST && i->has_eof) /* they take no more, and had said so */
        error = -EPIPE;
    die(i, error);
}

void inet_tcp_detach(struct inet_sock *i)
{
    struct tcp_pcb *pcb = i->tcp;
    if (!pcb)
        return;
    inet_tcp_restore_window(i);
    i->tcp = NULL;
    inet_tcp_keep_options(i, pcb);
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_close(pcb);
}

static void on_fin(struct inet_sock *i)
{
    atomic_store(&i->has_eof, true);
    if (i->sent_fin) {
        inet_tcp_detach(i);
        atomic_or(&i->s.shut, SHUT_BOTH);
    }
    waitq_wake(&i->s.read_wait, 0, POLL_READABLE | POLLRDHUP | (i->sent_fin ? POLLHUP : 0));
    if (i->sent_fin)
        socket_wake_writers(&i->s);
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct inet_sock *i = arg;
    (void)err;
    if (!i) { /* nobody reads any more */
        if (p) {
            tcp_recved(pcb, p->tot_len);
            pbuf_free(p);
        }
        return ERR_OK;
    }
    if (!p) {
        on_fin(i);
        return ERR_OK;
    }
    if (unlikely(i->sent_fin && (i->s.shut & SHUT_RECV))) { /* as when it is closed */
        tcp_err(pcb, NULL);
        tcp_abort(pcb);
        pbuf_free(p);
        die(i, -ECONNRESET);
        return ERR_ABRT;
    }
    size_t n = p->tot_len;
    if (pcb->flags & TF_ACK_DELAY)
        inet_timers_delayed();
    inet_tcp_queue_rx(i, p);
    inet_tcp_find_urgent(i);
    /* Several packets in one frame are one to lwIP, which answers every second at once. */
    if (n > TCP_MSS)
        tcp_ack_now(pcb);
    socket_wake_readers(&i->s);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
    struct inet_sock *i = arg;
    (void)pcb;
    (void)n;
    if (!i)
        return ERR_OK;
    inet_tcp_update(i);
    if (i->can_send && atomic_load(&i->is_full)) {
        atomic_store(&i->is_full, false);
        socket_wake_writers(&i->s);
    }
    return ERR_OK;
}

/* lwIP asks twice a second, and its clock stands still while the machine does.  Nothing is said to the peer, as on Linux: it
 * may be gone. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    struct inet_sock *i = arg;
    if (!i || (!pcb->unacked && !pcb->unsent)) {
        if (i)
            i->is_stuck = false;
        return ERR_OK;
    }
    if (!i->is_stuck || i->stuck_at != pcb->lastack) {
        i->is_stuck = true;
        i->stuck_since = tcp_ticks;
        i->stuck_at = pcb->lastack;
    }
    if ((uint64_t)(tcp_ticks - i->stuck_since) * TCP_SLOW_INTERVAL < i->user_timeout_ms)
        return ERR_OK;
    tcp_err(pcb, NULL);
    tcp_abandon(pcb, 0);
    die(i, -ETIMEDOUT);
    return ERR_ABRT;
}

void inet_tcp_watch(struct inet_sock *i)
{
    if (i->tcp && i->state != INET_LISTENING)
        tcp_poll(i->tcp, i->user_timeout_ms ? on_poll : NULL, 1);
}

void inet_tcp_attach(struct inet_sock *i, struct tcp_pcb *pcb)
{
    i->tcp = pcb;
    inet_tcp_watch(i);
    tcp_arg(pcb, i);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
}

static void take_names(struct inet_sock *i)
{
    ip_addr_copy(i->local, i->tcp->local_ip);
    ip_addr_copy(i->peer, i->tcp->remote_ip);
    i->local_port = i->tcp->local_port;
    i->peer_port = i->tcp->remote_port;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct inet_sock *i = arg;
    (void)err;
    if (!i)
        return ERR_OK;
    pcb->nrtx = 0; /* the SYN's repetitions are no measure of what follows */
    pcb->rto = pcb->sv;
    take_names(i);
    atomic_store(&i->state, INET_CONNECTED);
    inet_tcp_open_window(i);
    inet_tcp_update(i);
    socket_wake_all(&i->s);
    return ERR_OK;
}

/* --- giving up ------------------------------------------------------------------------------------------ */

/* The next connection; NULL: none. */
static struct inet_sock *take_connection(struct inet_sock *l)
{
    struct list *node = list_pop_front(&l->accepts);
    if (!node)
        return NULL;
    atomic_store(&l->nr_accepts, l->nr_accepts - 1);
    struct inet_sock *i = list_entry(node, struct inet_sock, accept_node);
    i->listener = NULL;
    return i;
}

static void abort_connection(struct inet_sock *i)
{
    struct tcp_pcb *pcb = i->tcp;
    if (!pcb)
        return;
    i->tcp = NULL;
    tcp_arg(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_abort(pcb);
}

static void free_connection(struct inet_sock *i)
{
    inet_tcp_drop_rx(i);
    heap_free(i);
}

static void stop_listening(struct inet_sock *l)
{
    struct inet_sock *i;
    while ((i = take_connection(l))) {
        abort_connection(i);
        free_connection(i);
    }
    list_remove(&l->all_node);
    struct tcp_pcb *pcb = l->tcp;
    l->tcp = NULL;
    tcp_arg(pcb, NULL);
    tcp_close(pcb);
    atomic_store(&l->s.is_listening, false);
    atomic_store(&l->state, INET_CLOSED);
}

/* --- connect --------------------------------------------------------------------------------------- */

/* A fresh control block after a connection, or its attempt, is over: what bind(2) said still holds, and so do the options. */
static int renew(struct inet_sock *i)
{
    i->state = INET_CLOSED;
    i->tcp = tcp_new_ip_type(i->is_v6 ? IPADDR_TYPE_ANY : IPADDR_TYPE_V4);
    if (!i->tcp)
        return -ENOMEM;
    tcp_arg(i->tcp, i);
    i->state = INET_NEW;
    inet_bind_interface(i);
    inet_set_block(i);
    i->withheld = 0;
    i->local = i->bound;
    i->local_port = i->tcp->local_port = i->bound_port;
    i->peer_port = 0;
    if (i->bound_port || !ip_addr_isany(&i->bound))
        i->tcp->local_ip = i->bound;
    if (i->bound_port)
        TCP_REG(&tcp_bound_pcbs, i->tcp);
    i->has_eof = i->sent_fin = i->has_urgent_out = i->is_attempt = false;
    atomic_store(&i->s.shut, 0);
    return 0;
}

/* Back to where it was before connect(2) or listen(2). */
static int disconnect(struct inet_sock *i)
{
    if (i->state == INET_LISTENING)
        stop_listening(i);
    else if (i->tcp && i->state != INET_NEW)
        atomic_store(&i->s.error, -ECONNRESET);
    abort_connection(i);
    inet_tcp_drop_rx(i);
    int ret = renew(i);
    socket_wake_all(&i->s);
    return ret;
}

static int send_syn(struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    if (port == 0)
        return -ECONNREFUSED;
    ip_set_option(i->tcp, SOF_REUSEADDR); /* lwIP looks whether there is the same connection */
    err_t err = tcp_connect(i->tcp, ip, port, on_connected);
    if (err == ERR_USE && inet_tcp_end_wait(i->tcp))
        err = tcp_connect(i->tcp, ip, port, on_connected);
    inet_tcp_enter_newest();
    return err == ERR_USE ? -EADDRNOTAVAIL : inet_errno(err);
}

/* An attempt is over, and whoever asks next hears how it went: 0, -errno.  Without a connection there may be another. */
static int end_attempt(struct inet_sock *i)
{
    i->is_attempt = false;
    if (i->state == INET_CONNECTED && i->tcp)
        return 0;
    int error = socket_take_error(&i->s) ?: -ECONNABORTED;
    inet_tcp_drop_rx(i);
    if (!i->tcp)
        (void)!renew(i);
    return error;
}

/* 1: there is nothing to wait for. */
static int begin_connect(struct inet_sock *i, const struct socket_addr *addr)
{
    ip_addr_t ip;
    uint16_t port;
    if (addr->len < sizeof(addr->family))
        return -EINVAL;
    if (addr->family == AF_UNSPEC)
        return disconnect(i) ?: 1;
    if (i->state == INET_CONNECTING)
        return -EALREADY;
    if (i->is_attempt)
        return end_attempt(i) ?: 1;
    if (i->state == INET_CLOSED) /* there was no memory */
        return renew(i) ?: -ECONNABORTED;
    if (i->state != INET_NEW)
        return -EISCONN;
    int ret = inet_get_addr(i, addr, &ip, &port);
    if (ret < 0)
        return ret;
    inet_fix_destination(&ip);
    if (ip_addr_ismulticast(&ip) ||
        (IP_IS_V4_VAL(ip) && ip4_addr_get_u32(ip_2_ip4(&ip)) == IPADDR_BROADCAST))
        return -ENETUNREACH;
    inet_tcp_attach(i, i->tcp);
    i->peer = ip;
    i->peer_port = port;
    i->state = INET_CONNECTING;
    atomic_store(&i->s.error, 0);
    ret = send_syn(i, &ip, port);
    if (ret < 0) {
        i->state = INET_NEW;
        i->peer_port = 0;
        return ret;
    }
    i->is_attempt = true;
    i->local = i->tcp->local_ip;
    i->local_port = i->tcp->local_port;
    return 0;
}

static bool is_decided(struct inet_sock *i)
{
    return atomic_load(&i->state) != INET_CONNECTING;
}

static int tcp_connect_op(struct socket *s, const struct socket_addr *addr, bool nonblock)
{
    struct inet_sock *i = inet_of(s);
    inet_lock();
    int ret = begin_connect(i, addr);
    bool waits = ret == 0 || (ret == -EALREADY && !nonblock);
    inet_unlock();
    if (ret == 1)
        return 0;
    if (!waits)
        return ret;
    uint64_t deadline = socket_deadline(s->sndtimeo_ns, nonblock);
    if (deadline == 0)
        return -EINPROGRESS;
    ret = SOCKET_WAIT(&s->write_wait, is_decided(i), deadline);
    if (ret == -EAGAIN)
        return -EINPROGRESS;
    if (ret < 0)
        return ret;
    inet_lock();
    ret = end_attempt(i);
    inet_unlock();
    return ret;
}

/* --- listen and accept --------------------------------------------------------------------------------- */

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct inet_sock *l = arg;
    if (err != ERR_OK || !pcb || !l)
        return ERR_VAL;
    struct inet_sock *i = inet_new(&inet_tcp_ops, l->s.family, SOCK_STREAM, IPPROTO_TCP);
    if (!i)
        return ERR_MEM;
    i->state = INET_CONNECTED;
    inet_inherit(i, l, pcb);
    take_names(i);
    inet_tcp_open_window(i);
    inet_tcp_update(i);
    i->listener = l;
    list_push_back(&l->accepts, &i->accept_node);
    atomic_store(&l->nr_accepts, l->nr_accepts + 1);
    socket_wake_one_reader(&l->s);
    return ERR_OK;
}

static int listen_locked(struct inet_sock *i, int backlog)
{
    i->backlog = (unsigned)backlog;
    if (i->state == INET_LISTENING)
        return 0;
    if (i->state != INET_NEW)
        return -EINVAL;
    if (!i->local_port) {
        ip_addr_t any = *(!ip_addr_isany(&i->bound)    ? &i->bound
                          : i->is_v6 && !i->is_v6_only ? IP_ANY_TYPE
                          : i->is_v6                   ? IP6_ADDR_ANY
                                                       : IP4_ADDR_ANY);
        int ret = inet_errno(tcp_bind(i->tcp, &any, 0));
        if (ret < 0)
            return ret;
        i->local = any;
        i->local_port = i->tcp->local_port;
    }
    if (inet_tcp_is_taken(i, &i->local, i->local_port))
        return -EADDRINUSE;
    err_t err = ERR_OK;
    struct tcp_pcb *pcb = tcp_listen_with_backlog_and_err(i->tcp, TCP_DEFAULT_LISTEN_BACKLOG, &err);
    if (!pcb)
        return inet_errno(err);
    i->tcp = pcb;
    tcp_arg(pcb, i);
    tcp_accept(pcb, on_accept);
    list_push_back(&inet_all_listeners, &i->all_node);
    atomic_store(&i->state, INET_LISTENING);
    atomic_store(&i->s.is_listening, true);
    return 0;
}

static int tcp_listen_op(struct socket *s, int backlog)
{
    inet_lock();
    int ret = listen_locked(inet_of(s), backlog);
    inet_unlock();
    return ret;
}

static bool can_accept(struct inet_sock *l)
{
    return atomic_load(&l->nr_accepts) > 0 || atomic_load(&l->state) != INET_LISTENING;
}

static int tcp_accept_op(struct socket *s, struct socket **out, bool nonblock)
{
    struct inet_sock *l = inet_of(s);
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, nonblock);
    for (;;) {
        inet_lock();
        bool is_listening = l->state == INET_LISTENING;
        struct inet_sock *i = is_listening ? take_connection(l) : NULL;
        inet_unlock();
        if (i) {
            *out = &i->s;
            return 0;
        }
        if (!is_listening)
            return -EINVAL;
        int ret = SOCKET_WAIT_EXCLUSIVE(&s->read_wait, can_accept(l), deadline);
        if (ret < 0)
            return ret;
    }
}

/* --- the end ------------------------------------------------------------------------------------------- */

/* Who waits for what was sent to arrive: closed sockets (SO_LINGER), and the end of the machine.  lwIP tells nobody that a
 * FIN was acknowledged, so whoever takes packets in looks, before the net lock is given back. */
static struct list lingering = LIST_INIT(lingering);
static struct drain {
    struct waitq wait;
    uint64_t unheard; /* atomic: the least of all looks */
} * draining;

/* Bytes of a connection that ends, its FIN included, that the peer has not acknowledged; at least 1 until it has all. */
static uint32_t unheard(const struct tcp_pcb *p)
{
    bool ends = p->state == FIN_WAIT_1 || p->state == CLOSING || p->state == LAST_ACK ||
                (p->flags & TF_CLOSEPEND);
    return ends ? MAX(p->snd_lbb - p->lastack, 1u) : 0;
}

static uint64_t all_unheard(void)
{
    uint64_t sum = netif_nr_waiting();
    for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
        sum += unheard(p);
    return sum;
}

/* By its names: when both sides have sent their FIN, the control block is not the socket's any more, and has still to
 * see ours acknowledged. */
static bool has_arrived(const struct inet_sock *i)
{
    const struct tcp_pcb *p = inet_tcp_find(&i->local, i->local_port, &i->peer, i->peer_port);
    return !p || unheard(p) == 0;
}

void inet_tcp_check_linger(void)
{
    struct inet_sock *i;
    list_for_each(i, &lingering, linger_node) {
        if (!has_arrived(i))
            continue;
        atomic_store(&i->has_arrived, true);
        socket_wake_writers(&i->s);
    }
    if (draining) {
        uint64_t now = all_unheard();
        atomic_store(&draining->unheard, MIN(draining->unheard, now));
        waitq_wake_all(&draining->wait);
    }
}

/* SO_LINGER with a time: wait for what was written, and the FIN, to arrive.  As on Linux, a signal ends the wait
 * and the connection goes on by itself. */
static void linger(struct inet_sock *i)
{
    uint64_t deadline = arch_clock_ns() + (uint64_t)i->s.linger_s * 1000000000ul;
    inet_lock();
    if (i->state != INET_CONNECTED || i->rx_bytes > 0) {
        inet_unlock();
        return;
    }
    list_push_back(&lingering, &i->linger_node);
    if (i->tcp && !i->sent_fin) {
        i->sent_fin = true;
        tcp_shutdown(i->tcp, 0, 1);
    }
    inet_tcp_check_linger(); /* nothing may be left to arrive */
    inet_unlock();
    (void)!SOCKET_WAIT(&i->s.write_wait, atomic_load(&i->has_arrived), deadline);
    inet_lock();
    list_remove(&i->linger_node);
    inet_unlock();
}

void inet_tcp_drain(uint64_t patience_ns)
{
    struct drain d;
    uint64_t left;
    waitq_init(&d.wait);
    inet_lock();
    d.unheard = all_unheard();
    draining = &d;
    inet_unlock();
    while ((left = atomic_load(&d.unheard)) > 0) {
        uint64_t deadline = arch_clock_ns() + patience_ns;
        if (WAIT_EVENT(&d.wait, atomic_load(&d.unheard) < left, WAIT_UNINTERRUPTIBLE, deadline) < 0)
            break;
    }
    inet_lock();
    draining = NULL;
    inet_unlock();
}

static void tcp_release(struct socket *s)
{
    struct inet_sock *i = inet_of(s);
    if (s->linger_s > 0)
        linger(i);
    inet_lock();
    if (i->state == INET_LISTENING)
        stop_listening(i);
    else if (i->tcp && i->state == INET_CONNECTED && (i->rx_bytes > 0 || s->linger_s == 0))
        abort_connection(i); /* somebody sent what nobody reads */
    else if (i->state == INET_CONNECTING)
        abort_connection(i);
    else
        inet_tcp_detach(i);
    free_connection(i);
    inet_unlock();
}

void inet_tcp_forget_ended(void)
{
    while (tcp_tw_pcbs)
        tcp_abort(tcp_tw_pcbs);
    for (struct tcp_pcb *pcb = tcp_active_pcbs, *next; pcb; pcb = next) {
        next = pcb->next;
        if (!pcb->callback_arg || pcb->state == SYN_RCVD)
            tcp_abort(pcb);
    }
    /* Packets that lack a piece: their time is over. */
    for (unsigned s = 0; s <= MAX(IP_REASS_MAXAGE, IPV6_REASS_MAXAGE); s++) {
        ip_reass_tmr();
        ip6_reass_tmr();
    }
}

static int shutdown_locked(struct inet_sock *i, int how)
{
    if (i->state == INET_LISTENING && how == SHUT_WR)
        return 0;
    if (i->state == INET_LISTENING || i->state == INET_CONNECTING)
        return disconnect(i);
    if (i->state != INET_CONNECTED || !i->tcp) { /* as on Linux, it is remembered all the same */
        atomic_or(&i->s.shut, how == SHUT_RD ? SHUT_RECV : how == SHUT_WR ? SHUT_SEND : SHUT_BOTH);
        return -ENOTCONN;
    }
    if (how != SHUT_WR)
        atomic_or(&i->s.shut, SHUT_RECV);
    if (how == SHUT_RD || i->sent_fin)
        return 0;
    atomic_or(&i->s.shut, SHUT_SEND);
    i->sent_fin = true;
    atomic_store(&i->can_send, false);
    if (i->has_eof) {
        inet_tcp_restore_window(i);
        while (i->tcp && i->rx_bytes > 0 && TCP_WND_MAX(i->tcp) != i->tcp->rcv_wnd)
            tcp_recved(i->tcp, (u16_t)MIN(TCP_WND_MAX(i->tcp) - i->tcp->rcv_wnd, 0xffffu));
        inet_tcp_detach(i);
    } else if (i->tcp) {
        tcp_shutdown(i->tcp, 0, 1);
    }
    return 0;
}

static int tcp_shutdown_op(struct socket *s, int how)
{
    if ((unsigned)how > SHUT_RDWR)
        return -EINVAL;
    inet_lock();
    int ret = shutdown_locked(inet_of(s), how);
    inet_unlock();
    socket_wake_all(s);
    return ret;
}

static uint32_t tcp_poll_op(struct socket *s, struct file *f, struct poll_table *t)
{
    struct inet_sock *i = inet_of(s);
    poll_on(t, f, &s->read_wait);
    poll_on(t, f, &s->write_wait);
    enum inet_state state = atomic_load(&i->state);
    if (state == INET_LISTENING)
        return atomic_load(&i->nr_accepts) > 0 ? POLL_READABLE : 0;
    unsigned shut = atomic_load(&s->shut);
    uint32_t events = 0;
    bool no_input = (shut & SHUT_RECV) || atomic_load(&i->has_eof);
    if (atomic_load(&s->error))
        events |= POLLERR;
    if (state == INET_NEW || state == INET_CLOSED || (no_input && (shut & SHUT_SEND)))
        events |= POLLHUP;
    if (state == INET_CONNECTING)
        return events;
    if (no_input)
        events |= POLLRDHUP | POLL_READABLE;
    bool is_apart = inet_tcp_mark(i) == 0 && !socket_has(s, SOCKET_OOBINLINE);
    if (atomic_load(&i->rx_bytes) >= (size_t)s->rcvlowat + is_apart)
        events |= POLL_READABLE;
    if (atomic_load(&i->urgent) == URGENT_HERE)
        events |= POLLPRI;
    if ((shut & SHUT_SEND) || state != INET_CONNECTED || atomic_load(&i->can_send))
        return events | POLL_WRITABLE;
    /* Room may come between the look and the wish. */
    atomic_store(&i->is_full, true);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return atomic_load(&i->can_send) ? events | POLL_WRITABLE : events;
}

const struct socket_ops inet_tcp_ops = {
    .bind = inet_tcp_bind,
    .connect = tcp_connect_op,
    .listen = tcp_listen_op,
    .accept = tcp_accept_op,
    .send = inet_tcp_send,
    .recv = inet_tcp_recv,
    .shutdown = tcp_shutdown_op,
    .getname = inet_getname,
    .setsockopt = inet_setsockopt,
    .getsockopt = inet_getsockopt,
    .poll = tcp_poll_op,
    .ioctl = inet_ioctl,
    .buffers_changed = inet_tcp_buffers_changed,
    .release = tcp_release,
};
