/* What every CPU and every thread does right now: for a panic, the watchdog, an NMI (QEMU's monitor has a command of
 * that name) and the host's `dump` line.  Reads what may be changing and takes no lock for certain: it is for a machine
 * in trouble, which it does not stop. */
#include <arch/upcalls.h>
#include <base/string.h>
#include <core/console.h>

#include "sched_private.h"

static const char *state_name(const struct thread *t)
{
    static const char *const name[] = {"new", "ready", "running", "sleeping", "dead"};

    return t->state < ARRAY_LEN(name) ? name[t->state] : "?";
}

static void dump_thread(struct thread *t)
{
    static const char *const sleep[] = {"no", "prepared", "asleep"};
    const struct mutex *m = t->waits_for;

    log_error("thread %s (%p): %s, cpu %u%s, ran %lu us, work %#x, sleep %s, queue %p", t->name, t,
              state_name(t), t->cpu, t->on_cpu ? " (on it)" : "", (unsigned long)(t->ran_ns / 1000),
              t->work, t->sleep_state < ARRAY_LEN(sleep) ? sleep[t->sleep_state] : "?",
              t->last_queue);
    if (m)
        log_error("  waits for mutex %p, held by %p", m, (void *)(m->owner & ~1UL));
    if (t->state != THREAD_RUNNING && t->state != THREAD_DEAD && !t->on_cpu)
        log_backtrace(arch_thread_frame(&t->arch));
}

static void dump_queue(const struct run_queue *rq)
{
    const struct list *queues[] = {&rq->urgent, &rq->front, &rq->back};
    const struct thread *t;

    for (unsigned i = 0; i < ARRAY_LEN(queues); i++) {
        unsigned most = 100; /* the list may be changing under us */
        list_for_each(t, queues[i], run_node)
            if (most-- > 0)
                log_error("  waits for this cpu: %s (%p)", t->name, t);
            else
                break;
    }
}

static void dump_cpu(unsigned index)
{
    const struct core_cpu *core = core_cpus[index];
    uint64_t now = arch_clock_ns();

    if (!core)
        return;
    const struct run_queue *rq = &core->rq;
    const struct timer *next = core->timers.root;
    log_error("cpu %u: runs %s (%p), %u wait%s%s%s, %lu switches, %u ticks%s", index,
              rq->current->name, rq->current, rq->nr_waiting,
              rq->need_resched ? ", must reschedule" : "",
              rq->slice_armed ? ", slice timer set" : "", rq->is_stuck ? ", stuck" : "",
              (unsigned long)rq->nr_switches, core->nr_ticks,
              atomic_load(&sched_idle_cpus) & cpu_bit(index) ? ", idle" : "");
    if (next)
        log_error(
            "  next timer in %ld us, the hardware's in %ld us", (long)(next->deadline - now) / 1000,
            core->timers.armed_ns == TIME_NEVER ? -1L : (long)(core->timers.armed_ns - now) / 1000);
    if (rq->nr_waiting > 0)
        dump_queue(rq);
}

void sched_dump(void)
{
    for (unsigned i = 0; i < arch_cpu_count(); i++)
        dump_cpu(i);
    thread_visit_anyhow(dump_thread);
}

void up_dump_nmi(const struct regs *regs)
{
    char name[96];

    log_nmi_begin();
    if (!symbol_name(regs->rip, name, sizeof(name)))
        strlcpy(name, regs_from_user(regs) ? "(user)" : "", sizeof(name));
    log_error("dump: cpu %u is at %#lx %s, interrupts %s", this_cpu()->index,
              (unsigned long)regs->rip, name, regs->rflags & RFLAGS_IF ? "on" : "off");
    if (!regs_from_user(regs))
        log_backtrace(arch_regs_frame(regs));
    if (this_cpu()->index == 0)
        sched_dump();
    log_nmi_end();
}
