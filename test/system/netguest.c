/* What the tests of the network's lower half run in the guest: `watch` tells of addresses and name servers whenever they
 * change, `sniff` of frames; `pieces` sends datagrams that are made of several sends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SOL_PACKET 263
#define EXPERIMENT 0x88b5 /* IEEE's, for local use */

static void describe(char *to, size_t size)
{
    struct ifaddrs *all, *a;
    char text[64], line[200];
    FILE *f = fopen("/etc/resolv.conf", "r");

    to[0] = '\0';
    if (getifaddrs(&all) < 0)
        exit(1);
    for (a = all; a; a = a->ifa_next) {
        if (!a->ifa_addr || strcmp(a->ifa_name, "eth0"))
            continue;
        const void *ip = NULL;
        if (a->ifa_addr->sa_family == AF_INET)
            ip = &((struct sockaddr_in *)a->ifa_addr)->sin_addr;
        if (a->ifa_addr->sa_family == AF_INET6)
            ip = &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr;
        if (ip && inet_ntop(a->ifa_addr->sa_family, ip, text, sizeof text))
            snprintf(to + strlen(to), size - strlen(to), "%s ", text);
    }
    freeifaddrs(all);
    while (f && fgets(line, sizeof line, f))
        snprintf(to + strlen(to), size - strlen(to), "[%.*s] ", (int)strcspn(line, "\n"), line);
    if (f)
        fclose(f);
}

static _Noreturn void watch(void)
{
    static char old[1000], new[1000];
    for (;; usleep(100000)) {
        describe(new, sizeof new);
        if (!strcmp(old, new))
            continue;
        printf("state: %s\n", new);
        fflush(stdout);
        strcpy(old, new);
    }
}

static int sniff(void)
{
    static const char *const types[] = {"host", "broadcast", "multicast", "other", "out"};
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(EXPERIMENT),
                            .sll_ifindex = (int)if_nametoindex("eth0")};
    struct packet_mreq promiscuous = {.mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    int s = socket(AF_PACKET, SOCK_DGRAM, 0);
    char buf[2000];

    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) < 0) {
        perror("sniff");
        return 1;
    }
    memset(a.sll_addr, 0xff, 6);
    a.sll_halen = 6;
    if (sendto(s, "ready", 5, 0, (struct sockaddr *)&a, sizeof a) != 5)
        return 1;
    for (;;) {
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(s, buf, sizeof buf - 1, 0, (struct sockaddr *)&from, &len);
        if (n < 0)
            return 1;
        buf[n] = '\0';
        printf("frame: %s %s from %02x\n", types[from.sll_pkttype], buf, from.sll_addr[5]);
        fflush(stdout);
        if (!strncmp(buf, "promiscuous", 11) &&
            (setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) <
                 0 ||
             sendto(s, "so be it", 8, 0, (struct sockaddr *)&a, sizeof a) != 8))
            return 1;
        if (!strncmp(buf, "end", 3))
            return 0;
    }
}

/* Datagrams of `total` bytes in pieces of `step`, of those that were asked for; each is answered before the next. */
static int pieces(int argc, char **argv)
{
    static unsigned char bytes[65536];
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *to;
    struct timeval patience = {20, 0};
    char answer;
    int tries = 0;

    if (getaddrinfo(argv[0], argv[1], &hints, &to))
        return 3;
    int s = socket(to->ai_family, SOCK_DGRAM, 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(s, to->ai_addr, to->ai_addrlen) < 0)
        return 4;
    for (int i = 2; i + 1 < argc; i += 2) {
        size_t total = strtoul(argv[i], NULL, 10), step = strtoul(argv[i + 1], NULL, 10);
        for (size_t k = 0; k < total; k++)
            bytes[k] = (unsigned char)(k * 7 + (k >> 8) + total);
        for (size_t k = 0; k < total; k += step) {
            size_t n = total - k < step ? total - k : step;
            ssize_t sent;
            /* IPv6's address may still be to come. */
            while ((sent = send(s, bytes + k, n, k + n < total ? MSG_MORE : 0)) < 0 &&
                   errno == ENETUNREACH && i == 2 && tries++ < 200)
                usleep(100000);
            if (sent != (ssize_t)n) {
                perror("send");
                return 5;
            }
        }
        if (recv(s, &answer, 1, 0) != 1) {
            fprintf(stderr, "no answer to %zu bytes\n", total);
            return 6;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 4 && !strcmp(argv[1], "pieces"))
        return pieces(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "watch"))
        watch();
    return argc > 1 && !strcmp(argv[1], "sniff") ? sniff() : 2;
}
