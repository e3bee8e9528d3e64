/* Who may have a TCP port that another has.
 *
 * Two of SO_REUSEADDR share it until one listens, two of SO_REUSEPORT always, and an address of both families is one of
 * each.  lwIP knows one option and asks for it late; what connections remain on a port is left to it. */
#include <inet.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

static bool have_both(struct inet_sock *i, struct inet_sock *other, unsigned flag)
{
    return socket_has(&i->s, flag) && socket_has(&other->s, flag);
}

bool inet_tcp_is_taken(struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    struct tcp_pcb *const lists[] = {tcp_listen_pcbs.pcbs, tcp_bound_pcbs};
    for (unsigned n = 0; n < ARRAY_LEN(lists); n++) {
        for (struct tcp_pcb *o = lists[n]; o; o = o->next) {
            struct inet_sock *other = o->callback_arg;
            bool same_family = IP_IS_V6(ip) == IP_IS_V6_VAL(o->local_ip) ||
                               IP_IS_ANY_TYPE_VAL(*ip) || IP_IS_ANY_TYPE_VAL(o->local_ip);
            bool overlaps =
                ip_addr_isany(ip) || ip_addr_isany(&o->local_ip) || ip_addr_cmp(ip, &o->local_ip);
            if (other == i || !other || o->local_port != port || !same_family || !overlaps)
                continue;
            if (!have_both(i, other, SOCKET_REUSEPORT) &&
                (o->state == LISTEN || !have_both(i, other, SOCKET_REUSEADDR)))
                return true;
        }
    }
    return false;
}
