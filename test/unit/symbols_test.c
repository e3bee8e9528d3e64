/* sources: kernel/core/symbols.c */
/* Addresses to names, from a table like those that cmake/symbols.sh writes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arch/layout.h>
#include <core/console.h>

/* 1 is "ab", 2 is "abc", 3 is "abcabc", 4 is "ab" at the end of a name. */
const uint8_t symbol_pairs[256][2] = {[1] = {'a', 'b'}, [2] = {1, 'c'}, [3] = {2, 2}, [4] = {1, 0}};

/* At 0x1000, 0x1080, 0x1080 again and 0x5080, from IMAGE_BASE. */
__asm__(".section .rodata\n"
        "    .globl symbol_stream, symbol_stream_end\n"
        "symbol_stream:\n"
        "    .byte 0x80, 0x20\n"
        "    .asciz \"boot\"\n"
        "    .byte 0x80, 0x01, 3, 'x', 0\n"
        "    .byte 0, 'y', 4\n"
        "    .byte 0x80, 0x80, 0x01, 2, 0\n"
        "symbol_stream_end:\n"
        ".previous\n");

static void check(uint64_t offset, const char *want)
{
    char buf[64];

    assert_true(symbol_name(IMAGE_BASE + offset, buf, sizeof(buf)));
    assert_string_equal(buf, want);
}

static void finds_names(void **state)
{
    check(0x1000, "boot+0");
    check(0x107f, "boot+0x7f");
    check(0x1080, "yab+0"); /* the last of several at one address */
    check(0x507f, "yab+0x3fff");
    check(0x5080, "abc+0");
    check(0x123456, "abc+0x11e3d6");
}

static void finds_none_below(void **state)
{
    char buf[64];

    assert_false(symbol_name(0, buf, sizeof(buf)));
    assert_false(symbol_name(IMAGE_BASE - 1, buf, sizeof(buf)));
    assert_false(symbol_name(IMAGE_BASE + 0xfff, buf, sizeof(buf)));
}

static void keeps_to_the_buffer(void **state)
{
    char buf[8];

    for (size_t size = 1; size <= sizeof(buf); size++) {
        buf[size - 1] = 'z';
        assert_true(symbol_name(IMAGE_BASE + 0x5085, buf, size));
        char want[8];
        snprintf(want, size, "abc+0x5");
        assert_string_equal(buf, want);
    }
    assert_false(symbol_name(IMAGE_BASE + 0x5085, buf, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_names),
        cmocka_unit_test(finds_none_below),
        cmocka_unit_test(keeps_to_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
