/* Segments that lwIP would take otherwise than Linux: looked at before it does.
 *
 * As on Linux, a listener with more connections than its backlog does not hear those who begin or end a handshake;
 * they try again.  Of those who never end it, the oldest make room.
 *
 * TIME_WAIT keeps old packets from a new connection, and not the new connection away: a SYN that is newer than all of them
 * ends it.  Two SYNs that cross make one connection.
 *
 * And of a segment's options a later MSS is none, and of two closed windows no dialogue.  A segment whose options are in
 * pieces is nobody's: IP cut it where no network does. */
#include <base/string.h>
#include <core/page.h>
#include <core/random.h>
#include <inet.h>
#include <net/net.h>

#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <net_hooks.h>

#define SYN_ACK_RST   (TCP_SYN | TCP_ACK | TCP_RST)
#define MAX_HALF_OPEN 1024u /* of a listener, and up to 254 more */
/* Connections in TIME_WAIT: as Linux's, whose table has an entry for each 128 KiB of memory and lets half as many wait. */
#define PAGES_PER_WAIT 64u
#define MIN_WAITS      512u
#define MAX_STRAYS     512u /* segments that wait for one before them: a window of small ones */

/* --- a connection after another ------------------------------------------------------------------------ */

/* under the net lock */
static u32_t next_isn; /* 0: any */
static u32_t any_isn[8];
static unsigned nr_isns;

u32_t net_tcp_isn(void)
{
    u32_t isn = next_isn;
    next_isn = 0;
    if (isn)
        return isn;
    if (nr_isns == 0) { /* a block of random numbers costs as much as a connection's first packet */
        random_bytes(any_isn, sizeof(any_isn));
        nr_isns = ARRAY_LEN(any_isn);
    }
    return any_isn[--nr_isns];
}

/* The next connection's bytes are beyond those of this one, wherever they are still on their way. */
static void end_wait(struct tcp_pcb *pcb)
{
    next_isn = pcb->snd_nxt + 0xffff + 2;
    tcp_abort(pcb);
}

unsigned net_max_tw_buckets(void)
{
    return MAX((unsigned)(page_count_total() / PAGES_PER_WAIT), MIN_WAITS);
}

/* lwIP keeps the newest in front, and compares each SYN with all of them. */
void inet_tcp_forget_oldest_waits(void)
{
    struct tcp_pcb *kept = tcp_tw_pcbs, *last = kept;
    for (unsigned n = net_max_tw_buckets(); last && n > 1; n--)
        last = last->next;
    if (!last)
        return;
    for (tcp_tw_pcbs = last->next; tcp_tw_pcbs;)
        tcp_abort(tcp_tw_pcbs);
    last->next = NULL;
    tcp_tw_pcbs = kept;
}

bool inet_tcp_end_wait(const struct tcp_pcb *like)
{
    struct tcp_pcb *pcb =
        inet_tcp_find(&like->local_ip, like->local_port, &like->remote_ip, like->remote_port);
    if (!pcb || pcb->state != TIME_WAIT)
        return false;
    end_wait(pcb);
    return true;
}

static bool has_listener(const struct tcp_pcb *pcb)
{
    const struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs;
    while (l && (l->local_port != pcb->local_port ||
                 (l->netif_idx && l->netif_idx != netif_get_index(ip_current_input_netif())) ||
                 !inet_overlaps(&l->local_ip, &pcb->local_ip)))
        l = l->next;
    return l;
}

/* lwIP takes the packet in once more, from its TCP header on. */
static void again(struct tcp_hdr *h, struct pbuf *p)
{
    pbuf_add_header_force(p, TCPH_HDRLEN_BYTES(h));
    h->src = lwip_htons(h->src);
    h->dest = lwip_htons(h->dest);
    h->seqno = lwip_htonl(h->seqno);
    h->ackno = lwip_htonl(h->ackno);
    h->wnd = lwip_htons(h->wnd);
    pbuf_ref(p);
    tcp_input(p, ip_current_input_netif());
}

/* For a connection in TIME_WAIT.  True: lwIP is to see no more of it.  What is not new is answered, and who does not know of
 * what the answer speaks of says so with a reset, which ends it. */
