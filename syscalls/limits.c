/* Resource limits and usage. */
#include "abi_process.h"

#include <linux/resource.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

long sys_getrlimit(unsigned resource, struct uptr rlim)
{
    struct rlimit_pair limit;
    long err = process_set_rlimit(current_process(), resource, NULL, &limit);
    return err ? err : user_put_rlimit_word(rlim, &limit, UINT32_MAX);
}

long sys_setrlimit(unsigned resource, struct uptr rlim)
{
    struct rlimit_pair limit;
    if (user_get_rlimit_word(rlim, &limit))
        return -EFAULT;
    return process_set_rlimit(current_process(), resource, &limit, NULL);
}

/* May the caller touch the limits of `p`?  All ids must be his own. */
static int may_change(struct process *p)
{
    const struct cred *cred = current_cred();
    if (p == current_process() || cred_has_cap(cred, CAP_SYS_RESOURCE))
        return 0;
    struct cred *c = cred_of_process(p);
    if (!c)
        return -ESRCH;
    bool may = cred->uid == c->euid && cred->uid == c->suid && cred->uid == c->uid &&
               cred->gid == c->egid && cred->gid == c->sgid && cred->gid == c->gid;
    cred_put(c);
    return may ? 0 : -EPERM;
}

/* The process of `pid` (any of its threads' ids), referenced; 0 is the caller's.  NULL: none. */
static struct process *find_target(int pid)
{
    struct task *t = pid ? task_find(pid) : NULL;
    struct process *p = pid ? (t ? t->process : NULL) : current_process();
    if (p)
        process_get(p);
    if (t)
        task_put(t);
    return p;
}

long sys_prlimit64(int pid, unsigned resource, struct uptr new_limit, struct uptr old_limit)
{
    struct rlimit_pair new, old;
    bool has_new = !uptr_is_null(new_limit), has_old = !uptr_is_null(old_limit);
    if (has_new && user_get_rlimit(new_limit, &new))
        return -EFAULT;
    struct process *p = find_target(pid);
    if (!p)
        return -ESRCH;
    long err = may_change(p);
    if (!err)
        err = process_set_rlimit(p, resource, has_new ? &new : NULL, has_old ? &old : NULL);
    process_put(p);
    if (!err && has_old)
        err = user_put_rlimit(old_limit, &old);
    return err;
}

long sys_getrusage(int who, struct uptr usage)
{
    struct process *p = current_process();
    struct process_usage u;
    switch (who) {
    case RUSAGE_SELF:
        process_get_usage(p, &u);
        break;
    case RUSAGE_CHILDREN:
        mutex_lock(&p->lock);
        u = p->children_usage;
        mutex_unlock(&p->lock);
        break;
    case RUSAGE_THREAD:
        task_get_usage(current_task(), &u);
        break;
    default:
        return -EINVAL;
    }
    return user_put_rusage(usage, &u);
}
