/* mremap: shrinking, growing in place, moving.  Pages are carried over, never copied. */
#include "vm_private.h"

#define KNOWN_FLAGS (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

struct remap {
    struct vm_change *c;
    uintptr_t from;
    size_t old_len, new_len; /* whole pages */
    int flags;
    uintptr_t want; /* with MREMAP_FIXED: the place; with DONTUNMAP: a hint */
    uintptr_t result;
};

static int check(const struct remap *r, const struct vm *vm)
{
    bool has_place = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    if (r->flags & ~KNOWN_FLAGS || r->from % PAGE_SIZE != 0 || r->new_len == 0 ||
        r->new_len > vm->top)
        return -EINVAL;
    if (!has_place)
        return 0;
    if (r->want % PAGE_SIZE != 0 || r->want > vm->top - r->new_len ||
        (r->flags & MREMAP_DONTUNMAP && r->old_len != r->new_len) || !(r->flags & MREMAP_MAYMOVE))
        return -EINVAL;
    bool overlaps = r->want < r->from + r->old_len && r->from < r->want + r->new_len;
    return overlaps && r->flags & MREMAP_FIXED ? -EINVAL : 0;
}

/* May the area's mapping grow? */
static int check_growth(const struct vm_area *a, size_t more)
{
    struct vm *vm = a->vm;
    if (a->object && a->offset + (a->end - a->start) + more < a->offset)
        return -EINVAL;
    if (a->flags & AREA_LOCKED && vm->locked_bytes + more > vm->limits.memlock)
        return -EAGAIN;
    return vm_may_grow(vm, more, vm_area_is_data(a) ? more : 0) ? 0 : -ENOMEM;
}

/* A place for new_len bytes: mmap's own choice, or what MREMAP_FIXED says, emptied. */
static int make_room(struct remap *r)
{
    struct vm_map_args args = {
        .addr = r->want,
        .len = r->new_len,
        .flags = MAP_PRIVATE | (r->flags & MREMAP_FIXED ? MAP_FIXED : 0),
    };
    int err = vm_choose_place(r->c->vm, &args, r->new_len, &r->result);
    if (err || !(r->flags & MREMAP_FIXED))
        return err;
    return vm_unmap_locked(r->c, r->result, r->result + r->new_len);
}

/* Areas for the destination like those in the source, on a list.  0 or -ENOMEM. */
static int copy_areas(const struct remap *r, struct list *copies)
{
    struct vm *vm = r->c->vm;
    uintptr_t end = r->from + MAX(r->old_len, 1UL);
    for (struct vm_area *a = vm_area_at(vm, r->from); a && a->start < end; a = vm_area_next(a)) {
        /* With old_len 0 from the middle of an area. */
        uintptr_t start = MAX(a->start, r->from);
        struct vm_area *copy = vm_area_copy(a, start, a->end);
        if (!copy)
            return -ENOMEM;
        copy->start = start - r->from + r->result;
        copy->end =
            r->new_len == r->old_len ? a->end - r->from + r->result : r->result + r->new_len;
        list_push_back(copies, &copy->object_node);
    }
    return 0;
}

/* Carry old_len bytes at `from` to a new place and, when they grow, their only area with them. */
static int move(struct remap *r)
{
    struct vm *vm = r->c->vm;
    struct list copies = LIST_INIT(copies);
    int err = vm->nr_areas + 2 >= MAX_AREAS ? -ENOMEM : make_room(r);
    if (err)
        return err;
    /* Making room may have cut the area, and with old_len 0 even removed it. */
    struct vm_area *a = vm_area_at(vm, r->from);
    if (!a || a->start > r->from)
        return -EFAULT;
    if (r->old_len > 0)
        err = vm_area_cut(vm, r->from, r->from + r->old_len);
    if (!err)
        err = copy_areas(r, &copies);
    if (!err)
        err = vm_pages_move(vm, r->from, r->result, r->old_len);
    for (struct list *l = list_pop_front(&copies); l; l = list_pop_front(&copies)) {
        a = list_entry(l, struct vm_area, object_node);
        if (err)
            list_push_back(&r->c->dead, l);
        else
            vm_area_insert(vm, a);
    }
    if (!err && r->old_len > 0 && !(r->flags & MREMAP_DONTUNMAP))
        err = vm_unmap_locked(r->c, r->from, r->from + r->old_len);
    vm_area_merge(r->c, r->from, r->from + r->old_len);
    vm_area_merge(r->c, r->result, r->result + r->new_len);
    return err;
}

