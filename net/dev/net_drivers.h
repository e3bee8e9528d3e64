/* Between the drivers of network devices. */
#pragma once

/* Give every such device to the driver.  Boot, thread context. */
void virtio_net_find(void);
void e1000_find(void);