static bool ends_wait(struct tcp_pcb *pcb, struct tcp_hdr *h, struct pbuf *p)
{
    unsigned kind = TCPH_FLAGS(h) & SYN_ACK_RST;
    if (kind & TCP_RST) {
        if (h->seqno == pcb->rcv_nxt)
            tcp_abort(pcb);
    } else if (kind == TCP_SYN && TCP_SEQ_GT(h->seqno, pcb->rcv_nxt) && has_listener(pcb)) {
        end_wait(pcb);
        again(h, p);
        next_isn = 0;
    } else if (kind & TCP_SYN) {
        tcp_ack_now(pcb);
        tcp_output(pcb);
    } else {
        return false;
    }
    return true;
}

/* --- two SYNs ------------------------------------------------------------------------------------------ */

/* The peer's SYN comes while ours is under way; both may be the same, of a socket that connects to itself.  lwIP knows only how
 * a listener's connection answers one, which this becomes: it sends its SYN again, with an acknowledgement. */
static void cross(struct tcp_pcb *pcb, const struct tcp_hdr *h)
{
    static struct tcp_pcb_listen nobody;
    nobody.accept = pcb->connected;
    pcb->listener = &nobody;
    pcb->state = SYN_RCVD;
    pcb->rcv_nxt = pcb->rcv_ann_right_edge = h->seqno + 1;
    pcb->snd_wl1 = h->seqno - 1;
    pcb->snd_wnd = pcb->snd_wnd_max = h->wnd;
}

/* --- a listener's queue -------------------------------------------------------------------------------- */

/* lwIP counts those who have not answered yet in a byte and turns everybody away once it is full; 256 clients may come within a
 * moment.  So its count begins again, and of more than a listener remembers - a flood of SYNs, mostly - the oldest are
 * forgotten.  (Linux has SYN cookies for them.) */
static void forget_oldest(const struct tcp_pcb_listen *l)
{
    unsigned nr = 0;
    struct tcp_pcb *pcb = tcp_active_pcbs, *next; /* the newest comes first */
    for (; pcb; pcb = next) {
        next = pcb->next;
        if (pcb->state != SYN_RCVD || pcb->listener != l)
            continue;
        tcp_backlog_accepted(pcb);
        if (++nr > MAX_HALF_OPEN)
            tcp_abandon(pcb, 0);
    }
}

/* A SYN that is another's of those who share the port.  lwIP takes the first listener that it may. */
static bool is_twins(struct inet_sock *l, struct tcp_hdr *h, struct pbuf *p)
{
    const struct inet_sock *twin =
        inet_share(l, &inet_all_listeners, ip_current_src_addr(), h->src);
    if (twin == l)
        return false;
    struct tcp_pcb_listen *all = tcp_listen_pcbs.listen_pcbs;
    struct tcp_pcb_listen *only = (struct tcp_pcb_listen *)twin->tcp, *next = only->next;
    only->next = NULL;
    tcp_listen_pcbs.listen_pcbs = only;
    again(h, p);
    only->next = next;
    tcp_listen_pcbs.listen_pcbs = all;
    return true;
}

/* lwIP would take a new MSS at any time, and fail over the longer segments that wait already; as on Linux only a SYN's
 * counts.  Of other segments the option is overwritten.  And it does not listen to SACK. */
static void look_at_options(const struct tcp_pcb *pcb, struct tcp_hdr *h, size_t n)
{
    enum { SACK = 5 };
    uint8_t *option = (uint8_t *)(h + 1);
    for (size_t k = 0, len; k + 1 < n && option[k] != LWIP_TCP_OPT_EOL; k += len) {
        len = option[k] == LWIP_TCP_OPT_NOP ? 1 : MAX(option[k + 1], 1);
        if (option[k] == LWIP_TCP_OPT_MSS && !(TCPH_FLAGS(h) & TCP_SYN))
            memset(option + k, LWIP_TCP_OPT_NOP, MIN(len, n - k));
        else if (option[k] == SACK && len > 2 && k + len <= n)
            inet_tcp_loss_sack(pcb, h, option + k + 2, len - 2);
    }
}

