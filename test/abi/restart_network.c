/* As restart_calls.c: the sockets of the Internet, datagrams, and calls that are there in several kinds. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sendfile.h>

#include "inet_test.h"
#include "restart_test.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static struct sockaddr_storage address;
static int listener;

static void minute_for(int option)
{
    struct timeval minute = {60, 0};
    NEED(setsockopt(fd, SOL_SOCKET, option, &minute, sizeof minute) == 0);
}

static int one(long n)
{
    return n > 0 ? 1 : (int)n;
}

/* --- TCP ---------------------------------------------------------------------------------------- */

static void begin_tcp(void)
{
    listener = tcp_listener(AF_INET, &address, 5);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(fd, (struct sockaddr *)&address, addr_len(AF_INET)) == 0);
    other = accept(listener, NULL, NULL);
    NEED(other >= 0);
    close(listener);
}

static void begin_timed_tcp(void)
{
    begin_tcp();
    minute_for(SO_RCVTIMEO);
}

static void end_tcp(void)
{
    NEED(send(other, "k", 1, 0) == 1);
}

static int do_recv(void)
{
    char byte;
    return (int)recv(fd, &byte, 1, 0);
}

static int do_recv_all(void)
{
    char bytes[2];
    return one(recv(fd, bytes, 2, MSG_WAITALL));
}

static void end_all(void)
{
    NEED(send(other, "kk", 2, 0) == 2);
}

static int do_peek(void)
{
    char byte;
    return (int)recv(fd, &byte, 1, MSG_PEEK);
}

static int do_recvmsg(void)
{
    char byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return (int)recvmsg(fd, &m, 0);
}

static int do_read(void)
{
    char byte;
    return (int)read(fd, &byte, 1);
}

static int do_splice_in(void)
{
    int ends[2];
    NEED(pipe(ends) == 0);
    int n = (int)splice(fd, NULL, ends[1], NULL, 1, 0), error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return n;
}

/* Until nothing more fits although everything had the time to arrive. */
static void fill_socket(void)
{
    for (int idle = 0; idle < 6; idle++) {
        while (send(fd, filler, sizeof filler, MSG_DONTWAIT) > 0)
            idle = 0;
        while (send(fd, filler, 1, MSG_DONTWAIT) > 0)
            idle = 0;
        sleep_ms(50);
    }
}

static void begin_full_tcp(void)
{
    begin_tcp();
    fill_socket();
}

static void begin_timed_full_tcp(void)
{
    begin_full_tcp();
    minute_for(SO_SNDTIMEO);
}

static void end_full(void)
{
    static char back[65536];
    /* Until the call is through: how much room it takes is TCP's choice. */
    while (!finished) {
        while (recv(other, back, sizeof back, MSG_DONTWAIT) > 0)
            ;
        sched_yield();
    }
}

static int do_send(void)
{
    return (int)send(fd, "x", 1, 0);
}

static int do_writev(void)
{
    struct iovec v = {"x", 1};
    return (int)writev(fd, &v, 1);
}

static int do_sendmsg(void)
{
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return (int)sendmsg(fd, &m, 0);
}

static int do_sendmmsg(void)
{
    struct iovec v = {"x", 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return sendmmsg(fd, &m, 1, 0);
}

static int do_sendfile(void)
{
    int file = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
    NEED(write(file, "x", 1) == 1);
    int n = (int)sendfile(fd, file, &(off_t){0}, 1), error = errno;
    close(file);
    unlink("file");
    errno = error;
    return n;
}

static void begin_listener(void)
{
    fd = tcp_listener(AF_INET, &address, 5);
}

static void begin_timed_listener(void)
{
    begin_listener();
    minute_for(SO_RCVTIMEO);
}

static void end_listener(void)
{
    other = socket(AF_INET, SOCK_STREAM, 0);
    NEED(connect(other, (struct sockaddr *)&address, addr_len(AF_INET)) == 0);
}

static int do_accept(void)
{
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC), error = errno;
    if (got >= 0)
        close(got);
    errno = error;
    return got >= 0 ? 1 : -1;
}

/* A listener that takes no more, so that the SYN gets no answer. */
static int waiting[4];

