/* sources: kernel/core/symbols.c */
/* needs: yolk.first.elf */
/* Addresses to names, from the table that cmake/symbols.sh made of the kernel in this build: what nm says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <arch/layout.h>
#include <core/console.h>

#define MAX_SYMBOLS 20000
static struct symbol {
    uint64_t addr;
    char name[128];
} symbols[MAX_SYMBOLS];
static unsigned nr_symbols;

/* The functions in address order: of one address the first, of one name that follows itself the first. */
static void read_symbols(const char *image)
{
    char command[4096], line[4096];

    snprintf(command, sizeof(command), "nm -n %s", image);
    FILE *nm = popen(command, "r");
    assert_non_null(nm);
    while (fgets(line, sizeof(line), nm)) {
        struct symbol s = {0};
        char type;
        if (sscanf(line, "%lx %c %127[^.\n]", &s.addr, &type, s.name) != 3 || s.addr < IMAGE_BASE ||
            (type != 't' && type != 'T'))
            continue;
        const struct symbol *last = nr_symbols ? &symbols[nr_symbols - 1] : NULL;
        if (last && (s.addr == last->addr || !strcmp(s.name, last->name)))
            continue;
        assert_true(nr_symbols < MAX_SYMBOLS);
        symbols[nr_symbols++] = s;
    }
    assert_int_equal(pclose(nm), 0);
    assert_true(nr_symbols > 1000);
}

static void check(const struct symbol *s, unsigned offset, size_t size)
{
    char buf[160], want[160];

    memset(buf, 'z', sizeof(buf));
    assert_true(symbol_name(s->addr + offset, buf, size));
    snprintf(want, size, "%s+%#x", s->name, offset);
    assert_string_equal(buf, want);
    assert_int_equal(buf[size], 'z');
}

static void finds_names(void **state)
{
    for (unsigned i = 0; i + 1 < nr_symbols; i += 1 + i % 13) { /* a name needs all before it */
        check(&symbols[i], 0, 128);
        check(&symbols[i], (unsigned)(symbols[i + 1].addr - symbols[i].addr - 1), 128);
    }
    const struct symbol *last = &symbols[nr_symbols - 1];
    check(last, 0, 128);
    check(last, 0x11e3d6, 128);
    check(last, (unsigned)(UINT64_MAX - last->addr), 128);
}

static void finds_none_below(void **state)
{
    char buf[64];

    assert_false(symbol_name(0, buf, sizeof(buf)));
    assert_false(symbol_name(IMAGE_BASE - 1, buf, sizeof(buf)));
    assert_false(symbol_name(IMAGE_BASE, buf, sizeof(buf)));
    assert_false(symbol_name(symbols[0].addr - 1, buf, sizeof(buf)));
}

/* Also of the characters that a name takes over from the one before. */
static void keeps_to_the_buffer(void **state)
{
    char buf[1] = "z";

    for (size_t size = 1; size < 50; size++)
        for (unsigned i = 100; i < 110; i++)
            check(&symbols[i], 1, size);
    assert_false(symbol_name(symbols[0].addr, buf, 0));
    assert_int_equal(buf[0], 'z');
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_names),
        cmocka_unit_test(finds_none_below),
        cmocka_unit_test(keeps_to_the_buffer),
    };
    if (argc != 2)
        return 2;
    read_symbols(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
