/* A connection whose two sides both have no room, or room for a byte: who asks for more must not have the two acknowledge each
 * other's acknowledgements for ever; and then all is there. */
#include "inet_test.h"

/* As much as there is room for: bytes that tell how many came before, *count at first. */
static void fill(int fd, size_t *count)
{
    unsigned char block[4096];
    ssize_t n;
    do {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (unsigned char)((*count + i) * 31 >> 3);
        n = send(fd, block, sizeof block, MSG_DONTWAIT);
        if (n > 0)
            *count += (size_t)n;
    } while (n > 0);
    CHECK(errno == EAGAIN);
}

static void drain(int fd, size_t seen, size_t count, size_t at_once)
{
    unsigned char block[4096];
    while (seen < count) {
        ssize_t n = recv(fd, block, at_once, 0);
        NEED(n > 0);
        for (ssize_t i = 0; i < n; i++)
            CHECK(block[i] == (unsigned char)((seen + (size_t)i) * 31 >> 3));
        seen += (size_t)n;
    }
}

static void is_empty(int fd)
{
    char byte;
    CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

static void both_full(int family)
{
    struct sockaddr_storage a;
    int l = tcp_listener(family, &a, 1), c = socket(family, SOCK_STREAM, 0), size = 8192;
    size_t of_c = 0, of_s = 0;
    NEED(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    NEED(setsockopt(c, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(family)) == 0);
    int s = accept(l, NULL, NULL);
    NEED(s >= 0);
    /* Twice, with time between for either side to ask for room. */
    for (int round = 0; round < 2; round++) {
        fill(c, &of_c);
        fill(s, &of_s);
        sleep_ms(1500);
    }
    say("there is %s in both", of_c > 0 && of_s > 0 ? "something" : "nothing");
    for (size_t n = 0; n < 3; n++) {
        drain(s, n, n + 1, 1);
        drain(c, n, n + 1, 1);
        sleep_ms(700);
    }
    drain(s, 3, of_c, 4096);
    drain(c, 3, of_s, 4096);
    is_empty(s);
    is_empty(c);
    say("all of it came");
    close(c);
    close(s);
    close(l);
}

int main(void)
{
    both_full(AF_INET);
    both_full(AF_INET6);
    return done();
}
