/* ACPI's static tables: which CPUs and interrupt controllers exist, how to power off, where the
 * timers are.
 *
 * There is no AML interpreter: the one thing needed from the byte code, the sleep type of S5, is
 * found by its name in the definition blocks.  Tables come from firmware that may be broken or
 * hostile: every length is checked against what was mapped, every table against its checksum, and
 * the walk over pointers is bounded. */
#include "machine.h"

#include <base/string.h>

#define ACPI_MAX_TABLE_SIZE (4u << 20)
#define ACPI_MAX_TABLES     256

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
} __attribute__((packed));

struct acpi_rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length; /* from here on: revision 2 */
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));
#define RSDP_V1_SIZE 20

struct acpi_gas {
    uint8_t space, width, offset, access;
    uint64_t address;
} __attribute__((packed));
enum { GAS_MEMORY = 0, GAS_IO = 1 };

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci_irq;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe0_len, gpe1_len,
        gpe1_base, cst;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_flags;
    uint8_t reserved1;
    uint32_t flags;
    struct acpi_gas reset;
    uint8_t reset_value;
    uint16_t arm_flags;
    uint8_t minor;
    uint64_t x_facs, x_dsdt;
    struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer;
    struct acpi_gas x_gpe0, x_gpe1, sleep_control, sleep_status;
} __attribute__((packed));
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "ACPI 6.5, table 5.9");
enum { FADT_TIMER_32 = 1 << 8, FADT_HAS_RESET = 1 << 10, FADT_HW_REDUCED = 1 << 20 };

/* Does the table, which may be of an older revision, reach past `member`? */
#define FADT_HAS(fadt, member) \
    ((fadt)->header.length >= offsetof(struct acpi_fadt, member) + sizeof((fadt)->member))

/* What the walk over all tables collects before anything is believed. */
struct acpi_tables {
    machine_map_fn *map;
    const struct acpi_header *madt, *fadt, *mcfg, *hpet;
    struct machine *m;
};

/* A whole table, checked; NULL when it is not one. */
static const struct acpi_header *table_at(uint64_t pa, machine_map_fn *map)
{
    const struct acpi_header *h = pa ? map(pa, sizeof(*h)) : NULL;
    if (!h || h->length < sizeof(*h) || h->length > ACPI_MAX_TABLE_SIZE)
        return NULL;
    uint32_t length = h->length;
    h = map(pa, length);
    if (!h || machine_checksum(h, length) != 0)
        return NULL;
    return h;
}

/* --- S5 ----------------------------------------------------------------------------------- */

/* One AML integer constant at aml[*at]; advances.  False when it is anything else. */
static bool aml_byte(const uint8_t *aml, size_t n, size_t *at, uint8_t *value)
{
    enum { AML_ZERO = 0, AML_ONE = 1, AML_BYTE = 0x0a, AML_WORD = 0x0b, AML_DWORD = 0x0c };
    if (*at >= n)
        return false;
    uint8_t op = aml[(*at)++];
    if (op == AML_ZERO || op == AML_ONE) {
        *value = op;
        return true;
    }
    size_t size = op == AML_BYTE ? 1 : op == AML_WORD ? 2 : op == AML_DWORD ? 4 : 0;
    if (size == 0 || n - *at < size)
        return false;
    *value = aml[*at];
    *at += size;
    return true;
}

/* Name (\_S5, Package (n) {a, b, ...}) in a definition block:
 *     08 [5c] 5f 53 35 5f   12  PkgLength  NumElements  a  b ... */
static void find_s5(struct machine *m, const struct acpi_header *table)
{
    const uint8_t *aml = (const uint8_t *)(table + 1);
    size_t n = table->length - sizeof(*table);
    for (size_t i = 1; !m->has_s5 && i + 7 < n; i++) {
        if (aml[i] != '_' || memcmp(aml + i, "_S5_\x12", 5) != 0)
            continue;
        bool is_name = aml[i - 1] == 0x08 || (i > 1 && aml[i - 1] == '\\' && aml[i - 2] == 0x08);
        if (!is_name)
            continue;
        size_t at = i + 5;
        at += 1 + (aml[at] >> 6); /* PkgLength: the two top bits count its further bytes */
        at += 1;                  /* NumElements */
        uint8_t a, b;
        if (!aml_byte(aml, n, &at, &a))
            continue;
        if (!aml_byte(aml, n, &at, &b))
            b = a;
        m->s5_type_a = a & 7;
        m->s5_type_b = b & 7;
        m->has_s5 = true;
    }
}

