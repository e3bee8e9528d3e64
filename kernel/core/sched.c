/* The CPU scheduler: which thread runs where, and for how long.
 *
 * The life of a switch.  The CPU that leaves `prev` holds its run queue's lock while it decides, and drops it
 * before arch_switch; until `next` has finished the switch, prev->on_cpu says that prev's stack is still in use.  A
 * thread that is woken (or stolen) meanwhile either stays with that CPU, which cannot pick it before the
 * switch is over, or the other CPU waits for the few instructions until on_cpu is false.
 *
 * Moving a ready thread takes it out of one queue under that queue's lock, sets thread->cpu there, and puts it into
 * the other under the other's lock; nobody holds two.  In between it is READY and on no list. */
#include <arch/upcalls.h>
#include <core/heap.h>
#include <core/vm.h>

#include "core_cpu.h"

#define SLICE_NS     4000000ULL /* of a thread of nice 0 */
#define SLICE_MIN_NS 250000ULL
#define SLICE_MAX_NS 40000000ULL
/* A thread follows its waker, instead of waking an idle CPU, when the waker is expected to sleep sooner than the idle
 * CPU could run it: that takes microseconds on hardware and may take milliseconds under emulation, so it is
 * measured.  The waker is expected to do what it did the last times. */
#define REMOTE_WAKE_MIN_NS 10000ULL
#define REMOTE_WAKE_MAX_NS 10000000ULL
#define SYNC_SCORE         2 /* from here on */
#define SYNC_SCORE_MAX     8
#define SYNC_SCORE_WRONG   3 /* what a wrong guess costs */

struct core_cpu *core_cpus[ARCH_MAX_CPUS];
static struct core_cpu boot_core;
static cpuset online_cpus; /* atomic */
static cpuset
    idle_cpus; /* atomic: bit set by the idle loop, cleared by it or by who gives the CPU work */
static uint64_t remote_wake_ns =
    REMOTE_WAKE_MIN_NS; /* atomic: moving average, within the bounds above */

enum ready_how {
    READY_WOKEN, /* slept: to the front, if something of its slice is left */
    READY_LAST,  /* new, yielded, or its slice is over */
    READY_AGAIN, /* preempted: continues as soon as those that woke up are served */
};

static cpuset cpu_bit(unsigned cpu)
{
    return (cpuset)1 << cpu;
}

static bool may_run_on(const struct thread *t, unsigned cpu)
{
    return t->affinity & cpu_bit(cpu);
}

uint64_t sched_online_cpus(void)
{
    return atomic_load(&online_cpus);
}

/* Each step of nice is worth a quarter, as on Linux. */
uint64_t sched_slice_ns(const struct thread *t)
{
    uint64_t slice = SLICE_NS;

    for (int n = t->nice; n < 0 && slice < SLICE_MAX_NS; n++)
        slice += slice / 4;
    for (int n = t->nice; n > 0 && slice > SLICE_MIN_NS; n--)
        slice -= slice / 5;
    return slice;
}

/* --- the queue of one CPU; its lock held ------------------------------------------------------------ */

/* The queue that `t` belongs to now, locked; interrupts are off. */
static struct core_cpu *lock_home(struct thread *t)
{
    for (;;) {
        struct core_cpu *core = core_cpus[atomic_load(&t->cpu)];
        spin_lock(&core->rq.lock);
        if (likely(t->cpu == core->index))
            return core;
        spin_unlock(&core->rq.lock);
    }
}

/* Behind the threads of higher and, unless it `continues`, of its own priority. */
static void queue_urgent(struct run_queue *rq, struct thread *t, bool continues)
{
    struct thread *other;

    list_for_each(other, &rq->urgent, run_node)
        if (other->rt_priority < t->rt_priority ||
            (continues && other->rt_priority == t->rt_priority))
            break;
    list_push_back(&other->run_node, &t->run_node); /* before `other`, or at the end */
}

static void queue_normal(struct run_queue *rq, struct thread *t, enum ready_how how)
{
    if (t->policy == POLICY_IDLE) {
        how = READY_LAST;
        t->gives_way = true;
    } else if (how == READY_WOKEN) {
        t->gives_way = false;
    }
    if (how == READY_WOKEN)
        list_push_back(&rq->front, &t->run_node);
    else if (how == READY_LAST)
        list_push_back(&rq->back, &t->run_node);
    else
        list_push_front(t->gives_way ? &rq->back : &rq->front, &t->run_node);
}

