/* Which error comes first: the calls of sockets. */
#include <netinet/in.h>
#include <sys/un.h>

#include "matrix.h"

#define FDS                                                                        \
    FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(SOCKET), {"stream", 80}, {"dgram", 81}, \
        {"listening", 82}, {"tcp", 83},                                            \
    {                                                                              \
        "udp", 84                                                                  \
    }
#define SOCKETS                                                                            \
    FD_(CLOSED), FD_(FILE), FD_(SOCKET), {"stream", 80}, {"dgram", 81}, {"listening", 82}, \
        {"tcp", 83},                                                                       \
    {                                                                                      \
        "udp", 84                                                                          \
    }
#define ADDRS                                                                            \
    NULL_, WILD_, {"no name", 0x10010000}, {"a name", 0x10010100}, {"inet", 0x10010200}, \
        {"inet6", 0x10010300},                                                           \
    {                                                                                    \
        "family 77", 0x10010400                                                          \
    }
#define DONTWAIT                                \
    {                                           \
        "DONTWAIT", MSG_DONTWAIT | MSG_NOSIGNAL \
    }

static const struct matrix_call fds[] = {
    {"socket",
     SYS_socket,
     {{N_(-1), N_(0), N_(1), N_(2), N_(10), N_(46), N_(77)},
      {N_(0), N_(1), N_(2), N_(4), N_(5), N_(6), N_(11), N_(0x10001), N_(0x81001)},
      {N_(0), N_(6), N_(17), N_(300)}}},
};

static const struct matrix_call calls[] = {
    {"socketpair",
     SYS_socketpair,
     {{N_(-1), N_(2), N_(1), N_(77)},
      {N_(0), N_(3), N_(0x10001), N_(11)},
      {N_(0), N_(2)},
      {NULL_, WILD_}}},
    {"socketpair",
     SYS_socketpair,
     {{N_(1), N_(2)}, {N_(1), N_(2), N_(5)}, {N_(0), N_(1), N_(2)}, {NULL_, READABLE_}}},
    {"bind", SYS_bind, {{SOCKETS}, {ADDRS}, {N_(-1), N_(0), N_(1), N_(200)}}},
    {"connect", SYS_connect, {{SOCKETS}, {ADDRS}, {N_(-1), N_(0), N_(1), N_(200)}}},
    {"connect, to nobody",
     SYS_connect,
     {{{"stream", 80}, {"dgram", 81}, FD_(SOCKET)},
      {{"a name", 0x10010100}},
      {N_(7), N_(110), N_(111)}}},
    {"listen",
     SYS_listen,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(SOCKET), {"dgram", 81}, {"udp", 84}, {"stream", 80}},
      {N_(0), N_(-1)}}},
    {"accept4", SYS_accept4, {{FDS}, {NULL_, WILD_, WRITABLE_}, {NULL_, WILD_}, {N_(0), N_(1)}}},
    {"getsockname",
     SYS_getsockname,
     {{FDS},
      {NULL_, WRITABLE_},
      {NULL_, {"length -1", 0x10010500}, {"length 200", 0x10010504}, WILD_}}},
    {"getpeername",
     SYS_getpeername,
     {{FDS},
      {NULL_, WRITABLE_},
      {NULL_, {"length -1", 0x10010500}, {"length 200", 0x10010504}, WILD_}}},
    {"sendto",
     SYS_sendto,
     {{FDS},
      {KERNEL_, READABLE_},
      {N_(0), N_(1)},
      {DONTWAIT, {"MORE", MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL}},
      {NULL_, WILD_},
      {N_(0), N_(-1), N_(200)}}},
    {"recvfrom",
     SYS_recvfrom,
     {{FDS},
      {NULL_, KERNEL_, WRITABLE_},
      {N_(0), N_(1)},
      {DONTWAIT, {"PEEK", MSG_PEEK | MSG_DONTWAIT}},
      {NULL_, WILD_},
      {NULL_, WILD_}}},
    {"sendmsg",
     SYS_sendmsg,
     {{FDS},
      {NULL_,
       WILD_,
       {"empty", 0x10010600},
       {"bad name", 0x10010700},
       {"bad vector", 0x10010800},
       {"long vector", 0x10010900}},
      {DONTWAIT}}},
    {"recvmsg",
     SYS_recvmsg,
     {{FDS},
      {NULL_,
       WILD_,
       {"empty", 0x10010600},
       {"bad name", 0x10010700},
       {"bad vector", 0x10010800},
       {"long vector", 0x10010900}},
      {DONTWAIT}}},
    {"shutdown",
     SYS_shutdown,
     {{FD_(CLOSED), FD_(FILE), {"stream", 80}, {"dgram", 81}, {"tcp", 83}, {"udp", 84}},
      {N_(-1), N_(0), N_(2), N_(3)}}},
    {"sendmmsg", SYS_sendmmsg, {{SOCKETS}, {NULL_, WILD_}, {N_(0), N_(1)}, {DONTWAIT}}},
    {"recvmmsg",
     SYS_recvmmsg,
     {{SOCKETS},
      {NULL_, WILD_},
      {N_(0), N_(1)},
      {DONTWAIT},
      {NULL_, WILD_, {"bad time", 0x10010a00}}}},
};

static void make_sockets(void)
{
    matrix_place(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), 80);
    matrix_place(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), 81);
    matrix_place(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), 82);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "listening"};
    NEED(bind(82, (void *)&name, sizeof name) == 0 && listen(82, 5) == 0);
    matrix_place(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), 83);
    matrix_place(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), 84);
}

static void make_arguments(void)
{
    *(struct sockaddr_un *)0x10010100 =
        (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "nowhere"};
    *(sa_family_t *)0x10010200 = AF_INET;
    *(sa_family_t *)0x10010300 = AF_INET6;
    *(sa_family_t *)0x10010400 = 77;
    *(int *)0x10010500 = -1;
    *(int *)0x10010504 = 200;
    *(struct msghdr *)0x10010700 = (struct msghdr){.msg_name = (void *)8, .msg_namelen = 16};
    *(struct msghdr *)0x10010800 = (struct msghdr){.msg_iov = (void *)8, .msg_iovlen = 1};
    *(struct msghdr *)0x10010900 = (struct msghdr){.msg_iov = (void *)8, .msg_iovlen = 1025};
    *(struct timespec *)0x10010a00 = (struct timespec){0, -1};
}

int main(void)
{
    matrix_fds();
    matrix_memory();
    make_sockets();
    make_arguments();
    MATRIX(fds, matrix_close);
    MATRIX(calls, NULL);
    return done();
}
