/* The bytes of a TCP connection.
 *
 * What was received waits in lwIP's buffers and opens the window again as it is read.  What is sent is copied once
 * into a buffer of the kernel, outside the net lock, and once by lwIP into its segments. */
#include <base/string.h>
#include <inet.h>

#include <lwip/tcp.h>

#define CHUNK_MAX   16384u
#define CHUNK_SMALL 256u
#define FEW         256u  /* bytes of a segment */
#define MANY        4096u /* bytes that wait to be read */
#define GATHERED    2000u

void inet_tcp_drop_rx(struct inet_sock *i)
{
    if (i->rx)
        pbuf_free(i->rx);
    i->rx = NULL;
    i->rx_offset = 0;
    atomic_store(&i->rx_bytes, 0);
    atomic_store(&i->urgent, URGENT_NONE);
}

/* --- sending ------------------------------------------------------------------------------------------- */

/* Why nothing can be sent: -EPIPE (or the pending error, which inet_tcp_send tells if nothing else is to tell), or
 * 0. */
static int refuse_send(struct inet_sock *i)
{
    if (atomic_load(&i->s.error) || (atomic_load(&i->s.shut) & SHUT_SEND))
        return -EPIPE;
    enum inet_state state = atomic_load(&i->state);
    if (state == INET_CONNECTED)
        return 0;
    return state == INET_CONNECTING ? -EAGAIN : -EPIPE;
}

/* Queue up to n bytes, the net lock held: bytes, 0 (no room), -errno. */
static ssize_t push(struct inet_sock *i, const void *data, size_t n, int msg_flags)
{
    bool has_more = msg_flags & MSG_MORE;
    int ret = refuse_send(i);
    if (ret < 0)
        return ret;
    struct tcp_pcb *pcb = i->tcp;
    size_t step = MIN(MIN(n, inet_tcp_room(i)), (size_t)0xffff);
    u8_t flags = TCP_WRITE_FLAG_COPY | (has_more ? TCP_WRITE_FLAG_MORE : 0);
    err_t err = ERR_MEM;
    /* Segments are limited, too: less may go where much does not. */
    while (step > 0 && (err = tcp_write(pcb, data, (u16_t)step, flags)) == ERR_MEM && step > 1460)
        step /= 2;
    if (step > 0 && err == ERR_OK && unlikely(msg_flags & MSG_OOB))
        inet_tcp_mark_urgent(i);
    if (step > 0 && err == ERR_OK && !has_more && !i->is_corked)
        tcp_output(pcb);
    inet_tcp_update(i);
    if (step > 0 && err != ERR_OK && err != ERR_MEM)
        return inet_errno(err);
    if (step == 0 || err == ERR_MEM) {
        tcp_output(pcb);
        atomic_store(&i->is_full, true);
        /* With room there, memory is what lacks, and waiting would not wait. */
        return step > 0 && atomic_load(&i->can_send) ? -ENOBUFS : 0;
    }
    return (ssize_t)step;
}

static bool may_send(struct inet_sock *i)
{
    return atomic_load(&i->can_send) || atomic_load(&i->s.error) ||
           (atomic_load(&i->s.shut) & SHUT_SEND) || atomic_load(&i->state) == INET_CLOSED;
}

static int wait_for_room(struct inet_sock *i, uint64_t deadline)
{
    return SOCKET_WAIT(&i->s.write_wait, may_send(i), deadline);
}

/* All of `data`, or as much as may be: bytes, or -errno when there were none. */
static ssize_t send_chunk(struct inet_sock *i, const char *data, size_t n, int msg_flags,
                          uint64_t deadline)
{
    size_t done = 0;
    while (done < n) {
        inet_lock();
        ssize_t ret = push(i, data + done, n - done, msg_flags);
        inet_unlock();
        if (ret == 0)
            ret = wait_for_room(i, deadline);
        if (ret < 0)
            return done > 0 ? (ssize_t)done : ret;
        done += ret;
    }
    return (ssize_t)done;
}

