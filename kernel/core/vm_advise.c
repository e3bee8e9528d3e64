/* madvise, msync and mincore: what a program tells and asks about ranges of its memory. */
#include "vm_private.h"

#include <core/sched.h>
#include <core/usercopy.h>

enum effect {
    IGNORE, /* a hint that changes nothing here */
    SET_FLAGS,
    DROP,        /* MADV_DONTNEED */
    LAZY,        /* MADV_FREE: keeping the pages is what it does while memory lasts */
    QUEUE,       /* MADV_COLD, MADV_PAGEOUT */
    PUNCH,       /* MADV_REMOVE */
    DROP_LOCKED, /* MADV_DONTNEED_LOCKED */
    POPULATE,
};

static const struct advice {
    int number;
    enum effect effect;
    unsigned set, clear; /* enum area_flags */
    bool anonymous_only; /* -EINVAL for others */
} advices[] = {
    {.number = MADV_NORMAL, .effect = IGNORE},
    {.number = MADV_RANDOM, .effect = IGNORE},
    {.number = MADV_SEQUENTIAL, .effect = IGNORE},
    {.number = MADV_WILLNEED, .effect = IGNORE},
    {.number = MADV_DONTNEED, .effect = DROP},
    {.number = MADV_DONTNEED_LOCKED, .effect = DROP_LOCKED},
    {.number = MADV_FREE, .effect = LAZY, .anonymous_only = true},
    {.number = MADV_REMOVE, .effect = PUNCH},
    {.number = MADV_DONTFORK, .effect = SET_FLAGS, .set = AREA_DONTFORK},
    {.number = MADV_DOFORK, .effect = SET_FLAGS, .clear = AREA_DONTFORK},
    {.number = MADV_MERGEABLE, .effect = IGNORE},
    {.number = MADV_UNMERGEABLE, .effect = IGNORE},
    {.number = MADV_HUGEPAGE, .effect = SET_FLAGS, .set = AREA_BIG, .clear = AREA_SMALL},
    {.number = MADV_NOHUGEPAGE, .effect = SET_FLAGS, .set = AREA_SMALL, .clear = AREA_BIG},
    {.number = MADV_DONTDUMP, .effect = SET_FLAGS, .set = AREA_DONTDUMP},
    {.number = MADV_DODUMP, .effect = SET_FLAGS, .clear = AREA_DONTDUMP},
    {.number = MADV_WIPEONFORK,
     .effect = SET_FLAGS,
     .set = AREA_WIPEONFORK,
     .anonymous_only = true},
    {.number = MADV_KEEPONFORK, .effect = SET_FLAGS, .clear = AREA_WIPEONFORK},
    {.number = MADV_COLD, .effect = QUEUE},
    {.number = MADV_PAGEOUT, .effect = QUEUE},
    {.number = MADV_POPULATE_READ, .effect = POPULATE},
    {.number = MADV_POPULATE_WRITE, .effect = POPULATE},
};

static const struct advice *find_advice(int number)
{
    for (size_t i = 0; i < ARRAY_LEN(advices); i++)
        if (advices[i].number == number)
            return &advices[i];
    return NULL;
}

/* The last page of [start, end) in terms of the area's object. */
static uint64_t last_index(const struct vm_area *a, uintptr_t end)
{
    return vm_area_index(a, end - 1);
}

/* MADV_REMOVE of a part of `a`.  Lets the lock go for the hole's sake: `a` is stale afterwards. */
static int punch(struct vm_change *c, struct vm_area *a, uintptr_t start, uintptr_t end)
{
    struct vm *vm = c->vm;
    struct vm_object *o = a->object;
    if (!o)
        return -EINVAL;
    if (!(a->flags & AREA_SHARED) || !(a->max_prot & PROT_WRITE))
        return -EACCES;
    if (!o->ops->punch)
        return -EOPNOTSUPP;
    uint64_t first = vm_area_index(a, start), last = last_index(a, end);
    vm_object_get(o);
    vm_change_end(c);
    int err = o->ops->punch(o, first, last);
    vm_object_put(o);
    vm_change_begin(c, vm);
    return err;
}

static int set_flags(struct vm_area *a, uintptr_t start, uintptr_t end, unsigned flags)
{
    struct vm *vm = a->vm;
    if (flags == a->flags)
        return 0;
    int err = vm_area_cut(vm, start, end);
    if (!err)
        vm_area_set_flags(vm_area_at(vm, start), flags);
    return err;
}

static int drop(struct vm *vm, uintptr_t start, uintptr_t end)
{
    int err = vm_pages_cut_at(vm, start);
    if (!err)
        err = vm_pages_cut_at(vm, end);
    if (!err)
        vm_pages_drop(vm, start, end, false);
    return err;
}

/* Advice for [start, end), a part of `a`, which is stale afterwards. */
static int advise_part(struct vm_change *c, struct vm_area *a, uintptr_t start, uintptr_t end,
                       const struct advice *advice)
{
    bool is_anonymous = !a->object && !(a->flags & AREA_SHARED);
    bool is_discarding = advice->effect >= DROP && advice->effect <= PUNCH;
    if (a->flags & AREA_LOCKED && is_discarding)
        return -EINVAL;
    if (advice->anonymous_only && !is_anonymous)
        return -EINVAL;
    switch (advice->effect) {
    case SET_FLAGS:
        return set_flags(a, start, end, (a->flags & ~advice->clear) | advice->set);
    case DROP:
    case DROP_LOCKED:
        return drop(c->vm, start, end);
    case PUNCH:
        return punch(c, a, start, end);
    default:
        return 0;
    }
}

