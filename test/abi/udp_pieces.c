/* Datagrams in pieces: MSG_MORE and UDP_CORK; and the order of what is wrong with one. */
#include "inet_test.h"

#define SOL_UDP  17
#define UDP_CORK 1
#define MOST     65507

static int family;
static socklen_t addr_size;
static int sender, receiver;
static struct sockaddr_storage target, closed;
static char bytes[70000];

static void begin(bool connects)
{
    receiver = inet_bound(family, SOCK_DGRAM, &target);
    sender = inet_bound(family, SOCK_DGRAM, &closed); /* an address where nobody is, soon */
    close(sender);
    sender = socket(family, SOCK_DGRAM, 0);
    NEED(sender >= 0);
    if (connects)
        NEED(connect(sender, (struct sockaddr *)&target, addr_size) == 0);
}

static void end(void)
{
    close(sender);
    close(receiver);
}

static long put(const char *text, int flags)
{
    return send(sender, text, strlen(text), flags);
}

static long put_to(const char *text, int flags, const struct sockaddr_storage *to)
{
    return sendto(sender, text, strlen(text), flags, (const struct sockaddr *)to, addr_size);
}

/* All that has come.  Over the loopback interface it is there when send(2) returns, but for a busy machine. */
static void hear(void)
{
    struct pollfd p = {.fd = receiver, .events = POLLIN};
    ssize_t n;
    poll(&p, 1, 20);
    while ((n = recv(receiver, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0)
        say(" %zd bytes: %.*s", n, (int)(n < 20 ? n : 20), bytes);
    CHECK(errno == EAGAIN);
}

static void more(void)
{
    begin(true);
    SHOW(put("abc", MSG_MORE));
    SHOW(put("def", MSG_MORE));
    hear();
    SHOW(put("ghi", 0));
    hear();
    SHOW(put("", MSG_MORE));
    SHOW(put("a", MSG_MORE));
    SHOW(put("", 0));
    hear();
    SHOW(put("", MSG_MORE));
    SHOW(put("", 0));
    hear();
    end();
}

static void cork(void)
{
    begin(true);
    say("corked %d", get_opt(sender, SOL_UDP, UDP_CORK));
    SHOW(set_opt(sender, SOL_UDP, UDP_CORK, 7));
    say("corked %d", get_opt(sender, SOL_UDP, UDP_CORK));
    SHOW(setsockopt(sender, SOL_UDP, UDP_CORK, "", 1));
    SHOW(put("abc", 0));
    SHOW(put("def", 0));
    hear();
    SHOW(set_opt(sender, SOL_UDP, UDP_CORK, 0));
    hear();
    SHOW(set_opt(sender, SOL_UDP, UDP_CORK, 0));
    SHOW(put("x", 0));
    hear();
    end();
    int tcp = socket(family, SOCK_STREAM, 0);
    SHOW(set_opt(tcp, SOL_UDP, UDP_CORK, 1));
    close(tcp);
}

/* The first piece says where all go, and the second needs no address. */
static void destination(void)
{
    begin(false);
    SHOW(put_to("abc", MSG_MORE, &target));
    SHOW(put_to("def", MSG_MORE, &closed));
    SHOW(put("ghi", 0));
    hear();
    SHOW(put("jkl", 0));
    SHOW(put_to("mno", MSG_MORE, &target));
    end(); /* what was held back is lost */
}

/* What goes wrong costs all pieces. */
static void too_much(void)
{
    begin(true);
    memset(bytes, 'b', sizeof bytes);
    SHOW(send(sender, bytes, MOST - 7, MSG_MORE));
    SHOW(put("1234567", 0));
    hear();
    memset(bytes, 'b', sizeof bytes);
    SHOW(send(sender, bytes, MOST - 7, MSG_MORE));
    SHOW(put("12345678", 0));
    SHOW(put("c", 0));
    hear();
    SHOW(put("d", MSG_MORE));
    SHOW(send(sender, (void *)8, 10, 0));
    SHOW(put("e", 0));
    hear();
    end();
}

static void many(void)
{
    begin(true);
    for (int i = 0; i < 3000; i++)
        NEED(send(sender, &"0123456789"[i % 10], 1, MSG_MORE) == 1);
    SHOW(put("!", 0));
    wait_readable(receiver);
    SHOW(recv(receiver, bytes, sizeof bytes, MSG_DONTWAIT));
    for (int i = 0; i < 3000; i++)
        NEED(bytes[i] == '0' + i % 10);
    say("ends with %c", bytes[3000]);
    end();
}

/* Very small ones, whose number is not what they cost. */
static void crumbs(void)
{
    enum { CRUMBS = 20000 };
    static char in[CRUMBS + 1];
    int l = inet_bound(family, SOCK_DGRAM, &target), s = socket(family, SOCK_DGRAM, 0);
    NEED(connect(s, (struct sockaddr *)&target, addr_size) == 0);
    unsigned nr_wrong = 0;
    for (unsigned i = 0; i < CRUMBS; i++) {
        char c = (char)(i * 7);
        nr_wrong += send(s, &c, 1, i + 1 < CRUMBS ? MSG_MORE : 0) != 1;
    }
    wait_readable(l);
    SHOW(recv(l, in, sizeof in, 0));
    for (unsigned i = 0; i < CRUMBS; i++)
        nr_wrong += in[i] != (char)(i * 7);
    SHOW(nr_wrong);
    close(s);
    close(l);
}

/* The kernel's own flag for messages of i386, which others may not use. */
static void flag_of_i386(void)
{
    struct iovec v = {"abc", 3};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    int compat = (int)0x80000000u;
    SHOW(syscall(SYS_sendmsg, -1, &m.msg_hdr, compat));
    begin(true);
    SHOW(syscall(SYS_sendmsg, sender, &m.msg_hdr, compat));
    SHOW(syscall(SYS_sendmmsg, sender, &m, 1, compat));
    SHOW(send(sender, "def", 3, compat));
    v.iov_base = bytes;
    SHOW(syscall(SYS_recvmsg, receiver, &m.msg_hdr, compat | MSG_DONTWAIT));
    SHOW(syscall(SYS_recvmmsg, receiver, &m, 1, compat | MSG_DONTWAIT, NULL));
    hear();
    end();
}

static void probe(void)
{
    begin(true);
    SHOW(put("abc", MSG_PROXY)); /* MSG_PROBE, in newer headers */
    hear();
    SHOW(put("abc", 0));
    hear();
    end();
}

/* The error of an earlier datagram comes after what is wrong with this one. */
static void order_of_errors(void)
{
    begin(false);
    int one = 1, level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    struct mmsghdr m = {.msg_hdr.msg_iovlen = 0};
    NEED(setsockopt(sender, level, family == AF_INET ? IP_RECVERR : IPV6_RECVERR, &one,
                    sizeof one) == 0);
    SHOW(put_to("x", 0, &closed));
    say_ready("refused", sender);
    SHOW(put("x", 0));
    SHOW(syscall(SYS_recvmmsg, sender, &m, 1, MSG_ERRQUEUE | MSG_DONTWAIT, NULL));
    SHOW(syscall(SYS_recvmmsg, sender, &m, 1, MSG_ERRQUEUE | MSG_DONTWAIT, NULL));
    SHOW(syscall(SYS_recvmmsg, sender, &m, 1, MSG_DONTWAIT, NULL));
    SHOW(put_to("x", 0, &closed));
    SHOW(put_to("x", 0, &target));
    SHOW(put_to("x", 0, &target));
    hear();
    end();
}

/* SO_PEEK_OFF: the end of a datagram is less than the datagram. */
static void peeks(void)
{
    begin(true);
    NEED(set_opt(receiver, SOL_SOCKET, SO_PEEK_OFF, 0) == 0);
    SHOW(put("0123456789", 0));
    for (int i = 0; i < 2; i++) {
        static const size_t rooms[2][3] = {{6, 4, 4}, {6, 5, 4}};
        set_opt(receiver, SOL_SOCKET, SO_PEEK_OFF, 0);
        for (int k = 0; k < 3; k++) {
            struct iovec v = {bytes, rooms[i][k]};
            struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
            ssize_t n = recvmsg(receiver, &m, MSG_PEEK | MSG_DONTWAIT);
            say(" room %zu: %zd, flags %x", rooms[i][k], n, n < 0 ? 0 : m.msg_flags);
        }
    }
    end();
}

/* Control data of AF_UNIX means nothing here, but what SOL_SOCKET does not know at all is refused. */
static void control(int type)
{
    static const struct {
        int type;
        size_t len;
    } items[] = {{SCM_RIGHTS, 4}, {SCM_RIGHTS, 1}, {2, 4}, {2, 12}, {99, 4}};
    int l = inet_bound(family, type, &target), s = socket(family, type, 0);
    if (type == SOCK_STREAM)
        NEED(listen(l, 1) == 0);
    NEED(connect(s, (struct sockaddr *)&target, addr_size) == 0);
    for (size_t i = 0; i < NR(items); i++) {
        union {
            struct cmsghdr head;
            char room[64];
        } c = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = items[i].type}};
        struct iovec v = {"x", 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c};
        memset(CMSG_DATA(&c.head), 0xff, 32);
        c.head.cmsg_len = CMSG_LEN(items[i].len);
        m.msg_controllen = CMSG_SPACE(items[i].len);
        ssize_t n = sendmsg(s, &m, 0);
        say(" item %d of %zu bytes: %s", items[i].type, items[i].len,
            n < 0 ? strerror(errno) : "sent");
    }
    close(s);
    close(l);
}

