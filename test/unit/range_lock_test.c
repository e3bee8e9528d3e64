/* sources: vfs/range_lock.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/fcntl.h>

#include <core/heap.h>
#include "../../vfs/range_lock.h"

static long nr_blocks;

static struct range_lock *new_lock(void)
{
    nr_blocks++;
    return calloc(1, sizeof(struct range_lock));
}

void heap_free(void *p)
{
    nr_blocks -= p != NULL;
    free(p);
}

/* A model: for each byte and owner, what is held; the last byte stands for all behind it. */
enum { BYTES = 25, OWNERS = 3 };
static int model[OWNERS][BYTES];
static char owners[OWNERS];

static bool apply(struct list *locks, const struct range_lock *request)
{
    struct range_lock *spare[2] = {new_lock(), new_lock()};
    bool gave_up = range_apply(locks, request, spare);
    heap_free(spare[0]);
    heap_free(spare[1]);
    return gave_up;
}

static void check(struct list *locks)
{
    int held[OWNERS][BYTES];
    struct range_lock *l, *m;
    for (int o = 0; o < OWNERS; o++)
        for (int b = 0; b < BYTES; b++)
            held[o][b] = F_UNLCK;
    list_for_each(l, locks, node) {
        assert_true(l->start <= l->end);
        for (int64_t b = l->start; b <= l->end && b < BYTES; b++) {
            int *slot = &held[(char *)l->owner - owners][b];
            assert_int_equal(*slot, F_UNLCK); /* an owner's locks do not overlap */
            *slot = l->type;
        }
        /* ... and those of one type that touch are one */
        list_for_each(m, locks, node)
            assert_false(m != l && m->owner == l->owner && m->type == l->type &&
                         l->end != INT64_MAX && m->start == l->end + 1);
    }
    assert_memory_equal(held, model, sizeof(model));
}

static void test_random(void **state)
{
    struct list locks = LIST_INIT(locks);
    for (int o = 0; o < OWNERS; o++)
        for (int b = 0; b < BYTES; b++)
            model[o][b] = F_UNLCK;
    srandom(7);
    for (int round = 0; round < 100000; round++) {
        static const int types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
        int owner = random() % OWNERS, a = random() % (BYTES - 1), b = random() % (BYTES - 1);
        struct range_lock r = {.owner = owners + owner,
                               .type = types[random() % 3],
                               .start = MIN(a, b),
                               .end = random() % 8 == 0 ? INT64_MAX : MAX(a, b)};
        bool expect = false, gives_up = false;
        for (int64_t n = r.start; n <= r.end && n < BYTES; n++) {
            for (int o = 0; o < OWNERS; o++)
                expect |= o != owner && r.type != F_UNLCK && model[o][n] != F_UNLCK &&
                          (model[o][n] == F_WRLCK || r.type == F_WRLCK);
            gives_up |= model[owner][n] != F_UNLCK && model[owner][n] != r.type;
        }
        assert_int_equal(range_find_conflict(&locks, &r) != NULL, expect);
        if (expect)
            continue;
        bool gave_up = apply(&locks, &r);
        assert_true(!gives_up || gave_up);
        for (int64_t n = r.start; n <= r.end && n < BYTES; n++)
            model[owner][n] = r.type;
        check(&locks);
    }
    for (int o = 0; o < OWNERS; o++) {
        struct range_lock all = {
            .owner = owners + o, .type = F_UNLCK, .start = 0, .end = INT64_MAX};
        struct range_lock *none[2] = {NULL, NULL};
        range_apply(&locks, &all, none);
    }
    assert_true(list_is_empty(&locks));
    assert_int_equal(nr_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
