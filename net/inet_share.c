/* Sockets that share a port because all of them said so (SO_REUSEPORT): which of them gets what comes.
 *
 * As on Linux, whoever sends from one address and port always reaches the same one, as long as they stay the same.  lwIP
 * itself takes one of them for all. */
#include <inet.h>

struct list inet_all_listeners = LIST_INIT(inet_all_listeners);

static bool is_twin(const struct inet_sock *a, const struct inet_sock *b)
{
    return a->local_port == b->local_port && a->state == b->state && a->is_v6 == b->is_v6 &&
           a->s.ifindex == b->s.ifindex && ip_addr_cmp(&a->local, &b->local) &&
           socket_has(&a->s, SOCKET_REUSEPORT);
}

struct inet_sock *inet_share(struct inet_sock *i, const struct list *all, const ip_addr_t *from,
                             uint16_t port)
{
    struct inet_sock *other;
    if (!socket_has(&i->s, SOCKET_REUSEPORT))
        return i;
    uint32_t sender = IP_IS_V6(from) ? ip_2_ip6(from)->addr[1] ^ ip_2_ip6(from)->addr[3]
                                     : ip4_addr_get_u32(ip_2_ip4(from));
    /* Twice, as those that Linux gives to clients of one machine are all even and close to each other. */
    uint32_t hash = ((sender ^ port) * 0x9e3779b1u ^ sender >> 16) * 0x85ebca6bu;
    unsigned nr = 0;
    list_for_each(other, all, all_node)
        nr += is_twin(other, i);
    nr = (unsigned)((uint64_t)hash * nr >> 32);
    list_for_each(other, all, all_node)
        if (is_twin(other, i) && nr-- == 0)
            return other;
    return i;
}
