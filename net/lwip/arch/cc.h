/* The compiler and the machine, for lwIP. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LWIP_NO_LIMITS_H   1
#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H   1
#define LWIP_NO_CTYPE_H    1
#define X8_F               "02x"
#define U16_F              "u"
#define S16_F              "d"
#define X16_F              "x"
#define U32_F              "u"
#define S32_F              "d"
#define X32_F              "x"
#define SZT_F              "lu"
typedef long ssize_t;
#define SSIZE_MAX __LONG_MAX__
#ifndef INT_MAX
#define INT_MAX __INT_MAX__
#endif
#define BYTE_ORDER LITTLE_ENDIAN

#define LWIP_PLATFORM_DIAG(x)   ((void)0)
#define LWIP_PLATFORM_ASSERT(x) net_panic(x, __LINE__)
#define LWIP_RAND()             net_rand()
void net_panic(const char *what, int line) __attribute__((noreturn));
unsigned net_rand(void);
