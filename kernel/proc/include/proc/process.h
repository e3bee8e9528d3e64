/* Processes and tasks.
 *
 * A process is Linux's thread group: address space, descriptors, signal handlers, credentials, limits.  A task is
 * one of its threads; its first member is core's struct thread.  There may be many processes (vfork and fork come
 * later), so nothing here is a global but the pid map and the first process. */
#pragma once

#include <core/sched.h>
#include <core/timer.h>
#include <core/vm.h>
#include <proc/signal.h>
#include <vfs/fdtable.h>
#include <vfs/inode.h>
#include <vfs/path.h>

#define NR_RLIMITS 16 /* RLIM_NLIMITS */

struct cred;
struct user_desc;
struct itimers;
struct posix_timers;

/* An id in the pid map (pid.c). */
struct pid_link {
    int id;
    struct pid_link *next;
};

/* What getrusage(2) and wait4(2) tell. */
struct process_usage {
    uint64_t user_ns, kernel_ns, max_rss_pages, minor_faults, major_faults, voluntary_switches,
        involuntary_switches;
};

struct rlimit_pair {
    uint64_t cur, max;
};

struct process {
    struct ref ref;           /* each task holds one, and the parent until it has waited */
    struct pid_link pid_link; /* the pid map's */
    int pid;                  /* tgid; immutable */
    struct vm *vm;            /* referenced; replaced by exec only; NULL in a zombie */
    struct fdtable *files;    /* referenced; NULL in a zombie */
    struct fs_context *fs;    /* referenced; NULL in a zombie */
    struct sighand *sighand;  /* handlers; one for each process, freed with it */

    struct mutex lock; /* RANK_PROCESS - guards: */
    struct list tasks; /* struct task.process_node; changed under sighand->lock as well, so that
                                       either lock is enough to walk it */
    unsigned nr_tasks; /* likewise */
    struct rlimit_pair rlimits[NR_RLIMITS]; /* read without the lock: each number is one word */
    struct file *exe_file;                  /* what runs, referenced; replaced by exec */
    uintptr_t exe_base;                     /* load bias of a PIE, 0 otherwise */
    bool is_i386;                           /* a 32-bit program */
    uintptr_t vdso;                         /* where it is mapped */
    uintptr_t arg_start, arg_end, env_start, env_end,
        auxv_start; /* for /proc/self/{cmdline,environ,auxv} */
    size_t auxv_len;
    struct posix_timers *timers;         /* timer_create(2); proc/timers.c's */
    struct itimers *itimers;             /* setitimer(2) */
    uint32_t membarrier;                 /* atomic: MEMBARRIER_CMD_REGISTER_* that were called */
    struct process_usage dead_usage;     /* of exited threads */
    struct process_usage children_usage; /* of children waited for */

    /* guarded by wait_child.c's family lock */
    struct process *parent; /* NULL for the first */
    int parent_pid;         /* its, or 0; atomic, for getppid(2) */
    struct list children, sibling;
    bool is_zombie;

    int pgid, sid; /* guarded by the pid map's lock: pid_group, pid_session */

    /* plain flags and numbers, each written whole by prctl(2) and its like */
    bool dumpable, child_subreaper, no_new_privs;
    uint8_t machine_check; /* PR_MCE_KILL_*: remembered only */
    bool no_big_pages;     /* PR_SET_THP_DISABLE: remembered only */
    int exit_signal;       /* to the parent */
    int parent_death_signal;
    uint32_t uid_at_exit; /* of the last task, for wait(2) */

    /* guarded by sighand->lock */
    struct signal_queue shared;         /* pending for any thread */
    unsigned nr_queued;                 /* siginfos queued, against RLIMIT_SIGPENDING */
    struct queued_signal *spare_signal; /* NULL: none */
    bool is_exiting;                    /* exit_group under way */
    struct task *exec_task;             /* ends every other task: execve(2) */
    bool is_stopped;                    /* by SIGSTOP */
    unsigned nr_stops;                  /* how often so far */
    unsigned nr_stopped;                /* tasks that have noticed the last one */
    int stop_signal;                    /* what stopped it; 0 once waited for */
    bool was_continued;                 /* for WCONTINUED */
    bool tell_continued;                /* the first task to run again tells the parent */
    int exit_code;                      /* wait(2) status word */

    struct waitq wait_children; /* this process's waitpid sleeps here */
    struct waitq wait_threads;  /* exec waits for the other tasks; stopped tasks wait for SIGCONT */
    uint64_t start_ns;
};

/* What is used most stands right before and right behind the thread's first 128 bytes, which current_thread() points to:
 * an instruction reaches so far in one byte. */
struct task {
    struct list process_node;
    uint64_t waited_for; /* rt_sigtimedwait's set: wakes though blocked, and is never dropped */
    struct signal_queue pending; /* guarded by sighand->lock */
    /* signals: changed by the task itself, under sighand->lock */
    uint64_t saved_blocked; /* sigsuspend, ppoll...: restored after the handler's frame is built */
    uint64_t blocked;       /* signal mask */
    struct ref ref;
    int tid;           /* changes only in exec of a task that is not the leader */
    struct cred *cred; /* its own, as on Linux; replaced whole by the task itself (cred_replace),
                                       which may therefore read it without a lock */
    bool restore_blocked;
    bool is_exiting; /* takes no more signals; guarded by sighand->lock */
    bool is_i386;    /* the call being served came through int 0x80: structures are i386's */
    bool is_time64;  /* with is_i386: but its times have 64 bits (clock_gettime64 and its like) */
    struct process *process; /* referenced */

    struct thread thread;