/* Not moving: give back the end, or take what follows if that is free. */
static int resize_in_place(struct remap *r, struct vm_area *a)
{
    struct vm *vm = r->c->vm;
    uintptr_t old_end = r->from + r->old_len, new_end = r->from + r->new_len;
    r->result = r->from;
    if (new_end <= old_end)
        return vm_unmap_locked(r->c, new_end, old_end);
    if (old_end != a->end || new_end > vm->top || new_end < old_end ||
        !vm_area_is_free(vm, old_end, new_end))
        return -ENOMEM;
    vm_area_resize(a, a->start, new_end);
    vm_area_merge(r->c, a->start, new_end);
    return 0;
}

static int remap_locked(struct remap *r)
{
    struct vm *vm = r->c->vm;
    vm_area_merge(r->c, r->from, r->from + r->old_len); /* see LAZY_AREAS */
    struct vm_area *a = vm_area_at(vm, r->from);
    bool must_move = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    if (!a || a->start > r->from)
        return -EFAULT;
    if (r->old_len == 0 && !(a->flags & AREA_SHARED))
        return -EINVAL;
    if (!must_move && r->new_len <= r->old_len && r->old_len > 0)
        return resize_in_place(r, a);
    /* Since Linux 6.17 a plain move may take several areas along. */
    bool is_plain_move = r->flags == (MREMAP_MAYMOVE | MREMAP_FIXED) && r->old_len == r->new_len;
    if (r->old_len > a->end - r->from && !is_plain_move)
        return -EFAULT;

    if (r->new_len > r->old_len || r->flags & MREMAP_DONTUNMAP) {
        int err =
            check_growth(a, r->flags & MREMAP_DONTUNMAP ? r->new_len : r->new_len - r->old_len);
        if (err)
            return err;
    }
    int err = must_move || r->old_len == 0 ? -ENOMEM : resize_in_place(r, a);
    if (err == -ENOMEM && r->flags & MREMAP_MAYMOVE) {
        if (r->flags & MREMAP_FIXED && r->old_len > r->new_len) {
            /* What will not fit is given back first, so that both lengths are the same. */
            err = vm_unmap_locked(r->c, r->from + r->new_len, r->from + r->old_len);
            if (err)
                return err;
            r->old_len = r->new_len;
        }
        err = move(r);
    }
    return err;
}

int vm_remap(struct vm *vm, uintptr_t addr, size_t old_len, size_t new_len, int flags,
             uintptr_t new_addr, uintptr_t *result)
{
    struct vm_change c;
    struct remap r = {
        .c = &c,
        .from = addr,
        .old_len = ALIGN_UP(old_len, PAGE_SIZE),
        .new_len = ALIGN_UP(new_len, PAGE_SIZE),
        .flags = flags,
        .want = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? new_addr : 0,
    };
    vm_change_begin(&c, vm);
    int err = check(&r, vm);
    if (!err)
        err = remap_locked(&r);
    const struct vm_area *a = err ? NULL : vm_area_at(vm, r.result);
    bool populate =
        a && a->flags & AREA_LOCKED && !(a->flags & AREA_LOCK_ON_FAULT) && r.new_len > r.old_len;
    vm_change_end(&c);
    if (populate)
        (void)!vm_populate(vm, r.result + r.old_len, r.result + r.new_len, POPULATE_LOCK);
    *result = r.result;
    return err;
}
