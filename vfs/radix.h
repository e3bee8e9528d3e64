/* A sparse array of pointers by 64-bit index: the pages of a file.
 *
 * No locking and no state of its own: the owner's lock guards it.  Items are never NULL. */
#pragma once

#include <base/types.h>

#define RADIX_BITS  4
#define RADIX_SLOTS (1u << RADIX_BITS)

struct radix {
    void *root;      /* an item when height is 0, else a node */
    unsigned height; /* levels of nodes */
};

void *radix_get(const struct radix *t, uint64_t index); /* NULL: nothing there */
/* Put an item where there is none: 0 or -ENOMEM. */
must_check int radix_insert(struct radix *t, uint64_t index, void *item);
/* Take it out: the item, or NULL. */
void *radix_remove(struct radix *t, uint64_t index);
/* The first item at *index or behind it, and its place in *index; NULL: none. */
void *radix_next(const struct radix *t, uint64_t *index);
