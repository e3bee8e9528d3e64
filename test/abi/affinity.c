/* CPU numbers and affinity agree with each other, however many CPUs there are. */
#include <sched.h>
#include <sys/sysinfo.h>

#include "abi.h"

int main(void)
{
    cpu_set_t all, one, now;
    unsigned cpu, node;

    NEED(sched_getaffinity(0, sizeof all, &all) == 0);
    CHECK(CPU_COUNT(&all) >= 1 && CPU_COUNT(&all) <= sysconf(_SC_NPROCESSORS_CONF));
    say("a CPU of ours: %d", CPU_ISSET((size_t)sched_getcpu(), &all) != 0);
    unsigned moved = 0, there = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
        moved++;
        CHECK(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&one, &now));
        for (int n = 0; n < 100; n++) {
            syscall(SYS_getcpu, &cpu, &node, NULL);
            there += cpu == i;
            sched_yield();
        }
    }
    say("always on the CPU that was asked for: %d", there == 100 * moved);
    SHOW(sched_setaffinity(0, sizeof all, &all));
    CPU_ZERO(&one);
    SHOW(sched_setaffinity(0, sizeof one, &one));
    CPU_SET(1023, &one);
    SHOW(sched_setaffinity(0, sizeof one, &one));
    SHOW(syscall(SYS_sched_getaffinity, 0, 3, &now));
    SHOW(syscall(SYS_sched_getaffinity, 0, 8, (void *)8));
    SHOW(syscall(SYS_sched_getaffinity, 999999, sizeof now, &now));
    SHOW(syscall(SYS_sched_setaffinity, 999999, sizeof now, &all));
    SHOW(sched_yield());
    SHOW(sched_getscheduler(0));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_RR));
    SHOW(sched_get_priority_max(SCHED_OTHER));
    SHOW(sched_get_priority_max(77));
    return done();
}
