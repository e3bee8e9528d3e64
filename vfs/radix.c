/* The sparse array: a tree of 16-way nodes, as high as its largest index needs.
 *
 *     height 2:        root            index = hhhh llll
 *                     /    \                   ^^^^ slot in the root, ^^^^ slot below
 *                  node    node
 *                 / | \     |
 *              items ...   items */
#include <base/errno.h>
#include <core/heap.h>

#include "radix.h"

struct node {
    unsigned nr_used;
    void *slot[RADIX_SLOTS];
};

/* How many levels an index needs: 0 for index 0. */
static unsigned height_for(uint64_t index)
{
    unsigned height = 0;
    for (; index; index >>= RADIX_BITS)
        height++;
    return height;
}

static unsigned slot_at(uint64_t index, unsigned level)
{
    return index >> (level - 1) * RADIX_BITS & (RADIX_SLOTS - 1);
}

void *radix_get(const struct radix *t, uint64_t index)
{
    if (t->height < 16 && index >> t->height * RADIX_BITS)
        return NULL;
    void *p = t->root;
    for (unsigned level = t->height; level > 0 && p; level--)
        p = ((struct node *)p)->slot[slot_at(index, level)];
    return p;
}

/* Put a node above the root until `index` has a place. */
static int grow(struct radix *t, uint64_t index)
{
    unsigned need = height_for(index);
    if (!t->root) {
        t->height = need;
        return 0;
    }
    while (t->height < need) {
        struct node *n = heap_zalloc(sizeof(*n));
        if (!n)
            return -ENOMEM;
        n->slot[0] = t->root;
        n->nr_used = 1;
        t->root = n;
        t->height++;
    }
    return 0;
}

/* Forget empty nodes on the way to `index`, lowest first: the whole tree when nothing is left. */
static void prune(struct radix *t, uint64_t index)
{
    for (unsigned lowest = 1; lowest <= t->height; lowest++) {
        void **link = &t->root;
        struct node *above = NULL;
        for (unsigned level = t->height; level > lowest && *link; level--) {
            above = *link;
            link = &above->slot[slot_at(index, level)];
        }
        struct node *n = *link;
        if (!n)
            continue; /* insertion stopped above it */
        if (n->nr_used > 0)
            return;
        heap_free(n);
        *link = NULL;
        if (above)
            above->nr_used--;
    }
    if (!t->root)
        t->height = 0;
}

int radix_insert(struct radix *t, uint64_t index, void *item)
{
    if (grow(t, index) < 0)
        return -ENOMEM;
    void **link = &t->root;
    for (unsigned level = t->height; level > 0; level--) {
        struct node *n = *link;
        if (!n) {
            n = heap_zalloc(sizeof(*n));
            if (!n) {
                prune(t, index);
                return -ENOMEM;
            }
            *link = n;
            if (level < t->height)
                container_of(link - slot_at(index, level + 1), struct node, slot[0])->nr_used++;
        }
        link = &n->slot[slot_at(index, level)];
        if (level == 1)
            n->nr_used++;
    }
    *link = item;
    return 0;
}

void *radix_remove(struct radix *t, uint64_t index)
{
    void *item = radix_get(t, index);
    if (!item)
        return NULL;
    struct node *n = t->root;
    if (t->height == 0) {
        t->root = NULL;
        return item;
    }
    for (unsigned level = t->height; level > 1; level--)
        n = n->slot[slot_at(index, level)];
    n->slot[slot_at(index, 1)] = NULL;
    n->nr_used--;
    prune(t, index);
    return item;
}

void *radix_next(const struct radix *t, uint64_t *index)
{
    uint64_t at = *index;
    while (t->root && (t->height >= 16 || !(at >> t->height * RADIX_BITS))) {
        /* Down to the item, or to the empty slot that says how far to jump. */
        void *p = t->root;
        unsigned level = t->height;
        while (level > 0 && p) {
            p = ((struct node *)p)->slot[slot_at(at, level)];
            level--;
        }
        if (p) {
            *index = at;
            return p;
        }
        unsigned shift = level * RADIX_BITS;
        uint64_t next = ((at >> shift) + 1) << shift;
        if (next <= at)
            break; /* wrapped: the end of the index space */
        at = next;
    }
    return NULL;
}
