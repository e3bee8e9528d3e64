/* prctl(2): a hundred small switches.  An option without a case answers EINVAL, as a kernel that
 * was built without the feature. */
#include <base/string.h>
#include <core/usercopy.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <proc/cred.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

static long put_int(unsigned long p, int value)
{
    return user_put((struct uptr){p}, &value);
}

/* --- the thread's name ------------------------------------------------------------------------ */

static long set_name(struct uptr p)
{
    struct thread *self = current_thread();
    char name[sizeof(self->name)] = "";
    long len = user_read_string(name, p, sizeof(name));
    if (len == -EFAULT)
        return len;
    if (len < 0 && user_read(name, p, sizeof(name) - 1)) /* longer names are cut */
        return -EFAULT;
    name[sizeof(name) - 1] = '\0';
    if (len >= 0)
        memset(name + len, 0, sizeof(name) - (size_t)len);
    memcpy(self->name, name, sizeof(name));
    return 0;
}

/* --- capabilities ----------------------------------------------------------------------------- */

static long drop_bounding(unsigned long cap)
{
    if (!cred_has_cap(current_cred(), CAP_SETPCAP))
        return -EPERM;
    if (cap > CAP_LAST_CAP)
        return -EINVAL;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    new->cap_bounding &= ~(1UL << cap);
    cred_replace(new);
    return 0;
}

static long change_ambient(unsigned long op, unsigned long cap)
{
    const struct cred *c = current_cred();
    bool is_clear = op == PR_CAP_AMBIENT_CLEAR_ALL;
    if (is_clear ? cap != 0 : cap > CAP_LAST_CAP)
        return -EINVAL;
    uint64_t bit = 1UL << cap;
    if (op == PR_CAP_AMBIENT_IS_SET)
        return !!(c->cap_ambient & bit);
    if (op == PR_CAP_AMBIENT_RAISE && !(c->cap_permitted & c->cap_inheritable & bit))
        return -EPERM;
    if (!is_clear && op != PR_CAP_AMBIENT_RAISE && op != PR_CAP_AMBIENT_LOWER)
        return -EINVAL;
    struct cred *new = cred_copy(c);
    if (!new)
        return -ENOMEM;
    if (is_clear)
        new->cap_ambient = 0;
    else if (op == PR_CAP_AMBIENT_RAISE)
        new->cap_ambient |= bit;
    else
        new->cap_ambient &= ~bit;
    cred_replace(new);
    return 0;
}

static long set_keep_caps(unsigned long value)
{
    if (value > 1)
        return -EINVAL;
    current_task()->keep_caps = value;
    return 0;
}

static long control_capabilities(int option, unsigned long a2, unsigned long a3, bool has_rest)
{
    switch (option) {
    case PR_CAPBSET_READ:
        return a2 > CAP_LAST_CAP ? -EINVAL : (long)(current_cred()->cap_bounding >> a2 & 1);
    case PR_CAPBSET_DROP:
        return drop_bounding(a2);
    case PR_CAP_AMBIENT:
        return has_rest ? -EINVAL : change_ambient(a2, a3);
    case PR_GET_KEEPCAPS:
        return current_task()->keep_caps;
    case PR_SET_KEEPCAPS:
        return set_keep_caps(a2);
    default: /* PR_GET_SECUREBITS: none can be set */
        return 0;
    }
}

/* --- attributes of the process ---------------------------------------------------------------- */

static long set_dumpable(struct process *p, unsigned long value)
{
    if (value > 1)
        return -EINVAL;
    p->dumpable = value;
    return 0;
}

static long set_parent_death_signal(struct process *p, unsigned long sig)
{
    if (sig > NR_SIGNALS)
        return -EINVAL;
    p->parent_death_signal = (int)sig;
    return 0;
}

static long set_no_new_privs(struct process *p, unsigned long value, bool has_more)
{
    if (value != 1 || has_more)
        return -EINVAL;
    p->no_new_privs = true;
    return 0;
}

/* How a process wants to hear of broken memory: remembered. */
static long set_machine_check(struct process *p, unsigned long what, unsigned long policy)
{
    bool is_known = what == PR_MCE_KILL_CLEAR
                        ? policy == 0
                        : what == PR_MCE_KILL_SET && policy <= PR_MCE_KILL_DEFAULT;
    if (!is_known)
        return -EINVAL;
    p->machine_check = what == PR_MCE_KILL_CLEAR ? PR_MCE_KILL_DEFAULT : (uint8_t)policy;
    return 0;
}

static long set_timer_slack(unsigned long ns)
{
    struct task *t = current_task();
    t->timer_slack_ns = (long)ns <= 0 ? t->default_timer_slack_ns : ns;
    return 0;
}

static long control_process(struct process *p, int option, unsigned long a2, bool has_more)
{
    switch (option) {
    case PR_GET_DUMPABLE:
        return p->dumpable;
    case PR_SET_DUMPABLE:
        return set_dumpable(p, a2);
    case PR_GET_PDEATHSIG:
        return put_int(a2, p->parent_death_signal);
    case PR_SET_PDEATHSIG:
        return set_parent_death_signal(p, a2);
    case PR_GET_CHILD_SUBREAPER:
        return put_int(a2, p->child_subreaper);
    case PR_SET_CHILD_SUBREAPER:
        p->child_subreaper = a2 != 0;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return a2 || has_more ? -EINVAL : p->no_new_privs;
    default: /* PR_SET_NO_NEW_PRIVS */
        return set_no_new_privs(p, a2, has_more);
    }
}

long sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
               unsigned long arg5)
{
    struct task *t = current_task();
    bool has_rest = arg4 || arg5, has_more = arg3 || has_rest;
    switch (option) {
    case PR_SET_NAME:
        return set_name((struct uptr){arg2});
    case PR_GET_NAME:
        return user_write((struct uptr){arg2}, t->thread.name, sizeof(t->thread.name));
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_PDEATHSIG:
    case PR_SET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_NO_NEW_PRIVS:
        return control_process(t->process, option, arg2, has_more);
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_CAP_AMBIENT:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_SECUREBITS:
        return control_capabilities(option, arg2, arg3, has_rest);
    case PR_GET_TIMERSLACK:
        return (long)MIN(t->timer_slack_ns, (uint64_t)INT64_MAX);
    case PR_SET_TIMERSLACK:
        return set_timer_slack(arg2);
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING:
        return arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_TSC:
        return put_int(arg2, PR_TSC_ENABLE);
    case PR_GET_SECCOMP: /* no filter can be installed */
        return 0;
    case PR_TASK_PERF_EVENTS_DISABLE: /* of which there are none */
    case PR_TASK_PERF_EVENTS_ENABLE:
        return 0;
    case PR_MCE_KILL:
        return has_rest ? -EINVAL : set_machine_check(t->process, arg2, arg3);
    case PR_MCE_KILL_GET:
        return arg2 || has_more ? -EINVAL : t->process->machine_check;
    case PR_GET_THP_DISABLE:
        return arg2 || has_more ? -EINVAL : t->process->no_big_pages;
    case PR_SET_THP_DISABLE:
        if (has_more)
            return -EINVAL;
        t->process->no_big_pages = arg2 != 0;
        return 0;
    case PR_GET_TID_ADDRESS:
        return user_put(uptr_of_word(arg2), &t->clear_child_tid);
    default: /* PR_SET_VMA among them: areas have no names of the program's own */
        return -EINVAL;
    }
}
