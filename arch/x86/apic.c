/* The local APIC of each CPU: inter-processor interrupts, end of interrupt, the timer's counter.
 *
 * In x2APIC mode the registers are MSRs, else they are memory; both are numbered alike.  Everything
 * here is about the CPU that runs it, with interrupts off where two accesses belong together. */
#include "platform.h"

#include <base/log.h>

enum {
    APIC_ID = 0x20,
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_COMMAND = 0x300,
    APIC_COMMAND_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERF = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,

    SPURIOUS_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_NMI = 4 << 8,
    LVT_TSC_DEADLINE = 2 << 17,
    DIVIDE_BY_1 = 0xb,
    COMMAND_PENDING = 1 << 12,
    COMMAND_ASSERT = 1 << 14,
    DELIVER_FIXED = 0 << 8,
    DELIVER_NMI = 4 << 8,
    DELIVER_INIT = 5 << 8,
    DELIVER_STARTUP = 6 << 8,
};

enum { MSR_APIC_BASE = 0x1b, BASE_X2APIC = 1 << 10, BASE_ENABLE = 1 << 11, MSR_X2APIC = 0x800 };

static bool is_x2apic;
static volatile uint32_t *registers; /* memory mode */

static uint32_t apic_read(unsigned reg)
{
    if (is_x2apic)
        return rdmsr(MSR_X2APIC + reg / 16);
    return registers[reg / 4];
}

static void apic_write(unsigned reg, uint32_t value)
{
    if (is_x2apic)
        wrmsr(MSR_X2APIC + reg / 16, value);
    else
        registers[reg / 4] = value;
}

void apic_init_boot(void)
{
    is_x2apic = cpu_has(CPU_X2APIC);
    if (is_x2apic)
        return;
    registers = paging_map_device((struct paddr){platform.lapic_pa}, 4096);
    if (!registers)
        panic("no memory to map the local APIC");
}

void apic_init_this(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;
    wrmsr(MSR_APIC_BASE, is_x2apic ? base | BASE_X2APIC : base);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_NMI);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

uint32_t apic_id_of_this(void)
{
    return is_x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

/* The memory form takes two writes and can hold one command at a time; an interrupt handler that
 * also sends must not come between them. */
static void send_command(uint32_t apic_id, uint32_t command)
{
    if (is_x2apic) {
        /* The MSR write does not wait for earlier stores: what the target is told must be visible
         * to it. */
        __asm__ volatile("mfence" ::: "memory");
        wrmsr(MSR_X2APIC + APIC_COMMAND / 16, (uint64_t)apic_id << 32 | command);
        return;
    }
    bool irqs = arch_irq_save();
    while (apic_read(APIC_COMMAND) & COMMAND_PENDING)
        arch_relax();
    apic_write(APIC_COMMAND_HIGH, apic_id << 24);
    apic_write(APIC_COMMAND, command);
    arch_irq_restore(irqs);
}

void apic_send_init(uint32_t apic_id)
{
    send_command(apic_id, DELIVER_INIT | COMMAND_ASSERT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
    send_command(apic_id, DELIVER_STARTUP | COMMAND_ASSERT | page);
}

void ipi_send(unsigned cpu, unsigned vector)
{
    send_command(arch_cpu(cpu)->apic_id, DELIVER_FIXED | COMMAND_ASSERT | vector);
}

void ipi_send_nmi(unsigned cpu)
{
    send_command(arch_cpu(cpu)->apic_id, DELIVER_NMI | COMMAND_ASSERT);
}

/* One by one: the "all but me" shorthand would also reach CPUs that were listed but are not ours
 * (maxcpus). */
void ipi_send_others(unsigned vector)
{
    unsigned self = this_cpu()->index;
    for (unsigned i = 0; i < arch_cpu_count(); i++)
        if (i != self)
            ipi_send(i, vector);
}

void arch_send_resched(unsigned index)
{
    ipi_send(index, VECTOR_RESCHED);
}

void apic_timer_start(uint32_t count)
{
    apic_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_left(void)
{
    return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_set_mode(bool is_tsc_deadline)
{
    apic_write(APIC_LVT_TIMER, is_tsc_deadline ? LVT_TSC_DEADLINE | VECTOR_TIMER : VECTOR_TIMER);
    /* Memory mode: the mode must be in place before the deadline MSR is written (SDM, 11.5.4.1). */
    __asm__ volatile("mfence" ::: "memory");
}

uint64_t apic_msi_address(uint32_t apic_id)
{
    return 0xfee00000 | (uint64_t)(apic_id & 0xff) << 12;
}
