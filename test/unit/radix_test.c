/* sources: vfs/radix.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <core/heap.h>
#include "../../vfs/radix.h"

static long nr_blocks, fail_after = -1;

void *heap_zalloc(size_t size)
{
    if (fail_after == 0)
        return NULL;
    if (fail_after > 0)
        fail_after--;
    nr_blocks++;
    return calloc(1, size);
}

void heap_free(void *p)
{
    nr_blocks -= p != NULL;
    free(p);
}

static char items[4096];

static void test_sparse(void **state)
{
    static const uint64_t places[] = {
        0, 1, 15, 16, 255, 256, 4095, 1ul << 20, (1ul << 40) + 7, UINT64_MAX >> 12, UINT64_MAX};
    struct radix t = {0};
    for (unsigned n = 0; n < ARRAY_LEN(places); n++) {
        assert_null(radix_get(&t, places[n]));
        assert_int_equal(radix_insert(&t, places[n], items + n), 0);
    }
    uint64_t at = 0;
    for (unsigned n = 0; n < ARRAY_LEN(places); n++) {
        assert_ptr_equal(radix_get(&t, places[n]), items + n);
        assert_ptr_equal(radix_next(&t, &at), items + n);
        assert_int_equal(at, places[n]);
        at++;
    }
    for (unsigned n = ARRAY_LEN(places); n-- > 0;) {
        assert_ptr_equal(radix_remove(&t, places[n]), items + n);
        assert_null(radix_remove(&t, places[n]));
    }
    at = 0;
    assert_null(radix_next(&t, &at));
    assert_int_equal(nr_blocks, 0);
}

/* Random operations against a plain array, with allocations that fail now and then. */
static void test_random(void **state)
{
    static void *model[5000];
    struct radix t = {0};
    srandom(1);
    memset(model, 0, sizeof(model));
    for (int round = 0; round < 200000; round++) {
        unsigned index = random() % (random() % 2 ? 5000 : 40);
        fail_after = random() % 8 == 0 ? random() % 3 : -1;
        if (random() % 2) {
            if (!model[index]) {
                void *item = items + random() % sizeof(items);
                if (radix_insert(&t, index, item) == 0)
                    model[index] = item;
            }
        } else {
            assert_ptr_equal(radix_remove(&t, index), model[index]);
            model[index] = NULL;
        }
        fail_after = -1;
        assert_ptr_equal(radix_get(&t, index), model[index]);
        uint64_t at = index;
        void *next = radix_next(&t, &at);
        unsigned want = index;
        while (want < 5000 && !model[want])
            want++;
        assert_ptr_equal(next, want < 5000 ? model[want] : NULL);
        if (next)
            assert_int_equal(at, want);
    }
    for (unsigned n = 0; n < 5000; n++)
        radix_remove(&t, n);
    assert_int_equal(nr_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sparse),
                                       cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