static int wait_until_connected(struct inet_sock *i, uint64_t deadline)
{
    if (likely(atomic_load(&i->state) != INET_CONNECTING))
        return 0;
    return SOCKET_WAIT(&i->s.write_wait, atomic_load(&i->state) != INET_CONNECTING, deadline);
}

static ssize_t send_all(struct inet_sock *i, struct socket_msg *m, char *buf, size_t size,
                        uint64_t deadline)
{
    size_t done = 0;
    while (m->data->left > 0) {
        size_t n = MIN(m->data->left, size);
        ssize_t got = iobuf_get(m->data, buf, n);
        if (got <= 0)
            return done > 0 ? (ssize_t)done : -EFAULT;
        int flags = m->data->left > 0 ? MSG_MORE : m->flags; /* the last of them may be urgent */
        ssize_t ret = send_chunk(i, buf, (size_t)got, flags, deadline);
        if (ret < 0)
            return done > 0 ? (ssize_t)done : ret;
        done += ret;
        if (ret < got)
            break;
    }
    return (ssize_t)done;
}

static ssize_t send_buffered(struct inet_sock *i, struct socket_msg *m, uint64_t deadline)
{
    char small[CHUNK_SMALL];
    if (m->data->left <= sizeof(small))
        return send_all(i, m, small, sizeof(small), deadline);
    size_t size = MIN(m->data->left, (size_t)CHUNK_MAX);
    char *buf = heap_alloc(size);
    if (!buf)
        return -ENOBUFS;
    ssize_t sent = send_all(i, m, buf, size, deadline);
    heap_free(buf);
    return sent;
}

