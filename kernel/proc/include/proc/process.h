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

struct rlimit_pair {
    uint64_t cur, max;
};

struct process {
    struct ref ref;
    int pid;                        /* tgid; immutable */
    struct vm *vm;                  /* referenced; replaced by exec only */
    struct fdtable *files;          /* referenced */
    struct fs_context *fs;          /* referenced */
    struct sighand *sighand;        /* handlers; referenced (CLONE_SIGHAND) */

    struct mutex lock;              /* RANK_PROCESS - guards: */
    struct list tasks;              /* struct task.process_node */
    unsigned nr_tasks;
    struct process *parent;         /* NULL for the first */
    struct list children, sibling;
    int pgid, sid;
    struct cred *cred;              /* replaced whole, never changed in place */
    struct rlimit_pair rlimits[NR_RLIMITS];
    char *exe;                      /* path for /proc/self/exe */
    uintptr_t arg_start, arg_end, env_start, env_end, auxv_start; /* for /proc/self/{cmdline,environ,auxv} */
    size_t auxv_len;
    bool dumpable, child_subreaper, no_new_privs;
    struct posix_timers *timers;    /* timer_create(2); proc/timers.c's */
    struct itimers *itimers;        /* setitimer(2) */

    struct signal_queue shared;     /* pending for any thread; guarded by sighand->lock */
    bool is_exiting;                /* exit_group under way; guarded by sighand->lock */
    bool is_stopped;                /* by SIGSTOP; likewise */
    int exit_code;                  /* wait(2) status word */
    struct waitq wait_children, wait_threads;
    uint64_t start_ns;
    uint64_t dead_user_ns, dead_kernel_ns; /* of exited threads; guarded by lock */
};

struct task {
    struct thread thread;           /* first: current_thread() is current_task() */
    int tid;
    struct process *process;        /* referenced */
    struct list process_node;
    uint64_t blocked;               /* signal mask; private to the task, changed under sighand->lock */
    uint64_t saved_blocked;         /* sigsuspend, ppoll...: restored after the handler's frame is built */
    bool restore_blocked;
    struct signal_queue pending;    /* guarded by sighand->lock */
    struct sigaltstack_state {
        uintptr_t sp;
        size_t size;
        int flags;
    } altstack;                     /* private */
    struct uptr clear_child_tid, set_child_tid;
    struct uptr robust_list;
    size_t robust_list_len;
    struct rseq_state {
        struct uptr area;
        uint32_t len, sig;
    } rseq;
    struct restart_block {          /* for restart_syscall(2) */
        long (*fn)(struct restart_block *r);
        uint64_t arg[6];
    } restart;
    struct vfork_state *vfork;      /* the parent waits for us */
    bool is_i386;                   /* the call being served came through int 0x80 */
    int exit_signal;
    uint64_t futex_private[4];      /* proc/futex.c's PI state */
};

static inline struct task *current_task(void)
{
    return (struct task *)current_thread();
}

static inline struct process *current_process(void)
{
    return current_task()->process;
}

/* What the image starts: parsed from the command line. */
struct init_args {
    const char *path;               /* in the root file system */
    const char *const *argv, *const *envp; /* NULL-terminated */
    struct path root, cwd;
    struct file *stdio[3];          /* descriptors 0, 1, 2; references are taken over */
};
/* Make process 1 and start it.  0, or why it cannot run: -ENOENT, -EACCES, -ENOEXEC (said on the log), -ENOMEM. */
must_check int process_start_init(const struct init_args *args);
/* Called (thread context) when process 1 has exited, with its wait status; never returns. */
typedef void init_exit_fn(int wait_status);
void process_on_init_exit(init_exit_fn *fn);

void process_get(struct process *p);
void process_put(struct process *p);

/* By id; referenced, NULL: none. */
struct process *process_find(int pid);
struct task *task_find(int tid);
void task_put(struct task *t);
void task_get(struct task *t);

/* clone(2), clone3(2) in kernel form.  The new tid, or -EINVAL, -EAGAIN (limits), -ENOMEM, -ENOSYS (fork: logged). */
struct clone_request {
    uint64_t flags;                 /* CLONE_* */
    uintptr_t stack;                /* initial stack pointer; 0: the caller's */
    uint64_t tls;
    struct uptr parent_tid, child_tid;
    int exit_signal;
};
must_check long process_clone(const struct clone_request *request);

/* execve(2) of the current process: on success returns 0 with the user registers replaced. */
must_check int process_exec(const char *path, char *const *argv, char *const *envp);

noreturn void task_exit(int code);          /* exit(2): status (code & 0xff) << 8 */
noreturn void process_exit(int wait_status); /* exit_group(2), and death by a signal: ends every thread */
long process_wait(int which, int pid, int options, int *status, struct process_usage *usage); /* wait4(2) */

uint64_t process_rlimit(struct process *p, unsigned resource); /* soft limit */
