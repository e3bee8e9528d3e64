/* Both ends of the network tests: a server, and clients that check every byte.
 *
 *   peer serve PORT                               TCP as asked for, UDP echo; prints "listening"
 *   peer bulk HOST PORT THREADS ROUNDS UP DOWN    each thread: connections in turn with so many bytes both ways at once
 *   peer churn HOST PORT THREADS SECONDS          connections that begin and end in every way there is
 *   peer ask HOST PORT memory|quit                prints the free KiB of its machine; ends the server
 *   peer alone PORT keepalive|timeout             one client, who is then gone: prints what the connection ends with
 *   peer refused HOST PORT                        a datagram to a port that nobody has: prints what it is answered
 *
 * With `quit` as one more argument bulk and churn end the server when they are done.
 *
 * A connection begins with a struct request.  The bytes of either way are a sequence that starts at the request's seed, so
 * whoever reads knows each of them.  Then both sides close, and read the other's end.  Prints nothing that depends on
 * speed but with "memory"; a wrong byte, a missing end or an error that the way of closing does not explain ends the
 * program with status 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x9e3779b97f4a7c15ul
#define BLOCK (32ul << 10)

enum kind { KIND_DATA, KIND_QUIT, KIND_MEMORY, KIND_LAST, KIND_ECHO, KIND_LATE };

struct request {
    uint64_t magic;
    uint32_t kind, seed;
    uint64_t up,
        down; /* bytes that the client, the server sends; of KIND_LAST, `up` seconds to linger */
};

struct stream { /* one way of a connection */
    int fd;
    uint64_t seed, bytes;
};

#define NEED(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "peer: line %d: %s: %m\n", __LINE__, #condition); \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

/* --- the bytes --------------------------------------------------------------------------------------------- */

/* Those from `offset`, a multiple of 8, on: each word says where it belongs. */
static void make_bytes(uint64_t *words, size_t n, uint64_t seed, uint64_t offset)
{
    for (uint64_t i = 0; i * 8 < n; i++) {
        uint64_t x = (seed << 40) + offset / 8 + i;
        words[i] = (x ^ x >> 29) * MAGIC;
    }
}

/* False: the other side has closed with a reset, or went away. */
static bool send_stream(const struct stream *s)
{
    uint64_t words[BLOCK / 8];

    for (uint64_t done = 0; done < s->bytes;) {
        size_t n = s->bytes - done < BLOCK ? s->bytes - done : BLOCK;
        make_bytes(words, n, s->seed, done);
        for (size_t at = 0; at < n;) {
            ssize_t sent = send(s->fd, (char *)words + at, n - at, MSG_NOSIGNAL);
            if (sent < 0)
                return false;
            at += (size_t)sent;
        }
        done += n;
    }
    return true;
}

/* False: it ended before its time.  Wrong bytes end the program. */
static bool receive_stream(const struct stream *s)
{
    uint64_t words[BLOCK / 8], right[BLOCK / 8];

    for (uint64_t done = 0; done < s->bytes;) {
        size_t n = s->bytes - done < BLOCK ? s->bytes - done : BLOCK, at = 0;
        while (at < n) {
            ssize_t got = recv(s->fd, (char *)words + at, n - at, 0);
            if (got <= 0)
                return false;
            at += (size_t)got;
        }
        make_bytes(right, n, s->seed, done);
        for (at = 0; at < n; at++)
            if (((char *)words)[at] != ((char *)right)[at]) {
                fprintf(stderr, "peer: seed %lu: byte %lu of %lu is %#x, not %#x\n",
                        (unsigned long)s->seed, (unsigned long)(done + at), (unsigned long)s->bytes,
                        ((unsigned char *)words)[at], ((unsigned char *)right)[at]);
                exit(1);
            }
        done += n;
    }
    return true;
}

static void *send_thread(void *arg)
{
    struct stream *s = arg;
    bool done = send_stream(s);

    if (done)
        shutdown(s->fd, SHUT_WR);
    return (void *)done;
}

/* Both ways at once, and both ends: false when the other side broke off. */
static bool exchange(int fd, uint32_t seed, uint64_t out, uint64_t in, bool is_server)
{
    struct stream to = {fd, seed * 2ul + is_server, out}, from = {fd, seed * 2ul + !is_server, in};
    pthread_t sender;
    void *sent;
    char end;

    NEED(!pthread_create(&sender, NULL, send_thread, &to));
    bool done = receive_stream(&from) && recv(fd, &end, 1, 0) == 0;
    if (!done)
        shutdown(fd, SHUT_RDWR);
    pthread_join(sender, &sent);
    return done && sent;
}

/* --- the server -------------------------------------------------------------------------------------------- */

static bool take(int fd, void *data, size_t n)
{
    return recv(fd, data, n, MSG_WAITALL) == (ssize_t)n;
}

static unsigned long free_kib(void)
{
    struct sysinfo info;

    NEED(!sysinfo(&info));
    return info.freeram * info.mem_unit >> 10;
}

