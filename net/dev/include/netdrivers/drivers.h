/* The drivers of network devices. */
#pragma once

/* Give every network device that was found to its driver.  Boot, thread context, after net_init. */
void netdrivers_init(void);
