/* A CPU without work: it takes a thread from another CPU's queue, or waits for an interrupt.  And how a CPU becomes one
 * that runs threads. */
#include <base/string.h>
#include <core/load.h>
#include <core/heap.h>

#include "sched_private.h"

struct core_cpu *core_cpus[ARCH_MAX_CPUS];
static struct core_cpu boot_core;
static void (*idle_work)(void);

void sched_set_idle_work(void (*work)(void))
{
    idle_work = work;
}

/* The first of a victim's waiting threads that may move to `core`; NULL: none.  Its queue's lock is held. */
static struct thread *first_to_steal(const struct run_queue *rq, const struct list *queue,
                                     const struct core_cpu *core)
{
    struct thread *t;

    list_for_each(t, queue, run_node)
        if (may_run_on(t, core->index) && (!t->follows_waker || rq->is_stuck))
            return t;
    return NULL;
}

/* Take a thread that waits for another CPU; true when there is one in this CPU's queue now.  Interrupts off. */
static bool steal_from(struct core_cpu *victim, struct core_cpu *core)
{
    struct run_queue *rq = &victim->rq;

    spin_lock(&rq->lock);
    struct thread *found = first_to_steal(rq, &rq->urgent, core);
    if (!found)
        found = first_to_steal(rq, &rq->front, core);
    if (!found)
        found = first_to_steal(rq, &rq->back, core);
    if (found) {
        run_queue_remove(victim, found);
        sched_set_cpu(found, core->index);
    }
    spin_unlock(&rq->lock);
    if (!found)
        return false;
    while (atomic_load(&found->on_cpu))
        arch_relax();
    spin_lock(&core->rq.lock);
    run_queue_add(core, found, READY_AGAIN);
    spin_unlock(&core->rq.lock);
    return true;
}

static bool steal(struct core_cpu *core)
{
    for (cpuset left = atomic_load(&sched_online_set) & ~cpu_bit(core->index); left;
         left &= left - 1) {
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
    atomic_or(&sched_idle_cpus, cpu_bit(core->index));
    if (atomic_load(&core->rq.nr_waiting) == 0 && !steal(core))
        arch_cpu_idle();
    atomic_and(&sched_idle_cpus, ~cpu_bit(core->index));
    if (idle_work) {
        core->does_idle_work = true;
        idle_work();
        core->does_idle_work = false;
    }
    spin_lock(&core->rq.lock);
    if (core->rq.nr_waiting > 0) {
        sched_switch_away(core, &core->idle, arch_clock_ns());
        return;
    }
    core->nr_progress++;
    spin_unlock(&core->rq.lock);
}

/* Boot code runs as the idle thread and may wait, too: it idles until it is woken. */
void sched_idle_wait(struct thread *t, uint64_t deadline)
{
    bool irqs = arch_irq_save();

    assert(!this_core()->does_idle_work);
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
    name_with_number(t->name, "idle/", core->index);
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
    timer_init(&core->slice, sched_slice_over);
    timer_init_cpu(&core->timers, core->index);
    idle_init(core);
    cpu->core = core;
    cpu->current = &core->idle;
    core_cpus[core->index] = core;
    atomic_or(&sched_online_set, cpu_bit(core->index));
    watchdog_start();
}

void sched_start(void (*boot)(void *))
{
    work_start();
    load_start();
    idle_turn(this_core()); /* the worker goes to sleep: two ready threads would make time slices */
    if (!thread_spawn("boot", boot, NULL))
        panic("no memory for the first thread");
    idle_forever();
}

void up_cpu_main(void)
{
    core_cpu_init();
    idle_forever();
}
