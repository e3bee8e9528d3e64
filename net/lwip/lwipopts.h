/* How lwIP is built: one raw-API stack under one lock (net/inet.c), memory from the kernel's heap. */
#pragma once

#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0
#define LWIP_NETCONN              0
#define LWIP_SOCKET               0
#define LWIP_ERRNO_STDINCLUDE     0
#define LWIP_TIMERS               1
#define LWIP_TIMERS_CUSTOM        1 /* net/inet_timers.c runs them */
#define LWIP_STATS                0
#define LWIP_ASSERT_CORE_LOCKED() net_assert_locked()
#define lwip_htons(x)             __builtin_bswap16(x)
#define lwip_htonl(x)             __builtin_bswap32(x)

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT   16
#define mem_clib_malloc net_malloc
#define mem_clib_free   net_free
#define mem_clib_calloc net_calloc
#define MEMP_NUM_NETDB  0

#define LWIP_IPV4                     1
#define LWIP_IPV6                     1
#define LWIP_IPV6_AUTOCONFIG          1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_MLD                 1
#define IPV6_FRAG_COPYHEADER          1 /* pointers do not fit into the header */
#define LWIP_DHCP                     1
#define LWIP_DHCP_MAX_NTP_SERVERS     0
#define DHCP_DOES_ARP_CHECK           0
#define LWIP_DNS                      1 /* only what DHCP tells of it: dns.c is not compiled, net/netif.c stands in */
#define DNS_MAX_SERVERS               3
#define LWIP_IGMP                     1
#define LWIP_RAW                      1
#define LWIP_ICMP                     1
#define LWIP_BROADCAST_PING           1
#define ICMP_TTL                      64
#define LWIP_ICMP6_HL                 64
#define IP_REASSEMBLY                 1
#define IP_FRAG                       1
#define IP_REASS_MAX_PBUFS            64
#define LWIP_NETIF_LOOPBACK           1
#define LWIP_HAVE_LOOPIF              1
#define LWIP_LOOPBACK_MAX_PBUFS       0
#define LWIP_NETIF_STATUS_CALLBACK    1
#define LWIP_NETIF_LINK_CALLBACK      1
#define LWIP_NETIF_HOSTNAME           1
#define LWIP_CHECKSUM_CTRL_PER_NETIF  1
#define MEMCPY(dst, src, n)           net_copy(dst, src, n)
#define ARP_QUEUEING                  1
#define ARP_TABLE_SIZE \
    127 /* the most: more, and a flood from a whole subnet forgets who is served */
#define ARP_QUEUE_LEN   56 /* a datagram of 64 KiB in pieces; IPv6's, too (net_nd6_malloc) */
#define TCPIP_MBOX_SIZE 0

/* TCP: windows of 256 KiB, scaled.  A listener counts who has not answered yet; the rest is net/inet_tcp_input.c's. */
#define TCP_MSS                    1460
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_WND_SCALE             1
#define TCP_RCV_SCALE              3
#define TCP_WND                    (256 * 1024)
#define TCP_SND_BUF                (1024 * 1024) /* at most */
#define TCP_SND_QUEUELEN           2048
#define TCP_SNDLOWAT               32768
#define TCP_QUEUE_OOSEQ            1
#define LWIP_TCP_SACK_OUT          1
#define LWIP_TCP_TIMESTAMPS        0
#define TCP_LISTEN_BACKLOG         1
#define LWIP_TCP_KEEPALIVE         1
#define TCP_SYNMAXRTX              7       /* see net_tcp_output */
#define TCP_MSL                    30000UL /* TIME_WAIT lasts twice as long: a minute, as on Linux */
#define SO_REUSE                   1
#define SO_REUSE_RXTOALL           1
#define LWIP_MULTICAST_TX_OPTIONS  1

#define LWIP_HOOK_FILENAME                               "net_hooks.h"
#define LWIP_HOOK_IP4_INPUT(p, n)                        net_input(p, n)
#define LWIP_HOOK_IP6_INPUT(p, n)                        net_input(p, n)
#define LWIP_HOOK_TCP_ISN(local, lport, remote, rport)   net_tcp_isn()
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, h, n, n1, o2, p) net_tcp_input(pcb, h, n1, o2, p)
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, h, pcb, options) \
    net_tcp_output((struct tcp_pcb *)(pcb), h, options)

void net_assert_locked(void);
void net_copy(void *dst, const void *src, unsigned long n);
void *net_malloc(unsigned long size);
void *net_calloc(unsigned long n, unsigned long size);
void net_free(void *p);
