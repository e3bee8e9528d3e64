/* mlock: memory that stays.  Nothing is ever paged out here, so locking means bringing pages in now, refusing
 * MADV_DONTNEED, and counting against RLIMIT_MEMLOCK as Linux does. */
#include "vm_private.h"

static unsigned lock_flags(const struct vm_area *a, enum vm_lock_how how)
{
    unsigned flags = a->flags & ~(AREA_LOCKED | AREA_LOCK_ON_FAULT);
    if (how == VM_UNLOCK)
        return flags;
    return flags | AREA_LOCKED | (how == VM_LOCK_ON_FAULT ? AREA_LOCK_ON_FAULT : 0);
}

/* Linux's apply_vma_lock_flags: stops with -ENOMEM at the first hole, what comes before stays changed. */
static int mark(struct vm_change *c, uintptr_t start, uintptr_t end, enum vm_lock_how how)
{
    struct vm *vm = c->vm;
    int err = 0;
    for (uintptr_t at = start; !err && at < end;) {
        struct vm_area *a = vm_area_at(vm, at);
        if (!a || a->start > at) {
            err = -ENOMEM;
            break;
        }
        uintptr_t part_end = MIN(a->end, end);
        unsigned flags = lock_flags(a, how);
        if (flags != a->flags) {
            err = vm_area_cut(vm, at, part_end);
            if (!err)
                vm_area_set_flags(vm_area_at(vm, at), flags);
        }
        at = part_end;
    }
    vm_area_merge(c, start, end);
    return err;
}

/* Bytes in [start, end) that are locked already. */
static size_t locked_bytes(struct vm *vm, uintptr_t start, uintptr_t end)
{
    size_t bytes = 0;
    for (struct vm_area *a = vm_area_at(vm, start); a && a->start < end; a = vm_area_next(a))
        if (a->flags & AREA_LOCKED)
            bytes += MIN(a->end, end) - MAX(a->start, start);
    return bytes;
}

/* What mlock(2) answers when pages could not be brought in. */
static int lock_error(int err)
{
    return err == -EFAULT ? -ENOMEM : err;
}

int vm_lock(struct vm *vm, uintptr_t addr, size_t len, enum vm_lock_how how)
{
    uintptr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    uintptr_t end = start + ALIGN_UP(len + addr % PAGE_SIZE, PAGE_SIZE);
    if (how != VM_UNLOCK && vm->limits.memlock == 0)
        return -EPERM;
    struct vm_change c;
    vm_change_begin(&c, vm);
    int err = 0;
    if (end < start)
        err = -EINVAL;
    else if (how != VM_UNLOCK &&
             vm->locked_bytes + (end - start) - locked_bytes(vm, start, end) > vm->limits.memlock)
        err = -ENOMEM;
    if (!err)
        err = mark(&c, start, end, how);
    vm_change_end(&c);
    if (err || how != VM_LOCK)
        return err;
    return lock_error(vm_populate(vm, start, end, POPULATE_LOCK));
}

int vm_lock_all(struct vm *vm, int flags)
{
    if (flags != 0 && vm->limits.memlock == 0)
        return -EPERM;
    struct vm_change c;
    vm_change_begin(&c, vm);
    if (flags & MCL_CURRENT && vm->total_bytes > vm->limits.memlock) {
        vm_change_end(&c);
        return -ENOMEM;
    }
    vm->lock_future = flags & MCL_FUTURE ? flags : 0;
    enum vm_lock_how how = flags & MCL_ONFAULT ? VM_LOCK_ON_FAULT : VM_LOCK;
    if (flags == 0 || flags & MCL_CURRENT)
        for (struct vm_area *a = vm_area_at(vm, 0); a; a = vm_area_next(a))
            vm_area_set_flags(a, lock_flags(a, flags == 0 ? VM_UNLOCK : how));
    vm_area_merge(&c, 0, vm->top);
    vm_change_end(&c);
    if (flags & MCL_CURRENT && !(flags & MCL_ONFAULT))
        (void)!vm_populate(vm, 0, vm->top, POPULATE_ALL);
    return 0;
}
