/* The end of the machine.  Tried in order of civility; everything is prepared at boot, because the
 * end may come from a panic. */
#include "platform.h"

#include <base/log.h>

enum {
    DEBUG_EXIT = 0xf4, /* QEMU's isa-debug-exit; nobody decodes it elsewhere */

    PM1_SCI_ENABLED = 1,
    PM1_TYPE_SHIFT = 10,
    PM1_TYPE_MASK = 7 << PM1_TYPE_SHIFT,
    PM1_SLEEP = 1 << 13,
    SLEEP_TYPE_SHIFT = 2, /* of the HW-reduced sleep control register */
    SLEEP_ENABLE = 1 << 5,

    RESET_CONTROL = 0xcf9,
    KEYBOARD = 0x64,
    KEYBOARD_RESET = 0xfe,
};

/* How long the platform may take to obey. */
#define POWER_WAIT_NS 50000000

static volatile uint8_t *sleep_control, *reset_control; /* those that are memory */

static volatile uint8_t *map(struct machine_reg reg)
{
    if (!reg.pa || reg.is_io)
        return NULL;
    return paging_map_device((struct paddr){reg.pa}, 1);
}

void power_init(void)
{
    sleep_control = map(platform.sleep_control);
    reset_control = map(platform.reset);
}

static void reg_write8(struct machine_reg reg, volatile uint8_t *mapped, uint8_t value)
{
    if (mapped)
        *mapped = value;
    else if (reg.is_io)
        outb(reg.pa, value);
}

static void pm1_sleep(struct machine_reg pm1, uint8_t type)
{
    if (!pm1.pa || !pm1.is_io)
        return;
    uint16_t value = inw(pm1.pa) & ~(PM1_TYPE_MASK | PM1_SLEEP);
    outw(pm1.pa, value | type << PM1_TYPE_SHIFT | PM1_SLEEP);
}

static void acpi_poweroff(void)
{
    if (!platform.has_s5)
        return;
    if (platform.is_hw_reduced) {
        reg_write8(platform.sleep_control, sleep_control,
                   platform.s5_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    } else {
        bool is_legacy = platform.pm1a.is_io && !(inw(platform.pm1a.pa) & PM1_SCI_ENABLED);
        if (is_legacy && platform.smi_command && platform.acpi_enable) {
            outb(platform.smi_command, platform.acpi_enable);
            uint64_t give_up = arch_clock_ns() + POWER_WAIT_NS;
            while (!(inw(platform.pm1a.pa) & PM1_SCI_ENABLED) && arch_clock_ns() < give_up)
                arch_relax();
        }
        pm1_sleep(platform.pm1a, platform.s5_type_a);
        pm1_sleep(platform.pm1b, platform.s5_type_b);
    }
    clock_delay_ns(POWER_WAIT_NS);
}

static noreturn void triple_fault(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_idt = {0, 0};
    for (;;)
        __asm__ volatile("lidt %0; int3" ::"m"(no_idt));
}

noreturn void arch_reboot(void)
{
    arch_irq_off();
    if (platform.reset.pa) {
        reg_write8(platform.reset, reset_control, platform.reset_value);
        clock_delay_ns(POWER_WAIT_NS);
    }
    outb(RESET_CONTROL, 2);
    outb(RESET_CONTROL, 6);
    clock_delay_ns(POWER_WAIT_NS / 10);
    outb(KEYBOARD, KEYBOARD_RESET);
    clock_delay_ns(POWER_WAIT_NS / 10);
    triple_fault();
}

noreturn void arch_poweroff(unsigned status)
{
    arch_irq_off();
    outl(DEBUG_EXIT, status);
    acpi_poweroff();
    /* A machine without a way to switch off: under QEMU's -no-reboot a reset ends it, too. */
    arch_reboot();
}
