/* Buses and devices, in the order in which they are looked for. */
#include <image/boot.h>

void boot_devices(const struct cmdline *line)
{
    (void)line;
}
