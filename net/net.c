/* The network's parts, in the order in which they come up. */
#include <net/net.h>
#include <inet.h>
#include <packet.h>
#include <unix.h>

void net_init(void)
{
    unix_init();
    inet_init();
    netlink_init();
    packet_init();
}

void net_forget_ended(void)
{
    inet_lock();
    inet_tcp_forget_ended();
    inet_unlock();
}
