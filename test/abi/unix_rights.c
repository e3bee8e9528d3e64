/* Descriptors through AF_UNIX: SCM_RIGHTS, what cuts it, who closes what, and cycles that nobody can reach. */
#include "socket_test.h"

static int type;

/* Is the other end of the pipe closed everywhere? */
static bool is_closed(int read_end)
{
    struct pollfd p = {.fd = read_end, .events = POLLIN};
    NEED(poll(&p, 1, 0) >= 0);
    return p.revents & POLLHUP;
}

static void new_pipe(int p[2])
{
    NEED(pipe(p) == 0);
}

static void basics(void)
{
    int s[2], p[2], fds[8], flags = 0;
    char buf[8];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    new_pipe(p);
    SHOW(send_fds(s[0], &p[1], 1, 0));
    close(p[1]);
    CHECK(!is_closed(p[0]));
    SHOW(recv_fds(s[1], fds, 4, 0, &flags));
    say("flags %x", flags);
    SHOW(write(fds[0], "pipe", 4));
    SHOW(read(p[0], buf, 8));
    SHOW(fcntl(fds[0], F_GETFD));
    close(fds[0]);
    CHECK(is_closed(p[0]));
    close(p[0]);

    /* Room for fewer, for none, and no control data at all. */
    for (int room = 3; room >= 0; room--) {
        new_pipe(p);
        int three[3] = {p[1], dup(p[1]), dup(p[1])};
        NEED(send_fds(s[0], three, 3, 0) == 1);
        for (int i = 0; i < 3; i++)
            close(three[i]);
        int nr = recv_fds(s[1], fds, room, room == 2 ? MSG_CMSG_CLOEXEC : 0, &flags);
        say("room for %d: %d came, flags %x", room, nr, flags);
        CHECK(is_closed(p[0]) == (nr == 0));
        for (int i = 0; i < nr; i++) {
            say("descriptor flags %d", fcntl(fds[i], F_GETFD));
            close(fds[i]);
        }
        CHECK(is_closed(p[0]));
        close(p[0]);
    }
    new_pipe(p);
    NEED(send_fds(s[0], &p[1], 1, 0) == 1);
    close(p[1]);
    SHOW(read(s[1], buf, 8));
    CHECK(is_closed(p[0]));
    close(p[0]);

    /* Looking does not take away. */
    new_pipe(p);
    NEED(send_fds(s[0], &p[1], 1, 0) == 1);
    close(p[1]);
    SHOW(recv_fds(s[1], fds, 4, MSG_PEEK, &flags));
    SHOW(recv_fds(s[1], fds + 1, 4, MSG_PEEK, &flags));
    SHOW(recv_fds(s[1], fds + 2, 4, 0, &flags));
    for (int i = 0; i < 3; i++) {
        CHECK(!is_closed(p[0]));
        close(fds[i]);
    }
    CHECK(is_closed(p[0]));
    close(p[0]);

    /* Closed with the message unread. */
    new_pipe(p);
    NEED(send_fds(s[0], &p[1], 1, 0) == 1);
    close(p[1]);
    CHECK(!is_closed(p[0]));
    close(s[1]);
    CHECK(is_closed(p[0]));
    close(p[0]);
    close(s[0]);
}

/* As the kernel has it: the library's may be laid out otherwise, and the library looks into it. */
struct raw_msghdr {
    void *name;
    unsigned name_len, pad;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int flags;
};

static void wrong(void)
{
    int s[2], many[254];
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(64)];
    } c;
    char byte = 'w';
    struct iovec iov = {&byte, 1};
    struct raw_msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = CMSG_LEN(4)};
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    int bad = 999;
    SHOW(send_fds(s[0], &bad, 1, 0));
    bad = -1;
    SHOW(send_fds(s[0], &bad, 1, 0));
    for (int i = 0; i < 254; i++)
        many[i] = 0;
    many[0] = s[0];
    for (int i = 1; i < 254; i++)
        many[i] = s[1];
    SHOW(send_fds(s[0], many, 253, 0));
    struct {
        size_t len;
        int level, type, fd[254];
    } big = {sizeof(size_t) + 8 + 254 * 4, SOL_SOCKET, SCM_RIGHTS, {0}};
    m.msg_control = &big;
    m.msg_controllen = sizeof big;
    memcpy(big.fd, many, sizeof many);
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_control = &c;
    m.msg_controllen = CMSG_LEN(4);
    memset(&c, 0, sizeof c);
    c.h = (struct cmsghdr){.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = 77};
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    c.h.cmsg_level = 99;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    c.h.cmsg_level = SOL_SOCKET;
    c.h.cmsg_type = SCM_RIGHTS;
    c.h.cmsg_len = 4;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    c.h.cmsg_len = CMSG_LEN(400);
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    c.h.cmsg_len = CMSG_LEN(0);
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_control = (void *)8;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_control = &c;
    m.msg_controllen = 1 << 20;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_controllen = (size_t)-1;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_controllen = 3;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    m.msg_controllen = 0;
    m.msg_iovlen = 1025;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    SHOW(syscall(SYS_recvmsg, s[0], &m, 0));
    m.msg_iovlen = 1;
    m.msg_iov = (void *)8;
    SHOW(syscall(SYS_sendmsg, s[0], &m, 0));
    SHOW(syscall(SYS_sendmsg, s[0], (void *)8, 0));
    SHOW(syscall(SYS_recvmsg, s[0], (void *)8, 0));
    SHOW(syscall(SYS_sendmsg, 0, (void *)8, 0) == -1 && (errno == ENOTSOCK || errno == EBADF));
    close(s[0]);
    close(s[1]);
}

