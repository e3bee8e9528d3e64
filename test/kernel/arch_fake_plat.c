/* Just enough of a platform for arch_fake.c: COM1, and QEMU's exit device. */
#include "internal.h"

void platform_init(const struct bootinfo *info)
{
}

void apic_eoi(void)
{
}

void ipi_send(unsigned cpu, unsigned vector)
{
}

void ipi_send_others(unsigned vector)
{
}

void ipi_send_nmi(unsigned cpu)
{
}

void arch_serial_write(const char *s, size_t n)
{
    for (; n > 0; n--, s++)
        outb(0x3f8, *s);
}

void arch_poweroff(unsigned status)
{
    outl(0xf4, status);
    for (;;)
        __asm__ volatile("cli; hlt");
}

uint64_t platform_tsc_hz(void)
{
    return 0;
}
