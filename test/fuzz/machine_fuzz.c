/* sources: arch/x86/machine.c arch/x86/acpi.c arch/x86/mptable.c
 *
 * libFuzzer: any bytes as the firmware's tables, ACPI's and the MP table.  They are seen at the start of the BIOS ROM
 * (where the scan begins) and sums are put right on the way, or hardly any table would be looked into.  Each piece that
 * is asked for is a block of its own, so that ASan sees a byte too many. */
#include <stdlib.h>
#include <string.h>

#include "../../arch/x86/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROM 0xe0000u

static const uint8_t *rom;
static size_t rom_size;
static void *mapped[8192];
static unsigned nr_mapped;

/* Where the byte is that makes the sum right: 0 for what has none. */
static size_t sum_at(const uint8_t *p, size_t size)
{
    if (size >= 20 && !memcmp(p, "RSD PTR ", 8))
        return 8;
    if (size == 16 && !memcmp(p, "_MP_", 4))
        return 10;
    if (size >= 44 && !memcmp(p, "PCMP", 4))
        return 7;
    return size > 36 ? 9 : 0;
}

static const void *map(uint64_t pa, size_t size)
{
    if (pa < ROM || pa - ROM > rom_size || size > rom_size - (pa - ROM) ||
        nr_mapped == ARRAY_LEN(mapped))
        return NULL;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, rom + (pa - ROM), size);
    size_t at = sum_at(copy, size);
    if (at > 0)
        copy[at] = (uint8_t)(copy[at] - machine_checksum(copy, size));
    return mapped[nr_mapped++] = copy;
}

static void check(const struct machine *m)
{
    if (m->nr_cpus > ARCH_MAX_CPUS || m->nr_ioapics > MACHINE_MAX_IOAPICS ||
        m->nr_segments > MACHINE_MAX_SEGMENTS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m;

    rom = data;
    rom_size = size;
    for (int which = 0; which < 3; which++) {
        machine_init(&m);
        if (which == 2)
            (void)mptable_parse(&m, map);
        else
            (void)acpi_parse(&m, which ? ROM : 0, map);
        check(&m);
        while (nr_mapped)
            free(mapped[--nr_mapped]);
    }
    return 0;
}
