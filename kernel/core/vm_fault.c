/* Bringing pages in: what happens at the first touch of a page, and at the first write to a shared one.
 *
 *                      nothing there                     there, read-only, and written to
 *   anonymous          the zero page to read, else       the only user of the page: make it writable;
 *                      a new page                        else a copy
 *   private, object    the object's page, read-only;     likewise (the object's own page is never the
 *                      a copy to write                   only user's)
 *   shared, object     the object's page, read-only      ask the object again, for writing
 *
 * Programs sweep over fresh memory, and a fault costs more than clearing a page: a fault where the last one in
 * this area left off brings twice as many pages, up to a big page at a time.  Memory touched here and there gets
 * single pages, so nothing is cleared that nobody wants.
 *
 * A fault works on a copy of its area.  The first touch of anonymous memory tries without vm->lock, so that threads
 * do not wait for each other (vm_private.h says why that is safe); -EAGAIN means that it takes the lock after all. */
#include "vm_private.h"

#include <arch/upcalls.h>
#include <asm/siginfo.h>
#include <core/sched.h>

#define BIG_PAGES      (BIG_PAGE_SIZE / PAGE_SIZE)
#define BIG_ORDER      (BIG_PAGE_SHIFT - PAGE_SHIFT)
#define AROUND_PAGES   16UL /* of an object, mapped with the one asked for */
#define POPULATE_STEPS 64   /* with the lock held */
#define PLENTY_PAGES   ((32UL << 20) >> PAGE_SHIFT)

struct fault {
    struct vm *vm;
    uintptr_t va; /* page aligned */
    bool write, exec;
    bool has_lock;        /* vm->lock */
    unsigned long wanted; /* pages from va on that the caller is going to want */
    /* a copy, as far as look_up fills it; its object is borrowed, with the lock only */
    struct vm_area area;
    unsigned long nr_pages; /* to bring in: as long as the sweep is */
    uint64_t changes;       /* vm->changes at the start */
    uintptr_t done;         /* result: everything in [va, done) is there */
};

/* --- single pages ---------------------------------------------------------------------------------------- */

static struct page *new_private_page(unsigned flags)
{
    struct page *p = page_alloc(0, flags);
    if (p)
        p->flags = PAGE_ANON;
    return p;
}

/* Map a page whose reference we hold over nothing; drops it when that fails.  When something is there: 0, as another
 * thread was faster; -EAGAIN without the lock, because then nobody has looked at what it is. */
static int map_new(const struct fault *f, uintptr_t va, struct page *p, bool writable)
{
    int err = vm_pages_map(f->vm, va, p, vm_pages_flags(&f->area, writable), f->changes);
    if (err && p != page_zero())
        page_put(p);
    return err != -EEXIST ? err : f->has_lock ? 0 : -EAGAIN;
}

/* Put `p` in the place of what is mapped at f->va.  The old page goes, on every CPU, before the new one comes:
 * nobody may still read the old one while others already write the new one. */
static int map_instead(struct fault *f, struct page *p, bool writable)
{
    vm_disturb_begin(f->vm);
    f->changes = f->vm->changes;
    vm_pages_drop(f->vm, f->va, f->va + PAGE_SIZE, false);
    int err = map_new(f, f->va, p, writable);
    vm_disturb_end(f->vm);
    return err;
}

static int copy_page(struct page *from, struct page **copy)
{
    *copy = new_private_page(0);
    if (!*copy)
        return -ENOMEM;
    arch_copy_page(page_ptr(*copy), page_ptr(from));
    return 0;
}

/* --- fresh anonymous memory -------------------------------------------------------------------------------- */

static inline bool is_memory_plentiful(void)
{
    uint64_t free = page_count_free();
    return free >= PLENTY_PAGES && free * 8 >= page_count_total();
}

/* How many pages to bring in at f->va, which is the next of a sweep or not; `a` is the area itself. */
static unsigned long sweep_length(const struct fault *f, struct vm_area *a)
{
    unsigned long n = f->wanted;
    if (f->va == a->sweep_next)
        n = MAX(n, 2UL * a->sweep_pages);
    a->sweep_pages = (unsigned)MIN(n, BIG_PAGES);
    /* Up to where a big page may start. */
    n = MIN(n, BIG_PAGES - (f->va >> PAGE_SHIFT) % BIG_PAGES);
    n = MIN(n, (a->end - f->va) >> PAGE_SHIFT);
    if (n > 1 && !is_memory_plentiful())
        n = 1;
    a->sweep_next = f->va + n * PAGE_SIZE;
    return n;
}

/* A big page around f->va, if it lies in the area and nothing is there yet. */
static bool fill_big(struct fault *f)
{
    const struct vm_area *a = &f->area;
    uintptr_t base = ALIGN_DOWN(f->va, BIG_PAGE_SIZE);
    if (a->flags & AREA_SMALL || base < a->start || base + BIG_PAGE_SIZE > a->end ||
        !is_memory_plentiful())
        return false;
    struct page *p = page_alloc(BIG_ORDER, PG_ZERO | PG_MAY_FAIL);
    if (!p)
        return false;
    p->flags = PAGE_ANON;
    if (vm_pages_map(f->vm, base, p, vm_pages_flags(a, true) | MAP_BIG, f->changes) != 0) {
        page_put(p);
        return false;
    }
    f->done = base + BIG_PAGE_SIZE;
    return true;
}

