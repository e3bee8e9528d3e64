/* AF_PACKET on the loopback interface: what is seen of a datagram, filters, sending, names, options.  Filters keep what
 * other programs send out. */
#include "inet_test.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/syscall.h>

#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif
#define EXPERIMENT 0x88b5 /* IEEE's, for local use */

static int open_packet(int type)
{
    int s = socket(AF_PACKET, type, 0);
    NEED(s >= 0);
    return s;
}

static long bind_to(int s, int protocol, int index)
{
    struct sockaddr_ll a = {
        .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol), .sll_ifindex = index};
    return bind(s, (struct sockaddr *)&a, sizeof a);
}

static long attach(int s, struct sock_filter *f, unsigned n)
{
    struct sock_fprog p = {(unsigned short)n, f};
    return setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p);
}

/* Only UDP of IPv4 to a port; `at`: where the IP header is. */
static long only_port(int s, unsigned at, int port, unsigned most)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)SKF_AD_OFF + SKF_AD_PROTOCOL),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 6),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at + 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, at),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, at + 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, most),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    return attach(s, f, NR(f));
}

static void show(const char *who, int s, int flags)
{
    unsigned char buf[200];
    struct sockaddr_ll a = {0};
    socklen_t len = sizeof a;
    long n = recvfrom(s, buf, sizeof buf, flags | MSG_DONTWAIT, (struct sockaddr *)&a, &len);
    if (n < 0) {
        say("%s: %s", who, strerror(errno));
        return;
    }
    say("%s: %ld bytes, from %u: family %d, protocol %04x, index %d, hardware %d, type %d, address "
        "of "
        "%d, %02x%02x",
        who, n, len, a.sll_family, ntohs(a.sll_protocol), a.sll_ifindex, a.sll_hatype,
        a.sll_pkttype, a.sll_halen, a.sll_addr[0], a.sll_addr[5]);
    say(" begins %02x %02x %02x, ends %02x", buf[0], buf[12], buf[13],
        n > 0 && n <= (long)sizeof buf ? buf[n - 1] : 0);
}

static void capture(void)
{
    struct sockaddr_storage to;
    char buf[64];
    int u = inet_bound(AF_INET, SOCK_DGRAM, &to), port = port_of(&to), n = -1,
        c = socket(AF_INET, SOCK_DGRAM, 0), raw = open_packet(SOCK_RAW),
        dgram = open_packet(SOCK_DGRAM), ip = open_packet(SOCK_RAW), cut = open_packet(SOCK_RAW),
        none = open_packet(SOCK_RAW);
    SHOW(only_port(raw, 14, port, 1000));
    SHOW(only_port(dgram, 0, port, 1000));
    SHOW(only_port(ip, 14, port, 1000));
    SHOW(only_port(cut, 14, port, 18)); /* to the length of the packet */
    SHOW(only_port(none, 14, port, 0));
    SHOW(bind_to(raw, ETH_P_ALL, 0));
    SHOW(bind_to(dgram, ETH_P_ALL, 1));
    SHOW(bind_to(ip, ETH_P_IP, 1));
    SHOW(bind_to(cut, ETH_P_IP, 1));
    SHOW(bind_to(none, ETH_P_ALL, 1));
    SHOW(sendto(c, "hello!", 6, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in)));
    SHOW(recv(u, buf, sizeof buf, 0));
    say_ready("raw", raw);
    SHOW(ioctl(raw, FIONREAD, &n));
    say("first %d", n);
    show("peek", raw, MSG_PEEK);
    show("raw", raw, 0);
    show("raw", raw, 0);
    show("raw", raw, 0);
    show("dgram", dgram, 0);
    show("dgram", dgram, 0);
    show("dgram", dgram, 0);
    show("ip", ip, 0);
    show("ip", ip, 0);
    show("cut", cut, 0);
    show("none", none, 0);
    /* A short buffer; what a program without a name for the sender gets. */
    SHOW(sendto(c, "again!", 6, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in)));
    SHOW(recv(raw, buf, 10, 0));
    SHOW(recv(raw, buf, 10, MSG_TRUNC));
    struct tpacket_stats st;
    socklen_t len = sizeof st;
    SHOW(getsockopt(raw, SOL_PACKET, PACKET_STATISTICS, &st, &len));
    say("%u of %u, length %u", st.tp_packets, st.tp_drops, len);
    SHOW(getsockopt(raw, SOL_PACKET, PACKET_STATISTICS, &st, &len));
    say("%u of %u", st.tp_packets, st.tp_drops);
    /* No room. */
    SHOW(set_opt(raw, SOL_SOCKET, SO_RCVBUF, 2000));
    for (int i = 0; i < 40; i++)
        CHECK(sendto(c, "flood", 5, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) == 5);
    SHOW(getsockopt(raw, SOL_PACKET, PACKET_STATISTICS, &st, &len));
    CHECK(st.tp_packets == 80 && st.tp_drops > 10 && st.tp_drops < 80);
    close(u);
    close(c);
    close(raw);
    close(dgram);
    close(ip);
    close(cut);
    close(none);
}

