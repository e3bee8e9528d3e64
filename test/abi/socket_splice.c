/* splice, sendfile and tee on sockets; and who sleeps in one while another thread shuts it down. */
#include <sys/sendfile.h>

#include "inet_test.h"

static int a, b, in, out;
static char bytes[1 << 16];

static void make_pipe(void)
{
    int ends[2];
    NEED(pipe(ends) == 0);
    in = ends[0];
    out = ends[1];
}

static void end(void)
{
    close(in);
    close(out);
    close(a);
    close(b);
}

static void connected(int family, int type)
{
    struct sockaddr_storage at;
    if (family == AF_UNIX) {
        int ends[2];
        NEED(socketpair(AF_UNIX, type, 0, ends) == 0);
        a = ends[0];
        b = ends[1];
        return;
    }
    int l = inet_bound(family, type, &at);
    a = socket(family, type, 0);
    if (type == SOCK_STREAM) {
        NEED(listen(l, 1) == 0 && connect(a, (struct sockaddr *)&at, addr_len(family)) == 0);
        NEED((b = accept(l, NULL, NULL)) >= 0);
        close(l);
    } else {
        NEED(connect(a, (struct sockaddr *)&at, addr_len(family)) == 0);
        b = l;
    }
}

static void timeout_of(int fd, int option, int ms)
{
    struct timeval t = {0, ms * 1000};
    NEED(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0);
}

static void from_socket(int family, int type)
{
    make_pipe();
    connected(family, type);
    NEED(send(a, "0123456789", 10, 0) == 10);
    wait_readable(b);
    SHOW(splice(b, NULL, out, NULL, 4, 0));
    SHOW(read(in, bytes, sizeof bytes));
    if (type == SOCK_STREAM) {
        SHOW(splice(b, NULL, out, NULL, 100, 0));
        SHOW(read(in, bytes, sizeof bytes));
        /* What the flag says is meant for the pipe. */
        timeout_of(b, SO_RCVTIMEO, 100);
        long before = now_ms();
        SHOW(splice(b, NULL, out, NULL, 1, SPLICE_F_NONBLOCK));
        say("waits: %d", now_ms() - before >= 90);
    }
    fcntl(b, F_SETFL, O_NONBLOCK);
    SHOW(splice(b, NULL, out, NULL, 1, 0));
    SHOW(tee(b, out, 1, 0));
    SHOW(sendfile(a, b, NULL, 1));
    if (type == SOCK_STREAM) {
        shutdown(a, SHUT_WR);
        wait_readable(b);
        SHOW(splice(b, NULL, out, NULL, 1, 0));
        NEED(write(out, "x", 1) == 1);
        signal(SIGPIPE, SIG_IGN);
        SHOW(splice(in, NULL, a, NULL, 1, 0));
    }
    end();
}

static void to_socket(int family, int type)
{
    FILE *f = tmpfile();
    off_t at = 2;
    make_pipe();
    connected(family, type);
    NEED(f && fwrite("abcdefghij", 1, 10, f) == 10 && fflush(f) == 0);
    SHOW(sendfile(a, fileno(f), &at, 3));
    wait_readable(b);
    SHOW(recv(b, bytes, sizeof bytes, MSG_DONTWAIT));
    say("%.3s, offset %d", bytes, (int)at);
    SHOW(sendfile(a, fileno(f), &at, 100));
    wait_readable(b);
    SHOW(recv(b, bytes, sizeof bytes, MSG_DONTWAIT));
    SHOW(sendfile(a, fileno(f), &at, 100));
    SHOW(recv(b, bytes, sizeof bytes, MSG_DONTWAIT));
    NEED(write(out, "klmno", 5) == 5);
    SHOW(splice(in, NULL, a, NULL, 3, 0));
    wait_readable(b);
    SHOW(recv(b, bytes, sizeof bytes, MSG_DONTWAIT));
    SHOW(splice(in, NULL, a, NULL, 100, 0));
    wait_readable(b);
    SHOW(recv(b, bytes, sizeof bytes, MSG_DONTWAIT));
    SHOW(splice(in, NULL, a, NULL, 100, SPLICE_F_NONBLOCK));
    if (type == SOCK_STREAM) {
        fcntl(a, F_SETFL, O_NONBLOCK);
        while (send(a, bytes, sizeof bytes, 0) > 0)
            ;
        at = 0;
        sleep_ms(300);
        while (send(a, bytes, sizeof bytes, 0) > 0)
            ;
        while (send(a, bytes, 1, 0) > 0)
            ;
        SHOW(sendfile(a, fileno(f), &at, 5));
        NEED(write(out, "p", 1) == 1);
        SHOW(splice(in, NULL, a, NULL, 1, 0));
        say("left in the pipe: %zd, offset %d", read(in, bytes, 10), (int)at);
    }
    fclose(f);
    end();
}

/* --- sleepers ------------------------------------------------------------------------------------------ */

enum what { ACCEPT, RECV, POLL, SPLICE };
static enum what what;
static pid_t sleeper;

static void *asleep(void *arg)
{
    int fd = *(int *)arg;
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
    __atomic_store_n(&sleeper, tid_of_self(), __ATOMIC_SEQ_CST);
    if (what == ACCEPT)
        SHOW(accept(fd, NULL, NULL));
    else if (what == RECV)
        SHOW(recv(fd, bytes, 10, 0));
    else if (what == SPLICE)
        SHOW(splice(fd, NULL, out, NULL, 10, 0));
    else if (poll(&p, 1, -1) == 1)
        say("poll: %x", p.revents);
    return NULL;
}

/* Is woken by shutdown(2) of its own socket, or by what happens to the peer. */
static void sleeps(enum what w, int fd, int other, int how)
{
    pthread_t t;
    what = w;
    sleeper = 0;
    NEED(pthread_create(&t, NULL, asleep, &fd) == 0);
    while (!__atomic_load_n(&sleeper, __ATOMIC_SEQ_CST))
        sched_yield();
    wait_until_asleep(sleeper);
    if (how < 0)
        close(other);
    else
        NEED(shutdown(other, how) == 0);
    pthread_join(t, NULL);
}

static void sleepers(int family)
{
    static const enum what all[] = {RECV, POLL, SPLICE};
    for (size_t i = 0; i < NR(all); i++) {
        for (int own = 0; own < 2; own++) {
            for (int how = -1; how < 3; how++) {
                if ((own && how != SHUT_RD && how != SHUT_RDWR) || (!own && how == SHUT_RD))
                    continue;
                make_pipe();
                connected(family, SOCK_STREAM);
                say("sleeper %u, own %d, how %d", all[i], own, how);
                sleeps(all[i], b, own ? b : a, how);
                end();
            }
        }
    }
    if (family == AF_UNIX)
        return;
    struct sockaddr_storage at;
    for (int i = 0; i < 2; i++) {
        int l = tcp_listener(family, &at, 1);
        sleeps(i ? POLL : ACCEPT, l, l, SHUT_RD);
        close(l);
    }
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
    for (size_t i = 0; i < NR(families); i++) {
        /* Over IPv6 Linux keeps the end of what sendfile(2) sent in a datagram that more may come for. */
        for (int type = SOCK_STREAM; type <= (families[i] == AF_INET6 ? SOCK_STREAM : SOCK_DGRAM);
             type++) {
            say("family %d, type %d", families[i], type);
            from_socket(families[i], type);
            to_socket(families[i], type);
        }
        sleepers(families[i]);
    }
    return done();
}