static int fill_anonymous(struct fault *f)
{
    if ((f->nr_pages == BIG_PAGES || f->area.flags & AREA_BIG) && fill_big(f))
        return 0;
    for (unsigned long i = 0; i < f->nr_pages; i++) {
        struct page *p = new_private_page(PG_ZERO | (i > 0 ? PG_MAY_FAIL : 0));
        int err = p ? map_new(f, f->va + i * PAGE_SIZE, p, true) : -ENOMEM;
        if (err)
            return i > 0 ? 0 : err;
        f->done = f->va + (i + 1) * PAGE_SIZE;
    }
    return 0;
}

static int fault_anonymous(struct fault *f, struct page *there)
{
    if (!there)
        return f->write ? fill_anonymous(f) : map_new(f, f->va, page_zero(), false);
    struct page *p;
    if (there != page_zero()) {
        int err = copy_page(there, &p);
        return err ? err : map_instead(f, p, true);
    }
    p = new_private_page(PG_ZERO);
    return p ? map_instead(f, p, true) : -ENOMEM;
}

/* --- pages of objects ------------------------------------------------------------------------------------------ */

/* Map what the object has in memory around f->va, to save faults. */
static void map_around(const struct fault *f)
{
    const struct vm_area *a = &f->area;
    struct vm_object *o = a->object;
    size_t window = AROUND_PAGES * PAGE_SIZE;
    uintptr_t start = MAX(ALIGN_DOWN(f->va, window), a->start);
    uintptr_t end = MIN(ALIGN_DOWN(f->va, window) + window, a->end);
    for (uintptr_t va = start; o->ops->peek && va < end; va += PAGE_SIZE) {
        unsigned flags;
        if (vm_pages_lookup(f->vm, va, &flags))
            continue;
        struct page *p = o->ops->peek(o, vm_area_index(a, va));
        if (p && map_new(f, va, p, false) != 0)
            return;
    }
}

static int fault_object(struct fault *f, struct page *there)
{
    const struct vm_area *a = &f->area;
    bool is_shared = a->flags & AREA_SHARED;
    struct page *p, *copy;
    int err;

    if (there && !is_shared) {
        err = copy_page(there, &copy);
        return err ? err : map_instead(f, copy, true);
    }
    err = a->object->ops->get_page(a->object, vm_area_index(a, f->va), is_shared && f->write, &p);
    if (err)
        return err;
    if (f->write && !is_shared) {
        err = copy_page(p, &copy);
        page_put(p);
        return err ? err : map_new(f, f->va, copy, true);
    }
    if (p == there) {
        page_put(p); /* the mapping has its own */
        vm_pages_refresh(f->vm, a, f->va, true);
        return 0;
    }
    if (there)
        return map_instead(f, p, f->write);
    err = map_new(f, f->va, p, f->write);
    if (!err && !f->write)
        map_around(f);
    return err;
}

/* --- the fault ---------------------------------------------------------------------------------------------------- */

/* Let the stack `a` grow down to `addr`. */
static bool grow_stack(struct vm *vm, struct vm_area *a, uintptr_t addr)
{
    uintptr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    size_t more = a->start - start;
    if (!(a->flags & AREA_STACK) || start < USER_MIN || a->end - start > vm->limits.stack ||
        !vm_may_grow(vm, more, 0))
        return false;
    if (a->flags & AREA_LOCKED && vm->locked_bytes + more > vm->limits.memlock)
        return false;
    const struct vm_area *below = vm_area_prev(a);
    bool needs_gap = below && below->prot & ALL_PROT && !(below->flags & AREA_STACK);
    if (below && start < below->end + (needs_gap ? STACK_GAP : 0))
        return false;
    vm_area_resize(a, start, a->end);
    return true;
}

/* Copy the area of f->va, and count on with its sweep.  False: there is none. */
static bool look_up(struct fault *f)
{
    struct vm *vm = f->vm;
    spin_lock(&vm->area_lock);
    struct vm_area *a = vm_area_find(vm, f->va);
    bool found = a && a->start <= f->va;
    if (found) {
        if (f->write && !a->object)
            f->nr_pages = sweep_length(f, a);
        /* What a fault asks of its area, and no more: this is the hottest copy there is. */
        f->area.start = a->start;
        f->area.end = a->end;
        f->area.flags = a->flags;
        f->area.prot = a->prot;
        f->area.object = a->object;
        f->area.offset = a->offset;
    }
    spin_unlock(&vm->area_lock);
    return found;
}

static inline bool is_allowed(const struct fault *f)
{
    if (f->write)
        return f->area.prot & PROT_WRITE;
    if (f->exec)
        return f->area.prot & PROT_EXEC;
    return f->area.prot & ALL_PROT;
}

