/* PCI devices: found once at boot, then handed to whichever driver knows them.
 *
 * Thread context unless said otherwise.  The list does not change after pci_init. */
#pragma once

#include <arch/arch.h>
#include <arch/devices.h>
#include <base/list.h>

struct pci_device {
    struct list node;
    struct pci_address at;
    uint16_t vendor, device;
    uint8_t base_class, subclass, interface;

    /* pci.c's */
    uint8_t msix;                  /* capability's offset; 0: none */
    unsigned nr_msix;              /* messages it can send */
    volatile uint32_t *msix_table; /* four words for each; NULL until the first request */
};

void pci_init(void);
/* The device after `d`, or the first (NULL); NULL at the end. */
struct pci_device *pci_next(struct pci_device *d);

uint32_t pci_read(const struct pci_device *d, unsigned offset, unsigned size);
void pci_write(struct pci_device *d, unsigned offset, unsigned size, uint32_t value);
/* Offset of the capability with this id behind offset `after` (0: the first); 0: none. */
unsigned pci_find_capability(const struct pci_device *d, uint8_t id, unsigned after);

/* Let it answer in memory and write to memory itself. */
void pci_enable(struct pci_device *d);
/* Registers in memory bar `bar`, uncached, mapped for good; NULL when the bar is not memory, has no
 * address, or there is no memory for tables. */
volatile void *pci_map(struct pci_device *d, unsigned bar, uint64_t offset, size_t size);

/* Let the device's message `entry` call `handler` in interrupt context, on one CPU.  -ENODEV: it has
 * no such; -ENOSPC, -ENOMEM. */
must_check int pci_msix(struct pci_device *d, unsigned entry, unsigned cpu, irq_handler *handler,
                        void *arg);
/* Its line, which others may share: only for devices without messages. */
must_check int pci_irq(struct pci_device *d, irq_handler *handler, void *arg);
