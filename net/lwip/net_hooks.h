/* What lwIP's sources call besides; bodies in net/inet_tcp_input.c and net/netif.c. */
#pragma once

#include <lwip/err.h>
#include <lwip/icmp.h>
#include <lwip/ip_addr.h>
#include <lwip/memp.h>
#include <lwip/priv/raw_priv.h>

struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

u32_t net_tcp_isn(void);
/* A packet arrives: the loopback interface counts it.  0: lwIP goes on with it; else it is gone. */
int net_input(struct pbuf *p, const struct netif *n);
/* Stands in for icmp_dest_unreach (cmake/lwip.cmake). */
void net_icmp_unreach(struct pbuf *p, enum icmp_dur_type code);
/* Stands between ip4.c and raw_input (cmake/lwip.cmake). */
raw_input_state_t net_raw_input(struct pbuf *p, struct netif *n);
/* A segment for `pcb`, with so many bytes of options right behind its header, perhaps more elsewhere, and the data `p`; ERR_OK:
 * lwIP goes on with it. */
err_t net_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *h, unsigned nr_options,
                    const u8_t *more_options, struct pbuf *p);
/* tcp_in.c's tcp_input; ours comes before (cmake/lwip.cmake, net/inet_tcp_table.c). */
void lwip_tcp_input(struct pbuf *p, struct netif *n);
/* Stand between tcp.c and memp_malloc and memp_free: its control blocks have a place in our table. */
void *net_memp_malloc(memp_t type);
void net_memp_free(memp_t type, void *block);
/* A segment of `pcb` (NULL: of none), complete but for its checksum.  `options` is its end, and the answer. */
u32_t *net_tcp_output(struct tcp_pcb *pcb, struct tcp_hdr *h, u32_t *options);
/* Stands between nd6.c and memp_malloc. */
void *net_nd6_malloc(memp_t type);
/* Stands between icmp6.c and nd6_input (cmake/lwip.cmake). */
void net_nd6_input(struct pbuf *p, struct netif *n);