/* The last thing that the program does. */
static void send_last(int fd, const struct request *r)
{
    struct linger l = {r->up > 0, (int)r->up};
    struct stream s = {fd, r->seed * 2ul + 1, r->down};

    NEED(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    NEED(send_stream(&s));
    NEED(!close(fd));
    puts("closed");
    exit(0);
}

/* What comes goes back, a piece at a time, and after each the urgent byte if there is one. */
static void echo(int fd)
{
    char data[4096], urgent;
    ssize_t n;

    while ((n = recv(fd, data, sizeof data, 0)) > 0) {
        bool is_urgent =
            recv(fd, &urgent, 1, MSG_OOB | MSG_DONTWAIT) == 1; /* before more may come */
        send(fd, data, (size_t)n, MSG_NOSIGNAL);
        if (is_urgent)
            send(fd, &urgent, 1, MSG_OOB | MSG_NOSIGNAL);
    }
}

/* The same, but that nothing is read before all is there. */
static void echo_late(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    if (poll(&p, 1, -1) == 1)
        echo(fd);
}

static void *serve_connection(void *arg)
{
    int fd = (int)(long)arg;
    struct request r;
    uint64_t answer = free_kib();

    if (take(fd, &r, sizeof r) && r.magic == MAGIC) {
        if (r.kind == KIND_LAST)
            send_last(fd, &r);
        if (r.kind == KIND_DATA)
            exchange(fd, r.seed, r.down, r.up, true);
        else if (r.kind == KIND_ECHO)
            echo(fd);
        else if (r.kind == KIND_LATE)
            echo_late(fd);
        else
            send(fd, &answer, sizeof answer, MSG_NOSIGNAL);
        if (r.kind == KIND_QUIT) {
            shutdown(fd, SHUT_WR);
            recv(fd, &r, 1, 0); /* until the client has it */
            exit(0);
        }
    }
    close(fd);
    return NULL;
}

/* Nobody on a wire is this machine. */
static bool is_loopback(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

static void *serve_datagrams(void *arg)
{
    int fd = (int)(long)arg;
    char data[65536];

    for (;;) {
        struct sockaddr_in6 from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &len);
        NEED(n < 0 || !is_loopback(&from.sin6_addr));
        if (n >= 0)
            sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
    return NULL;
}

static void spawn(void *(*body)(void *), long fd)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pthread_create(&thread, &attributes, body, (void *)fd))
        NEED(errno == EAGAIN);
}

