/* timerfd: counts of expirations, one shot and periodic, absolute times, poll, and its errors. */
#include <poll.h>
#include <sys/timerfd.h>

#include "abi.h"

int main(void)
{
    struct itimerspec spec = {.it_value = {0, 20000000}}, now, old;
    uint64_t count = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
        nonblock = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    struct pollfd p = {fd, POLLIN, 0};
    int64_t began = now_ns();

    NEED(fd >= 0 && nonblock >= 0);
    say("close-on-exec: %d %d", fcntl(fd, F_GETFD), fcntl(nonblock, F_GETFD));
    SHOW(poll(&p, 1, 0));
    SHOW(timerfd_settime(fd, 0, &spec, NULL));
    SHOW(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec >= 0 &&
          now.it_value.tv_nsec <= 20000000);
    SHOW(read(fd, &count, 8));
    CHECK(now_ns() - began >= 20000000);
    say("count %lu", count);
    timerfd_gettime(fd, &now);
    say("afterwards: %ld %ld", now.it_value.tv_sec, now.it_value.tv_nsec);
    spec.it_interval.tv_nsec = 5000000;
    spec.it_value.tv_nsec = 5000000;
    began = now_ns();
    SHOW(timerfd_settime(fd, 0, &spec, &old));
    unsigned long total = 0;
    while (total < 8) {
        CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
        NEED(read(fd, &count, 8) == 8);
        total += count;
    }
    CHECK(now_ns() - began >= 40000000);
    sleep_ms(30);
    NEED(read(fd, &count, 8) == 8);
    CHECK(count >= 5);
    spec = (struct itimerspec){.it_value = {1, 0}};
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, &old)); /* long past */
    say("old interval %ld", old.it_interval.tv_nsec);
    SHOW(read(fd, &count, 8));
    say("count %lu", count);
    spec = (struct itimerspec){0};
    SHOW(timerfd_settime(fd, 0, &spec, NULL));
    SHOW(poll(&p, 1, 20));

    SHOW(read(nonblock, &count, 8));
    SHOW(read(fd, &count, 4));
    SHOW(write(fd, &count, 8));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(timerfd_create(99, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0x10));
    SHOW(timerfd_settime(0, 0, &spec, NULL));
    SHOW(timerfd_settime(999, 0, &spec, NULL));
    spec.it_value.tv_nsec = 1000000000;
    SHOW(timerfd_settime(fd, 0, &spec, NULL));
    spec.it_value.tv_nsec = 0;
    SHOW(timerfd_settime(fd, 0x100, &spec, NULL));
    SHOW(timerfd_settime(fd, 0, (void *)8, NULL));
    return done();
}
