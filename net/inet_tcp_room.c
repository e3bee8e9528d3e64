/* How much of a TCP connection waits where: its two buffers.
 *
 * lwIP gives every connection the same window and send buffer.  Here is what makes them SO_RCVBUF's and SO_SNDBUF's: of
 * the room to send only a part is told, and of the window a part is withheld - from the first SYN on where the size is
 * known by then, else as bytes are read, as a window that was promised is not taken back.  Unless the program has said
 * otherwise, both are 256 KiB. */
#include <inet.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <net_hooks.h>

#define SEND_DEFAULT (256u * 1024)
#define FIRST_RTO    (1000 / TCP_SLOW_INTERVAL) /* what a round trip takes until it is measured */

/* --- sending ------------------------------------------------------------------------------------------- */

static size_t send_limit(const struct inet_sock *i)
{
    return socket_has(&i->s, SOCKET_SET_SNDBUF) ? MIN(i->s.sndbuf, (unsigned)TCP_SND_BUF)
                                                : SEND_DEFAULT;
}

size_t inet_tcp_room(const struct inet_sock *i)
{
    size_t beyond = TCP_SND_BUF - send_limit(i), room = i->tcp->snd_buf;
    return room > beyond ? room - beyond : 0;
}

void inet_tcp_update(struct inet_sock *i)
{
    size_t limit = send_limit(i), enough = TCP_SND_BUF - limit + limit / 3;
    bool can = i->state == INET_CONNECTED && i->tcp && !i->sent_fin && i->tcp->snd_buf >= enough &&
               tcp_sndqueuelen(i->tcp) < TCP_SND_QUEUELEN * 2 / 3;
    atomic_store(&i->can_send, can);
}

/* --- receiving ----------------------------------------------------------------------------------------- */

/* Half of the buffer is for bookkeeping, as with Linux. */
static unsigned window(const struct inet_sock *i)
{
    return socket_has(&i->s, SOCKET_SET_RCVBUF)
               ? MIN(MAX(i->s.rcvbuf / 2, INET_WINDOW_MIN), (unsigned)TCP_WND)
               : TCP_WND;
}

static unsigned to_withhold(const struct inet_sock *i)
{
    unsigned most = TCP_WND_MAX(i->tcp), want = window(i);
    return most > want ? most - want : 0;
}

void inet_tcp_open_window(struct inet_sock *i)
{
    struct tcp_pcb *pcb = i->tcp;
    i->rx_seq = pcb->rcv_nxt;
    i->has_urgent_out = false;
    i->withheld = to_withhold(i);
    pcb->rcv_wnd -= i->withheld;
    pcb->rcv_ann_wnd = pcb->rcv_wnd;
    if (TCP_SEQ_GT(pcb->rcv_ann_right_edge, pcb->rcv_nxt + pcb->rcv_wnd))
        pcb->rcv_ann_right_edge = pcb->rcv_nxt + pcb->rcv_wnd; /* net_tcp_output told of less */
}

void inet_tcp_restore_window(struct inet_sock *i)
{
    if (i->tcp)
        i->tcp->rcv_wnd += i->withheld;
    i->withheld = 0;
}

void inet_tcp_was_read(struct inet_sock *i, size_t n)
{
    struct tcp_pcb *pcb = i->tcp;
    if (!pcb)
        return;
    unsigned want = to_withhold(i);
    size_t keep = want > i->withheld ? MIN(n, (size_t)(want - i->withheld)) : 0;
    n -= keep;
    if (want < i->withheld)
        n += i->withheld - want;
    i->withheld = keep > 0 ? i->withheld + (unsigned)keep : MIN(want, i->withheld);
    for (size_t step; n > 0; n -= step) {
        step = MIN(n, (size_t)0xffff);
        tcp_recved(pcb, (u16_t)step);
    }
    /* lwIP tells of a window that has opened by four segments, which a small one may never do. */
    unsigned opened = pcb->rcv_nxt + pcb->rcv_ann_wnd - pcb->rcv_ann_right_edge;
    if (i->withheld > 0 && opened >= window(i) / 2 && opened <= TCP_WND) {
        tcp_ack_now(pcb);
        tcp_output(pcb);
    }
}

void inet_tcp_buffers_changed(struct socket *s)
{
    struct inet_sock *i = inet_of(s);
    inet_lock();
    /* Of more than may come nobody would ever hear. */
    s->rcvlowat = MIN(s->rcvlowat, (int)window(i) / 2);
    if (i->state == INET_CONNECTED) {
        inet_tcp_was_read(i, 0);
        inet_tcp_update(i);
    }
    inet_unlock();
}

u32_t *net_tcp_output(struct tcp_pcb *pcb, struct tcp_hdr *h, u32_t *options)
{
    struct inet_sock *i = pcb ? pcb->callback_arg : NULL; /* the listener, until it is accepted */
    if (i && pcb->state >= ESTABLISHED && i->has_urgent_out)
        inet_tcp_tell_urgent(i, pcb, h);
    if (!pcb || !(TCPH_FLAGS(h) & TCP_SYN))
        return options;
    if (i && (pcb->state == SYN_SENT || pcb->listener) && window(i) < lwip_ntohs(h->wnd))
        h->wnd = lwip_htons((u16_t)window(i));
    /* lwIP's SYNs all wait for three seconds.  Ours wait twice as long as the one before, as Linux's: connect(2) gives up
     * after two minutes. */
    pcb->sv = FIRST_RTO;
    pcb->rto = (s16_t)(FIRST_RTO << MIN(pcb->nrtx, TCP_SYNMAXRTX));
    return options;
}
