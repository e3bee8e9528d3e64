/* The network as a whole, for the layers above. */
#pragma once

#include <vfs/text_file.h>

void net_init(void); /* boot: the families */

/* The files of /proc/net.  Those of TCP, UDP and raw sockets tell of IPv6 where their text_source has a string. */
text_show_fn net_show_arp, net_show_dev, net_show_if_inet6, net_show_raw, net_show_route,
    net_show_tcp, net_show_udp, net_show_unix;
unsigned net_max_tw_buckets(void); /* how many connections may be in TIME_WAIT: tcp(7) */
/* The program is over and its descriptors are closed: sleep until its peers have what it sent, as the kernel under a program
 * goes on sending, but no longer than a few seconds without progress.  Thread context. */
void net_drain(void);
/* Forget the connections that no socket has any more: those that wait for their last packets, which the stack keeps for a
 * minute, and packets that no device has taken.  For a look at what memory is lost; thread context. */
void net_forget_ended(void);