/* The area is found and allows the access. */
static int fault_page(struct fault *f)
{
    unsigned needed = f->write ? MAP_W : f->exec ? MAP_X : MAP_R, flags = 0;
    struct page *there = vm_pages_lookup(f->vm, f->va, &flags);
    f->done = f->va + PAGE_SIZE;
    if (there && flags & needed)
        return 0; /* another thread was faster, or this CPU remembered less than is allowed */
    if (there && (!f->write || vm_pages_is_own(there))) {
        vm_pages_refresh(f->vm, &f->area, f->va, f->write);
        return 0;
    }
    return f->area.object ? fault_object(f, there) : fault_anonymous(f, there);
}

/* The first touch of anonymous memory, without the lock: 0, or -EAGAIN when it is needed, be it to tell what is
 * wrong. */
static int fault_quickly(struct fault *f, uintptr_t addr)
{
    f->has_lock = false;
    f->va = ALIGN_DOWN(addr, PAGE_SIZE);
    f->changes = atomic_load(&f->vm->changes);
    if (f->changes % 2 == 1 || !look_up(f) || !is_allowed(f) || f->area.object)
        return -EAGAIN;
    return fault_anonymous(f, NULL);
}

static int fault_locked(struct fault *f, uintptr_t addr, int *si_code)
{
    struct vm *vm = f->vm;
    f->has_lock = true;
    f->va = ALIGN_DOWN(addr, PAGE_SIZE);
    f->changes = vm->changes;
    *si_code = SEGV_MAPERR;
    if (!look_up(f)) {
        struct vm_area *above = vm_area_at(vm, addr);
        if (!above || !grow_stack(vm, above, addr) || !look_up(f))
            return -EFAULT;
    }
    *si_code = SEGV_ACCERR;
    if (!is_allowed(f))
        return -EFAULT;
    int err = fault_page(f);
    if (err == 0 || err == -ENOMEM)
        return err;
    if (err == -EINTR)
        return 0; /* killed while it waited for a device: it will not come to try again */
    *si_code = BUS_ADRERR;
    return -EIO;
}

/* Free the page tables that small unmappings left empty: is there memory now? */
static bool reclaim_tables(struct vm *vm)
{
    uint64_t before = page_count_free();
    vm_pages_prune(vm, 0, vm->top);
    arch_flush(&vm->arch, 0, vm->top);
    return page_count_free() > before;
}

int vm_fault(struct vm *vm, uintptr_t addr, unsigned flags, int *si_code)
{
    struct fault f; /* without an initialiser, which would clear the area too */
    f.vm = vm;
    f.write = flags & FAULT_WRITE;
    f.exec = flags & FAULT_EXEC;
    f.wanted = 1;
    atomic_add(&vm->minor_faults, 1);
    if (!(flags & FAULT_PRESENT) && fault_quickly(&f, addr) == 0)
        return 0;
    mutex_lock(&vm->lock);
    int err = fault_locked(&f, addr, si_code);
    if (err == -ENOMEM && reclaim_tables(vm))
        err = fault_locked(&f, addr, si_code);
    mutex_unlock(&vm->lock);
    return err;
}

/* --- without a fault ------------------------------------------------------------------------------------------------ */

/* One step of vm_populate: from `at` on. */
static int populate_some(struct fault *f, uintptr_t at, uintptr_t end, enum vm_populate how)
{
    int si_code;
    const struct vm_area *a = vm_area_at(f->vm, at);
    if (!a || a->start > at)
        return -ENOMEM;
    f->write = how == POPULATE_WRITE ||
               (how <= POPULATE_ALL && a->prot & PROT_WRITE && !(a->flags & AREA_SHARED));
    f->wanted = (MIN(end, a->end) - at) >> PAGE_SHIFT;
    if (!(a->prot & (f->write ? PROT_WRITE : ALL_PROT)))
        return how <= POPULATE_ALL ? -ENOMEM : -EINVAL;
    int err = fault_locked(f, at, &si_code);
    return err == -EIO ? -EFAULT : err;
}

/* Where to go on when nothing can be brought in at `at`: behind this area, or at the next. */
static uintptr_t pass_over(struct vm *vm, uintptr_t at, uintptr_t end)
{
    const struct vm_area *a = vm_area_at(vm, at);
    if (!a)
        return end;
    return a->start > at ? a->start : a->end;
}

seldom_called int vm_populate(struct vm *vm, uintptr_t start, uintptr_t end, enum vm_populate how)
{
    int err = 0;
    for (uintptr_t at = start; at < end && !err;) {
        struct fault f = {.vm = vm};
        mutex_lock(&vm->lock);
        /* Many pages at a time: threads that take turns at the lock page by page mostly wait for each other. */
        for (unsigned n = 0; n < POPULATE_STEPS && at < end && !err; n++) {
            err = populate_some(&f, at, end, how);
            if (err && how == POPULATE_ALL) {
                f.done = pass_over(vm, at, end);
                err = 0;
            }
            if (f.done - at >= BIG_PAGE_SIZE)
                n = POPULATE_STEPS;
            at = f.done;
        }
        mutex_unlock(&vm->lock);
        if (!err && sched_checkpoint())
            err = -EINTR;
    }
    return err;
}
