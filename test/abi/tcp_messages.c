/* TCP's data in every way that calls carry it: scattered, many at once, peeked at, thrown away, from and to files. */
#include <linux/sockios.h>
#include <sys/sendfile.h>

#include "inet_test.h"

static int family, c, s; /* both ends of a connection */

static void connected(void)
{
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, 1);
    c = socket(family, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    s = accept(l, NULL, NULL);
    NEED(s >= 0);
    close(l);
}

static void over(void)
{
    close(c);
    close(s);
}

/* Until so many bytes have come. */
static void arrived(int fd, int bytes)
{
    int n = 0;
    for (int i = 0; i < 10000 && n < bytes; i++) {
        NEED(ioctl(fd, FIONREAD, &n) == 0);
        sleep_ms(1);
    }
    CHECK(n == bytes);
}

static void scattered(void)
{
    char a[3] = "", b[4] = "";
    struct sockaddr_storage name;
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"two", 3}}, in[2] = {{a, 2}, {b, 4}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};

    connected();
    SHOW(sendmsg(c, &m, 0));
    arrived(s, 6);
    memset(&name, 7, sizeof name);
    m = (struct msghdr){
        .msg_iov = in, .msg_iovlen = 2, .msg_name = &name, .msg_namelen = sizeof name};
    SHOW(recvmsg(s, &m, 0));
    say("%.2s|%.4s, flags %#x, name %u, control %zu", a, b, m.msg_flags, m.msg_namelen,
        (size_t)m.msg_controllen);
    /* Who it is for is known already. */
    loopback(family, &name, 1);
    m = (struct msghdr){
        .msg_iov = out, .msg_iovlen = 1, .msg_name = &name, .msg_namelen = addr_len(family)};
    SHOW(sendmsg(c, &m, 0));
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)&name, addr_len(family)));
    SHOW(sendto(c, "x", 1, 0, (struct sockaddr *)8, addr_len(family)));
    SHOW(writev(c, out, 3));
    arrived(s, 10);
    SHOW(readv(s, in, 2));
    say("%.2s|%.4s", a, b);
    m = (struct msghdr){.msg_iov = (void *)8, .msg_iovlen = 1};
    SHOW(sendmsg(c, &m, 0));
    SHOW(recvmsg(s, &m, 0));
    m = (struct msghdr){.msg_iov = out, .msg_iovlen = 1025};
    SHOW(sendmsg(c, &m, 0));
    SHOW(recv(s, (void *)8, 4, 0));
    SHOW(send(c, (void *)8, 4, 0));
    SHOW(send(c, "", 0, 0));
    SHOW(recv(s, a, 0, 0));
    over();
}