static int bound(int type, int port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int fd = socket(AF_INET6, type, 0), one = 1;

    NEED(fd >= 0);
    NEED(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    NEED(!bind(fd, (struct sockaddr *)&any, sizeof any));
    return fd;
}

_Noreturn static void serve(int port)
{
    int listener = bound(SOCK_STREAM, port), fd;

    spawn(serve_datagrams, bound(SOCK_DGRAM, port));
    NEED(!listen(listener, 128));
    puts("listening");
    fflush(stdout);
    for (;;)
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            spawn(serve_connection, fd);
        else
            NEED(errno == ECONNABORTED || errno == EINTR);
}

/* --- clients ----------------------------------------------------------------------------------------------- */

static struct sockaddr_storage server;
static socklen_t server_len;
static unsigned long rounds, seconds, up, down;

/* A machine that has just begun may still be waiting for a router to tell it an address. */
static void wait_for_way(void)
{
    int fd = socket(server.ss_family, SOCK_DGRAM, 0), ret;
    struct timespec a_while = {0, 10000000};

    NEED(fd >= 0);
    for (int tries = 6000; (ret = connect(fd, (struct sockaddr *)&server, server_len)) && tries > 0;
         tries--)
        nanosleep(&a_while, NULL);
    NEED(!ret);
    close(fd);
}

static void find(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;

    NEED(!getaddrinfo(host, port, &hints, &found));
    memcpy(&server, found->ai_addr, found->ai_addrlen);
    server_len = found->ai_addrlen;
    freeaddrinfo(found);
    wait_for_way();
}

static int new_socket(void)
{
    int fd = socket(server.ss_family, SOCK_STREAM, 0);
    NEED(fd >= 0);
    return fd;
}

static int open_with(struct request r)
{
    int fd = new_socket();

    r.magic = MAGIC;
    NEED(!connect(fd, (struct sockaddr *)&server, server_len));
    NEED(send(fd, &r, sizeof r, MSG_NOSIGNAL) == sizeof r);
    return fd;
}

static void transfer(uint32_t seed, uint64_t out, uint64_t in)
{
    int fd = open_with((struct request){.kind = KIND_DATA, .seed = seed, .up = out, .down = in});

    NEED(exchange(fd, seed, out, in, false));
    close(fd);
}

static void *bulk_thread(void *arg)
{
    for (unsigned long k = 0; k < rounds; k++)
        transfer((uint32_t)((long)arg * 1000 + k), up, down);
    return NULL;
}

static void close_with_reset(int fd)
{
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* One connection, ended in one of six ways. */
static void churn_once(uint32_t x)
{
    struct request r = {.kind = KIND_DATA, .seed = x, .up = x >> 4 & 0x3fff, .down = x >> 18};
    char data[1000];
    int fd;

    switch (x % 6) {
    case 0: /* nothing said */
        fd = new_socket();
        NEED(!connect(fd, (struct sockaddr *)&server, server_len));
        close(fd);
        break;
    case 1: /* left in the middle of the handshake */
        fd = new_socket();
        fcntl(fd, F_SETFL, O_NONBLOCK);
        NEED(!connect(fd, (struct sockaddr *)&server, server_len) || errno == EINPROGRESS);
        close(fd);
        break;
    case 2: /* reset while the answer comes */
        r.down = 1 << 20;
        fd = open_with(r);
        (void)!recv(fd, data, sizeof data, 0);
        close_with_reset(fd);
        break;
    case 3: /* closed with bytes unread and promised bytes unsent */
        r.up = 1000, r.down = 100000;
        fd = open_with(r);
        (void)!recv(fd, data, sizeof data, 0);
        close(fd);
        break;
    default: /* as it should be */
        transfer(x, r.up, r.down);
    }
}

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void *churn_thread(void *arg)
{
    uint32_t x = (uint32_t)(long)arg * 2654435761u + 1;

    for (time_t end = now() + (time_t)seconds; now() < end;) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        churn_once(x);
    }
    return NULL;
}

static void in_threads(void *(*body)(void *), long n)
{
    pthread_t threads[n];

    for (long i = 0; i < n; i++)
        NEED(!pthread_create(&threads[i], NULL, body, (void *)(i + 1)));
    for (long i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    puts("done");
}

static void ask(enum kind kind)
{
    struct linger until_heard = {1, 10};
    int fd = open_with((struct request){.kind = kind});
    uint64_t answer;

    NEED(take(fd, &answer, sizeof answer));
    /* This machine may end with the program: not before the server knows that it has its answer.  The server's may then be
     * gone without our hearing of that. */
    NEED(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &until_heard, sizeof until_heard));
    close(fd);
    if (kind == KIND_MEMORY)
        printf("%lu\n", (unsigned long)answer);
}

/* The client says nothing more: either it is asked now and then, or it has a second to acknowledge what it was sent. */
static void alone(int port, bool is_asked)
{
    static const int one = 1, two = 2, probes = 3, ms = 1000;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char byte;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(l, (struct sockaddr *)&any, sizeof any) || listen(l, 1))
        exit(1);
    puts("listening");
    fflush(stdout);
    int s = accept(l, NULL, NULL);
    if (is_asked) {
        if (setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) ||
            setsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof one) ||
            setsockopt(s, IPPROTO_TCP, TCP_KEEPINTVL, &two, sizeof two) ||
            setsockopt(s, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes))
            exit(1);
    } else if (setsockopt(s, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms) ||
               send(s, "x", 1, 0) != 1) {
        exit(1);
    }
    puts("connected");
    fflush(stdout);
    ssize_t n = recv(s, &byte, 1, 0);
    printf("%zd: %s\n", n, n < 0 ? strerror(errno) : "no error");
    fflush(stdout);
    exit(0);
}

static void refused(void)
{
    int fd = socket(server.ss_family, SOCK_DGRAM, 0);
    char byte;

    NEED(fd >= 0 && !connect(fd, (struct sockaddr *)&server, server_len));
    NEED(send(fd, "x", 1, 0) == 1);
    NEED(recv(fd, &byte, 1, 0) < 0);
    puts(strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "alone"))
        alone(atoi(argv[2]), !strcmp(argv[3], "keepalive"));
    if (argc == 3 && !strcmp(argv[1], "serve"))
        serve(atoi(argv[2]));
    if (argc < 4)
        return 2;
    find(argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "refused")) {
        refused();
        return 0;
    }
    bool quits = !strcmp(argv[argc - 1], "quit");
    if (argc == 8 + quits && !strcmp(argv[1], "bulk")) {
        rounds = strtoul(argv[5], NULL, 10);
        up = strtoul(argv[6], NULL, 10);
        down = strtoul(argv[7], NULL, 10);
        in_threads(bulk_thread, atol(argv[4]));
    } else if (argc == 6 + quits && !strcmp(argv[1], "churn")) {
        seconds = strtoul(argv[5], NULL, 10);
        in_threads(churn_thread, atol(argv[4]));
    } else if (argc == 5 && !strcmp(argv[1], "ask") && !quits) {
        ask(KIND_MEMORY);
    } else if (argc != 5 || strcmp(argv[1], "ask") != 0) {
        return 2;
    }
    if (quits)
        ask(KIND_QUIT);
    return 0;
}
