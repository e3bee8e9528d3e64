/* Starting the other CPUs, all at once.
 *
 *     boot CPU                                  each other CPU
 *     block and stack for each                  (waits for a STARTUP message)
 *     INIT, STARTUP to all  ----------------->  trampoline: real mode -> 64 bits
 *                                               takes a number: its block and stack
 *     waits for all, then closes the door       cpu_init_this, its APIC, its timer
 *                                               in order of the numbers: counts as running
 *                                               up_cpu_main
 *
 * A CPU takes the next number when it arrives, so that those that run have the indices 0 to n-1
 * even when one that the tables list never comes.  One that comes after the door was closed stops
 * for good. */
#include "smp.h"
#include "platform.h"

#include <base/log.h>
#include <base/string.h>

#define SMP_STACK_SIZE (16 * 1024)
#define SMP_RETRY_NS   1000000    /* then a second STARTUP message: some CPUs want it */
#define SMP_GIVE_UP_NS 1000000000 /* an emulated CPU waits for a thread of its busy host */

struct smp_slot smp_slots[ARCH_MAX_CPUS];
uint32_t smp_next_slot, smp_nr_slots;
/* Whom to start.  A block's own apic_id becomes that of the CPU that got it. */
static uint32_t targets[ARCH_MAX_CPUS];

noreturn void smp_cpu_main(struct cpu *cpu)
{
    cpu_init_this(cpu);
    apic_init_this();
    cpu->apic_id = apic_id_of_this();
    clock_init_this();
    while (arch_cpu_count() != cpu->index)
        arch_relax();
    cpu_set_running(cpu);
    up_cpu_main();
}

/* Blocks and stacks for CPUs besides this one, up to `max` in all; how many there are. */
static unsigned make_slots(unsigned max)
{
    unsigned nr = 0;
    for (unsigned i = 0; i < platform.nr_cpus && nr + 1 < max; i++) {
        if (platform.apic_ids[i] == this_cpu()->apic_id)
            continue;
        struct cpu *cpu = cpu_new(nr + 1, platform.apic_ids[i]);
        uint8_t *stack = cpu ? up_alloc(SMP_STACK_SIZE) : NULL;
        if (!stack)
            break;
        targets[nr] = platform.apic_ids[i];
        smp_slots[nr++] = (struct smp_slot){cpu, stack + SMP_STACK_SIZE};
    }
    return nr;
}

/* The trampoline to low memory, with what it needs to know. */
static void place_trampoline(void)
{
    struct smp_params *params = direct_ptr((struct paddr){SMP_TRAMPOLINE + smp_trampoline_params});
    memcpy(direct_ptr((struct paddr){SMP_TRAMPOLINE}), smp_trampoline, smp_trampoline_size);
    params->cr3 = paging_trampoline_root();
    params->efer = rdmsr(0xc0000080) & ~(1u << 10); /* not "active": the CPU sets that bit itself */
    params->entry = (uint64_t)smp_entry;
}

static bool wait_arrivals(unsigned nr, uint64_t timeout_ns)
{
    uint64_t give_up = arch_clock_ns() + timeout_ns;
    while (__atomic_load_n(&smp_next_slot, __ATOMIC_ACQUIRE) < nr) {
        if (arch_clock_ns() >= give_up)
            return false;
        arch_relax();
    }
    return true;
}

static void send_startup(unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        apic_send_startup(targets[i], SMP_TRAMPOLINE >> 12);
}

void arch_start_cpus(unsigned max)
{
    unsigned nr = make_slots(MIN(max, ARCH_MAX_CPUS));
    if (nr == 0)
        return;
    smp_nr_slots = nr;
    place_trampoline();
    for (unsigned i = 0; i < nr; i++)
        apic_send_init(targets[i]);
    if (platform_hypervisor() == HYPERVISOR_NONE)
        clock_delay_ns(10000000); /* real ones take their time */
    send_startup(nr);
    if (!wait_arrivals(nr, SMP_RETRY_NS)) {
        send_startup(nr);
        wait_arrivals(nr, SMP_GIVE_UP_NS);
    }
    unsigned arrived = __atomic_exchange_n(&smp_next_slot, SMP_CLOSED, __ATOMIC_ACQ_REL);
    if (arrived < nr)
        log_warn("smp: %u of %u CPUs did not start", nr - arrived, nr);
    while (arch_cpu_count() <= arrived)
        arch_relax();
}
