/* What machine this is, and the order in which its parts come to life at boot. */
#include "platform.h"

#include <base/log.h>
#include <base/string.h>

struct machine platform;

static const struct bootinfo *boot_info; /* until platform_init returns */

/* --- who runs us -------------------------------------------------------------------------- */

enum hypervisor platform_hypervisor(void)
{
    if (!cpu_has(CPU_HYPERVISOR))
        return HYPERVISOR_NONE;
    struct cpuid c = cpuid(0x40000000, 0);
    uint32_t name[3] = {c.ebx, c.ecx, c.edx};
    if (memcmp(name, "TCGTCGTCGTCG", 12) == 0)
        return HYPERVISOR_TCG;
    if (memcmp(name, "KVMKVMKVM\0\0\0", 12) == 0)
        return HYPERVISOR_KVM;
    return HYPERVISOR_OTHER;
}

/* --- tables ------------------------------------------------------------------------------- */

/* Physical memory that the tables may be in: what the loader lists and the BIOS areas.  A pointer
 * to anywhere else is not followed. */
static const void *map_table(uint64_t pa, size_t size)
{
    bool is_known = pa + size <= 0x100000;
    for (unsigned i = 0; i < boot_info->nr_ranges && !is_known; i++) {
        const struct boot_range *r = &boot_info->ranges[i];
        is_known = pa >= r->start.pa && pa - r->start.pa <= r->size &&
                   size <= r->size - (pa - r->start.pa);
    }
    if (!is_known || pa + size < pa)
        return NULL;
    arch_direct_map((struct paddr){pa}, size);
    return direct_ptr((struct paddr){pa});
}

enum { FW_CFG_SELECT = 0x510, FW_CFG_DATA = 0x511, FW_CFG_SIGNATURE = 0, FW_CFG_NB_CPUS = 5 };

static uint32_t fw_cfg_read(uint16_t key, unsigned size)
{
    uint32_t value = 0;
    outw(FW_CFG_SELECT, key);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)inb(FW_CFG_DATA) << 8 * i;
    return value;
}

/* Without ACPI, QEMU says how many CPUs it has, and numbers their APICs from 0.  (An MP table lists
 * only the first CPU of each package.) */
static void count_cpus(struct machine *m)
{
    enum { QEMU = 'Q' | 'E' << 8 | 'M' << 16 | 'U' << 24 };
    if (fw_cfg_read(FW_CFG_SIGNATURE, 4) != QEMU)
        return;
    unsigned nr = MIN(fw_cfg_read(FW_CFG_NB_CPUS, 2), ARCH_MAX_CPUS);
    for (unsigned i = 0; nr > m->nr_cpus && i < nr; i++)
        m->apic_ids[i] = i;
    m->nr_cpus = MAX(nr, m->nr_cpus);
}

static void discover(struct machine *m, const struct bootinfo *info)
{
    machine_init(m);
    if (acpi_parse(m, info->rsdp.pa, map_table))
        return;
    if (!mptable_parse(m, map_table)) {
        m->apic_ids[0] = this_cpu()->apic_id;
        m->ioapics[0].pa = 0xfec00000;
        m->nr_ioapics = 1;
    }
    count_cpus(m);
}

static void ignore_irq(unsigned vector, struct regs *regs)
{
}

static void resched_irq(unsigned vector, struct regs *regs)
{
    up_resched_irq();
}

void platform_init(const struct bootinfo *info)
{
    serial_init();
    boot_info = info;
    arch_direct_map((struct paddr){0}, 0x100000);
    discover(&platform, info);
    boot_info = NULL;

    irq_vector_set(VECTOR_SPURIOUS, ignore_irq);
    for (unsigned i = 0; i < 16; i++)
        irq_vector_set(VECTOR_PIC + i, ignore_irq);
    irq_vector_set(VECTOR_RESCHED, resched_irq);
    apic_init_boot();
    apic_init_this();
    this_cpu()->apic_id = apic_id_of_this();
    ioapic_init();
    clock_init_boot();
    power_init();
    vdso_init();
}

void arch_log_machine(void)
{
    log_info("platform: %s: %u CPUs, %u I/O APICs", platform.source, platform.nr_cpus,
             platform.nr_ioapics);
    clock_log();
}
