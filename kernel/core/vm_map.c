/* mmap and munmap: checks in Linux's order, choosing a place, making and removing areas. */
#include "vm_private.h"

#define LOW_32BIT      0x40000000UL /* MAP_32BIT: where Linux looks */
#define HIGH_32BIT     0x80000000UL
#define MIN_STACK_ROOM (128UL << 20)

/* --- the place ------------------------------------------------------------------------------------------- */

/* Mappings are placed from here down: below what the stack may become. */
static uintptr_t placement_top(const struct vm *vm)
{
    uintptr_t most = vm->top / 6 * 5;
    uintptr_t room = MIN(MAX(vm->limits.stack, MIN_STACK_ROOM), most);
    return ALIGN_DOWN(vm->top - room - STACK_GAP, PAGE_SIZE);
}

/* Big areas of whole big pages start where a big page may. */
static size_t placement_align(const struct vm_map_args *args, size_t len)
{
    bool may_be_big = !args->object && len % BIG_PAGE_SIZE == 0 && !(args->flags & MAP_32BIT);
    return may_be_big ? BIG_PAGE_SIZE : PAGE_SIZE;
}

static uintptr_t find_place(struct vm *vm, const struct vm_map_args *args, size_t len)
{
    uintptr_t top = placement_top(vm);
    if (args->flags & MAP_32BIT && vm->top > HIGH_32BIT)
        return vm_area_find_room(vm, LOW_32BIT, HIGH_32BIT, len, PAGE_SIZE, true);
    uintptr_t at = vm_area_find_room(vm, USER_MIN, top, len, placement_align(args, len), false);
    return at ? at : vm_area_find_room(vm, top, vm->top, len, PAGE_SIZE, true);
}

int vm_choose_place(struct vm *vm, const struct vm_map_args *args, size_t len, uintptr_t *addr)
{
    uintptr_t hint = args->addr;
    if (len > vm->top)
        return -ENOMEM;
    if (args->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (hint > vm->top - len)
            return -ENOMEM;
        if (hint % PAGE_SIZE != 0)
            return -EINVAL;
        *addr = hint;
        return hint < USER_MIN ? -EPERM : 0;
    }
    hint = ALIGN_DOWN(hint, PAGE_SIZE);
    if (hint != 0) {
        uintptr_t top = args->flags & MAP_32BIT ? MIN(vm->top, HIGH_32BIT) : vm->top;
        hint = MAX(hint, USER_MIN);
        if (len <= top && hint <= top - len && vm_area_is_free(vm, hint, hint + len)) {
            *addr = hint;
            return 0;
        }
    }
    *addr = find_place(vm, args, len);
    return *addr ? 0 : -ENOMEM;
}

/* --- the area --------------------------------------------------------------------------------------------- */

/* Linux's flags to ours; -EINVAL when they make no sense together. */
static int area_flags(const struct vm *vm, const struct vm_map_args *args, unsigned *flags)
{
    int type = args->flags & MAP_TYPE;
    *flags = 0;
    if (type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && !(args->flags & MAP_ANONYMOUS)))
        *flags |= AREA_SHARED;
    else if (type != MAP_PRIVATE)
        return -EINVAL;
    if (args->flags & MAP_GROWSDOWN) {
        if (args->object)
            return -EINVAL;
        *flags |= AREA_STACK;
    }
    if (args->flags & MAP_NORESERVE)
        *flags |= AREA_NORESERVE;
    if (args->flags & MAP_LOCKED || vm->lock_future & MCL_FUTURE)
        *flags |= AREA_LOCKED;
    if (vm->lock_future & MCL_ONFAULT && !(args->flags & MAP_LOCKED))
        *flags |= AREA_LOCK_ON_FAULT;
    return 0;
}

/* All that mmap(2) checks once it knows the place. */
static int check_map(struct vm *vm, const struct vm_map_args *args, uintptr_t addr, size_t len,
                     unsigned *flags)
{
    if (args->flags & MAP_FIXED_NOREPLACE) {
        const struct vm_area *a = vm_area_at(vm, addr);
        if (a && a->start < addr + len)
            return -EEXIST;
    }
    int err = area_flags(vm, args, flags);
    if (!err && *flags & AREA_LOCKED) {
        if (args->flags & MAP_LOCKED && vm->limits.memlock == 0)
            return -EPERM;
        if (vm->locked_bytes + len > vm->limits.memlock)
            return -EAGAIN;
    }
    return args->file_error ? args->file_error : err;
}