/* --- the tables --------------------------------------------------------------------------- */

static struct machine_reg reg_of(const struct acpi_gas *gas)
{
    if (gas->space > GAS_IO || (gas->space == GAS_IO && gas->address > 0xffff))
        return (struct machine_reg){0};
    return (struct machine_reg){gas->address, gas->space == GAS_IO, gas->width};
}

/* The 64-bit form of a register where the table has one, else its old I/O port. */
static struct machine_reg reg_or_port(const struct acpi_gas *gas, uint32_t port, uint8_t bytes)
{
    struct machine_reg r = gas ? reg_of(gas) : (struct machine_reg){0};
    if (!r.pa && port && port <= 0xffff)
        r = (struct machine_reg){port, true, bytes * 8};
    return r;
}

static void parse_fadt(struct machine *m, const struct acpi_header *table, machine_map_fn *map)
{
    const struct acpi_fadt *f = (const struct acpi_fadt *)table;
    if (!FADT_HAS(f, flags))
        return;
    m->is_hw_reduced = FADT_HAS(f, sleep_control) && (f->flags & FADT_HW_REDUCED);
    m->century_register = f->century;
    if (FADT_HAS(f, reset_value) && (f->flags & FADT_HAS_RESET)) {
        m->reset = reg_of(&f->reset);
        m->reset_value = f->reset_value;
    }
    if (m->is_hw_reduced) {
        m->sleep_control = reg_of(&f->sleep_control);
    } else {
        bool is_long = FADT_HAS(f, x_pm_timer);
        m->pm1a = reg_or_port(is_long ? &f->x_pm1a_control : NULL, f->pm1a_control, 2);
        m->pm1b = reg_or_port(is_long ? &f->x_pm1b_control : NULL, f->pm1b_control, 2);
        m->pm_timer = reg_or_port(is_long ? &f->x_pm_timer : NULL, f->pm_timer, 4);
        m->pm_timer_is_32_bits = f->flags & FADT_TIMER_32;
        m->smi_command = f->smi_command <= 0xffff ? f->smi_command : 0;
        m->acpi_enable = f->acpi_enable;
    }
    uint64_t dsdt = FADT_HAS(f, x_dsdt) && f->x_dsdt ? f->x_dsdt : f->dsdt;
    const struct acpi_header *block = table_at(dsdt, map);
    if (block && memcmp(block->signature, "DSDT", 4) == 0)
        find_s5(m, block);
}

static void parse_mcfg(struct machine *m, const struct acpi_header *table)
{
    struct entry {
        uint64_t pa;
        uint16_t segment;
        uint8_t first_bus, last_bus;
        uint32_t reserved;
    } __attribute__((packed));
    for (size_t at = sizeof(*table) + 8; at + sizeof(struct entry) <= table->length;
         at += sizeof(struct entry)) {
        const struct entry *e = (const void *)((const char *)table + at);
        if (m->nr_segments == MACHINE_MAX_SEGMENTS)
            return;
        if (e->pa && e->first_bus <= e->last_bus)
            m->segments[m->nr_segments++] =
                (struct machine_segment){e->pa, e->segment, e->first_bus, e->last_bus};
    }
}

static void parse_hpet(struct machine *m, const struct acpi_header *table)
{
    if (table->length < 52)
        return;
    struct acpi_gas gas;
    memcpy(&gas, (const char *)table + 40, sizeof(gas));
    if (gas.space == GAS_MEMORY)
        m->hpet_pa = gas.address;
}