ssize_t inet_tcp_send(struct socket *s, struct socket_msg *m)
{
    struct inet_sock *i = inet_of(s);
    m->raises_sigpipe = true;
    uint64_t deadline = socket_deadline(s->sndtimeo_ns, m->nonblock);
    ssize_t ret = wait_until_connected(i, deadline);
    if (ret == 0)
        ret = refuse_send(i);
    if (ret == 0)
        ret = send_buffered(i, m, deadline);
    return ret == -EPIPE ? socket_take_error(s) ?: -EPIPE : ret;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

/* A few bytes that nobody is about to read would hold a buffer many times their size, or a page: they share one.  False: no
 * memory. */
static bool gather(struct inet_sock *i, struct pbuf *p)
{
    size_t n = p->tot_len;
    struct pbuf *to = i->rx_last;
    if (i->rx_spare < n) {
        to = pbuf_alloc(PBUF_RAW, GATHERED, PBUF_RAM);
        if (!to)
            return false;
        to->len = 0;
        i->rx_spare = GATHERED;
        i->rx_last = i->rx_last->next = to;
    }
    pbuf_copy_partial(p, (char *)to->payload + to->len, (u16_t)n, 0);
    to->len = (u16_t)(to->len + n);
    i->rx_spare -= (unsigned)n;
    pbuf_free(p);
    return true;
}

void inet_tcp_queue_rx(struct inet_sock *i, struct pbuf *p)
{
    size_t n = p->tot_len, waiting = i->rx_bytes;
    atomic_store(&i->rx_bytes, waiting + n);
    bool holds_block = p->flags & PBUF_FLAG_IS_CUSTOM; /* the device's, of at least a kilobyte */
    if (n <= FEW && waiting > (holds_block ? 0 : MANY) && gather(i, p))
        return;
    if (i->rx)
        i->rx_last->next = p;
    else
        i->rx = p;
    while (p->next)
        p = p->next;
    i->rx_last = p;
    i->rx_spare = 0;
}

ssize_t inet_tcp_copy_out(struct inet_sock *i, size_t skip, struct iobuf *to, size_t most)
{
    size_t done = 0, offset = i->rx_offset + skip;
    for (struct pbuf *p = i->rx; p && done < most; p = p->next) {
        if (offset >= p->len) {
            offset -= p->len;
            continue;
        }
        size_t n = MIN(p->len - offset, most - done);
        ssize_t ret = iobuf_put(to, (char *)p->payload + offset, n);
        if (ret <= 0)
            return done > 0 ? (ssize_t)done : -EFAULT;
        done += ret;
        if ((size_t)ret < n)
            break;
        offset = 0;
    }
    return (ssize_t)done;
}

void inet_tcp_consume(struct inet_sock *i, size_t n)
{
    if (inet_tcp_mark(i) < n)
        atomic_store(&i->urgent, URGENT_NONE);
    atomic_store(&i->rx_seq, i->rx_seq + (uint32_t)n);
    atomic_store(&i->rx_bytes, i->rx_bytes - n);
    inet_tcp_was_read(i, n);
    n += i->rx_offset;
    while (i->rx && n >= i->rx->len) {
        struct pbuf *p = i->rx;
        n -= p->len;
        i->rx = p->next;
        p->next = NULL;
        p->tot_len = p->len;
        pbuf_free(p);
    }
    i->rx_offset = (unsigned)n;
}

static bool has_something(struct inet_sock *i, size_t skip)
{
    return atomic_load(&i->rx_bytes) > skip || atomic_load(&i->has_eof) ||
           atomic_load(&i->s.error) || (atomic_load(&i->s.shut) & SHUT_RECV) ||
           atomic_load(&i->state) == INET_CLOSED;
}

/* One look: bytes, 0 at the end, -EAGAIN, -errno. */
static ssize_t try_recv(struct inet_sock *i, struct socket_msg *m, size_t *skip, bool has_some)
{
    if (i->state == INET_LISTENING)
        return -ENOTCONN;
    size_t most = inet_tcp_to_mark(i, m->flags, skip, has_some);
    if (most == 0)
        return 0;
    if (i->rx_bytes > *skip) {
        ssize_t n = (ssize_t)MIN(MIN(i->rx_bytes - *skip, m->data->left), most);
        if (m->flags & MSG_TRUNC) /* thrown away */
            iobuf_skip(m->data, (size_t)n);
        else
            n = inet_tcp_copy_out(i, *skip, m->data, (size_t)n);
        if (n > 0 && !(m->flags & MSG_PEEK))
            inet_tcp_consume(i, (size_t)n);
        return n;
    }
    if (i->has_eof) /* also when an error came after it, which the next send or SO_ERROR tells */
        return 0;
    int error = socket_take_error(&i->s);
    if (error < 0)
        return error;
    if ((i->s.shut & SHUT_RECV) || i->state == INET_CLOSED)
        return 0;
    return i->state == INET_NEW ? -ENOTCONN : -EAGAIN;
}

ssize_t inet_tcp_recv(struct socket *s, struct socket_msg *m)
{
    struct inet_sock *i = inet_of(s);
    size_t want = socket_low_water(s, m->flags, m->data->left), done = 0, skip = 0;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN;
    if (m->addr)
        m->addr->len = 0;
    if (m->flags & MSG_OOB)
        return inet_tcp_recv_urgent(i, m);
    uint64_t deadline = socket_deadline(s->rcvtimeo_ns, m->nonblock);
    for (;;) {
        inet_lock();
        if (!(m->flags & MSG_PEEK) || s->peek_off >= 0)
            skip = socket_peek_offset(s, m->flags);
        ssize_t ret = try_recv(i, m, &skip, done > 0);
        if (ret > 0) {
            socket_move_peek(s, m->flags, (size_t)ret);
            skip += (size_t)ret;
        }
        inet_unlock();
        if (ret > 0)
            done += (size_t)ret;
        if (ret == 0 || done >= want || (ret > 0 && m->data->left == 0))
            return (ssize_t)done;
        if (ret == -EAGAIN)
            ret = SOCKET_WAIT(&s->read_wait, has_something(i, skip), deadline);
        if (ret < 0)
            return done > 0 ? (ssize_t)done : ret;
    }
}
