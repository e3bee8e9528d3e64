/* The network's parts, in the order in which they come up. */
#include <net/net.h>
#include <inet.h>
#include <unix.h>

void net_init(void)
{
    unix_init();
    inet_init();
    netlink_init();
}
