/* Where devices are: PCI configuration space, and what only the platform knows of. */
#pragma once

#include <base/types.h>

struct pci_address {
    uint16_t segment;
    uint8_t bus, device, function;
};

/* Is there a PCI bus at all? */
bool arch_has_pci(void);
/* Configuration registers: `size` is 1, 2 or 4, `offset` a multiple of it below 4096.  What is not
 * there reads as ones.  Any context. */
uint32_t arch_pci_read(struct pci_address a, unsigned offset, unsigned size);
void arch_pci_write(struct pci_address a, unsigned offset, unsigned size, uint32_t value);

/* The n-th place where this machine may have a virtio-mmio device that nothing enumerates, and its
 * interrupt (for arch_irq_line, level); false when there are no more. */
bool arch_virtio_mmio(unsigned n, struct paddr *registers, unsigned *irq);
