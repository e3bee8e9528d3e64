/* The CPU scheduler: leaving one thread for another, and what the CPU asks of us on the way to ring 3.
 *
 * The life of a switch.  The CPU that leaves `prev` holds its run queue's lock while it decides, and drops it
 * before arch_switch; until `next` has finished the switch, prev->on_cpu says that prev's stack is still in use.  A
 * thread that is woken (or stolen) meanwhile either stays with that CPU, which cannot pick it before the
 * switch is over, or the other CPU waits for the few instructions until on_cpu is false. */
#include <core/vm.h>

#include "sched_private.h"

/* On the new thread's stack, interrupts off: `prev` has left the CPU. */
static __attribute__((noinline)) void finish_switch(struct thread *prev)
{
    bool is_dead = prev->state == THREAD_DEAD, must_move = prev->must_move;

    prev->must_move = false;
    atomic_store(&prev->on_cpu, false); /* from here on another CPU may run it */
    if (unlikely(is_dead))
        thread_bury(prev);
    else if (unlikely(must_move)) {
        sched_queue_ready(prev, READY_AGAIN);
        sched_send_kicks();
    }
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

__attribute__((noinline)) void sched_switch_away(struct core_cpu *core, struct thread *prev,
                                                 uint64_t now)
{
    struct run_queue *rq = &core->rq;
    struct thread *next = run_queue_pick(core);
    bool arm = false;

    sched_account(prev, now);
    rq->need_resched = false;
    core->nr_progress++;
    next->state = THREAD_RUNNING;
    if (next != prev) {
        next->on_cpu = true;
        next->run_start_ns = now;
        if (unlikely(next->kicked_ns))
            sched_note_remote_wake(next, now);
        rq->current = next;
        rq->is_stuck = false;
        rq->nr_switches++;
        if (rq->nr_waiting > 0 && !rq->slice_armed && !next->is_idle)
            arm = rq->slice_armed = true;
    }
    spin_unlock(&rq->lock);
    this_cpu()->work = next->work ? WORK_THREAD : 0;
    if (arm)
        sched_slice_arm(core, next);
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
    sched_note_sleep(t, now);
    if (unlikely(may_be_in_rseq(t)))
        atomic_or(&t->work, THREAD_CALL);
    t->state = THREAD_SLEEPING;
    t->voluntary_switches++;
    sched_switch_away(core, t, now);
    arch_irq_restore(irqs);
}

void sched_exit(struct thread *t)
{
    arch_irq_off();
    struct core_cpu *core = this_core();

    spin_lock(&core->rq.lock);
    t->state = THREAD_DEAD;
    sched_switch_away(core, t, arch_clock_ns());
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
        run_queue_add(core, t, READY_LAST);
    t->voluntary_switches++;
    sched_switch_away(core, t, arch_clock_ns());
    arch_irq_restore(irqs);
}

void sched_preempt(void)
{
    bool irqs = arch_irq_save();
    struct core_cpu *core = this_core();
    struct thread *t = core->rq.current;
    uint64_t now = arch_clock_ns();

    atomic_and(&this_cpu()->work, ~(uint64_t)WORK_RESCHED);
    spin_lock(&core->rq.lock);
    core->rq.need_resched = false;
    core->nr_progress++;
    sched_account(t, now);
    const struct thread *next = run_queue_peek(&core->rq);
    bool give_way = next && (sched_outranks(next, t) ||
                             (t->budget_ns == 0 && t->rt_priority <= next->rt_priority));
    bool must_move = !may_run_on(t, core->index);
    if (must_move || give_way) {
        t->must_move = must_move;
        t->state = THREAD_READY;
        if (!must_move)
            run_queue_add(core, t, READY_AGAIN);
        if (t->has_rseq)
            atomic_or(&t->work, THREAD_CALL);
        t->involuntary_switches++;
        sched_switch_away(core, t, now);
    } else {
        spin_unlock(&core->rq.lock);
    }
    arch_irq_restore(irqs);
}

bool sched_checkpoint(void)
{
    lock_assert_may_sleep();
    if (this_cpu()->work & WORK_RESCHED)
        sched_preempt();
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
        sched_preempt();
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
        sched_slice_arm(core, current);
}

void sched_kick(struct thread *t)
{
    if (t == current_thread()) { /* it stays on this CPU while it is in the kernel: no lock */
        atomic_or(&this_cpu()->work, WORK_THREAD);
        return;
    }
    bool irqs = arch_irq_save();
    struct core_cpu *core = lock_home(t);
    bool is_running = t->state == THREAD_RUNNING;

    spin_unlock(&core->rq.lock);
    if (is_running && core != this_core())
        arch_send_resched(core->index);
    arch_irq_restore(irqs);
}
