/* Every call that may block, interrupted by a handler: with SA_RESTART some go on and some do not, as the lists of
 * signal(7) say; without it all answer EINTR.  signal_restart.c has the commonest ones. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "restart_test.h"

/* --- descriptors that are read ------------------------------------------------------------------ */

static void begin_event(void)
{
    fd = eventfd(0, 0);
}

static void end_event(void)
{
    NEED(write(fd, &(uint64_t){1}, 8) == 8);
}

static void begin_timer(void)
{
    fd = timerfd_create(CLOCK_MONOTONIC, 0);
}

static void end_timer(void)
{
    struct itimerspec soon = {.it_value = {0, 1}};
    NEED(timerfd_settime(fd, 0, &soon, NULL) == 0);
}

static void begin_signalfd(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, 0);
}

static void end_signalfd(void)
{
    kill(getpid(), SIGUSR2);
}

static void begin_inotify(void)
{
    fd = inotify_init();
    NEED(inotify_add_watch(fd, ".", IN_CREATE) >= 0);
}

static void end_inotify(void)
{
    close(open("made", O_CREAT | O_RDWR, 0600));
    unlink("made");
}

static int do_read(void)
{
    static char buffer[4096];
    return read(fd, buffer, sizeof buffer) > 0;
}

/* --- pipes -------------------------------------------------------------------------------------- */

static int do_readv(void)
{
    char byte;
    struct iovec v = {&byte, 1};
    return (int)readv(fd, &v, 1);
}

static int do_write(void)
{
    return (int)write(fd, "x", 1);
}

static int do_vmsplice(void)
{
    struct iovec v = {"x", 1};
    return (int)vmsplice(fd, &v, 1, 0);
}

static int do_sendfile(void)
{
    int file = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
    NEED(write(file, "x", 1) == 1);
    int n = (int)sendfile(fd, file, &(off_t){0}, 1), error = errno;
    close(file);
    errno = error;
    return n;
}

static int do_splice(void)
{
    int file = open("file", O_CREAT | O_RDWR | O_TRUNC, 0600);
    int n = (int)splice(fd, NULL, file, NULL, 1, 0), error = errno;
    close(file);
    errno = error;
    return n;
}

static void begin_fifo(void)
{
    NEED(mkfifo("fifo", 0600) == 0);
    fd = -1;
}

static void end_fifo(void)
{
    other = open("fifo", O_WRONLY);
}

static int do_open(void)
{
    fd = open("fifo", O_RDONLY);
    int error = errno;
    unlink("fifo");
    errno = error;
    return fd >= 0 ? 1 : -1;
}

/* --- sockets ------------------------------------------------------------------------------------ */

static void begin_pair(void)
{
    int ends[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fd = ends[0];
    other = ends[1];
}

static void begin_timed_pair(void)
{
    struct timeval minute = {60, 0};
    begin_pair();
    NEED(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute) == 0);
}

static int do_recv(void)
{
    char byte;
    return (int)recv(fd, &byte, 1, 0);
}

