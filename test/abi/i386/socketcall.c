/* socketcall(2): every call of sockets behind one number, its arguments in memory. */
#include "../abi.h"

#include <asm/unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    SOCKET = 1,
    BIND,
    CONNECT,
    LISTEN,
    ACCEPT,
    GETSOCKNAME,
    GETPEERNAME,
    SOCKETPAIR,
    SEND,
    RECV,
    SENDTO,
    RECVFROM,
    SHUTDOWN,
    SETSOCKOPT,
    GETSOCKOPT,
    SENDMSG,
    RECVMSG,
    ACCEPT4,
    RECVMMSG,
    SENDMMSG
};

#define P(x)          ((uint32_t)(uintptr_t)(x))
#define call(nr, ...) syscall(__NR_socketcall, nr, (uint32_t[6]){__VA_ARGS__})

static void connections(void)
{
    struct sockaddr_un name = {AF_UNIX, "server"}, got = {0};
    uint32_t len = sizeof(got);
    int server = (int)call(SOCKET, AF_UNIX, SOCK_STREAM, 0);
    say("server %d", server);
    SHOW(call(BIND, server, P(&name), sizeof(name)));
    SHOW(call(BIND, server, P(&name), sizeof(name)));
    SHOW(call(LISTEN, server, 5));
    int client = (int)call(SOCKET, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SHOW(call(CONNECT, client, P(&name), sizeof(name)));
    int taken = (int)call(ACCEPT, server, P(&got), P(&len));
    say("accepted %d, name of %u bytes, family %d", taken, len, got.sun_family);
    len = sizeof(got);
    SHOW(call(GETSOCKNAME, server, P(&got), P(&len)));
    say("%u bytes: %s", len, got.sun_path);
    len = sizeof(got);
    SHOW(call(GETPEERNAME, client, P(&got), P(&len)));
    say("%u bytes: %s", len, got.sun_path);
    SHOW(call(GETPEERNAME, server, P(&got), P(&len)));
    SHOW(call(SEND, client, P("hello"), 5, 0));
    char text[16] = "";
    SHOW(call(RECV, taken, P(text), sizeof(text), MSG_PEEK));
    SHOW(call(RECVFROM, taken, P(text), sizeof(text), 0, 0, 0));
    say("%s", text);
    SHOW(call(SENDTO, taken, P("back"), 4, MSG_NOSIGNAL, 0, 0));
    SHOW(call(RECV, client, P(text), sizeof(text), MSG_DONTWAIT));
    SHOW(call(RECV, client, P(text), sizeof(text), MSG_DONTWAIT));
    SHOW(call(SHUTDOWN, client, SHUT_WR));
    SHOW(call(RECV, taken, P(text), sizeof(text), 0));
    SHOW(call(SEND, client, P("x"), 1, MSG_NOSIGNAL));
    int other = (int)call(SOCKET, AF_UNIX, SOCK_STREAM, 0);
    SHOW(call(CONNECT, other, P(&name), sizeof(name)));
    int late = (int)call(ACCEPT4, server, 0, 0, SOCK_NONBLOCK);
    say("accepted %d, flags %#x", late, fcntl(late, F_GETFL));
    SHOW(call(ACCEPT4, server, 0, 0, 1));
    SHOW(call(ACCEPT, late, 0, 0));
    unlink("server");
}

static void messages(void)
{
    int32_t fds[2], value = 0;
    uint32_t len = sizeof(value);
    char text[16] = "";
    SHOW(call(SOCKETPAIR, AF_UNIX, SOCK_DGRAM, 0, P(fds)));
    value = 1;
    SHOW(call(SETSOCKOPT, fds[1], SOL_SOCKET, SO_PASSCRED, P(&value), sizeof(value)));
    value = 0;
    SHOW(call(GETSOCKOPT, fds[1], SOL_SOCKET, SO_PASSCRED, P(&value), P(&len)));
    say("%d, %u bytes", value, len);
    struct iovec iov = {"message", 7};
    struct msghdr out = {.msg_iov = &iov, .msg_iovlen = 1};
    SHOW(call(SENDMSG, fds[0], P(&out), 0));
    struct iovec into = {text, sizeof(text)};
    char control[64];
    struct msghdr in = {.msg_iov = &into,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof(control)};
    SHOW(call(RECVMSG, fds[1], P(&in), 0));
    struct cmsghdr *c = CMSG_FIRSTHDR(&in);
    say("%s, control %u, level %d, type %d", text, (unsigned)in.msg_controllen,
        c ? c->cmsg_level : 0, c ? c->cmsg_type : 0);
    struct mmsghdr many[2] = {{.msg_hdr = out}, {.msg_hdr = out}};
    SHOW(call(SENDMMSG, fds[0], P(many), 2, 0));
    say("%u %u", many[0].msg_len, many[1].msg_len);
    in.msg_control = NULL;
    in.msg_controllen = 0;
    many[0].msg_hdr = many[1].msg_hdr = in;
    int32_t timeout[2] = {1, 0};
    SHOW(call(RECVMMSG, fds[1], P(many), 2, 0, P(timeout)));
    say("%u %u, flags %#x", many[0].msg_len, many[1].msg_len, many[0].msg_hdr.msg_flags);
    SHOW(call(RECVMMSG, fds[1], P(many), 2, MSG_DONTWAIT, 0));
}

int main(void)
{
    connections();
    messages();
    /* Arguments are fetched before anything is looked at; there are no calls beyond these. */
    for (int nr = 0; nr <= 21; nr++)
        say("%d: %s", nr, syscall(__NR_socketcall, nr, 8) < 0 ? strerror(errno) : "done");
    for (int nr = SOCKET; nr <= SENDMMSG; nr++)
        say("%d: %s", nr, call(nr, -1, 0, 0, 0, 0, 0) < 0 ? strerror(errno) : "done");
    SHOW(syscall(__NR_socketcall, -1, 0));
    return 0;
}
