/* Options of SOL_SOCKET on AF_UNIX sockets. */
#include "socket_test.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif

static void facts(int type)
{
    int s = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    NEED(s >= 0);
    say("type %d domain %d protocol %d error %d accepts %d", get_opt(s, SOL_SOCKET, SO_TYPE),
        get_opt(s, SOL_SOCKET, SO_DOMAIN), get_opt(s, SOL_SOCKET, SO_PROTOCOL),
        get_opt(s, SOL_SOCKET, SO_ERROR), get_opt(s, SOL_SOCKET, SO_ACCEPTCONN));
    static const int read_only[] = {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN};
    for (unsigned i = 0; i < NR(read_only); i++)
        SHOW(set_opt(s, SOL_SOCKET, read_only[i], 1));
    close(s);
}

static void flags(void)
{
    static const int names[] = {SO_DEBUG,     SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST,
                                SO_KEEPALIVE, SO_OOBINLINE, SO_PASSCRED,  SO_TIMESTAMP};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    for (unsigned i = 0; i < NR(names); i++) {
        int before = get_opt(s, SOL_SOCKET, names[i]);
        int ret = set_opt(s, SOL_SOCKET, names[i], 5) < 0 ? -errno : 0;
        say("%d: %d, set %d, %d", names[i], before, ret, get_opt(s, SOL_SOCKET, names[i]));
    }
    close(s);
}

static void buffers(void)
{
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    static const int values[] = {0, 1, 5000, 100000, 212992};
    say("%d %d", get_opt(s, SOL_SOCKET, SO_SNDBUF), get_opt(s, SOL_SOCKET, SO_RCVBUF));
    for (unsigned i = 0; i < NR(values); i++) {
        SHOW(set_opt(s, SOL_SOCKET, SO_SNDBUF, values[i]));
        SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUF, values[i]));
        say("%d: %d %d", values[i], get_opt(s, SOL_SOCKET, SO_SNDBUF),
            get_opt(s, SOL_SOCKET, SO_RCVBUF));
    }
    SHOW(set_opt(s, SOL_SOCKET, SO_SNDBUFFORCE, 1000000));
    say("%d", get_opt(s, SOL_SOCKET, SO_SNDBUF));
    say("%d %d", get_opt(s, SOL_SOCKET, SO_RCVLOWAT), get_opt(s, SOL_SOCKET, SO_SNDLOWAT));
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVLOWAT, 0));
    say("%d", get_opt(s, SOL_SOCKET, SO_RCVLOWAT));
    SHOW(set_opt(s, SOL_SOCKET, SO_SNDLOWAT, 2));
    SHOW(set_opt(s, SOL_SOCKET, SO_PRIORITY, 3));
    say("%d", get_opt(s, SOL_SOCKET, SO_PRIORITY));
    int p[2], n = 0;
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0);
    SHOW(set_opt(p[0], SOL_SOCKET, SO_SNDBUF, 0));
    while (write(p[0], "x", 1) == 1)
        n++;
    say("the smallest buffer takes %d", n);
    SHOW(set_opt(p[0], SOL_SOCKET, SO_SNDBUF, 10000));
    SHOW(write(p[0], "x", 1));
    close(p[0]);
    close(p[1]);
    close(s);
}

