/* Who may have a port that another has: SO_REUSEADDR, SO_REUSEPORT, listeners, the other family, and what closed sockets leave. */
#include "inet_test.h"

enum { ADDR = 1, PORT = 2, V6 = 4, V6ONLY = 8, ANY = 16 };

static int made(int how)
{
    int one = 1, s = socket(how & V6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    NEED(s >= 0);
    if (how & ADDR)
        NEED(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    if (how & PORT)
        NEED(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0);
    if (how & V6ONLY)
        NEED(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0);
    return s;
}

static int bind_to(int s, int how, int port)
{
    struct sockaddr_storage a;
    int family = how & V6 ? AF_INET6 : AF_INET;
    loopback(family, &a, port);
    if (how & ANY)
        memset((char *)&a + (how & V6 ? 8 : 4), 0, how & V6 ? 16 : 4);
    return bind(s, (struct sockaddr *)&a, addr_len(family));
}

static const char *said(int ret)
{
    return ret == 0 ? "good" : strerror(errno);
}

/* Two at the same port: bind(2) and listen(2) of the second, listen(2) of the first if it does not listen already. */
static void two(int first, int second, bool listens)
{
    int a = made(first), b = made(second);
    NEED(bind_to(a, first, 0) == 0);
    if (listens)
        NEED(listen(a, 1) == 0);
    int ret = bind_to(b, second, local_port(a));
    printf("%d %d%s: %s", first, second, listens ? " listening" : "", said(ret));
    if (ret == 0)
        printf(", %s", said(listen(b, 1)));
    if (ret == 0 && !listens)
        printf(", %s", said(listen(a, 1)));
    printf("\n");
    close(a);
    close(b);
}

/* A connection whose listener is gone: still there, or in TIME_WAIT. */
static void after(int first, int second, bool ends)
{
    struct sockaddr_storage a;
    char byte;
    int l = made(first), c = socket(AF_INET, SOCK_STREAM, 0);
    NEED(bind_to(l, first, 0) == 0 && listen(l, 1) == 0);
    loopback(AF_INET, &a, local_port(l));
    NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    int s = accept(l, NULL, NULL);
    close(l);
    if (ends) {
        close(s);
        NEED(read(c, &byte, 1) == 0);
        close(c);
    }
    l = made(second);
    printf("%d %d after %s: %s\n", first, second, ends ? "its end" : "accept",
           said(bind_to(l, second, port_of(&a)) ?: listen(l, 1)));
    close(l);
    if (!ends) {
        close(s);
        close(c);
    }
}

/* Both of two listeners at one port are told of connections, or one of them is. */
static void shared(void)
{
    struct sockaddr_storage a;
    int l[2] = {made(PORT), made(PORT)}, got = 0;
    NEED(bind_to(l[0], 0, 0) == 0 && bind_to(l[1], 0, local_port(l[0])) == 0);
    NEED(listen(l[0], 20) == 0 && listen(l[1], 20) == 0);
    loopback(AF_INET, &a, local_port(l[0]));
    for (int k = 0; k < 10; k++) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        struct pollfd p[] = {{.fd = l[0], .events = POLLIN}, {.fd = l[1], .events = POLLIN}};
        NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
        NEED(poll(p, 2, 10000) == 1);
        int s = accept(l[p[1].revents ? 1 : 0], NULL, NULL);
        got += s >= 0;
        close(s);
        close(c);
    }
    printf("%d connections\n", got);
    close(l[0]);
    close(l[1]);
}

int main(void)
{
    static const int families[] = {0, ANY, V6, V6 | ANY, V6 | ANY | V6ONLY};
    alarm(60);
    for (int first = 0; first < 4; first++)
        for (int second = 0; second < 4; second++)
            for (int listens = 0; listens < 2; listens++)
                for (size_t k = 0; k < 2; k++)
                    two(first, second | families[k], listens);
    for (size_t k = 0; k < 5; k++)
        for (size_t m = 0; m < 5; m++)
            two(ADDR | families[k], ADDR | families[m], true);
    for (int first = 0; first < 4; first++)
        for (int second = 0; second < 4; second++) {
            after(first, second, false);
            after(first, second, true);
        }
    shared();
    return done();
}
