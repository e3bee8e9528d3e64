/* What poll says of every kind of descriptor in every state: readable, writable, and the ends of it. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "socket_test.h"

static void say_poll(const char *what, int fd)
{
    struct pollfd p = {fd,
                       POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM |
                           POLLRDBAND | POLLWRBAND,
                       0};
    int n = poll(&p, 1, 0);
    struct pollfd only = {fd, 0, 0};

    poll(&only, 1, 0);
    say("%-40s %d %04x, unasked %04x", what, n, p.revents, only.revents);
}

static void pipes(void)
{
    static char block[65536];
    int e[2];

    NEED(pipe2(e, O_NONBLOCK) == 0);
    say_poll("pipe, empty, to read", e[0]);
    say_poll("pipe, empty, to write", e[1]);
    NEED(write(e[1], block, 1) == 1);
    say_poll("pipe, one byte, to read", e[0]);
    NEED(write(e[1], block, sizeof block) > 0);
    say_poll("pipe, full, to write", e[1]);
    NEED(read(e[0], block, 4095) == 4095);
    say_poll("pipe, a byte less than a page read", e[1]);
    NEED(read(e[0], block, 2) == 2);
    say_poll("pipe, a page read", e[1]);
    close(e[0]);
    say_poll("pipe, no reader", e[1]);
    close(e[1]);
    NEED(pipe(e) == 0 && write(e[1], block, 1) == 1);
    close(e[1]);
    say_poll("pipe, no writer, one byte", e[0]);
    NEED(read(e[0], block, 1) == 1);
    say_poll("pipe, no writer, empty", e[0]);
    close(e[0]);
    NEED(mkfifo("fifo", 0600) == 0);
    int fd = open("fifo", O_RDONLY | O_NONBLOCK);
    say_poll("FIFO, no writer yet", fd);
    int out = open("fifo", O_WRONLY);
    say_poll("FIFO, a writer", fd);
    close(out);
    say_poll("FIFO, its writer gone", fd);
    int both = open("fifo", O_RDWR);
    say_poll("FIFO, both ways", both);
    close(fd);
    close(both);
    unlink("fifo");
}

static void stream(int type, const char *name)
{
    static char block[1 << 16];
    char what[60];
    int e[2];
#define WHAT(text) (snprintf(what, sizeof what, "%s, %s", name, text), what)
    NEED(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, e) == 0);
    say_poll(WHAT("new"), e[0]);
    NEED(write(e[1], "x", 1) == 1);
    say_poll(WHAT("one byte"), e[0]);
    shutdown(e[1], SHUT_WR);
    say_poll(WHAT("peer's half shut, one byte"), e[0]);
    say_poll(WHAT("own half shut"), e[1]);
    NEED(read(e[0], block, 1) == 1);
    say_poll(WHAT("peer's half shut, empty"), e[0]);
    shutdown(e[0], SHUT_WR);
    say_poll(WHAT("both halves shut"), e[0]);
    close(e[1]);
    say_poll(WHAT("peer closed"), e[0]);
    close(e[0]);
    NEED(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, e) == 0);
    shutdown(e[0], SHUT_RD);
    say_poll(WHAT("reading shut"), e[0]);
    say_poll(WHAT("reading shut at the peer"), e[1]);
    close(e[0]);
    close(e[1]);
    NEED(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, e) == 0);
    while (write(e[0], block, 1024) > 0)
        ;
    say_poll(WHAT("full"), e[0]);
    close(e[1]);
    say_poll(WHAT("full, then closed"), e[0]);
    close(e[0]);
}

static void sockets(void)
{
    stream(SOCK_STREAM, "stream");
    stream(SOCK_SEQPACKET, "seqpacket");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    say_poll("stream, not connected", fd);
    NEED(un_bind(fd, "name") == 0 && listen(fd, 1) == 0);
    say_poll("listening", fd);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(un_connect(client, "name") == 0);
    say_poll("listening, one waits", fd);
    say_poll("not accepted yet", client);
    close(fd);
    say_poll("listener gone", client);
    close(client);
    unlink("name");
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    say_poll("dgram", fd);
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    say_poll("tcp, not connected", fd);
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    say_poll("udp", fd);
    shutdown(fd, SHUT_RDWR);
    say_poll("udp, shut without a peer", fd);
    close(fd);
}

static void others(void)
{
    uint64_t most = UINT64_MAX - 1;
    sigset_t set;
    int fd = eventfd(0, EFD_NONBLOCK);

    say_poll("eventfd, 0", fd);
    NEED(write(fd, &most, 8) == 8);
    say_poll("eventfd, full", fd);
    close(fd);
    say_poll("closed", fd);
    fd = timerfd_create(CLOCK_MONOTONIC, 0);
    say_poll("timerfd, not set", fd);
    struct itimerspec soon = {.it_value = {0, 1}};
    NEED(timerfd_settime(fd, 0, &soon, NULL) == 0 &&
         poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1) == 1);
    say_poll("timerfd, gone by", fd);
    close(fd);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, 0);
    say_poll("signalfd, nothing pending", fd);
    raise(SIGUSR1);
    say_poll("signalfd, one pending", fd);
    close(fd);
    fd = inotify_init();
    say_poll("inotify, quiet", fd);
    close(fd);
    fd = epoll_create1(0);
    say_poll("epoll, empty", fd);
    close(fd);
    fd = open("file", O_CREAT | O_RDWR, 0600);
    say_poll("file", fd);
    close(fd);
    fd = open("file", O_RDONLY);
    say_poll("file, to read only", fd);
    close(fd);
    fd = open("file", O_PATH);
    say_poll("file, O_PATH", fd);
    close(fd);
    fd = open(".", O_RDONLY);
    say_poll("directory", fd);
    close(fd);
    fd = open("/dev/null", O_RDWR);
    say_poll("/dev/null", fd);
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    say_poll("/dev/zero", fd);
    close(fd);
    say_poll("negative", -1);
    unlink("file");
}

int main(void)
{
    pipes();
    sockets();
    others();
    return done();
}
