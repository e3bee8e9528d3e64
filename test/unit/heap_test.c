/* sources: kernel/base/tree.c */
#include "fake_heap.h"

#define MIB (1UL << 20)

static void fill(uint8_t *p, size_t size, uint8_t tag)
{
    memset(p, tag, size);
}

static void check(const uint8_t *p, size_t size, uint8_t tag)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(p[i], tag);
}

static void survives_random_changes(void **state)
{
    static struct {
        uint8_t *p;
        size_t size;
    } held[500];
    size_t used = heap_bytes_used();
    for (int round = 0; round < 100000; round++) {
        unsigned i = fake_random() % ARRAY_LEN(held);
        size_t size = fake_random() % (fake_random() % 16 ? 700 : 20000);
        switch (held[i].p ? fake_random() % 2 : 2) {
        case 0:
            check(held[i].p, held[i].size, (uint8_t)i);
            heap_free(held[i].p);
            held[i].p = NULL;
            break;
        case 1:
            held[i].p = heap_realloc(held[i].p, size);
            check(held[i].p, MIN(size, held[i].size), (uint8_t)i);
            held[i].size = size;
            fill(held[i].p, size, (uint8_t)i);
            break;
        default:
            held[i].size = size;
            held[i].p = heap_zalloc(size);
            check(held[i].p, size, 0);
            assert_int_equal((uintptr_t)held[i].p % 16, 0);
            fill(held[i].p, size, (uint8_t)i);
        }
    }
    assert_true(heap_bytes_used() > used);
    for (unsigned i = 0; i < ARRAY_LEN(held); i++)
        heap_free(held[i].p);
    assert_int_equal(heap_bytes_used(), used);
}

static void aligns_for_arch(void **state)
{
    static const size_t sizes[] = {1, 64, 100, 576, 1000, 1500, 2040, 2048, 2700, 9000};
    void *p[ARRAY_LEN(sizes)];
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        p[i] = up_alloc(sizes[i]);
        assert_int_equal((uintptr_t)p[i] % 64, 0);
        check(p[i], sizes[i], 0);
        fill(p[i], sizes[i], 0xff);
    }
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        up_free(p[i]);
}

static void gives_pages_back(void **state)
{
    static void *p[3000];
    struct slab *s = slab_new("thing", 300);
    drain_own_cache();
    uint64_t before = page_count_free();
    for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = slab_alloc(s);
        check(p[i], 300, 0);
        memset(p[i], 1, 300);
    }
    assert_int_equal(slab_in_use(s), ARRAY_LEN(p));
    assert_true(page_count_free() <= before - ARRAY_LEN(p) * 300 / PAGE_SIZE);
    for (unsigned i = 0; i < ARRAY_LEN(p); i++)
        slab_free(s, p[i]);
    assert_int_equal(slab_in_use(s), 0);
    assert_true(page_count_free() >= before - 4); /* one empty page, and what the magazine holds */
}

static void refuses_what_cannot_be(void **state)
{
    assert_null(heap_alloc(64 * MIB));
    assert_null(heap_alloc(SIZE_MAX));
    heap_free(NULL);
    heap_free(heap_alloc(600)); /* never written to */
    heap_free(heap_alloc(600));
    char *copy = heap_strdup("copy");
    assert_string_equal(copy, "copy");
    heap_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_random_changes),
        cmocka_unit_test(aligns_for_arch),
        cmocka_unit_test(gives_pages_back),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
