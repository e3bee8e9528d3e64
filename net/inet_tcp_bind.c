/* Who may have a TCP port: Linux's rule, as lwIP has another and no SO_REUSEPORT. */
#include <base/string.h>
#include <inet.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

bool inet_overlaps(const ip_addr_t *a, const ip_addr_t *b)
{
    if (IP_IS_ANY_TYPE_VAL(*a) || IP_IS_ANY_TYPE_VAL(*b))
        return true;
    size_t n = IP_IS_V6_VAL(*a) ? sizeof(a->u_addr.ip6.addr) : sizeof(a->u_addr.ip4);
    const void *any = &IP6_ADDR_ANY->u_addr;
    return IP_GET_TYPE(a) == IP_GET_TYPE(b) &&
           (memcmp(&a->u_addr, any, n) == 0 || memcmp(&b->u_addr, any, n) == 0 ||
            memcmp(&a->u_addr, &b->u_addr, n) == 0);
}

bool inet_tcp_is_between(const struct tcp_pcb *p, const ip_addr_t *local, uint16_t local_port,
                         const ip_addr_t *peer, uint16_t peer_port)
{
    return p->local_port == local_port && p->remote_port == peer_port &&
           ip_addr_cmp(&p->local_ip, local) && ip_addr_cmp(&p->remote_ip, peer);
}

struct inet_sock *inet_tcp_owner(const struct tcp_pcb *p)
{
    if (p->state == SYN_RCVD)
        return p->listener ? p->listener->callback_arg : NULL;
    return p->state != TIME_WAIT ? p->callback_arg : NULL;
}

/* What has no socket any more says by options of lwIP what its socket said; of TCP's, it knows no SOF_BROADCAST. */
void inet_tcp_keep_options(const struct inet_sock *i, struct tcp_pcb *p)
{
    ip_reset_option(p, SOF_REUSEADDR);
    if (socket_has(&i->s, SOCKET_REUSEADDR))
        ip_set_option(p, SOF_REUSEADDR);
    if (socket_has(&i->s, SOCKET_REUSEPORT))
        ip_set_option(p, SOF_BROADCAST);
}

static bool may_share(const struct inet_sock *i, const struct tcp_pcb *p)
{
    const struct inet_sock *other = inet_tcp_owner(p);
    bool addr = other ? socket_has(&other->s, SOCKET_REUSEADDR) : ip_get_option(p, SOF_REUSEADDR);
    bool port = other ? socket_has(&other->s, SOCKET_REUSEPORT) : ip_get_option(p, SOF_BROADCAST);
    return (port && socket_has(&i->s, SOCKET_REUSEPORT)) ||
           (addr && socket_has(&i->s, SOCKET_REUSEADDR) && p->state != LISTEN);
}

bool inet_tcp_is_taken(const struct inet_sock *i, const ip_addr_t *ip, uint16_t port)
{
    for (unsigned k = 0; k < NUM_TCP_PCB_LISTS; k++)
        for (const struct tcp_pcb *p = *tcp_pcb_lists[k]; p; p = p->next)
            if (p->local_port == port && p != i->tcp && inet_overlaps(&p->local_ip, ip) &&
                !may_share(i, p))
                return true;
    return false;
}

static int bind_locked(struct inet_sock *i, const struct socket_addr *addr)
{
    ip_addr_t ip;
    uint16_t port;
    struct tcp_pcb *pcb = i->tcp;
    int ret = inet_get_addr(i, addr, &ip, &port);
    if (ret == 0)
        ret = inet_check_bind(i, &ip, port);
    if (ret < 0)
        return ret;
    if (i->local_port || i->state != INET_NEW)
        return -EINVAL;
    if (port && inet_tcp_is_taken(i, &ip, port))
        return -EADDRINUSE;
    err_t err = tcp_bind(pcb, &ip, port);
    if (err == ERR_USE) { /* not by our rule */
        pcb->local_ip = ip;
        pcb->local_port = port;
        TCP_REG(&tcp_bound_pcbs, pcb);
    } else if (err != ERR_OK) {
        return inet_errno(err);
    }
    i->local = i->bound = ip;
    i->bound_port = port;
    i->local_port = pcb->local_port;
    return 0;
}

int inet_tcp_bind(struct socket *s, const struct socket_addr *addr)
{
    inet_lock();
    int ret = bind_locked(inet_of(s), addr);
    inet_unlock();
    return ret;
}
