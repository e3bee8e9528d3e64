/* What the tests of the network's lower half run in the guest: `watch` tells of addresses and name servers whenever they
 * change, `sniff` of frames; `pieces` sends datagrams that are made of several sends.  `devices` has sockets that belong to
 * an interface each, `group` joins and leaves, `info` tells of a connection, `resolve` of a name's addresses, `route` how packets
 * go, `own` what comes of those to itself. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

static int failed(const char *what)
{
    perror(what);
    return 1;
}

/* A socket at a port of every address, for what comes and goes by `device` alone unless that is NULL. */
static int bound(int type, int port, const char *device)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(AF_INET, type, 0);

    if (s < 0 ||
        (device &&
         setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) < 0) ||
        bind(s, (struct sockaddr *)&a, sizeof a) < 0 || (type == SOCK_STREAM && listen(s, 9) < 0))
        exit(failed(device));
    return s;
}

/* Is the port reached over the loopback interface?  With a datagram, and a connection. */
static void reach(int port, const char *device, int listener)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int u = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {20, 0};
    struct pollfd p = {u, POLLIN, 0};
    char byte;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(t, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(u, (struct sockaddr *)&to, sizeof to) < 0 || send(u, "x", 1, 0) != 1)
        exit(failed("send"));
    /* Nobody there: the error comes back at once. */
    const char *by_datagram =
        poll(&p, 1, 200) == 1 && recv(u, &byte, 1, 0) < 0 ? strerror(errno) : "taken";
    const char *by_stream =
        connect(t, (struct sockaddr *)&to, sizeof to) < 0 ? strerror(errno) : "connected";
    printf("lo to %s: %s, %s\n", device ? device : "any", by_datagram, by_stream);
    if (!strcmp(by_stream, "connected"))
        close(accept(listener, NULL, NULL));
    close(u);
    close(t);
}

/* At three ports in a row: whatever there is, eth0's, lo's.  Then what comes is sent back with its port's number before it. */
static int devices(int port)
{
    static const char *const names[] = {NULL, "eth0", "lo"};
    struct pollfd all[6];
    char data[100];

    for (int i = 0; i < 3; i++) {
        all[i] = (struct pollfd){bound(SOCK_DGRAM, port + i, names[i]), POLLIN, 0};
        all[3 + i] = (struct pollfd){bound(SOCK_STREAM, port + i, names[i]), POLLIN, 0};
    }
    for (int i = 0; i < 3; i++)
        reach(port + i, names[i], all[3 + i].fd);
    for (int i = 0; i < 3; i++)
        while (recv(all[i].fd, data, sizeof data, MSG_DONTWAIT) >= 0)
            ;
    puts("listening");
    fflush(stdout);
    while (poll(all, 6, -1) > 0)
        for (int i = 5; i >= 0; i--) {
            struct sockaddr_in from;
            socklen_t len = sizeof from;
            if (!all[i].revents)
                continue;
            if (i >= 3) {
                close(accept(all[i].fd, NULL, NULL));
                continue;
            }
            ssize_t n =
                recvfrom(all[i].fd, data + 1, sizeof data - 1, 0, (struct sockaddr *)&from, &len);
            data[0] = (char)('0' + i);
            if (n == 4 && !memcmp(data + 1, "quit", 4))
                return 0;
            if (n >= 0)
                sendto(all[i].fd, data, (size_t)n + 1, 0, (struct sockaddr *)&from, len);
        }
    return 1;
}

/* Hears what is sent to a group's port on eth0 and says so; "leave" is the last of it. */
static int group(const char *address, int port)
{
    struct group_req g = {.gr_interface = if_nametoindex("eth0")};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&g.gr_group;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&g.gr_group;
    bool is_v6 = strchr(address, ':');
    int s = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), level = is_v6 ? SOL_IPV6 : SOL_IP;
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = any.sin6_port};
    char data[100];

    g.gr_group.ss_family = is_v6 ? AF_INET6 : AF_INET;
    if (inet_pton(g.gr_group.ss_family, address,
                  is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1 ||
        bind(s, is_v6 ? (void *)&any : (void *)&any4, is_v6 ? sizeof any : sizeof any4) < 0 ||
        setsockopt(s, level, MCAST_JOIN_GROUP, &g, sizeof g) < 0)
        return failed("join");
    puts("joined");
    fflush(stdout);
    for (;;) {
        ssize_t n = recv(s, data, sizeof data, 0);
        if (n < 0)
            return failed("recv");
        printf("heard %.*s\n", (int)n, data);
        fflush(stdout);
        if (n == 5 && !memcmp(data, "leave", 5)) {
            if (setsockopt(s, level, MCAST_LEAVE_GROUP, &g, sizeof g) < 0)
                return failed("leave");
            puts("left");
            fflush(stdout);
        }
        if (n == 3 && !memcmp(data, "end", 3))
            return 0;
    }
}

