/* Which error comes first: waiting for descriptors, and the descriptors made for that. */
#include <sys/inotify.h>

#include "matrix.h"

#define FDS                                                                             \
    FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(PIPE_IN), FD_(SOCKET), FD_(DIR), FD_(EVENT), \
        FD_(EPOLL),                                                                     \
    {                                                                                   \
        "epoll of an epoll", 80                                                         \
    }
#define EVENTS                                                   \
    NULL_, WILD_, {"IN", 0x10011000}, {"EXCLUSIVE", 0x10011100}, \
    {                                                            \
        "EXCLUSIVE|ONESHOT", 0x10011200                          \
    }
#define NOW               \
    {                     \
        "now", 0x10011300 \
    }

static const struct matrix_call fds[] = {
    {"epoll_create", SYS_epoll_create, {{N_(-1), N_(0), N_(1), N_(INT_MAX)}}},
    {"epoll_create1", SYS_epoll_create1, {{N_(0), N_(1), N_(O_CLOEXEC), N_(O_NONBLOCK)}}},
    {"eventfd2",
     SYS_eventfd2,
     {{N_(0), N_(-1)}, {N_(0), N_(1), N_(2), N_(O_CLOEXEC), N_(O_NONBLOCK), N_(-1)}}},
    {"inotify_init1", SYS_inotify_init1, {{N_(0), N_(1), N_(O_CLOEXEC), N_(O_NONBLOCK)}}},
};

static const struct matrix_call calls[] = {
    {"epoll_ctl, add",
     SYS_epoll_ctl,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(EPOLL)}, {N_(1)}, {FDS}, {EVENTS}}},
    {"epoll_ctl, change",
     SYS_epoll_ctl,
     {{FD_(CLOSED), FD_(FILE), FD_(EPOLL)}, {N_(3)}, {FDS}, {EVENTS}}},
    {"epoll_ctl, remove",
     SYS_epoll_ctl,
     {{FD_(CLOSED), FD_(FILE), FD_(EPOLL)}, {N_(2)}, {FDS}, {NULL_, WILD_}}},
    {"epoll_ctl, remove again", SYS_epoll_ctl, {{FD_(EPOLL)}, {N_(2)}, {FDS}, {NULL_}}},
    {"epoll_ctl, nothing",
     SYS_epoll_ctl,
     {{FD_(CLOSED), FD_(FILE), FD_(EPOLL)},
      {N_(0), N_(4), N_(-1)},
      {FDS},
      {NULL_, {"IN", 0x10011000}}}},
    {"epoll_wait",
     SYS_epoll_wait,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(EPOLL)},
      {NULL_, WILD_, KERNEL_, WRITABLE_},
      {N_(-1), N_(0), N_(1), N_(INT_MAX)},
      {N_(0)}}},
    {"epoll_pwait",
     SYS_epoll_pwait,
     {{FD_(CLOSED), FD_(FILE), FD_(EPOLL)},
      {NULL_, WRITABLE_},
      {N_(0), N_(1)},
      {N_(0)},
      {NULL_, WILD_, READABLE_},
      {N_(4), N_(8)}}},
    {"epoll_pwait2",
     441,
     {{FD_(CLOSED), FD_(EPOLL)},
      {NULL_, WRITABLE_},
      {N_(0), N_(1)},
      {WILD_, NOW, {"wrong", 0x10011400}},
      {NULL_, WILD_},
      {N_(4), N_(8)}}},
    {"poll", SYS_poll, {{NULL_, WILD_, READABLE_, WRITABLE_}, {N_(0), N_(1), N_(-1)}, {N_(0)}}},
    {"ppoll",
     SYS_ppoll,
     {{NULL_, WILD_, WRITABLE_},
      {N_(0), N_(1), N_(-1)},
      {WILD_, NOW, {"wrong", 0x10011400}},
      {NULL_, WILD_, READABLE_},
      {N_(4), N_(8)}}},
    {"select",
     SYS_select,
     {{N_(-1), N_(0), N_(1)},
      {NULL_, WILD_, READABLE_},
      {NULL_, WILD_},
      {NULL_},
      {WILD_, NOW, {"wrong", 0x10011400}}}},
    {"select, closed",
     SYS_select,
     {{N_(99), N_(100), N_(1 << 20)}, {{"99", 0x10011500}}, {NULL_}, {NULL_}, {NOW}}},
    {"pselect6",
     SYS_pselect6,
     {{N_(-1), N_(0), N_(1)},
      {NULL_, WILD_},
      {NULL_},
      {NULL_},
      {WILD_, NOW, {"wrong", 0x10011400}},
      {NULL_, WILD_, {"size 4", 0x10011600}, {"wild mask", 0x10011700}}}},
    {"inotify_add_watch",
     SYS_inotify_add_watch,
     {{FD_(CLOSED), FD_(FILE), FD_(EPOLL), {"inotify", 81}},
      {NULL_, WILD_},
      {N_(0), N_(2), N_(0x30000002)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    matrix_place(epoll_create1(0), 80);
    matrix_place(inotify_init1(IN_NONBLOCK), 81);
    struct epoll_event e = {.events = EPOLLIN};
    NEED(epoll_ctl(80, EPOLL_CTL_ADD, FD_EPOLL, &e) == 0);
    ((struct epoll_event *)0x10011000)->events = EPOLLIN;
    ((struct epoll_event *)0x10011100)->events = EPOLLIN | EPOLLEXCLUSIVE;
    ((struct epoll_event *)0x10011200)->events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
    ((long *)0x10011400)[0] = -1;
    *(struct timespec *)0x10011400 = (struct timespec){-1, -1};
    ((unsigned char *)0x10011500)[99 / 8] = 1 << 99 % 8;
    ((long *)0x10011600)[1] = 4;
    ((long *)0x10011700)[0] = 8;
    ((long *)0x10011700)[1] = 8;
    MATRIX(fds, matrix_close);
    MATRIX(calls, NULL);
    return done();
}
