/* adjtimex(2) and clock_adjtime(2), as far as a test may go that shares its clock with others: reading, a step of
 * nothing, what is refused. */
#include "abi.h"

#include <sys/sysinfo.h>
#include <sys/timex.h>

static long adjust(unsigned modes, long sec, long usec)
{
    struct timex t;
    memset(&t, 0, sizeof t);
    t.modes = modes;
    t.time.tv_sec = sec;
    t.time.tv_usec = usec;
    return syscall(SYS_adjtimex, &t) < 0 ? -1 : 0;
}

static void test_reading(void)
{
    say("-- reading");
    struct timex t = {.modes = 0};
    struct timespec now;
    CHECK(syscall(SYS_adjtimex, &t) >= 0);
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK(now.tv_sec - t.time.tv_sec <= 2 && t.time.tv_sec <= now.tv_sec);
    say("tick %ld, precision %ld, tolerance %ld", (long)t.tick, (long)t.precision,
        (long)t.tolerance);
    t.modes = ADJ_OFFSET_SS_READ;
    CHECK(syscall(SYS_adjtimex, &t) >= 0);
    t.modes = 0;
    CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t) >= 0);
    SHOW(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t));
    SHOW(syscall(SYS_clock_adjtime, 99, &t));
    SHOW(syscall(SYS_adjtimex, 8));
    SHOW(syscall(SYS_clock_adjtime, CLOCK_REALTIME, 8));
}

static void test_stepping(void)
{
    say("-- stepping");
    SHOW(adjust(ADJ_SETOFFSET, 0, 0));
    SHOW(adjust(ADJ_SETOFFSET | ADJ_NANO, 0, 0));
    SHOW(adjust(ADJ_SETOFFSET, 0, -1));
    SHOW(adjust(ADJ_SETOFFSET, 0, 1000000));
    SHOW(adjust(ADJ_SETOFFSET | ADJ_NANO, 0, 1000000000));
    SHOW(adjust(ADJ_SETOFFSET, -1000000000000, 0)); /* before all times */
    SHOW(seteuid(1000));
    SHOW(adjust(0, 0, 0));
    SHOW(adjust(ADJ_OFFSET_SS_READ, 0, 0));
    SHOW(adjust(ADJ_SETOFFSET, 0, 0));
    SHOW(adjust(ADJ_FREQUENCY, 0, 0));
    SHOW(adjust(ADJ_STATUS, 0, 0));
    SHOW(adjust(ADJ_OFFSET_SINGLESHOT, 0, 0));
    SHOW(seteuid(0));
}

static void test_load(void)
{
    say("-- load");
    struct sysinfo s;
    double a, b, c;
    char text[100] = "";
    int fd = open("/proc/loadavg", O_RDONLY), running, all, pid;
    NEED(read(fd, text, sizeof text - 1) > 0);
    say("%d fields", sscanf(text, "%lf %lf %lf %d/%d %d", &a, &b, &c, &running, &all, &pid));
    CHECK(running >= 1 && all >= running && a >= 0);
    SHOW(sysinfo(&s));
    double one = (double)s.loads[0] / 65536;
    CHECK(one - a < 1 && a - one < 1); /* they may have moved in between */
}

int main(void)
{
    test_reading();
    test_stepping();
    test_load();
    return done();
}
