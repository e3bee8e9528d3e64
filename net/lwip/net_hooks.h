/* What lwIP's sources call besides; bodies in net/lwip_port.c. */
#pragma once

#include <lwip/ip_addr.h>

u32_t net_tcp_isn(void);
