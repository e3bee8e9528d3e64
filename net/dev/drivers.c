/* The drivers of network devices, in the order in which their interfaces are numbered. */
#include <netdrivers/drivers.h>

#include "net_drivers.h"

void netdrivers_init(void)
{
    virtio_net_find();
    e1000_find();
}
