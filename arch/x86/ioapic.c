/* I/O APICs: from a device's line to a vector; and the legacy PIC, which is only silenced.
 *
 * Every line goes to the boot CPU.  Tables change while devices are set up, under `lock`. */
#include "platform.h"

#include <base/errno.h>
#include <base/log.h>

enum {
    IOAPIC_VERSION = 1,
    IOAPIC_PIN = 0x10, /* two registers each */

    PIN_LOW = 1 << 13,
    PIN_LEVEL = 1 << 15,
    PIN_MASKED = 1 << 16,

    PIC_MASTER = 0x20,
    PIC_SLAVE = 0xa0,
};

static struct ioapic {
    volatile uint32_t *registers; /* NULL: could not be mapped */
    uint32_t gsi_base;
    unsigned nr_pins;
} ioapics[MACHINE_MAX_IOAPICS];

static struct platform_lock lock; /* the index register and the data register belong together */

static uint32_t ioapic_read(struct ioapic *io, unsigned reg)
{
    io->registers[0] = reg;
    return io->registers[4];
}

static void ioapic_write(struct ioapic *io, unsigned reg, uint32_t value)
{
    io->registers[0] = reg;
    io->registers[4] = value;
}

/* Move the PIC's vectors out of the way of the exceptions and mask all: a spurious one can still
 * come.  Without a PIC nobody decodes these ports. */
static void pic_disable(void)
{
    outb(PIC_MASTER, 0x11);
    outb(PIC_SLAVE, 0x11);
    outb(PIC_MASTER + 1, VECTOR_PIC);
    outb(PIC_SLAVE + 1, VECTOR_PIC + 8);
    outb(PIC_MASTER + 1, 4);
    outb(PIC_SLAVE + 1, 2);
    outb(PIC_MASTER + 1, 1);
    outb(PIC_SLAVE + 1, 1);
    outb(PIC_MASTER + 1, 0xff);
    outb(PIC_SLAVE + 1, 0xff);
}

void ioapic_init(void)
{
    pic_disable();
    for (unsigned i = 0; i < platform.nr_ioapics; i++) {
        struct ioapic *io = &ioapics[i];
        io->gsi_base = platform.ioapics[i].gsi_base;
        io->registers = paging_map_device((struct paddr){platform.ioapics[i].pa}, 4096);
        if (!io->registers) {
            log_error("ioapic: no memory to map number %u", i);
            continue;
        }
        io->nr_pins = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        for (unsigned pin = 0; pin < io->nr_pins; pin++)
            ioapic_write(io, IOAPIC_PIN + 2 * pin, PIN_MASKED);
    }
}

int ioapic_route(uint32_t gsi, unsigned vector, bool is_level, bool is_low)
{
    for (unsigned i = 0; i < platform.nr_ioapics; i++) {
        struct ioapic *io = &ioapics[i];
        if (gsi < io->gsi_base || gsi - io->gsi_base >= io->nr_pins)
            continue;
        unsigned pin = IOAPIC_PIN + 2 * (gsi - io->gsi_base);
        bool irqs = platform_lock(&lock);
        ioapic_write(io, pin, PIN_MASKED);
        ioapic_write(io, pin + 1, arch_cpu(0)->apic_id << 24);
        ioapic_write(io, pin, vector | (is_level ? PIN_LEVEL : 0) | (is_low ? PIN_LOW : 0));
        platform_unlock(&lock, irqs);
        return 0;
    }
    return -ENODEV;
}
