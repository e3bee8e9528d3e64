/* /proc/net: interfaces, routes, and this program's own sockets among all. */
#include "inet_test.h"

#include <net/if.h>

static char text[1 << 20];

static void slurp(const char *name)
{
    int fd = open(name, O_RDONLY), n;
    size_t len = 0;
    NEED(fd >= 0);
    while ((n = (int)read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(fd);
}

/* The first line, and that the others are as long as those of Linux; 0: any length. */
static void header(const char *name, size_t width)
{
    slurp(name);
    char *end = strchr(text, '\n');
    NEED(end);
    say("%s: %.*s|", name, (int)(end - text), text);
    for (char *line = end + 1; width && *line; line = end + 1) {
        end = strchr(line, '\n');
        NEED(end);
        CHECK((size_t)(end - line) == width);
    }
}

static unsigned long inode_of(int fd)
{
    char name[64], link[64] = "";
    unsigned long ino = 0;
    struct stat st;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    NEED(readlink(name, link, sizeof link - 1) > 0);
    NEED(sscanf(link, "socket:[%lu]", &ino) == 1);
    CHECK(fstat(fd, &st) == 0 && st.st_ino == ino);
    return ino;
}

/* Rows between two ports: what does not change from run to run. */
static void rows(const char *what, const char *name, int from, int to, int fd)
{
    unsigned long ino = fd >= 0 ? inode_of(fd) : 0;
    int found = 0;
    slurp(name);
    for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        char a[40], b[40];
        unsigned port, peer, state, tx, rx, timer, resent, uid, timeout, used;
        unsigned long number, when, inode, pointer;
        int n = sscanf(line, "%lu: %32[^:]:%X %32[^:]:%X %X %X:%X %X:%lX %X %u %u %lu %u %lx",
                       &number, a, &port, b, &peer, &state, &tx, &rx, &timer, &when, &resent, &uid,
                       &timeout, &inode, &used, &pointer);
        CHECK(n == 16);
        if (port != (unsigned)from || (to >= 0 && peer != (unsigned)to))
            continue;
        found++;
        CHECK(inode == ino);
        say("%s: %s %s %02X, waits %s, timer %d, user %u", what, a, b, state, rx ? "yes" : "no",
            timer == 3, uid);
    }
    say("%s: %d", what, found);
}

static void tcp(int family)
{
    const char *name = family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
    struct sockaddr_storage a;
    char byte[8];
    int l = tcp_listener(family, &a, 8), c = socket(family, SOCK_STREAM, 0), port = port_of(&a);
    rows("listener", name, port, 0, l);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    int mine = local_port(c);
    wait_readable(l);
    rows("client", name, mine, port, c);
    rows("not accepted", name, port, mine, -1);
    rows("full listener", name, port, 0, l);
    int s = accept(l, NULL, NULL);
    NEED(s >= 0);
    rows("accepted", name, port, mine, s);
    NEED(write(c, "hello", 5) == 5);
    wait_readable(s);
    rows("with bytes", name, port, mine, s);
    NEED(read(s, byte, sizeof byte) == 5);
    rows("without", name, port, mine, s);
    shutdown(c, SHUT_WR);
    wait_readable(s);
    rows("got a FIN", name, port, mine, s);
    close(c);
    CHECK(read(s, byte, sizeof byte) == 0);
    close(s);
    rows("over here", name, mine, port, -1);
    rows("over there", name, port, mine, -1);
    close(l);
    rows("closed", name, port, 0, -1);
}

/* A connection of IPv4 to a listener of both. */
static void mapped(void)
{
    struct sockaddr_storage a;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    int l = socket(AF_INET6, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    NEED(bind(l, (struct sockaddr *)&any, sizeof any) == 0 && listen(l, 1) == 0);
    int port = local_port(l);
    loopback(AF_INET, &a, port);
    NEED(connect(c, (struct sockaddr *)&a, sizeof(struct sockaddr_in)) == 0);
    int s = accept(l, NULL, NULL), mine = local_port(c);
    NEED(s >= 0);
    rows("both", "/proc/net/tcp6", port, 0, l);
    rows("both, accepted", "/proc/net/tcp6", port, mine, s);
    rows("of IPv4", "/proc/net/tcp", mine, port, c);
    rows("not of IPv4", "/proc/net/tcp", port, mine, s);
    close(c);
    close(s);
    close(l);
}

static void udp(int family)
{
    const char *name = family == AF_INET ? "/proc/net/udp" : "/proc/net/udp6";
    struct sockaddr_storage a;
    char byte[8];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0),
        port = port_of(&a);
    rows("bound", name, port, 0, s);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    int mine = local_port(c);
    rows("connected", name, mine, port, c);
    NEED(send(c, "hello", 5, 0) == 5);
    wait_readable(s);
    rows("with one", name, port, 0, s);
    NEED(read(s, byte, sizeof byte) == 5);
    rows("without", name, port, 0, s);
    close(c);
    rows("closed", name, mine, port, -1);
    close(s);
}

/* A raw socket's port is its protocol. */
static void raw(int family)
{
    const char *name = family == AF_INET ? "/proc/net/raw" : "/proc/net/raw6";
    int protocol = 253, s = socket(family, SOCK_RAW, protocol);
    struct sockaddr_storage a;
    NEED(s >= 0);
    CHECK(local_port(s) == protocol);
    rows("raw", name, protocol, 0, s);
    loopback(family, &a, 7);
    SHOW(bind(s, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(s) == protocol);
    SHOW(bind(s, (struct sockaddr *)&a, addr_len(family)));
    rows("raw, bound", name, protocol, 0, s);
    SHOW(getpeername(s, (struct sockaddr *)&a, &(socklen_t){sizeof a}));
    SHOW(connect(s, (struct sockaddr *)&a, addr_len(family)));
    CHECK(local_port(s) == protocol);
    close(s);
    rows("raw, closed", name, protocol, 0, -1);
}

/* As `arp` takes them apart. */
static void arp(void)
{
    header("/proc/net/arp", 0);
    for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        char ip[32], mac[32], mask[32], device[32];
        unsigned type, flags;
        CHECK(sscanf(line, "%31s 0x%x 0x%x %31s %31s %31s", ip, &type, &flags, mac, mask, device) ==
              6);
        CHECK(inet_addr(ip) != INADDR_NONE && strlen(mac) == 17 && !strcmp(mask, "*"));
        CHECK(if_nametoindex(device) > 0);
    }
}

static void lo_counts(unsigned long long n[16])
{
    slurp("/proc/net/dev");
    char *line = strstr(text, "    lo:");
    NEED(line);
    line += 7;
    for (int k = 0; k < 16; k++)
        n[k] = strtoull(line, &line, 10);
    CHECK(*line == '\n');
}

static void dev(void)
{
    unsigned long long before[16], after[16];
    char bytes[1000] = {0};
    struct sockaddr_storage a;
    header("/proc/net/dev", 0);
    char *second = strchr(text, '\n') + 1;
    say("%.*s|", (int)(strchr(second, '\n') - second), second);
    lo_counts(before);
    int s = inet_bound(AF_INET, SOCK_DGRAM, &a);
    NEED(sendto(s, bytes, sizeof bytes, 0, (struct sockaddr *)&a, sizeof(struct sockaddr_in)) ==
         1000);
    wait_readable(s);
    close(s);
    lo_counts(after);
    CHECK(after[0] >= before[0] + 1028 && after[1] > before[1]);
    CHECK(after[8] >= before[8] + 1028 && after[9] > before[9]);
}

/* The loopback interface's addresses of IPv6. */
static void if_inet6(void)
{
    slurp("/proc/net/if_inet6");
    for (char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        NEED(end);
        if (end - line >= 2 && !memcmp(end - 2, "lo", 2))
            say("%.*s|", (int)(end - line), line);
    }
}

int main(void)
{
    dev();
    if_inet6();
    header("/proc/net/route", 127);
    header("/proc/net/tcp", 149);
    header("/proc/net/tcp6", 0);
    header("/proc/net/udp", 127);
    header("/proc/net/udp6", 0);
    header("/proc/net/raw", 0);
    header("/proc/net/raw6", 0);
    arp();
    tcp(AF_INET);
    tcp(AF_INET6);
    mapped();
    udp(AF_INET);
    udp(AF_INET6);
    raw(AF_INET);
    raw(AF_INET6);
    return done();
}
