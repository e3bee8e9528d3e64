/* clone(2): a new task.  For now every task joins its maker's process: CLONE_VM, CLONE_FS,
 * CLONE_FILES, CLONE_SIGHAND and CLONE_THREAD come together, as pthreads and Go ask for them;
 * anything that would make a second process (fork, vfork) is refused with ENOSYS.
 *
 * This is a hot path (thread create and join): one slab object, one kernel stack, two short
 * critical sections. */
#include "private.h"

#include <asm/ldt.h>
#include <core/usercopy.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <proc/cred.h>
#include <proc/trace.h>

#define CLONE_NAMESPACES                                                                          \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET | CLONE_NEWTIME)
#define CLONE_SHARED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

enum { TASKS_MAX = 30000 };

/* Linux's checks, in Linux's order. */
static int check_flags(const struct clone_request *r)
{
    uint64_t f = r->flags;
    if ((f & CLONE_PIDFD) && (f & CLONE_PARENT_SETTID) &&
        uptr_word(r->parent_tid) == uptr_word(r->pidfd))
        return -EINVAL;
    if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
        return -EINVAL;
    if ((f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
        return -EINVAL;
    if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
        return -EINVAL;
    if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
        return -EINVAL;
    if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID)))
        return -EINVAL;
    if ((f & CLONE_PIDFD) && (f & (CLONE_DETACHED | CLONE_THREAD)))
        return -EINVAL;
    if (f & (CLONE_NAMESPACES | CLONE_INTO_CGROUP)) /* as a kernel built without them */
        return -EINVAL;
    return 0;
}

/* What would need a second process, or halves of one. */
static int refuse_process(uint64_t flags)
{
    static bool was_logged;
    if (!atomic_swap(&was_logged, true))
        log_warn(
            "clone(flags %#lx) would make a second process, which is not supported yet: ENOSYS",
            (unsigned long)flags);
    return -ENOSYS;
}

static int check_limits(struct process *p)
{
    const struct cred *cred = current_cred();
    unsigned n = pid_count_tasks();
    bool is_privileged =
        cred->uid == 0 || cred_has_cap(cred, CAP_SYS_RESOURCE) || cred_has_cap(cred, CAP_SYS_ADMIN);
    if (n >= TASKS_MAX || (n >= process_rlimit(p, RLIMIT_NPROC) && !is_privileged))
        return -EAGAIN;
    return 0;
}

/* First code of a new task. */
static void clone_entry(void *unused)
{
    struct task *t = current_task();
    if (!uptr_is_null(t->set_child_tid)) {
        int failed = user_put(t->set_child_tid, &t->tid); /* Linux does not mind either */
        (void)failed;
    }
    if (unlikely(trace_hooks))
        trace_hooks->begins(t);
    arch_enter_user();
}

static int copy_registers(struct task *t, const struct clone_request *r)
{
    bool sets_base = (r->flags & CLONE_SETTLS) && !r->tls_segment;
    struct regs *to = arch_user_regs(&t->thread.arch);
    *to = *arch_user_regs(&current_thread()->arch);
    to->rax = 0;
    if (r->stack)
        to->rsp = r->stack;
    arch_thread_copy_user_state(&t->thread.arch);
    t->thread.arch.fs_base = sets_base ? r->tls : arch_get_fs_base();
    t->thread.arch.gs_base = arch_get_gs_base();
    if ((r->flags & CLONE_SETTLS) && r->tls_segment)
        return arch_tls_set(&t->thread.arch, r->tls_segment->entry_number, r->tls_segment);
    return 0;
}

static void inherit(struct task *t, const struct task *from, const struct clone_request *r)
{
    t->cred = from->cred;
    cred_get(t->cred);
    t->blocked = from->blocked;
    if (r->flags & CLONE_CHILD_SETTID)
        t->set_child_tid = r->child_tid;
    if (r->flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = r->child_tid;
    t->timer_slack_ns = t->default_timer_slack_ns = from->timer_slack_ns;
    t->personality = from->personality;
    t->io_priority = from->io_priority;
    t->keep_caps = from->keep_caps;
    sched_inherit(&t->thread, &from->thread);
}

/* Into the process, unless it is ending. */
static int join_process(struct process *p, struct task *t)
{
    int err = 0;
    mutex_lock(&p->lock);
    bool irqs = spin_lock_irq(&p->sighand->lock);
    if (p->is_exiting || p->exec_task)
        err = -EAGAIN; /* never seen: the caller is on its way out */
    else
        process_add_task(p, t);
    if (p->is_stopped)
        thread_post(&t->thread, THREAD_SIGNAL);
    spin_unlock_irq(&p->sighand->lock, irqs);
    mutex_unlock(&p->lock);
    return err;
}

static int make_task(struct process *p, const struct clone_request *r, struct task **out)
{
    struct thread *self = current_thread();
    struct task *t = task_new(p, self->name, self->vm, clone_entry, NULL);
    if (!t)
        return -ENOMEM;
    t->altstack.flags = SS_DISABLE;
    int err = copy_registers(t, r);
    inherit(t, current_task(), r);
    if (!err && (r->flags & CLONE_VFORK)) {
        t->vfork = exit_vfork_new();
        err = t->vfork ? 0 : -ENOMEM;
    }
    if (err)
        task_destroy(t);
    else
        *out = t;
    return err;
}

static long start_task(struct process *p, struct task *t, const struct clone_request *r)
{
    int tid = pid_alloc();
    if (tid < 0)
        return tid;
    t->tid = tid;
    int err = join_process(p, t);
    if (err) {
        pid_release(tid);
        return err;
    }
    pid_add_task(t);
    if (r->flags & CLONE_PARENT_SETTID) {
        int failed = user_put(r->parent_tid, &tid); /* likewise */
        (void)failed;
    }
    struct vfork_state *vfork = t->vfork;
    thread_start(&t->thread); /* `t` may be gone from here on */
    if (vfork)
        exit_vfork_wait(vfork);
    return tid;
}

long process_clone(const struct clone_request *r)
{
    struct process *p = current_process();
    int err = check_flags(r);
    if (err)
        return err;
    if ((r->flags & CLONE_SHARED) != CLONE_SHARED)
        return refuse_process(r->flags);
    if (thread_interrupted()) /* deliver first, so that the new task cannot miss a signal to all */
        return -ERESTARTNOINTR;
    err = check_limits(p);
    if (err)
        return err;

    struct task *t;
    err = make_task(p, r, &t);
    if (err)
        return err;
    long tid = start_task(p, t, r);
    if (tid < 0) {
        exit_vfork_discard(t->vfork);
        task_destroy(t);
    }
    return tid;
}
