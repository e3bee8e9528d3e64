/* AF_UNIX SOCK_SEQPACKET: records, their ends, and what is cut; SO_PEERCRED, MSG_PEEK and MSG_TRUNC on every kind. */
#include "socket_test.h"

static int end[2];

static void make(int type)
{
    NEED(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, end) == 0);
}

static void drop(void)
{
    close(end[0]);
    close(end[1]);
}

static void say_message(const char *what, int fd, size_t size, int flags)
{
    char buffer[64] = "";
    struct iovec v = {buffer, size};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    ssize_t n = recvmsg(fd, &m, flags);

    if (n < 0)
        say("%s: %s", what, strerror(errno));
    else
        say("%s: %zd \"%s\", flags %x", what, n, buffer, m.msg_flags);
}

static void records(void)
{
    make(SOCK_SEQPACKET);
    SHOW(send(end[0], "one", 3, MSG_EOR));
    SHOW(send(end[0], "second", 6, 0));
    SHOW(send(end[0], "", 0, 0));
    SHOW(write(end[0], "written", 7));
    say_message("looked at", end[1], 60, MSG_PEEK);
    say_message("looked at, cut", end[1], 2, MSG_PEEK);
    say_message("its length", end[1], 0, MSG_PEEK | MSG_TRUNC);
    say_message("the first", end[1], 60, 0);
    say_message("cut", end[1], 3, 0);
    say_message("an empty one", end[1], 60, 0);
    say_message("not cut, asked for the length", end[1], 2, MSG_TRUNC);
    say_message("no more", end[1], 60, 0);
    SHOW(send(end[0], "1", 1, 0));
    SHOW(send(end[0], "2", 1, 0));
    say_message("MSG_WAITALL", end[1], 60, MSG_WAITALL);
    close(end[0]);
    say_message("after the close", end[1], 60, 0);
    say_message("the end", end[1], 60, 0);
    SHOW(send(end[1], "x", 1, MSG_NOSIGNAL));
    close(end[1]);
}

static void large(void)
{
    static char big[1 << 20];

    make(SOCK_SEQPACKET);
    SHOW(send(end[0], big, sizeof big, 0));
    int size = 4096;
    SHOW(setsockopt(end[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
    SHOW(send(end[0], big, 100000, 0));
    SHOW(send(end[0], big, 4096, 0));
    SHOW(sendto(end[0], "x", 1, 0, (struct sockaddr *)&(struct sockaddr_un){.sun_family = AF_UNIX},
                2));
    drop();
}

static void peers(int type, const char *name)
{
    struct {
        int pid;
        unsigned uid, gid;
    } cred = {-5, 5, 5};
    socklen_t len = sizeof cred;

    make(type);
    NEED(getsockopt(end[0], SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0);
    say("%s, peer of a pair: self %d, %u, %u, length %u", name, cred.pid == getpid(), cred.uid,
        cred.gid, len);
    drop();
    int fd = socket(AF_UNIX, type, 0);
    NEED(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0);
    say("%s, without a peer: %d %d %d", name, cred.pid, (int)cred.uid, (int)cred.gid);
    len = 4;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
    say("a short answer: %u", len);
    SHOW(setsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, sizeof cred));
    close(fd);
}

static void stream_flags(void)
{
    make(SOCK_STREAM);
    SHOW(send(end[0], "hello world", 11, 0));
    say_message("stream, looked at", end[1], 5, MSG_PEEK);
    say_message("stream, in part", end[1], 5, 0);
    say_message("stream, thrown away", end[1], 3, MSG_TRUNC);
    say_message("stream, the rest", end[1], 60, MSG_WAITALL | MSG_DONTWAIT);
    drop();
    make(SOCK_DGRAM);
    SHOW(send(end[0], "datagram", 8, 0));
    say_message("dgram, looked at", end[1], 3, MSG_PEEK | MSG_TRUNC);
    say_message("dgram, cut", end[1], 3, 0);
    say_message("dgram, none", end[1], 3, 0);
    drop();
}

/* A listener of records: connected ones only, and no other kind. */
static void listening(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), stream = socket(AF_UNIX, SOCK_STREAM, 0),
        client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    char text[8] = "";

    SHOW(un_bind(fd, "name"));
    SHOW(un_connect(client, "name"));
    SHOW(listen(fd, 1));
    SHOW(un_connect(stream, "name"));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    SHOW(un_connect(client, "name"));
    SHOW(send(client, "early", 5, 0)); /* before it is accepted */
    int got = accept(fd, NULL, NULL);
    SHOW(recv(got, text, sizeof text, 0));
    say("it came: %s", text);
    SHOW(un_connect(client, "name"));
    SHOW(shutdown(client, SHUT_WR));
    SHOW(recv(got, text, sizeof text, 0));
    SHOW(recv(fd, text, sizeof text, 0));
    close(got), close(client), close(stream), close(fd);
    unlink("name");
}

int main(void)
{
    records();
    large();
    peers(SOCK_STREAM, "stream");
    peers(SOCK_SEQPACKET, "seqpacket");
    peers(SOCK_DGRAM, "dgram");
    stream_flags();
    listening();
    return done();
}
