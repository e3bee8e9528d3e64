/* sources: arch/x86/machine.c arch/x86/acpi.c arch/x86/mptable.c */
/* The table parsers against tables made here: well-formed ones, and every one-byte damage of them
 * with the checksum put right again.  Each mapped piece is a heap block of its own, so that ASan
 * sees any byte read beyond what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../arch/x86/machine.h"

static uint8_t memory[0x120000]; /* physical */
static size_t memory_top;        /* where the next table goes */

static void *mapped[4096];
static unsigned nr_mapped;

static const void *map(uint64_t pa, size_t size)
{
    if (pa > sizeof(memory) || size > sizeof(memory) - pa || nr_mapped == ARRAY_LEN(mapped))
        return NULL;
    void *copy = malloc(size ? size : 1);
    memcpy(copy, memory + pa, size);
    return mapped[nr_mapped++] = copy;
}

static void unmap_all(void)
{
    while (nr_mapped)
        free(mapped[--nr_mapped]);
}

static void fix_checksum(uint8_t *p, size_t n, size_t at)
{
    p[at] = 0;
    p[at] = -machine_checksum(p, n);
}

/* A table with `n` bytes of body, at its address. */
static uint32_t put_table(const char *signature, const void *body, size_t n)
{
    uint32_t pa = memory_top, length = 36 + n;
    uint8_t *t = memory + pa;
    memset(t, 0, 36);
    memcpy(t, signature, 4);
    memcpy(t + 4, &length, 4);
    memcpy(t + 36, body, n);
    fix_checksum(t, length, 9);
    memory_top += ALIGN_UP(length, 16);
    return pa;
}

static void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

static uint32_t madt, fadt, xsdt, rsdp;

static uint32_t put_madt(void)
{
    static const uint8_t body[] = {
        0, 0,  0xe0, 0xfe, 1, 0, 0,    0,                               /* address, flags */
        0, 8,  0,    0,    1, 0, 0,    0,                               /* APIC 0 */
        0, 8,  1,    1,    1, 0, 0,    0,                               /* APIC 1 */
        0, 8,  2,    2,    0, 0, 0,    0,                               /* APIC 2, disabled */
        9, 16, 0,    0,    0, 1, 0,    0,    1,    0, 0, 0, 3, 0, 0, 0, /* x2APIC 256 */
        1, 12, 7,    0,    0, 0, 0xc0, 0xfe, 0,    0, 0, 0,             /* I/O APIC */
        2, 10, 0,    0,    2, 0, 0,    0,    0,    0,                   /* IRQ 0 -> GSI 2 */
        2, 10, 0,    9,    9, 0, 0,    0,    0x0f, 0,                   /* IRQ 9: level, low */
    };
    return put_table("APIC", body, sizeof(body));
}

static void put_acpi(void)
{
    memset(memory, 0, sizeof(memory));
    memory_top = 0x100000;
    static const uint8_t aml[] = "\x10\x20\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00\x00\x00\x00";
    uint32_t dsdt = put_table("DSDT", aml, sizeof(aml));
    uint8_t body[276 - 36] = {0};
    put32(body + 40 - 36, dsdt);
    put32(body + 64 - 36, 0x604); /* PM1a control */
    put32(body + 76 - 36, 0x608); /* timer */
    body[108 - 36] = 0x32;        /* century */
    put32(body + 112 - 36, 1 << 10 | 1 << 8);
    body[116 - 36] = 1; /* reset register: I/O, 8 bits */
    body[117 - 36] = 8;
    put32(body + 120 - 36, 0xcf9);
    body[128 - 36] = 0x0f;
    fadt = put_table("FACP", body, sizeof(body));
    madt = put_madt();
    uint8_t mcfg_body[8 + 16] = {0};
    put32(mcfg_body + 8, 0xb0000000);
    mcfg_body[8 + 11] = 255;
    uint32_t mcfg = put_table("MCFG", mcfg_body, sizeof(mcfg_body));
    uint8_t hpet_body[20] = {0};
    put32(hpet_body + 8, 0xfed00000);
    uint32_t hpet = put_table("HPET", hpet_body, sizeof(hpet_body));
    uint64_t list[] = {fadt, madt, 0, UINT64_MAX, mcfg, hpet};
    xsdt = put_table("XSDT", list, sizeof(list));

    rsdp = 0xf0010;
    uint8_t *r = memory + rsdp;
    memcpy(r, "RSD PTR ", 8);
    r[15] = 2;
    put32(r + 20, 36);
    put32(r + 24, xsdt);
    fix_checksum(r, 20, 8);
    fix_checksum(r, 36, 32);
}

static void reads_tables(void **state)
{
    struct machine m;
    put_acpi();
    machine_init(&m);
    assert_true(acpi_parse(&m, 0, map)); /* finds the RSDP itself */
    assert_int_equal(m.nr_cpus, 3);
    assert_int_equal(m.apic_ids[1], 1);
    assert_int_equal(m.apic_ids[2], 256);
    assert_int_equal(m.nr_ioapics, 1);
    assert_int_equal(m.ioapics[0].pa, 0xfec00000);
    assert_int_equal(m.isa[0].gsi, 2);
    assert_int_equal(m.isa[1].gsi, 1);
    assert_true(m.isa[9].is_low && m.isa[9].is_level);
    assert_true(m.has_s5);
    assert_int_equal(m.s5_type_a, 5);
    assert_int_equal(m.s5_type_b, 1);
    assert_int_equal(m.pm1a.pa, 0x604);
    assert_true(m.pm1a.is_io);
    assert_true(m.pm_timer_is_32_bits);
    assert_int_equal(m.reset.pa, 0xcf9);
    assert_int_equal(m.reset_value, 0x0f);
    assert_int_equal(m.century_register, 0x32);
    assert_int_equal(m.nr_segments, 1);
    assert_int_equal(m.segments[0].last_bus, 255);
    assert_int_equal(m.hpet_pa, 0xfed00000);
    unmap_all();
}

