/* Connections by both their ends.
 *
 * lwIP finds a segment's by walking its lists, and those in TIME_WAIT for each SYN as well.  It sees lists of what the table
 * says instead, of one control block or none, until it has found that (net_tcp_input). */
#include <core/heap.h>
#include <inet.h>

#include <lwip/ip.h>
#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <net_hooks.h>

#define TABLE_BITS 9 /* 10,000 connections: 20 comparisons */

/* What lwIP takes for a struct tcp_pcb. */
struct entry {
    struct tcp_pcb pcb;
    struct entry *next, **link; /* link: what points here; NULL: it is not in the table */
    struct inet_tcp_loss loss;
};

/* under the net lock */
static struct entry *table[1u << TABLE_BITS];
static struct tcp_pcb *all_active, *all_waiting; /* while `are_hidden` */
static bool are_hidden;
static struct entry *current; /* whose segment is taken in; NULL: nobody's, or it has ended */

static struct entry **bucket(const ip_addr_t *peer, unsigned ports)
{
    return &table[inet_hash(peer, ports) >> (32 - TABLE_BITS)];
}

void *net_memp_malloc(memp_t type)
{
    if (type != MEMP_TCP_PCB)
        return memp_malloc(type);
    struct entry *e = heap_alloc(sizeof(*e));
    if (e) {
        e->link = NULL;
        e->loss.is_recovering = false;
    }
    return e;
}

void net_memp_free(memp_t type, void *block)
{
    struct entry *e = block;
    if (type != MEMP_TCP_PCB) {
        memp_free(type, block);
        return;
    }
    if (e->link) {
        *e->link = e->next;
        if (e->next)
            e->next->link = e->link;
    }
    if (current == e)
        current = NULL;
    heap_free(e);
}

void inet_tcp_enter_newest(void)
{
    struct entry *e = (struct entry *)tcp_active_pcbs;
    if (!e || e->link)
        return;
    e->link = bucket(&e->pcb.remote_ip, e->pcb.remote_port ^ e->pcb.local_port);
    e->next = *e->link;
    if (e->next)
        e->next->link = &e->next;
    *e->link = e;
}

struct tcp_pcb *inet_tcp_find(const ip_addr_t *local, uint16_t local_port, const ip_addr_t *peer,
                              uint16_t peer_port)
{
    struct entry *e = *bucket(peer, peer_port ^ local_port);
    while (e && !inet_tcp_is_between(&e->pcb, local, local_port, peer, peer_port))
        e = e->next;
    return (struct tcp_pcb *)e; /* it comes first */
}

/* What lwIP would find; asked by debug builds. */
static bool is_listed(const struct tcp_hdr *h)
{
    struct tcp_pcb *const lists[] = {all_active, all_waiting};
    for (unsigned i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct tcp_pcb *p = lists[i]; p; p = p->next)
            if (inet_tcp_is_between(p, ip_current_dest_addr(), lwip_ntohs(h->dest),
                                    ip_current_src_addr(), lwip_ntohs(h->src)))
                return true;
    return false;
}

/* Answers whose segment it is; NULL: nobody's, or lwIP looks for itself. */
static struct entry *hide_others(const struct tcp_hdr *h)
{
    struct tcp_pcb *pcb = inet_tcp_find(ip_current_dest_addr(), lwip_ntohs(h->dest),
                                        ip_current_src_addr(), lwip_ntohs(h->src));
    /* One between the same two may be another interface's: lwIP looks for itself. */
    if (pcb && pcb->netif_idx && pcb->netif_idx != netif_get_index(ip_current_input_netif()))
        return NULL;
    all_active = tcp_active_pcbs;
    all_waiting = tcp_tw_pcbs;
    are_hidden = true;
    tcp_active_pcbs = tcp_tw_pcbs = NULL;
    assert(!pcb == !is_listed(h));
    if (pcb)
        *(pcb->state == TIME_WAIT ? &tcp_tw_pcbs : &tcp_active_pcbs) = pcb;
    return (struct entry *)pcb;
}

void inet_tcp_show_all(void)
{
    if (!are_hidden)
        return;
    are_hidden = false;
    tcp_active_pcbs = all_active;
    tcp_tw_pcbs = all_waiting;
}

void tcp_input(struct pbuf *p, struct netif *n)
{
    current = p->len >= TCP_HLEN ? hide_others(p->payload) : NULL;
    if (current)
        inet_tcp_loss_begin(&current->pcb);
    lwip_tcp_input(p, n);
    inet_tcp_show_all(); /* it was dropped, or is nobody's */
    inet_tcp_enter_newest();
    if (current)
        inet_tcp_loss_end(&current->loss, &current->pcb);
}
