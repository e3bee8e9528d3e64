/* Signals: sending, masks, delivery.  Frames are sigframe.c's. */
#pragma once

#include <arch/arch.h>
#include <asm/siginfo.h>
#include <base/list.h>
#include <core/atomic.h>
#include <core/lock.h>
#include <core/wait.h>

struct process;
struct task;
struct process_usage;

#define NR_SIGNALS 64
#define SIG_BIT(sig) (1UL << ((sig) - 1))

/* A handler as rt_sigaction(2) sets it (native sizes). */
struct sigaction_k {
    uintptr_t handler;      /* SIG_DFL, SIG_IGN or an address */
    uint64_t flags;         /* SA_* */
    uintptr_t restorer;
    uint64_t mask;
};

struct sighand {
    struct ref ref;
    struct spinlock lock;   /* RANK_SIGNAL, taken with interrupts off - guards all pending state too */
    struct sigaction_k action[NR_SIGNALS];
    struct waitq signalfds; /* woken on every signal queued */
};

/* Pending signals: a bit each, and a siginfo for those that came with one. */
struct signal_queue {
    uint64_t bits;
    struct list infos;      /* struct queued_signal */
};

/* Send to a process (any thread may take it) or to one task.  `info` NULL: SI_KERNEL.  Realtime signals queue up
 * to RLIMIT_SIGPENDING (-EAGAIN).  Any context.  0 or -EAGAIN. */
int signal_send_process(struct process *p, int sig, const siginfo_t *info);
int signal_send_task(struct task *t, int sig, const siginfo_t *info);
/* A fault of the current thread: cannot be blocked or ignored (then it kills, as Linux). */
void signal_fault(int sig, int code, uintptr_t addr, int trapno, uint64_t error);

/* Change the current task's mask (sigprocmask) with SIGKILL and SIGSTOP taken out. */
void signal_set_mask(uint64_t mask);
/* ppoll, pselect, epoll_pwait, sigsuspend: use `mask` until the call returns; the old mask comes back after the
 * handler's frame is built, or by signal_restore_mask when no signal came. */
void signal_set_temporary_mask(uint64_t mask);
void signal_restore_mask(void);

/* Take a pending signal out of `set` for sigtimedwait and signalfd: its number, 0 when there is none. */
int signal_take(uint64_t set, siginfo_t *info);
/* Is a signal deliverable to the current task? */
bool signal_pending(void);

/* A terminal's or kill(2)'s target: every process of a group.  0 or -ESRCH. */
int signal_send_group(int pgid, int sig, const siginfo_t *info);

/* The way back to ring 3 (thread work): deliver, restart calls, stop, exit. */
void signal_deliver(struct regs *regs);
/* rt_sigreturn(2): the restored rax. */
long signal_return(struct regs *regs);
