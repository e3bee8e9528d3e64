/* The network's parts, in the order in which they come up. */
#include <net/net.h>
#include <inet.h>
#include <packet.h>
#include <unix.h>

/* A peer that has not answered by then has not heard two repetitions either. */
#define DRAIN_NS 5000000000ul

void net_init(void)
{
    unix_init();
    inet_init();
    netlink_init();
    packet_init();
}

void net_drain(void)
{
    inet_tcp_drain(DRAIN_NS);
}

void net_forget_ended(void)
{
    inet_lock();
    inet_tcp_forget_ended();
    netif_drop_all_waiting();
    inet_unlock();
}
