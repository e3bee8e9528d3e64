/* Lost segments.
 *
 * lwIP repeats one when three acknowledgements in turn say the same, carry nothing and leave the window as it is; it
 * tells of what it has beyond a gap in segments without data alone; and it does not listen to what it is told so.  Of a connection that is
 * busy both ways almost all losses waited for its timer, half a second to two.  Here SACK blocks of more than two segments
 * are as good as three acknowledgements (RFC 6675); one of less than all that was sent by then tells of the next segment that is
 * lost (RFC 6582, NewReno); and what comes out of order is acknowledged by itself. */
#include <base/string.h>
#include <inet.h>

#include <lwip/priv/tcp_priv.h>

#define OPTION_SACK 5

/* Of the segment that is taken in; under the net lock. */
static u32_t acked, received, sent; /* before it */
static u32_t beyond;                /* bytes that its SACK blocks tell of */
static bool has_data;

void inet_tcp_loss_begin(const struct tcp_pcb *pcb)
{
    acked = pcb->lastack;
    received = pcb->rcv_nxt;
    sent = pcb->snd_nxt;
    beyond = 0;
    has_data = false;
}

static u32_t read32(const uint8_t *at)
{
    u32_t n;
    memcpy(&n, at, sizeof(n));
    return lwip_ntohl(n);
}

/* What is not above the acknowledgement came twice, and what was never sent says nothing. */
static void count_blocks(const struct tcp_pcb *pcb, u32_t ackno, const uint8_t *block, size_t n)
{
    for (; n >= 8; block += 8, n -= 8) {
        u32_t left = read32(block), right = read32(block + 4);
        if (TCP_SEQ_GT(left, ackno) && TCP_SEQ_GT(right, left) && TCP_SEQ_LEQ(right, pcb->snd_nxt))
            beyond += right - left;
    }
}

void inet_tcp_loss_look(const struct tcp_pcb *pcb, const struct tcp_hdr *h, unsigned nr_options,
                        size_t len)
{
    const uint8_t *option = (const uint8_t *)(h + 1);
    if (pcb->state < ESTABLISHED) /* perhaps a listener's, which is shorter */
        return;
    has_data = len > 0;
    for (size_t k = 0, n; k + 1 < nr_options && option[k] != LWIP_TCP_OPT_EOL; k += n) {
        n = option[k] == LWIP_TCP_OPT_NOP ? 1 : MAX(option[k + 1], 2);
        if (option[k] == OPTION_SACK && k + n <= nr_options)
            count_blocks(pcb, h->ackno, option + k + 2, n - 2);
    }
}

/* As lwIP's at the third acknowledgement that says the same. */
static void begin(struct inet_tcp_loss *l, struct tcp_pcb *pcb)
{
    if (!(pcb->flags & TF_INFR) && beyond > 2u * pcb->mss && pcb->lastack == acked) {
        tcp_rexmit_fast(pcb);
        tcp_output(pcb);
    }
    l->is_recovering = pcb->flags & TF_INFR;
    l->recover = pcb->snd_nxt;
    l->repeated = pcb->lastack;
}

/* Whether what is not acknowledged begins with a segment that is lost and was not sent again yet.  Without SACK all that is known
 * is that an acknowledgement was for less than all. */
static bool has_hole(const struct inet_tcp_loss *l, const struct tcp_pcb *pcb)
{
    return pcb->lastack != l->repeated && (beyond > 0 || !(pcb->flags & TF_SACK));
}

void inet_tcp_loss_end(struct inet_tcp_loss *l, struct tcp_pcb *pcb)
{
    if (pcb->state < ESTABLISHED || pcb->state == TIME_WAIT)
        return;
    if (has_data && pcb->ooseq && pcb->rcv_nxt == received && pcb->snd_nxt != sent)
        tcp_send_empty_ack(pcb); /* lwIP's went with data, and without SACK */
    if (pcb->flags & TF_RTO) {   /* all is sent again */
        l->is_recovering = false;
    } else if (!l->is_recovering) {
        begin(l, pcb);
    } else if (TCP_SEQ_GEQ(pcb->lastack, l->recover)) {
        l->is_recovering = false;
    } else if (has_hole(l, pcb) && tcp_rexmit(pcb) == ERR_OK) {
        l->repeated = pcb->lastack;
        tcp_set_flags(pcb, TF_INFR); /* the window stays as it is until all is there */
        tcp_output(pcb);
    }
}
