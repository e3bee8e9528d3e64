/* SO_BINDTODEVICE and SO_BINDTOIFINDEX, SO_RXQ_OVFL, SO_PEEK_OFF of TCP and UDP, TCP_USER_TIMEOUT. */
#include "inet_test.h"

#include <net/if.h>
#include <sys/syscall.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif
#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL 40
#endif

static int family;

static void told(const char *what, int fd, socklen_t room)
{
    char name[32] = "????????????";
    socklen_t len = room;
    int r = getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len);
    say("%s: %s, length %u, \"%s\", index %d", what, r < 0 ? strerror(errno) : "good", len,
        r == 0 && len ? name : "", get_opt(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
}

static void names(int type)
{
    static const char longer[] = "a name that is too long for any";
    int s = socket(family, type, 0);
    told("fresh", s, 16);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nosuch0", 7));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, longer, sizeof longer));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, NULL, 3));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", -1));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    told("bound", s, 16);
    told("little room", s, 15);
    told("no room", s, 0);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 1));
    told("unbound", s, 16);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo\0garbage", 10));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    SHOW(set_opt(s, SOL_SOCKET, SO_BINDTOIFINDEX, -1));
    SHOW(set_opt(s, SOL_SOCKET, SO_BINDTOIFINDEX, 4000));
    told("an index that is none", s, 16);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, "x", 1));
    SHOW(set_opt(s, SOL_SOCKET, SO_BINDTOIFINDEX, 1));
    told("by index", s, 16);
    SHOW(set_opt(s, SOL_SOCKET, SO_BINDTOIFINDEX, 0));
    close(s);
}

/* Who may not: only for the first time. */
static void rights(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (syscall(SYS_setresuid, -1, 65534, -1) < 0)
        return;
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nosuch0", 7));
    SHOW(set_opt(s, SOL_SOCKET, SO_BINDTOIFINDEX, -1));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    NEED(syscall(SYS_setresuid, -1, 0, -1) == 0);
    close(s);
}

