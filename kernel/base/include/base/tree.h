/* Intrusive balanced binary tree (AVL) with parent links, ordered by the owner's key.
 *
 * Searching is the owner's: descend from tree->root over child[0] (smaller) and child[1] (larger).  A tree can
 * be augmented: each node then also keeps a summary of its subtree (say, the largest gap), which `augment`
 * computes anew from the node and its two children whenever one of them may have changed.  No locking. */
#pragma once

#include <base/types.h>

struct tree_node {
    struct tree_node *parent;
    struct tree_node *child[2];
    int height; /* a leaf has 1 */
};

/* Compute `n`'s summary; answers whether it is another one than before. */
typedef bool tree_augment_fn(struct tree_node *n);
/* Does `a` come before `b`? */
typedef bool tree_less_fn(const struct tree_node *a, const struct tree_node *b);

struct tree {
    struct tree_node *root;
    tree_augment_fn *augment; /* NULL: plain */
};

void tree_init(struct tree *t, tree_augment_fn *augment);

/* Equal keys: the new node comes last. */
void tree_insert(struct tree *t, struct tree_node *node, tree_less_fn *less);
void tree_remove(struct tree *t, struct tree_node *node);
/* The fields that `node`'s summary comes from have changed (its place in the order has not). */
void tree_touch(struct tree *t, struct tree_node *node);

/* In order; NULL: there is none. */
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *n);
struct tree_node *tree_prev(const struct tree_node *n);

#define tree_entry(node, type, member) container_of(node, type, member)
