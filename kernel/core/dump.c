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

/* --- where every CPU is ----------------------------------------------------------------------------------------- */

/* A CPU in an NMI takes no other interrupt, so whoever waits for it (a flush of translations) waits for the NMI's end.
 * Therefore each CPU only writes down where it was and goes on; the one that asked waits for the others for a bounded
 * time and says it all.  A request while a dump lasts, or too soon after one, is dropped: dumps take at most half of
 * the time, however fast they are asked for and however slow they are said. */
#define ANSWER_NS 1000000000ULL /* a virtual CPU waits for its host */

/* Nobody writes to it while the dump that it is for lasts. */
static struct place {
    uint32_t dump; /* atomic */
    uint32_t nr;
    uint64_t rip, rflags;
    uint64_t addr[LOG_BACKTRACE_MAX];
} places[ARCH_MAX_CPUS];
static uint32_t dump_now;         /* atomic; odd while a dump lasts: its number */
static unsigned dump_cpu_plus_1;  /* atomic: who says that one */
static uint64_t dump_quiet_until; /* of the CPU that made dump_now odd */

/* False: not now. */
static bool dump_begin(void)
{
    uint32_t now = atomic_load(&dump_now);

    if (now & 1 || arch_clock_ns() < dump_quiet_until || !atomic_cas(&dump_now, now, now + 1))
        return false;
    atomic_store(&dump_cpu_plus_1, this_cpu()->index + 1);
    return true;
}

void sched_dump_cpus(void)
{
    bool irqs = arch_irq_save();

    if (dump_begin())
        arch_dump_cpus();
    arch_irq_restore(irqs);
}

static void note_place(const struct regs *regs, uint32_t dump)
{
    struct place *p = &places[this_cpu()->index];

    if (p->dump == dump)
        return;
    p->rip = regs->rip;
    p->rflags = regs->rflags;
    p->nr = 0;
    if (!regs_from_user(regs))
        p->nr = arch_backtrace(arch_regs_frame(regs), p->addr, LOG_BACKTRACE_MAX);
    atomic_store(&p->dump, dump);
}

static void say_place(unsigned index)
{
    const struct place *p = &places[index];
    char name[96];

    if (!symbol_name(p->rip, name, sizeof(name)))
        strlcpy(name, p->rip < USER_TOP ? "(user)" : "", sizeof(name));
    log_line(LOG_PANIC, "dump: cpu %u is at %#lx %s, interrupts %s", index, (unsigned long)p->rip,
             name, p->rflags & RFLAGS_IF ? "on" : "off");
    log_addresses(p->addr, p->nr);
}

/* Those of `missing` that have answered; the others are the result. */
static uint64_t say_places(uint64_t missing)
{
    for (uint64_t left = missing; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (atomic_load(&places[i].dump) == dump_now) {
            say_place(i);
            missing &= ~cpu_bit(i);
        }
    }
    return missing;
}

static void say_all(void)
{
    uint64_t start = arch_clock_ns(), missing = ~0ULL >> (64 - arch_cpu_count());

    log_nmi_begin();
    while ((missing = say_places(missing)) != 0 && arch_clock_ns() < start + ANSWER_NS)
        arch_relax();
    sched_dump();
    for (missing = say_places(missing); missing != 0; missing &= missing - 1)
        log_error("dump: cpu %u does not answer", (unsigned)__builtin_ctzll(missing));
    log_error("dump: end");
    log_nmi_end();
    uint64_t end = arch_clock_ns();
    dump_quiet_until = end + (end - start);
    atomic_store(&dump_cpu_plus_1, 0u);
    atomic_add(&dump_now, 1);
}

void up_dump_nmi(const struct regs *regs)
{
    if (!(atomic_load(&dump_now) & 1))
        (void)dump_begin(); /* nobody here asked: somebody at the machine did */
    uint32_t dump = atomic_load(&dump_now);
    if (!(dump & 1))
        return;
    note_place(regs, dump);
    if (atomic_load(&dump_cpu_plus_1) == this_cpu()->index + 1)
        say_all();
}

/* --- a panic ----------------------------------------------------------------------------------------------------- */

#define DUMP_PANIC UINT32_MAX

/* The CPUs that stop do not talk at the same time: the one that panicked does, for all. */
void up_halt_irq(const struct regs *regs)
{
    note_place(regs, DUMP_PANIC);
}

void sched_dump_halted(void)
{
    dump_now = DUMP_PANIC;
    (void)say_places((~0ULL >> (64 - arch_cpu_count())) & ~cpu_bit(this_cpu()->index));
    sched_dump();
}