/* A walk over what areas cover of a range; the lock may be let go between two steps. */
struct walk {
    uintptr_t at, end;
    uintptr_t part, part_end; /* of the last step's area */
    bool has_hole;
};

static struct vm_area *next_area(struct vm *vm, struct walk *w)
{
    if (w->at >= w->end)
        return NULL;
    struct vm_area *a = vm_area_at(vm, w->at);
    if (!a || a->start > w->at)
        w->has_hole = true;
    if (!a || a->start >= w->end)
        return NULL;
    w->part = MAX(a->start, w->at);
    w->part_end = w->at = MIN(a->end, w->end);
    return a;
}

static int advise_locked(struct vm_change *c, uintptr_t start, uintptr_t end,
                         const struct advice *advice)
{
    struct walk w = {.at = start, .end = end};
    struct vm_area *a;
    int err = 0;
    while (!err && (a = next_area(c->vm, &w)))
        err = advise_part(c, a, w.part, w.part_end, advice);
    if (advice->effect == SET_FLAGS)
        vm_area_merge(c, start, end);
    return err ? err : w.has_hole ? -ENOMEM : 0;
}

int vm_advise(struct vm *vm, uintptr_t addr, size_t len, int number)
{
    const struct advice *advice = find_advice(number);
    uintptr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (!advice || addr % PAGE_SIZE != 0 || (len > 0 && ALIGN_UP(len, PAGE_SIZE) == 0) ||
        end < addr)
        return -EINVAL;
    if (end == addr)
        return 0;
    if (advice->effect == POPULATE)
        return vm_populate(vm, addr, end,
                           number == MADV_POPULATE_WRITE ? POPULATE_WRITE : POPULATE_READ);
    struct vm_change c;
    vm_change_begin(&c, vm);
    int err = advise_locked(&c, addr, end, advice);
    vm_change_end(&c);
    return err;
}

/* --- msync -------------------------------------------------------------------------------------------------- */

/* Bring the object behind [start, end), a part of `a`, to stable storage; lets the lock go meanwhile. */
static int sync_part(struct vm *vm, struct vm_area *a, uintptr_t start, uintptr_t end)
{
    struct vm_object *o = a->object;
    if (!o || !(a->flags & AREA_SHARED) || !o->ops->sync)
        return 0;
    uint64_t first = vm_area_index(a, start), last = last_index(a, end);
    vm_object_get(o);
    mutex_unlock(&vm->lock);
    int err = o->ops->sync(o, first, last);
    vm_object_put(o);
    mutex_lock(&vm->lock);
    return err;
}

int vm_sync(struct vm *vm, uintptr_t addr, size_t len, int flags)
{
    uintptr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE != 0 ||
        (flags & MS_ASYNC && flags & MS_SYNC))
        return -EINVAL;
    if (end < addr)
        return -ENOMEM;
    struct walk w = {.at = addr, .end = end};
    struct vm_area *a;
    int err = 0;
    mutex_lock(&vm->lock);
    while (!err && (a = next_area(vm, &w))) {
        if (flags & MS_INVALIDATE && a->flags & AREA_LOCKED)
            err = -EBUSY;
        else if (flags & MS_SYNC)
            err = sync_part(vm, a, w.part, w.part_end);
    }
    mutex_unlock(&vm->lock);
    return err ? err : w.has_hole ? -ENOMEM : 0;
}

/* --- mincore ------------------------------------------------------------------------------------------------- */

static bool is_resident(struct vm *vm, struct vm_area *a, uintptr_t va)
{
    unsigned flags;
    struct page *p = vm_pages_lookup(vm, va, &flags);
    if (p)
        return p != page_zero();
    if (!a->object || !a->object->ops->peek)
        return false;
    p = a->object->ops->peek(a->object, vm_area_index(a, va));
    if (p)
        page_put(p);
    return p;
}

int vm_incore(struct vm *vm, uintptr_t addr, size_t len, struct uptr vec)
{
    size_t pages = len / PAGE_SIZE + (len % PAGE_SIZE != 0);
    if (addr % PAGE_SIZE != 0)
        return -EINVAL;
    if (len > USER_TOP || addr > USER_TOP - len)
        return -ENOMEM;
    if (pages > USER_TOP || uptr_word(vec) > USER_TOP - pages)
        return -EFAULT;
    uint8_t answers[256];
    for (size_t done = 0; done < pages;) {
        size_t n = MIN(pages - done, sizeof(answers)), i = 0;
        mutex_lock(&vm->lock);
        for (; i < n; i++) {
            uintptr_t va = addr + (done + i) * PAGE_SIZE;
            struct vm_area *a = vm_area_at(vm, va);
            if (!a || a->start > va)
                break;
            answers[i] = is_resident(vm, a, va);
        }
        mutex_unlock(&vm->lock);
        if (i > 0 && user_write(uptr_add(vec, done), answers, i) != 0)
            return -EFAULT;
        if (i < n)
            return -ENOMEM;
        if (sched_checkpoint())
            return -EINTR;
        done += n;
    }
    return 0;
}
