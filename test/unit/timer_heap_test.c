/* sources: kernel/core/timer_heap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../kernel/core/timer_heap.h"

#define NR 2000

static struct timer timers[NR];

/* The heap's promises about one node and all below it; answers how many there are. */
static unsigned check_tree(const struct timer *t)
{
    unsigned nr = 1;
    const struct timer *before = t;

    for (const struct timer *c = t->child; c; before = c, c = c->next) {
        assert_true(c->deadline >= t->deadline);
        assert_ptr_equal(c->prev, before);
        nr += check_tree(c);
    }
    return nr;
}

static unsigned check_heap(const struct timer *root)
{
    if (!root)
        return 0;
    assert_null(root->prev);
    assert_null(root->next);
    return check_tree(root);
}

static void comes_out_in_order(void **state)
{
    struct timer *root = NULL;
    uint64_t last = 0;

    for (unsigned i = 0; i < NR; i++) {
        timers[i].deadline = (uint64_t)rand() % 500;
        root = timer_heap_add(root, &timers[i]);
    }
    assert_int_equal(check_heap(root), NR);
    for (unsigned i = 0; i < NR; i++) {
        assert_true(root->deadline >= last);
        last = root->deadline;
        root = timer_heap_remove(root, root);
    }
    assert_null(root);
}

static void survives_random_changes(void **state)
{
    struct timer *root = NULL;
    bool is_in[NR] = {0};
    unsigned nr = 0;

    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)rand() % NR;
        if (is_in[i]) {
            root = timer_heap_remove(root, &timers[i]);
            nr--;
        } else {
            timers[i].deadline = (uint64_t)rand();
            root = timer_heap_add(root, &timers[i]);
            nr++;
        }
        is_in[i] = !is_in[i];
        if (step % 97 == 0)
            assert_int_equal(check_heap(root), nr);
    }
    for (unsigned i = 0; i < NR; i++)
        if (is_in[i])
            assert_true(root->deadline <= timers[i].deadline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order),
        cmocka_unit_test(survives_random_changes),
    };
    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
