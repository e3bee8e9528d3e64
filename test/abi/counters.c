/* eventfd(2) and timerfd(2) to their ends: overflow, semaphores, expirations that nobody read, errors in order. */
#include "abi.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void test_eventfd(void)
{
    say("-- eventfd");
    uint64_t v = 0, most = UINT64_MAX - 1, one = 1, all = UINT64_MAX;
    SHOW(eventfd(0, 5));
    SHOW(eventfd(0, 1 << 20));
    int fd = eventfd(3, EFD_NONBLOCK);
    say("ready %x", ready(fd));
    SHOW(read(fd, &v, 7));
    SHOW(read(fd, &v, 100) == 8 && v == 3);
    SHOW(read(fd, &v, 8));
    SHOW(write(fd, &most, 8));
    say("ready %x", ready(fd));
    SHOW(write(fd, &one, 8));
    SHOW(write(fd, &all, 8));
    SHOW(write(fd, &one, 7));
    v = 0;
    SHOW(write(fd, &v, 8));
    SHOW(read(fd, &v, 8));
    CHECK(v == most);
    SHOW(write(fd, (void *)8, 8));
    SHOW(read(fd, (void *)8, 8));
    SHOW(write(fd, &one, 8));
    SHOW(read(fd, (void *)8, 8));
    SHOW(lseek(fd, 10, SEEK_SET));
    SHOW(pread(fd, &v, 8, 0));
    int sem = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    SHOW(read(sem, &v, 8) == 8 && v == 1);
    SHOW(read(sem, &v, 8) == 8 && v == 1);
    SHOW(read(sem, &v, 8));
}

static void test_timerfd(void)
{
    say("-- timerfd");
    struct itimerspec its = {{0, 1000000}, {0, 1}}, old, none = {{0, 0}, {0, 0}},
                      far = {{0, 0}, {1000, 0}};
    struct itimerspec bad[3] = {{{0, 0}, {0, 1000000000}}, {{-1, 0}, {1, 0}}, {{0, -1}, {1, 0}}};
    uint64_t n = 0;
    SHOW(timerfd_create(99, 0));
    SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 1));
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    SHOW(read(fd, &n, 8));
    SHOW(read(fd, &n, 7));
    for (int i = 0; i < 3; i++)
        SHOW(timerfd_settime(fd, 0, &bad[i], NULL));
    SHOW(timerfd_settime(fd, 8, &its, NULL));
    SHOW(timerfd_settime(0x7fff, 0, &its, NULL));
    SHOW(timerfd_settime(eventfd(0, 0), 0, &its, NULL));
    SHOW(timerfd_settime(fd, 0, (void *)8, NULL));
    SHOW(timerfd_settime(fd, 0, &far, NULL));
    SHOW(timerfd_gettime(fd, &old));
    CHECK(old.it_value.tv_sec >= 998 && old.it_interval.tv_sec == 0);
    SHOW(timerfd_gettime(fd, (void *)8));
    SHOW(timerfd_settime(fd, 0, &its, &old));
    CHECK(old.it_value.tv_sec >= 998);
    sleep_ms(30);
    say("ready %x", ready(fd));
    SHOW(read(fd, &n, 100));
    CHECK(n >= 20);
    SHOW(timerfd_settime(fd, 0, &none, NULL));
    SHOW(timerfd_gettime(fd, &old));
    CHECK(old.it_value.tv_nsec == 0 && old.it_value.tv_sec == 0);
    SHOW(read(fd, &n, 8));
    struct itimerspec past = {{0, 0}, {0, 1}};
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &past, NULL));
    while (!(ready(fd) & POLLIN))
        ;
    SHOW(read(fd, &n, 8) == 8 && n == 1);
    SHOW(read(fd, &n, 8));
    SHOW(write(fd, &n, 8));
    SHOW(timerfd_settime(fd, 0, &past, NULL));
    while (!(ready(fd) & POLLIN))
        ;
    SHOW(read(fd, (void *)8, 8));
    SHOW(read(fd, &n, 8)); /* the number went with the failed one */
    int wall = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    SHOW(timerfd_settime(wall, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL));
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL));
}

int main(void)
{
    test_eventfd();
    test_timerfd();
    return done();
}