static inline void queue_add(struct core_cpu *core, struct thread *t, enum ready_how how)
{
    struct run_queue *rq = &core->rq;

    assert(spin_is_held(&rq->lock) && t->cpu == core->index);
    if (t->budget_ns == 0) {
        t->budget_ns = sched_slice_ns(t);
        t->gives_way = true;
        if (t->policy != POLICY_FIFO)
            how = READY_LAST;
    }
    if (t->rt_priority > 0)
        queue_urgent(rq, t, how == READY_AGAIN);
    else
        queue_normal(rq, t, how);
    t->state = THREAD_READY;
    atomic_store(&rq->nr_waiting, rq->nr_waiting + 1);
}

static void queue_remove(struct core_cpu *core, struct thread *t)
{
    list_remove(&t->run_node);
    atomic_store(&core->rq.nr_waiting, core->rq.nr_waiting - 1);
}

static struct thread *queue_first(const struct list *queue)
{
    return list_is_empty(queue) ? NULL : list_entry(queue->next, struct thread, run_node);
}

/* Who is next; NULL: nobody waits. */
static inline struct thread *queue_peek(const struct run_queue *rq)
{
    struct thread *t;

    if (rq->nr_waiting == 0)
        return NULL;
    if ((t = queue_first(&rq->urgent)) || (t = queue_first(&rq->front)))
        return t;
    return queue_first(&rq->back);
}

static struct thread *queue_pick(struct core_cpu *core)
{
    struct thread *t = queue_peek(&core->rq);

    if (!t)
        return &core->idle;
    queue_remove(core, t);
    return t;
}

/* Does `t` interrupt the running thread? */
static bool outranks(const struct thread *t, const struct thread *running)
{
    if (t->rt_priority != running->rt_priority)
        return t->rt_priority > running->rt_priority;
    return t->rt_priority == 0 && running->gives_way && !t->gives_way;
}

static void account(struct thread *t, uint64_t now)
{
    uint64_t ran = now - t->run_start_ns;

    t->run_start_ns = now;
    t->ran_ns += ran;
    t->budget_ns -= MIN(ran, t->budget_ns);
}

/* The thread goes on, on another CPU: the program's rseq area must learn its number. */
static void set_cpu(struct thread *t, unsigned cpu)
{
    atomic_store(&t->cpu, cpu);
    if (t->has_rseq)
        atomic_or(&t->work, THREAD_CALL);
}

/* --- time slices ------------------------------------------------------------------------------------ */

/* This CPU, without its lock: its current thread, which shares the CPU with others, is to be looked at again. */
static void slice_arm(struct core_cpu *core, const struct thread *current)
{
    uint64_t now = arch_clock_ns();
    uint64_t ran = now - current->run_start_ns;
    uint64_t left = current->budget_ns > ran ? current->budget_ns - ran : 0;

    if (atomic_load(&idle_cpus))
        left = MIN(left, 2 * atomic_load(&remote_wake_ns));
    timer_arm(&core->slice, now + MAX(left, SLICE_MIN_NS / 4));
}

/* Get an idle CPU of the set to look for work; false when there is none. */
static bool kick_idle(cpuset allowed)
{
    for (;;) {
        cpuset idle = atomic_load(&idle_cpus) & allowed;
        if (idle == 0)
            return false;
        unsigned cpu = (unsigned)__builtin_ctzll(idle);
        if (atomic_and(&idle_cpus, ~cpu_bit(cpu)) & cpu_bit(cpu)) {
            arch_send_resched(cpu);
            return true;
        }
    }
}

