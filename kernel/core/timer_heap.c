/* A pairing heap of timers: each node has a list of children (child, then next of each), none of them due earlier
 * than itself.  Adding is O(1); removing is O(log n) on average.
 *
 *        root            prev of the first child is its parent,
 *        /               of the others the sibling before it
 *     child - next - next
 */
#include "timer_heap.h"

/* Two roots into one; equal deadlines keep their order of arrival (`a` came first). */
static struct timer *heap_merge(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct timer *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* A list of siblings into one heap: merged in pairs from left to right, then the pairs from right to left. */
static struct timer *heap_merge_list(struct timer *first)
{
    struct timer *pairs = NULL, *root = NULL;

    while (first) {
        struct timer *second = first->next, *rest = second ? second->next : NULL;
        first->next = NULL;
        if (second)
            second->next = NULL;
        struct timer *pair = heap_merge(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs) {
        struct timer *rest = pairs->next;
        pairs->next = NULL;
        root = heap_merge(pairs, root);
        pairs = rest;
    }
    return root;
}

struct timer *timer_heap_add(struct timer *root, struct timer *t)
{
    t->child = t->next = t->prev = NULL;
    return heap_merge(root, t);
}

struct timer *timer_heap_remove(struct timer *root, struct timer *t)
{
    struct timer *below = heap_merge_list(t->child);

    if (t == root) {
        root = below;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        root = heap_merge(root, below);
    }
    if (root)
        root->next = root->prev = NULL;
    t->child = t->next = t->prev = NULL;
    return root;
}