static void begin_connect(void)
{
    other = tcp_listener(AF_INET, &address, 0);
    for (size_t i = 0; i < NR(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(waiting[i], (struct sockaddr *)&address, addr_len(AF_INET));
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
}

static void begin_timed_connect(void)
{
    begin_connect();
    minute_for(SO_SNDTIMEO);
}

static void end_connect(void)
{
    for (size_t i = 0; i < NR(waiting); i++)
        close(waiting[i]);
    while (!finished) {
        struct pollfd p = {.fd = other, .events = POLLIN};
        if (poll(&p, 1, 50) == 1)
            close(accept(other, NULL, NULL));
    }
}

static int do_connect(void)
{
    int got = connect(fd, (struct sockaddr *)&address, addr_len(AF_INET)), error = errno;
    if (got < 0)
        for (size_t i = 0; i < NR(waiting); i++)
            close(waiting[i]);
    errno = error;
    return got == 0 ? 1 : -1;
}

/* --- datagrams ---------------------------------------------------------------------------------- */

static void begin_udp(void)
{
    fd = inet_bound(AF_INET, SOCK_DGRAM, &address);
    other = socket(AF_INET, SOCK_DGRAM, 0);
    NEED(connect(other, (struct sockaddr *)&address, addr_len(AF_INET)) == 0);
}

static void begin_udp6(void)
{
    fd = inet_bound(AF_INET6, SOCK_DGRAM, &address);
    other = socket(AF_INET6, SOCK_DGRAM, 0);
    NEED(connect(other, (struct sockaddr *)&address, addr_len(AF_INET6)) == 0);
}

static void begin_timed_udp(void)
{
    begin_udp();
    minute_for(SO_RCVTIMEO);
}

static int do_recvfrom(void)
{
    char byte;
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    return (int)recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len);
}

static int do_recvmmsg(void)
{
    char byte;
    struct iovec v = {&byte, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return recvmmsg(fd, &m, 1, 0, NULL);
}

static int socket_type;

static void begin_unix(void)
{
    int ends[2];
    NEED(socketpair(AF_UNIX, socket_type, 0, ends) == 0);
    fd = ends[0];
    other = ends[1];
    while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
        ;
}

static void begin_full_dgram(void)
{
    socket_type = SOCK_DGRAM;
    begin_unix();
}

static void begin_full_packets(void)
{
    socket_type = SOCK_SEQPACKET;
    begin_unix();
}

static void begin_netlink(void)
{
    fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    NEED(fd >= 0);
}

static void end_netlink(void)
{
    struct {
        struct nlmsghdr n;
        struct rtgenmsg g;
    } r = {.n = {.nlmsg_len = sizeof r,
                 .nlmsg_type = RTM_GETLINK,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    NEED(send(fd, &r, sizeof r, 0) == sizeof r);
}

static int do_recv_much(void)
{
    static char bytes[65536];
    return one(recv(fd, bytes, sizeof bytes, 0));
}

/* --- pipes -------------------------------------------------------------------------------------- */

/* With a pipe that has a byte, or room for it. */
static int with_a_pipe(bool is_from_it, long (*move)(int from, int to))
{
    int ends[2];
    NEED(pipe(ends) == 0 && write(ends[1], "y", 1) == 1);
    int n = (int)(is_from_it ? move(ends[0], fd) : move(fd, ends[1])), error = errno;
    close(ends[0]);
    close(ends[1]);
    errno = error;
    return n;
}

static long tee_one(int from, int to)
{
    return tee(from, to, 1, 0);
}

static long splice_one(int from, int to)
{
    return splice(from, NULL, to, NULL, 1, 0);
}

static int do_tee(void)
{
    return with_a_pipe(false, tee_one);
}

static int do_tee_full(void)
{
    return with_a_pipe(true, tee_one);
}

static int do_splice_full(void)
{
    return with_a_pipe(true, splice_one);
}

/* --- waits -------------------------------------------------------------------------------------- */

static int do_poll(void)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, -1);
}

static int do_select(void)
{
    struct timeval minute = {60, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return select(fd + 1, &set, NULL, NULL, &minute);
}

static int do_epoll_pwait2(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int64_t minute[2] = {60, 0};
    int epoll = epoll_create1(0);
    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
    int n = (int)syscall(SYS_epoll_pwait2, epoll, &e, 1, minute, NULL, 8), error = errno;
    close(epoll);
    errno = error;
    return n;
}

static int do_sigwaitinfo(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return (int)syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8);
}

static uint32_t word;

static void begin_word(void)
{
    word = 0;
}

static void end_word(void)
{
    while (!finished && syscall(SYS_futex, &word, 1, 1, NULL, NULL, 0) == 0)
        sched_yield();
}

static int do_futex(void)
{
    return syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0) == 0 ? 1 : -1;
}

static int do_futex_for(void)
{
    struct timespec minute = {60, 0};
    return syscall(SYS_futex, &word, 0, 0, &minute, NULL, 0) == 0 ? 1 : -1;
}

static int do_futex_waitv(void)
{
    struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } w = {0, (uintptr_t)&word, 2, 0};
    return syscall(SYS_futex_waitv, &w, 1, 0, NULL, 0) == 0 ? 1 : -1;
}

