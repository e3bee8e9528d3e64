/* Resource limits: the defaults, reading, changing.  Who enforces one reads it where it matters:
 * the address space has copies of its own (struct vm_limits), descriptors ask process_rlimit at
 * each allocation. */
#include "private.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <proc/cred.h>
#include <proc/timers.h>

#define RLIM_INF UINT64_MAX /* RLIM_INFINITY of the 64-bit interfaces */
enum { NR_OPEN_MAX = 1024 * 1024, TASKS_MAX = 30000 };

_Static_assert(NR_RLIMITS == RLIM_NLIMITS, "one slot for each limit");

/* Linux's, except for the hard limit of descriptors: there 4096, which is too few for a server and
 * which every distribution raises to this. */
void limits_init(struct rlimit_pair limits[NR_RLIMITS])
{
    for (unsigned i = 0; i < NR_RLIMITS; i++)
        limits[i] = (struct rlimit_pair){RLIM_INF, RLIM_INF};
    limits[RLIMIT_STACK].cur = 8 << 20;
    limits[RLIMIT_CORE].cur = 0;
    limits[RLIMIT_NPROC] = (struct rlimit_pair){TASKS_MAX, TASKS_MAX};
    limits[RLIMIT_NOFILE] = (struct rlimit_pair){1024, NR_OPEN_MAX};
    limits[RLIMIT_MEMLOCK] = (struct rlimit_pair){8 << 20, 8 << 20};
    limits[RLIMIT_SIGPENDING] = (struct rlimit_pair){TASKS_MAX, TASKS_MAX};
    limits[RLIMIT_MSGQUEUE] = (struct rlimit_pair){819200, 819200};
    limits[RLIMIT_NICE] = (struct rlimit_pair){0, 0};
    limits[RLIMIT_RTPRIO] = (struct rlimit_pair){0, 0};
}

void limits_apply_vm(struct process *p, struct vm *vm)
{
    struct vm_limits *l = vm_limits(vm);
    l->as = p->rlimits[RLIMIT_AS].cur;
    l->data = p->rlimits[RLIMIT_DATA].cur;
    l->stack = p->rlimits[RLIMIT_STACK].cur;
    l->memlock = p->rlimits[RLIMIT_MEMLOCK].cur;
}

/* RLIMIT_FSIZE of the running program, as Linux's generic_write_check_limits(). */
static int limit_write(int64_t pos, size_t *n)
{
    if (!current_thread()->is_user)
        return 0;
    uint64_t limit = process_rlimit(current_process(), RLIMIT_FSIZE);
    if (limit == RLIM_INF)
        return 0;
    if ((uint64_t)pos >= limit) {
        siginfo_t info;
        signal_info_from_current(&info, SIGXFSZ, SI_USER);
        signal_send_task(current_task(), SIGXFSZ, &info);
        return -EFBIG;
    }
    *n = MIN(*n, limit - (uint64_t)pos);
    return 0;
}

static bool has_fsetid(void)
{
    return !current_thread()->is_user || cred_has_cap(current_cred(), CAP_FSETID);
}

void limits_set_up(void)
{
    inode_set_fsetid(has_fsetid);
    inode_set_limit(limit_write);
}

uint64_t process_rlimit(struct process *p, unsigned resource)
{
    return atomic_load(&p->rlimits[resource].cur);
}

long process_set_rlimit(struct process *p, unsigned resource, const struct rlimit_pair *new,
                        struct rlimit_pair *old)
{
    if (resource >= NR_RLIMITS)
        return -EINVAL;
    if (new &&new->cur > new->max)
        return -EINVAL;
    if (new &&resource == RLIMIT_NOFILE &&new->max > NR_OPEN_MAX)
        return -EPERM;

    long result = 0;
    mutex_lock(&p->lock);
    struct rlimit_pair *limit = &p->rlimits[resource];
    if (new &&new->max > limit->max && !cred_has_cap(current_cred(), CAP_SYS_RESOURCE))
        result = -EPERM;
    if (result == 0 && old)
        *old = *limit;
    if (result == 0 && new) {
        atomic_store(&limit->cur, new->cur);
        atomic_store(&limit->max, new->max);
        if (p->vm)
            limits_apply_vm(p, p->vm);
    }
    mutex_unlock(&p->lock);
    if (result == 0 && resource == RLIMIT_CPU && new)
        result = itimers_limit_cpu(p);
    return result;
}
