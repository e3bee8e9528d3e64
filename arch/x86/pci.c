/* PCI configuration space: in memory where the firmware says so (MCFG), else through two ports; and
 * the fixed places of virtio-mmio devices on QEMU's microvm. */
#include "platform.h"

#include <arch/devices.h>
#include <base/log.h>

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, BUS_SIZE = 1 << 20 };
#define CONFIG_ENABLE 0x80000000u

static struct platform_lock lock; /* the two ports belong together; and `buses` */
static bool has_ports;
static volatile uint8_t *buses[256]; /* of segment 0 in memory, mapped when first needed */

/* What a configuration mechanism without devices answers. */
static uint32_t ones(unsigned size)
{
    return size == 4 ? 0xffffffff : (1u << size * 8) - 1;
}

static const struct machine_segment *segment_of(struct pci_address a)
{
    for (unsigned i = 0; i < platform.nr_segments; i++) {
        const struct machine_segment *s = &platform.segments[i];
        if (s->segment == a.segment && a.bus >= s->first_bus && a.bus <= s->last_bus)
            return s;
    }
    return NULL;
}

/* The register in memory; NULL: not there, use the ports. */
static volatile void *register_of(struct pci_address a, unsigned offset)
{
    const struct machine_segment *s = segment_of(a);
    if (!s || a.segment != 0)
        return NULL;
    volatile uint8_t *bus = __atomic_load_n(&buses[a.bus], __ATOMIC_ACQUIRE);
    if (!bus) {
        struct paddr pa = {s->pa + (uint64_t)a.bus * BUS_SIZE};
        bus = paging_map_device(pa, BUS_SIZE); /* two CPUs at once: one mapping too many */
        if (!bus)
            return NULL;
        __atomic_store_n(&buses[a.bus], bus, __ATOMIC_RELEASE);
    }
    return bus + (a.device << 15 | a.function << 12 | offset);
}

bool arch_has_pci(void)
{
    outl(CONFIG_ADDRESS, CONFIG_ENABLE);
    has_ports = inl(CONFIG_ADDRESS) == CONFIG_ENABLE;
    return has_ports || platform.nr_segments > 0;
}

static void select(struct pci_address a, unsigned offset)
{
    outl(CONFIG_ADDRESS,
         CONFIG_ENABLE | a.bus << 16 | a.device << 11 | a.function << 8 | (offset & 0xfc));
}

uint32_t arch_pci_read(struct pci_address a, unsigned offset, unsigned size)
{
    volatile void *reg = register_of(a, offset);
    if (reg)
        return size == 1   ? *(volatile uint8_t *)reg
               : size == 2 ? *(volatile uint16_t *)reg
                           : *(volatile uint32_t *)reg;
    if (!has_ports || a.segment != 0 || offset > 0xff)
        return ones(size);
    bool irqs = platform_lock(&lock);
    select(a, offset);
    uint16_t port = CONFIG_DATA + (offset & 3);
    uint32_t value = size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
    platform_unlock(&lock, irqs);
    return value;
}

void arch_pci_write(struct pci_address a, unsigned offset, unsigned size, uint32_t value)
{
    volatile void *reg = register_of(a, offset);
    if (reg) {
        if (size == 1)
            *(volatile uint8_t *)reg = value;
        else if (size == 2)
            *(volatile uint16_t *)reg = value;
        else
            *(volatile uint32_t *)reg = value;
        return;
    }
    if (!has_ports || a.segment != 0 || offset > 0xff)
        return;
    bool irqs = platform_lock(&lock);
    select(a, offset);
    uint16_t port = CONFIG_DATA + (offset & 3);
    if (size == 1)
        outb(port, value);
    else if (size == 2)
        outw(port, value);
    else
        outl(port, value);
    platform_unlock(&lock, irqs);
}

/* QEMU's microvm names its virtio-mmio devices only in AML; they are always at the same place. */
bool arch_virtio_mmio(unsigned n, struct paddr *registers, unsigned *irq)
{
    enum { BASE = 0xfeb00000, SIZE = 512, IRQ_ONE_IOAPIC = 16, IRQ_TWO_IOAPICS = 24 };
    if (!platform.is_hw_reduced || platform_hypervisor() == HYPERVISOR_NONE)
        return false;
    bool has_two = platform.nr_ioapics > 1;
    if (n >= (has_two ? 24 : 8))
        return false;
    *registers = (struct paddr){BASE + n * SIZE};
    *irq = (has_two ? IRQ_TWO_IOAPICS : IRQ_ONE_IOAPIC) + n;
    return true;
}
