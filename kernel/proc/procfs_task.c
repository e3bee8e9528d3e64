/* /proc/PID: numbers and strings about a process or one of its tasks; proc(5). */
#include "procfs_private.h"

#include <base/string.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <proc/cred.h>
#include <vfs/tty.h>

#define NS_PER_TICK 10000000UL /* USER_HZ is 100 */

/* --- what several of the texts show ----------------------------------------------------------- */

struct signal_sets {
    uint64_t pending, shared, blocked, ignored, caught;
    unsigned nr_queued;
};

static void get_signals(struct process *p, struct task *t, struct signal_sets *s)
{
    *s = (struct signal_sets){0};
    bool irqs = spin_lock_irq(&p->sighand->lock);
    for (int sig = 1; sig <= NR_SIGNALS; sig++) {
        uintptr_t handler = p->sighand->action[sig - 1].handler;
        if (handler == 1) /* SIG_IGN */
            s->ignored |= SIG_BIT(sig);
        else if (handler != 0)
            s->caught |= SIG_BIT(sig);
    }
    s->shared = p->shared.bits;
    s->nr_queued = p->nr_queued;
    if (t) {
        s->pending = t->pending.bits;
        s->blocked = t->blocked;
    }
    spin_unlock_irq(&p->sighand->lock, irqs);
}

static char state_of(struct process *p, struct task *t)
{
    if (!t || atomic_load(&p->is_zombie))
        return 'Z';
    if (p->is_stopped)
        return 'T';
    switch (t->thread.state) {
    case THREAD_SLEEPING:
        return t->thread.sleep_how == WAIT_INTERRUPTIBLE ? 'S' : 'D';
    case THREAD_DEAD:
        return 'X';
    default:
        return 'R';
    }
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'S':
        return "S (sleeping)";
    case 'D':
        return "D (disk sleep)";
    case 'T':
        return "T (stopped)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "X (dead)";
    }
}

/* Of one task, or of a whole process with its dead tasks. */
static void get_usage(const struct proc_node *n, struct process_usage *u)
{
    struct process *p = n->process;
    struct task *t;
    if (n->task) {
        task_get_usage(n->task, u);
        return;
    }
    proc_lock(p);
    *u = p->dead_usage;
    list_for_each(t, &p->tasks, process_node) {
        struct process_usage one;
        task_get_usage(t, &one);
        u->user_ns += one.user_ns;
        u->kernel_ns += one.kernel_ns;
        u->voluntary_switches += one.voluntary_switches;
        u->involuntary_switches += one.involuntary_switches;
    }
    proc_unlock(p);
}

static void get_vm_stats(struct process *p, struct vm_stats *stats)
{
    *stats = (struct vm_stats){0};
    struct vm *vm = proc_get_vm(p);
    if (vm) {
        vm_get_stats(vm, stats);
        proc_put_vm(p, vm);
    }
}

/* --- stat, statm, status ---------------------------------------------------------------------- */

int proc_show_stat(struct text *text, struct inode *i)
{
    const struct proc_node *n = proc_node(i);
    struct process *p = n->process;
    struct task *t = proc_get_task(n);
    struct process_usage use;
    struct vm_stats vm;
    struct signal_sets sig;
    unsigned tty;
    int foreground, nice = t ? t->thread.nice : 0;
    get_usage(n, &use);
    get_vm_stats(p, &vm);
    get_signals(p, t, &sig);
    tty_of_session(process_session(p), &tty, &foreground);

    text_print(text, "%d (%s) %c %d %d %d %u %d %u %lu %lu %lu %lu ",
               n->task ? n->task->tid : p->pid, t ? t->thread.name : "", state_of(p, t),
               process_parent_pid(p), process_group(p), process_session(p), tty, foreground,
               0x400000u, vm.minor_faults, p->children_usage.minor_faults, vm.major_faults,
               p->children_usage.major_faults);
    text_print(text, "%lu %lu %lu %lu %d %d %u 0 %lu %lu %lu %lu ", use.user_ns / NS_PER_TICK,
               use.kernel_ns / NS_PER_TICK, p->children_usage.user_ns / NS_PER_TICK,
               p->children_usage.kernel_ns / NS_PER_TICK, 20 + nice, nice, p->nr_tasks,
               p->start_ns / NS_PER_TICK, vm.total_bytes, vm.rss_pages, p->rlimits[RLIMIT_RSS].cur);
    /* startcode endcode startstack esp eip | signals, 31 bits each | wchan nswap cnswap */
    text_print(text, "0 0 0 0 0 %lu %lu %lu %lu 0 0 0 ", (sig.pending | sig.shared) & 0x7fffffff,
               sig.blocked & 0x7fffffff, sig.ignored & 0x7fffffff, sig.caught & 0x7fffffff);
    /* exit_signal processor rt_priority policy delays guest cguest start_data end_data start_brk
     * arg env exit_code */
    text_print(text, "%d %u 0 0 0 0 0 0 0 0 %lu %lu %lu %lu %d\n", p->exit_signal,
               t ? t->thread.cpu : 0, p->arg_start, p->arg_end, p->env_start, p->env_end,
               p->exit_code);
    if (t)
        task_put(t);
    return 0;
}

