/* Threads as the CPU scheduler knows them.  Processes, signals and ids are kernel/proc's: its struct task
 * embeds a struct thread as its first member. */
#pragma once

#include <arch/arch.h>
#include <base/list.h>
#include <core/atomic.h>
#include <core/lock.h>
#include <core/wait.h>

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_DEAD };

/* Bits of struct thread.work: why this thread must see its work function before ring 3. */
enum {
    THREAD_SIGNAL = 1, /* a signal may be deliverable: interrupts interruptible sleeps */
    THREAD_KILL = 2,   /* must exit: interrupts killable sleeps too */
    THREAD_CALL = 4,   /* other work of kernel/proc (rseq, restored mask) */
};

typedef uint64_t cpuset; /* bit n: CPU n */

/* Linux's numbers.  FIFO and RR threads have a priority and run before all others; IDLE ones never before another. */
enum sched_policy {
    POLICY_OTHER = 0,
    POLICY_FIFO = 1,
    POLICY_RR = 2,
    POLICY_BATCH = 3,
    POLICY_IDLE = 5
};

struct thread {
    struct arch_thread arch; /* first: arch_switch takes a struct thread */
    bool is_idle;
    bool is_user;
    uint32_t work;    /* atomic: THREAD_SIGNAL ... */
    uint32_t nofault; /* private: > 0: page faults in user copies fail at once */

    /* guarded by the lock of the run queue of `cpu` */
    enum thread_state state;
    unsigned cpu; /* where it runs or last ran */
    struct list run_node;
    uint64_t budget_ns; /* of its time slice */
    uint64_t ran_ns;    /* CPU time in all */
    uint64_t run_start_ns;
    cpuset affinity;
    int nice;            /* -20 .. 19 */
    uint8_t policy;      /* enum sched_policy */
    uint8_t rt_priority; /* 1 .. 99 for FIFO and RR, else 0 */
    bool reset_on_fork;  /* children start with policy OTHER and nice 0 */
    bool on_cpu;         /* atomic: still on its kernel stack: may not be run elsewhere yet */
    bool gives_way;      /* used its time slice up: threads that wake go first */
    bool must_move;      /* to a CPU of its affinity, as soon as it has left its stack */
    bool has_rseq;       /* gets THREAD_CALL when it was preempted or moved to another CPU */
    uint64_t kicked_ns;  /* when an idle CPU was woken for it; 0: it was not */
    /* waits for its waker's CPU, and is not to be stolen unless that is stuck */
    bool follows_waker;
    bool woke_someone;  /* since it last slept */
    uint8_t sync_score; /* how often of late it woke someone and then soon slept */

    /* the sleep protocol: see wait.c */
    uint32_t sleep_state; /* atomic */
    enum wait_how sleep_how;

    uint64_t voluntary_switches, involuntary_switches;
    struct mutex *held_mutexes;     /* debug: lock_check.c */
    const struct waitq *last_queue; /* for dumps: the last wait queue that it entered */
    const struct mutex *waits_for;  /* for dumps; NULL: no mutex */
    void (*reap)(struct thread *t); /* thread_exit's */
    struct list all_node;           /* every thread, for dumps: guarded by thread.c's list lock */
    char name[16];                  /* PR_SET_NAME */
    struct vm *vm;                  /* NULL for a kernel thread; referenced */
    void *kstack;
    void (*entry)(void *); /* kernel threads */
    void *arg;
};

/* A thread that has not run: fills `t` (zeroed by the caller, who owns the memory), allocates a stack.  With
 * `vm` it is a user thread, whose `entry` ends in arch_enter_user.  0 or -ENOMEM. */
must_check int thread_init(struct thread *t, const char *name, struct vm *vm, void (*entry)(void *),
                           void *arg);
/* Undo thread_init of a thread that never ran. */
void thread_destroy(struct thread *t);
/* Make a new thread runnable. */
void thread_start(struct thread *t);
/* A kernel thread, started; NULL: no memory. */
struct thread *thread_spawn(const char *name, void (*entry)(void *), void *arg);
/* End the current thread.  `reap(t)` is called later, from another thread's context with its stack already
 * freed and its vm put, to free the memory that holds it.  (NULL: nothing to free.) */
noreturn void thread_exit(void (*reap)(struct thread *t));

/* Set work bits; the thread leaves an interruptible (THREAD_SIGNAL, THREAD_KILL) or killable (THREAD_KILL)
 * sleep with -EINTR, and if it runs in ring 3 on another CPU it is interrupted.  Any context. */
void thread_post(struct thread *t, uint32_t work);
void thread_clear_work(uint32_t work); /* of the current thread */
bool thread_interrupted(void);         /* current: THREAD_SIGNAL or THREAD_KILL */
bool thread_killed(void);

/* Make a sleeping thread runnable: true when it was asleep.  Any context. */
bool thread_wake(struct thread *t);
/* The same for who holds a lock that the thread takes as soon as it runs: the interrupt that gets its CPU to run it,
 * whose sending takes long in a virtual machine, is left to a sched_send_kicks, which must come right after the lock
 * is given back. */
bool thread_wake_quiet(struct thread *t);

/* kernel/proc registers what up_return_to_user calls while ->work is not 0. */
typedef void thread_work_fn(struct regs *regs);
void thread_set_work_fn(thread_work_fn *fn);
