/* Which CPU a thread runs on when it becomes ready, and when the one that runs there has to share.
 *
 * An idle CPU is woken for it, unless the waker is expected to sleep so soon that waiting for its CPU is quicker: see
 * predicts_sleep.  A thread that waits for its waker's CPU is not stolen (sched_idle.c) unless that CPU is stuck. */
#include "sched_private.h"

/* A thread follows its waker, instead of waking an idle CPU, when the waker is expected to sleep sooner than the idle
 * CPU could run it: that takes microseconds on hardware and may take milliseconds under emulation, so it is
 * measured.  The waker is expected to do what it did the last times. */
#define REMOTE_WAKE_MIN_NS 10000ULL
#define REMOTE_WAKE_MAX_NS 10000000ULL
#define SYNC_SCORE         2 /* from here on */
#define SYNC_SCORE_MAX     8
#define SYNC_SCORE_WRONG   3 /* what a wrong guess costs */

cpuset sched_online_set;
cpuset sched_idle_cpus;
/* Atomic: moving average, within the bounds above. */
static uint64_t remote_wake_ns = REMOTE_WAKE_MIN_NS;

seldom_called void sched_slice_arm(struct core_cpu *core, const struct thread *current)
{
    uint64_t now = arch_clock_ns();
    uint64_t ran = now - current->run_start_ns;
    uint64_t left = current->budget_ns > ran ? current->budget_ns - ran : 0;

    if (atomic_load(&sched_idle_cpus))
        left = MIN(left, 2 * atomic_load(&remote_wake_ns));
    timer_arm(&core->slice, now + MAX(left, SLICE_MIN_NS / 4));
}

/* The CPU is to look at its queue: it is told at the next sched_send_kicks of this one. */
static void kick_cpu(unsigned cpu)
{
    atomic_or(&this_cpu()->kicks, cpu_bit(cpu));
}

seldom_called void sched_send_kicks_now(void)
{
    for (cpuset left = atomic_swap(&this_cpu()->kicks, 0); left; left &= left - 1)
        arch_send_resched((unsigned)__builtin_ctzll(left));
}

/* Get an idle CPU of the set, if there is one, to look for work. */
static seldom_called void kick_idle(cpuset allowed)
{
    for (cpuset idle; (idle = atomic_load(&sched_idle_cpus) & allowed);) {
        unsigned cpu = (unsigned)__builtin_ctzll(idle);
        if (atomic_and(&sched_idle_cpus, ~cpu_bit(cpu)) & cpu_bit(cpu)) {
            kick_cpu(cpu);
            return;
        }
    }
}

/* The slice timer, in interrupt context on the CPU that it belongs to. */
seldom_called void sched_slice_over(struct timer *timer)
{
    struct core_cpu *core = this_core();
    struct run_queue *rq = &core->rq;
    struct thread *current = rq->current;
    bool rearm = false, kick = false;

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    if (rq->nr_waiting > 0 && !current->is_idle) {
        sched_account(current, arch_clock_ns());
        if (current->budget_ns == 0)
            atomic_or(&this_cpu()->work, WORK_RESCHED);
        else
            rearm = rq->slice_armed = true;
        /* Nothing has moved since the last time: who followed its waker waited for nothing. */
        kick = rq->is_stuck = rq->nr_switches == rq->seen_switches;
        rq->seen_switches = rq->nr_switches;
    }
    spin_unlock(&rq->lock);
    if (rearm)
        sched_slice_arm(core, current);
    if (kick) {
        current->sync_score -= MIN(current->sync_score, SYNC_SCORE_WRONG);
        kick_idle(~(cpuset)0);
        sched_send_kicks();
    }
}

/* --- making threads ready --------------------------------------------------------------------------- */

/* Will the current thread sleep soon, so that what it wakes had best follow it on this CPU?  A wake-up of another
 * CPU costs far more than the wait. */
static bool predicts_sleep(const struct core_cpu *here)
{
    const struct thread *waker = here->rq.current;

    return waker->sync_score >= SYNC_SCORE && this_cpu()->irq_depth == 0 &&
           here->rq.nr_waiting == 0 && !waker->is_idle;
}

