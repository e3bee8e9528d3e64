/* nanosleep and clock_nanosleep: long enough, with the right errors. */
#include "abi.h"

int main(void)
{
    struct timespec t = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0}, past = {1, 0};
    int64_t began = now_ns();

    for (int i = 0; i < 20; i++) {
        t = (struct timespec){0, 1000000};
        CHECK(nanosleep(&t, NULL) == 0);
    }
    CHECK(now_ns() - began >= 20000000);
    SHOW(nanosleep(&bad, NULL));
    SHOW(nanosleep(&negative, NULL));
    SHOW(syscall(SYS_nanosleep, 8, NULL));
    t = (struct timespec){0, 0};
    SHOW(nanosleep(&t, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL));
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 30000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
    CHECK(now_ns() >= t.tv_sec * 1000000000ll + t.tv_nsec);
    SHOW(syscall(SYS_clock_nanosleep, 99, 0, &past, NULL));
    SHOW(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL));
    return done();
}