/* The slice timer, in interrupt context on the CPU that it belongs to. */
static void slice_over(struct timer *timer)
{
    struct core_cpu *core = this_core();
    struct run_queue *rq = &core->rq;
    struct thread *current = rq->current;
    bool rearm = false, kick = false;

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    if (rq->nr_waiting > 0 && !current->is_idle) {
        account(current, arch_clock_ns());
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
        slice_arm(core, current);
    if (kick) {
        current->sync_score -= MIN(current->sync_score, SYNC_SCORE_WRONG);
        kick_idle(~(cpuset)0);
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
    cpuset allowed = t->affinity & atomic_load(&online_cpus);
    unsigned here = this_cpu()->index;

    *follows_waker = false;
    if (likely(!atomic_load(&idle_cpus) && (allowed & cpu_bit(t->cpu))))
        return t->cpu;
    if (atomic_load(&t->on_cpu)) {
        if (allowed & cpu_bit(t->cpu))
            return t->cpu;
        while (atomic_load(&t->on_cpu))
            arch_relax();
    }
    unsigned last = allowed & cpu_bit(t->cpu) ? t->cpu : (unsigned)__builtin_ctzll(allowed);
    cpuset idle = atomic_load(&idle_cpus) & allowed;
    if (idle == 0)
        return last;
    *follows_waker = (allowed & cpu_bit(here)) && predicts_sleep(this_core());
    if (*follows_waker)
        return here;
    if (idle & cpu_bit(here)) /* an interrupt woke this CPU and the thread */
        last = here;
    else if (!(idle & cpu_bit(last)))
        last = (unsigned)__builtin_ctzll(idle);
    atomic_and(&idle_cpus, ~cpu_bit(last)); /* the next one is placed elsewhere */
    return last;
}

/* After adding `t` to the queue of `core`, whose lock this drops: have it served. */
static void announce(struct core_cpu *core, struct thread *t, bool follows_waker)
{
    struct thread *current = core->rq.current;
    bool is_here = core == this_core(), interrupt = false, arm = false;
    cpuset may_help = 0;

    if (current->is_idle) {
        interrupt = !is_here;
        t->kicked_ns = interrupt ? arch_clock_ns() : 0;
    } else {
        /* A CPU that became idle since we chose has looked at the queues before `t` was there. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (!follows_waker)
            may_help = atomic_load(&idle_cpus) & t->affinity;
        if (outranks(t, current)) {
            core->rq.need_resched = true;
            interrupt = true;
        } else if (!core->rq.slice_armed) {
            core->rq.slice_armed = arm = true;
            interrupt = !is_here;
        }
    }
    spin_unlock(&core->rq.lock);
    if (interrupt && is_here)
        atomic_or(&this_cpu()->work, WORK_RESCHED);
    else if (interrupt)
        arch_send_resched(core->index);
    else if (arm)
        slice_arm(core, current);
    if (unlikely(may_help))
        kick_idle(may_help);
}

static void make_ready(struct thread *t, enum ready_how how)
{
    bool irqs = arch_irq_save(), follows_waker;
    struct core_cpu *core = lock_home(t);
    unsigned cpu = choose_cpu(t, &follows_waker);

    t->state = THREAD_READY;
    if (cpu != core->index) {
        set_cpu(t, cpu);
        spin_unlock(&core->rq.lock);
        core = core_cpus[cpu];
        spin_lock(&core->rq.lock);
    }
    t->follows_waker = follows_waker;
    queue_add(core, t, how);
    announce(core, t, follows_waker);
    if (this_cpu()->irq_depth == 0)
        current_thread()->woke_someone = true;
    arch_irq_restore(irqs);
}

void sched_make_ready(struct thread *t)
{
    make_ready(t, t->state == THREAD_NEW ? READY_LAST : READY_WOKEN);
}

/* --- switching -------------------------------------------------------------------------------------- */

/* On the new thread's stack, interrupts off: `prev` has left the CPU. */
static __attribute__((noinline)) void finish_switch(struct thread *prev)
{
    bool is_dead = prev->state == THREAD_DEAD, must_move = prev->must_move;

    prev->must_move = false;
    atomic_store(&prev->on_cpu, false); /* from here on another CPU may run it */
    if (unlikely(is_dead))
        thread_bury(prev);
    else if (unlikely(must_move))
        make_ready(prev, READY_AGAIN);
}

void up_thread_first_run(struct thread *prev)
{
    finish_switch(prev);
}

/* Before another thread runs on this CPU: its address space.  Kernel threads run in whatever is there. */
static void switch_vm(const struct thread *next)
{
    if (!next->vm)
        return;
    struct arch_vm *vm = vm_arch(next->vm);
    if (vm != this_cpu()->vm)
        arch_vm_activate(vm);
}

/* How long it took from waking another CPU until it runs the thread; updates that cross are lost, which is fine. */
static void note_remote_wake(struct thread *t, uint64_t now)
{
    uint64_t took = now > t->kicked_ns ? now - t->kicked_ns : 0;
    uint64_t average = atomic_load(&remote_wake_ns);

    took = MIN(MAX(took, REMOTE_WAKE_MIN_NS), REMOTE_WAKE_MAX_NS);
    atomic_store(&remote_wake_ns, average - average / 8 + took / 8);
    t->kicked_ns = 0;
}

/* Leave `prev`, the current thread, whose new state the caller has set, for the next in the queue, which may be
 * `prev` again.  Interrupts off; the lock of `core`, this CPU, is held and dropped.  Returns when `prev` goes on,
 * perhaps on another CPU. */
static __attribute__((noinline)) void switch_away(struct core_cpu *core, struct thread *prev,
                                                  uint64_t now)
{
    struct run_queue *rq = &core->rq;
    struct thread *next = queue_pick(core);
    bool arm = false;

    account(prev, now);
    rq->need_resched = false;
    core->nr_progress++;
    next->state = THREAD_RUNNING;
    if (next != prev) {
        next->on_cpu = true;
        next->run_start_ns = now;
        if (unlikely(next->kicked_ns))
            note_remote_wake(next, now);
        rq->current = next;
        rq->is_stuck = false;
        rq->nr_switches++;
        if (rq->nr_waiting > 0 && !rq->slice_armed && !next->is_idle)
            arm = rq->slice_armed = true;
    }
    spin_unlock(&rq->lock);
    this_cpu()->work = next->work ? WORK_THREAD : 0;
    if (arm)
        slice_arm(core, next);
    if (next == prev)
        return;
    switch_vm(next);
    finish_switch(arch_switch(prev, next));
}

/* A page fault's handler slept inside what may be a restartable sequence.  (A system call may not be made in one.) */
static bool may_be_in_rseq(struct thread *t)
{
    return t->has_rseq && arch_user_regs(&t->arch)->orig_rax == UINT64_MAX;
}

static void note_sleep(struct thread *t, uint64_t now)
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

void sched_block(struct thread *t)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = this_core();

    spin_lock(&core->rq.lock);
    if (!atomic_cas(&t->sleep_state, SLEEP_PREPARED, SLEEP_ASLEEP)) {
        spin_unlock(&core->rq.lock);
        arch_irq_restore(irqs);
        return;
    }
    uint64_t now = arch_clock_ns();
    note_sleep(t, now);
    if (unlikely(may_be_in_rseq(t)))
        atomic_or(&t->work, THREAD_CALL);
    t->state = THREAD_SLEEPING;
    t->voluntary_switches++;
    switch_away(core, t, now);
    arch_irq_restore(irqs);
}

void sched_exit(struct thread *t)
{
    arch_irq_off();
    struct core_cpu *core = this_core();

    spin_lock(&core->rq.lock);
    t->state = THREAD_DEAD;
    switch_away(core, t, arch_clock_ns());
    panic("a dead thread runs");
}

void sched_yield(void)
{
    lock_assert_may_sleep();
    if (this_core()->rq.nr_waiting == 0)
        return;
    bool irqs = arch_irq_save();
    struct core_cpu *core = this_core();
    struct thread *t = core->rq.current;

    spin_lock(&core->rq.lock);
    if (!t->is_idle)
        queue_add(core, t, READY_LAST);
    t->voluntary_switches++;
    switch_away(core, t, arch_clock_ns());
    arch_irq_restore(irqs);
}

/* WORK_RESCHED was set: is there reason to let others run? */
static void preempt(void)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = this_core();
    struct thread *t = core->rq.current;
    uint64_t now = arch_clock_ns();

    atomic_and(&this_cpu()->work, ~(uint64_t)WORK_RESCHED);
    spin_lock(&core->rq.lock);
    core->rq.need_resched = false;
    core->nr_progress++;
    account(t, now);
    const struct thread *next = queue_peek(&core->rq);
    bool give_way =
        next && (outranks(next, t) || (t->budget_ns == 0 && t->rt_priority <= next->rt_priority));
    bool must_move = !may_run_on(t, core->index);
    if (must_move || give_way) {
        t->must_move = must_move;
        t->state = THREAD_READY;
        if (!must_move)
            queue_add(core, t, READY_AGAIN);
        if (t->has_rseq)
            atomic_or(&t->work, THREAD_CALL);
        t->involuntary_switches++;
        switch_away(core, t, now);
    } else {
        spin_unlock(&core->rq.lock);
    }
    arch_irq_restore(irqs);
}

bool sched_checkpoint(void)
{
    lock_assert_may_sleep();
    if (this_cpu()->work & WORK_RESCHED)
        preempt();
    return thread_killed();
}

/* --- what the CPU asks of us ------------------------------------------------------------------------ */

static thread_work_fn *thread_work;

void thread_set_work_fn(thread_work_fn *fn)
{
    thread_work = fn;
}

void up_return_to_user(struct regs *regs)
{
    if (this_cpu()->work & WORK_RESCHED)
        preempt();
    if (atomic_load(&current_thread()->work) && thread_work)
        thread_work(regs);
    bool irqs = arch_irq_save();
    /* A poster on another CPU sets the thread's bit first and then interrupts us, which sets ours again. */
    if (atomic_load(&current_thread()->work) == 0)
        atomic_and(&this_cpu()->work, ~(uint64_t)WORK_THREAD);
    arch_irq_restore(irqs);
}

void up_resched_irq(void)
{
    struct core_cpu *core = this_core();

    atomic_add(&core->nr_resched_irqs, 1);
    spin_lock(&core->rq.lock);
    struct thread *current = core->rq.current;
    if (core->rq.need_resched)
        atomic_or(&this_cpu()->work, WORK_RESCHED);
    /* Another CPU wants the slice to end, but only this one can set its timer. */
    bool arm = core->rq.slice_armed && !core->slice.is_armed && !current->is_idle;
    if (current->is_idle && !core->slice.is_armed)
        core->rq.slice_armed = false;
    spin_unlock(&core->rq.lock);
    if (atomic_load(&current->work))
        atomic_or(&this_cpu()->work, WORK_THREAD);
    if (arm)
        slice_arm(core, current);
}

void sched_kick(struct thread *t)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = lock_home(t);
    bool is_running = t->state == THREAD_RUNNING;

    spin_unlock(&core->rq.lock);
    if (is_running && core != this_core())
        arch_send_resched(core->index);
    else if (is_running && t == current_thread())
        atomic_or(&this_cpu()->work, WORK_THREAD);
    arch_irq_restore(irqs);
}

/* --- idling ----------------------------------------------------------------------------------------- */

/* Take a thread that waits for another CPU; true when there is one in this CPU's queue now.  Interrupts off. */
static bool steal_from(struct core_cpu *victim, struct core_cpu *core)
{
    struct thread *t, *found = NULL;
    struct list *queues[] = {&victim->rq.urgent, &victim->rq.front, &victim->rq.back};

    spin_lock(&victim->rq.lock);
    for (unsigned i = 0; i < ARRAY_LEN(queues) && !found; i++)
        list_for_each(t, queues[i], run_node)
            if (may_run_on(t, core->index) && (!t->follows_waker || victim->rq.is_stuck)) {
                found = t;
                break;
            }
    if (found) {
        queue_remove(victim, found);
        set_cpu(found, core->index);
    }
    spin_unlock(&victim->rq.lock);
    if (!found)
        return false;
    while (atomic_load(&found->on_cpu))
        arch_relax();
    spin_lock(&core->rq.lock);
    queue_add(core, found, READY_AGAIN);
    spin_unlock(&core->rq.lock);
    return true;
}

static bool steal(struct core_cpu *core)
{
    for (cpuset left = atomic_load(&online_cpus) & ~cpu_bit(core->index); left; left &= left - 1) {
        struct core_cpu *victim = core_cpus[__builtin_ctzll(left)];
        if (atomic_load(&victim->rq.nr_waiting) > 0 && steal_from(victim, core))
            return true;
    }
    return false;
}

/* One turn of an idle CPU: run what there is to run, or wait for an interrupt.  Interrupts off.
 *
 * The idle bit is set before the queues are looked at, and whoever adds a thread looks at the bits after that
 * (both with full barriers), so one of them sees the other; an interrupt that comes after the look ends
 * arch_cpu_idle at once. */
static void idle_turn(struct core_cpu *core)
{
    atomic_or(&idle_cpus, cpu_bit(core->index));
    if (atomic_load(&core->rq.nr_waiting) == 0 && !steal(core))
        arch_cpu_idle();
    atomic_and(&idle_cpus, ~cpu_bit(core->index));
    spin_lock(&core->rq.lock);
    if (core->rq.nr_waiting > 0) {
        switch_away(core, &core->idle, arch_clock_ns());
        return;
    }
    core->nr_progress++;
    spin_unlock(&core->rq.lock);
}

/* Boot code runs as the idle thread and may wait, too: it idles until it is woken. */
void sched_idle_wait(struct thread *t, uint64_t deadline)
{
    bool irqs = arch_irq_save();

    while (atomic_load(&t->sleep_state) == SLEEP_PREPARED && arch_clock_ns() < deadline)
        idle_turn(this_core());
    arch_irq_restore(irqs);
}

static noreturn void idle_forever(void)
{
    arch_irq_off();
    for (;;)
        idle_turn(this_core());
}

/* --- boot ------------------------------------------------------------------------------------------- */

static void idle_init(struct core_cpu *core)
{
    struct thread *t = &core->idle;

    t->is_idle = true;
    t->state = THREAD_RUNNING;
    t->on_cpu = true;
    t->cpu = core->index;
    t->affinity = cpu_bit(core->index);
    t->run_start_ns = arch_clock_ns();
    list_init(&t->run_node);
    thread_list_add(t);
    core->rq.current = t;
}

void core_cpu_init(void)
{
    struct cpu *cpu = this_cpu();
    struct core_cpu *core = cpu->index == 0 ? &boot_core : heap_zalloc(sizeof(*core));

    if (!core)
        panic("no memory for cpu %u", cpu->index);
    core->index = cpu->index;
    spin_init(&core->rq.lock, RANK_RUNQ);
    list_init(&core->rq.urgent);
    list_init(&core->rq.front);
    list_init(&core->rq.back);
    timer_init(&core->slice, slice_over);
    timer_init_cpu(&core->timers, core->index);
    idle_init(core);
    cpu->core = core;
    cpu->current = &core->idle;
    core_cpus[core->index] = core;
    atomic_or(&online_cpus, cpu_bit(core->index));
    watchdog_start();
}

void sched_start(void)
{
    work_start();
    idle_forever();
}

void up_cpu_main(void)
{
    core_cpu_init();
    idle_forever();
}

/* --- settings and figures ---------------------------------------------------------------------------- */

/* With `t`'s home locked: -EAGAIN while it is between two queues, and otherwise what is to be done without the
 * lock: 1 find it another CPU, 0 nothing. */
static int set_affinity_locked(struct core_cpu *core, struct thread *t, cpuset set)
{
    bool is_queued = !list_is_empty(&t->run_node);

    if (t->state == THREAD_READY && !is_queued)
        return -EAGAIN;
    t->affinity = set;
    if (may_run_on(t, core->index))
        return 0;
    if (t->state == THREAD_READY) {
        queue_remove(core, t);
        return 1;
    }
    if (t->state == THREAD_RUNNING && t != core->rq.current)
        panic("thread %s runs nowhere", t->name);
    if (t->state == THREAD_RUNNING)
        core->rq.need_resched = true;
    return t->state == THREAD_RUNNING;
}

int sched_set_affinity(struct thread *t, cpuset set)
{
    int todo;

    if (!(set & atomic_load(&online_cpus)))
        return -EINVAL;
    do {
        bool irqs = arch_irq_save();
        struct core_cpu *core = lock_home(t);
        bool is_running = t->state == THREAD_RUNNING;
        todo = set_affinity_locked(core, t, set);
        spin_unlock(&core->rq.lock);
        if (todo > 0 && !is_running)
            make_ready(t, READY_AGAIN);
        else if (todo > 0 && t == current_thread())
            preempt();
        else if (todo > 0)
            arch_send_resched(core->index);
        arch_irq_restore(irqs);
    } while (todo == -EAGAIN);
    return 0;
}

void sched_set_nice(struct thread *t, int nice)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = lock_home(t);

    t->nice = nice;
    spin_unlock_irq(&core->rq.lock, irqs);
}

