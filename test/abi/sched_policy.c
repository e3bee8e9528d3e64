/* The scheduler's calls: policies, parameters, nice values, and their errors. */
#include "abi.h"

#include <sched.h>
#define sched_param linux_sched_param /* libc has its own */
#include <linux/sched.h>
#include <linux/sched/types.h>
#undef sched_param
#include <sys/resource.h>

static long set(int pid, int policy, int priority)
{
    struct sched_param p = {.sched_priority = priority};

    return syscall(SYS_sched_setscheduler, pid, policy, &p);
}

static long get(void)
{
    return syscall(SYS_sched_getscheduler, 0);
}

static long set_priority_of(int pid, int priority)
{
    struct sched_param p = {.sched_priority = priority};

    return syscall(SYS_sched_setparam, pid, &p);
}

static long get_priority_of(int pid)
{
    struct sched_param p = {.sched_priority = -1};

    return syscall(SYS_sched_getparam, pid, &p) ? -1 : p.sched_priority;
}

static long set_attr(uint32_t size, uint32_t policy, int nice, uint32_t priority, uint64_t flags)
{
    struct sched_attr a = {.size = size,
                           .sched_policy = policy,
                           .sched_nice = nice,
                           .sched_priority = priority,
                           .sched_flags = flags};

    return syscall(SYS_sched_setattr, 0, &a, 0);
}

static void say_attr(void)
{
    struct sched_attr a = {0};

    SHOW(syscall(SYS_sched_getattr, 0, &a, SCHED_ATTR_SIZE_VER0, 0));
    say("policy %u, nice %d, priority %u, flags %llu", a.sched_policy, a.sched_nice,
        a.sched_priority, (unsigned long long)a.sched_flags);
}

static void policies(void)
{
    static const int policy[] = {SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, 4, SCHED_IDLE};

    for (size_t i = 0; i < NR(policy); i++) {
        SHOW(syscall(SYS_sched_get_priority_min, policy[i]));
        SHOW(syscall(SYS_sched_get_priority_max, policy[i]));
        SHOW(set(0, policy[i], 0));
        SHOW(set(0, policy[i], 5));
        SHOW(get());
        SHOW(get_priority_of(0));
    }
    SHOW(set(0, SCHED_FIFO, 100));
    SHOW(set(0, SCHED_FIFO, -1));
    SHOW(set(0, -1, 0));
    SHOW(set(-1, SCHED_NORMAL, 0));
    SHOW(set(0x3ffffff0, SCHED_NORMAL, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_NORMAL, NULL));
    SHOW(syscall(SYS_sched_setscheduler, 0, SCHED_NORMAL, (void *)8));
    SHOW(set(0, SCHED_RR, 7));
    SHOW(set_priority_of(0, 9));
    SHOW(get_priority_of(0));
    SHOW(set_priority_of(0, 0));
    SHOW(get_priority_of(-1));
    SHOW(get_priority_of(0x3ffffff0));
    SHOW(set(0, SCHED_NORMAL | SCHED_RESET_ON_FORK, 0));
    say("reset on fork: %d", (int)(get() & SCHED_RESET_ON_FORK) != 0);
    SHOW(set(0, SCHED_NORMAL, 0));
}

static void attributes(void)
{
    struct sched_attr a = {.size = 8};

    SHOW(set_attr(SCHED_ATTR_SIZE_VER0, SCHED_NORMAL, 5, 0, 0));
    say_attr();
    SHOW(set_attr(0, SCHED_FIFO, 0, 3, SCHED_FLAG_RESET_ON_FORK));
    say_attr();
    SHOW(set_attr(SCHED_ATTR_SIZE_VER0, SCHED_NORMAL, 0, 3, 0));
    SHOW(set_attr(SCHED_ATTR_SIZE_VER0, 99, 0, 0, 0));
    SHOW(set_attr(SCHED_ATTR_SIZE_VER0, SCHED_NORMAL, 0, 0, 1ull << 40));
    SHOW(syscall(SYS_sched_setattr, 0, &a, 0));
    SHOW(syscall(SYS_sched_setattr, 0, NULL, 0));
    SHOW(syscall(SYS_sched_setattr, 0, &a, 1));
    SHOW(syscall(SYS_sched_getattr, 0, &a, 47, 0));
    SHOW(syscall(SYS_sched_getattr, 0, &a, 5000, 0));
    SHOW(syscall(SYS_sched_getattr, -1, &a, 48, 0));
    SHOW(set_attr(SCHED_ATTR_SIZE_VER0, SCHED_NORMAL, 0, 0, 0));
}

static void nice_values(void)
{
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    SHOW(syscall(SYS_setpriority, PRIO_PROCESS, 0, 7));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    SHOW(syscall(SYS_setpriority, PRIO_PROCESS, 0, 1000));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    SHOW(syscall(SYS_setpriority, PRIO_PROCESS, 0, -1000));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    SHOW(syscall(SYS_setpriority, PRIO_PROCESS, 0, 0));
    SHOW(syscall(SYS_getpriority, 3, 0));
    SHOW(syscall(SYS_setpriority, -1, 0, 0));
    SHOW(syscall(SYS_getpriority, PRIO_PROCESS, 0x3ffffff0));
    SHOW(syscall(SYS_setpriority, PRIO_PGRP, 0x3ffffff0, 0));
}

int main(void)
{
    policies();
    attributes();
    nice_values();
    SHOW(sched_yield());
    return done();
}
