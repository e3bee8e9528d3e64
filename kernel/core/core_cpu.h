/* A CPU's share of kernel/core: its run queue, its timers and its idle thread.  Only for the scheduler's files. */
#pragma once

#include <core/sched.h>
#include <core/timer.h>

/* Threads that are ready and wait for this CPU.  Real-time threads come before all others, in the order of their
 * priority.  Then `front`: threads that woke up with something left of their time slice.  Those that used theirs up wait in `back`, behind all who wait there already, with a fresh
 * slice; so nobody in `back` waits longer than all others' slices together. */
struct run_queue {
    struct spinlock lock; /* RANK_RUNQ, interrupts off - guards: */
    struct list urgent, front, back;
    unsigned nr_waiting; /* read without the lock as a hint */
    struct thread *current;
    bool need_resched; /* asked for by another CPU: becomes WORK_RESCHED in the interrupt */
    bool slice_armed;  /* the slice timer is running, or about to be */
    bool is_stuck;     /* nothing moved between two ends of the slice timer */
    uint64_t nr_switches, seen_switches; /* the latter at the slice timer's last end */
};

/* Pairing heap, nearest deadline at the root. */
struct timer_queue {
    struct spinlock lock; /* RANK_TIMER, interrupts off - guards: */
    struct timer *root;
    struct timer *running; /* its function is being called; set under the lock, cleared without */
    uint64_t armed_ns;     /* what the hardware is set to; TIME_NEVER: nothing */
    unsigned cpu;
};

struct core_cpu {
    struct run_queue rq;
    struct timer_queue timers;
    struct timer slice; /* ends the time slice of rq.current; armed only while others wait */
    struct thread idle;
    unsigned index;
    bool does_idle_work;            /* the idle thread, which is not to sleep then */
    uint32_t nr_resched_irqs;       /* atomic: sched_sync_cpus counts round trips with it */
    uint32_t nr_ticks, nr_progress; /* watchdog.c's; the latter counts visits of the scheduler */
};

/* struct thread.sleep_state, see wait.c. */
enum { SLEEP_NONE, SLEEP_PREPARED, SLEEP_ASLEEP };

/* NULL until the CPU has called core_cpu_init. */
extern struct core_cpu *core_cpus[ARCH_MAX_CPUS];

static inline struct core_cpu *this_core(void)
{
    return this_cpu()->core;
}

/* sched.c, sched_place.c, sched_idle.c: the sleep protocol's two ends, see wait.c. */
void sched_block(struct thread *t); /* give the CPU up unless the sleep was ended already */
/* A thread that slept, or a new one; any context.  The caller goes on to sched_send_kicks. */
void sched_make_ready(struct thread *t);
void sched_idle_wait(struct thread *t, uint64_t deadline); /* the same for an idle thread (boot) */
noreturn void sched_exit(struct thread *t);                /* the current thread is dead */
void sched_kick(struct thread *t); /* interrupt `t` if it runs now, so that it sees its work bits */

/* thread.c: the dead thread `t` has left its stack. */
void thread_bury(struct thread *t);
void thread_list_add(struct thread *t);
/* Every thread, also when the list's lock is taken: for a machine in trouble. */
void thread_visit_anyhow(void (*visit)(struct thread *t));
bool thread_has_work(uint32_t mask); /* the current thread */

/* timer.c, work.c: boot. */
void timer_init_cpu(struct timer_queue *q, unsigned cpu);
void work_start(void);
