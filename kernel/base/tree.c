/* The AVL tree of base/tree.h.
 *
 * Heights of two siblings differ by at most one.  After an insertion or a removal one walk towards the root
 * restores heights, balance and summaries together, and ends as soon as a node comes out unchanged. */
#include <base/tree.h>

void tree_init(struct tree *t, tree_augment_fn *augment)
{
    t->root = NULL;
    t->augment = augment;
}

static inline int height_of(const struct tree_node *n)
{
    return n ? n->height : 0;
}

/* Bring `n` up to date with its children: did it change? */
static inline bool refresh(struct tree *t, struct tree_node *n)
{
    int height = 1 + MAX(height_of(n->child[0]), height_of(n->child[1]));
    bool changed = height != n->height;
    n->height = height;
    if (t->augment && t->augment(n))
        changed = true;
    return changed;
}

/* Put `new` (NULL: nothing) where `old` hangs below `parent`. */
static void replace_child(struct tree *t, struct tree_node *parent, struct tree_node *old,
                          struct tree_node *new)
{
    if (!parent)
        t->root = new;
    else
        parent->child[parent->child[1] == old] = new;
    if (new)
        new->parent = parent;
}

/*      n                c
 *     / \              / \
 *    a   c     =>     n   e      (side 1; side 0 is the mirror image)
 *       / \          / \
 *      d   e        a   d        Answers c. */
static struct tree_node *rotate(struct tree *t, struct tree_node *n, int side)
{
    struct tree_node *c = n->child[side], *d = c->child[!side];
    replace_child(t, n->parent, n, c);
    n->child[side] = d;
    if (d)
        d->parent = n;
    c->child[!side] = n;
    n->parent = c;
    refresh(t, n);
    refresh(t, c);
    return c;
}

/* Make `n`'s subtrees differ by at most one again; answers the root of what was n's subtree. */
static struct tree_node *balance(struct tree *t, struct tree_node *n)
{
    int lean = height_of(n->child[1]) - height_of(n->child[0]);
    if (lean >= -1 && lean <= 1)
        return n;
    int side = lean > 0;
    struct tree_node *c = n->child[side];
    if (height_of(c->child[side]) < height_of(c->child[!side]))
        rotate(t, c, !side);
    return rotate(t, n, side);
}

/* From `n` to the root, as far as anything changes.  With `moved`, `n` took another node's place, so that its
 * parent is out of date whatever became of `n` itself. */
static void repair(struct tree *t, struct tree_node *n, bool moved)
{
    while (n) {
        bool changed = refresh(t, n) || moved;
        struct tree_node *top = balance(t, n);
        if (!changed && top == n)
            return;
        moved = false;
        n = top->parent;
    }
}

void tree_insert(struct tree *t, struct tree_node *node, tree_less_fn *less)
{
    struct tree_node *parent = NULL, *at = t->root;
    int side = 0;
    while (at) {
        parent = at;
        side = !less(node, at);
        at = at->child[side];
    }
    node->parent = parent;
    node->child[0] = node->child[1] = NULL;
    node->height = 0; /* so that the first refresh counts as a change */
    if (parent)
        parent->child[side] = node;
    else
        t->root = node;
    repair(t, node, true);
}

void tree_remove(struct tree *t, struct tree_node *node)
{
    if (!node->child[0] || !node->child[1]) {
        struct tree_node *only = node->child[0] ? node->child[0] : node->child[1];
        struct tree_node *parent = node->parent;
        replace_child(t, parent, node, only);
        repair(t, parent, false);
        return;
    }

    /* The next node in order has no left child: take it out of its place and put it into this one. */
    struct tree_node *next = node->child[1];
    while (next->child[0])
        next = next->child[0];
    struct tree_node *lowest = next; /* where the shape changed */
    if (next->parent != node) {
        lowest = next->parent;
        replace_child(t, lowest, next, next->child[1]);
        next->child[1] = node->child[1];
        next->child[1]->parent = next;
    }
    next->child[0] = node->child[0];
    next->child[0]->parent = next;
    next->height = node->height;
    replace_child(t, node->parent, node, next);
    if (lowest != next)
        repair(t, lowest, false);
    repair(t, next, true);
}

void tree_touch(struct tree *t, struct tree_node *node)
{
    repair(t, node, false);
}

static struct tree_node *outermost(struct tree_node *n, int side)
{
    while (n && n->child[side])
        n = n->child[side];
    return n;
}

struct tree_node *tree_first(const struct tree *t)
{
    return outermost(t->root, 0);
}

struct tree_node *tree_last(const struct tree *t)
{
    return outermost(t->root, 1);
}

/* The neighbour on `side`: down once and back all the way, or up until we come from the other side. */
static struct tree_node *neighbour(const struct tree_node *n, int side)
{
    if (n->child[side])
        return outermost(n->child[side], !side);
    while (n->parent && n->parent->child[side] == n)
        n = n->parent;
    return n->parent;
}

struct tree_node *tree_next(const struct tree_node *n)
{
    return neighbour(n, 1);
}

struct tree_node *tree_prev(const struct tree_node *n)
{
    return neighbour(n, 0);
}