/* While our window is 0, lwIP takes whatever has no data for out of order and answers it.  If the peer's is 0 too, and the
 * peer is like it, the two answer each other's answers for ever; on the loopback interface nothing else would run.  What
 * tells nothing new is a sign of life and no more.  (A packet from before rcv_nxt is answered: a keep-alive asks so.) */
static bool is_echo(struct tcp_pcb *pcb, const struct tcp_hdr *h, size_t len)
{
    if (pcb->state < ESTABLISHED || pcb->state == TIME_WAIT || pcb->rcv_wnd > 0 || len > 0 ||
        (TCPH_FLAGS(h) & ~TCP_PSH) != TCP_ACK || TCP_SEQ_LT(h->seqno, pcb->rcv_nxt) ||
        h->ackno != pcb->lastack || SND_WND_SCALE(pcb, h->wnd) != pcb->snd_wnd)
        return false;
    pcb->tmr = tcp_ticks;
    pcb->keep_cnt_sent = 0;
    pcb->persist_probe = 0;
    return true;
}

/* Bytes that are not the next, and are not to wait for those before them.  lwIP would take the first such segment even where it
 * reaches beyond the window, which it then gets wrong, and walks along all of them for each that comes or is taken out.  The
 * window of a connection that is not accepted yet may become the smallest. */
static bool is_stray(const struct tcp_pcb *pcb, const struct tcp_hdr *h, size_t len)
{
    u32_t ahead = h->seqno - pcb->rcv_nxt;
    u32_t window = pcb->state == SYN_RCVD ? INET_WINDOW_MIN : pcb->rcv_wnd;
    unsigned nr = 0;
    len += TCPH_FLAGS(h) & TCP_FIN;
    if (pcb->state > FIN_WAIT_2 || (TCPH_FLAGS(h) & (TCP_SYN | TCP_RST)) || len == 0 ||
        TCP_SEQ_LT(h->seqno, pcb->rcv_nxt))
        return false;
    for (const struct tcp_seg *s = pcb->ooseq; s; s = s->next)
        nr++;
    return ahead + len > window || nr >= MAX_STRAYS;
}

err_t net_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *h, unsigned nr_options,
                    const u8_t *more_options, struct pbuf *p)
{
    unsigned kind = TCPH_FLAGS(h) & SYN_ACK_RST;
    inet_tcp_show_all();
    look_at_options(pcb, h, nr_options);
    if (more_options || is_echo(pcb, h, p->tot_len) ||
        (pcb->state == TIME_WAIT && ends_wait(pcb, h, p)))
        return ERR_ABRT;
    if (pcb->state >= SYN_RCVD && unlikely(h->seqno != pcb->rcv_nxt) &&
        is_stray(pcb, h, p->tot_len)) {
        tcp_ack_now(pcb);
        tcp_output(pcb);
        return ERR_ABRT;
    }
    if ((TCPH_FLAGS(h) & TCP_URG) && pcb->state >= ESTABLISHED && pcb->callback_arg)
        inet_tcp_urgent_comes(pcb->callback_arg, pcb, h);
    if ((kind & TCP_SYN) && pcb->state == SYN_RCVD)
        h->wnd = (u16_t)(h->wnd >>
                         pcb->snd_scale); /* a SYN's is not scaled, which lwIP thinks of no other */
    else if (pcb->state == SYN_SENT && kind == TCP_SYN)
        cross(pcb, h);
    /* lwIP gives up one that waits for its last answer after a minute, even if the peer still takes what comes before. */
    if (pcb->state == LAST_ACK && h->ackno != pcb->lastack)
        pcb->tmr = tcp_ticks;
    bool is_listener = pcb->state == LISTEN;
    struct inet_sock *l = pcb->callback_arg;
    if ((!is_listener && (pcb->state != SYN_RCVD || !pcb->listener)) || !l ||
        kind != (is_listener ? TCP_SYN : TCP_ACK))
        return ERR_OK;
    if (is_listener && is_twins(l, h, p))
        return ERR_ABRT;
    if (l->nr_accepts > l->backlog)
        return ERR_MEM;
    struct tcp_pcb_listen *lpcb = (struct tcp_pcb_listen *)pcb;
    if (is_listener && lpcb->accepts_pending >= TCP_DEFAULT_LISTEN_BACKLOG)
        forget_oldest(lpcb);
    return ERR_OK;
}