void sched_set_policy(struct thread *t, enum sched_policy policy, unsigned rt_priority)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = lock_home(t);
    bool is_queued = !list_is_empty(&t->run_node);

    assert((rt_priority > 0) == (policy == POLICY_FIFO || policy == POLICY_RR));
    if (is_queued)
        queue_remove(core, t);
    t->policy = (uint8_t)policy;
    t->rt_priority = (uint8_t)rt_priority;
    t->gives_way = false;
    if (is_queued)
        queue_add(core, t, READY_AGAIN);
    core->rq.need_resched = true; /* whoever runs there now may have to give way */
    spin_unlock(&core->rq.lock);
    if (core != this_core())
        arch_send_resched(core->index);
    else
        atomic_or(&this_cpu()->work, WORK_RESCHED);
    arch_irq_restore(irqs);
}

void sched_inherit(struct thread *child, const struct thread *parent)
{
    child->affinity = parent->affinity;
    child->sync_score = parent->sync_score; /* threads of a program are alike: a first guess */
    if (parent->reset_on_fork) {
        child->nice = MAX(parent->nice, 0);
        return;
    }
    child->nice = parent->nice;
    child->policy = parent->policy;
    child->rt_priority = parent->rt_priority;
}

/* CPU time so far; the home of `t` is locked. */
static uint64_t ran_until_now(const struct core_cpu *core, const struct thread *t)
{
    uint64_t ran = t->ran_ns;

    if (core->rq.current == t)
        ran += arch_clock_ns() - t->run_start_ns;
    return ran;
}

