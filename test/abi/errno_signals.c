/* Which error comes first: the calls of signals. */
#include "matrix.h"

#define SIGNALS N_(0), N_(-1), N_(9), N_(10), N_(64), N_(65)
#define SIZE    N_(8), N_(4), N_(16)
#define SET     NULL_, WILD_, READABLE_

static const struct matrix_call calls[] = {
    {"rt_sigaction",
     SYS_rt_sigaction,
     {{SIGNALS}, {NULL_, WILD_, READABLE_}, {NULL_, WILD_, READABLE_, WRITABLE_}, {SIZE}}},
    {"rt_sigprocmask",
     SYS_rt_sigprocmask,
     {{N_(0), N_(1), N_(2), N_(3), N_(-1)}, {SET}, {NULL_, WILD_, WRITABLE_}, {SIZE}}},
    {"rt_sigpending",
     SYS_rt_sigpending,
     {{NULL_, READABLE_, WRITABLE_}, {N_(0), N_(8), N_(4), N_(16)}}},
    {"rt_sigtimedwait",
     SYS_rt_sigtimedwait,
     {{SET},
      {NULL_, WILD_, WRITABLE_},
      {{"no time", (long)0x10011000}, WILD_, {"wrong time", (long)0x10011100}},
      {SIZE}}},
    {"rt_sigsuspend", SYS_rt_sigsuspend, {{NULL_, WILD_}, {SIZE}}},
    {"rt_sigqueueinfo",
     SYS_rt_sigqueueinfo,
     {{N_(0), N_(-1), N_(0x3fffffff)}, {SIGNALS}, {NULL_, WILD_, WRITABLE_}}},
    {"rt_tgsigqueueinfo",
     SYS_rt_tgsigqueueinfo,
     {{N_(0), N_(-1), N_(0x3fffffff)},
      {N_(0), N_(-1), N_(0x3fffffff)},
      {SIGNALS},
      {NULL_, WRITABLE_}}},
    {"kill", SYS_kill, {{N_(0x3fffffff), N_(-0x3fffffff), N_(INT_MIN)}, {SIGNALS}}},
    {"tkill", SYS_tkill, {{N_(0), N_(-1), N_(0x3fffffff)}, {SIGNALS}}},
    {"tgkill",
     SYS_tgkill,
     {{N_(0), N_(-1), N_(0x3fffffff)}, {N_(0), N_(-1), N_(0x3fffffff)}, {SIGNALS}}},
    {"sigaltstack",
     SYS_sigaltstack,
     {{NULL_, WILD_, READABLE_, {"small", (long)0x10011200}, {"wrong flags", (long)0x10011300}},
      {NULL_, WILD_, READABLE_, WRITABLE_}}},
    {"signalfd4",
     SYS_signalfd4,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), {"signalfd", 80}},
      {NULL_, WILD_, READABLE_},
      {SIZE},
      {N_(0), N_(1), N_(O_CLOEXEC), N_(O_NONBLOCK)}}},
    {"restart_syscall", SYS_restart_syscall, {{N_(0)}}},
};

static const struct matrix_call fds[] = {
    {"signalfd4",
     SYS_signalfd4,
     {{N_(-1)}, {NULL_, WILD_, READABLE_}, {SIZE}, {N_(0), N_(1), N_(O_CLOEXEC), N_(O_NONBLOCK)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    *(struct timespec *)0x10011100 = (struct timespec){0, -1};
    *(stack_t *)0x10011200 = (stack_t){.ss_sp = (void *)0x10011400, .ss_size = 100};
    *(stack_t *)0x10011300 =
        (stack_t){.ss_sp = (void *)0x10011400, .ss_size = 65536, .ss_flags = 77};
    uint64_t none = 0;
    matrix_place((int)syscall(SYS_signalfd4, -1, &none, 8, O_NONBLOCK), 80);
    MATRIX(fds, matrix_close);
    MATRIX(calls, NULL);
    return done();
}
