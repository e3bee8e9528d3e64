/* Listening on AF_UNIX: accept, backlog, what each side is told, who waits for whom. */
#include "socket_test.h"

static int type;

static int listener(const char *name, int backlog)
{
    int l = socket(AF_UNIX, type, 0);
    NEED(l >= 0 && un_bind(l, name) == 0 && listen(l, backlog) == 0);
    return l;
}

static void basics(void)
{
    int l = socket(AF_UNIX, type, 0), c = socket(AF_UNIX, type, 0);
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    char buf[8];
    SHOW(listen(l, 1));
    SHOW(accept(l, NULL, NULL));
    SHOW(un_bind(l, "@abi-listen"));
    SHOW(un_connect(c, "@abi-listen"));
    SHOW(listen(l, 1));
    SHOW(listen(l, 5));
    say_ready("listener", l);
    say("accepts %d", get_opt(l, SOL_SOCKET, SO_ACCEPTCONN));
    SHOW(fcntl(l, F_SETFL, O_NONBLOCK));
    SHOW(accept(l, NULL, NULL));
    SHOW(un_connect(c, "@abi-listen"));
    say_ready("listener with one", l);
    say_ready("connected", c);
    SHOW(send(c, "early", 5, 0));
    /* The library would try again without the flags. */
    SHOW(syscall(SYS_accept4, l, NULL, NULL, 0x40000000));
    SHOW(syscall(SYS_accept4, -1, NULL, NULL, 0x40000000));
    int a = accept4(l, (struct sockaddr *)&un, &len, SOCK_CLOEXEC);
    NEED(a >= 0);
    say("client's name: length %u, flags %x %x", len, fcntl(a, F_GETFD), fcntl(a, F_GETFL));
    SHOW(recv(a, buf, 8, 0));
    len = sizeof un;
    SHOW(getsockname(a, (struct sockaddr *)&un, &len));
    say_addr("accepted", &un, len);
    len = sizeof un;
    SHOW(getpeername(c, (struct sockaddr *)&un, &len));
    say_addr("peer", &un, len);
    SHOW(un_connect(c, "@abi-listen"));
    SHOW(un_connect(l, "@abi-listen"));
    SHOW(listen(c, 1));
    SHOW(send(l, "x", 1, MSG_NOSIGNAL));
    SHOW(recv(l, buf, 1, 0));
    int n;
    SHOW(ioctl(l, FIONREAD, &n));
    SHOW(ioctl(l, SIOCOUTQ, &n));
    SHOW(un_bind(a, "@abi-other"));
    close(a);
    SHOW(send(c, "x", 1, MSG_NOSIGNAL));
    SHOW(recv(c, buf, 8, 0));
    close(c);
    close(l);
    c = socket(AF_UNIX, type, 0);
    SHOW(un_connect(c, "@abi-listen"));
    close(c);
}

static void backlog(void)
{
    int l = listener("@abi-backlog", 1), c[6];
    for (int i = 0; i < 6; i++) {
        c[i] = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
        say("%d: %s", i, un_connect(c[i], "@abi-backlog") == 0 ? "connected" : strerror(errno));
    }
    int a = accept(l, NULL, NULL);
    SHOW(un_connect(c[4], "@abi-backlog"));
    SHOW(un_connect(c[5], "@abi-backlog"));
    /* The limit can be raised. */
    SHOW(listen(l, 3));
    SHOW(un_connect(c[5], "@abi-backlog"));
    SHOW(un_connect(c[2], "@abi-backlog"));
    close(l);
    for (int i = 0; i < 6; i++)
        say_ready("listener gone", c[i]);
    char buf[4];
    SHOW(recv(c[1], buf, 4, 0));
    SHOW(recv(c[1], buf, 4, 0));
    SHOW(recv(c[0], buf, 4, 0));
    SHOW(send(c[1], "x", 1, MSG_NOSIGNAL));
    for (int i = 0; i < 6; i++)
        close(c[i]);
    close(a);
}

static int wait_listener;
static pid_t waiter_tid;

