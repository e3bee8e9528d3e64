/* AF_UNIX between threads: every byte and message arrives once, in order, and nobody sleeps for ever. */
#include "socket_test.h"

#define NR_BYTES    (4 << 20)
#define NR_MESSAGES 20000
#define NR_CLIENTS  4
#define NR_ROUNDS   200

static int fds[2];

static void *stream_writer(void *arg)
{
    (void)arg;
    static unsigned char buf[70000];
    uint32_t seed = 1;
    for (long at = 0; at < NR_BYTES;) {
        seed = seed * 1664525 + 1013904223;
        long n = 1 + seed % (seed & 1 ? 100 : sizeof buf);
        n = n < NR_BYTES - at ? n : NR_BYTES - at;
        for (long i = 0; i < n; i++)
            buf[i] = (unsigned char)((at + i) * 31 + ((at + i) >> 8));
        for (long sent = 0, ret; sent < n; sent += ret) {
            ret = write(fds[0], buf + sent, (size_t)(n - sent));
            NEED(ret > 0);
        }
        at += n;
    }
    NEED(shutdown(fds[0], SHUT_WR) == 0);
    return NULL;
}

static void stream(bool waitall)
{
    pthread_t t;
    static unsigned char buf[50000];
    long at = 0, wrong = 0, ret;
    uint32_t seed = 7;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    NEED(pthread_create(&t, NULL, stream_writer, NULL) == 0);
    for (;;) {
        seed = seed * 1664525 + 1013904223;
        size_t n = 1 + seed % sizeof buf;
        ret = recv(fds[1], buf, n, waitall ? MSG_WAITALL : 0);
        if (ret <= 0)
            break;
        if (waitall)
            wrong += ret != (long)n && at + ret != NR_BYTES;
        for (long i = 0; i < ret; i++)
            wrong += buf[i] != (unsigned char)((at + i) * 31 + ((at + i) >> 8));
        at += ret;
    }
    pthread_join(t, NULL);
    say("stream%s: %ld bytes, %ld wrong, end %ld", waitall ? " with MSG_WAITALL" : "", at, wrong,
        ret);
    close(fds[0]);
    close(fds[1]);
}

static unsigned char seen[NR_CLIENTS][NR_MESSAGES];
static int dgram_server;

static void *dgram_client(void *arg)
{
    uint32_t message[2] = {(uint32_t)(long)arg, 0};
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    NEED(un_connect(s, "@abi-threads") == 0);
    for (; message[1] < NR_MESSAGES / 4; message[1]++)
        NEED(send(s, message, sizeof message, 0) == sizeof message);
    close(s);
    return NULL;
}

static void *dgram_reader(void *arg)
{
    uint32_t message[2], last[NR_CLIENTS] = {0};
    long got = 0;
    (void)last;
    while (recv(dgram_server, message, sizeof message, 0) == sizeof message) {
        __atomic_fetch_add(&seen[message[0]][message[1]], 1, __ATOMIC_RELAXED);
        got++;
    }
    *(long *)arg = got;
    return NULL;
}

static void datagrams(void)
{
    pthread_t t[NR_CLIENTS], r[2];
    long got[2], bad = 0;
    dgram_server = socket(AF_UNIX, SOCK_DGRAM, 0);
    NEED(un_bind(dgram_server, "@abi-threads") == 0);
    for (int i = 0; i < 2; i++)
        NEED(pthread_create(&r[i], NULL, dgram_reader, &got[i]) == 0);
    for (long i = 0; i < NR_CLIENTS; i++)
        NEED(pthread_create(&t[i], NULL, dgram_client, (void *)i) == 0);
    for (int i = 0; i < NR_CLIENTS; i++)
        pthread_join(t[i], NULL);
    NEED(shutdown(dgram_server, SHUT_RD) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(r[i], NULL);
    for (int i = 0; i < NR_CLIENTS; i++)
        for (int k = 0; k < NR_MESSAGES / 4; k++)
            bad += seen[i][k] != 1;
    say("datagrams: %ld received, %ld lost or twice", got[0] + got[1], bad);
    close(dgram_server);
}

static int server;

static void *serve(void *arg)
{
    (void)arg;
    for (int a; (a = accept(server, NULL, NULL)) >= 0;) {
        char buf[64];
        ssize_t n;
        while ((n = read(a, buf, sizeof buf)) > 0)
            NEED(write(a, buf, (size_t)n) == n);
        close(a);
    }
    return NULL;
}

static void *client(void *arg)
{
    long id = (long)arg;
    for (long i = 0; i < NR_ROUNDS; i++) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        long out[2] = {id, i}, in[2] = {0};
        NEED(un_connect(s, "@abi-server") == 0);
        NEED(write(s, out, sizeof out) == sizeof out);
        NEED(recv(s, in, sizeof in, MSG_WAITALL) == sizeof in);
        NEED(in[0] == id && in[1] == i);
        close(s);
    }
    return NULL;
}

static void connections(void)
{
    pthread_t t[NR_CLIENTS], w[2];
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(un_bind(server, "@abi-server") == 0 && listen(server, 1) == 0);
    for (int i = 0; i < 2; i++)
        NEED(pthread_create(&w[i], NULL, serve, NULL) == 0);
    for (long i = 0; i < NR_CLIENTS; i++)
        NEED(pthread_create(&t[i], NULL, client, (void *)i) == 0);
    for (int i = 0; i < NR_CLIENTS; i++)
        pthread_join(t[i], NULL);
    NEED(shutdown(server, SHUT_RD) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(w[i], NULL);
    close(server);
    say("%d connections", NR_CLIENTS * NR_ROUNDS);
}

static int blocked_fd;
static pid_t blocked_tid;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
}

static void *blocked_reader(void *arg)
{
    char c;
    blocked_tid = tid_of_self();
    long ret = read(blocked_fd, &c, 1);
    *(long *)arg = ret < 0 ? -errno : ret;
    return NULL;
}

/* Who sleeps in a read hears of everything that ends it. */
static void wakeups(void)
{
    for (int how = 0; how < 5; how++) {
        static const char *const names[] = {"data", "peer closed", "peer shut down", "shut down",
                                            "signal"};
        int s[2];
        pthread_t t;
        long ret = 99;
        struct timeval tv = {100, 0};
        NEED(socketpair(AF_UNIX, how & 1 ? SOCK_SEQPACKET : SOCK_STREAM, 0, s) == 0);
        blocked_fd = s[0];
        blocked_tid = 0;
        if (how == 4) {
            handle(SIGUSR1, on_signal, SA_RESTART); /* a time limit makes it EINTR all the same */
            NEED(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
        }
        NEED(pthread_create(&t, NULL, blocked_reader, &ret) == 0);
        while (!__atomic_load_n(&blocked_tid, __ATOMIC_ACQUIRE))
            sched_yield();
        wait_until_asleep(blocked_tid);
        if (how == 0)
            NEED(write(s[1], "x", 1) == 1);
        else if (how == 1)
            close(s[1]);
        else if (how == 2)
            NEED(shutdown(s[1], SHUT_WR) == 0);
        else if (how == 3)
            NEED(shutdown(s[0], SHUT_RD) == 0);
        else
            NEED(pthread_kill(t, SIGUSR1) == 0);
        pthread_join(t, NULL);
        say("%s: %ld", names[how], ret);
        close(s[0]);
        if (how != 1)
            close(s[1]);
    }
}

int main(void)
{
    stream(false);
    stream(true);
    datagrams();
    connections();
    wakeups();
    return done();
}
