/* Lost segments.
 *
 * lwIP repeats one when three acknowledgements in turn say the same, carry nothing and leave the window as it is; it does not
 * listen to SACK.  Of a connection that is busy both ways almost all losses waited for its timer, half a second to two.  Here
 * SACK blocks of more than two segments are as good as three acknowledgements (RFC 6675), and an acknowledgement of less than
 * all that was sent by then tells of the next segment that is lost (RFC 6582, NewReno). */
#include <base/string.h>
#include <inet.h>

#include <lwip/priv/tcp_priv.h>

/* Of the segment that is taken in; under the net lock. */
static u32_t acked;  /* before it */
static u32_t beyond; /* bytes that its SACK blocks tell of */

void inet_tcp_loss_begin(struct tcp_pcb *pcb)
{
    acked = pcb->lastack;
    beyond = 0;
    /* When the timer has all sent again the window opens slowly, and not at once to what it was.  Nor are acknowledgements that say
     * the same a sign of loss then: a FIN for which the peer has no room would be sent, answered and sent again for ever. */
    if (pcb->flags & TF_RTO) {
        tcp_clear_flags(pcb, TF_INFR);
        pcb->dupacks = 0;
    }
}

static u32_t read32(const uint8_t *at)
{
    u32_t n;
    memcpy(&n, at, sizeof(n));
    return lwip_ntohl(n);
}

struct block {
    u32_t left, right;
};

static struct block read_block(const uint8_t *at)
{
    return (struct block){read32(at), read32(at + 4)};
}

void inet_tcp_loss_sack(const struct tcp_pcb *pcb, const struct tcp_hdr *h, const uint8_t *at,
                        size_t n)
{
    /* A listener's block is shorter; and of an old segment, or one without an acknowledgement, lwIP thinks nothing either. */
    if (pcb->state < ESTABLISHED || !(TCPH_FLAGS(h) & TCP_ACK) ||
        TCP_SEQ_LT(h->ackno, pcb->lastack))
        return;
    /* What is inside the second block came twice (RFC 2883), as did what is not above the acknowledgement. */
    if (n >= 16) {
        struct block first = read_block(at), second = read_block(at + 8);
        if (TCP_SEQ_GEQ(first.left, second.left) && TCP_SEQ_LEQ(first.right, second.right)) {
            at += 8;
            n -= 8;
        }
    }
    for (; n >= 8; at += 8, n -= 8) {
        struct block b = read_block(at);
        /* What was never sent says nothing. */
        if (TCP_SEQ_GT(b.left, h->ackno) && TCP_SEQ_GT(b.right, b.left) &&
            TCP_SEQ_LEQ(b.right, pcb->snd_nxt))
            beyond += b.right - b.left;
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
}

/* Whether what is not acknowledged begins with a segment that is lost and was not sent again: then lwIP has not set TF_INFR, which each
 * acknowledgement of something clears.  Without SACK all that is known is that there was one, for less than all. */
static bool has_hole(const struct tcp_pcb *pcb)
{
    return !(pcb->flags & TF_INFR) && pcb->snd_wnd >= pcb->mss &&
           (pcb->flags & TF_SACK ? beyond > 0 : pcb->lastack != acked);
}

void inet_tcp_loss_end(struct inet_tcp_loss *l, struct tcp_pcb *pcb)
{
    if (pcb->state < ESTABLISHED || pcb->state == TIME_WAIT)
        return;
    if (!pcb->unsent) /* a closed window's probe was all that there was, and is taken */
        pcb->persist_backoff = 0;
    if (pcb->flags & TF_RTO) { /* all is sent again */
        l->is_recovering = false;
    } else if (!l->is_recovering) {
        begin(l, pcb);
    } else if (TCP_SEQ_GEQ(pcb->lastack, l->recover)) {
        l->is_recovering = false;
    } else if (has_hole(pcb) && tcp_rexmit(pcb) == ERR_OK) {
        tcp_set_flags(pcb, TF_INFR); /* the window stays as it is until all is there */
        tcp_output(pcb);
    }
}
