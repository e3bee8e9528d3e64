/* A connection between two ports that had one before: TIME_WAIT on one side, or on the other, is no obstacle. */
#include "inet_test.h"

enum { ROUNDS = 20 };

/* A socket that is to connect from the port; 0: from any. */
static int from_port(int family, int port)
{
    struct sockaddr_storage a;
    int one = 1, fd = socket(family, SOCK_STREAM, 0);
    NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    loopback(family, &a, port);
    NEED(bind(fd, (struct sockaddr *)&a, addr_len(family)) == 0);
    return fd;
}

struct pair {
    int client, server;
};

/* Which of the two ends it first has TIME_WAIT, and has it when this returns. */
static void end(int first, int second)
{
    char byte;
    NEED(close(first) == 0);
    NEED(read(second, &byte, 1) == 0);
    NEED(close(second) == 0);
}

/* Again and again over the same two ports.  Every one of them is used. */
static void reuse(int family, bool by_client)
{
    struct sockaddr_storage a;
    char byte;
    int l = tcp_listener(family, &a, 5), port = 0, done = 0;
    for (int k = 0; k < ROUNDS; k++) {
        struct pair p = {.client = from_port(family, port)};
        port = local_port(p.client);
        if (connect(p.client, (struct sockaddr *)&a, addr_len(family)) < 0)
            printf("round %d: %s\n", k, strerror(errno));
        p.server = accept(l, NULL, NULL);
        NEED(write(p.client, "x", 1) == 1 && read(p.server, &byte, 1) == 1);
        NEED(write(p.server, "y", 1) == 1 && read(p.client, &byte, 1) == 1 && byte == 'y');
        if (by_client)
            end(p.client, p.server);
        else
            end(p.server, p.client);
        done++;
    }
    printf("%s ended %d connections\n", by_client ? "the client" : "the server", done);
    close(l);
}

/* What is there still stands in the way. */
static void in_use(void)
{
    struct sockaddr_storage a, b;
    int one = 1, l = tcp_listener(AF_INET, &a, 5), c = from_port(AF_INET, 0), port = local_port(c);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    int s = accept(l, NULL, NULL), again = from_port(AF_INET, port);
    SHOW(connect(again, (struct sockaddr *)&a, addr_len(AF_INET)));
    close(again);
    end(c, s);
    c = socket(AF_INET, SOCK_STREAM, 0);
    loopback(AF_INET, &b, port);
    SHOW(bind(c, (struct sockaddr *)&b, addr_len(AF_INET))); /* without SO_REUSEADDR */
    NEED(setsockopt(c, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    SHOW(bind(c, (struct sockaddr *)&b, addr_len(AF_INET)));
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)));
    close(c);
    close(l);
}

/* TIME_WAIT on the server's side, and nobody listens any more. */
static void without_listener(void)
{
    struct sockaddr_storage a;
    int l = tcp_listener(AF_INET, &a, 5), c = from_port(AF_INET, 0), port = local_port(c);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    int s = accept(l, NULL, NULL);
    close(l);
    end(s, c);
    c = from_port(AF_INET, port);
    SHOW(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)));
    close(c);
}

int main(void)
{
    alarm(60);
    reuse(AF_INET, false);
    reuse(AF_INET, true);
    reuse(AF_INET6, false);
    reuse(AF_INET6, true);
    in_use();
    without_listener();
    return done();
}
