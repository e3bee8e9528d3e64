/* The scheduler's calls: policies and priorities, affinity, yielding. */
#include <abi.h>
#include "abi_process.h"

#include <abi_io.h>
#include <core/sched.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

#define RT_PRIORITY_MAX 99
#define KEEP_POLICY     (-1) /* sched_setparam */

long sys_sched_yield(void)
{
    sched_yield();
    return 0;
}

/* The task of an id, 0 being the caller; referenced.  NULL: -ESRCH. */
static struct task *find_task(int pid)
{
    if (pid)
        return task_find(pid);
    task_get(current_task());
    return current_task();
}

/* May the caller change how `t`, which has the credentials `its`, is scheduled? */
static bool may_control_as(struct task *t, const struct cred *its)
{
    const struct cred *me = current_cred();

    return t->process == current_process() || cred_has_cap(me, CAP_SYS_NICE) ||
           (its && (me->euid == its->uid || me->euid == its->euid));
}

static bool may_control(struct task *t)
{
    struct cred *its = cred_of_task(t);
    bool may = may_control_as(t, its);

    if (its)
        cred_put(its);
    return may;
}

/* May `t`'s nice value become `nice`, which is less than it is? */
static bool may_raise(struct task *t, int nice)
{
    return cred_has_cap(current_cred(), CAP_SYS_NICE) ||
           (uint64_t)(20 - nice) <= process_rlimit(t->process, RLIMIT_NICE);
}

/* --- policies ------------------------------------------------------------------------------------------- */

struct policy_request {
    int policy; /* or KEEP_POLICY */
    unsigned priority;
    bool reset_on_fork;
    bool has_nice, keeps_priority;
    int nice;
};

static bool is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* 0, -EINVAL, -EPERM. */
static int check_policy(struct task *t, const struct policy_request *r)
{
    switch (r->policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_FIFO:
    case SCHED_RR:
        break;
    default:
        return -EINVAL;
    }
    if (r->priority > RT_PRIORITY_MAX || (r->priority > 0) != is_realtime(r->policy))
        return -EINVAL;
    if (!may_control(t))
        return -EPERM;
    if (cred_has_cap(current_cred(), CAP_SYS_NICE))
        return 0;
    uint64_t limit = process_rlimit(t->process, RLIMIT_RTPRIO);
    bool raises = r->priority > t->thread.rt_priority && r->priority > limit;
    if (is_realtime(r->policy) && (raises || (limit == 0 && r->policy != t->thread.policy)))
        return -EPERM;
    if (r->has_nice && r->nice < t->thread.nice && !may_raise(t, r->nice))
        return -EPERM;
    bool leaves_idle = t->thread.policy == SCHED_IDLE && r->policy != SCHED_IDLE;
    if (leaves_idle && !may_raise(t, t->thread.nice))
        return -EPERM;
    return t->thread.reset_on_fork && !r->reset_on_fork ? -EPERM : 0;
}

static long set_policy(int pid, struct policy_request *r)
{
    struct task *t = find_task(pid);

    if (!t)
        return -ESRCH;
    if (r->policy == KEEP_POLICY) {
        r->policy = t->thread.policy;
        r->reset_on_fork = t->thread.reset_on_fork;
    }
    if (r->keeps_priority && is_realtime(t->thread.policy))
        r->priority = t->thread.rt_priority;
    /* Other policies leave the nice value as it is. */
    r->has_nice = r->has_nice && (r->policy == SCHED_NORMAL || r->policy == SCHED_BATCH);
    int err = check_policy(t, r);
    if (err == 0) {
        t->thread.reset_on_fork = r->reset_on_fork;
        if (r->has_nice)
            sched_set_nice(&t->thread, MIN(MAX(r->nice, -20), 19));
        sched_set_policy(&t->thread, (enum sched_policy)r->policy, r->priority);
    }
    task_put(t);
    return err;
}

