/* The areas of an address space: a tree ordered by address in which every node also knows the extent of its
 * subtree and the largest hole inside it, so that finding an area, splitting, merging and finding room for a new
 * one take a number of steps that grows with the logarithm of the number of areas.
 *
 * Every function is called with vm->lock held (vm_area_find with vm->area_lock), and takes vm->area_lock itself to
 * change anything. */
#include "vm_private.h"

#include <base/string.h>
#include <core/heap.h>

static struct slab *area_slab;

static struct vm_area *area_of(const struct tree_node *n)
{
    return n ? tree_entry(n, struct vm_area, node) : NULL;
}

/* Where `a` begins for others: a stack keeps a gap below itself. */
static uintptr_t low_end(const struct vm_area *a)
{
    if (!(a->flags & AREA_STACK))
        return a->start;
    return a->start > STACK_GAP ? a->start - STACK_GAP : 0;
}

static uintptr_t hole_between(uintptr_t end, uintptr_t start)
{
    return start > end ? start - end : 0;
}

bool vm_area_augment(struct tree_node *n)
{
    struct vm_area *a = area_of(n);
    const struct vm_area *left = area_of(n->child[0]), *right = area_of(n->child[1]);
    uintptr_t low = low_end(a), high = a->end, gap = 0;
    if (left) {
        gap = MAX(left->max_gap, hole_between(left->high, low));
        low = left->low;
    }
    if (right) {
        gap = MAX(gap, MAX(right->max_gap, hole_between(a->end, right->low)));
        high = right->high;
    }
    bool changed = low != a->low || high != a->high || gap != a->max_gap;
    a->low = low;
    a->high = high;
    a->max_gap = gap;
    return changed;
}

static bool area_less(const struct tree_node *x, const struct tree_node *y)
{
    return area_of(x)->start < area_of(y)->start;
}

static struct vm_area *area_new(void)
{
    struct slab *s = atomic_load(&area_slab);
    if (!s) {
        /* The first address space is made before there is a second CPU's program to race with. */
        s = slab_new("vm_area", sizeof(struct vm_area));
        atomic_store(&area_slab, s);
    }
    struct vm_area *a = slab_alloc(s);
    if (a)
        list_init(&a->object_node);
    return a;
}

struct vm_area *vm_area_copy(const struct vm_area *like, uintptr_t start, uintptr_t end)
{
    struct vm_area *a = area_new();
    if (!a)
        return NULL;
    a->start = start;
    a->end = end;
    a->flags = like->flags;
    a->prot = like->prot;
    a->max_prot = like->max_prot;
    a->name = like->name;
    a->object = like->object;
    if (a->object) {
        vm_object_get(a->object);
        a->offset = like->offset + (start - like->start);
    }
    return a;
}

void vm_area_free(struct vm_area *a)
{
    if (a->object)
        vm_object_put(a->object);
    slab_free(area_slab, a);
}

/* --- looking ------------------------------------------------------------------------------------------- */

struct vm_area *vm_area_at(struct vm *vm, uintptr_t addr)
{
    assert(mutex_is_held(&vm->lock));
    struct vm_area *last = vm->last_found;
    if (!last || addr < last->start || addr >= last->end)
        vm->last_found = last = vm_area_find(vm, addr);
    return last;
}

struct vm_area *vm_area_find(const struct vm *vm, uintptr_t addr)
{
    struct vm_area *found = NULL;
    for (struct tree_node *n = vm->areas.root; n;) {
        struct vm_area *a = area_of(n);
        if (a->end > addr)
            found = a;
        n = n->child[a->end <= addr];
    }
    return found;
}

struct vm_area *vm_area_next(struct vm_area *a)
{
    return area_of(tree_next(&a->node));
}

static struct vm_area *area_last(const struct vm *vm)
{
    return area_of(tree_last(&vm->areas));
}

struct vm_area *vm_area_prev(struct vm_area *a)
{
    return area_of(tree_prev(&a->node));
}

uint64_t vm_area_index(const struct vm_area *a, uintptr_t addr)
{
    return (a->offset + (addr - a->start)) >> PAGE_SHIFT;
}

bool vm_area_is_data(const struct vm_area *a)
{
    return (a->prot & PROT_WRITE) && !(a->flags & (AREA_SHARED | AREA_STACK));
}

/* --- changing ------------------------------------------------------------------------------------------ */

