/* From boot.asm to up_main: the CPU, the memory map, the page tables, the platform. */
#include "boot/boot.h"
#include "cpu.h"
#include "platform.h"

void boot_main(uint32_t magic, uint32_t info_pa)
{
    serial_init(); /* first, so that a panic can be seen */
    cpu_detect();
    const struct bootinfo *info = bootinfo_read(magic, info_pa);
    paging_init(info);
    cpu_init_this(&cpu_boot);
    platform_init(info);
    cpu_set_running(&cpu_boot);
    up_main(info);
}
