/* sources: vfs/archive.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/errno.h>
#include <vfs/archive.h>

/* An archive under construction, in a block of its exact size so that reading behind it is noticed. */
static uint8_t *data;
static size_t size;

static void start(void **state)
{
    (void)state;
    free(data);
    data = NULL;
    size = 0;
}

static void put(const void *p, size_t n)
{
    data = realloc(data, size + n);
    memcpy(data + size, p, n);
    size += n;
}

static void pad(void)
{
    while (size % 4)
        put("", 1);
}

static void put_entry(const char *name, size_t name_size, unsigned mode, const char *contents)
{
    char header[111];
    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX%08X",
             77, mode, 1, 2, 3, 4, (unsigned)strlen(contents), 5, 6, 7, 8, name_size, 0);
    put(header, 110);
    char *padded = calloc(1, name_size);
    memcpy(padded, name, MIN(strlen(name), name_size));
    put(padded, name_size);
    free(padded);
    pad();
    put(contents, strlen(contents));
    pad();
}

static void put_file(const char *name, const char *contents)
{
    put_entry(name, strlen(name) + 1, 0100644, contents);
}

static void put_trailer(void)
{
    put_entry("TRAILER!!!", 11, 0, "");
}

static void expect(struct archive *a, const char *name, const char *contents)
{
    struct archive_entry e;
    assert_int_equal(archive_next(a, &e), 1);
    assert_string_equal(e.name, name);
    assert_int_equal(e.name_len, strlen(name));
    assert_int_equal(e.size, strlen(contents));
    assert_memory_equal(e.data, contents, e.size);
}

static void expect_end(struct archive *a)
{
    struct archive_entry e;
    assert_int_equal(archive_next(a, &e), 0);
    assert_int_equal(archive_next(a, &e), 0);
}

static void expect_error(const char *part)
{
    struct archive a;
    struct archive_entry e;
    int ret;
    archive_open(&a, data, size);
    while ((ret = archive_next(&a, &e)) > 0)
        ;
    assert_int_equal(ret, -EINVAL);
    assert_non_null(strstr(a.error, part));
    assert_true(a.error_offset < size || size == 0);
}

static void test_plain(void **state)
{
    struct archive a;
    start(state);
    put_entry(".", 2, 040755, "");
    put_file("./bin/x", "contents");
    put_file("/abs", "1");
    put_file("name", "");
    put_trailer();
    assert_true(archive_is_one(data, size));
    archive_open(&a, data, size);
    expect(&a, "", "");
    expect(&a, "bin/x", "contents");
    expect(&a, "abs", "1");
    expect(&a, "name", "");
    expect_end(&a);
}

static void test_fields(void **state)
{
    struct archive a;
    struct archive_entry e;
    start(state);
    put_file("f", "x");
    archive_open(&a, data, size);
    assert_int_equal(archive_next(&a, &e), 1);
    assert_int_equal(e.ino, 77);
    assert_int_equal(e.mode, 0100644);
    assert_int_equal(e.uid, 1);
    assert_int_equal(e.gid, 2);
    assert_int_equal(e.nlink, 3);
    assert_int_equal(e.mtime, 4);
    assert_int_equal(e.major, 5);
    assert_int_equal(e.rdev_minor, 8);
    expect_end(&a); /* no trailer is fine */
}

static void test_long_names(void **state)
{
    struct archive a;
    start(state);
    put_entry("padded", 4096 - 110, 0100644, "page aligned");
    put_entry("more", 8192, 0100644, "x");
    put_trailer();
    archive_open(&a, data, size);
    expect(&a, "padded", "page aligned");
    expect(&a, "more", "x");
    expect_end(&a);
}

static void test_several(void **state)
{
    struct archive a;
    start(state);
    put_file("one", "1");
    put_trailer();
    for (int n = 0; n < 512; n++)
        put("", 1);
    put_file("two", "2");
    put_trailer();
    put("\0\0\0", 3);
    archive_open(&a, data, size);
    expect(&a, "one", "1");
    expect(&a, "two", "2");
    expect_end(&a);
}

static void test_foreign(void **state)
{
    start(state);
    put("\x1f\x8b\x08\0\0\0\0\0\0\0", 10);
    assert_true(archive_is_one(data, size));
    expect_error("compressed archives (gzip) are not supported");
    start(state);
    put_file("early", "x"); /* microcode in front of a compressed archive */
    put_trailer();
    put("\xfd"
        "7zXZ\0",
        6);
    expect_error("compressed archives (xz) are not supported");
    start(state);
    put("\x7f"
        "ELF",
        4);
    assert_false(archive_is_one(data, size));
    expect_error("no cpio header");
}

static void test_corrupt(void **state)
{
    start(state);
    put_file("f", "contents");
    data[10] = 'x';
    expect_error("hexadecimal");
    start(state);
    put_file("f", "contents");
    memset(data + 6 + 11 * 8, '0', 8);
    expect_error("empty or too long");
    memset(data + 6 + 11 * 8, 'f', 8);
    expect_error("empty or too long");
    memcpy(data + 6 + 11 * 8, "00000001", 8);
    expect_error("without an end");
    start(state);
    put_file("f", "contents");
    memcpy(data + 6 + 6 * 8, "FFFFFFFF", 8);
    expect_error("cut off");
    start(state);
    put("0", 1);
    put_file("f", "contents");
    expect_error("no cpio header");
    start(state);
    put("\0", 1);
    put_file("f", "contents");
    expect_error("not aligned");
}

/* Whatever is cut off or changed: an answer, and nothing is read outside. */
static void test_mutations(void **state)
{
    srandom(3);
    for (int round = 0; round < 20000; round++) {
        start(state);
        put_file("some/name", "contents");
        put_entry("other", 50, 0120777, "target");
        put_trailer();
        put_file("last", "x");
        for (int n = random() % 4; n > 0; n--)
            data[random() % size] = random() % 2 ? "0123456789abcdefF"[random() % 17] : random();
        size_t cut = random() % 3 ? size : random() % size;
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, data, cut);
        struct archive a;
        struct archive_entry e;
        archive_open(&a, exact, cut);
        unsigned entries = 0;
        int ret;
        while ((ret = archive_next(&a, &e)) > 0) {
            entries++;
            assert_true((const uint8_t *)e.data >= exact &&
                        (const uint8_t *)e.data + e.size <= exact + cut);
            assert_int_equal(strlen(e.name), e.name_len);
        }
        assert_true(entries <= 4);
        assert_true(ret == 0 || a.error);
        free(exact);
    }
    start(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_long_names), cmocka_unit_test(test_several),
        cmocka_unit_test(test_foreign),    cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
