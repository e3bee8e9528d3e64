/* A connection that ends just behind the room that its peer has: the end waits, is sent again by the timer, and comes once
 * there is room.  Nothing else is sent meanwhile: on the loopback interface two sides that answer each other at once would
 * never let go of the machine. */
#include "inet_test.h"

static void full_end(size_t n)
{
    struct sockaddr_storage a;
    int l = tcp_listener(AF_INET, &a, 1), c = socket(AF_INET, SOCK_STREAM, 0), size = 8192;
    char bytes[65536] = {0};
    size_t seen = 0;
    NEED(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    int s = accept(l, NULL, NULL);
    NEED(s >= 0);
    NEED(send(c, bytes, n, 0) == (ssize_t)n);
    NEED(shutdown(c, SHUT_WR) == 0);
    sleep_ms(9000); /* several times of the timer's */
    for (ssize_t got; (got = recv(s, bytes, sizeof bytes, 0)) > 0;)
        seen += (size_t)got;
    CHECK(seen == n);
    close(c);
    close(s);
    close(l);
}

static void *one(void *n)
{
    full_end((size_t)n);
    return NULL;
}

int main(void)
{
    /* One of them fills the room exactly. */
    static const size_t sizes[] = {4095, 4096, 4097, 8192};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        NEED(pthread_create(&threads[i], NULL, one, (void *)sizes[i]) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    say("all of it came");
    return done();
}