static long set_policy_with_param(int pid, int policy, struct uptr param)
{
    struct sched_param user;

    if (uptr_is_null(param) || pid < 0)
        return -EINVAL;
    if (user_get(param, &user) < 0)
        return -EFAULT;
    struct policy_request r = {.policy = policy, .priority = (unsigned)user.sched_priority};
    if (policy != KEEP_POLICY) {
        r.reset_on_fork = policy & SCHED_RESET_ON_FORK;
        r.policy = policy & ~SCHED_RESET_ON_FORK;
    }
    return set_policy(pid, &r);
}

long sys_sched_setscheduler(int pid, int policy, struct uptr param)
{
    return policy < 0 ? -EINVAL : set_policy_with_param(pid, policy, param);
}

long sys_sched_setparam(int pid, struct uptr param)
{
    return set_policy_with_param(pid, KEEP_POLICY, param);
}

long sys_sched_getscheduler(int pid)
{
    struct task *t = pid < 0 ? NULL : find_task(pid);

    if (!t)
        return pid < 0 ? -EINVAL : -ESRCH;
    long policy = t->thread.policy | (t->thread.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
    task_put(t);
    return policy;
}

long sys_sched_getparam(int pid, struct uptr param)
{
    struct task *t;

    if (uptr_is_null(param) || pid < 0)
        return -EINVAL;
    t = find_task(pid);
    if (!t)
        return -ESRCH;
    struct sched_param user = {.sched_priority = t->thread.rt_priority};
    task_put(t);
    return user_put(param, &user);
}

long sys_sched_setattr(int pid, struct uptr attr, unsigned flags)
{
    struct sched_attr a;
    uint32_t size, known = sizeof(a);

    if (uptr_is_null(attr) || pid < 0 || flags)
        return -EINVAL;
    if (user_get(attr, &size) < 0)
        return -EFAULT;
    if (size == 0)
        size = SCHED_ATTR_SIZE_VER0;
    int err = size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE
                  ? -E2BIG
                  : user_get_extensible(attr, size, &a, sizeof(a));
    if (err == -E2BIG && user_put(attr, &known) < 0) /* tell what we know */
        return -EFAULT;
    if (err < 0)
        return err;
    if ((int)a.sched_policy < 0 || (a.sched_flags & ~(uint64_t)SCHED_FLAG_ALL))
        return -EINVAL;
    if (a.sched_flags & (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX))
        return -EOPNOTSUPP;
    struct policy_request r = {
        .policy = a.sched_flags & SCHED_FLAG_KEEP_POLICY ? KEEP_POLICY : (int)a.sched_policy,
        .priority = a.sched_priority,
        .reset_on_fork = a.sched_flags & SCHED_FLAG_RESET_ON_FORK,
        .has_nice = !(a.sched_flags & SCHED_FLAG_KEEP_PARAMS),
        .keeps_priority = a.sched_flags & SCHED_FLAG_KEEP_PARAMS,
        .nice = a.sched_nice,
    };
    return set_policy(pid, &r);
}

long sys_sched_getattr(int pid, struct uptr attr, unsigned size, unsigned flags)
{
    struct sched_attr a = {.size = MIN(size, (unsigned)sizeof(a))};

    if (uptr_is_null(attr) || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
        return -EINVAL;
    struct task *t = find_task(pid);
    if (!t)
        return -ESRCH;
    a.sched_policy = t->thread.policy;
    a.sched_flags = t->thread.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
    a.sched_priority = t->thread.rt_priority;
    if (!is_realtime(t->thread.policy))
        a.sched_nice = t->thread.nice;
    task_put(t);
    return user_write(attr, &a, a.size);
}

#define SCHED_EXT_ 7 /* newer than the oldest <linux/sched.h> that we build with */

static long priority_max(int policy)
{
    if (is_realtime(policy))
        return RT_PRIORITY_MAX;
    return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
                   policy == SCHED_DEADLINE || policy == SCHED_EXT_
               ? 0
               : -EINVAL;
}

long sys_sched_get_priority_max(int policy)
{
    return priority_max(policy);
}

long sys_sched_get_priority_min(int policy)
{
    return is_realtime(policy) ? 1 : priority_max(policy);
}

long sys_sched_rr_get_interval(int pid, struct uptr tp)
{
    struct task *t = pid < 0 ? NULL : find_task(pid);

    if (!t)
        return pid < 0 ? -EINVAL : -ESRCH;
    uint64_t ns = t->thread.policy == SCHED_FIFO ? 0 : sched_slice_ns(&t->thread);
    task_put(t);
    return user_put_timespec_ns(tp, (int64_t)ns);
}

/* --- nice ------------------------------------------------------------------------------------------------- */

struct nice_request {
    int which, who;
    bool is_set;
    int nice;   /* to be set */
    long best;  /* of what was found: 20 - nice */
    long error; /* the last one */
    bool was_found;
};

static void nice_one(struct nice_request *r, struct task *t, const struct cred *its)
{
    r->was_found = true;
    r->best = MAX(r->best, 20 - t->thread.nice);
    if (!r->is_set)
        return;
    if (!may_control_as(t, its))
        r->error = -EPERM;
    else if (r->nice < t->thread.nice && !may_raise(t, r->nice))
        r->error = -EACCES;
    else
        sched_set_nice(&t->thread, r->nice);
}

static void nice_process(void *arg, struct process *p)
{
    struct nice_request *r = arg;
    struct task *t;

    mutex_lock(&p->lock);
    list_for_each(t, &p->tasks, process_node)
        if (r->which == PRIO_PGRP || t->cred->uid == (uint32_t)r->who)
            nice_one(r, t, t->cred);
    mutex_unlock(&p->lock);
}

static void nice_task(struct nice_request *r)
{
    struct task *t = find_task(r->who);

    if (!t)
        return;
    struct cred *its = cred_of_task(t);
    nice_one(r, t, its);
    if (its)
        cred_put(its);
    task_put(t);
}

static void nice_visit(struct nice_request *r)
{
    switch (r->which) {
    case PRIO_PROCESS:
        nice_task(r);
        break;
    case PRIO_PGRP:
        process_visit_group(r->who ? r->who : process_group(current_process()), nice_process, r);
        break;
    default:
        r->who = r->who ? r->who : (int)current_cred()->uid;
        process_visit_group(0, nice_process, r);
        break;
    }
}

long sys_getpriority(int which, int who)
{
    struct nice_request r = {.which = which, .who = who};

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    nice_visit(&r);
    return r.was_found ? r.best : -ESRCH;
}

long sys_setpriority(int which, int who, int prio)
{
    struct nice_request r = {
        .which = which, .who = who, .is_set = true, .nice = MIN(MAX(prio, -20), 19)};

    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    nice_visit(&r);
    return r.was_found ? r.error : -ESRCH;
}

/* --- CPUs ------------------------------------------------------------------------------------------------- */

long sys_sched_setaffinity(int pid, size_t cpusetsize, struct uptr mask)
{
    cpuset set = 0;

    if (user_read(&set, mask, MIN(cpusetsize, sizeof(set))) < 0)
        return -EFAULT;
    struct task *t = find_task(pid);
    if (!t)
        return -ESRCH;
    long err = may_control(t) ? sched_set_affinity(&t->thread, set) : -EPERM;
    task_put(t);
    return err;
}

/* Bytes written, as the raw call answers. */
long sys_sched_getaffinity(int pid, size_t cpusetsize, struct uptr mask)
{
    cpuset set;

    size_t size = MIN(cpusetsize, sizeof(set));

    if (cpusetsize * 8 < arch_cpu_count() || cpusetsize % caller_word() != 0)
        return -EINVAL;
    struct task *t = find_task(pid);
    if (!t)
        return -ESRCH;
    set = t->thread.affinity & sched_online_cpus();
    task_put(t);
    return user_write(mask, &set, size) < 0 ? -EFAULT : (long)size;
}

long sys_getcpu(struct uptr cpu, struct uptr node, struct uptr tcache)
{
    unsigned index = this_cpu()->index, none = 0;

    if (!uptr_is_null(cpu) && user_put(cpu, &index) < 0)
        return -EFAULT;
    return uptr_is_null(node) ? 0 : user_put(node, &none);
}
