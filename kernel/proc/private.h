/* What the files of processes, tasks and signals know of each other; nobody outside this folder does. */
#pragma once

#include <proc/futex.h>
#include <proc/process.h>
#include <proc/sysv.h>
#include <proc/rseq.h>
#include <proc/timers.h>

/* pid.c ------------------------------------------------------------------------------------------ */

/* A new id, reserved until pid_release.  -EAGAIN when all are used. */
must_check int pid_alloc(void);
void pid_release(int id);
/* Enter into, and take out of, the map; an id may name a task and a process at once. */
void pid_add_task(struct task *t);
void pid_remove_task(struct task *t);
void pid_add_process(struct process *p, int pgid, int sid);
void pid_remove_process(struct process *p);
/* exec: `t`, not the leader, takes over its process's id; its own is released. */
void pid_become_leader(struct task *t);
unsigned pid_count_tasks(void);

/* process.c --------------------------------------------------------------------------------------- */

/* A process without tasks and without vm, files and fs, and a task that has not run; one reference each.
 * NULL: no memory.  task_new's thread starts in `entry`. */
struct process *process_new(void) must_check;
struct task *task_new(struct process *p, const char *name, struct vm *vm, void (*entry)(void *),
                      void *arg) must_check;
void task_destroy(struct task *t); /* of one that never ran and is in no list */

/* Into p->tasks; the caller holds p->lock and sighand->lock, unless nobody else knows `p` yet. */
void process_add_task(struct process *p, struct task *t);
void process_add_usage(struct process_usage *sum, const struct process_usage *u);

/* exit.c -------------------------------------------------------------------------------------------- */

/* End every task of the current process but this one, and wait until they are gone.  -EINTR when this task was
 * itself told to exit (exit_group, another exec). */
must_check int exit_other_tasks(void);
/* The current task leaves its address space (exit, exec): robust futexes, clear_child_tid, a vfork parent. */
void exit_leave_memory(struct task *t);
struct vfork_state *exit_vfork_new(void) must_check;
void exit_vfork_wait(struct vfork_state *v);
void exit_vfork_discard(struct vfork_state *v);

/* wait_child.c --------------------------------------------------------------------------------------- */

void family_add(struct process *parent, struct process *child);
/* The last task of `p` is gone: hand its children over, become a zombie and tell the parent. */
void family_exit(struct process *p);
/* Is there nobody left in the session, outside the group, who could continue it? */
bool family_is_orphaned_group(int pgid);
/* Stopped or continued (CLD_*): tell the parent.  No lock held. */
void family_tell_parent(struct process *p, int code);

/* signal.c ------------------------------------------------------------------------------------------- */

void signal_init(void);
struct sighand *sighand_new(void) must_check;
void sighand_free(struct sighand *s);
void signal_queue_init(struct signal_queue *q);
/* Drop what is queued.  The caller holds sighand->lock, or nobody else can reach the queue. */
void signal_queue_flush(struct process *p, struct signal_queue *q, uint64_t mask);
void signal_queue_discard_spare(struct process *p); /* it is about to be freed */
/* The current task takes no more signals: others get what was meant for any.  sighand->lock held. */
void signal_task_exiting(struct task *t);
/* execve(2): handlers go back to default, the alternate stack goes. */
void signal_exec(void);
/* Look again whether the current task has something to deliver.  sighand->lock held. */
void signal_recheck(struct task *t);
/* End the whole process with this wait status; the caller goes to task_exit itself.  sighand->lock held.  False
 * when it was ending already. */
bool signal_begin_group_exit(struct process *p, int wait_status);

/* sigframe.c ------------------------------------------------------------------------------------------ */

/* Build the frame of a handler and point the registers at it; `mask` is what sigreturn restores.  0 or -EFAULT. */
must_check int sigframe_push(struct regs *regs, int sig, const struct sigaction_k *action,
                             const siginfo_t *info, uint64_t mask);