static void many(void)
{
    char text[4][8] = {""};
    struct iovec out[3] = {{"first", 5}, {"second", 6}, {"third", 5}}, in[4];
    struct mmsghdr to[3] = {{{0}, 0}}, from[4] = {{{0}, 0}};

    for (int i = 0; i < 3; i++)
        to[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
    for (int i = 0; i < 4; i++) {
        in[i] = (struct iovec){text[i], 4};
        from[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
    }
    connected();
    SHOW(sendmmsg(c, to, 3, 0));
    say("%u %u %u", to[0].msg_len, to[1].msg_len, to[2].msg_len);
    arrived(s, 16);
    SHOW(recvmmsg(s, from, 4, MSG_DONTWAIT, NULL)); /* a stream knows no ends of messages */
    for (int i = 0; i < 4; i++)
        say("%u %.4s", from[i].msg_len, text[i]);
    SHOW(recvmmsg(s, from, 4, MSG_DONTWAIT, NULL));
    SHOW(send(c, "abcdef", 6, 0));
    arrived(s, 6);
    SHOW(recvmmsg(s, from, 4, MSG_WAITFORONE, NULL));
    over();
}

static void flags(void)
{
    char buf[16] = "";
    int n = 0;

    connected();
    SHOW(send(c, "0123456789", 10, 0));
    arrived(s, 10);
    SHOW(recv(s, buf, 4, MSG_PEEK));
    SHOW(recv(s, buf, 4, MSG_TRUNC)); /* gone, and not told: */
    say("%.4s", buf);
    SHOW(recv(s, NULL, 2, MSG_TRUNC));
    SHOW(recv(s, buf, 16, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT));
    say("%.4s", buf);
    SHOW(ioctl(s, FIONREAD, &n));
    say("readable %d", n);
    SHOW(recv(s, buf, 16, 0));
    SHOW(recv(s, buf, 16, MSG_ERRQUEUE));
    SHOW(send(c, "a", 1, MSG_EOR));
    SHOW(send(c, "b", 1, MSG_DONTROUTE));
    SHOW(send(c, "c", 1, MSG_CONFIRM));
    arrived(s, 3);
    SHOW(recv(s, buf, 16, MSG_CMSG_CLOEXEC));
    do { /* until they are acknowledged */
        sleep_ms(1);
        NEED(ioctl(c, SIOCOUTQ, &n) == 0);
    } while (n != 0);
    n = 7;
    SHOW(ioctl(c, SIOCOUTQNSD, &n));
    say("not sent %d", n);
    over();
}

/* What is held back comes with what follows, and what is corked when the cork is drawn. */
static void held_back(void)
{
    char buf[16] = "";

    connected();
    SHOW(send(c, "abc", 3, MSG_MORE));
    SHOW(send(c, "def", 3, 0));
    arrived(s, 6);
    SHOW(recv(s, buf, 16, 0));
    say("%.6s", buf);
    SHOW(set_opt(c, IPPROTO_TCP, TCP_CORK, 1));
    SHOW(send(c, "ghi", 3, 0));
    SHOW(recv(s, buf, 16, MSG_DONTWAIT));
    SHOW(send(c, "jkl", 3, 0));
    SHOW(recv(s, buf, 16, MSG_DONTWAIT));
    SHOW(set_opt(c, IPPROTO_TCP, TCP_CORK, 0));
    arrived(s, 6);
    SHOW(recv(s, buf, 16, 0));
    say("%.6s", buf);
    SHOW(set_opt(c, IPPROTO_TCP, TCP_CORK, 1));
    SHOW(send(c, "mno", 3, 0));
    SHOW(shutdown(c, SHUT_WR)); /* the end draws it, too */
    wait_readable(s);
    SHOW(recv(s, buf, 16, MSG_WAITALL));
    SHOW(recv(s, buf, 16, 0));
    over();
}

static void files(void)
{
    char buf[100001];
    static char text[100000];
    off_t at = 5;
    int file = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600),
        to = open("to", O_CREAT | O_RDWR, 0600);
    int ends[2], wrong = 0;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 11 + i / 253);
    NEED(write(file, text, sizeof text) == sizeof text && pipe(ends) == 0);
    connected();
    SHOW(sendfile(c, file, &at, sizeof text));
    say("at %lld", (long long)at);
    SHOW(sendfile(c, file, &at, 100));
    SHOW(recv(s, buf, 99995, MSG_WAITALL));
    CHECK(memcmp(buf, text + 5, 99995) == 0);
    SHOW(sendfile(to, s, NULL, 10));
    /* Out of a connection, through a pipe, and into one. */
    SHOW(send(c, text, 30000, 0));
    arrived(s, 30000);
    for (long moved = 0, n; moved < 30000; moved += n) {
        NEED((n = splice(s, NULL, ends[1], NULL, (size_t)(30000 - moved), 0)) > 0);
        for (long left = n, m; left; left -= m)
            NEED((m = splice(ends[0], NULL, s, NULL, (size_t)left, 0)) > 0);
    }
    SHOW(recv(c, buf, 30000, MSG_WAITALL));
    for (int i = 0; i < 30000; i++)
        wrong += buf[i] != text[i];
    say("wrong %d", wrong);
    SHOW(splice(s, &(loff_t){0}, ends[1], NULL, 10, 0));
    SHOW(shutdown(c, SHUT_WR));
    wait_readable(s);
    SHOW(splice(s, NULL, ends[1], NULL, 10, 0));
    close(file);
    close(to);
    close(ends[0]);
    close(ends[1]);
    unlink("file");
    unlink("to");
    over();
}

static volatile sig_atomic_t broken;

static void on_pipe(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    broken++;
    CHECK(info->si_code <= 0 && info->si_pid == getpid());
}