/* Where `t`, which no queue holds, shall run.  Its home is locked. */
static unsigned choose_cpu(struct thread *t, bool *follows_waker)
{
    cpuset allowed = t->affinity & atomic_load(&sched_online_set);
    unsigned here = this_cpu()->index;

    *follows_waker = false;
    if (likely(!atomic_load(&sched_idle_cpus) && (allowed & cpu_bit(t->cpu))))
        return t->cpu;
    if (atomic_load(&t->on_cpu)) {
        if (allowed & cpu_bit(t->cpu))
            return t->cpu;
        while (atomic_load(&t->on_cpu))
            arch_relax();
    }
    unsigned last = allowed & cpu_bit(t->cpu) ? t->cpu : (unsigned)__builtin_ctzll(allowed);
    cpuset idle = atomic_load(&sched_idle_cpus) & allowed;
    if (idle == 0)
        return last;
    *follows_waker = (allowed & cpu_bit(here)) && predicts_sleep(this_core());
    if (*follows_waker)
        return here;
    const struct run_queue *rq = &this_core()->rq;
    if ((allowed & cpu_bit(here)) && rq->current->is_idle && atomic_load(&rq->nr_waiting) == 0)
        last = here; /* an interrupt woke this CPU and the thread */
    else if (!(idle & cpu_bit(last)))
        last = (unsigned)__builtin_ctzll(idle);
    atomic_and(&sched_idle_cpus, ~cpu_bit(last)); /* the next one is placed elsewhere */
    return last;
}

/* After adding `t` to the queue of `core`, whose lock this drops: have it served. */
static void announce(struct core_cpu *core, struct thread *t, bool follows_waker)
{
    struct thread *current = core->rq.current;
    bool is_here = core == this_core(), arm = false;

    if (current->is_idle) {
        t->kicked_ns = is_here ? 0 : arch_clock_ns();
        if (!is_here)
            kick_cpu(core->index);
    } else {
        /* A CPU that became idle since we chose has looked at the queues before `t` was there. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        cpuset may_help = atomic_load(&sched_idle_cpus) & t->affinity;
        if (unlikely(may_help) && !follows_waker)
            kick_idle(may_help);
        if (sched_outranks(t, current)) {
            core->rq.need_resched = true;
            if (is_here)
                atomic_or(&this_cpu()->work, WORK_RESCHED);
            else
                kick_cpu(core->index);
        } else if (!core->rq.slice_armed) {
            core->rq.slice_armed = true;
            arm = is_here;
            if (!is_here)
                kick_cpu(core->index);
        }
    }
    spin_unlock(&core->rq.lock);
    if (arm)
        sched_slice_arm(core, current);
}

void sched_queue_ready(struct thread *t, enum ready_how how)
{
    bool irqs = arch_irq_save(), follows_waker;
    struct core_cpu *core = lock_home(t);
    unsigned cpu = choose_cpu(t, &follows_waker);

    if (unlikely(cpu != core->index)) {
        t->state = THREAD_READY;
        sched_set_cpu(t, cpu);
        spin_unlock(&core->rq.lock);
        core = core_cpus[cpu];
        spin_lock(&core->rq.lock);
    }
    t->follows_waker = follows_waker;
    run_queue_add(core, t, how);
    announce(core, t, follows_waker);
    if (this_cpu()->irq_depth == 0)
        current_thread()->woke_someone = true;
    arch_irq_restore(irqs);
}

void sched_make_ready(struct thread *t)
{
    sched_queue_ready(t, t->state == THREAD_NEW ? READY_LAST : READY_WOKEN);
}

/* --- what the guesses learn from --------------------------------------------------------------------- */

/* How long it took from waking another CPU until it runs the thread; updates that cross are lost, which is fine. */
seldom_called void sched_note_remote_wake(struct thread *t, uint64_t now)
{
    uint64_t took = now > t->kicked_ns ? now - t->kicked_ns : 0;
    uint64_t average = atomic_load(&remote_wake_ns);

    took = MIN(MAX(took, REMOTE_WAKE_MIN_NS), REMOTE_WAKE_MAX_NS);
    atomic_store(&remote_wake_ns, average - average / 8 + took / 8);
    t->kicked_ns = 0;
}

void sched_note_sleep(struct thread *t, uint64_t now)
{
    if (!t->woke_someone)
        return;
    bool was_short = now - t->run_start_ns < 2 * atomic_load(&remote_wake_ns);
    t->woke_someone = false;
    if (!was_short)
        t->sync_score -= MIN(t->sync_score, SYNC_SCORE_WRONG);
    else if (t->sync_score < SYNC_SCORE_MAX)
        t->sync_score++;
}
