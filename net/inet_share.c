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

uint32_t inet_hash(const ip_addr_t *peer, unsigned ports)
{
    uint32_t address = IP_IS_V6(peer) ? ip_2_ip6(peer)->addr[1] ^ ip_2_ip6(peer)->addr[3]
                                      : ip4_addr_get_u32(ip_2_ip4(peer));
    /* Twice, as those that Linux gives to clients of one machine are all even and close to each other. */
    return ((address ^ ports) * 0x9e3779b1u ^ address >> 16) * 0x85ebca6bu;
}

struct inet_sock *inet_share(struct inet_sock *i, const struct list *all, const ip_addr_t *from,
                             uint16_t port)
{
    struct inet_sock *other;
    if (!socket_has(&i->s, SOCKET_REUSEPORT))
        return i;
    unsigned nr = 0;
    list_for_each(other, all, all_node)
        nr += is_twin(other, i);
    nr = (unsigned)((uint64_t)inet_hash(from, port) * nr >> 32);
    list_for_each(other, all, all_node)
        if (is_twin(other, i) && nr-- == 0)
            return other;
    return i;
}