static void *connect_thread(void *arg)
{
    int c = socket(AF_UNIX, type, 0);
    __atomic_store_n(&waiter_tid, tid_of_self(), __ATOMIC_RELEASE);
    long ret = un_connect(c, "@abi-wait");
    *(long *)arg = ret == 0 ? 0 : -errno;
    return (void *)(long)c;
}

static void *accept_thread(void *arg)
{
    __atomic_store_n(&waiter_tid, tid_of_self(), __ATOMIC_RELEASE);
    long ret = accept(wait_listener, NULL, NULL);
    *(long *)arg = ret >= 0 ? 0 : -errno;
    return (void *)ret;
}

static void wait_for_waiter(void)
{
    while (!__atomic_load_n(&waiter_tid, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(waiter_tid);
    waiter_tid = 0;
}

static void waiting(void)
{
    pthread_t t;
    void *fd;
    long ret = 1;
    wait_listener = listener("@abi-wait", 0);
    int c = socket(AF_UNIX, type, 0);
    SHOW(un_connect(c, "@abi-wait"));
    NEED(pthread_create(&t, NULL, connect_thread, &ret) == 0);
    wait_for_waiter();
    int a = accept(wait_listener, NULL, NULL), b = accept(wait_listener, NULL, NULL);
    NEED(pthread_join(t, &fd) == 0);
    say("connect waited: %ld", ret);
    close(a);
    close(b);
    close((int)(long)fd);
    NEED(pthread_create(&t, NULL, accept_thread, &ret) == 0);
    wait_for_waiter();
    int d = socket(AF_UNIX, type, 0);
    SHOW(un_connect(d, "@abi-wait"));
    NEED(pthread_join(t, &fd) == 0);
    say("accept waited: %ld", ret);
    close((int)(long)fd);
    NEED(pthread_create(&t, NULL, accept_thread, &ret) == 0);
    wait_for_waiter();
    SHOW(shutdown(wait_listener, SHUT_RD));
    NEED(pthread_join(t, &fd) == 0);
    say("accept of a listener shut down: %s", strerror((int)-ret));
    say_ready("shut down", wait_listener);
    close(d);
    d = socket(AF_UNIX, type, 0);
    SHOW(un_connect(d, "@abi-wait"));
    close(wait_listener);
    wait_listener = listener("@abi-wait", 0);
    SHOW(un_connect(d, "@abi-wait"));
    NEED(pthread_create(&t, NULL, connect_thread, &ret) == 0);
    wait_for_waiter();
    close(wait_listener);
    NEED(pthread_join(t, &fd) == 0);
    say("connect to a listener that goes: %s", strerror((int)-ret));
    close((int)(long)fd);
    close(d);
    close(c);
    wait_listener = listener("@abi-wait", 0);
    struct timeval tv = {0, 50000};
    SHOW(setsockopt(wait_listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    long start = now_ms();
    SHOW(accept(wait_listener, NULL, NULL));
    CHECK(now_ms() - start >= 49);
    c = socket(AF_UNIX, type, 0);
    SHOW(un_connect(c, "@abi-wait"));
    d = socket(AF_UNIX, type, 0);
    SHOW(setsockopt(d, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    SHOW(un_connect(d, "@abi-wait"));
    close(c);
    close(d);
    close(wait_listener);
}

static void out_of_descriptors(void)
{
    struct rlimit old, limit;
    int l = listener("@abi-emfile", 5), c = socket(AF_UNIX, type, 0), ls[2];
    NEED(getrlimit(RLIMIT_NOFILE, &old) == 0);
    SHOW(un_connect(c, "@abi-emfile"));
    limit = old;
    limit.rlim_cur = (rlim_t)c + 1;
    NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    SHOW(accept(l, NULL, NULL));
    SHOW(socket(AF_UNIX, type, 0));
    SHOW(socketpair(AF_UNIX, type, 0, ls));
    NEED(setrlimit(RLIMIT_NOFILE, &old) == 0);
    int a = accept(l, NULL, NULL);
    CHECK(a >= 0);
    close(a);
    close(c);
    close(l);
}

int main(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (unsigned i = 0; i < NR(types); i++) {
        type = types[i];
        say("type %d", type);
        basics();
        backlog();
        waiting();
        out_of_descriptors();
    }
    return done();
}