/* Count `a` in (sign 1) or out (-1). */
static void account(const struct vm_area *a, int64_t sign)
{
    struct vm *vm = a->vm;
    uint64_t bytes = (uint64_t)sign * (a->end - a->start);
    vm->total_bytes += bytes;
    if (vm_area_is_data(a))
        vm->data_bytes += bytes;
    if (a->flags & AREA_STACK)
        vm->stack_bytes += bytes;
    if ((a->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC)
        vm->text_bytes += bytes;
    if (a->flags & AREA_LOCKED)
        vm->locked_bytes += bytes;
}

void vm_area_insert(struct vm *vm, struct vm_area *a)
{
    assert(mutex_is_held(&vm->lock));
    a->vm = vm;
    spin_lock(&vm->area_lock);
    tree_insert(&vm->areas, &a->node, area_less);
    vm->nr_areas++;
    spin_unlock(&vm->area_lock);
    account(a, 1);
    if (a->object) {
        spin_lock(&a->object->lock);
        list_push_back(&a->object->mappings, &a->object_node);
        spin_unlock(&a->object->lock);
    }
}

static bool may_write_object(const struct vm_area *a)
{
    return a->flags & AREA_SHARED && a->max_prot & PROT_WRITE;
}

int vm_object_seal(struct vm_object *o)
{
    struct vm_area *a;
    int ret = 0;
    spin_lock(&o->lock);
    list_for_each(a, &o->mappings, object_node)
        if (may_write_object(a))
            ret = -EBUSY;
    o->is_sealed |= ret == 0;
    spin_unlock(&o->lock);
    return ret;
}

/* Of an area that is on its object's list: whoever seals sees it there, or it sees the seal. */
static bool breaks_seal(const struct vm_area *a)
{
    if (!a->object || !may_write_object(a))
        return false;
    spin_lock(&a->object->lock);
    bool ret = a->object->is_sealed;
    spin_unlock(&a->object->lock);
    return ret;
}

int vm_area_add(struct vm_change *c, const struct vm_area *like)
{
    struct vm *vm = c->vm;
    struct vm_area *above = vm_area_at(vm, like->start),
                   *below = above ? vm_area_prev(above) : area_last(vm);
    if (below && below->prot == like->prot && vm_area_fits(below, like)) {
        vm_area_resize(below, below->start, like->end);
        if (above && above->start == like->end)
            vm_area_merge(c, like->start, like->end);
        return 0;
    }
    if (above && above->prot == like->prot && vm_area_fits(like, above)) {
        vm_area_resize(above, like->start, above->end);
        return 0;
    }
    struct vm_area *a =
        vm->nr_areas < MAX_AREAS ? vm_area_copy(like, like->start, like->end) : NULL;
    if (!a)
        return -ENOMEM;
    vm_area_insert(vm, a);
    if (!breaks_seal(a))
        return 0;
    vm_area_remove(c, a);
    return -EPERM;
}

void vm_area_remove(struct vm_change *c, struct vm_area *a)
{
    struct vm *vm = c->vm;
    if (vm->last_found == a)
        vm->last_found = NULL;
    account(a, -1);
    spin_lock(&vm->area_lock);
    tree_remove(&vm->areas, &a->node);
    vm->nr_areas--;
    spin_unlock(&vm->area_lock);
    if (a->object) {
        spin_lock(&a->object->lock);
        list_remove(&a->object_node);
        spin_unlock(&a->object->lock);
    }
    list_push_back(&c->dead, &a->object_node);
}

void vm_area_resize(struct vm_area *a, uintptr_t start, uintptr_t end)
{
    struct vm *vm = a->vm;
    account(a, -1);
    bool grows = start < a->start || end > a->end;
    spin_lock(&vm->area_lock);
    if (a->object) {
        spin_lock(&a->object->lock);
        a->offset += start - a->start;
        if (grows) {
            /* vm_object_unmap may have passed this area already. */
            list_remove(&a->object_node);
            list_push_back(&a->object->mappings, &a->object_node);
        }
    }
    a->start = start;
    a->end = end;
    if (a->object)
        spin_unlock(&a->object->lock);
    tree_touch(&vm->areas, &a->node);
    spin_unlock(&vm->area_lock);
    account(a, 1);
}

void vm_area_set_prot(struct vm_area *a, int prot)
{
    account(a, -1);
    spin_lock(&a->vm->area_lock);
    a->prot = (uint8_t)prot;
    spin_unlock(&a->vm->area_lock);
    account(a, 1);
}

void vm_area_set_flags(struct vm_area *a, unsigned flags)
{
    account(a, -1);
    spin_lock(&a->vm->area_lock);
    a->flags = flags;
    spin_unlock(&a->vm->area_lock);
    account(a, 1);
}

int vm_area_split(struct vm_area *a, uintptr_t at)
{
    assert(at > a->start && at < a->end);
    if (a->vm->nr_areas >= MAX_AREAS)
        return -ENOMEM;
    int err = vm_pages_cut_at(a->vm, at);
    if (err)
        return err;
    struct vm_area *upper = vm_area_copy(a, at, a->end);
    if (!upper)
        return -ENOMEM;
    /* In this order vm_object_unmap finds every page in some area at any time. */
    vm_area_insert(a->vm, upper);
    vm_area_resize(a, a->start, at);
    return 0;
}

int vm_area_cut(struct vm *vm, uintptr_t start, uintptr_t end)
{
    struct vm_area *a = vm_area_at(vm, start);
    if (a && a->start < start) {
        int err = vm_area_split(a, start);
        if (err)
            return err;
    }
    a = vm_area_at(vm, end);
    return a && a->start < end ? vm_area_split(a, end) : 0;
}

bool vm_area_fits(const struct vm_area *a, const struct vm_area *b)
{
    const struct vm_area *low = a->start < b->start ? a : b, *high = low == a ? b : a;
    if (low->end != high->start || a->flags != b->flags || a->max_prot != b->max_prot ||
        a->object != b->object || a->name != b->name)
        return false;
    return !a->object || low->offset + (low->end - low->start) == high->offset;
}

void vm_area_merge(struct vm_change *c, uintptr_t start, uintptr_t end)
{
    struct vm_area *a = vm_area_at(c->vm, start > 0 ? start - 1 : 0);
    while (a && a->start < end) {
        struct vm_area *b = vm_area_next(a);
        if (!b)
            break;
        if (a->prot != b->prot || !vm_area_fits(a, b)) {
            a = b;
            continue;
        }
        vm_area_resize(a, a->start, b->end); /* first: see vm_area_split */
        vm_area_remove(c, b);
    }
}

/* --- room ------------------------------------------------------------------------------------------------ */

bool vm_area_is_free(struct vm *vm, uintptr_t start, uintptr_t end)
{
    struct vm_area *a = vm_area_at(vm, start);
    return !a || end <= low_end(a);
}

struct room {
    uintptr_t low, high;
    size_t len, align;
    bool bottom_up;
};

/* The place in the hole [start, end); 0: it does not fit. */
static uintptr_t room_in_hole(const struct room *r, uintptr_t start, uintptr_t end)
{
    start = ALIGN_UP(MAX(start, r->low), r->align);
    end = MIN(end, r->high);
    if (end < r->len)
        return 0;
    uintptr_t last = ALIGN_DOWN(end - r->len, r->align);
    if (start > last)
        return 0;
    return r->bottom_up ? start : last;
}

/* The same for all holes between `start`, the subtree's areas and `end`.  As deep as the tree is high. */
static uintptr_t room_in_subtree(const struct room *r, const struct tree_node *n, uintptr_t start,
                                 uintptr_t end)
{
    if (start >= r->high || end <= r->low || hole_between(start, end) < r->len)
        return 0;
    if (!n)
        return room_in_hole(r, start, end);
    const struct vm_area *a = area_of(n);
    if (MAX(a->max_gap, MAX(hole_between(start, a->low), hole_between(a->high, end))) < r->len)
        return 0;
    uintptr_t found;
    if (r->bottom_up) {
        found = room_in_subtree(r, n->child[0], start, low_end(a));
        return found ? found : room_in_subtree(r, n->child[1], a->end, end);
    }
    found = room_in_subtree(r, n->child[1], a->end, end);
    return found ? found : room_in_subtree(r, n->child[0], start, low_end(a));
}

uintptr_t vm_area_find_room(struct vm *vm, uintptr_t low, uintptr_t high, size_t len, size_t align,
                            bool bottom_up)
{
    struct room r = {low, high, len, align, bottom_up};
    return room_in_subtree(&r, vm->areas.root, 0, vm->top);
}
