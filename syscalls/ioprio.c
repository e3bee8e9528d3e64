/* I/O priorities.  They are kept and told, as on a Linux whose devices all are memory: nothing ever queues for a
 * device here. */
#include <base/errno.h>
#include <linux/ioprio.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

/* 0, -EINVAL, -EPERM: Linux's ioprio_check_cap(). */
static int check_priority(int ioprio)
{
    const struct cred *cred = current_cred();
    switch (ioprio >> IOPRIO_CLASS_SHIFT) {
    case IOPRIO_CLASS_RT:
        return cred_has_cap(cred, CAP_SYS_ADMIN) || cred_has_cap(cred, CAP_SYS_NICE) ? 0 : -EPERM;
    case IOPRIO_CLASS_BE:
    case IOPRIO_CLASS_IDLE:
        return 0;
    case IOPRIO_CLASS_NONE:
        return ioprio & 7 ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

struct selection {
    int which;
    bool sets;
    uint16_t value; /* to be set, or the best one found */
    unsigned nr;
    uint32_t uid;
    int ret;
};

static bool may_change(struct task *t)
{
    const struct cred *own = current_cred();
    struct cred *c = cred_of_task(t);
    if (!c)
        return false;
    bool may = own->euid == c->uid || own->uid == c->uid || cred_has_cap(own, CAP_SYS_NICE);
    cred_put(c);
    return may;
}

static void apply(struct selection *s, struct task *t)
{
    uint16_t now = atomic_load(&t->io_priority);
    s->nr++;
    if (s->sets && may_change(t))
        atomic_store(&t->io_priority, s->value);
    else if (s->sets)
        s->ret = -EPERM;
    else if (s->nr == 1 || (now && (!s->value || now < s->value)))
        s->value = now; /* a smaller number is better; none at all is the worst */
}

static void apply_to_process(void *arg, struct process *p)
{
    struct selection *s = arg;
    struct task *t;
    mutex_lock(&p->lock);
    list_for_each(t, &p->tasks, process_node) {
        struct cred *c = s->which == IOPRIO_WHO_USER ? cred_of_task(t) : NULL;
        if (s->which != IOPRIO_WHO_USER || (c && c->uid == s->uid))
            apply(s, t);
        if (c)
            cred_put(c);
    }
    mutex_unlock(&p->lock);
}

/* Everybody whom `which` and `who` name: 0, -EINVAL, -ESRCH, -EPERM. */
static int select_tasks(struct selection *s, int who)
{
    struct task *t;
    switch (s->which) {
    case IOPRIO_WHO_PROCESS:
        t = who ? task_find(who) : current_task();
        if (t)
            apply(s, t);
        if (t && who)
            task_put(t);
        break;
    case IOPRIO_WHO_PGRP:
        (void)process_visit_group(who ? who : process_group(current_process()), apply_to_process,
                                  s);
        break;
    case IOPRIO_WHO_USER:
        s->uid = who ? (uint32_t)who : current_cred()->uid;
        (void)process_visit_group(0, apply_to_process, s);
        break;
    default:
        return -EINVAL;
    }
    return s->nr == 0 ? -ESRCH : s->ret;
}

long sys_ioprio_set(int which, int who, int ioprio)
{
    int ret = check_priority(ioprio);
    struct selection s = {.which = which, .sets = true, .value = (uint16_t)ioprio};
    return ret < 0 ? ret : select_tasks(&s, who);
}

long sys_ioprio_get(int which, int who)
{
    struct selection s = {.which = which};
    int ret = select_tasks(&s, who);
    return ret < 0 ? ret : s.value;
}
