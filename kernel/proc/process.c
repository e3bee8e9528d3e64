/* Processes and tasks as objects: making, finding the last reference, the first process.
 *
 * Who holds what: a task holds its process; a process is also held by its parent (or, for the
 * first, by itself) until somebody has waited for it.  What a process holds of others (memory,
 * files, directories) goes when its last task exits; the struct itself stays as a zombie. */
#include "private.h"

#include <base/string.h>
#include <proc/trace.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <proc/cred.h>

static struct slab *task_slab, *process_slab;

static void task_return_to_user(struct regs *regs)
{
    uint32_t work = atomic_load(&current_thread()->work);
    if (work & (THREAD_SIGNAL | THREAD_KILL))
        signal_deliver(regs);
    if (work & THREAD_CALL) {
        thread_clear_work(THREAD_CALL);
        rseq_return_to_user(regs);
    }
}

static void process_init(void)
{
    task_slab = slab_new("task", sizeof(struct task));
    process_slab = slab_new("process", sizeof(struct process));
    signal_init();
    futex_init();
    limits_set_up();
    sysv_init();
    timers_init();
    vdso_map_init();
    jobs_init();
    thread_set_work_fn(task_return_to_user);
}

/* --- processes -------------------------------------------------------------------------------- */

struct process *process_new(void)
{
    struct process *p = slab_alloc(process_slab);
    if (!p)
        return NULL;
    p->sighand = sighand_new();
    if (!p->sighand) {
        slab_free(process_slab, p);
        return NULL;
    }
    ref_init(&p->ref);
    mutex_init(&p->lock, RANK_PROCESS);
    list_init(&p->tasks);
    list_init(&p->children);
    list_init(&p->sibling);
    signal_queue_init(&p->shared);
    waitq_init(&p->wait_children);
    waitq_init(&p->wait_threads);
    limits_init(p->rlimits);
    p->dumpable = true;
    p->machine_check = PR_MCE_KILL_DEFAULT;
    p->start_ns = arch_clock_ns();
    return p;
}

void process_get(struct process *p)
{
    ref_get(&p->ref);
}

void process_put(struct process *p)
{
    if (!ref_put(&p->ref))
        return;
    signal_queue_flush(p, &p->shared, ~0UL);
    signal_queue_discard_spare(p);
    sighand_free(p->sighand);
    slab_free(process_slab, p);
}

/* --- tasks ------------------------------------------------------------------------------------ */

struct task *task_new(struct process *p, const char *name, struct vm *vm, void (*entry)(void *),
                      void *arg)
{
    struct task *t = slab_alloc(task_slab);
    if (!t)
        return NULL;
    if (thread_init(&t->thread, name, vm, entry, arg)) {
        slab_free(task_slab, t);
        return NULL;
    }
    ref_init(&t->ref);
    process_get(p);
    t->process = p;
    list_init(&t->process_node);
    signal_queue_init(&t->pending);
    t->timer_slack_ns = t->default_timer_slack_ns = 50000;
    return t;
}

static void task_free(struct task *t)
{
    if (t->cred)
        cred_put(t->cred);
    process_put(t->process);
    slab_free(task_slab, t);
}

void task_destroy(struct task *t)
{
    thread_destroy(&t->thread);
    task_free(t);
}

void task_get(struct task *t)
{
    ref_get(&t->ref);
}

void task_put(struct task *t)
{
    if (ref_put(&t->ref))
        task_free(t);
}

void process_add_task(struct process *p, struct task *t)
{
    list_push_back(&p->tasks, &t->process_node);
    p->nr_tasks++;
}

/* --- usage ------------------------------------------------------------------------------------ */

void task_get_usage(struct task *t, struct process_usage *u)
{
    const struct thread *thread = &t->thread;
    *u = (struct process_usage){
        .user_ns = sched_thread_ns(&t->thread), /* user and kernel time are not told apart */
        .voluntary_switches = thread->voluntary_switches,
        .involuntary_switches = thread->involuntary_switches,
    };
}

void process_add_usage(struct process_usage *sum, const struct process_usage *u)
{
    sum->user_ns += u->user_ns;
    sum->kernel_ns += u->kernel_ns;
    sum->voluntary_switches += u->voluntary_switches;
    sum->involuntary_switches += u->involuntary_switches;
    sum->minor_faults += u->minor_faults;
    sum->major_faults += u->major_faults;
    sum->max_rss_pages = MAX(sum->max_rss_pages, u->max_rss_pages);
}

void process_get_usage(struct process *p, struct process_usage *u)
{
    struct task *t;
    mutex_lock(&p->lock);
    *u = p->dead_usage;
    list_for_each(t, &p->tasks, process_node) {
        struct process_usage one;
        task_get_usage(t, &one);
        process_add_usage(u, &one);
    }
    if (p->vm) {
        struct vm_stats stats;
        vm_get_stats(p->vm, &stats);
        u->minor_faults += stats.minor_faults;
        u->major_faults += stats.major_faults;
        u->max_rss_pages = MAX(u->max_rss_pages, stats.rss_peak_pages);
    }
    mutex_unlock(&p->lock);
}

/* --- the first process ------------------------------------------------------------------------ */

/* The new task runs the second half of exec itself, in its own address space.  There is one first
 * process, so this is one static object. */
static struct {
    struct exec_image *image;
    void (*refused)(int err);
} init_start;

static void init_entry(void *unused)
{
    int err = exec_commit(init_start.image);
    if (err)
        init_start.refused(err);
    if (unlikely(trace_hooks))
        trace_hooks->starts(current_task());
    arch_enter_user();
}

static int init_install_stdio(struct process *p, struct file *const stdio[3])
{
    for (int fd = 0; fd < 3; fd++) {
        int err = stdio[fd] ? fd_install_at(p->files, stdio[fd], fd, 3, 0) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

static int init_fill(struct process *p, const struct init_args *args)
{
    p->files = fdtable_new();
    p->fs = fs_context_new(&args->root, &args->cwd);
    if (!p->files || !p->fs)
        return -ENOMEM;
    return init_install_stdio(p, args->stdio);
}

static void init_discard(struct process *p)
{
    if (p->files)
        fdtable_put(p->files);
    if (p->fs)
        fs_context_put(p->fs);
    process_put(p);
}

static int init_run(struct process *p, struct cred *cred, struct exec_image *image)
{
    init_start.image = image;
    struct task *t = task_new(p, "init", image->vm, init_entry, NULL);
    if (!t)
        return -ENOMEM;
    t->cred = cred;
    t->tid = p->pid;
    process_add_task(p, t);
    pid_add_process(p, p->pid, p->pid);
    pid_add_task(t);
    process_put(p); /* the task's is enough: nobody waits for the first process */
    thread_start(&t->thread);
    return 0;
}

int process_start_init(const struct init_args *args)
{
    process_init();
    init_start.refused = args->refused;
    struct process *p = process_new();
    struct cred *cred = cred_new_root();
    struct exec_image *image = NULL;
    int err = p && cred ? init_fill(p, args) : -ENOMEM;
    if (!err) {
        const struct exec_request r = {
            .path = args->path, .name = args->path, .argv = args->argv, .envp = args->envp};
        err = exec_load(p, cred, &r, &image);
    }
    if (!err) {
        p->pid = pid_alloc();
        return init_run(p, cred, image);
    }
    if (p)
        init_discard(p);
    if (cred)
        cred_put(cred);
    return err;
}
