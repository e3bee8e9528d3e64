/* Which error comes first: clocks, timers and sleeping. No clock is set: every time given is a wrong one. */
#include "matrix.h"

#define CLOCKS \
    N_(0), N_(1), N_(2), N_(3), N_(4), N_(7), N_(8), N_(10), N_(11), N_(12), N_(-1), N_(-6)
#define TIME                                                      \
    NULL_, WILD_, {"good", 0x10011000}, {"negative", 0x10011100}, \
    {                                                             \
        "a billion", 0x10011200                                   \
    }
#define SPEC                                                      \
    NULL_, WILD_, {"good", 0x10011300}, {"negative", 0x10011400}, \
    {                                                             \
        "bad interval", 0x10011500                                \
    }

static const struct matrix_call calls[] = {
    {"clock_gettime", SYS_clock_gettime, {{CLOCKS}, {NULL_, READABLE_, WRITABLE_}}},
    {"clock_getres", SYS_clock_getres, {{CLOCKS}, {NULL_, READABLE_, WRITABLE_}}},
    {"clock_settime",
     SYS_clock_settime,
     {{CLOCKS}, {NULL_, WILD_, {"negative", 0x10011100}, {"a billion", 0x10011200}}}},
    {"clock_nanosleep",
     SYS_clock_nanosleep,
     {{CLOCKS}, {N_(0), N_(1), N_(2)}, {TIME}, {NULL_, WILD_}}},
    {"nanosleep", SYS_nanosleep, {{TIME}, {NULL_, WILD_}}},
    {"timer_create",
     SYS_timer_create,
     {{N_(0), N_(1), N_(2), N_(3), N_(4), N_(7), N_(8), N_(10), N_(11), N_(12), N_(-6)},
      {NULL_,
       WILD_,
       {"no signal", 0x10011600},
       {"wrong kind", 0x10011700},
       {"signal 65", 0x10011800},
       {"thread 0", 0x10011900}},
      {NULL_, READABLE_}}},
    {"timer_settime",
     SYS_timer_settime,
     {{N_(-1), N_(77)}, {N_(0), N_(1), N_(-1)}, {SPEC}, {NULL_, WILD_, WRITABLE_}}},
    {"timer_gettime", SYS_timer_gettime, {{N_(-1), N_(77)}, {NULL_, WRITABLE_}}},
    {"timer_getoverrun, timer_delete", SYS_timer_getoverrun, {{N_(-1), N_(77)}}},
    {"timer_delete", SYS_timer_delete, {{N_(-1), N_(77)}}},
    {"timerfd_settime",
     SYS_timerfd_settime,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(TIMER)},
      {N_(0), N_(1), N_(2), N_(3), N_(4)},
      {SPEC},
      {NULL_, WILD_}}},
    {"timerfd_gettime",
     SYS_timerfd_gettime,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(TIMER)}, {NULL_, READABLE_, WRITABLE_}}},
    {"getitimer", SYS_getitimer, {{N_(0), N_(2), N_(3), N_(-1)}, {NULL_, WRITABLE_}}},
    {"setitimer",
     SYS_setitimer,
     {{N_(0), N_(2), N_(3), N_(-1)},
      {NULL_, WILD_, {"zero", 0x10011000}, {"negative", 0x10011a00}, {"a million", 0x10011b00}},
      {NULL_, READABLE_, WRITABLE_}}},
    {"gettimeofday",
     SYS_gettimeofday,
     {{NULL_, READABLE_, WRITABLE_}, {NULL_, READABLE_, WRITABLE_}}},
    {"times", SYS_times, {{NULL_, READABLE_, WRITABLE_}}},
    {"getrusage",
     SYS_getrusage,
     {{N_(0), N_(1), N_(-1), N_(-2), N_(2)}, {NULL_, READABLE_, WRITABLE_}}},
    {"futex, timeout",
     SYS_futex,
     {{NULL_, WILD_, {"odd", 0x10010001}, WRITABLE_},
      {N_(0), N_(9), N_(128), N_(256), N_(265), N_(1 | 256), N_(99)},
      {N_(0), N_(1)},
      {WILD_, {"past", 0x10011000}, {"negative", 0x10011100}},
      {NULL_},
      {N_(0), N_(1)}}},
};

static const struct matrix_call fds[] = {
    {"timerfd_create",
     SYS_timerfd_create,
     {{CLOCKS}, {N_(0), N_(1), N_(O_CLOEXEC), N_(O_NONBLOCK)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    *(struct timespec *)0x10011100 = (struct timespec){-1, 0};
    *(struct timespec *)0x10011200 = (struct timespec){0, 1000000000};
    *(struct itimerspec *)0x10011400 = (struct itimerspec){.it_value = {-1, 0}};
    *(struct itimerspec *)0x10011500 = (struct itimerspec){.it_interval = {0, 1000000000}};
    *(struct sigevent *)0x10011600 = (struct sigevent){.sigev_notify = SIGEV_SIGNAL};
    *(struct sigevent *)0x10011700 = (struct sigevent){.sigev_notify = 77, .sigev_signo = 10};
    *(struct sigevent *)0x10011800 =
        (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    *(struct sigevent *)0x10011900 =
        (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = 10};
    *(struct itimerval *)0x10011a00 = (struct itimerval){.it_value = {-1, 0}};
    *(struct itimerval *)0x10011b00 = (struct itimerval){.it_interval = {0, 1000000}};
    MATRIX(fds, matrix_close);
    MATRIX(calls, NULL);
    return done();
}
