/* The end of tasks and processes.
 *
 * A task leaves on its own feet: whoever ends a process (exit_group, a fatal signal, execve) marks
 * it and posts THREAD_KILL to the other tasks, each of which comes to task_exit on its way to ring
 * 3 or out of a sleep. The last one out takes the process apart. */
#include "private.h"

#include <core/heap.h>
#include <core/usercopy.h>
#include <proc/trace.h>

enum { FIRST_PID = 1 };

static init_exit_fn *init_exit;
const struct trace_hooks *trace_hooks;

void process_on_init_exit(init_exit_fn *fn)
{
    init_exit = fn;
}

/* --- vfork ------------------------------------------------------------------------------------ */

/* Shared by the parent that waits and the child that it waits for. */
struct vfork_state {
    struct ref ref;
    struct waitq wait;
    bool is_done;
};

static void vfork_put(struct vfork_state *v)
{
    if (ref_put(&v->ref))
        heap_free(v);
}

/* One reference for the child (task.vfork), one for the parent. */
struct vfork_state *exit_vfork_new(void)
{
    struct vfork_state *v = heap_zalloc(sizeof(*v));
    if (!v)
        return NULL;
    ref_init(&v->ref);
    ref_get(&v->ref);
    waitq_init(&v->wait);
    return v;
}

/* The child never came to be. */
void exit_vfork_discard(struct vfork_state *v)
{
    heap_free(v); /* NULL is fine */
}

/* The parent sleeps until the child is out of its memory; only death ends the wait. */
void exit_vfork_wait(struct vfork_state *v)
{
    int killed = WAIT_EVENT(&v->wait, atomic_load(&v->is_done), WAIT_KILLABLE, TIME_NEVER);
    (void)killed;
    vfork_put(v);
}

/* --- one task --------------------------------------------------------------------------------- */

void exit_leave_memory(struct task *t)
{
    futex_exit_task(t);
    if (!uptr_is_null(t->clear_child_tid)) {
        /* Nobody can be waiting when nobody else has this memory. */
        static const int zero;
        if (t->process->nr_tasks > 1 && user_put(t->clear_child_tid, &zero) == 0)
            futex_wake_addr(t->clear_child_tid);
        t->clear_child_tid = (struct uptr){0};
    }
    if (t->vfork) {
        atomic_store(&t->vfork->is_done, true);
        waitq_wake_all(&t->vfork->wait);
        vfork_put(t->vfork);
        t->vfork = NULL;
    }
}

/* Take out of a process what it holds of others. */
static void release_resources(struct process *p)
{
    timers_exit(p);
    sem_exit(p);
    mutex_lock(&p->lock);
    struct fdtable *files = p->files;
    struct fs_context *fs = p->fs;
    struct file *exe_file = p->exe_file;
    p->files = NULL;
    p->fs = NULL;
    p->exe_file = NULL;
    mutex_unlock(&p->lock);
    if (files)
        fdtable_put(files);
    if (fs)
        fs_context_put(fs);
    if (exe_file)
        exec_close(exe_file);
}

/* The memory itself stays until the CPU has left it: the thread has a reference of its own. */
static void release_vm(struct process *p)
{
    struct process_usage usage;
    process_get_usage(p, &usage);
    mutex_lock(&p->lock);
    struct vm *vm = p->vm;
    p->vm = NULL;
    p->dead_usage = usage;
    mutex_unlock(&p->lock);
    if (vm)
        vm_put(vm);
}

/* Nobody can join a process without tasks, so this is for one caller. */
static void end_process(struct process *p)
{
    bool is_first = p->pid == FIRST_PID;
    int code = p->exit_code;
    release_resources(p);
    release_vm(p);
    jobs_process_exits(p);
    family_exit(p);
    if (is_first && init_exit)
        init_exit(code);
}

/* Leave the process's list: true for the last one.  What the task used is added to its process's
 * account. */
static bool leave_process(struct task *t, int wait_status)
{
    struct process *p = t->process;
    struct process_usage usage;
    task_get_usage(t, &usage);
    mutex_lock(&p->lock);
    bool irqs = spin_lock_irq(&p->sighand->lock);
    process_add_usage(&p->dead_usage, &usage);
    if (!p->is_exiting &&
        t->tid == p->pid) /* exit(2) of the leader is the status, whoever leaves last */
        p->exit_code = wait_status;
    list_remove(&t->process_node);
    p->nr_tasks--;
    p->uid_at_exit = t->cred->uid;
    bool is_last = p->nr_tasks == 0;
    spin_unlock_irq(&p->sighand->lock, irqs);
    mutex_unlock(&p->lock);
    waitq_wake_all(&p->wait_threads);
    return is_last;
}

static void task_reap(struct thread *thread)
{
    task_put(task_of(thread));
}

/* No signal may choose this task from here on. */
static void stop_signals(struct task *t)
{
    struct process *p = t->process;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    signal_task_exiting(t);
    spin_unlock_irq(&p->sighand->lock, irqs);
}

noreturn void task_exit(int wait_status)
{
    struct task *t = current_task();
    struct process *p = t->process;
    if (unlikely(trace_hooks))
        trace_hooks->ends(t, atomic_load(&p->is_exiting) ? p->exit_code : wait_status);
    stop_signals(t);
    exit_leave_memory(t);
    bool is_last = leave_process(t, wait_status);
    pid_remove_task(t);
    if (is_last)
        end_process(p);
    thread_exit(task_reap);
}

/* --- all tasks -------------------------------------------------------------------------------- */

noreturn void process_exit(int wait_status)
{
    struct process *p = current_process();
    bool irqs = spin_lock_irq(&p->sighand->lock);
    signal_begin_group_exit(p, wait_status);
    spin_unlock_irq(&p->sighand->lock, irqs);
    task_exit(p->exit_code);
}

int exit_other_tasks(void)
{
    struct task *self = current_task(), *t;
    struct process *p = self->process;
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool is_late = p->is_exiting || p->exec_task;
    if (!is_late) {
        p->exec_task = self;
        list_for_each(t, &p->tasks, process_node)
            if (t != self)
                thread_post(&t->thread, THREAD_KILL);
    }
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (is_late)
        return -EINTR;

    int err =
        WAIT_EVENT(&p->wait_threads, atomic_load(&p->nr_tasks) == 1, WAIT_KILLABLE, TIME_NEVER);
    irqs = spin_lock_irq(&p->sighand->lock);
    p->exec_task = NULL;
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (!err && self->tid != p->pid)
        pid_become_leader(self);
    return err;
}
