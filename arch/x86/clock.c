/* Time: the TSC scaled to nanoseconds, and one timer interrupt for each CPU.
 *
 * The TSC's frequency comes from CPUID or the hypervisor; failing that it is measured against
 * another counter for a fraction of a millisecond, which is good to about 0.1 %, and measured again
 * over 10 ms, 100 ms ... a minute while programs run.  Each better value changes the rate from then
 * on, never the time: clocks are continuous.  All readers, here and in the vDSO, use the one struct
 * vvar. */
#include "timeref.h"
#include "vdso/vvar.h"

#include <base/log.h>

#define NS_PER_SECOND 1000000000ull

enum { MSR_TSC_DEADLINE = 0x6e0, MSR_TSC_AUX = 0xc0000103 };

/* Shared with programs (read-only there), hence a page of its own. */
static union {
    struct vvar v;
    uint8_t page[PAGE_SIZE];
} vvar_page __attribute__((aligned(PAGE_SIZE)));
#define vvar (&vvar_page.v)

struct paddr clock_vvar_paddr(void)
{
    return (struct paddr){(uint64_t)&vvar_page - IMAGE_BASE};
}

static struct platform_lock lock; /* writers of vvar */
static uint64_t tsc_hz;  /* changed under the lock, read anywhere: any recent value will do */
static uint64_t apic_hz; /* of the timer's counter; unused with a TSC deadline */
static bool has_tsc_deadline;
static const char *hz_from = "as told";

/* The better measurement: the boot CPU's alone. */
static struct {
    const struct timeref *ref;
    struct timeref_sample start;
    uint64_t start_ns, next_ns; /* next_ns UINT64_MAX: done */
} refine = {.next_ns = UINT64_MAX};

/* --- reading and setting the clocks ------------------------------------------------------- */

