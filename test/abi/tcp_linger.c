/* SO_LINGER with a time: close(2) waits until the peer has everything, and no longer than it was told. */
#include "inet_test.h"

struct pair {
    int ours, theirs;
};

/* A connection whose peer's window and our buffer are full. */
static struct pair full_pair(void)
{
    static char block[65536];
    struct sockaddr_storage a;
    struct pair p;
    int l = tcp_listener(AF_INET, &a, 1);
    p.ours = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(p.ours, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    p.theirs = accept(l, NULL, NULL);
    NEED(p.theirs >= 0);
    close(l);
    /* Until no byte more fits although everything had the time to arrive. */
    struct pollfd out = {.fd = p.ours, .events = POLLOUT};
    do {
        while (send(p.ours, block, sizeof block, MSG_DONTWAIT) > 0)
            ;
    } while (poll(&out, 1, 300) == 1);
    return p;
}

static void linger_for(int fd, int seconds)
{
    struct linger l = {.l_onoff = 1, .l_linger = seconds};
    NEED(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *drain(void *arg)
{
    static char buf[65536];
    int fd = *(int *)arg;
    intptr_t total = 0;
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0)
        total += n;
    return (void *)(n < 0 ? -1 : total);
}

static void waits_for_the_peer(void)
{
    struct pair p = full_pair();
    pthread_t reader;
    void *total;
    int left = 0;
    NEED(ioctl(p.ours, TIOCOUTQ, &left) == 0);
    CHECK(left > 0);
    linger_for(p.ours, 600);
    NEED(pthread_create(&reader, NULL, drain, &p.theirs) == 0);
    double start = now();
    SHOW(close(p.ours));
    CHECK(now() - start < 300);
    NEED(pthread_join(reader, &total) == 0);
    CHECK((intptr_t)total > left);
    close(p.theirs);
}

static void gives_up(void)
{
    struct pair p = full_pair();
    char byte;
    linger_for(p.ours, 1);
    double start = now();
    SHOW(close(p.ours));
    CHECK(now() - start >= 0.99);
    SHOW(recv(p.theirs, &byte, 1, 0)); /* the connection goes on without it */
    close(p.theirs);
}

static void is_at_once(void)
{
    struct sockaddr_storage a;
    char buf[8];
    int l = tcp_listener(AF_INET, &a, 1), c = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
    int s = accept(l, NULL, NULL);
    SHOW(send(c, "hello", 5, 0));
    linger_for(c, 600);
    double start = now();
    SHOW(close(c)); /* it has arrived, read or not */
    CHECK(now() - start < 300);
    SHOW(recv(s, buf, 8, 0));
    SHOW(recv(s, buf, 8, 0));
    close(s);
    close(l);
}

static void on_signal(int sig)
{
    (void)sig;
}

struct closer {
    pthread_t thread;
    int is_over; /* atomic */
};

static void *interrupt(void *arg)
{
    struct closer *c = arg;
    /* Again and again: one that comes before the close has begun ends nothing. */
    while (!__atomic_load_n(&c->is_over, __ATOMIC_ACQUIRE)) {
        pthread_kill(c->thread, SIGUSR1);
        usleep(10000);
    }
    return NULL;
}

static void ends_at_a_signal(void)
{
    struct pair p = full_pair();
    struct sigaction sa = {.sa_handler = on_signal};
    struct closer who = {pthread_self(), 0};
    pthread_t t;
    NEED(sigaction(SIGUSR1, &sa, NULL) == 0);
    linger_for(p.ours, 600);
    NEED(pthread_create(&t, NULL, interrupt, &who) == 0);
    double start = now();
    SHOW(close(p.ours));
    CHECK(now() - start < 300);
    __atomic_store_n(&who.is_over, 1, __ATOMIC_RELEASE);
    pthread_join(t, NULL);
    close(p.theirs);
}

int main(void)
{
    alarm(100);
    is_at_once();
    waits_for_the_peer();
    gives_up();
    ends_at_a_signal();
    return done();
}