static void traffic(void)
{
    struct sockaddr_storage a;
    char buf[16];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0);
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(setsockopt(c, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(sendto(c, "by lo", 5, 0, (struct sockaddr *)&a, addr_len(family)));
    SHOW(recv(s, buf, 16, MSG_DONTWAIT));
    close(s);
    close(c);
    int l = tcp_listener(family, &a, 1), t = socket(family, SOCK_STREAM, 0);
    SHOW(setsockopt(l, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(setsockopt(t, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
    SHOW(connect(t, (struct sockaddr *)&a, addr_len(family)));
    int e = accept(l, NULL, NULL);
    told("inherited", e, 16);
    SHOW(send(t, "by lo", 5, 0));
    SHOW(recv(e, buf, 16, 0));
    close(e);
    close(t);
    close(l);
}

/* Datagrams that found no room are told of with the next one that did. */
static void overflow(void)
{
    struct sockaddr_storage a;
    static char data[2000];
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0), sent = 0,
        got = 0;
    say("%d", get_opt(s, SOL_SOCKET, SO_RXQ_OVFL));
    SHOW(set_opt(s, SOL_SOCKET, SO_RXQ_OVFL, 2));
    say("%d", get_opt(s, SOL_SOCKET, SO_RXQ_OVFL));
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUF, 8000));
    for (; sent < 60; sent++)
        CHECK(sendto(c, data, sizeof data, 0, (struct sockaddr *)&a, addr_len(family)) == 2000);
    while (recv(s, data, sizeof data, MSG_DONTWAIT) >= 0)
        got++;
    CHECK(got > 1 && got < 30);
    SHOW(sendto(c, "after", 5, 0, (struct sockaddr *)&a, addr_len(family)));
    char control[64];
    struct iovec iov = {data, sizeof data};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 64};
    SHOW(recvmsg(s, &m, MSG_DONTWAIT));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    NEED(h);
    unsigned drops;
    memcpy(&drops, CMSG_DATA(h), sizeof drops);
    say("level %d, type %d, the rest was lost: %d", h->cmsg_level, h->cmsg_type,
        drops == (unsigned)(sent - got));
    close(s);
    close(c);
}

static void peek(int fd, size_t room, int flags)
{
    char buf[32] = "";
    long n = recv(fd, buf, room, flags | MSG_DONTWAIT);
    if (n < 0)
        say("%s: %s, at %d", flags & MSG_PEEK ? "peek" : "read", strerror(errno),
            get_opt(fd, SOL_SOCKET, SO_PEEK_OFF));
    else
        say("%s: %ld \"%s\", at %d", flags & MSG_PEEK ? "peek" : "read", n, buf,
            get_opt(fd, SOL_SOCKET, SO_PEEK_OFF));
}

static void peeks(int fd)
{
    say("at %d", get_opt(fd, SOL_SOCKET, SO_PEEK_OFF));
    peek(fd, 3, MSG_PEEK);
    SHOW(set_opt(fd, SOL_SOCKET, SO_PEEK_OFF, 0));
    peek(fd, 3, MSG_PEEK);
    peek(fd, 3, MSG_PEEK);
    peek(fd, 20, MSG_PEEK);
    peek(fd, 20, MSG_PEEK);
    peek(fd, 20, MSG_PEEK);
    peek(fd, 20, MSG_PEEK);
    peek(fd, 2, 0);
    peek(fd, 4, MSG_PEEK);
    SHOW(set_opt(fd, SOL_SOCKET, SO_PEEK_OFF, 1));
    peek(fd, 4, MSG_PEEK);
    peek(fd, 4, MSG_PEEK | MSG_TRUNC);
    peek(fd, 4, MSG_PEEK | MSG_TRUNC);
    peek(fd, 20, 0);
    peek(fd, 20, 0);
    peek(fd, 20, 0);
    peek(fd, 20, MSG_PEEK);
    SHOW(set_opt(fd, SOL_SOCKET, SO_PEEK_OFF, -1));
    SHOW(set_opt(fd, SOL_SOCKET, SO_PEEK_OFF, -2));
}

static void peek_offsets(void)
{
    struct sockaddr_storage a;
    int s = inet_bound(family, SOCK_DGRAM, &a), c = socket(family, SOCK_DGRAM, 0),
        raw = socket(family, SOCK_RAW, IPPROTO_UDP);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    CHECK(send(c, "first!", 6, 0) == 6 && send(c, "", 0, 0) == 0 && send(c, "second", 6, 0) == 6);
    peeks(s);
    if (raw >= 0) {
        SHOW(set_opt(raw, SOL_SOCKET, SO_PEEK_OFF, 0));
        say("raw: %s", strerror(-get_opt(raw, SOL_SOCKET, SO_PEEK_OFF)));
    }
    close(raw);
    close(s);
    close(c);
    int l = tcp_listener(family, &a, 1), t = socket(family, SOCK_STREAM, 0);
    NEED(connect(t, (struct sockaddr *)&a, addr_len(family)) == 0);
    int e = accept(l, NULL, NULL);
    CHECK(send(t, "first!second", 12, 0) == 12);
    wait_readable(e);
    peeks(e);
    close(e);
    close(t);
    close(l);
}

/* A peer that never reads. */
static void user_timeout(void)
{
    static char bytes[65536];
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, 1), c = socket(family, SOCK_STREAM, 0), value = 1500;
    SHOW(get_opt(c, IPPROTO_TCP, TCP_USER_TIMEOUT));
    SHOW(set_opt(c, IPPROTO_TCP, TCP_USER_TIMEOUT, -1));
    SHOW(setsockopt(c, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, 3));
    SHOW(set_opt(c, IPPROTO_TCP, TCP_USER_TIMEOUT, value));
    SHOW(get_opt(c, IPPROTO_TCP, TCP_USER_TIMEOUT));
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    int s = accept(l, NULL, NULL);
    CHECK(send(c, "x", 1, 0) == 1 && recv(s, bytes, 1, 0) == 1);
    usleep(2500000); /* nothing is on its way, and nothing happens */
    say_ready("idle", c);
    long start = now_ms(), n;
    while ((n = send(c, bytes, sizeof bytes, 0)) > 0)
        ;
    say("then: %s", n < 0 ? strerror(errno) : "good");
    CHECK(now_ms() - start >= 1400);
    say_ready("over", c);
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    close(s);
    close(c);
    close(l);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
    for (unsigned i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        names(SOCK_STREAM);
        names(SOCK_DGRAM);
        if (family == AF_UNIX)
            break;
        traffic();
        overflow();
        peek_offsets();
    }
    rights();
    family = AF_INET;
    user_timeout();
    return done();
}