#ifndef __i386__
static int key;

static void begin_msg(void)
{
    struct {
        long type;
        char text[1000];
    } m = {.type = 1};
    NEED((key = msgget(IPC_PRIVATE, 0600)) >= 0);
    while (msgsnd(key, &m, sizeof m.text, IPC_NOWAIT) == 0)
        ;
}

static void end_msg(void)
{
    struct {
        long type;
        char text[1000];
    } m;
    NEED(msgrcv(key, &m, sizeof m.text, 0, 0) == sizeof m.text);
}

static int do_msgsnd(void)
{
    struct {
        long type;
        char text[1000];
    } m = {.type = 1};
    int n = msgsnd(key, &m, sizeof m.text, 0), error = errno;
    msgctl(key, IPC_RMID, NULL);
    errno = error;
    return n == 0 ? 1 : -1;
}
#endif

static const struct blocker blockers[] = {
    {"TCP recv", begin_tcp, do_recv, end_tcp},
    {"TCP recv, MSG_WAITALL", begin_tcp, do_recv_all, end_all},
    {"TCP recv, MSG_PEEK", begin_tcp, do_peek, end_tcp},
    {"TCP recvmsg", begin_tcp, do_recvmsg, end_tcp},
    {"TCP read", begin_tcp, do_read, end_tcp},
    {"TCP recv, SO_RCVTIMEO", begin_timed_tcp, do_recv, end_tcp},
    {"splice from TCP", begin_tcp, do_splice_in, end_tcp},
    {"TCP send", begin_full_tcp, do_send, end_full},
    {"TCP writev", begin_full_tcp, do_writev, end_full},
    {"TCP sendmsg", begin_full_tcp, do_sendmsg, end_full},
    {"TCP send, SO_SNDTIMEO", begin_timed_full_tcp, do_send, end_full},
    {"sendfile to TCP", begin_full_tcp, do_sendfile, end_full},
    {"TCP accept4", begin_listener, do_accept, end_listener},
    {"TCP accept4, SO_RCVTIMEO", begin_timed_listener, do_accept, end_listener},
    {"TCP connect", begin_connect, do_connect, end_connect},
    {"TCP connect, SO_SNDTIMEO", begin_timed_connect, do_connect, end_connect},
    {"UDP recvfrom", begin_udp, do_recvfrom, end_tcp},
    {"UDP recvfrom, IPv6", begin_udp6, do_recvfrom, end_tcp},
    {"UDP recvfrom, SO_RCVTIMEO", begin_timed_udp, do_recvfrom, end_tcp},
    {"UDP recvmmsg", begin_udp, do_recvmmsg, end_tcp},
    {"UNIX datagram send", begin_full_dgram, do_send, end_full},
    {"UNIX datagram sendmmsg", begin_full_dgram, do_sendmmsg, end_full},
    {"UNIX seqpacket send", begin_full_packets, do_send, end_full},
    {"netlink recv", begin_netlink, do_recv_much, end_netlink},
    {"writev to a full pipe", begin_full_pipe, do_writev, end_full_pipe},
    {"tee from a pipe", begin_pipe, do_tee, end_pipe},
    {"tee to a full pipe", begin_full_pipe, do_tee_full, end_full_pipe},
    {"splice to a full pipe", begin_full_pipe, do_splice_full, end_full_pipe},
    {"poll", begin_pipe, do_poll, end_pipe},
    {"select with a time", begin_pipe, do_select, end_pipe},
    {"epoll_pwait2", begin_pipe, do_epoll_pwait2, end_pipe},
    {"sigwaitinfo", begin_word, do_sigwaitinfo, NULL},
    {"futex", begin_word, do_futex, end_word},
    {"futex for a minute", begin_word, do_futex_for, end_word},
    {"futex_waitv", begin_word, do_futex_waitv, end_word},
#ifndef __i386__
    {"msgsnd", begin_msg, do_msgsnd, end_msg},
#endif
};

int main(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < NR(blockers); i++) {
        try(&blockers[i], 0);
        try(&blockers[i], SA_RESTART);
    }
    return done();
}
