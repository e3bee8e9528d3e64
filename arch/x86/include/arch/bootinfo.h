/* What the loader told us, whichever loader it was (PVH or multiboot2). */
#pragma once

#include <base/types.h>

#define BOOT_MAX_RANGES  64
#define BOOT_MAX_MODULES 8

enum boot_range_kind { BOOT_RAM, BOOT_RESERVED, BOOT_ACPI };

struct boot_range {
    struct paddr start;
    uint64_t size;
    enum boot_range_kind kind;
};

struct boot_module {
    struct paddr start;
    uint64_t size;
    const char *cmdline; /* "" when the loader gives none */
};

struct bootinfo {
    const char *loader;  /* "PVH" or "multiboot2", for the log */
    const char *cmdline; /* never NULL */
    unsigned nr_ranges, nr_modules;
    /* Sorted by start, not overlapping.  The kernel image, the modules, the boot page tables and the
     * low 64 KiB are already cut out of the BOOT_RAM ranges: what is left is free. */
    struct boot_range ranges[BOOT_MAX_RANGES];
    struct boot_module modules[BOOT_MAX_MODULES];
    struct paddr rsdp; /* pa 0: none given */
    struct {           /* pa 0: none */
        struct paddr pa;
        uint32_t width, height, pitch, bpp;
    } framebuffer;
};