static void vvar_begin_locked(void)
{
    __atomic_store_n(&vvar->seq, vvar->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void vvar_end_locked(void)
{
    __atomic_store_n(&vvar->seq, vvar->seq + 1, __ATOMIC_RELEASE);
}

uint64_t arch_clock_ns(void)
{
    uint64_t wall;
    return vvar_now(vvar, &wall);
}

uint64_t platform_tsc_hz(void)
{
    return __atomic_load_n(&tsc_hz, __ATOMIC_RELAXED);
}

uint64_t arch_wall_offset_ns(void)
{
    return __atomic_load_n(&vvar->wall_offset_ns, __ATOMIC_RELAXED);
}

void arch_set_wall_offset_ns(uint64_t offset)
{
    bool irqs = platform_lock(&lock);
    vvar_begin_locked();
    vvar->wall_offset_ns = offset;
    vvar_end_locked();
    platform_unlock(&lock, irqs);
}

/* Go on from now at another rate. */
static void set_rate(uint64_t hz)
{
    bool irqs = platform_lock(&lock);
    uint64_t tsc = vvar_tsc();
    uint64_t ns = vvar_ns_at(vvar, tsc);
    vvar_begin_locked();
    vvar->base_tsc = tsc;
    vvar->base_ns = ns;
    vvar->mult = muldiv(NS_PER_SECOND, 1ull << VVAR_SHIFT, hz);
    vvar_end_locked();
    __atomic_store_n(&tsc_hz, hz, __ATOMIC_RELAXED);
    platform_unlock(&lock, irqs);
}

void clock_delay_ns(uint64_t ns)
{
    uint64_t end = arch_clock_ns() + ns;
    while (arch_clock_ns() < end)
        arch_relax();
}

/* --- how fast the TSC is ------------------------------------------------------------------ */

/* What the processor or the hypervisor says; 0: nothing. */
static uint64_t hz_told(void)
{
    if (platform_hypervisor() != HYPERVISOR_NONE && cpuid(0x40000000, 0).eax >= 0x40000010) {
        uint32_t khz = cpuid(0x40000010, 0).eax; /* VMware's timing leaf, which KVM has too */
        if (khz)
            return khz * 1000ull;
    }
    if (cpuid(0, 0).eax >= 0x15) {
        struct cpuid c = cpuid(0x15, 0); /* TSC = crystal * ebx / eax */
        uint64_t crystal = c.ecx;
        if (!crystal && c.ebx && cpuid(0, 0).eax >= 0x16)
            crystal = muldiv((cpuid(0x16, 0).eax & 0xffff) * 1000000ull, c.eax, c.ebx);
        if (c.eax && c.ebx && crystal)
            return muldiv(crystal, c.ebx, c.eax);
    }
    return kvmclock_tsc_hz();
}

/* Spin until `ref` has counted `ticks` more; false when it does not count. */
static bool wait_ticks(const struct timeref *ref, uint64_t from, uint64_t ticks)
{
    for (unsigned i = 0; i < 1000000; i++)
        if (((ref->read() - from) & ref->mask) >= ticks)
            return true;
    return false;
}

/* Against the finest counter: 200 us, or 1200 of its ticks if that is longer (the PIT: 1 ms).  On
 * the way, the APIC timer's frequency when it is neither known nor the counter itself. */
static uint64_t hz_measured(void)
{
    const struct timeref *ref = timeref_fine();
    if (!ref)
        return 0;
    uint64_t ticks = MAX(ref->hz / 5000, 1200);
    if (!apic_hz)
        apic_timer_start(0xffffffff);
    struct timeref_sample from = timeref_sample(ref);
    uint32_t apic_from = apic_timer_left();
    if (!wait_ticks(ref, from.count, ticks)) {
        log_error("clock: the %s does not count", ref->name);
        return 0;
    }
    struct timeref_sample to = timeref_sample(ref);
    if (!apic_hz)
        apic_hz =
            muldiv(apic_from - apic_timer_left(), ref->hz, (to.count - from.count) & ref->mask);
    return timeref_tsc_hz(ref, from, to, 0);
}

static void refine_start(void)
{
    refine.ref = timeref_steady();
    if (!refine.ref)
        return;
    refine.start = timeref_sample(refine.ref);
    refine.start_ns = arch_clock_ns();
    refine.next_ns = refine.start_ns + 10000000;
}

/* In the boot CPU's timer interrupt. */
static void refine_if_due(uint64_t now)
{
    if (now < refine.next_ns)
        return;
    struct timeref_sample sample = timeref_sample(refine.ref);
    uint64_t hz = timeref_tsc_hz(refine.ref, refine.start, sample, tsc_hz);
    uint64_t error = hz > tsc_hz ? hz - tsc_hz : tsc_hz - hz;
    /* Otherwise the counter jumped: a machine that was stopped and went on. */
    if (hz && error < tsc_hz / 50)
        set_rate(hz);
    uint64_t elapsed = now - refine.start_ns;
    refine.next_ns = elapsed < 60 * NS_PER_SECOND ? refine.start_ns + elapsed * 10 : UINT64_MAX;
}

/* --- the timer ---------------------------------------------------------------------------- */

/* Set the hardware for what this CPU waits for.  Interrupts off. */
static void timer_program(struct arch_cpu *cpu, bool is_boot_cpu)
{
    uint64_t deadline = cpu->timer_deadline_ns;
    if (is_boot_cpu)
        deadline = MIN(deadline, refine.next_ns);
    if (deadline == UINT64_MAX) {
        if (cpu->timer_is_armed && has_tsc_deadline)
            wrmsr(MSR_TSC_DEADLINE, 0);
        else if (cpu->timer_is_armed)
            apic_timer_start(0);
        cpu->timer_is_armed = false;
        return;
    }
    /* Far deadlines are cut: the interrupt finds that it is early and comes back here. */
    uint64_t now = arch_clock_ns();
    uint64_t delta = deadline > now ? MIN(deadline - now, 3600 * NS_PER_SECOND) : 0;
    if (has_tsc_deadline)
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + muldiv(delta, tsc_hz, NS_PER_SECOND));
    else
        apic_timer_start(MIN(muldiv(delta, apic_hz, NS_PER_SECOND) + 1, 0xffffffff));
    cpu->timer_is_armed = true;
}

void arch_timer_arm(uint64_t deadline_ns)
{
    bool irqs = arch_irq_save();
    struct cpu *cpu = this_cpu();
    if (deadline_ns != cpu->arch->timer_deadline_ns) {
        cpu->arch->timer_deadline_ns = deadline_ns;
        timer_program(cpu->arch, cpu->index == 0);
    }
    arch_irq_restore(irqs);
}

static void timer_irq(unsigned vector, struct regs *regs)
{
    struct cpu *cpu = this_cpu();
    uint64_t now = arch_clock_ns();
    bool is_due = cpu->arch->timer_deadline_ns <= now;
    cpu->arch->timer_is_armed = false;
    if (cpu->index == 0)
        refine_if_due(now);
    if (is_due) {
        cpu->arch->timer_deadline_ns = UINT64_MAX;
        up_timer_irq();
    }
    if (!cpu->arch->timer_is_armed) /* by what comes next, if anything does */
        timer_program(cpu->arch, cpu->index == 0);
}

/* --- boot --------------------------------------------------------------------------------- */

void clock_init_this(void)
{
    struct cpu *cpu = this_cpu();
    if (vvar->getcpu != GETCPU_SYSCALL)
        wrmsr(MSR_TSC_AUX, cpu->index); /* as Linux: the node would be in bits 12 and up */
    apic_timer_set_mode(has_tsc_deadline);
    cpu->arch->timer_deadline_ns = UINT64_MAX;
    cpu->arch->timer_is_armed = false;
    timer_program(cpu->arch, cpu->index == 0);
}

static void wall_init(void)
{
    uint64_t wall = kvmclock_wall_ns(rdtsc());
    if (!wall)
        wall = wallclock_read_ns();
    if (!wall)
        log_warn("clock: no wall clock; it is 1970");
    else
        arch_set_wall_offset_ns(wall - arch_clock_ns());
}

void clock_init_boot(void)
{
    has_tsc_deadline = cpu_has(CPU_TSC_DEADLINE);
    vvar->getcpu = cpu_has(CPU_RDPID)    ? GETCPU_RDPID
                   : cpu_has(CPU_RDTSCP) ? GETCPU_RDTSCP
                                         : GETCPU_SYSCALL;
    irq_vector_set(VECTOR_TIMER, timer_irq);
    timeref_init();
    apic_hz = timeref_apic_hz();

    uint64_t hz = hz_told();
    bool is_measured = !hz || (!apic_hz && !has_tsc_deadline);
    if (is_measured) {
        uint64_t measured = hz_measured();
        if (!hz) {
            hz = measured;
            hz_from = "measured";
        }
    }
    if (!hz) {
        log_error("clock: nothing tells the frequency of the TSC; 1 GHz assumed");
        hz = NS_PER_SECOND;
        hz_from = "assumed";
    }
    vvar->base_tsc = rdtsc();
    set_rate(hz);
    if (is_measured)
        refine_start();
    apic_timer_start(0);
    clock_init_this();
    wall_init();
}

void clock_log(void)
{
    log_info("clock: TSC %u kHz %s, %s", (unsigned)(platform_tsc_hz() / 1000), hz_from,
             has_tsc_deadline ? "TSC deadline timer" : "APIC timer");
}