    struct pid_link pid_link; /* the pid map's */
    struct sigaltstack_state {
        uintptr_t sp;
        size_t size;
        int flags;
    } altstack;         /* private */
    struct trap_state { /* of the last fault, for signal frames; private */
        uint64_t number, error, cr2;
    } trap;

    struct custom_frame
        *custom; /* the custom call that it is in (syscalls/custom), or NULL; private */

    struct uptr clear_child_tid, set_child_tid;
    struct uptr robust_list;
    size_t robust_list_len;
    struct rseq_state {
        struct uptr area;
        uint32_t len, sig;
    } rseq;
    struct restart_block { /* for restart_syscall(2) */
        long (*fn)(struct restart_block *r);
        uint64_t arg[6];
        bool is_i386, is_time64; /* of the call that is to be restarted: dispatch.c's */
    } restart;
    struct vfork_state *vfork; /* the parent waits for us */
    uint64_t timer_slack_ns, default_timer_slack_ns;
    unsigned long personality;
    uint16_t io_priority; /* ioprio_set(2)'s; there is no device that would ask for it */
    bool keep_caps;
    uint64_t futex_private[4]; /* proc/futex.c's PI state */
};

/* Of a thread that is a task's. */
static inline struct task *task_of(struct thread *t)
{
    return container_of(t, struct task, thread);
}

static inline struct task *current_task(void)
{
    return task_of(current_thread());
}

static inline struct process *current_process(void)
{
    return current_task()->process;
}

/* What the image starts: parsed from the command line. */
struct init_args {
    const char *path;                      /* in the root file system */
    const char *const *argv, *const *envp; /* NULL-terminated */
    struct path root, cwd;
    struct file *stdio[3]; /* descriptors 0, 1, 2; references are taken over; NULL: closed */
    /* It does not fit after all: called in its thread with -EFAULT or -ENOMEM, does not return. */
    void (*refused)(int err);
};
/* Make process 1 and start it; once, in thread context.  0, or why it cannot run: -ENOENT, -EACCES, -ENOEXEC
 * (said on the log), -ENOMEM.  It reads the strings and the arrays when it runs: they stay for good. */
must_check int process_start_init(const struct init_args *args);
/* Called (thread context) when process 1 has exited, with its wait status; ends the machine, or lets
 * the calling thread end and does it later. */
typedef void init_exit_fn(int wait_status);
void process_on_init_exit(init_exit_fn *fn);

/* Up to n bytes from `offset` on of the name (with its NUL) of the current process's open file, as /proc/self/fd has
 * it: how many; 0: there is none. */
size_t process_fd_name(int fd, size_t offset, char *dst, size_t n);

int process_parent_pid(struct process *p); /* 0 for the first; without a lock */
void process_get(struct process *p);
void process_put(struct process *p);

/* By id; referenced, NULL: none. */
struct process *process_find(int pid);
struct task *task_find(int tid);
void task_put(struct task *t);
void task_get(struct task *t);

/* clone(2), clone3(2) in kernel form.  The new tid, or -EINVAL, -EAGAIN (limits), -ENOMEM, -ENOSYS (fork: logged). */
struct clone_request {
    uint64_t flags;  /* CLONE_* */
    uintptr_t stack; /* initial stack pointer; 0: the caller's */
    uint64_t tls;
    const struct user_desc *tls_segment; /* instead of `tls`, for an i386 task (<asm/ldt.h>) */
    struct uptr parent_tid, child_tid, pidfd;
    int exit_signal;
};
must_check long process_clone(const struct clone_request *request);

/* execve(2) and execveat(2) of the current process: on success returns 0 with the user registers replaced.  The
 * strings are the kernel's, NULL-terminated arrays. */
struct exec_request {
    struct file *at; /* where a relative path starts; NULL: the working directory */
    const char *path;
    const char *name;           /* AT_EXECFN: the path, or "/dev/fd/N/path" */
    bool empty_path, no_follow; /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
    const char *const *argv, *const *envp;
};
must_check int process_exec(const struct exec_request *request);
/* Could the file be opened for that?  Its path alone counts: 0 or -errno. */
must_check int process_exec_check(const struct exec_request *request);

noreturn void task_exit(int wait_status); /* exit(2): status (code & 0xff) << 8 */
noreturn void
process_exit(int wait_status); /* exit_group(2), and death by a signal: ends every thread */

/* wait4(2) and waitid(2): which is P_ALL, P_PID or P_PGID; options W*.  0, with r->pid 0 when WNOHANG and none
 * is ready; -ECHILD, -EINVAL, -ERESTARTSYS. */
struct wait_result {
    int pid, status, code; /* status: wait(2) word; code: CLD_* */
    uint32_t uid;
    struct process_usage usage;
};
must_check long process_wait(int which, int id, int options, struct wait_result *r);

uint64_t process_rlimit(struct process *p, unsigned resource); /* soft limit */
/* prlimit64(2) on its own process or another; either may be NULL.  0, -EINVAL, -EPERM. */
must_check long process_set_rlimit(struct process *p, unsigned resource,
                                   const struct rlimit_pair *new, struct rlimit_pair *old);
/* Usage of a process so far (exited threads, living ones), and of one task. */
void process_get_usage(struct process *p, struct process_usage *u);
void task_get_usage(struct task *t, struct process_usage *u);

/* The process group of a process, its session, and setpgid(2), setsid(2) on them. */
int process_group(struct process *p);
int process_session(struct process *p);
must_check int process_set_group(int pid, int pgid); /* 0, -ESRCH, -EPERM, -EACCES, -EINVAL */
must_check int process_new_session(void);            /* the session, or -EPERM */
/* Visit every process of group `pgid` (0: all), referenced, no lock held; answers how many there were. */
unsigned process_visit_group(int pgid, void (*visit)(void *arg, struct process *p), void *arg);