/* Bytes of [start, end) that are mapped. */
static size_t mapped_bytes(struct vm *vm, uintptr_t start, uintptr_t end)
{
    size_t bytes = 0;
    for (struct vm_area *a = vm_area_at(vm, start); a && a->start < end; a = vm_area_next(a))
        bytes += MIN(a->end, end) - MAX(a->start, start);
    return bytes;
}

static int map_locked(struct vm_change *c, const struct vm_map_args *args, size_t len,
                      uintptr_t *addr)
{
    struct vm *vm = c->vm;
    unsigned flags;
    if (vm->nr_areas >= MAX_AREAS)
        return -ENOMEM;
    int err = vm_choose_place(vm, args, len, addr);
    if (!err)
        err = check_map(vm, args, *addr, len, &flags);
    if (err)
        return err;
    bool is_data = args->prot & PROT_WRITE && !(flags & (AREA_SHARED | AREA_STACK));
    size_t replaced = mapped_bytes(vm, *addr, *addr + len);
    if (!vm_may_grow(vm, len - replaced, is_data ? len - replaced : 0))
        return -ENOMEM;

    struct vm_area like = {
        .start = *addr,
        .end = *addr + len,
        .flags = flags,
        .prot = args->prot & ALL_PROT,
        .max_prot = args->max_prot & ALL_PROT,
        .name = args->name,
        .object = args->object,
        .offset = args->object ? args->offset : 0,
    };
    if (replaced > 0) {
        err = vm_unmap_locked(c, *addr, *addr + len);
        if (err)
            return err;
    }
    return vm_area_add(c, &like);
}

int vm_map(struct vm *vm, const struct vm_map_args *args, uintptr_t *addr)
{
    size_t len = ALIGN_UP(args->len, PAGE_SIZE);
    assert(args->file_error || (args->prot & ALL_PROT & ~args->max_prot) == 0);
    if (args->len == 0)
        return -EINVAL;
    if (len == 0)
        return -ENOMEM;
    if (args->object && args->offset + len < args->offset)
        return -EOVERFLOW;
    struct vm_change c;
    vm_change_begin(&c, vm);
    int err = map_locked(&c, args, len, addr);
    bool populate = args->flags & (MAP_POPULATE | MAP_LOCKED) ||
                    (vm->lock_future & MCL_FUTURE && !(vm->lock_future & MCL_ONFAULT));
    vm_change_end(&c);
    if (!err && populate && !(args->flags & MAP_NONBLOCK))
        (void)!vm_populate(vm, *addr, *addr + len,
                           POPULATE_LOCK); /* best effort, as mmap(2) says */
    return err;
}

/* --- munmap -------------------------------------------------------------------------------------------------- */

int vm_unmap_locked(struct vm_change *c, uintptr_t start, uintptr_t end)
{
    struct vm *vm = c->vm;
    struct vm_area *a = vm_area_at(vm, start);
    if (start >= end || !a || a->start >= end)
        return 0;
    /* All that can fail comes first. */
    int err = a->start < start && a->end > end ? vm_area_split(a, end) : 0;
    const struct vm_area *last = vm_area_at(vm, end - 1);
    if (!err && a->start < start)
        err = vm_pages_cut_at(vm, start);
    if (!err && last && last->start < end && last->end > end)
        err = vm_pages_cut_at(vm, end);
    if (err)
        return err;
    /* Whoever is told that an object is mapped no more may rely on it that nobody stores to its pages. */
    vm_pages_drop(vm, start, end, false);
    while (a && a->start < end) {
        struct vm_area *next = vm_area_next(a);
        if (a->start < start)
            vm_area_resize(a, a->start, start);
        else if (a->end > end)
            vm_area_resize(a, end, a->end);
        else
            vm_area_remove(c, a);
        a = next;
    }
    /* Smaller holes keep their table: the next mapping will want it (and see vm_fault). */
    if (ALIGN_UP(start, BIG_PAGE_SIZE) < ALIGN_DOWN(end, BIG_PAGE_SIZE))
        vm_pages_prune(vm, start, end);
    return 0;
}

int vm_unmap(struct vm *vm, uintptr_t addr, size_t len)
{
    if (addr % PAGE_SIZE != 0 || addr > vm->top || len > vm->top - addr || len == 0)
        return -EINVAL;
    struct vm_change c;
    vm_change_begin(&c, vm);
    int err = vm_unmap_locked(&c, addr, addr + ALIGN_UP(len, PAGE_SIZE));
    vm_change_end(&c);
    return err;
}
