/* Defaults of struct machine, and what the two table parsers share. */
#include "machine.h"

#include <base/string.h>

void machine_init(struct machine *m)
{
    *m = (struct machine){.source = "guess", .nr_cpus = 1, .lapic_pa = 0xfee00000};
    for (unsigned i = 0; i < MACHINE_ISA_IRQS; i++)
        m->isa[i].gsi = i;
}

uint8_t machine_checksum(const void *p, size_t n)
{
    const uint8_t *bytes = p;
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bytes[i];
    return sum;
}

static uint64_t scan_area(uint64_t start, size_t area, const char *signature, size_t signature_len,
                          size_t size, machine_map_fn *map)
{
    const char *p = map(start, area);
    if (!p)
        return 0;
    for (size_t at = 0; at + size <= area; at += 16)
        if (p[at] == signature[0] && memcmp(p + at, signature, signature_len) == 0 &&
            machine_checksum(p + at, size) == 0)
            return start + at;
    return 0;
}

uint64_t machine_scan_bios(const char *signature, size_t signature_len, size_t size,
                           machine_map_fn *map)
{
    /* The word at 0x40e is the real-mode segment of the extended BIOS data area. */
    const uint8_t *bda = map(0x40e, 2);
    if (bda) {
        uint64_t ebda = (bda[0] | (uint64_t)bda[1] << 8) << 4;
        if (ebda >= 0x400 && ebda < 0xa0000 - 1024) {
            uint64_t found = scan_area(ebda, 1024, signature, signature_len, size, map);
            if (found)
                return found;
        }
    }
    uint64_t found = scan_area(0x9fc00, 1024, signature, signature_len, size, map);
    return found ? found : scan_area(0xe0000, 0x20000, signature, signature_len, size, map);
}
