/* What the firmware says about this machine, whichever firmware it was: the result of parsing the
 * ACPI or the MP tables.  Filled once by machine_discover and read-only afterwards.
 *
 * The parsers are pure: they reach memory through a function, believe nothing they read, and are
 * tested on the host (test/unit/acpi_test.c). */
#pragma once

#include <arch/cpu.h>
#include <base/types.h>

#define MACHINE_MAX_IOAPICS  8
#define MACHINE_MAX_SEGMENTS 4
#define MACHINE_ISA_IRQS     16

/* A register in I/O or memory space (ACPI's generic address).  `pa` 0: there is none. */
struct machine_reg {
    uint64_t pa;
    bool is_io;
    uint8_t width; /* bits */
};

struct machine {
    const char *source; /* "ACPI", "MP table" or "guess", for the log */

    unsigned nr_cpus; /* usable ones, the boot CPU included wherever it is listed */
    uint32_t apic_ids[ARCH_MAX_CPUS];
    uint64_t lapic_pa;

    unsigned nr_ioapics;
    struct machine_ioapic {
        uint64_t pa;
        uint32_t gsi_base;
        uint8_t id;
    } ioapics[MACHINE_MAX_IOAPICS];

    /* How each ISA interrupt arrives; the identity unless a table overrides it. */
    struct machine_isa {
        uint32_t gsi;
        bool is_low, is_level;
    } isa[MACHINE_ISA_IRQS];

    /* The fixed hardware of ACPI; all zero on other machines. */
    bool is_hw_reduced, has_s5;
    uint8_t s5_type_a, s5_type_b; /* SLP_TYP values that mean "off" */
    struct machine_reg pm1a, pm1b, pm_timer, reset, sleep_control;
    bool pm_timer_is_32_bits;
    uint8_t reset_value, acpi_enable;
    uint32_t smi_command;
    uint8_t century_register; /* CMOS index, 0: none */
    uint64_t hpet_pa;         /* 0: none */

    unsigned nr_segments; /* PCI configuration space in memory */
    struct machine_segment {
        uint64_t pa; /* of bus 0, whether or not it is in the range */
        uint16_t segment;
        uint8_t first_bus, last_bus;
    } segments[MACHINE_MAX_SEGMENTS];
};

/* How a parser reaches physical memory: `size` readable bytes at `pa`, or NULL. */
typedef const void *machine_map_fn(uint64_t pa, size_t size);

/* Nothing known: one CPU (whose id the caller fills in), the usual addresses. */
void machine_init(struct machine *m);

/* Fill `m` from the tables that the RSDP at `rsdp` leads to; `rsdp` 0 scans the BIOS areas.  False,
 * with `m` as it was, when there is no RSDP or no interrupt-controller table (MADT). */
bool acpi_parse(struct machine *m, uint64_t rsdp, machine_map_fn *map);

/* The same from the Intel MP table, found by scanning the BIOS areas. */
bool mptable_parse(struct machine *m, machine_map_fn *map);

/* Sum of bytes; 0 over every valid table. */
uint8_t machine_checksum(const void *p, size_t n);
/* Physical address of an aligned-to-16 structure that starts with `signature` and sums to zero over
 * `size` bytes, in the extended BIOS data area or the BIOS ROM; 0: none. */
uint64_t machine_scan_bios(const char *signature, size_t signature_len, size_t size,
                           machine_map_fn *map);
