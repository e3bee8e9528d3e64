/* One program's address space: birth and death, limits, the break, and reports.  See vm_private.h for the other
 * files and the locks. */
#include "vm_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/sched.h>

struct vm *vm_new(void)
{
    struct vm *vm = heap_zalloc(sizeof(*vm));
    if (!vm)
        return NULL;
    if (arch_vm_init(&vm->arch) != 0) {
        heap_free(vm);
        return NULL;
    }
    ref_init(&vm->ref);
    vm->limits = (struct vm_limits){~0UL, ~0UL, 8UL << 20, ~0UL};
    mutex_init(&vm->lock, RANK_VM);
    vm->top = USER_TOP;
    spin_init(&vm->area_lock, RANK_AREAS);
    tree_init(&vm->areas, vm_area_augment);
    spin_init(&vm->table_lock, RANK_PAGETABLE);
    return vm;
}

void vm_get(struct vm *vm)
{
    ref_get(&vm->ref);
}

seldom_called void vm_put(struct vm *vm)
{
    if (!ref_put(&vm->ref))
        return;
    struct vm_change c;
    vm_change_begin(&c, vm);
    vm_pages_drop(vm, 0, vm->top, false);
    for (struct tree_node *n = tree_first(&vm->areas); n; n = tree_first(&vm->areas))
        vm_area_remove(&c, tree_entry(n, struct vm_area, node));
    vm_change_end(&c);
    assert(vm->rss_pages == 0 && vm->total_bytes == 0);
    arch_vm_destroy(&vm->arch);
    heap_free(vm);
}

struct arch_vm *vm_arch(struct vm *vm)
{
    return &vm->arch;
}

struct vm_limits *vm_limits(struct vm *vm)
{
    return &vm->limits;
}

void vm_set_top(struct vm *vm, uintptr_t top)
{
    mutex_lock(&vm->lock);
    vm->top = top;
    mutex_unlock(&vm->lock);
}

void vm_disturb_begin(struct vm *vm)
{
    assert(vm->changes % 2 == 0);
    atomic_store(&vm->changes, vm->changes + 1);
}

void vm_disturb_end(struct vm *vm)
{
    assert(vm->changes % 2 == 1);
    atomic_store(&vm->changes, vm->changes + 1);
}

void vm_change_begin(struct vm_change *c, struct vm *vm)
{
    c->vm = vm;
    list_init(&c->dead);
    mutex_lock(&vm->lock);
    vm_disturb_begin(vm);
}

void vm_change_end(struct vm_change *c)
{
    struct vm *vm = c->vm;
    vm->total_peak_bytes = MAX(vm->total_peak_bytes, vm->total_bytes);
    vm_disturb_end(vm);
    mutex_unlock(&vm->lock);
    for (struct list *l = list_pop_front(&c->dead); l; l = list_pop_front(&c->dead))
        vm_area_free(list_entry(l, struct vm_area, object_node));
}

bool vm_may_grow(struct vm *vm, size_t more, size_t data)
{
    const struct vm_limits *limits = &vm->limits;
    if (more > 0 && vm->total_bytes + more > limits->as)
        return false;
    return data == 0 || vm->data_bytes + data <= limits->data;
}

/* --- the break ------------------------------------------------------------------------------------------------ */

void vm_set_brk(struct vm *vm, uintptr_t start)
{
    mutex_lock(&vm->lock);
    vm->brk_start = vm->brk = start;
    mutex_unlock(&vm->lock);
}

/* The page-aligned end of the heap moves from `old` to `new`. */
static int brk_move(struct vm_change *c, uintptr_t old, uintptr_t new)
{
    struct vm *vm = c->vm;
    if (new < old)
        return vm_unmap_locked(c, new, old);
    if (new == old)
        return 0;
    if (!vm_area_is_free(vm, old, new) || !vm_may_grow(vm, new - old, new - old))
        return -ENOMEM;
    struct vm_area heap = {
        .start = old,
        .end = new,
        .flags = vm->lock_future ? AREA_LOCKED : 0,
        .prot = PROT_READ | PROT_WRITE,
        .max_prot = ALL_PROT,
    };
    if (vm->lock_future & MCL_ONFAULT)
        heap.flags |= AREA_LOCK_ON_FAULT;
    if (heap.flags && vm->locked_bytes + (new - old) > vm->limits.memlock)
        return -EAGAIN;
    return vm_area_add(c, &heap);
}