/* Some are too long by themselves, which leaves the pieces before them where they are; others with what goes before. */
static void too_long(bool has_pieces)
{
    static const size_t lengths[] = {MOST + 1, 65535, 65536, 70000};
    for (size_t i = family == AF_INET ? 0 : 2; i < NR(lengths); i++) {
        begin(true);
        if (has_pieces)
            NEED(put("abc", MSG_MORE) == 3);
        long n = send(sender, bytes, lengths[i], 0);
        say("%zu bytes: %s", lengths[i], n < 0 ? strerror(errno) : "sent");
        SHOW(put("z", 0));
        hear();
        end();
    }
}

/* What is told first of several things that are wrong. */
static void wrong_twice(bool connects, bool shuts, bool has_pieces)
{
    static const struct {
        size_t n;
        int flags;
        bool is_bad;
    } cases[] = {{3, 0, false},       {3, 0, true},      {3, MSG_OOB, false}, {MOST + 1, 0, false},
                 {MOST + 1, 0, true}, {70000, 0, false}, {3, MSG_MORE, false}};
    say("connected %d, shut %d, pieces %d", connects, shuts, has_pieces);
    for (size_t i = 0; i < NR(cases); i++) {
        if (family == AF_INET6 && cases[i].n == MOST + 1)
            continue; /* too much for IPv4 alone */
        begin(connects);
        if (has_pieces)
            NEED(put_to("abc", MSG_MORE, &target) == 3);
        if (shuts)
            shutdown(sender, SHUT_WR);
        long n = send(sender, cases[i].is_bad ? (char *)8 : bytes, cases[i].n,
                      cases[i].flags | MSG_NOSIGNAL);
        say(" %zu bytes, flags %x, bad %d: %s", cases[i].n, cases[i].flags, cases[i].is_bad,
            n < 0 ? strerror(errno) : "sent");
        set_opt(sender, SOL_UDP, UDP_CORK, 0);
        hear();
        end();
    }
}

