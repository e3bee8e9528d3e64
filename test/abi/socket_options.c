/* SOL_SOCKET, IP and TCP options on every kind of socket: set, told back, too short, too long, read only. */
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "socket_test.h"

static const struct option {
    const char *name;
    int level, number, value;
} options[] = {
#define S(name, value)                 \
    {                                  \
#name, SOL_SOCKET, name, value \
    }
    S(SO_REUSEADDR, 5),
    S(SO_TYPE, 1),
    S(SO_ERROR, 1),
    S(SO_DONTROUTE, 1),
    S(SO_BROADCAST, 1),
    S(SO_SNDBUF, 10000),
    S(SO_SNDBUF, 0),
    S(SO_RCVBUF, 10000),
    S(SO_KEEPALIVE, 1),
    S(SO_OOBINLINE, 1),
    S(SO_PRIORITY, 3),
    S(SO_REUSEPORT, 1),
    S(SO_PASSCRED, 1),
    S(SO_RCVLOWAT, 100),
    S(SO_RCVLOWAT, 0),
    S(SO_SNDLOWAT, 5),
    S(SO_TIMESTAMP, 1),
    S(SO_ACCEPTCONN, 1),
    S(SO_PROTOCOL, 1),
    S(SO_DOMAIN, 1),
    S(SO_MARK, 7),

#undef S
#define I(name, value)                 \
    {                                  \
#name, IPPROTO_IP, name, value \
    }
    I(IP_TOS, 0x10),
    I(IP_TTL, 10),
    I(IP_TTL, 0),
    I(IP_TTL, 256),
    I(IP_TTL, -1),
    I(IP_RECVTTL, 1),
    I(IP_MTU_DISCOVER, 2),
    I(IP_PKTINFO, 1),
    I(IP_MULTICAST_TTL, 5),
    I(IP_MULTICAST_LOOP, 0),

#undef I
#define T(name, value)                  \
    {                                   \
#name, IPPROTO_TCP, name, value \
    }
    T(TCP_NODELAY, 2),
    T(TCP_KEEPIDLE, 100),
    T(TCP_KEEPIDLE, 0),
    T(TCP_KEEPINTVL, 5),
    T(TCP_KEEPCNT, 3),
    T(TCP_KEEPCNT, 1000),
    T(TCP_CORK, 1),
#undef T
    {"an unknown one", SOL_SOCKET, 9999, 1},
    {"an unknown level", 77, 1, 1},
};

static void try(const char *what, int fd, const struct option *o)
{
    int value = o->value, got = -12345;
    socklen_t len = sizeof got;
    char set[64], told[64];

    errno = 0;
    int r = setsockopt(fd, o->level, o->number, &value, sizeof value);
    snprintf(set, sizeof set, "%s", r < 0 ? strerror(errno) : "good");
    r = getsockopt(fd, o->level, o->number, &got, &len);
    if (r < 0)
        snprintf(told, sizeof told, "%s", strerror(errno));
    else
        snprintf(told, sizeof told, "%d, length %u", got, len);
    say("%s, %s %d: %s; %s", what, o->name, o->value, set, told);
}

static void lengths(int fd)
{
    int value = 1;
    char one = 1;
    socklen_t len = 1;

    SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 3));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 0));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, -1));
    SHOW(setsockopt(fd, IPPROTO_IP, IP_TOS, &one, 1)); /* a byte will do */
    SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, 1));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
    say("a short answer: %u", len);
    len = 0;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
    len = (socklen_t)-1;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
    len = 4;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)8, &len));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, NULL));
    len = 100;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
    say("more room than needed: %u", len);
}

static void structures(int fd)
{
    struct linger l = {1, 5}, got_l = {0};
    struct timeval t = {3, 700000}, got_t = {0};
    socklen_t len = sizeof got_l;

    SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got_l, &len));
    say("linger %d %d, length %u", got_l.l_onoff, got_l.l_linger, len);
    len = sizeof got_t;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got_t, &len));
    say("timeout %ld %ld", (long)got_t.tv_sec, (long)got_t.tv_usec / 10000);
    t.tv_usec = 1000000;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    t = (struct timeval){-1, 0};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &got_t, &len));
    say("a negative one is none: %ld %ld", (long)got_t.tv_sec, (long)got_t.tv_usec);
    SHOW(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, 4));
}

int main(void)
{
    static const struct {
        const char *name;
        int family, type;
    } kinds[] = {{"tcp", AF_INET, SOCK_STREAM},
                 {"udp", AF_INET, SOCK_DGRAM},
                 {"stream", AF_UNIX, SOCK_STREAM},
                 {"dgram", AF_UNIX, SOCK_DGRAM}};

    for (size_t k = 0; k < NR(kinds); k++) {
        int fd = socket(kinds[k].family, kinds[k].type, 0);
        NEED(fd >= 0);
        for (size_t i = 0; i < NR(options); i++)
            try(kinds[k].name, fd, &options[i]);
        close(fd);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    lengths(fd);
    structures(fd);
    close(fd);
    return done();
}