static void needs_valid_rsdp(void **state)
{
    struct machine m;
    put_acpi();
    memory[rsdp + 9]++;
    machine_init(&m);
    assert_false(acpi_parse(&m, 0, map));
    assert_false(acpi_parse(&m, rsdp, map));
    assert_false(acpi_parse(&m, UINT64_MAX - 4, map));
    assert_int_equal(m.nr_cpus, 1);
    assert_string_equal(m.source, "guess");
    unmap_all();
}

static void check_sane(const struct machine *m)
{
    assert_in_range(m->nr_cpus, 1, ARCH_MAX_CPUS);
    assert_in_range(m->nr_ioapics, 0, MACHINE_MAX_IOAPICS);
    assert_in_range(m->nr_segments, 0, MACHINE_MAX_SEGMENTS);
    assert_in_range(m->s5_type_a, 0, 7);
    assert_in_range(m->s5_type_b, 0, 7);
    assert_true(!m->reset.is_io || m->reset.pa <= 0xffff);
}

static void survives_damage(void **state)
{
    static const uint8_t values[] = {0, 1, 2, 0x0c, 0x7f, 0x80, 0xff};
    put_acpi();
    for (uint32_t pa = 0x100000; pa < memory_top;) {
        uint32_t length;
        memcpy(&length, memory + pa + 4, 4);
        for (uint32_t i = 0; i < length; i++) {
            uint8_t old = memory[pa + i], old_sum = memory[pa + 9];
            for (unsigned v = 0; i != 9 && v < ARRAY_LEN(values); v++) {
                struct machine m;
                memory[pa + i] = values[v];
                uint32_t new_length;
                memcpy(&new_length, memory + pa + 4, 4);
                if (new_length >= 10 && new_length < sizeof(memory) - pa)
                    fix_checksum(memory + pa, new_length, 9);
                machine_init(&m);
                acpi_parse(&m, rsdp, map);
                check_sane(&m);
                unmap_all();
            }
            memory[pa + i] = old;
            memory[pa + 9] = old_sum;
        }
        pa += ALIGN_UP(length, 16);
    }
}

static void limits_cpus(void **state)
{
    struct machine m;
    static uint8_t body[8 + 8 * 300];
    put_acpi();
    for (unsigned i = 0; i < 300; i++) {
        uint8_t *e = body + 8 + 8 * i;
        e[1] = 8;
        e[3] = i;
        e[4] = 1;
    }
    uint64_t list[] = {put_table("APIC", body, sizeof(body))};
    put32(memory + rsdp + 24, put_table("XSDT", list, sizeof(list)));
    fix_checksum(memory + rsdp, 36, 32);
    machine_init(&m);
    assert_true(acpi_parse(&m, rsdp, map));
    assert_int_equal(m.nr_cpus, ARCH_MAX_CPUS);
    unmap_all();
}

/* --- MP table ----------------------------------------------------------------------------- */

static void put_mp(void)
{
    static const uint8_t entries[] = {
        /* clang-format off */
        0, 0, 20, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* CPU 0 */
        0, 1, 20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* CPU 1 */
        1, 5, 'I', 'S', 'A', ' ', ' ', ' ',      /* bus 5 */
        2, 9,   0x11, 1,   0,   0,   0xc0, 0xfe, /* I/O APIC 9 */
        3, 0,   0,    0,   5,   0,   9,    2,    /* IRQ 0 -> pin 2 */
        3, 0,   0x0f, 0,   5,   11,  9,    11,   /* IRQ 11: level, low */
        /* clang-format on */
    };
    memset(memory, 0, sizeof(memory));
    uint8_t *t = memory + 0x9f000, *p = memory + 0xf5a40;
    uint16_t length = 44 + sizeof(entries);
    memcpy(t, "PCMP", 4);
    memcpy(t + 4, &length, 2);
    t[34] = 6;
    put32(t + 36, 0xfee00000);
    memcpy(t + 44, entries, sizeof(entries));
    fix_checksum(t, length, 7);
    memcpy(p, "_MP_", 4);
    put32(p + 4, 0x9f000);
    p[8] = 1;
    fix_checksum(p, 16, 10);
}

static void reads_mp_table(void **state)
{
    struct machine m;
    put_mp();
    machine_init(&m);
    assert_true(mptable_parse(&m, map));
    assert_int_equal(m.nr_cpus, 2);
    assert_int_equal(m.nr_ioapics, 1);
    assert_int_equal(m.ioapics[0].pa, 0xfec00000);
    assert_int_equal(m.isa[0].gsi, 2);
    assert_true(m.isa[11].is_low && m.isa[11].is_level);
    unmap_all();
}

static void survives_damaged_mp_table(void **state)
{
    for (unsigned i = 0; i < 44 + 72; i++) {
        for (unsigned v = 0; i != 7 && v < 256; v += 5) {
            struct machine m;
            put_mp();
            uint8_t *t = memory + 0x9f000;
            t[i] = v;
            fix_checksum(t, t[4] | t[5] << 8, 7);
            machine_init(&m);
            mptable_parse(&m, map);
            check_sane(&m);
            unmap_all();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tables),    cmocka_unit_test(needs_valid_rsdp),
        cmocka_unit_test(survives_damage), cmocka_unit_test(limits_cpus),
        cmocka_unit_test(reads_mp_table),  cmocka_unit_test(survives_damaged_mp_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