static void ends(void)
{
    struct timeval soon = {.tv_usec = 20000};
    char byte;

    connected();
    handle(SIGPIPE, on_pipe, 0);
    SHOW(shutdown(c, SHUT_WR));
    SHOW(send(c, "x", 1, 0));
    say("SIGPIPE %d times", (int)broken);
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    SHOW(write(c, "x", 1));
    say("SIGPIPE %d times", (int)broken);
    SHOW(shutdown(c, SHUT_WR));
    SHOW(shutdown(c, SHUT_RD));
    SHOW(recv(c, &byte, 1, 0));
    SHOW(shutdown(c, 5));
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
    SHOW(recv(s, &byte, 1, 0));
    over();
    connected();
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(recv(s, &byte, 1, MSG_WAITALL));
    over();
}

/* As far as these change nothing, they are what Linux tells. */
static void told(int fd, const char *what)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    memset(&info, 0, sizeof info);
    NEED(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    say("%s: state %d, congestion %d, retransmits %d, probes %d, backoff %d", what, info.tcpi_state,
        info.tcpi_ca_state, info.tcpi_retransmits, info.tcpi_probes, info.tcpi_backoff);
}

static void states(void)
{
    struct sockaddr_storage a;
    struct tcp_info info;
    char byte;
    int l = tcp_listener(family, &a, 5);
    socklen_t len = 8;

    told(l, "listener");
    SHOW(ioctl(l, SIOCOUTQ, &(int){0}));
    SHOW(ioctl(l, SIOCOUTQNSD, &(int){0}));
    SHOW(ioctl(l, FIONREAD, &(int){0}));
    c = socket(family, SOCK_STREAM, 0);
    told(c, "fresh");
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    s = accept(l, NULL, NULL);
    told(c, "connected");
    told(s, "accepted");
    SHOW(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len));
    say("a short one: %u", len);
    SHOW(setsockopt(c, IPPROTO_TCP, TCP_INFO, &info, sizeof info));
    NEED(send(c, "12345", 5, 0) == 5);
    arrived(s, 5);
    len = sizeof info;
    NEED(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    CHECK(info.tcpi_rcv_mss > 0 && info.tcpi_snd_mss > 0);
    NEED(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    CHECK(info.tcpi_snd_cwnd > 0 && info.tcpi_rto > 0 && info.tcpi_pmtu > 0);
    NEED(recv(s, (char[8]){0}, 8, 0) == 5);
    SHOW(shutdown(c, SHUT_WR));
    wait_readable(s);
    SHOW(recv(s, &byte, 1, 0));
    told(s, "they have ended");
    do { /* until that is acknowledged */
        sleep_ms(1);
        len = sizeof info;
        NEED(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    } while (info.tcpi_state == 4);
    told(c, "we have ended");
    SHOW(shutdown(s, SHUT_WR));
    wait_readable(c);
    SHOW(recv(c, &byte, 1, 0));
    told(s, "both have ended");
    over();
    close(l);
}

/* A reader who wants more than there is sleeps on; poll agrees with it. */
static void low_water(void)
{
    struct pollfd p;

    connected();
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVLOWAT, 5));
    say("%d", get_opt(s, SOL_SOCKET, SO_RCVLOWAT));
    SHOW(send(c, "abc", 3, 0));
    arrived(s, 3);
    p = (struct pollfd){.fd = s, .events = POLLIN};
    SHOW(poll(&p, 1, 50));
    SHOW(send(c, "defg", 4, 0));
    arrived(s, 7);
    SHOW(poll(&p, 1, 5000));
    SHOW(recv(s, (char[8]){0}, 8, 0));
    /* More than there is room for is as much as there is. */
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVLOWAT, INT_MAX));
    CHECK(get_opt(s, SOL_SOCKET, SO_RCVLOWAT) < 64 << 20);
    fcntl(c, F_SETFL, O_NONBLOCK);
    static char much[65536];
    do {
        while (send(c, much, sizeof much, 0) > 0)
            ;
    } while (poll(&p, 1, 10) == 0);
    say("ready %x", p.revents);
    over();
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < NR(families); i++) {
        family = families[i];
        broken = 0;
        say("family %d", family);
        scattered();
        many();
        flags();
        held_back();
        files();
        ends();
        states();
        low_water();
    }
    return done();
}