/* Descriptors end what one call reads of a stream. */
static void stream_borders(void)
{
    int s[2], p[2], fds[4], flags;
    char buf[16];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    new_pipe(p);
    NEED(write(s[0], "ab", 2) == 2);
    NEED(send_fds(s[0], &p[0], 1, 0) == 1);
    NEED(write(s[0], "cd", 2) == 2);
    NEED(send_fds(s[0], &p[1], 1, 0) == 1);
    SHOW(recv(s[1], buf, 2, MSG_PEEK));
    struct iovec iov = {buf, 16};
    char control[CMSG_SPACE(16)];
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    SHOW(recvmsg(s[1], &m, 0));
    say("control %zu, flags %x", (size_t)m.msg_controllen, m.msg_flags);
    close(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)));
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(s[1], &m, 0));
    say("control %zu, flags %x", (size_t)m.msg_controllen, m.msg_flags);
    close(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)));
    SHOW(recv_fds(s[1], fds, 4, MSG_DONTWAIT, &flags));
    close(p[0]);
    close(p[1]);
    close(s[0]);
    close(s[1]);
}

/* A socket in its own queue, and two in each other's, with a pipe end inside: closing the last descriptor must
 * close the pipe. */
static void cycles(void)
{
    int s[2], t[2], p[2];
    new_pipe(p);
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    int load[3] = {s[0], s[1], p[1]};
    NEED(send_fds(s[0], load, 3, 0) == 1);
    close(p[1]);
    close(s[0]);
    CHECK(!is_closed(p[0]));
    close(s[1]);
    for (int i = 0; i < 1000 && !is_closed(p[0]); i++) { /* Linux collects in the background */
        sleep_ms(5);
        int any[2];
        NEED(socketpair(AF_UNIX, type, 0, any) == 0);
        close(any[0]);
        close(any[1]);
    }
    CHECK(is_closed(p[0]));
    close(p[0]);

    new_pipe(p);
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    NEED(socketpair(AF_UNIX, type, 0, t) == 0);
    int a[3] = {t[0], t[1], p[1]}, b[2] = {s[0], s[1]};
    NEED(send_fds(s[0], a, 3, 0) == 1);
    NEED(send_fds(t[0], b, 2, 0) == 1);
    close(p[1]);
    close(s[0]);
    close(s[1]);
    close(t[0]);
    CHECK(!is_closed(p[0]));
    /* Still reachable: t[1] reads s, which reads t. */
    int fds[4], flags;
    SHOW(recv_fds(t[1], fds, 4, 0, &flags));
    SHOW(recv_fds(fds[1], fds + 2, 1, 0, &flags));
    close(fds[2]);
    close(fds[0]);
    close(fds[1]);
    CHECK(is_closed(p[0]));
    close(p[0]);
    close(t[1]);
}

/* A chain as long as it gets: each socket lies in the next one's queue. */
static void chain(void)
{
    int s[2], last, p[2];
    new_pipe(p);
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    NEED(send_fds(s[0], &p[1], 1, 0) == 1);
    close(p[1]);
    close(s[0]);
    last = s[1];
    for (int i = 0; i < 900; i++) {
        NEED(socketpair(AF_UNIX, type, 0, s) == 0);
        NEED(send_fds(s[0], &last, 1, 0) == 1);
        close(s[0]);
        close(last);
        last = s[1];
    }
    CHECK(!is_closed(p[0]));
    close(last);
    for (int i = 0; i < 1000 && !is_closed(p[0]); i++)
        sleep_ms(5);
    CHECK(is_closed(p[0]));
    close(p[0]);
}

int main(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (unsigned i = 0; i < NR(types); i++) {
        type = types[i];
        say("type %d", type);
        basics();
        wrong();
        cycles();
        chain();
    }
    stream_borders();
    return done();
}
