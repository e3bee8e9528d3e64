/* TCP's urgent data: one byte that is told of before it comes, and that reads pass over (MSG_OOB has it) unless
 * SO_OOBINLINE is set.
 *
 * lwIP knows nothing of it: the flag and its pointer are put into segments on their way out, and seen before it sees those that
 * come.  As on Linux there is one such byte at a time, a new one takes the place of an older, which is an ordinary byte from then
 * on if it has not been reached, and lost otherwise; and a read ends where it is. */
#include <inet.h>

#include <lwip/priv/tcp_priv.h>

size_t inet_tcp_mark(const struct inet_sock *i)
{
    return atomic_load(&i->urgent)
               ? (uint32_t)(atomic_load(&i->urgent_seq) - atomic_load(&i->rx_seq))
               : SIZE_MAX;
}

static bool is_apart(const struct inet_sock *i)
{
    return !socket_has(&i->s, SOCKET_OOBINLINE);
}

/* --- sending ------------------------------------------------------------------------------------------- */

void inet_tcp_mark_urgent(struct inet_sock *i)
{
    i->has_urgent_out = true;
    i->urgent_end = i->tcp->snd_lbb;
    tcp_set_flags(i->tcp, TF_NAGLEMEMERR); /* it does not wait for an acknowledgement */
}

void inet_tcp_tell_urgent(struct inet_sock *i, const struct tcp_pcb *pcb, struct tcp_hdr *h)
{
    uint32_t ahead = i->urgent_end - lwip_ntohl(h->seqno);
    if (TCP_SEQ_GEQ(pcb->lastack, i->urgent_end)) {
        i->has_urgent_out = false;
    } else if (ahead - 1 < 0xffff) {
        TCPH_SET_FLAG(h, TCP_URG);
        h->urgp = lwip_htons((u16_t)ahead);
    }
}

/* --- receiving ----------------------------------------------------------------------------------------- */

void inet_tcp_urgent_comes(struct inet_sock *i, const struct tcp_pcb *pcb, const struct tcp_hdr *h)
{
    uint32_t seq = h->seqno + lwip_ntohs(h->urgp) - (h->urgp != 0);
    if (TCP_SEQ_LT(seq, pcb->rcv_nxt) || TCP_SEQ_GT(h->seqno, pcb->rcv_nxt + pcb->rcv_wnd) ||
        (i->urgent && !TCP_SEQ_GT(seq, i->urgent_seq)))
        return;
    const struct file *f = i->s.file;
    if (f)
        net_send_urgent(f->owner_type, f->owner_pid);
    if (inet_tcp_mark(i) == 0 && is_apart(i) && i->rx_bytes > 0)
        inet_tcp_consume(i, 1);
    atomic_store(&i->urgent_seq, seq);
    atomic_store(&i->urgent, URGENT_COMES);
}

void inet_tcp_find_urgent(struct inet_sock *i)
{
    if (i->urgent == URGENT_COMES && inet_tcp_mark(i) < i->rx_bytes)
        atomic_store(&i->urgent, URGENT_HERE);
}

size_t inet_tcp_to_mark(struct inet_sock *i, int flags, size_t *skip, bool has_some)
{
    size_t at = inet_tcp_mark(i);
    if (at != *skip)
        return at > *skip ? at - *skip : SIZE_MAX;
    if (has_some)
        return 0;
    if (is_apart(i) && i->rx_bytes > at) {
        if (flags & MSG_PEEK)
            ++*skip;
        else
            inet_tcp_consume(i, 1);
    }
    return SIZE_MAX;
}

static ssize_t try_urgent(struct inet_sock *i, struct socket_msg *m)
{
    if (i->state == INET_LISTENING)
        return -ENOTCONN;
    if (i->urgent <= URGENT_TAKEN || !is_apart(i))
        return -EINVAL;
    if (i->urgent == URGENT_COMES)
        return i->has_eof || (i->s.shut & SHUT_RECV) ? 0 : -EAGAIN;
    bool has_room = m->data->left > 0;
    m->out_flags |= MSG_OOB | (has_room ? 0 : MSG_TRUNC);
    if (!(m->flags & MSG_PEEK))
        atomic_store(&i->urgent, URGENT_TAKEN);
    if (!has_room || (m->flags & MSG_TRUNC))
        return has_room;
    return inet_tcp_copy_out(i, inet_tcp_mark(i), m->data, 1);
}

ssize_t inet_tcp_recv_urgent(struct inet_sock *i, struct socket_msg *m)
{
    inet_lock();
    ssize_t ret = try_urgent(i, m);
    inet_unlock();
    return ret;
}
