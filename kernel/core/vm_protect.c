/* mprotect: new rights for a range, area by area.
 *
 * Programs switch the rights of the same few pages back and forth.  So that this does not cut and merge areas each
 * time, neighbours that have become alike again stay two areas, until there are LAZY_AREAS or somebody could tell
 * the difference (vm_remap, vm_visit). */
#include "vm_private.h"

/* A part of `a`, not all of it, gets new rights.  When that is the front and the area before is what the part would
 * become (or the mirror image), only the border between the two moves. */
static bool move_border(struct vm_area *a, uintptr_t start, uintptr_t end, int prot, bool lowers)
{
    bool is_front = start == a->start;
    struct vm_area *to = is_front ? vm_area_prev(a) : end == a->end ? vm_area_next(a) : NULL;
    if (!to || to->prot != prot || !vm_area_fits(a, to))
        return false;
    uintptr_t border = is_front ? end : start;
    if (vm_pages_cut_at(a->vm, border) != 0)
        return false;
    if (is_front) {
        vm_area_resize(to, to->start, end);
        vm_area_resize(a, end, a->end);
    } else {
        vm_area_resize(to, start, to->end);
        vm_area_resize(a, a->start, start);
    }
    vm_pages_protect(a->vm, to, start, end, lowers);
    return true;
}

/* Give [start, end), a part of `a`, its new rights.  0 or -ENOMEM. */
static int protect_part(struct vm_area *a, uintptr_t start, uintptr_t end, int prot)
{
    struct vm *vm = a->vm;
    bool lowers = a->prot & ~prot;
    if (a->prot == prot)
        return 0;
    if (start > a->start || end < a->end) {
        if (move_border(a, start, end, prot, lowers))
            return 0;
        int err = vm_area_cut(vm, start, end);
        if (err)
            return err;
        a = vm_area_at(vm, start);
    }
    vm_area_set_prot(a, prot);
    vm_pages_protect(vm, a, start, end, lowers);
    return 0;
}

static bool becomes_data(const struct vm_area *a, int prot)
{
    return prot & PROT_WRITE && !vm_area_is_data(a) && !(a->flags & (AREA_SHARED | AREA_STACK));
}

static int protect_locked(struct vm_change *c, uintptr_t start, uintptr_t end, int prot)
{
    struct vm *vm = c->vm;
    uintptr_t at = start;
    struct vm_area *a = vm_area_at(vm, start);
    int err = 0;
    while (!err && at < end) {
        if (!a || a->start > at) {
            err = -ENOMEM;
            break;
        }
        uintptr_t part_end = MIN(a->end, end);
        if (prot & ~a->max_prot)
            err = -EACCES;
        else if (becomes_data(a, prot) && !vm_may_grow(vm, 0, part_end - at))
            err = -ENOMEM;
        else
            err = protect_part(a, at, part_end, prot);
        at = part_end;
        if (at < end)
            a = vm_area_at(vm, at);
    }
    if (vm->nr_areas >= LAZY_AREAS)
        vm_area_merge(c, start, end);
    return err;
}

int vm_protect(struct vm *vm, uintptr_t addr, size_t len, int prot)
{
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~(PROT_GROWSDOWN | PROT_GROWSUP);
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || addr % PAGE_SIZE != 0)
        return -EINVAL;
    if (len == 0)
        return 0;
    uintptr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (end <= addr)
        return -ENOMEM;
    if (prot & ~(ALL_PROT | PROT_SEM))
        return -EINVAL;

    struct vm_change c;
    vm_change_begin(&c, vm);
    struct vm_area *a = vm_area_at(vm, addr);
    int err = 0;
    if (!a)
        err = -ENOMEM;
    else if (grows == PROT_GROWSDOWN ? a->start >= end : a->start > addr)
        err = -ENOMEM;
    else if (grows && (grows == PROT_GROWSUP || !(a->flags & AREA_STACK)))
        err = -EINVAL;
    if (!err)
        err = protect_locked(&c, grows ? a->start : addr, end, prot & ALL_PROT);
    vm_change_end(&c);
    return err;
}