/* What becomes of the socket meanwhile does not matter to the pieces. */
static void meanwhile(void)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_storage any;
    loopback(family, &any, 0);
    begin(false);
    SHOW(put_to("a", MSG_MORE, &target));
    say("has a port: %d", local_port(sender) != 0);
    SHOW(bind(sender, (struct sockaddr *)&any, addr_size));
    if (family == AF_INET6) /* Linux's IPv4 forgets the pieces' address over this */
        SHOW(connect(sender, (struct sockaddr *)&closed, addr_size));
    SHOW(put("b", MSG_MORE));
    if (family == AF_INET6)
        SHOW(connect(sender, &none, sizeof none));
    SHOW(put("c", MSG_MORE));
    SHOW(setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    SHOW(put_to("d", MSG_MORE, &closed));
    if (family == AF_INET6)
        SHOW(set_opt(sender, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    SHOW(put("e", 0));
    hear();
    SHOW(put("f", 0));
    SHOW(put_to("g", MSG_MORE, &target));
    SHOW(shutdown(sender, SHUT_RDWR));
    hear();
    SHOW(put("h", MSG_MORE));
    SHOW(set_opt(sender, SOL_UDP, UDP_CORK, 0));
    hear();
    end();
}

/* Addresses that are none. */
static void addresses(bool has_pieces)
{
    static const int families_[] = {AF_UNSPEC, AF_INET, AF_INET6, 77};
    static const socklen_t sizes[] = {0, 1, 2, 15, 16, 24, 28, 128};
    for (int connects = 0; connects < 2; connects++) {
        for (size_t i = 0; i < NR(families_); i++) {
            for (size_t k = 0; k < NR(sizes); k++) {
                struct sockaddr_storage a;
                begin(connects);
                a = target;
                a.ss_family = (sa_family_t)families_[i];
                if (has_pieces)
                    put_to("abc", MSG_MORE, &target);
                long n = sendto(sender, "x", 1, 0, (struct sockaddr *)&a, sizes[k]);
                say(" connected %d, family %d, %u bytes: %s", connects, families_[i], sizes[k],
                    n < 0 ? strerror(errno) : "sent");
                hear();
                end();
            }
        }
    }
}

enum { TURNS = 300 };

static void *in_turn(void *arg)
{
    for (unsigned i = 0; i < TURNS; i++) {
        unsigned word = (unsigned)(uintptr_t)arg << 16 | i;
        ssize_t n;
        do /* Linux says so to a thread that would begin a datagram while the other does */
            n = send(sender, &word, sizeof word, i % 5 ? MSG_MORE : 0);
        while (n < 0 && errno == EINVAL);
        NEED(n == sizeof word);
    }
    return NULL;
}

/* Two threads: each piece is whole, and each thread's are in order. */
static void together(void)
{
    pthread_t threads[2];
    unsigned words[2 * TURNS], next[2] = {0, 0};
    begin(true);
    for (uintptr_t i = 0; i < 2; i++)
        NEED(pthread_create(&threads[i], NULL, in_turn, (void *)i) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    set_opt(sender, SOL_UDP, UDP_CORK, 0);
    NEED(put("", 0) == 0); /* the end */
    ssize_t n;
    while (wait_readable(receiver), (n = recv(receiver, words, sizeof words, 0)) > 0) {
        CHECK(n % sizeof *words == 0);
        for (size_t i = 0; i < (size_t)n / sizeof *words; i++) {
            NEED(words[i] >> 16 < 2);
            CHECK((words[i] & 0xffff) == next[words[i] >> 16]++);
        }
    }
    say("of each thread %u and %u pieces", next[0], next[1]);
    end();
}

/* Many lengths, most of them odd: the bytes are the same, and so are the sums that the receiver checks. */
static void odd(void)
{
    static char sent[9000], got[9000];
    begin(true);
    for (unsigned step = 1; step < 900; step += step < 20 ? 1 : 97) {
        size_t n = 0;
        for (unsigned i = 0; n < sizeof sent - step && i < 700; i++, n += step) {
            for (unsigned k = 0; k < step; k++)
                sent[n + k] = (char)((n + k) * step + (n + k) / 256);
            NEED(send(sender, sent + n, step, MSG_MORE) == (ssize_t)step);
        }
        NEED(send(sender, "", 0, 0) == 0);
        wait_readable(receiver);
        NEED(recv(receiver, got, sizeof got, MSG_DONTWAIT) == (ssize_t)n);
        CHECK(!memcmp(sent, got, n));
    }
    end();
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < NR(families); i++) {
        family = families[i];
        addr_size = addr_len(family);
        say("family %d", family);
        more();
        cork();
        destination();
        if (family == AF_INET) /* an IPv6 datagram may be 20 bytes shorter here */
            too_much();
        many();
        crumbs();
        odd();
        too_long(false);
        too_long(true);
        for (int k = 0; k < 8; k++)
            wrong_twice(k & 1, k & 2, k & 4);
        meanwhile();
        addresses(false);
        if (family == AF_INET) /* which does not look at them any more */
            addresses(true);
        together();
        flag_of_i386();
        probe();
        order_of_errors();
        peeks();
        control(SOCK_DGRAM);
        control(SOCK_STREAM);
    }
    return done();
}
