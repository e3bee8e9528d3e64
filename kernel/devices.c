/* Buses and devices, in the order in which they are looked for. */
#include <arch/arch.h>
#include <dev/console.h>
#include <dev/pci.h>
#include <dev/virtio.h>
#include <image/boot.h>

void boot_devices(const struct cmdline *line)
{
    pci_init();
    virtio_init(line->virtio, line->nr_virtio);
    control_init();
}