/* The same for a handler that was set through int 0x80 (sigframe_i386.c). */
must_check int sigframe_push_32(struct regs *regs, int sig, const struct sigaction_k *action,
                                const siginfo_t *info, uint64_t mask);

/* What both kinds of frame share.  sigframe_stack: the address below which a handler's frame goes, 0 when `sp` is
 * that of the interrupted code; sigframe_fits: does a frame at `at` stay on the alternate stack, if it is used? */
struct sigframe_stack {
    uintptr_t sp;
    bool is_alternate;
};
struct sigframe_stack sigframe_stack(const struct regs *regs, const struct sigaction_k *action,
                                     unsigned red_zone);
bool sigframe_fits(const struct sigframe_stack *s, uintptr_t at);
/* The frame is written: point the registers at the handler, in 64-bit or 32-bit code. */
void sigframe_enter(struct regs *regs, uintptr_t handler, uintptr_t frame, uint64_t cs);
/* Registers that a frame may change only in part: 0 or -EFAULT for what this CPU could not return to. */
must_check int sigframe_restore_control(struct regs *regs, uint64_t rip, uint64_t cs, uint64_t ss,
                                        uint64_t rflags);

/* exec.c, stack.c -------------------------------------------------------------------------------------- */

/* A program that is mapped into an address space nobody runs in yet. */
struct exec_image {
    struct vm *vm;
    struct file *file;
    const char *name; /* AT_EXECFN, as the caller wrote it */
    const char *const *argv, *const *envp;
    unsigned argc, envc;
    bool is_i386;
    uintptr_t base, entry, phdr, vdso, stack_top;
    unsigned phnum;
    unsigned nr_zero; /* tails of file pages to clear, once its vm is active */
    struct exec_zero {
        uintptr_t start;
        size_t len;
        bool must;
    } zero[32];
};
/* Step one: open, check and map a program for `p`.  0, or what execve(2) answers; the reason is on the log.  The
 * strings must live until exec_commit. */
must_check int exec_load(struct process *p, const struct cred *cred, const struct exec_request *r,
                         struct exec_image **out);
/* The program whose file this was runs no more: lets go of it. */
void exec_close(struct file *f);
/* Step two, in the task that is to run it, the only one left of its process.  Takes the image over.  An error
 * leaves no program to return to. */
must_check int exec_commit(struct exec_image *image);
/* Count and measure the strings: 0 or -E2BIG. */
must_check int stack_measure(struct exec_image *image, uint64_t stack_limit, size_t *size);
/* Map [stack] with room for them. */
must_check int stack_map(struct exec_image *image, size_t size, bool executable);
/* In the active vm: write strings, pointers and the auxiliary vector; *sp is the initial stack pointer. */
must_check int stack_fill(const struct exec_image *image, struct process *p, uintptr_t *sp);

/* jobs.c ----------------------------------------------------------------------------------------------- */

void jobs_init(void); /* boot: answer the terminals' questions */
/* The last task of a process is gone: if it led a session, its terminal is free. */
void jobs_process_exits(struct process *p);

/* vdso_map.c ------------------------------------------------------------------------------------------- */

void vdso_map_init(void); /* boot */
/* Map [vvar] and [vdso]; the address of the vDSO's ELF header.  0 or -ENOMEM. */
must_check int vdso_map(struct vm *vm, bool is_i386, uintptr_t *base);

/* report.c --------------------------------------------------------------------------------------------- */

/* Say on the log why the current process dies.  Thread context, its vm active. */
void report_death(const struct regs *regs, int sig, const siginfo_t *info);
void report_out_of_memory(uintptr_t addr);

/* limits.c --------------------------------------------------------------------------------------------- */

/* Once: the file layer learns of RLIMIT_FSIZE. */
void limits_set_up(void);
void limits_init(struct rlimit_pair limits[NR_RLIMITS]);
void limits_apply_vm(struct process *p, struct vm *vm);