static void filters(void)
{
    static const struct {
        const char *name;
        struct sock_filter f;
    } alone[] = {
        {"return", BPF_STMT(BPF_RET | BPF_K, 1)},
        {"return A", BPF_STMT(BPF_RET | BPF_A, 0)},
        {"return X", BPF_STMT(BPF_RET | BPF_X, 0)},
        {"no return", BPF_STMT(BPF_LD | BPF_IMM, 0)},
        {"unknown", BPF_STMT(0xff, 0)},
        {"long code", BPF_STMT(0x1006, 0)},
    };
    static const struct {
        const char *name;
        struct sock_filter f;
    } before[] = {
        {"divide by 0", BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0)},
        {"divide by 2", BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 2)},
        {"mod 0", BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0)},
        {"shift by 32", BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32)},
        {"shift by 31", BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 31)},
        {"negate", BPF_STMT(BPF_ALU | BPF_NEG, 0)},
        {"alu 11", BPF_STMT(BPF_ALU | 0xb0, 0)},
        {"store 16", BPF_STMT(BPF_ST, 16)},
        {"store 15", BPF_STMT(BPF_ST, 15)},
        {"jump behind", BPF_STMT(BPF_JMP | BPF_JA, 1)},
        {"jump to the end", BPF_STMT(BPF_JMP | BPF_JA, 0)},
        {"jump backwards", BPF_STMT(BPF_JMP | BPF_JA, (unsigned)-1)},
        {"true behind", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0)},
        {"false behind", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1)},
        {"jset", BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 1, 0, 0)},
        {"jump 5", BPF_JUMP(BPF_JMP | 0x50, 1, 0, 0)},
        {"load a word of X", BPF_STMT(BPF_LDX | BPF_W | BPF_ABS, 0)},
        {"load a length", BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)},
        {"load 4 bits", BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14)},
        {"load memory 16", BPF_STMT(BPF_LD | BPF_MEM, 16)},
        {"tax", BPF_STMT(BPF_MISC | BPF_TAX, 0)},
        {"misc 8", BPF_STMT(BPF_MISC | 0x8, 0)},
    };
    int s = open_packet(SOCK_RAW);
    SHOW(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, "four", 4));
    for (unsigned i = 0; i < NR(alone); i++) {
        struct sock_filter f = alone[i].f;
        say("%s: %s", alone[i].name, attach(s, &f, 1) ? strerror(errno) : "good");
    }
    for (unsigned i = 0; i < NR(before); i++) {
        struct sock_filter f[] = {before[i].f, BPF_STMT(BPF_RET | BPF_K, 1)};
        say("%s: %s", before[i].name, attach(s, f, 2) ? strerror(errno) : "good");
    }
    struct sock_filter good = BPF_STMT(BPF_RET | BPF_K, 1);
    struct sock_fprog p = {1, &good};
    SHOW(attach(s, &good, 0));
    SHOW(attach(s, NULL, 1));
    SHOW(attach(s, &good, 5000));
    SHOW(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p - 1));
    SHOW(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p));
    SHOW(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, "four", 4));
    SHOW(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, "four", 4));
    close(s);
}

static void names(void)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET};
    socklen_t len = sizeof a;
    int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, 4};
    for (unsigned i = 0; i < NR(types); i++)
        SHOW(socket(AF_PACKET, types[i], 0));
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    say("%u: protocol %04x, index %d, hardware %d, address of %d", len, ntohs(a.sll_protocol),
        a.sll_ifindex, a.sll_hatype, a.sll_halen);
    SHOW(bind(s, (struct sockaddr *)&a, 12));
    SHOW(bind_to(s, 0, 999));
    SHOW(bind_to(s, 0, -1));
    a.sll_family = AF_INET;
    SHOW(bind(s, (struct sockaddr *)&a, sizeof a));
    SHOW(bind_to(s, 0, 1));
    SHOW(bind_to(s, EXPERIMENT, 1));
    len = sizeof a;
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    say("%u: protocol %04x, index %d, hardware %d, address of %d", len, ntohs(a.sll_protocol),
        a.sll_ifindex, a.sll_hatype, a.sll_halen);
    SHOW(getpeername(s, (struct sockaddr *)&a, &len));
    SHOW(connect(s, (struct sockaddr *)&a, sizeof a));
    SHOW(listen(s, 1));
    SHOW(accept(s, NULL, NULL));
    SHOW(shutdown(s, SHUT_RD));
    char byte;
    SHOW(recv(s, &byte, 1, MSG_DONTWAIT));
    SHOW(recv(s, &byte, 1, MSG_DONTWAIT | MSG_WAITALL));
    SHOW(recv(s, &byte, 1, MSG_DONTWAIT | MSG_OOB));
    SHOW(recv(s, &byte, 1, MSG_DONTWAIT | MSG_ERRQUEUE));
    say_ready("quiet", s);
    SHOW(get_opt(s, SOL_SOCKET, SO_TYPE));
    SHOW(get_opt(s, SOL_SOCKET, SO_DOMAIN));
    SHOW(ntohs((uint16_t)get_opt(s, SOL_SOCKET, SO_PROTOCOL)));
    close(s);
}

