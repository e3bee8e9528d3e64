/* What programs set and read: affinity, nice, policy, CPU times, load, and membarrier's round of all CPUs. */
#include "sched_private.h"

uint64_t sched_online_cpus(void)
{
    return atomic_load(&sched_online_set);
}

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
        run_queue_remove(core, t);
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

    if (!(set & atomic_load(&sched_online_set)))
        return -EINVAL;
    do {
        bool irqs = arch_irq_save();
        struct core_cpu *core = lock_home(t);
        bool is_running = t->state == THREAD_RUNNING;
        todo = set_affinity_locked(core, t, set);
        spin_unlock(&core->rq.lock);
        if (todo > 0 && !is_running) {
            sched_queue_ready(t, READY_AGAIN);
            sched_send_kicks();
        } else if (todo > 0 && t == current_thread())
            sched_preempt();
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
    /* The list of the dead uses run_node, too. */
    bool is_queued = t->state == THREAD_READY && !list_is_empty(&t->run_node);

    assert((rt_priority > 0) == (policy == POLICY_FIFO || policy == POLICY_RR));
    if (is_queued)
        run_queue_remove(core, t);
    t->policy = (uint8_t)policy;
    t->rt_priority = (uint8_t)rt_priority;
    t->gives_way = false;
    if (is_queued)
        run_queue_add(core, t, READY_AGAIN);
    const struct thread *next = run_queue_peek(&core->rq);
    bool must_switch = next && sched_outranks(next, core->rq.current);
    core->rq.need_resched |= must_switch;
    spin_unlock(&core->rq.lock);
    if (must_switch && core != this_core())
        arch_send_resched(core->index);
    else if (must_switch)
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
    for (cpuset left = atomic_load(&sched_online_set); left; left &= left - 1) {
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
    for (cpuset left = atomic_load(&sched_online_set) & ~cpu_bit(here); left; left &= left - 1) {
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