static void add_cpu(struct machine *m, uint32_t apic_id, uint32_t flags)
{
    if (!(flags & 1)) /* not enabled: an empty socket */
        return;
    for (unsigned i = 0; i < m->nr_cpus; i++)
        if (m->apic_ids[i] == apic_id)
            return;
    if (m->nr_cpus < ARCH_MAX_CPUS)
        m->apic_ids[m->nr_cpus++] = apic_id;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static uint16_t get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

static void parse_override(struct machine *m, const uint8_t *e)
{
    uint8_t bus = e[2], irq = e[3];
    uint16_t flags = get16(e + 8);
    if (bus != 0 || irq >= MACHINE_ISA_IRQS)
        return;
    /* 0 is "as the bus does it", which for ISA is edge, active high. */
    m->isa[irq] = (struct machine_isa){get32(e + 4), (flags & 3) == 3, (flags >> 2 & 3) == 3};
}

static void parse_madt_entry(struct machine *m, const uint8_t *e, uint8_t size)
{
    enum { LAPIC = 0, IOAPIC = 1, OVERRIDE = 2, LAPIC_ADDRESS = 5, X2APIC = 9 };
    if (e[0] == LAPIC && size >= 8) {
        add_cpu(m, e[3], get32(e + 4));
    } else if (e[0] == IOAPIC && size >= 12) {
        if (m->nr_ioapics < MACHINE_MAX_IOAPICS)
            m->ioapics[m->nr_ioapics++] =
                (struct machine_ioapic){.id = e[2], .pa = get32(e + 4), .gsi_base = get32(e + 8)};
    } else if (e[0] == OVERRIDE && size >= 10) {
        parse_override(m, e);
    } else if (e[0] == LAPIC_ADDRESS && size >= 12) {
        memcpy(&m->lapic_pa, e + 4, 8);
    } else if (e[0] == X2APIC && size >= 16) {
        add_cpu(m, get32(e + 4), get32(e + 8));
    }
}

static void parse_madt(struct machine *m, const struct acpi_header *table)
{
    const uint8_t *bytes = (const uint8_t *)table;
    if (table->length < sizeof(*table) + 8)
        return;
    m->nr_cpus = 0;
    m->lapic_pa = get32(bytes + sizeof(*table));
    for (size_t at = sizeof(*table) + 8; at + 2 <= table->length;) {
        uint8_t size = bytes[at + 1];
        if (size < 2 || size > table->length - at)
            break;
        parse_madt_entry(m, bytes + at, size);
        at += size;
    }
}

static void note_table(struct acpi_tables *t, uint64_t pa)
{
    const struct acpi_header *h = table_at(pa, t->map);
    if (!h)
        return;
    if (memcmp(h->signature, "APIC", 4) == 0)
        t->madt = h;
    else if (memcmp(h->signature, "FACP", 4) == 0)
        t->fadt = h;
    else if (memcmp(h->signature, "MCFG", 4) == 0)
        t->mcfg = h;
    else if (memcmp(h->signature, "HPET", 4) == 0)
        t->hpet = h;
    else if (memcmp(h->signature, "SSDT", 4) == 0)
        find_s5(t->m, h);
}

/* Visit what the XSDT (entry size 8) or RSDT (4) lists; false when there is no such table. */
static bool walk_root(struct acpi_tables *t, uint64_t pa, const char *signature, size_t entry_size)
{
    const struct acpi_header *root = table_at(pa, t->map);
    if (!root || memcmp(root->signature, signature, 4) != 0)
        return false;
    size_t nr = MIN((root->length - sizeof(*root)) / entry_size, ACPI_MAX_TABLES);
    for (size_t i = 0; i < nr; i++) {
        uint64_t entry = 0;
        memcpy(&entry, (const char *)(root + 1) + i * entry_size, entry_size);
        note_table(t, entry);
    }
    return true;
}

bool acpi_parse(struct machine *m, uint64_t rsdp_pa, machine_map_fn *map)
{
    if (!rsdp_pa)
        rsdp_pa = machine_scan_bios("RSD PTR ", 8, RSDP_V1_SIZE, map);
    const struct acpi_rsdp *rsdp = rsdp_pa ? map(rsdp_pa, RSDP_V1_SIZE) : NULL;
    if (!rsdp || memcmp(rsdp->signature, "RSD PTR ", 8) != 0 ||
        machine_checksum(rsdp, RSDP_V1_SIZE) != 0)
        return false;
    uint64_t rsdt = rsdp->rsdt, xsdt = 0;
    if (rsdp->revision >= 2) {
        rsdp = map(rsdp_pa, sizeof(*rsdp));
        if (rsdp && machine_checksum(rsdp, sizeof(*rsdp)) == 0)
            xsdt = rsdp->xsdt;
    }

    struct machine found = *m;
    struct acpi_tables t = {.map = map, .m = &found};
    if (!walk_root(&t, xsdt, "XSDT", 8) && !walk_root(&t, rsdt, "RSDT", 4))
        return false;
    if (!t.madt)
        return false;
    found.source = "ACPI";
    parse_madt(&found, t.madt);
    if (found.nr_cpus == 0)
        return false;
    if (t.fadt)
        parse_fadt(&found, t.fadt, map);
    if (t.mcfg)
        parse_mcfg(&found, t.mcfg);
    if (t.hpet)
        parse_hpet(&found, t.hpet);
    *m = found;
    return true;
}