static void memberships(void)
{
    struct packet_mreq q = {.mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC};
    int s = open_packet(SOCK_RAW);
    SHOW(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof q - 1));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &q, sizeof q));
    q.mr_ifindex = 999;
    SHOW(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof q));
    q.mr_ifindex = 1;
    q.mr_alen = 8;
    SHOW(setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &q, sizeof q));
    SHOW(setsockopt(s, SOL_PACKET, 999, &q, sizeof q));
    SHOW(get_opt(s, SOL_PACKET, 999));
    close(s);
}

/* Frames of a protocol that nobody has. */
static void sending(void)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(EXPERIMENT),
                            .sll_ifindex = 1,
                            .sll_halen = 6,
                            .sll_addr = {2, 1, 1, 1, 1, 1}};
    unsigned char frame[64] = {
        2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, EXPERIMENT >> 8, EXPERIMENT & 0xff, 'r', 'a', 'w'};
    int raw = open_packet(SOCK_RAW), dgram = open_packet(SOCK_DGRAM), hears = open_packet(SOCK_RAW),
        all = open_packet(SOCK_RAW);
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, EXPERIMENT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 100),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    SHOW(attach(all, f, NR(f)));
    SHOW(bind_to(hears, EXPERIMENT, 1));
    SHOW(bind_to(all, ETH_P_ALL, 1));
    SHOW(send(raw, frame, 20, 0));
    SHOW(sendto(raw, frame, 20, 0, (struct sockaddr *)&a, 19));
    a.sll_ifindex = 999;
    SHOW(sendto(raw, frame, 20, 0, (struct sockaddr *)&a, sizeof a));
    a.sll_ifindex = 1;
    SHOW(sendto(raw, frame, 13, 0, (struct sockaddr *)&a, sizeof a));
    SHOW(sendto(raw, (void *)8, 20, 0, (struct sockaddr *)&a, sizeof a));
    SHOW(sendto(raw, frame, 17, 0, (struct sockaddr *)&a, sizeof a));
    show("of its protocol", hears, 0);
    show("of its protocol", hears, 0);
    show("all", all, 0);
    show("all", all, 0);
    show("all", all, 0);
    SHOW(sendto(dgram, "cooked", 6, 0, (struct sockaddr *)&a, sizeof a));
    show("of its protocol", hears, 0);
    show("all", all, 0);
    show("all", all, 0);
    /* The sender hears it come, but not go. */
    SHOW(send(all, frame, 17, 0));
    show("all", all, 0);
    show("all", all, 0);
    show("of its protocol", hears, 0);
    close(raw);
    close(dgram);
    close(hears);
    close(all);
}

static unsigned sum(const void *data, size_t n, unsigned s)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        s += (unsigned)(i & 1 ? p[i] : p[i] << 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

/* A packet of IPv6, made by hand, reaches its socket. */
static void by_hand(void)
{
    struct sockaddr_storage to, from;
    socklen_t len = sizeof from;
    unsigned char p[40 + 8 + 4] = {0x60};
    char buf[16] = "";
    int u = inet_bound(AF_INET6, SOCK_DGRAM, &to), s = open_packet(SOCK_DGRAM), port = port_of(&to);
    p[5] = 12;
    p[6] = IPPROTO_UDP;
    p[7] = 64;
    p[23] = p[39] = 1; /* ::1 to ::1 */
    p[40] = 0x30, p[41] = 0x39;
    p[42] = (unsigned char)(port >> 8), p[43] = (unsigned char)port;
    p[45] = 12;
    memcpy(p + 48, "hand", 4);
    unsigned check = ~sum(p + 8, sizeof p - 8, 12 + IPPROTO_UDP) & 0xffff;
    p[46] = (unsigned char)(check >> 8), p[47] = (unsigned char)check;
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(ETH_P_IPV6),
                            .sll_ifindex = 1,
                            .sll_halen = 6};
    SHOW(sendto(s, p, sizeof p, 0, (struct sockaddr *)&a, sizeof a));
    wait_readable(u);
    SHOW(recvfrom(u, buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
    say("\"%s\" from port %d", buf, port_of(&from));
    close(u);
    close(s);
}

static void rights(void)
{
    if (syscall(SYS_setresuid, -1, 65534, -1) < 0)
        return;
    SHOW(socket(AF_PACKET, SOCK_RAW, 0));
    SHOW(socket(AF_PACKET, SOCK_STREAM, 0));
    NEED(syscall(SYS_setresuid, -1, 0, -1) == 0);
}

int main(void)
{
    names();
    memberships();
    filters();
    capture();
    sending();
    by_hand();
    rights();
    return done();
}
