/* What lwIP's sources call besides; bodies in net/lwip_port.c and net/netif.c. */
#pragma once

#include <lwip/ip_addr.h>

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

u32_t net_tcp_isn(void);
/* A packet arrives: the loopback interface counts it.  0: lwIP goes on with it. */
int net_count_input(const struct pbuf *p, const struct netif *n);
/* A segment arrives for a control block, which may be a listener's; so many bytes of options are right behind its header.
 * 0: lwIP goes on with it. */
int net_tcp_arrives(struct tcp_pcb *pcb, struct tcp_hdr *header, unsigned nr_options);
/* Stands between icmp6.c and nd6_input (cmake/lwip.cmake). */
void net_nd6_input(struct pbuf *p, struct netif *n);