static void times(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    struct timeval tv = {3, 500000}, got;
    socklen_t len = sizeof got;
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    say("%ld.%06ld, length %u", (long)got.tv_sec, (long)got.tv_usec, len);
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    say("%ld.%06ld, length %u", (long)got.tv_sec, (long)got.tv_usec, len);
    tv.tv_usec = 1000000;
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    tv.tv_usec = -1;
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    tv.tv_usec = 0;
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, 8));
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, 2));
    SHOW(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, (void *)8, 16));
    len = 5;
    SHOW(getsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &got, &len));
    say("length %u", len);
    struct linger l = {1, 7}, ml;
    len = sizeof ml;
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    SHOW(getsockopt(s, SOL_SOCKET, SO_LINGER, &ml, &len));
    say("linger %d %d", ml.l_onoff, ml.l_linger);
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, 4));
    close(s);

    int p[2];
    char buf[4];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    tv = (struct timeval){0, 50000};
    SHOW(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    long start = now_ms();
    SHOW(read(p[0], buf, 4));
    CHECK(now_ms() - start >= 49);
    NEED(write(p[1], "ab", 2) == 2);
    start = now_ms();
    SHOW(recv(p[0], buf, 4, MSG_WAITALL));
    CHECK(now_ms() - start >= 49);
    SHOW(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    static char big[1 << 20];
    start = now_ms();
    long n = write(p[0], big, sizeof big);
    CHECK(n > 100000 && n < 300000);
    CHECK(now_ms() - start >= 49);
    SHOW(write(p[0], big, 1));
    close(p[0]);
    close(p[1]);
}

static void wrong(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), value = 1, file = open("/dev/null", O_RDONLY);
    socklen_t len = sizeof value;
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, 3));
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, (socklen_t)-1));
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4));
    SHOW(setsockopt(s, SOL_SOCKET, 9999, &value, 4));
    SHOW(getsockopt(s, SOL_SOCKET, 9999, &value, &len));
    SHOW(setsockopt(s, 6, 1, &value, 4));
    SHOW(getsockopt(s, 6, 1, &value, &len));
    SHOW(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &value, 4));
    SHOW(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, (socklen_t)-1));
    SHOW(getsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &value, &len));
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, (void *)8));
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, (void *)8, &len));
    len = (socklen_t)-1;
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len));
    len = 2;
    value = 0x7f7f7f7f;
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len));
    say("%x, length %u", value, len);
    close(s);
    close(file);
    SHOW(socket(0, SOCK_STREAM, 0));
    SHOW(socket(-1, SOCK_STREAM, 0));
    SHOW(socket(9999, SOCK_STREAM, 0));
    SHOW(socket(AF_UNIX, 0, 0));
    SHOW(socket(AF_UNIX, 4, 0));
    SHOW(socket(AF_UNIX, 11, 0));
    SHOW(socket(AF_UNIX, -1, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM | 0x1000, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 2));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 1) >= 0);
    SHOW(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
    SHOW(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | 0x1000, 0, 8));
}

static void peeking(void)
{
    int p[2];
    char buf[16] = "";
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
    say("%d", get_opt(p[1], SOL_SOCKET, SO_PEEK_OFF));
    SHOW(set_opt(p[1], SOL_SOCKET, SO_PEEK_OFF, 0));
    NEED(write(p[0], "abcd", 4) == 4 && write(p[0], "efgh", 4) == 4);
    SHOW(recv(p[1], buf, 3, MSG_PEEK));
    say("%.3s %d", buf, get_opt(p[1], SOL_SOCKET, SO_PEEK_OFF));
    SHOW(recv(p[1], buf, 3, MSG_PEEK));
    say("%.3s %d", buf, get_opt(p[1], SOL_SOCKET, SO_PEEK_OFF));
    SHOW(recv(p[1], buf, 5, 0));
    say("%.5s %d", buf, get_opt(p[1], SOL_SOCKET, SO_PEEK_OFF));
    SHOW(recv(p[1], buf, 9, MSG_PEEK));
    SHOW(recv(p[1], buf, 9, MSG_PEEK | MSG_DONTWAIT));
    SHOW(set_opt(p[1], SOL_SOCKET, SO_PEEK_OFF, -1));
    SHOW(recv(p[1], buf, 9, MSG_PEEK));
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    facts(SOCK_STREAM);
    facts(SOCK_DGRAM);
    facts(SOCK_SEQPACKET);
    flags();
    buffers();
    times();
    wrong();
    peeking();
    return done();
}
