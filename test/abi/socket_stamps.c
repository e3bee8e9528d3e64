/* SO_TIMESTAMP, SO_TIMESTAMPNS and their successors for times of 64 bits: a socket has one of the four, each with a
 * structure of its own.  A C library hides some of this on i386, so the calls are made by hand. */
#include "inet_test.h"

static const int options[] = {29, 35, 63, 64};

static long set(int fd, int option, int value)
{
#ifdef __i386__
    long args[] = {fd, SOL_SOCKET, option, (long)&value, sizeof value};
    return syscall(SYS_socketcall, 14, args);
#else
    return syscall(SYS_setsockopt, fd, SOL_SOCKET, option, &value, sizeof value);
#endif
}

static int get(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
#ifdef __i386__
    long args[] = {fd, SOL_SOCKET, option, (long)&value, (long)&len};
    long ret = syscall(SYS_socketcall, 15, args);
#else
    long ret = syscall(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &len);
#endif
    return ret < 0 ? -errno : value;
}

static long receive(int fd, struct msghdr *m)
{
#ifdef __i386__
    long args[] = {fd, (long)m, 0};
    return syscall(SYS_socketcall, 17, args);
#else
    return syscall(SYS_recvmsg, fd, m, 0);
#endif
}

static void show_time(const struct cmsghdr *c)
{
    bool is_new = c->cmsg_type >= 63;
    int64_t when[2];
    if (is_new) {
        memcpy(when, CMSG_DATA(c), sizeof when);
    } else {
        long both[2];
        memcpy(both, CMSG_DATA(c), sizeof both);
        when[0] = both[0];
        when[1] = both[1];
    }
    bool is_ns = c->cmsg_type == 35 || c->cmsg_type == 64;
    time_t now = time(NULL);
    say(" type %d, %zu bytes", c->cmsg_type, (size_t)c->cmsg_len - CMSG_LEN(0));
    CHECK(when[0] <= now && when[0] >= now - 60);
    CHECK(when[1] >= 0 && when[1] < (is_ns ? 1000000000 : 1000000));
}

static void hear(int from, int to)
{
    char byte;
    union {
        struct cmsghdr align;
        char room[256];
    } control;
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    memset(&control, 0xee, sizeof control);
    NEED(write(from, "x", 1) == 1);
    NEED(receive(to, &m) == 1);
    say(" control %zu, flags %x", (size_t)m.msg_controllen, m.msg_flags);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        show_time(c);
}

/* NS_NEW is told as NEW, too. */
static void state(int fd)
{
    say(" options %d %d %d %d", get(fd, 29), get(fd, 35), get(fd, 63), get(fd, 64));
}

static void one(const char *what, int from, int to)
{
    say("%s", what);
    state(to);
    hear(from, to);
    for (size_t i = 0; i < NR(options); i++) {
        say("option %d: %ld", options[i], set(to, options[i], 5));
        state(to);
        hear(from, to);
    }
    set(to, options[0], 1); /* takes the place of the one before */
    state(to);
    say("63 is %d", get(to, 63));
    set(to, options[2], 1);
    say("63 is %d", get(to, 63));
    hear(from, to);
    set(to, options[1], 0); /* whichever it is */
    state(to);
    hear(from, to);
}

int main(void)
{
    struct sockaddr_storage a;
    int p[2], receiver = inet_bound(AF_INET, SOCK_DGRAM, &a),
              sender = socket(AF_INET, SOCK_DGRAM, 0);
    NEED(connect(sender, (struct sockaddr *)&a, sizeof(struct sockaddr_in)) == 0);
    one("udp", sender, receiver);
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0);
    one("datagrams of AF_UNIX", p[0], p[1]);
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) == 0);
    one("packets of AF_UNIX", p[0], p[1]);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    one("a stream", p[0], p[1]);
    return done();
}
