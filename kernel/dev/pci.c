/* The walk over the PCI buses, and what every driver of a PCI device needs. */
#include <base/errno.h>
#include <base/log.h>
#include <core/heap.h>
#include <dev/pci.h>
#include <linux/pci_regs.h>

static struct list devices = LIST_INIT(devices);

uint32_t pci_read(const struct pci_device *d, unsigned offset, unsigned size)
{
    return arch_pci_read(d->at, offset, size);
}

void pci_write(struct pci_device *d, unsigned offset, unsigned size, uint32_t value)
{
    arch_pci_write(d->at, offset, size, value);
}

unsigned pci_find_capability(const struct pci_device *d, uint8_t id, unsigned after)
{
    if (!(pci_read(d, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
        return 0;
    unsigned at = pci_read(d, after ? after + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST, 1) & ~3u;
    /* No more steps than there are places: the list could be a circle. */
    for (unsigned i = 0; at >= 0x40 && i < 48; i++) {
        if (pci_read(d, at + PCI_CAP_LIST_ID, 1) == id)
            return at;
        at = pci_read(d, at + PCI_CAP_LIST_NEXT, 1) & ~3u;
    }
    return 0;
}

/* --- finding them ------------------------------------------------------------------------- */

static void scan_bus(uint8_t bus);

static void scan_bridge(struct pci_address at)
{
    uint8_t secondary = arch_pci_read(at, PCI_SECONDARY_BUS, 1);
    if (secondary > at.bus) /* numbered by the firmware, always downwards: no circle */
        scan_bus(secondary);
}

static void add_function(struct pci_address at, uint32_t id)
{
    uint32_t class = arch_pci_read(at, PCI_CLASS_REVISION, 4);
    if ((arch_pci_read(at, PCI_HEADER_TYPE, 1) & 0x7f) == PCI_HEADER_TYPE_BRIDGE) {
        scan_bridge(at);
        return;
    }
    struct pci_device *d = heap_zalloc(sizeof(*d));
    if (!d) {
        log_error("pci: no memory for a device");
        return;
    }
    *d = (struct pci_device){.at = at,
                             .vendor = id,
                             .device = id >> 16,
                             .base_class = class >> 24,
                             .subclass = class >> 16,
                             .interface = class >> 8};
    d->msix = pci_find_capability(d, PCI_CAP_ID_MSIX, 0);
    if (d->msix)
        d->nr_msix = (pci_read(d, d->msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
    list_push_back(&devices, &d->node);
    log_debug("pci: %02x:%02x.%u %04x:%04x class %02x%02x", at.bus, at.device, at.function,
              d->vendor, d->device, d->base_class, d->subclass);
}

static void scan_bus(uint8_t bus)
{
    for (unsigned device = 0; device < 32; device++) {
        unsigned functions = 1;
        for (unsigned function = 0; function < functions; function++) {
            struct pci_address at = {0, bus, device, function};
            uint32_t id = arch_pci_read(at, PCI_VENDOR_ID, 4);
            if ((id & 0xffff) == 0xffff)
                continue;
            if (function == 0 && (arch_pci_read(at, PCI_HEADER_TYPE, 1) & 0x80))
                functions = 8;
            add_function(at, id);
        }
    }
}

void pci_init(void)
{
    if (arch_has_pci())
        scan_bus(0);
}

struct pci_device *pci_next(struct pci_device *d)
{
    struct list *next = d ? d->node.next : devices.next;
    return next == &devices ? NULL : list_entry(next, struct pci_device, node);
}

/* --- using them --------------------------------------------------------------------------- */

void pci_enable(struct pci_device *d)
{
    uint16_t command = pci_read(d, PCI_COMMAND, 2);
    pci_write(d, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static uint64_t bar_address(const struct pci_device *d, unsigned bar)
{
    uint32_t low = pci_read(d, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
    if (low & PCI_BASE_ADDRESS_SPACE_IO)
        return 0;
    uint64_t address = low & PCI_BASE_ADDRESS_MEM_MASK;
    if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64 && bar < 5)
        address |= (uint64_t)pci_read(d, PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4) << 32;
    return address;
}

volatile void *pci_map(struct pci_device *d, unsigned bar, uint64_t offset, size_t size)
{
    uint64_t address = bar < 6 ? bar_address(d, bar) : 0;
    if (!address)
        return NULL;
    return kmap_device((struct paddr){address + offset}, size);
}

static int msix_open(struct pci_device *d)
{
    uint32_t where = pci_read(d, d->msix + PCI_MSIX_TABLE, 4);
    d->msix_table = pci_map(d, where & PCI_MSIX_TABLE_BIR, where & PCI_MSIX_TABLE_OFFSET,
                            d->nr_msix * PCI_MSIX_ENTRY_SIZE);
    if (!d->msix_table)
        return -ENOMEM;
    for (unsigned i = 0; i < d->nr_msix; i++)
        d->msix_table[i * 4 + PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    uint16_t flags = pci_read(d, d->msix + PCI_MSIX_FLAGS, 2) & ~PCI_MSIX_FLAGS_MASKALL;
    pci_write(d, d->msix + PCI_MSIX_FLAGS, 2, flags | PCI_MSIX_FLAGS_ENABLE);
    return 0;
}

int pci_msix(struct pci_device *d, unsigned entry, unsigned cpu, irq_handler *handler, void *arg)
{
    if (entry >= d->nr_msix)
        return -ENODEV;
    int err = d->msix_table ? 0 : msix_open(d);
    if (err)
        return err;
    uint64_t address;
    uint32_t data;
    err = arch_irq_msi(cpu, handler, arg, &address, &data);
    if (err)
        return err;
    volatile uint32_t *slot = d->msix_table + entry * 4;
    slot[PCI_MSIX_ENTRY_LOWER_ADDR / 4] = address;
    slot[PCI_MSIX_ENTRY_UPPER_ADDR / 4] = address >> 32;
    slot[PCI_MSIX_ENTRY_DATA / 4] = data;
    slot[PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = 0;
    return 0;
}

int pci_irq(struct pci_device *d, irq_handler *handler, void *arg)
{
    uint8_t line = pci_read(d, PCI_INTERRUPT_LINE, 1);
    if (line == 0 || line > 23) /* not connected, or the firmware set nothing up */
        return -ENODEV;
    return arch_irq_line(line, true, handler, arg);
}