int proc_show_statm(struct text *text, struct inode *i)
{
    struct vm_stats vm;
    get_vm_stats(proc_node(i)->process, &vm);
    text_print(text, "%lu %lu 0 %lu 0 %lu 0\n", vm.total_bytes / PAGE_SIZE, vm.rss_pages,
               vm.text_bytes / PAGE_SIZE, (vm.data_bytes + vm.stack_bytes) / PAGE_SIZE);
    return 0;
}

static void show_ids(struct text *text, struct task *t)
{
    struct cred *c = t ? cred_of_task(t) : NULL;
    if (!c)
        return;
    text_print(text, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid,
               c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
    cred_put(c);
}

static void show_groups(struct text *text, struct task *t)
{
    struct cred *c = t ? cred_of_task(t) : NULL;
    text_print(text, "Groups:\t");
    for (unsigned g = 0; c && g < c->nr_groups; g++)
        text_print(text, "%u ", c->groups[g]);
    text_print(text, " \n");
    if (c)
        cred_put(c);
}

static void show_memory(struct text *text, struct process *p)
{
    struct vm_stats vm;
    get_vm_stats(p, &vm);
    unsigned long page_kb = PAGE_SIZE / 1024;
    text_print(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t       0 kB\n",
               vm.total_peak_bytes / 1024, vm.total_bytes / 1024, vm.locked_bytes / 1024);
    text_print(text,
               "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t       0 "
               "kB\nRssShmem:\t       0 kB\n",
               vm.rss_peak_pages * page_kb, vm.rss_pages * page_kb, vm.rss_pages * page_kb);
    text_print(text, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t       0 kB\n",
               vm.data_bytes / 1024, vm.stack_bytes / 1024, vm.text_bytes / 1024);
    text_print(text, "VmPTE:\t       0 kB\nVmSwap:\t       0 kB\n");
}

static void show_signals(struct text *text, struct process *p, struct task *t)
{
    struct signal_sets sig;
    get_signals(p, t, &sig);
    text_print(text, "Threads:\t%u\nSigQ:\t%u/%lu\n", p->nr_tasks, sig.nr_queued,
               p->rlimits[RLIMIT_SIGPENDING].cur);
    text_print(
        text,
        "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
        sig.pending, sig.shared, sig.blocked, sig.ignored, sig.caught);
}

static void show_capabilities(struct text *text, struct task *t)
{
    struct cred *c = t ? cred_of_task(t) : NULL;
    if (!c)
        return;
    text_print(
        text,
        "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
        c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding, c->cap_ambient);
    cred_put(c);
}

/* A CPU set as "0-3,5". */
static void show_cpu_list(struct text *text, uint64_t set)
{
    const char *comma = "";
    for (unsigned first = 0; first < 64; first++) {
        if (!(set >> first & 1))
            continue;
        unsigned last = first;
        while (last < 63 && (set >> (last + 1) & 1))
            last++;
        text_print(text, first == last ? "%s%u" : "%s%u-%u", comma, first, last);
        comma = ",";
        first = last;
    }
    text_print(text, "\n");
}

static void show_scheduling(struct text *text, const struct proc_node *n, struct task *t)
{
    struct process_usage use;
    get_usage(n, &use);
    uint64_t cpus = sched_online_cpus() & (t ? t->thread.affinity : ~0UL);
    text_print(text,
               "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\nCpus_allowed:\t%lx\nCpus_"
               "allowed_list:\t",
               n->process->no_new_privs, cpus);
    show_cpu_list(text, cpus);
    text_print(text,
               "Mems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%lu\n"
               "nonvoluntary_ctxt_switches:\t%lu\n",
               use.voluntary_switches, use.involuntary_switches);
}

int proc_show_status(struct text *text, struct inode *i)
{
    const struct proc_node *n = proc_node(i);
    struct process *p = n->process;
    struct task *t = proc_get_task(n);
    struct fs_context *fs = proc_get_fs(p);
    struct fdtable *files = proc_get_files(p);
    text_print(text, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", t ? t->thread.name : "",
               fs ? fs->umask : 0, state_name(state_of(p, t)));
    text_print(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", p->pid,
               n->task ? n->task->tid : p->pid, process_parent_pid(p));
    show_ids(text, t);
    text_print(text, "FDSize:\t%u\n", files ? fdtable_size(files) : 0);
    show_groups(text, t);
    if (files)
        show_memory(text, p);
    show_signals(text, p, t);
    show_capabilities(text, t);
    show_scheduling(text, n, t);
    proc_put_files(p, files);
    proc_put_fs(p, fs);
    if (t)
        task_put(t);
    return 0;
}

/* --- limits ----------------------------------------------------------------------------------- */

static void show_limit(struct text *text, uint64_t value)
{
    if (value == RLIM_INFINITY)
        text_print(text, "%-20s ", "unlimited");
    else
        text_print(text, "%-20lu ", value);
}

int proc_show_limits(struct text *text, struct inode *i)
{
    static const struct {
        const char *name, *unit;
    } limits[NR_RLIMITS] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},
        [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},
        [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},
        [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},
        [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},
        [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [RLIMIT_NICE] = {"Max nice priority", ""},
        [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
        [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    const struct process *p = proc_node(i)->process;
    text_print(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned r = 0; r < NR_RLIMITS; r++) {
        text_print(text, "%-25s ", limits[r].name);
        show_limit(text, p->rlimits[r].cur);
        show_limit(text, p->rlimits[r].max);
        text_print(text, *limits[r].unit ? "%-10s\n" : "\n", limits[r].unit);
    }
    return 0;
}

/* --- comm ------------------------------------------------------------------------------------- */

int proc_show_comm(struct text *text, struct inode *i)
{
    struct task *t = proc_get_task(proc_node(i));
    if (!t)
        return -ESRCH;
    text_print(text, "%s\n", t->thread.name);
    task_put(t);
    return 0;
}

/* Only a process itself may rename its threads. */
int proc_store_comm(struct inode *i, const char *name, size_t n)
{
    const struct proc_node *node = proc_node(i);
    if (node->process != current_process())
        return -EINVAL;
    struct task *t = proc_get_task(node);
    if (!t)
        return -ESRCH;
    strlcpy(t->thread.name, name, sizeof(t->thread.name));
    char *newline = strchr(t->thread.name, '\n');
    if (newline)
        *newline = '\0';
    task_put(t);
    return 0;
}

/* --- strings in the program's memory ---------------------------------------------------------- */

/* Only the memory of the process that asks can be reached; others look like kernel threads. */
static int show_user(struct text *text, const struct process *p, uintptr_t start, uintptr_t end)
{
    char chunk[256];
    if (p != current_process())
        return 0;
    while (start < end) {
        size_t n = user_read_some(chunk, uptr_of_word(start), MIN(end - start, sizeof(chunk)));
        if (n == 0)
            break;
        text_put(text, chunk, n);
        start += n;
    }
    return 0;
}

int proc_show_cmdline(struct text *text, struct inode *i)
{
    const struct process *p = proc_node(i)->process;
    return show_user(text, p, p->arg_start, p->arg_end);
}

int proc_show_environ(struct text *text, struct inode *i)
{
    const struct process *p = proc_node(i)->process;
    return show_user(text, p, p->env_start, p->env_end);
}

int proc_show_auxv(struct text *text, struct inode *i)
{
    const struct process *p = proc_node(i)->process;
    return show_user(text, p, p->auxv_start, p->auxv_start + p->auxv_len);
}
