/* sources: kernel/base/tree.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include <base/bitmap.h>
#include <base/tree.h>

#define NR 400

struct item {
    struct tree_node node;
    int key, weight;
    int heaviest; /* of the subtree */
    bool is_in;
};

static struct item items[NR];

static struct item *item_of(const struct tree_node *n)
{
    return n ? tree_entry(n, struct item, node) : NULL;
}

static int heaviest_of(const struct tree_node *n)
{
    return n ? item_of(n)->heaviest : -1;
}

static bool augment(struct tree_node *n)
{
    struct item *i = item_of(n);
    int old = i->heaviest;
    i->heaviest = MAX(i->weight, MAX(heaviest_of(n->child[0]), heaviest_of(n->child[1])));
    return i->heaviest != old;
}

static bool less(const struct tree_node *a, const struct tree_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

/* Answers the height; checks links, balance and summaries. */
static int check_subtree(const struct tree_node *n, int *count)
{
    if (!n)
        return 0;
    int height[2], heaviest = item_of(n)->weight;
    for (int side = 0; side < 2; side++) {
        const struct tree_node *c = n->child[side];
        height[side] = check_subtree(c, count);
        heaviest = MAX(heaviest, heaviest_of(c));
        assert_true(!c || c->parent == n);
    }
    assert_in_range(height[0] - height[1] + 1, 0, 2);
    assert_int_equal(n->height, 1 + MAX(height[0], height[1]));
    assert_int_equal(item_of(n)->heaviest, heaviest);
    ++*count;
    return n->height;
}

static void check(const struct tree *t, int expected)
{
    int count = 0;
    check_subtree(t->root, &count);
    assert_int_equal(count, expected);
    const struct tree_node *prev = NULL;
    for (struct tree_node *n = tree_first(t); n; prev = n, n = tree_next(n)) {
        assert_ptr_equal(tree_prev(n), prev);
        assert_true(!prev || item_of(prev)->key <= item_of(n)->key);
        assert_true(item_of(n)->is_in);
        count--;
    }
    assert_ptr_equal(tree_last(t), prev);
    assert_int_equal(count, 0);
}

static void survives_random_changes(void **state)
{
    struct tree t;
    int in = 0;
    tree_init(&t, augment);
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        struct item *i = &items[random() % NR];
        if (!i->is_in) {
            i->key = random() % 300;
            i->weight = random() % 1000;
            i->is_in = true;
            in++;
            tree_insert(&t, &i->node, less);
        } else if (random() % 3 == 0) {
            i->weight = random() % 1000;
            tree_touch(&t, &i->node);
        } else {
            i->is_in = false;
            in--;
            tree_remove(&t, &i->node);
        }
        if (round % 16 == 0)
            check(&t, in);
    }
    for (int k = 0; k < NR; k++)
        if (items[k].is_in)
            tree_remove(&t, &items[k].node);
    assert_null(t.root);
}

static void keeps_order_of_equal_keys(void **state)
{
    struct tree t;
    tree_init(&t, NULL);
    for (int k = 0; k < 50; k++) {
        items[k].key = k % 2;
        tree_insert(&t, &items[k].node, less);
    }
    int expected = 0;
    for (struct tree_node *n = tree_first(&t); n; n = tree_next(n)) {
        assert_ptr_equal(item_of(n), &items[expected]);
        expected += 2;
        if (expected == 50)
            expected = 1;
    }
}

static void bitmap_finds_holes(void **state)
{
    uint64_t map[BITMAP_WORDS(130)] = {0};
    for (size_t bit = 0; bit < 130; bit++) {
        assert_int_equal(bitmap_find_clear(map, 130, 0), bit);
        bitmap_set(map, bit);
        assert_true(bitmap_has(map, bit));
    }
    assert_int_equal(bitmap_find_clear(map, 130, 0), 130);
    bitmap_clear(map, 77);
    assert_int_equal(bitmap_find_clear(map, 130, 3), 77);
    assert_int_equal(bitmap_find_clear(map, 130, 78), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_random_changes),
        cmocka_unit_test(keeps_order_of_equal_keys),
        cmocka_unit_test(bitmap_finds_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
