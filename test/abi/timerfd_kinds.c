/* timerfd: flags, ticks that are set, settings that are told and replaced, long and past times, clocks. */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "abi.h"

#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#define NEVER             1000000 /* seconds */

static int fd;

static long set(int flags, long s, long ns, long interval_s, long interval_ns)
{
    struct itimerspec spec = {.it_value = {s, ns}, .it_interval = {interval_s, interval_ns}};

    return timerfd_settime(fd, flags, &spec, NULL);
}

static void say_count(const char *what)
{
    uint64_t count = 0;
    ssize_t n = read(fd, &count, 8);

    say("%s: %zd, %llu%s%s", what, n, (unsigned long long)count, n < 0 ? ", " : "",
        n < 0 ? strerror(errno) : "");
}

static void wait_for_expiry(void)
{
    struct pollfd p = {fd, POLLIN, 0};

    NEED(poll(&p, 1, -1) == 1);
}

static void clocks(void)
{
    static const struct {
        const char *name;
        int clock;
    } all[] = {
        {"realtime", CLOCK_REALTIME},        {"monotonic", CLOCK_MONOTONIC},
        {"boottime", CLOCK_BOOTTIME},        {"process", CLOCK_PROCESS_CPUTIME_ID},
        {"thread", CLOCK_THREAD_CPUTIME_ID}, {"raw", CLOCK_MONOTONIC_RAW},
        {"coarse", CLOCK_MONOTONIC_COARSE},  {"tai", CLOCK_TAI},
    };
    for (size_t i = 0; i < NR(all); i++) {
        errno = 0;
        int t = timerfd_create(all[i].clock, TFD_NONBLOCK);
        say("%s: %s", all[i].name, t < 0 ? strerror(errno) : "good");
        if (t >= 0)
            close(t);
    }
}

static void settings(void)
{
    struct itimerspec old, now;

    SHOW(set(0, NEVER, 0, 5, 7));
    NEED(timerfd_settime(fd, 0, &(struct itimerspec){.it_value = {NEVER * 2l, 0}}, &old) == 0);
    say("old: %d, interval %ld %ld",
        old.it_value.tv_sec >= NEVER - 100 && old.it_value.tv_sec <= NEVER,
        (long)old.it_interval.tv_sec, (long)old.it_interval.tv_nsec);
    NEED(timerfd_gettime(fd, &now) == 0);
    say("interval now: %ld %ld", (long)now.it_interval.tv_sec, (long)now.it_interval.tv_nsec);
    SHOW(set(0, 0, 0, 5, 0)); /* an interval without a value: stopped */
    NEED(timerfd_gettime(fd, &now) == 0);
    say("stopped: %ld %ld, interval %ld", (long)now.it_value.tv_sec, (long)now.it_value.tv_nsec,
        (long)now.it_interval.tv_sec);
    say_count("stopped");
    SHOW(set(0, (long)(~0ul >> 1), 999999999, 0, 0)); /* as long as can be said */
    NEED(timerfd_gettime(fd, &now) == 0);
    CHECK(now.it_value.tv_sec > NEVER);
    say_count("for ever");
    SHOW(set(TFD_TIMER_ABSTIME, 1, 0, NEVER, 0)); /* past, and then long not */
    wait_for_expiry();
    say_count("past");
    say_count("and then");
    SHOW(set(TFD_TIMER_ABSTIME, 0, 1, 0, 0));
    wait_for_expiry();
    say_count("the first nanosecond");
    SHOW(set(TFD_TIMER_CANCEL_ON_SET, NEVER, 0, 0, 0));
    SHOW(set(TFD_TIMER_CANCEL_ON_SET | TFD_TIMER_ABSTIME, NEVER, 0, 0, 0));
}

static void setting_drops_what_was(void)
{
    struct pollfd p = {fd, POLLIN, 0};

    SHOW(set(0, 0, 1, 0, 0));
    wait_for_expiry();
    SHOW(set(0, NEVER, 0, 0, 0));
    say("expired, then set: poll %d", poll(&p, 1, 0));
    say_count("expired, then set");
    SHOW(set(0, 0, 1, 0, 0));
    wait_for_expiry();
    SHOW(set(0, 0, 0, 0, 0));
    say_count("expired, then stopped");
}

static void ticks(void)
{
    uint64_t value = 77;

    SHOW(set(0, NEVER, 0, 0, 0));
    if (ioctl(fd, TFD_IOC_SET_TICKS, &value) < 0 && errno == ENOTTY) {
        value = 0; /* Linux may be built without it */
        say("ticks");
        return;
    }
    uint64_t count = 0;
    CHECK(read(fd, &count, 8) == 8 && count == 77);
    value = 0;
    CHECK(ioctl(fd, TFD_IOC_SET_TICKS, &value) == -1 && errno == EINVAL);
    say("ticks");
}

int main(void)
{
    char small[7];
    uint64_t two[2];

    clocks();
    fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    NEED(fd >= 0);
    settings();
    setting_drops_what_was();
    ticks();
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    SHOW(set(TFD_TIMER_CANCEL_ON_SET, NEVER, 0, 0, 0));
    SHOW(set(TFD_TIMER_CANCEL_ON_SET | TFD_TIMER_ABSTIME, 1, 0, 0, 0));
    wait_for_expiry();
    say_count("past");
    SHOW(read(fd, small, sizeof small));
    SHOW(read(fd, two, sizeof two));
    SHOW(pread(fd, two, 8, 0));
    SHOW(write(fd, two, 8));
    SHOW(ftruncate(fd, 0));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    return done();
}
