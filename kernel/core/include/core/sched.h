/* The scheduler: a run queue for each CPU, idle CPUs steal, a one-shot timer ends a time slice only when
 * someone else waits.  Kernel code is not preempted: a thread gives the CPU up by sleeping, by sched_yield, or
 * on its way back to ring 3. */
#pragma once

#include <core/thread.h>

/* Per-CPU data of kernel/core (run queue, timers, page and heap caches); opaque. */
struct core_cpu;

/* This CPU's share of it; the boot CPU calls it once from main, others from up_cpu_main. */
void core_cpu_init(void);
/* The boot CPU's last step in main: becomes this CPU's idle thread; boot(NULL) runs in a thread. */
noreturn void sched_start(void (*boot)(void *));

/* What a CPU without threads does after each interrupt, before it looks for threads again: work that an interrupt handler
 * that found current_thread()->is_idle has left to it.  `work` is called with interrupts off and returns so; it may
 * turn them on, and does not sleep.  Its time counts as idle.  Once, at boot. */
void sched_set_idle_work(void (*work)(void));

void sched_yield(void); /* let others run; thread context, no spinlock */
/* In long kernel loops (zeroing, copying): yields if the time slice is over and someone waits, answers whether
 * the caller should stop early because the thread was killed. */
bool sched_checkpoint(void);

/* Interrupt the CPUs that this one has given something to do without interrupting them yet: thread_wake_quiet,
 * waitq_wake_nested.  Any context. */
void sched_send_kicks_now(void);
static inline void sched_send_kicks(void)
{
    if (unlikely(atomic_load(&this_cpu()->kicks)))
        sched_send_kicks_now();
}

/* sched_setaffinity: -EINVAL when no running CPU is in the set.  Moves the thread if needed. */
must_check int sched_set_affinity(struct thread *t, cpuset set);
void sched_set_nice(struct thread *t, int nice);
uint64_t sched_slice_ns(const struct thread *t); /* how long it runs while others wait */
void sched_set_policy(struct thread *t, enum sched_policy policy, unsigned rt_priority);
/* Before a new thread starts: affinity, nice and policy of its parent, as fork(2) passes them on. */
void sched_inherit(struct thread *child, const struct thread *parent);
uint64_t sched_thread_ns(struct thread *t); /* CPU time used, up to now */
unsigned sched_load(uint64_t *switches);    /* runnable threads now; context switches since boot */
uint64_t sched_idle_ns(unsigned cpu);

/* Every CPU's current thread and every thread's state and kernel backtrace, to the log: part of the dumps below.
 * Any context; takes no lock that could be held. */
void sched_dump(void);
/* Where every CPU is, with a backtrace, even with its interrupts off, and sched_dump; said in an NMI of this CPU, which
 * lasts until all is said.  Any context but an NMI.  Does nothing while another dump lasts, or for as long after one as
 * it took. */
void sched_dump_cpus(void);
/* For a panic, after arch_halt_others: where those CPUs were, and sched_dump. */
void sched_dump_halted(void);

/* Every other CPU that runs a user thread of `vm` (NULL: any thread) executes a full memory barrier and returns
 * from an interrupt before this returns: membarrier(2).  Thread context, interrupts on, no spinlock. */
void sched_sync_cpus(const struct vm *vm);
uint64_t sched_online_cpus(void); /* bit n: CPU n takes threads */

/* Call `visit` for each thread, under the list's spinlock (RANK_THREADS). */
void sched_visit(void (*visit)(void *arg, struct thread *t), void *arg);

/* Debug builds: from now on report a CPU that is stuck with interrupts off or in the kernel for 10 s, and a timer
 * that is overdue by 60 s.  For each CPU, once it is up; nothing in release builds. */
void watchdog_start(void);
