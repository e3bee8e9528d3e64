/* The Intel MultiProcessor table: the CPUs and I/O APICs of machines without ACPI (QEMU's microvm
 * with acpi=off, old firmware).  As careful with what it reads as acpi.c. */
#include "machine.h"

#include <base/string.h>

struct mp_pointer {
    char signature[4];
    uint32_t table;
    uint8_t length, revision, checksum, features[5];
} __attribute__((packed));

struct mp_table {
    char signature[4];
    uint16_t length;
    uint8_t revision, checksum;
    char oem[8], product[12];
    uint32_t oem_table;
    uint16_t oem_size, nr_entries;
    uint32_t lapic;
    uint16_t extended_length;
    uint8_t extended_checksum, reserved;
} __attribute__((packed));

enum { MP_CPU = 0, MP_BUS = 1, MP_IOAPIC = 2, MP_INTERRUPT = 3, MP_LOCAL_INTERRUPT = 4 };

struct mp_state {
    struct machine *m;
    uint64_t isa_buses[4]; /* a bit for each bus number */
};

/* A CPU entry is 20 bytes, the others 8. */
static size_t entry_size(uint8_t kind)
{
    return kind == MP_CPU ? 20 : 8;
}

static void parse_interrupt(struct mp_state *s, const uint8_t *e)
{
    uint8_t type = e[1], bus = e[4], irq = e[5], ioapic = e[6], pin = e[7];
    uint16_t flags = e[2] | e[3] << 8;
    if (type != 0 || !(s->isa_buses[bus / 64] >> bus % 64 & 1) || irq >= MACHINE_ISA_IRQS)
        return;
    uint32_t base = 0;
    for (unsigned i = 0; i < s->m->nr_ioapics; i++)
        if (s->m->ioapics[i].id == ioapic)
            base = s->m->ioapics[i].gsi_base;
    s->m->isa[irq] = (struct machine_isa){base + pin, (flags & 3) == 3, (flags >> 2 & 3) == 3};
}

static void parse_entry(struct mp_state *s, const uint8_t *e)
{
    struct machine *m = s->m;
    switch (e[0]) {
    case MP_CPU:
        if ((e[3] & 1) && m->nr_cpus < ARCH_MAX_CPUS)
            m->apic_ids[m->nr_cpus++] = e[1];
        break;
    case MP_BUS:
        if (memcmp(e + 2, "ISA", 3) == 0)
            s->isa_buses[e[1] / 64] |= 1ull << e[1] % 64;
        break;
    case MP_IOAPIC:
        if ((e[3] & 1) && m->nr_ioapics < MACHINE_MAX_IOAPICS) {
            struct machine_ioapic *io = &m->ioapics[m->nr_ioapics];
            uint32_t pa;
            memcpy(&pa, e + 4, sizeof(pa));
            /* The table does not number the pins globally: 24 for each, as the chip has. */
            *io = (struct machine_ioapic){.id = e[1], .pa = pa, .gsi_base = m->nr_ioapics * 24};
            m->nr_ioapics++;
        }
        break;
    case MP_INTERRUPT:
        parse_interrupt(s, e);
        break;
    }
}

bool mptable_parse(struct machine *m, machine_map_fn *map)
{
    uint64_t pa = machine_scan_bios("_MP_", 4, sizeof(struct mp_pointer), map);
    const struct mp_pointer *pointer = pa ? map(pa, sizeof(*pointer)) : NULL;
    const struct mp_table *table =
        pointer && pointer->table ? map(pointer->table, sizeof(*table)) : NULL;
    if (!table || memcmp(table->signature, "PCMP", 4) != 0 || table->length < sizeof(*table))
        return false;
    size_t length = table->length;
    table = map(pointer->table, length);
    if (!table || machine_checksum(table, length) != 0)
        return false;

    struct machine found = *m;
    struct mp_state s = {.m = &found};
    found.source = "MP table";
    found.nr_cpus = 0;
    found.lapic_pa = table->lapic;
    size_t at = sizeof(*table);
    for (unsigned i = 0; i < table->nr_entries; i++) {
        const uint8_t *e = (const uint8_t *)table + at;
        if (at >= length || length - at < entry_size(e[0]))
            break;
        parse_entry(&s, e);
        at += entry_size(e[0]);
    }
    if (found.nr_cpus == 0)
        return false;
    *m = found;
    return true;
}