uint64_t sched_thread_ns(struct thread *t)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = lock_home(t);
    uint64_t ran = ran_until_now(core, t);

    spin_unlock_irq(&core->rq.lock, irqs);
    return ran;
}

uint64_t sched_idle_ns(unsigned cpu)
{
    return cpu < ARCH_MAX_CPUS && core_cpus[cpu] ? sched_thread_ns(&core_cpus[cpu]->idle) : 0;
}

unsigned sched_load(uint64_t *switches)
{
    unsigned ready = 0;

    *switches = 0;
    for (cpuset left = atomic_load(&online_cpus); left; left &= left - 1) {
        struct core_cpu *core = core_cpus[__builtin_ctzll(left)];
        bool irqs = spin_lock_irq(&core->rq.lock);
        ready += core->rq.nr_waiting + !core->rq.current->is_idle;
        *switches += core->rq.nr_switches;
        spin_unlock_irq(&core->rq.lock, irqs);
    }
    return ready;
}

/* A CPU that is not interrupted here ran something else, and will pass a switch, which is a barrier, before it runs
 * a thread of `vm`. */
void sched_sync_cpus(const struct vm *vm)
{
    uint32_t before[ARCH_MAX_CPUS];
    cpuset waiting = 0;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    unsigned here = this_cpu()->index;
    for (cpuset left = atomic_load(&online_cpus) & ~cpu_bit(here); left; left &= left - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(left);
        struct core_cpu *core = core_cpus[cpu];
        bool irqs = spin_lock_irq(&core->rq.lock);
        bool is_concerned = !core->rq.current->is_idle && (!vm || core->rq.current->vm == vm);
        before[cpu] = atomic_load(&core->nr_resched_irqs);
        spin_unlock_irq(&core->rq.lock, irqs);
        if (is_concerned) {
            waiting |= cpu_bit(cpu);
            arch_send_resched(cpu);
        }
    }
    for (; waiting; waiting &= waiting - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(waiting);
        while (atomic_load(&core_cpus[cpu]->nr_resched_irqs) == before[cpu])
            arch_relax();
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
