/* Things whose pages can be mapped: references, finding who maps them, and shared anonymous memory. */
#include "vm_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/work.h>

void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops)
{
    ref_init(&o->ref);
    o->ops = ops;
    spin_init(&o->lock, RANK_PAGETABLE);
    list_init(&o->mappings);
    o->when_unmapped = NULL;
}

void vm_object_get(struct vm_object *o)
{
    ref_get(&o->ref);
}

void vm_object_put(struct vm_object *o)
{
    if (ref_put(&o->ref))
        o->ops->free(o);
}

void vm_object_drop_mapping(struct vm_object *o, struct vm_area *a)
{
    spin_lock(&o->lock);
    list_remove(&a->object_node);
    bool was_last = list_is_empty(&o->mappings);
    spin_unlock(&o->lock);
    if (was_last && o->when_unmapped)
        work_queue(o->when_unmapped);
}

/* --- taking pages out of every mapping ------------------------------------------------------------------- */

struct unmap {
    struct vm_object *object;
    uint64_t first, last; /* page indices */
    bool even_copies;
};

/* The part of `a` that shows pages [first, last]: false when none does. */
static bool part_of(const struct unmap *u, const struct vm_area *a, uintptr_t *start,
                    uintptr_t *end)
{
    uint64_t base = a->offset >> PAGE_SHIFT, pages = (a->end - a->start) >> PAGE_SHIFT;
    if (u->last < base || u->first >= base + pages)
        return false;
    uint64_t from = u->first > base ? u->first - base : 0;
    uint64_t to = u->last - base < pages ? u->last - base + 1 : pages;
    *start = a->start + (from << PAGE_SHIFT);
    *end = a->start + (to << PAGE_SHIFT);
    return true;
}

/* Step the cursor over the next area that shows such pages, and reference its vm; NULL: there is none left. */
static struct vm *next_mapping(const struct unmap *u, struct vm_area *cursor, uintptr_t *start,
                               uintptr_t *end)
{
    struct vm *found = NULL;
    spin_lock(&u->object->lock);
    while (!found && cursor->object_node.next != &u->object->mappings) {
        struct vm_area *a = list_entry(cursor->object_node.next, struct vm_area, object_node);
        list_remove(&cursor->object_node);
        list_add_after(&a->object_node, &cursor->object_node);
        /* Another call's cursor has no vm.  A vm on its way out drops its mappings itself. */
        if (a->vm && part_of(u, a, start, end) && ref_get_unless_zero(&a->vm->ref))
            found = a->vm;
    }
    spin_unlock(&u->object->lock);
    return found;
}

/* Whatever in [start, end) of this vm shows the pages now (it may have changed since the list was read). */
static void unmap_in(const struct unmap *u, struct vm *vm, uintptr_t start, uintptr_t end)
{
    mutex_lock(&vm->lock);
    vm_disturb_begin(vm);
    for (struct vm_area *a = vm_area_at(vm, start); a && a->start < end; a = vm_area_next(a)) {
        uintptr_t from, to;
        if (a->object == u->object && part_of(u, a, &from, &to))
            vm_pages_drop(vm, from, to, !u->even_copies);
    }
    vm_disturb_end(vm);
    mutex_unlock(&vm->lock);
}

void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool even_copies)
{
    /* No lock can be held from the list to an area's vm, so a cursor keeps our place in the list.  Areas that come
     * to show more of the object go to the list's end (vm_area_resize), so none is missed; new ones fault only on
     * what get_page still gives. */
    struct unmap u = {o, first, last, even_copies};
    struct vm_area cursor = {.vm = NULL};
    spin_lock(&o->lock);
    list_push_front(&o->mappings, &cursor.object_node);
    spin_unlock(&o->lock);

    uintptr_t start, end;
    for (struct vm *vm; (vm = next_mapping(&u, &cursor, &start, &end));) {
        unmap_in(&u, vm, start, end);
        vm_put(vm);
    }

    vm_object_drop_mapping(o, &cursor);
}