/* Sends 1,000 bytes to who connects, and says what TCP_INFO tells whenever that changes, until they end. */
static int info(int port)
{
    struct tcp_info t, old = {0};
    char byte;
    int l = bound(SOCK_STREAM, port, NULL);

    puts("listening");
    fflush(stdout);
    int s = accept(l, NULL, NULL);
    if (s < 0 || send(s, (char[1000]){0}, 1000, 0) != 1000)
        return failed("send");
    for (ssize_t n = -1; n != 0; usleep(10000)) {
        socklen_t len = sizeof t;
        memset(&t, 0, sizeof t);
        if (getsockopt(s, IPPROTO_TCP, TCP_INFO, &t, &len) < 0)
            return failed("TCP_INFO");
        if (t.tcpi_state != old.tcpi_state || t.tcpi_retransmits != old.tcpi_retransmits)
            printf("state %u, retransmits %u, mss %u, rto %s\n", t.tcpi_state, t.tcpi_retransmits,
                   t.tcpi_snd_mss,
                   t.tcpi_rto >= 200000 && t.tcpi_rto <= 120000000 ? "sane" : "odd");
        fflush(stdout);
        old = t;
        n = recv(s, &byte, 1, MSG_DONTWAIT);
    }
    return 0;
}

/* By the libc's resolver. */
static int resolve(const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *a;
    char text[64];
    struct stat st;

    /* Whom to ask comes with an address. */
    while (stat("/etc/resolv.conf", &st) < 0 || !st.st_size)
        usleep(10000);
    int ret = getaddrinfo(name, NULL, &hints, &found);

    if (ret)
        return printf("%s: %s\n", name, gai_strerror(ret)) < 0;
    for (a = found; a; a = a->ai_next)
        if (!getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST))
            printf("%s: %s\n", name, text);
    return 0;
}

static void show_route(const char *to, const struct nlmsghdr *h)
{
    const struct rtmsg *m = NLMSG_DATA(h);
    char name[IF_NAMESIZE];
    if (h->nlmsg_type == NLMSG_ERROR) {
        printf("%s: %s\n", to, strerror(-((struct nlmsgerr *)NLMSG_DATA(h))->error));
        return;
    }
    printf("%s: type %d flags %x", to, m->rtm_type, m->rtm_flags);
    int left = (int)RTM_PAYLOAD(h);
    for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        struct in_addr ip;
        unsigned index;
        memcpy(&ip, RTA_DATA(a), sizeof ip);
        memcpy(&index, RTA_DATA(a), sizeof index);
        if (a->rta_type == RTA_OIF)
            printf(" dev %s", if_indextoname(index, name));
        if (a->rta_type == RTA_PREFSRC)
            printf(" src %s", inet_ntoa(ip));
        if (a->rta_type == RTA_GATEWAY)
            printf(" via %s", inet_ntoa(ip));
    }
    printf("\n");
}

static int route(int argc, char **argv)
{
    int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    for (int i = 0; i < argc; i++) {
        struct {
            struct nlmsghdr h;
            struct rtmsg m;
            struct rtattr a;
            in_addr_t to;
        } q = {{sizeof q, RTM_GETROUTE, NLM_F_REQUEST, 1, 0},
               {.rtm_family = AF_INET, .rtm_dst_len = 32},
               {RTA_LENGTH(sizeof q.to), RTA_DST},
               inet_addr(argv[i])};
        union {
            struct nlmsghdr h;
            char bytes[8192];
        } u;
        if (send(s, &q, sizeof q, 0) != sizeof q || recv(s, &u, sizeof u, 0) < (ssize_t)sizeof u.h)
            return 3;
        show_route(argv[i], &u.h);
    }
    return 0;
}

/* What is sent to the machine's own address, and to a group that it is in, comes back: its bytes, one letter each way. */
static int own(const char *address)
{
    struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(50123)}, group = me;
    struct ip_mreqn join = {.imr_ifindex = (int)if_nametoindex("eth0")};
    struct timeval patience = {20, 0};
    int u = bound(SOCK_DGRAM, 50123, NULL), l = bound(SOCK_STREAM, 50123, NULL);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    char got[4] = "";

    inet_pton(AF_INET, address, &me.sin_addr);
    inet_pton(AF_INET, "239.1.2.3", &group.sin_addr);
    join.imr_multiaddr = group.sin_addr;
    setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (sendto(u, "u", 1, 0, (void *)&me, sizeof me) != 1 || recv(u, got, 1, 0) != 1)
        return failed("datagram");
    if (setsockopt(u, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0 ||
        setsockopt(u, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join) < 0 ||
        sendto(u, "g", 1, 0, (void *)&group, sizeof group) != 1 || recv(u, got + 1, 1, 0) != 1)
        return failed("group");
    if (connect(c, (void *)&me, sizeof me) < 0 || send(c, "t", 1, 0) != 1 ||
        recv(accept(l, NULL, NULL), got + 2, 1, 0) != 1)
        return failed("stream");
    puts(got);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "own"))
        return own(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "route"))
        return route(argc - 2, argv + 2);
    if (argc > 2 && !strcmp(argv[1], "devices"))
        return devices(atoi(argv[2]));
    if (argc > 3 && !strcmp(argv[1], "group"))
        return group(argv[2], atoi(argv[3]));
    if (argc > 2 && !strcmp(argv[1], "info"))
        return info(atoi(argv[2]));
    if (argc > 2 && !strcmp(argv[1], "resolve"))
        return resolve(argv[2]);
    if (argc > 4 && !strcmp(argv[1], "pieces"))
        return pieces(argc - 2, argv + 2);
    if (argc > 1 && !strcmp(argv[1], "watch"))
        watch();
    return argc > 1 && !strcmp(argv[1], "sniff") ? sniff() : 2;
}
