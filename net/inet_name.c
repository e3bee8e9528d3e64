/* Who may have a port that another has.
 *
 * Two of SO_REUSEADDR share it until one listens, two of SO_REUSEPORT always, and an address of both families is one of
 * each.  lwIP knows one option and asks for it late; what connections remain on a port is left to it. */
#include <inet.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/udp.h>

static bool have_both(struct inet_sock *i, struct inet_sock *other, unsigned flag)
{
    return socket_has(&i->s, flag) && socket_has(&other->s, flag);
}

static bool overlap(const ip_addr_t *a, const ip_addr_t *b)
{
    return (IP_IS_V6(a) == IP_IS_V6(b) || IP_IS_ANY_TYPE_VAL(*a) || IP_IS_ANY_TYPE_VAL(*b)) &&
           (ip_addr_isany(a) || ip_addr_isany(b) || ip_addr_cmp(a, b));
}

/* `other` has the port at `its` address; NULL: a block of lwIP's own. */
static bool keeps_out(struct inet_sock *other, const ip_addr_t *its, bool listens,
                      struct inet_sock *i, const ip_addr_t *ip)
{
    return other && other != i && overlap(ip, its) && !have_both(i, other, SOCKET_REUSEPORT) &&
           (listens || !have_both(i, other, SOCKET_REUSEADDR));
}

bool inet_is_taken(struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    if (i->s.type == SOCK_DGRAM) {
        for (struct udp_pcb *o = udp_pcbs; o; o = o->next)
            if (o->local_port == port && keeps_out(o->recv_arg, &o->local_ip, false, i, ip))
                return true;
        return false;
    }
    struct tcp_pcb *const lists[] = {tcp_listen_pcbs.pcbs, tcp_bound_pcbs};
    for (unsigned n = 0; n < ARRAY_LEN(lists); n++)
        for (struct tcp_pcb *o = lists[n]; o; o = o->next)
            if (o->local_port == port &&
                keeps_out(o->callback_arg, &o->local_ip, o->state == LISTEN, i, ip))
                return true;
    return false;
}
