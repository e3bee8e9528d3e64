/* Who wrote: SCM_CREDENTIALS, SO_PASSCRED, SO_PEERCRED. */
#include "socket_test.h"

static void say_cred(const char *what, struct ucred c)
{
    say("%s: pid %s, uid %d, gid %d", what,
        c.pid == getpid() ? "ours"
        : c.pid == 0      ? "0"
                          : "other",
        (int)c.uid, (int)c.gid);
}

static void peer_cred(int fd, const char *what)
{
    struct ucred c = {77, 77, 77};
    socklen_t len = sizeof c;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len));
    say("length %u", len);
    say_cred(what, c);
}

/* Receive and tell what control data there was. */
static void receive(int fd, const char *what, int flags)
{
    char buf[16];
    union {
        struct cmsghdr h;
        char room[256];
    } c;
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    long n = recvmsg(fd, &m, flags);
    say("%s: %ld bytes, control %zu, flags %x", what, n, (size_t)m.msg_controllen, m.msg_flags);
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); n >= 0 && h; h = CMSG_NXTHDR(&m, h)) {
        say("level %d, type %d, length %zu", h->cmsg_level, h->cmsg_type, (size_t)h->cmsg_len);
        if (h->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(h), sizeof u);
            say_cred(what, u);
        } else if (h->cmsg_type == SCM_RIGHTS) {
            close(*(int *)CMSG_DATA(h));
        }
    }
}

static long send_cred(int fd, struct ucred u)
{
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(sizeof u)];
    } c;
    memset(&c, 0, sizeof c);
    c.h = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof u), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
    memcpy(CMSG_DATA(&c.h), &u, sizeof u);
    struct iovec iov = {"c", 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    return sendmsg(fd, &m, 0);
}

static void messages(int type)
{
    int s[2], p[2];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    peer_cred(s[0], "pair");
    SHOW(send(s[0], "before", 6, 0));
    receive(s[1], "nobody asks", 0);
    SHOW(send(s[0], "before", 6, 0));
    SHOW(set_opt(s[1], SOL_SOCKET, SO_PASSCRED, 1));
    receive(s[1], "asked after it was sent", 0);
    SHOW(send(s[0], "after", 5, 0));
    receive(s[1], "asked", MSG_PEEK);
    receive(s[1], "asked", 0);
    SHOW(send_cred(s[0], (struct ucred){getpid(), 1234, 5678}));
    receive(s[1], "root may pretend", 0);
    SHOW(send_cred(s[0], (struct ucred){0x7ffffff, 0, 0}));
    receive(s[1], "no such process", MSG_DONTWAIT);
    NEED(pipe(p) == 0);
    SHOW(send_fds(s[0], p, 1, 0));
    receive(s[1], "with a descriptor", 0);
    SHOW(send(s[0], "x", 1, 0));
    char buf[4], tiny[CMSG_LEN(4)];
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    SHOW(recvmsg(s[1], &m, 0));
    say("no room: flags %x", m.msg_flags);
    SHOW(send(s[0], "x", 1, 0));
    m.msg_control = tiny;
    m.msg_controllen = sizeof tiny;
    SHOW(recvmsg(s[1], &m, 0));
    say("little room: control %zu, flags %x", (size_t)m.msg_controllen, m.msg_flags);
    close(p[0]);
    close(p[1]);
    close(s[0]);
    close(s[1]);
}

static void *other_user(void *arg)
{
    int *s = arg;
    /* The system call, not the library's: this thread alone. */
    NEED(syscall(SYS_setresgid, 2000, 2000, 2000) == 0);
    NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
    SHOW(send(s[0], "other", 5, 0));
    SHOW(send_cred(s[0], (struct ucred){getpid(), 0, 0}));
    SHOW(send_cred(s[0], (struct ucred){getpid(), 1000, 0}));
    SHOW(send_cred(s[0], (struct ucred){0x7ffffff, 1000, 2000}));
    SHOW(send_cred(s[0], (struct ucred){getpid(), 1000, 2000}));
    struct sockaddr_un un;
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t len = un_addr(&un, "/tmp/abi-creds-private");
    (void)len;
    SHOW(connect(c, (struct sockaddr *)&un, len));
    SHOW(set_opt(c, SOL_SOCKET, SO_SNDBUFFORCE, 1000000));
    SHOW(set_opt(c, SOL_SOCKET, SO_PRIORITY, 7));
    SHOW(set_opt(c, SOL_SOCKET, SO_PRIORITY, 6));
    SHOW(set_opt(c, SOL_SOCKET, SO_MARK, 1));
    SHOW(un_connect(c, "@abi-creds"));
    return (void *)(long)c;
}

static void other(void)
{
    int s[2], l = socket(AF_UNIX, SOCK_STREAM, 0), private = socket(AF_UNIX, SOCK_STREAM, 0);
    void *c;
    pthread_t t;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    NEED(un_bind(l, "@abi-creds") == 0 && listen(l, 3) == 0);
    unlink("/tmp/abi-creds-private");
    mkdir("/tmp", 0777);
    NEED(un_bind(private, "/tmp/abi-creds-private") == 0 && listen(private, 3) == 0);
    NEED(chmod("/tmp/abi-creds-private", 0600) == 0);
    SHOW(set_opt(s[1], SOL_SOCKET, SO_PASSCRED, 1));
    SHOW(send(s[0], "root", 4, 0));
    NEED(pthread_create(&t, NULL, other_user, s) == 0 && pthread_join(t, &c) == 0);
    /* A stream does not glue the bytes of two writers. */
    receive(s[1], "root", 0);
    receive(s[1], "other user", 0);
    int a = accept(l, NULL, NULL);
    peer_cred(a, "accepted");
    peer_cred((int)(long)c, "connected");
    peer_cred(l, "listener");
    unlink("/tmp/abi-creds-private");
    close(private);
    close(a);
    close((int)(long)c);
    close(l);
    close(s[0]);
    close(s[1]);
}

int main(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    peer_cred(s, "unconnected");
    close(s);
    messages(SOCK_STREAM);
    messages(SOCK_DGRAM);
    messages(SOCK_SEQPACKET);
    other();
    return done();
}
