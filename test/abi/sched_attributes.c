/* sched_setattr and its older kin: what each policy accepts, what is told back, reset on fork, and affinity masks. */
#include <sched.h>
#include <sys/resource.h>

#include "abi.h"

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};

static void say_attr(const char *what)
{
    struct attr a = {0};

    NEED(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) == 0);
    say("%s: size %u, policy %u, flags %llx, nice %d, priority %u", what, a.size, a.policy,
        (unsigned long long)a.flags, a.nice, a.priority);
}

static void set(const char *what, struct attr a)
{
    a.size = a.size ? a.size : 48;
    errno = 0;
    long r = syscall(SYS_sched_setattr, 0, &a, 0);
    say("%s: %s", what, r ? strerror(errno) : "good");
    if (r == 0)
        say_attr("  now");
}

static void policies(void)
{
    NEED(setpriority(PRIO_PROCESS, 0, 0) == 0); /* whatever it was started with */
    say_attr("at first");
    set("nice 5", (struct attr){.nice = 5});
    set("nice 99", (struct attr){.nice = 99});
    set("nice -99", (struct attr){.nice = -99});
    set("normal with a priority", (struct attr){.priority = 1});
    set("batch", (struct attr){.policy = SCHED_BATCH, .nice = 3});
    set("idle", (struct attr){.policy = SCHED_IDLE});
    set("fifo without a priority", (struct attr){.policy = SCHED_FIFO});
    set("round robin 100", (struct attr){.policy = SCHED_RR, .priority = 100});
    set("policy 4", (struct attr){.policy = 4});
    set("unknown flag", (struct attr){.flags = 1 << 20});
    set("reset on fork", (struct attr){.flags = 1});
    set("keep policy", (struct attr){.flags = 8, .policy = SCHED_FIFO, .nice = 2});
    set("keep parameters", (struct attr){.flags = 16, .nice = 7});
    set("size 56", (struct attr){.size = 56, .nice = 1});
    set("size 20", (struct attr){.size = 20});
    set("normal again", (struct attr){.nice = 0});
}

static void old_calls(void)
{
    struct sched_param p = {0};
    struct timespec t;

    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &p));
    SHOW(syscall(SYS_sched_getscheduler, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH | 0x40000000, &p));
    SHOW(syscall(SYS_sched_getscheduler, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
    SHOW(syscall(SYS_sched_getscheduler, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, -1, &p));
    p.sched_priority = 1;
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
    SHOW(syscall(SYS_sched_setparam, 0, &p));
    SHOW(syscall(SYS_sched_getparam, 0, &p));
    say("priority %d", p.sched_priority);
    NEED(sched_rr_get_interval(0, &t) == 0);
    CHECK(t.tv_sec == 0);
}

static void affinity(void)
{
    unsigned long mask[16] = {0}, old[16] = {0};

    long size = syscall(SYS_sched_getaffinity, 0, sizeof old, old);
    CHECK(size >= 8 && size % (long)sizeof(long) == 0);
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask)); /* nowhere */
    mask[15] = 1ul << (sizeof(long) * 8 - 1);
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask)); /* CPUs that are not there */
    mask[0] = 1;                                                /* those that are count */
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
    memset(mask, 0xff, sizeof mask);
    NEED(syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) == size);
    say("the first CPU only: %d", mask[0] == 1);
    unsigned cpu = 99;
    NEED(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0);
    say("it runs there: %u", cpu);
    SHOW(syscall(SYS_sched_setaffinity, 0, 1, mask)); /* a short mask */
    SHOW(syscall(SYS_sched_setaffinity, 0, sizeof old, old));
    SHOW(syscall(SYS_sched_getaffinity, 0, 7, mask));
    SHOW(syscall(SYS_sched_getaffinity, 0, sizeof(long) + 2, mask));
    SHOW(syscall(SYS_sched_getaffinity, getpid(), sizeof mask, mask) == size);
}

static void priorities(void)
{
    SHOW(setpriority(PRIO_PROCESS, 0, 50));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0)); /* the raw answer: 20 less it */
    NEED(syscall(SYS_setresuid, -1, 1000, -1) == 0);
    SHOW(setpriority(PRIO_PROCESS, 0, 10));
    set("nicer for nobody", (struct attr){.nice = -5});
    set("fifo for nobody", (struct attr){.policy = SCHED_FIFO, .priority = 1});
    set("idle for nobody", (struct attr){.policy = SCHED_IDLE});
}

int main(void)
{
    policies();
    old_calls();
    affinity();
    priorities();
    return done();
}
