/* What the tests of frames share: sizes, random numbers, packets, and lwIP's sum written down once more.  Behind lwIP's headers. */
#pragma once

#include "fake_random.h"

#define V4_HEADERS 54u
#define V6_HEADERS 74u
#define MSS        1460u

static uint32_t sum_of(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

u16_t inet_chksum(const void *bytes, u16_t n)
{
    return lwip_htons((u16_t)~sum_of(bytes, n));
}

static uint8_t packet[2000];

static uint8_t byte_at(uint32_t seq)
{
    return (uint8_t)(seq * 13 + (seq >> 9));
}

/* A TCP packet as lwIP makes it for a device that sums, in `packet`: all of its bytes. */
static size_t make_packet(bool is_v6, uint32_t seq, size_t len, uint8_t flags)
{
    static uint16_t id;
    unsigned tcp = is_v6 ? V6_HEADERS - 20 : V4_HEADERS - 20;
    memset(packet, 0, tcp + 20);
    memset(packet, 0x52, 12);
    put16(packet + 12, is_v6 ? ETHTYPE_IPV6 : ETHTYPE_IP);
    uint8_t *ip = packet + 14;
    if (is_v6) {
        ip[0] = 0x60;
        put16(ip + 4, len + 20);
        ip[6] = 6;
        ip[7] = 64;
        memset(ip + 8, 0xfd, 32);
    } else {
        ip[0] = 0x45;
        put16(ip + 2, len + 40);
        put16(ip + 4, id++);
        ip[8] = 64;
        ip[9] = 6;
        memset(ip + 12, 10, 8);
        put16(ip + 10, (uint16_t)~sum_of(ip, 20));
    }
    put16(packet + tcp, 7);
    put16(packet + tcp + 2, 40000);
    put16(packet + tcp + 4, seq >> 16);
    put16(packet + tcp + 6, seq & 0xffff);
    packet[tcp + 12] = 0x50;
    packet[tcp + 13] = flags;
    put16(packet + tcp + 14, 1000);
    for (size_t i = 0; i < len; i++)
        packet[tcp + 20 + i] = byte_at(seq + (uint32_t)i);
    return tcp + 20 + len;
}