static int do_recvmsg(void)
{
    char byte;
    struct iovec v = {&byte, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return (int)recvmsg(fd, &m, 0);
}

static int do_recvmmsg(void)
{
    char byte;
    struct iovec v = {&byte, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return recvmmsg(fd, &m, 1, 0, NULL);
}

static void fill_socket(void)
{
    while (send(fd, filler, sizeof filler, MSG_DONTWAIT) > 0)
        ;
}

static void begin_full_pair(void)
{
    begin_pair();
    fill_socket();
}

static void begin_timed_full_pair(void)
{
    struct timeval minute = {60, 0};
    begin_full_pair();
    NEED(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute) == 0);
}

static void end_full_pair(void)
{
    while (recv(other, filler, sizeof filler, MSG_DONTWAIT) > 0)
        ;
}

static int do_send(void)
{
    return (int)send(fd, "x", 1, 0);
}

static void listen_here(struct timeval timeout)
{
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(un_bind(fd, "listener") == 0 && listen(fd, 1) == 0);
    NEED(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
}

static void begin_listener(void)
{
    listen_here((struct timeval){0, 0});
}

static void begin_timed_listener(void)
{
    listen_here((struct timeval){60, 0});
}

static void end_listener(void)
{
    other = socket(AF_UNIX, SOCK_STREAM, 0);
    NEED(un_connect(other, "listener") == 0);
}

static int do_accept(void)
{
    int got = accept(fd, NULL, NULL), error = errno;
    if (got >= 0)
        close(got);
    unlink("listener");
    errno = error;
    return got >= 0 ? 1 : -1;
}

static int backlog[4];

static void begin_connect(void)
{
    begin_listener();
    for (size_t i = 0; i < NR(backlog); i++) { /* until the queue of the listener is full */
        backlog[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        un_connect(backlog[i], "listener");
    }
    other = socket(AF_UNIX, SOCK_STREAM, 0);
}

static void end_connect(void)
{
    close(accept(fd, NULL, NULL));
}

static int do_connect(void)
{
    int got = un_connect(other, "listener"), error = errno;
    for (size_t i = 0; i < NR(backlog); i++)
        close(backlog[i]);
    unlink("listener");
    errno = error;
    return got == 0 ? 1 : -1;
}

/* --- locks -------------------------------------------------------------------------------------- */

static void begin_lock(void)
{
    fd = open("lock", O_CREAT | O_RDWR, 0600);
    other = open("lock", O_RDWR);
}

static void begin_flock(void)
{
    begin_lock();
    NEED(flock(other, LOCK_EX) == 0);
}

static void end_flock(void)
{
    NEED(flock(other, LOCK_UN) == 0);
}

static int do_flock(void)
{
    return flock(fd, LOCK_EX) == 0 ? 1 : -1;
}

static void begin_ofd(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    begin_lock();
    NEED(fcntl(other, F_OFD_SETLK, &lock) == 0);
}

static void end_ofd(void)
{
    struct flock lock = {.l_type = F_UNLCK};
    NEED(fcntl(other, F_OFD_SETLK, &lock) == 0);
}

static int do_ofd(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    return fcntl(fd, F_OFD_SETLKW, &lock) == 0 ? 1 : -1;
}

static int do_record_lock(void)
{
    struct flock lock = {.l_type = F_WRLCK};
    return fcntl(fd, F_SETLKW, &lock) == 0 ? 1 : -1;
}

/* --- waiting for several, and for signals ------------------------------------------------------- */

static int do_ppoll(void)
{
    struct pollfd p = {fd, POLLIN, 0};
    struct timespec minute = {60, 0};
    return ppoll(&p, 1, &minute, NULL);
}

static int do_pselect(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return pselect(fd + 1, &set, NULL, NULL, NULL, NULL);
}

static int do_epoll_pwait(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
    int n = epoll_pwait(epoll, &e, 1, 60000, NULL), error = errno;
    close(epoll);
    errno = error;
    return n;
}

static int do_sigsuspend(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigaddset(&none, SIGUSR2);
    return sigsuspend(&none);
}

static uint32_t word;

static void begin_word(void)
{
    word = 0;
}

static void end_word(void)
{
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    while (!finished && syscall(SYS_futex, &word, 1, 1, NULL, NULL, 0) == 0)
        sched_yield();
}

static int do_futex_until(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 60;
    return syscall(SYS_futex, &word, 9, 0, &end, NULL, -1) == 0 ? 1 : -1;
}

static void begin_pi(void)
{
    word = (uint32_t)tid_of_self();
}

static void end_pi(void)
{
    NEED(syscall(SYS_futex, &word, 7, 0, NULL, NULL, 0) == 0);
}

static int do_lock_pi(void)
{
    return syscall(SYS_futex, &word, 6, 0, NULL, NULL, 0) == 0 ? 1 : -1;
}

static int do_sleep(void)
{
    struct timespec minute = {60, 0}, left = {0};
    int error = (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &minute, &left);
    CHECK(error == -1 && left.tv_sec >= 50 && left.tv_sec <= 60);
    return error;
}

#ifndef __i386__
static int key;

static void begin_sem(void)
{
    NEED((key = semget(IPC_PRIVATE, 1, 0600)) >= 0);
}

static void end_sem(void)
{
    struct sembuf up = {0, 1, 0};
    NEED(semop(key, &up, 1) == 0);
}

static int do_semop(void)
{
    struct sembuf down = {0, -1, 0};
    int n = semop(key, &down, 1), error = errno;
    semctl(key, 0, IPC_RMID);
    errno = error;
    return n == 0 ? 1 : -1;
}

static int do_semtimedop(void)
{
    struct sembuf down = {0, -1, 0};
    struct timespec minute = {60, 0};
    int n = semtimedop(key, &down, 1, &minute), error = errno;
    semctl(key, 0, IPC_RMID);
    errno = error;
    return n == 0 ? 1 : -1;
}

static void begin_msg(void)
{
    NEED((key = msgget(IPC_PRIVATE, 0600)) >= 0);
}

static void end_msg(void)
{
    long type = 1;
    NEED(msgsnd(key, &type, 0, 0) == 0);
}

static int do_msgrcv(void)
{
    long type;
    int n = (int)msgrcv(key, &type, 0, 0, 0), error = errno;
    msgctl(key, IPC_RMID, NULL);
    errno = error;
    return n == 0 ? 1 : -1;
}
#endif

/* --- the test ------------------------------------------------------------------------------------- */

static const struct blocker blockers[] = {
    {"read of an eventfd", begin_event, do_read, end_event},
    {"read of a timerfd", begin_timer, do_read, end_timer},
    {"read of a signalfd", begin_signalfd, do_read, end_signalfd},
    {"read of an inotify", begin_inotify, do_read, end_inotify},
    {"read of a pipe", begin_pipe, do_read, end_pipe},
    {"readv of a pipe", begin_pipe, do_readv, end_pipe},
    {"write to a full pipe", begin_full_pipe, do_write, end_full_pipe},
    {"vmsplice to a full pipe", begin_full_pipe, do_vmsplice, end_full_pipe},
    {"sendfile to a full pipe", begin_full_pipe, do_sendfile, end_full_pipe},
    {"splice from a pipe", begin_pipe, do_splice, end_pipe},
    {"open of a FIFO", begin_fifo, do_open, end_fifo},
    {"read of a socket", begin_pair, do_read, end_pipe},
    {"recv", begin_pair, do_recv, end_pipe},
    {"recv, SO_RCVTIMEO", begin_timed_pair, do_recv, end_pipe},
    {"read, SO_RCVTIMEO", begin_timed_pair, do_read, end_pipe},
    {"recvmsg", begin_pair, do_recvmsg, end_pipe},
    {"recvmmsg", begin_pair, do_recvmmsg, end_pipe},
    {"send", begin_full_pair, do_send, end_full_pair},
    {"send, SO_SNDTIMEO", begin_timed_full_pair, do_send, end_full_pair},
    {"write, SO_SNDTIMEO", begin_timed_full_pair, do_write, end_full_pair},
    {"accept", begin_listener, do_accept, end_listener},
    {"accept, SO_RCVTIMEO", begin_timed_listener, do_accept, end_listener},
    {"connect to a full queue", begin_connect, do_connect, end_connect},
    {"flock", begin_flock, do_flock, end_flock},
    {"F_OFD_SETLKW", begin_ofd, do_ofd, end_ofd},
    {"F_SETLKW", begin_ofd, do_record_lock, end_ofd},
    {"ppoll", begin_pipe, do_ppoll, end_pipe},
    {"pselect", begin_pipe, do_pselect, end_pipe},
    {"epoll_pwait", begin_pipe, do_epoll_pwait, end_pipe},
    {"sigsuspend", begin_word, do_sigsuspend, NULL},
    {"futex with an end", begin_word, do_futex_until, end_word},
    {"FUTEX_LOCK_PI", begin_pi, do_lock_pi, end_pi},
    {"clock_nanosleep", begin_word, do_sleep, NULL},
#ifndef __i386__
    {"semop", begin_sem, do_semop, end_sem},
    {"semtimedop", begin_sem, do_semtimedop, end_sem},
    {"msgrcv", begin_msg, do_msgrcv, end_msg},
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
    unlink("lock");
    unlink("file");
    return done();
}
