/* A socket that connects to itself: two SYNs that cross. */
#include "inet_test.h"

enum { MANY = 1 << 20 };

static void talk(int family)
{
    static char out[MANY], in[MANY];
    struct sockaddr_storage a, b;
    struct tcp_info info;
    socklen_t len = sizeof b, info_len = sizeof info;
    char byte[8];
    int fd = inet_bound(family, SOCK_STREAM, &a);
    SHOW(connect(fd, (struct sockaddr *)&a, addr_len(family)));
    NEED(getpeername(fd, (struct sockaddr *)&b, &len) == 0);
    CHECK(port_of(&b) == port_of(&a) && local_port(fd) == port_of(&a) && is_loopback(&b));
    NEED(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len) == 0);
    CHECK(info.tcpi_state == TCP_ESTABLISHED);
    SHOW(send(fd, "hello", 5, 0));
    SHOW(recv(fd, byte, sizeof byte, 0));
    CHECK(memcmp(byte, "hello", 5) == 0);
    for (int k = 0; k < MANY; k++)
        out[k] = (char)(k * 7 ^ k >> 8);
    for (size_t sent = 0, got = 0; got < MANY;) {
        ssize_t n = send(fd, out + sent, MANY - sent, MSG_DONTWAIT);
        if (n > 0)
            sent += (size_t)n;
        n = recv(fd, in + got, MANY - got, MSG_DONTWAIT);
        if (n > 0)
            got += (size_t)n;
        else
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1000);
    }
    CHECK(memcmp(in, out, MANY) == 0);
    SHOW(send(fd, "bye", 3, 0));
    SHOW(shutdown(fd, SHUT_WR));
    SHOW(recv(fd, byte, sizeof byte, 0));
    SHOW(recv(fd, byte, sizeof byte, 0));
    SHOW(close(fd));
}

/* Without waiting, and closed at once. */
static void at_once(void)
{
    struct sockaddr_storage a;
    int error = -1, fd = inet_bound(AF_INET, SOCK_STREAM, &a);
    socklen_t len = sizeof error;
    NEED(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    int ret = connect(fd, (struct sockaddr *)&a, addr_len(AF_INET));
    CHECK(ret == 0 || errno == EINPROGRESS);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    SHOW(poll(&p, 1, 10000));
    CHECK(p.revents == POLLOUT);
    SHOW(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
    SHOW(error);
    SHOW(close(fd));
}

/* Unread bytes of one's own make it a reset. */
static void unread(void)
{
    struct sockaddr_storage a;
    int fd = inet_bound(AF_INET, SOCK_STREAM, &a);
    SHOW(connect(fd, (struct sockaddr *)&a, addr_len(AF_INET)));
    SHOW(send(fd, "x", 1, 0));
    SHOW(close(fd));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(bind(fd, (struct sockaddr *)&a, addr_len(AF_INET)));
    close(fd);
}

/* Its TIME_WAIT, and once more. */
static void again(void)
{
    struct sockaddr_storage a;
    int one = 1, fd = inet_bound(AF_INET, SOCK_STREAM, &a);
    NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    for (int k = 0; k < 3; k++) {
        SHOW(connect(fd, (struct sockaddr *)&a, addr_len(AF_INET)));
        SHOW(close(fd));
        fd = socket(AF_INET, SOCK_STREAM, 0);
        NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
        SHOW(bind(fd, (struct sockaddr *)&a, addr_len(AF_INET)));
    }
    close(fd);
}

int main(void)
{
    alarm(60);
    talk(AF_INET);
    talk(AF_INET6);
    at_once();
    unread();
    again();
    return done();
}
