/* fcntl and ioctl: every command on every kind of descriptor with right and wrong arguments. */
#include <sys/ioctl.h>

#include "matrix.h"

#define FDS                                                                              \
    FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(WRONLY), FD_(DIR), FD_(PATH), FD_(PIPE_IN), \
        FD_(PIPE_OUT), FD_(SOCKET), FD_(EPOLL), FD_(EVENT), FD_(NULL)
#define LOCK                                        \
    {                                               \
        N_(5), N_(6), N_(7), N_(36), N_(37), N_(38) \
    }

static const struct matrix_call fcntls[] = {
    {"F_DUPFD", SYS_fcntl, {{FDS}, {N_(0), N_(1030)}, {N_(-1), N_(200), N_(1 << 30)}}},
};

static const struct matrix_call calls[] = {
    {"F_GETFD, F_GETFL, F_GETOWN, F_GETSIG", SYS_fcntl, {{FDS}, {N_(1), N_(3), N_(9), N_(11)}}},
    {"F_SETFD", SYS_fcntl, {{FDS}, {N_(2)}, {N_(1), N_(-1), N_(0)}}},
    {"F_SETFL",
     SYS_fcntl,
     {{FDS},
      {N_(4)},
      {N_(O_APPEND | O_NONBLOCK), N_(O_DIRECT), N_(-1 & ~O_DIRECT), N_(O_NONBLOCK)}}},
    {"locks", SYS_fcntl, {{FDS}, LOCK, {NULL_, WILD_, READABLE_, WRITABLE_}}},
    {"F_SETOWN",
     SYS_fcntl,
     {{FD_(CLOSED), FD_(FILE), FD_(SOCKET), FD_(PATH)},
      {N_(8)},
      {N_(0), N_(INT_MIN), N_(0x3fffffff), N_(-0x3fffffff)}}},
    {"F_SETSIG",
     SYS_fcntl,
     {{FD_(CLOSED), FD_(FILE), FD_(SOCKET)}, {N_(10)}, {N_(0), N_(65), N_(64), N_(-1)}}},
    {"F_GETOWN_EX, F_SETOWN_EX",
     SYS_fcntl,
     {{FD_(CLOSED), FD_(FILE), FD_(SOCKET)}, {N_(16), N_(15)}, {NULL_, READABLE_, WRITABLE_}}},
    {"F_GETPIPE_SZ", SYS_fcntl, {{FDS}, {N_(1032)}}},
    {"F_SETPIPE_SZ", SYS_fcntl, {{FDS}, {N_(1031)}, {N_(0), N_(-1), N_(1 << 30), N_(65536)}}},
    {"F_ADD_SEALS", SYS_fcntl, {{FDS}, {N_(1033), N_(1034)}, {N_(0), N_(0x40), N_(-1)}}},
    {"F_GET_RW_HINT",
     SYS_fcntl,
     {{FD_(CLOSED), FD_(FILE), FD_(PIPE_IN)},
      {N_(1035), N_(1036), N_(1037), N_(1038)},
      {NULL_, WRITABLE_}}},
    {"nothing", SYS_fcntl, {{FDS}, {N_(-1), N_(100), N_(1100)}, {NULL_}}},
    {"F_GETLEASE", SYS_fcntl, {{FD_(CLOSED), FD_(FILE), FD_(PIPE_IN), FD_(DIR)}, {N_(1025)}}},
    {"F_SETLEASE",
     SYS_fcntl,
     {{FD_(CLOSED), FD_(PIPE_IN), FD_(DIR)}, {N_(1024)}, {N_(0), N_(2), N_(9)}}},
};

#undef FDS
#define FDS                                                                              \
    FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(WRONLY), FD_(DIR), FD_(PATH), FD_(PIPE_IN), \
        FD_(PIPE_OUT), FD_(SOCKET), FD_(EVENT), FD_(NULL)

static const struct matrix_call ioctls[] = {
    {"FIONREAD", SYS_ioctl, {{FDS}, {{"FIONREAD", FIONREAD}}, {NULL_, READABLE_, WRITABLE_}}},
    {"FIONBIO", SYS_ioctl, {{FDS}, {{"FIONBIO", FIONBIO}}, {NULL_, WILD_}}},
    {"FIOASYNC", SYS_ioctl, {{FDS}, {{"FIOASYNC", FIOASYNC}}, {NULL_, WILD_, READABLE_}}},
    {"FIOQSIZE", SYS_ioctl, {{FDS}, {{"FIOQSIZE", FIOQSIZE}}, {NULL_}}},
    {"FIOCLEX", SYS_ioctl, {{FDS}, {{"FIOCLEX", FIOCLEX}, {"FIONCLEX", FIONCLEX}}, {NULL_}}},
    {"TCGETS",
     SYS_ioctl,
     {{FDS},
      {{"TCGETS", TCGETS}, {"TIOCGWINSZ", TIOCGWINSZ}, {"TIOCGPGRP", TIOCGPGRP}},
      {NULL_, WRITABLE_}}},
    {"FIGETBSZ",
     SYS_ioctl,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(DIR)}, {N_(2)}, {NULL_, WRITABLE_}}},
    {"nothing", SYS_ioctl, {{FDS}, {N_(0), N_(0x12345678), N_(-1)}, {NULL_}}},
};

/* Beyond the limit on pipes: Linux's container roots may lack what is needed for that. */
static void drop_sys_resource(void)
{
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    uint32_t caps[2][3];

    NEED(syscall(SYS_capget, &head, caps) == 0);
    caps[0][0] &= ~(1u << 24);
    caps[0][1] &= ~(1u << 24);
    caps[0][2] = caps[1][2] = 0;
    NEED(syscall(SYS_capset, &head, caps) == 0);
}

int main(void)
{
    drop_sys_resource();
    matrix_fds();
    matrix_memory();
    MATRIX(fcntls, matrix_close);
    MATRIX(calls, NULL);
    MATRIX(ioctls, NULL);
    return done();
}
