/* What the scheduler's files share: run queues (run_queue.c), where a ready thread goes (sched_place.c), switching
 * (sched.c), idle CPUs (sched_idle.c) and the settings that programs see (sched_settings.c).
 *
 * "Home" of a thread is the run queue of thread->cpu; its lock guards what thread.h lists under it.  These run with interrupts
 * off, unless said otherwise. */
#pragma once

#include <arch/upcalls.h>

#include "core_cpu.h"

#define SLICE_MIN_NS 250000ULL /* and a slice timer is set no nearer than a quarter of it */

enum ready_how {
    READY_WOKEN, /* slept: to the front, if something of its slice is left */
    READY_LAST,  /* new, yielded, or its slice is over */
    READY_AGAIN, /* preempted: continues as soon as those that woke up are served */
};

static inline cpuset cpu_bit(unsigned cpu)
{
    return (cpuset)1 << cpu;
}

static inline bool may_run_on(const struct thread *t, unsigned cpu)
{
    return t->affinity & cpu_bit(cpu);
}

/* --- run_queue.c: with the queue's lock held -------------------------------------------------------- */

/* The queue that `t` belongs to now, locked. */
static inline struct core_cpu *lock_home(struct thread *t)
{
    for (;;) {
        struct core_cpu *core = core_cpus[atomic_load(&t->cpu)];
        spin_lock(&core->rq.lock);
        if (likely(t->cpu == core->index))
            return core;
        spin_unlock(&core->rq.lock);
    }
}
/* Make `t`, which is on no queue and whose cpu this is, wait here. */
void run_queue_add(struct core_cpu *core, struct thread *t, enum ready_how how);
void run_queue_remove(struct core_cpu *core, struct thread *t);
/* Who is next; NULL: nobody waits. */
struct thread *run_queue_peek(const struct run_queue *rq);
/* The same, taken out; the idle thread when nobody waits. */
struct thread *run_queue_pick(struct core_cpu *core);
/* Does `t` interrupt the running thread? */
bool sched_outranks(const struct thread *t, const struct thread *running);
/* Charge the current thread for the time until `now`. */
void sched_account(struct thread *t, uint64_t now);
/* The thread goes on, on another CPU: the program's rseq area must learn its number. */
void sched_set_cpu(struct thread *t, unsigned cpu);

/* --- sched_place.c ---------------------------------------------------------------------------------- */

extern cpuset sched_online_set; /* atomic */
/* Atomic: a bit is set by its CPU's idle loop, and cleared by that or by who gives the CPU work. */
extern cpuset sched_idle_cpus;

/* This CPU, without its lock: its current thread, which shares the CPU with others, is to be looked at again. */
void sched_slice_arm(struct core_cpu *core, const struct thread *current);
/* The slice timer's function. */
void sched_slice_over(struct timer *timer);
/* Choose a CPU for `t`, which no queue holds, and have it served there, once the caller has gone on to sched_send_kicks;
 * no run queue's lock held. */
void sched_queue_ready(struct thread *t, enum ready_how how);
/* What the guesses learn from: `t` starts after its CPU was woken for it; `t` is about to sleep. */
void sched_note_remote_wake(struct thread *t, uint64_t now);
void sched_note_sleep(struct thread *t, uint64_t now);

/* --- sched.c ---------------------------------------------------------------------------------------- */

/* Leave `prev`, the current thread, whose new state the caller has set, for the next in the queue, which may be
 * `prev` again.  The lock of `core`, this CPU, is held and dropped.  Returns when `prev` goes on, perhaps on another
 * CPU. */
void sched_switch_away(struct core_cpu *core, struct thread *prev, uint64_t now);
/* WORK_RESCHED was set: is there reason to let others run?  Interrupts may be on. */
void sched_preempt(void);