seldom_called uintptr_t vm_brk(struct vm *vm, uintptr_t want)
{
    struct vm_change c;
    vm_change_begin(&c, vm);
    uintptr_t old = vm->brk;
    bool is_valid = want >= vm->brk_start && want < vm->top && vm->brk_start != 0;
    if (is_valid && want - vm->brk_start > vm->limits.data)
        is_valid = false;
    bool populate = false;
    if (is_valid && brk_move(&c, ALIGN_UP(old, PAGE_SIZE), ALIGN_UP(want, PAGE_SIZE)) == 0) {
        vm->brk = want;
        populate = vm->lock_future & MCL_FUTURE && !(vm->lock_future & MCL_ONFAULT) && want > old;
    }
    uintptr_t now = vm->brk;
    vm_change_end(&c);
    if (populate &&
        vm_populate(vm, ALIGN_UP(old, PAGE_SIZE), ALIGN_UP(now, PAGE_SIZE), POPULATE_LOCK) != 0)
        return now; /* as Linux: locking what could not be brought in is no error of brk */
    return now;
}

/* --- reports ---------------------------------------------------------------------------------------------------- */

static int linux_map_flags(const struct vm_area *a)
{
    int flags = a->flags & AREA_SHARED ? MAP_SHARED : MAP_PRIVATE;
    if (!a->object)
        flags |= MAP_ANONYMOUS;
    if (a->flags & AREA_STACK)
        flags |= MAP_GROWSDOWN;
    if (a->flags & AREA_NORESERVE)
        flags |= MAP_NORESERVE;
    if (a->flags & AREA_LOCKED)
        flags |= MAP_LOCKED;
    return flags;
}

seldom_called void vm_visit(struct vm *vm, vm_visit_fn *visit, void *arg)
{
    struct vm_change c;
    vm_change_begin(&c, vm);
    vm_area_merge(&c, 0, vm->top); /* see LAZY_AREAS */
    for (struct vm_area *a = vm_area_at(vm, 0); a; a = vm_area_next(a)) {
        bool is_heap = !a->object && a->start < vm->brk && a->end > vm->brk_start;
        struct vm_area_info info = {
            .vm = vm,
            .start = a->start,
            .end = a->end,
            .prot = a->prot,
            .flags = linux_map_flags(a),
            .offset = a->offset,
            .object = a->object,
            .name = a->name || !is_heap ? a->name : "[heap]",
        };
        visit(arg, &info);
        (void)sched_checkpoint();
    }
    vm_change_end(&c);
}

uint64_t vm_visit_rss_pages(const struct vm_area_info *info)
{
    return vm_pages_count(info->vm, info->start, info->end);
}

seldom_called void vm_get_stats(struct vm *vm, struct vm_stats *stats)
{
    mutex_lock(&vm->lock);
    *stats = (struct vm_stats){
        .total_bytes = vm->total_bytes,
        .total_peak_bytes = vm->total_peak_bytes,
        .data_bytes = vm->data_bytes,
        .stack_bytes = vm->stack_bytes,
        .text_bytes = vm->text_bytes,
        .minor_faults = atomic_load(&vm->minor_faults),
        .major_faults = atomic_load(&vm->major_faults),
        .locked_bytes = vm->locked_bytes,
    };
    spin_lock(&vm->table_lock);
    stats->rss_pages = vm->rss_pages;
    stats->rss_peak_pages = vm->rss_peak_pages;
    spin_unlock(&vm->table_lock);
    mutex_unlock(&vm->lock);
}

int vm_futex_key(struct vm *vm, uintptr_t addr, struct vm_object **object, uint64_t *offset)
{
    int err = -EFAULT;
    *object = NULL;
    *offset = addr;
    spin_lock(&vm->area_lock);
    struct vm_area *a = vm_area_find(vm, addr);
    if (a && a->start <= addr && a->prot & ALL_PROT) {
        err = 0;
        if (a->flags & AREA_SHARED) {
            *object = a->object;
            *offset = a->offset + (addr - a->start);
            vm_object_get(a->object);
        }
    }
    spin_unlock(&vm->area_lock);
    return err;
}
