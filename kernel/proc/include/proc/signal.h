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
struct sigaltstack_state;

#define NR_SIGNALS   64
#define SIG_BIT(sig) (1UL << ((sig)-1))

/* Of the 128 bytes of a siginfo only the first 48 carry anything, as in Linux's own: inside the kernel the rest is
 * neither set nor copied, and what goes to a program ends in zeros. */
#define SIGINFO_USED 48
_Static_assert(sizeof(__SIGINFO) <= SIGINFO_USED, "every field is copied");

static inline void siginfo_copy(siginfo_t *to, const siginfo_t *from)
{
    __builtin_memcpy(to, from, SIGINFO_USED);
}

static inline void siginfo_clear(siginfo_t *info)
{
    __builtin_memset(info, 0, SIGINFO_USED);
}

/* A handler as rt_sigaction(2) sets it (native sizes). */
struct sigaction_k {
    uintptr_t handler; /* SIG_DFL, SIG_IGN or an address */
    uint64_t flags;    /* SA_* */
    uintptr_t restorer;
    uint64_t mask;
    bool is_i386; /* set through int 0x80: the handler gets an i386 frame */
};

/* One for each process: as CLONE_SIGHAND is accepted with CLONE_THREAD only, nobody else shares it. */
struct sighand {
    /* RANK_SIGNAL, taken with interrupts off - guards all pending state too */
    struct spinlock lock;
    struct sigaction_k action[NR_SIGNALS];
    struct waitq signalfds; /* woken on every signal queued */
};

/* Pending signals: a bit each, and a siginfo for those that came with one. */
struct signal_queue {
    uint64_t bits;
    struct list infos; /* struct queued_signal */
};

/* A siginfo in a queue.  A POSIX timer owns one for good, so that its expiry can neither fail nor flood. */
struct queued_signal {
    struct list node; /* guarded by sighand->lock; in no queue when empty (list_init it first) */
    struct signal_queue *queue; /* the one it is in; signal.c's */
    siginfo_t info;             /* SIGINFO_USED */
    /* Left the queue, to be delivered when `info` is not NULL (the copy that the program will see, which the
     * function may complete), or dropped.  Called under sighand->lock.  NULL: signal.c allocated it. */
    void (*taken)(struct queued_signal *q, siginfo_t *info);
};

/* Send to a process (any thread may take it) or to one task.  `info` NULL: SI_KERNEL.  Realtime signals queue up
 * to RLIMIT_SIGPENDING (-EAGAIN).  Any context.  0 or -EAGAIN. */
int signal_send_process(struct process *p, int sig, const siginfo_t *info);
int signal_send_task(struct task *t, int sig, const siginfo_t *info);
/* Queue a timer's own siginfo (q->taken set) for a process or, with `t`, for one task: false when it is still
 * queued from the last time (an overrun).  Any context. */
bool signal_send_queued(struct process *p, struct task *t, struct queued_signal *q);
/* Take it back, if it is queued: it may be freed afterwards. */
void signal_cancel_queued(struct process *p, struct queued_signal *q);
/* Room for one more among the signals that the process may have queued (RLIMIT_SIGPENDING): 0 or -EAGAIN. */
must_check int signal_charge(struct process *p);
void signal_uncharge(struct process *p);
/* A siginfo as kill(2) and its like fill it for the current process. */
void signal_info_from_current(siginfo_t *info, int sig, int code);
/* May the current task send `sig` to `p` (kill(2)'s rules)?  0 or -EPERM. */
must_check int signal_may_send(struct process *p, int sig);
/* A fault of the current thread: cannot be blocked or ignored (then it kills, as Linux). */
void signal_fault(int sig, int code, uintptr_t addr, int trapno, uint64_t error);
/* The same without an address: what cannot be returned from (a bad frame).  SIGSEGV's handler is not asked when
 * it is itself at fault. */
void signal_force(int sig);
void signal_force_default(int sig);

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
/* Pending for the current task or its process, blocked or not: poll of a signalfd, sigpending. */
uint64_t signal_pending_set(void);

/* The bodies of rt_sigaction, rt_sigtimedwait and sigaltstack(2) in kernel form.  Either pointer may be NULL. */
must_check int signal_set_action(int sig, const struct sigaction_k *new, struct sigaction_k *old);
/* The signal; -EAGAIN at `deadline`; -EINTR. */
must_check int signal_wait(uint64_t set, siginfo_t *info, uint64_t deadline);
/* `sp`: the user's stack pointer.  -EPERM while on that stack, -EINVAL, -ENOMEM (too small). */
must_check int signal_set_altstack(const struct sigaltstack_state *new,
                                   struct sigaltstack_state *old, uintptr_t sp);

/* A terminal's or kill(2)'s target: every process of a group.  0 or -ESRCH. */
int signal_send_group(int pgid, int sig, const siginfo_t *info);

/* A siginfo as i386 programs have it; which fields count follows from its number and code. */
union i386_siginfo;
void signal_info_to_i386(union i386_siginfo *to, const siginfo_t *from);
void signal_info_from_i386(siginfo_t *to, const union i386_siginfo *from);

/* The way back to ring 3 (thread work): deliver, restart calls, stop, exit. */
void signal_deliver(struct regs *regs);
/* rt_sigreturn(2): the restored rax.  And i386's two. */
long signal_return(struct regs *regs);
long signal_return_32(struct regs *regs);
long signal_return_rt_32(struct regs *regs);
