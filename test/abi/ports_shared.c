/* Ports that several sockets want: SO_REUSEADDR, SO_REUSEPORT, and the addresses that are the same. */
#include "inet_test.h"

static int family;

/* Who may have a port that another has. */
static void shared_ports(int type)
{
    struct sockaddr_storage a;

    for (int first = 0; first < 3; first++) {
        for (int second = 0; second < 3; second++) {
            for (int listens = 0; listens < (type == SOCK_STREAM ? 2 : 1); listens++) {
                int x = socket(family, type, 0), y = socket(family, type, 0);
                if (first)
                    set_opt(x, SOL_SOCKET, first == 1 ? SO_REUSEADDR : SO_REUSEPORT, 1);
                if (second)
                    set_opt(y, SOL_SOCKET, second == 1 ? SO_REUSEADDR : SO_REUSEPORT, 1);
                loopback(family, &a, 0);
                NEED(bind(x, (struct sockaddr *)&a, addr_len(family)) == 0);
                loopback(family, &a, local_port(x));
                if (listens)
                    NEED(listen(x, 1) == 0);
                errno = 0;
                int bound = bind(y, (struct sockaddr *)&a, addr_len(family));
                int error = bound ? errno : 0;
                int listened = bound ? -1 : type == SOCK_STREAM ? listen(y, 1) : 0;
                say("%d %d %s: %s, %s", first, second, listens ? "listening" : "bound",
                    strerror(error), bound ? "-" : strerror(listened ? errno : 0));
                close(x);
                close(y);
            }
        }
    }
}

/* Two who listen at one port with SO_REUSEPORT: every connection reaches one of them. */
static void shared_listeners(void)
{
    enum { CLIENTS = 30 };
    struct sockaddr_storage a;
    struct pollfd l[2];
    int clients[CLIENTS], taken = 0, by_first = 0;

    loopback(family, &a, 0);
    for (int i = 0; i < 2; i++) {
        l[i] = (struct pollfd){.fd = socket(family, SOCK_STREAM, 0), .events = POLLIN};
        SHOW(set_opt(l[i].fd, SOL_SOCKET, SO_REUSEPORT, 1));
        SHOW(bind(l[i].fd, (struct sockaddr *)&a, addr_len(family)));
        loopback(family, &a, local_port(l[i].fd));
        SHOW(listen(l[i].fd, CLIENTS));
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(family, SOCK_STREAM, 0);
        NEED(connect(clients[i], (struct sockaddr *)&a, addr_len(family)) == 0);
        NEED(poll(l, 2, 10000) >= 1);
        int s = accept(l[l[0].revents ? 0 : 1].fd, NULL, NULL);
        NEED(s >= 0);
        close(s);
        taken++;
        by_first += l[0].revents != 0;
        close(clients[i]);
    }
    say("%d of %d, of which each has some: %d", taken, CLIENTS, by_first > 0 && by_first < CLIENTS);
    close(l[0].fd);
    int c = socket(family, SOCK_STREAM, 0); /* the other one is still there */
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    NEED(poll(l + 1, 1, 10000) == 1);
    int s = accept(l[1].fd, NULL, NULL);
    NEED(s >= 0);
    close(l[1].fd);
    /* A server that begins again while a client of the last one is still there. */
    int again = socket(family, SOCK_STREAM, 0);
    SHOW(bind(again, (struct sockaddr *)&a, addr_len(family)));
    SHOW(set_opt(again, SOL_SOCKET, SO_REUSEPORT, 1));
    SHOW(bind(again, (struct sockaddr *)&a, addr_len(family)));
    close(again);
    close(c);
    close(s);
    c = socket(family, SOCK_STREAM, 0);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(family)));
    close(c);
}

/* Datagrams of one sender all reach the same of those who share a port, and not everybody's the same. */
static void shared_receivers(void)
{
    enum { SENDERS = 30, EACH = 5, RECEIVERS = 3 };
    struct sockaddr_storage a;
    struct pollfd r[RECEIVERS];
    int got[RECEIVERS] = {0}, split = 0;

    loopback(family, &a, 0);
    for (int i = 0; i < RECEIVERS; i++) {
        r[i] = (struct pollfd){.fd = socket(family, SOCK_DGRAM, 0), .events = POLLIN};
        NEED(set_opt(r[i].fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0);
        NEED(bind(r[i].fd, (struct sockaddr *)&a, addr_len(family)) == 0);
        loopback(family, &a, local_port(r[i].fd));
    }
    for (int i = 0; i < SENDERS; i++) {
        int s = socket(family, SOCK_DGRAM, 0), last = -1;
        for (int k = 0; k < EACH; k++) {
            char byte;
            NEED(sendto(s, "x", 1, 0, (struct sockaddr *)&a, addr_len(family)) == 1);
            NEED(poll(r, RECEIVERS, 10000) == 1);
            int who = 0;
            while (!r[who].revents)
                who++;
            NEED(recv(r[who].fd, &byte, 1, 0) == 1);
            got[who]++;
            split += last >= 0 && last != who;
            last = who;
        }
        close(s);
    }
    say("each receiver has some: %d, senders that reached two: %d",
        got[0] > 0 && got[1] > 0 && got[2] > 0, split);
    for (int i = 0; i < RECEIVERS; i++)
        close(r[i].fd);
}

/* The unspecified address of IPv6 is that of IPv4, too, unless told otherwise. */
static int bound_to(int type, const char *text, bool only, int port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool is_v6 = strchr(text, ':');
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, type, 0);

    NEED(fd >= 0);
    if (is_v6) {
        NEED(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
        NEED(set_opt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only) == 0);
    } else {
        NEED(inet_pton(AF_INET, text, &v4.sin_addr) == 1);
    }
    errno = 0;
    if (bind(fd, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof v6 : sizeof v4) == 0)
        return fd;
    close(fd);
    return -1;
}

static void both_families(int type)
{
    static const struct {
        const char *text;
        bool only;
    } names[] = {{"::", false},      {"::", true},         {"::1", false},
                 {"0.0.0.0", false}, {"127.0.0.1", false}, {"127.0.0.2", false}};

    for (size_t i = 0; i < NR(names); i++) {
        for (size_t j = 0; j < NR(names); j++) {
            int x = bound_to(type, names[i].text, names[i].only, 0);
            NEED(x >= 0);
            int y = bound_to(type, names[j].text, names[j].only, local_port(x));
            say("%s%s and %s%s: %s", names[i].text, names[i].only ? " only" : "", names[j].text,
                names[j].only ? " only" : "", strerror(errno));
            close(x);
            if (y >= 0)
                close(y);
        }
    }
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < NR(families); i++) {
        family = families[i];
        say("family %d", family);
        shared_ports(SOCK_STREAM);
        shared_ports(SOCK_DGRAM);
        shared_listeners();
        shared_receivers();
    }
    both_families(SOCK_STREAM);
    both_families(SOCK_DGRAM);
    return done();
}
