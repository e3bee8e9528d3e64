/* Control messages: descriptors and credentials together, what is cut when there is no room, descriptors in flight, and
 * what is refused. */
#include "socket_test.h"

struct ucred_ {
    int pid;
    unsigned uid, gid;
};

union control {
    struct cmsghdr align;
    char room[512];
};

static int end[2];

static size_t add(struct msghdr *m, size_t used, int level, int type, const void *data, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_control + used);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    m->msg_controllen = used + CMSG_SPACE(len);
    return m->msg_controllen;
}

static struct msghdr message(struct iovec *v, union control *c)
{
    memset(c, 0, sizeof *c);
    return (struct msghdr){.msg_iov = v, .msg_iovlen = 1, .msg_control = c};
}

static void say_received(const char *what, size_t room, int flags)
{
    union control c;
    char byte = '?';
    struct iovec v = {&byte, 1};
    struct msghdr m = message(&v, &c);

    m.msg_controllen = room;
    ssize_t n = recvmsg(end[1], &m, flags | MSG_DONTWAIT);
    if (n < 0) {
        say("%s: %s", what, strerror(errno));
        return;
    }
    say("%s: %zd %c, flags %x, control %zu", what, n, byte, m.msg_flags, (size_t)m.msg_controllen);
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_type == SCM_RIGHTS) {
            size_t nr = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            int *fds = (int *)CMSG_DATA(h);
            say("  %zu descriptors, close-on-exec %d", nr, nr ? fcntl(fds[0], F_GETFD) : -1);
            for (size_t i = 0; i < nr; i++)
                close(fds[i]);
        } else if (h->cmsg_type == 2) {
            struct ucred_ u;
            memcpy(&u, CMSG_DATA(h), sizeof u);
            say("  credentials: self %d, %u, %u", u.pid == getpid(), u.uid, u.gid);
        } else {
            say("  level %d, type %d", h->cmsg_level, h->cmsg_type);
        }
    }
}

static long send_control(const void *data, size_t len, int level, int type)
{
    union control c;
    char byte = 'x';
    struct iovec v = {&byte, 1};
    struct msghdr m = message(&v, &c);

    add(&m, 0, level, type, data, len);
    return sendmsg(end[0], &m, MSG_DONTWAIT);
}

static void rights_and_credentials(void)
{
    union control c;
    char byte = 'b';
    struct iovec v = {&byte, 1};
    struct msghdr m = message(&v, &c);
    struct ucred_ self = {getpid(), 0, 0};
    int fds[3] = {0, 1, 2}, on = 1;
    size_t used = 0;

    used = add(&m, used, SOL_SOCKET, SCM_RIGHTS, fds, sizeof fds);
    add(&m, used, SOL_SOCKET, 2, &self, sizeof self);
    SHOW(sendmsg(end[0], &m, 0));
    say_received("not asked for credentials", sizeof c, 0);
    NEED(setsockopt(end[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    SHOW(sendmsg(end[0], &m, 0));
    say_received("both", sizeof c, MSG_CMSG_CLOEXEC);
    SHOW(send(end[0], "p", 1, 0));
    say_received("nothing sent, credentials all the same", sizeof c, 0);
    SHOW(sendmsg(end[0], &m, 0));
    say_received("room for credentials only", CMSG_SPACE(sizeof self), 0);
    SHOW(sendmsg(end[0], &m, 0));
    say_received("room for two of three", CMSG_SPACE(sizeof self) + CMSG_LEN(2 * sizeof(int)), 0);
    SHOW(sendmsg(end[0], &m, 0));
    say_received("no room", 0, 0);
    on = 0;
    NEED(setsockopt(end[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
}

static void drain(void)
{
    char bytes[16];

    while (recv(end[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void refused(void)
{
    struct ucred_ self = {getpid(), 0, 0}, other = {1 << 22, 0, 0}, nobody = {getpid(), 77, 77};
    int bad = 999, good = 0, many[254];

    for (size_t i = 0; i < NR(many); i++)
        many[i] = 0;
    SHOW(send_control(&bad, sizeof bad, SOL_SOCKET, SCM_RIGHTS));
    SHOW(send_control(&good, 3, SOL_SOCKET, SCM_RIGHTS)); /* not a whole one: none */
    SHOW(send_control(&good, 0, SOL_SOCKET, SCM_RIGHTS));
    SHOW(send_control(&self, sizeof self - 1, SOL_SOCKET, 2));
    SHOW(send_control(&self, sizeof self, SOL_SOCKET, 2));
    SHOW(send_control(&nobody, sizeof nobody, SOL_SOCKET, 2));
    SHOW(send_control(&other, sizeof other, SOL_SOCKET, 2));
    SHOW(send_control(&good, sizeof good, SOL_SOCKET, 99));
    SHOW(send_control(&good, sizeof good, 99, SCM_RIGHTS)); /* somebody else's: passed over */
    drain();
    union control c;
    char byte = 'x', *room = malloc(CMSG_SPACE(sizeof many));
    struct iovec v = {&byte, 1};
    struct msghdr m = message(&v, &c);
    m.msg_control = room;
    add(&m, 0, SOL_SOCKET, SCM_RIGHTS, many, sizeof many);
    SHOW(sendmsg(end[0], &m, MSG_DONTWAIT));
    m = message(&v, &c);
    m.msg_controllen = sizeof(struct cmsghdr) - 1; /* no whole header */
    SHOW(sendmsg(end[0], &m, MSG_DONTWAIT));
    m.msg_controllen = sizeof(struct cmsghdr);
    c.align.cmsg_len = 1000; /* longer than what there is */
    SHOW(sendmsg(end[0], &m, MSG_DONTWAIT));
    c.align.cmsg_len = 1;
    SHOW(sendmsg(end[0], &m, MSG_DONTWAIT));
    v.iov_len = 0; /* descriptors need a byte of a stream to ride on */
    m = message(&v, &c);
    add(&m, 0, SOL_SOCKET, SCM_RIGHTS, &good, sizeof good);
    SHOW(sendmsg(end[0], &m, MSG_DONTWAIT));
    free(room);
    drain();
}

/* A pipe whose only end to read is on its way: it lives until it is taken or dropped. */
static void in_flight(void)
{
    int ends[2];

    NEED(pipe(ends) == 0);
    signal(SIGPIPE, SIG_IGN);
    NEED(send_control(&ends[0], sizeof(int), SOL_SOCKET, SCM_RIGHTS) == 1);
    close(ends[0]);
    SHOW(write(ends[1], "x", 1));
    say_received("looked at: a copy", sizeof(union control), MSG_PEEK);
    SHOW(write(ends[1], "x", 1));
    char byte;
    SHOW(recv(end[1], &byte, 1, 0)); /* without room for it: dropped */
    SHOW(write(ends[1], "x", 1));
    close(ends[1]);
    /* Messages with descriptors are not run together. */
    int zero = 0;
    NEED(send_control(&zero, sizeof zero, SOL_SOCKET, SCM_RIGHTS) == 1 &&
         send(end[0], "yz", 2, 0) == 2);
    char text[8] = "";
    SHOW(recv(end[1], text, sizeof text, 0));
    SHOW(recv(end[1], text, sizeof text, 0));
}

int main(void)
{
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, end) == 0);
    rights_and_credentials();
    refused();
    in_flight();
    return done();
}
