/* Page tables of programs: the lower half of an address space.
 *
 * Every function is called under the lock that core/vm.c has for these tables, but the CPU itself writes the
 * accessed and dirty bits at any time: whatever changes a live entry uses compare-and-exchange.
 *
 * A table that is taken out (arch_prune, or a 2 MiB page in its place) may still be in another CPU's
 * paging-structure cache.  It goes to the vm's retired list and is freed behind the next arch_flush.  Until then
 * it holds no present entry; its first word, bit 0 clear, links it. */
#include "paging.h"

#include <base/errno.h>
#include <base/string.h>

#define TABLE_BITS (PTE_P | PTE_W | PTE_U | PTE_A)

uint64_t pte_leaf(struct paddr pa, unsigned flags, uint64_t global)
{
    uint64_t e = pa.pa | global | PTE_A;

    e |= flags & (MAP_R | MAP_W | MAP_X) ? PTE_P : PTE_NONE;
    if (flags & MAP_W)
        e |= PTE_W;
    if (!(flags & MAP_X))
        e |= PTE_NX;
    if (flags & MAP_USER)
        e |= PTE_U;
    if (flags & MAP_BIG)
        e |= PTE_BIG;
    if (flags & MAP_UNCACHED)
        e |= PTE_UC;
    if (flags & MAP_DIRTY)
        e |= PTE_D;
    return e;
}

/* The MAP_* flags that would make this entry. */
static unsigned pte_flags(uint64_t e)
{
    unsigned flags = 0;

    if (e & PTE_P)
        flags |= MAP_R;
    if (e & PTE_P && e & PTE_W)
        flags |= MAP_W;
    if (e & PTE_P && !(e & PTE_NX))
        flags |= MAP_X;
    if (e & PTE_U)
        flags |= MAP_USER;
    if (e & PTE_BIG)
        flags |= MAP_BIG;
    if (e & PTE_UC)
        flags |= MAP_UNCACHED;
    if (e & PTE_D)
        flags |= MAP_DIRTY;
    return flags;
}

uint64_t *pte_descend(uint64_t *entry, uint64_t bits, table_alloc_fn *alloc)
{
    uint64_t e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

    if (!(e & PTE_P)) {
        struct paddr page = alloc();
        if (page.pa == 0)
            return NULL;
        if (__atomic_compare_exchange_n(entry, &e, page.pa | bits, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            e = page.pa | bits;
        else
            up_table_page_free(page);
    }
    return pte_table(e);
}

/* Replace a 2 MiB leaf by a table of 512 small ones that map the same. */
static seldom_called int pte_split(uint64_t *entry)
{
    struct paddr page = up_table_page_alloc();
    uint64_t *table = direct_ptr(page);
    uint64_t e = __atomic_load_n(entry, __ATOMIC_RELAXED);

    if (page.pa == 0)
        return -ENOMEM;
    do {
        for (unsigned i = 0; i < TABLE_ENTRIES; i++)
            table[i] = (e & ~PTE_BIG) + i * PAGE_SIZE;
    } while (!__atomic_compare_exchange_n(entry, &e, page.pa | TABLE_BITS, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

static void table_retire(struct arch_vm *vm, uint64_t *table)
{
    uint64_t head = __atomic_load_n(&vm->retired, __ATOMIC_RELAXED);

    do {
        table[0] = head;
    } while (!__atomic_compare_exchange_n(&vm->retired, &head, direct_paddr(table).pa, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

int arch_vm_init(struct arch_vm *vm)
{
    vm->cpus = 0;
    vm->retired = 0;
    vm->root = up_table_page_alloc();
    if (vm->root.pa == 0)
        return -ENOMEM;
    uint64_t *root = direct_ptr(vm->root);
    const uint64_t *kernel = direct_ptr(paging_kernel_vm.root);
    memcpy(root + ROOT_UPPER, kernel + ROOT_UPPER, (TABLE_ENTRIES - ROOT_UPPER) * sizeof(root[0]));
    return 0;
}

static seldom_called void table_free(uint64_t *table, unsigned level, unsigned entries)
{
    for (unsigned i = 0; level > 0 && i < entries; i++)
        if (table[i] & PTE_P && !(table[i] & PTE_BIG))
            table_free(pte_table(table[i]), level - 1, TABLE_ENTRIES);
    up_table_page_free(direct_paddr(table));
}

void arch_vm_destroy(struct arch_vm *vm)
{
    tlb_leave(vm);
    for (uint64_t next = vm->retired; next != 0;) {
        struct paddr page = {next};
        next = *(uint64_t *)direct_ptr(page);
        up_table_page_free(page);
    }
    table_free(direct_ptr(vm->root), 3, ROOT_UPPER);
    vm->root.pa = 0;
}

int arch_map(struct arch_vm *vm, uintptr_t va, struct paddr pa, unsigned flags)
{
    unsigned leaf = flags & MAP_BIG ? 1 : 0;
    uint64_t *table = direct_ptr(vm->root);

    for (unsigned level = 3; level > leaf; level--) {
        uint64_t *entry = &table[pte_slot(va, level)];
        if (level == 1 && *entry & PTE_BIG && pte_split(entry) < 0)
            return -ENOMEM;
        table = pte_descend(entry, TABLE_BITS, up_table_page_alloc);
        if (!table)
            return -ENOMEM;
    }
    uint64_t old =
        __atomic_exchange_n(&table[pte_slot(va, leaf)], pte_leaf(pa, flags, 0), __ATOMIC_ACQ_REL);
    if (leaf == 1 && old & PTE_P && !(old & PTE_BIG))
        table_retire(vm, pte_table(old));
    return 0;
}

/* A walk over the live leaves of [start, end). */
struct walk {
    uintptr_t start, end;
    /* 0; 1: the walk ends here */
    int (*leaf)(struct walk *w, uint64_t *entry, uintptr_t va, size_t size);
    arch_visit_fn *visit;
    void *arg;
    unsigned flags;
};

static int walk_table(struct walk *w, uint64_t *table, unsigned level, uintptr_t base)
{
    uint64_t span = pte_span(level);
    unsigned first = w->start > base ? (w->start - base) / span : 0;

    for (unsigned i = first; i < TABLE_ENTRIES; i++) {
        uintptr_t va = base + i * span;
        uint64_t e = table[i];
        int err = 0;

        if (va >= w->end)
            break;
        if (!pte_is_live(e))
            continue;
        if (level == 1 && e & PTE_BIG && (va < w->start || va + span > w->end)) {
            err = pte_split(&table[i]);
            e = table[i];
        }
        if (err == 0 && level > 0 && !(e & PTE_BIG))
            err = walk_table(w, pte_table(e), level - 1, va);
        else if (err == 0)
            err = w->leaf(w, &table[i], va, span);
        if (err != 0)
            return err;
    }
    return 0;
}

static int leaf_visit(struct walk *w, uint64_t *entry, uintptr_t va, size_t size)
{
    uint64_t e = __atomic_load_n(entry, __ATOMIC_RELAXED);
    enum visit next = w->visit(w->arg, va, size, (struct paddr){e & PTE_ADDR}, pte_flags(e));

    if (next == VISIT_CLEAR)
        __atomic_exchange_n(entry, 0, __ATOMIC_ACQ_REL);
    return next == VISIT_STOP;
}

static int leaf_protect(struct walk *w, uint64_t *entry, uintptr_t va, size_t size)
{
    uint64_t keep = PTE_U | PTE_A | PTE_D | PTE_BIG | PTE_UC;
    uint64_t e = __atomic_load_n(entry, __ATOMIC_RELAXED), next;

    do {
        next = pte_leaf((struct paddr){e & PTE_ADDR}, w->flags, e & keep);
    } while (
        !__atomic_compare_exchange_n(entry, &e, next, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return 0;
}

int arch_visit(struct arch_vm *vm, uintptr_t start, uintptr_t end, arch_visit_fn *visit, void *arg)
{
    struct walk w = {.start = start, .end = end, .leaf = leaf_visit, .visit = visit, .arg = arg};

    return walk_table(&w, direct_ptr(vm->root), 3, 0);
}

int arch_protect(struct arch_vm *vm, uintptr_t start, uintptr_t end, unsigned flags)
{
    struct walk w = {.start = start, .end = end, .leaf = leaf_protect, .flags = flags};

    return walk_table(&w, direct_ptr(vm->root), 3, 0);
}

bool arch_lookup(struct arch_vm *vm, uintptr_t va, struct paddr *pa, size_t *size, unsigned *flags)
{
    const uint64_t *table = direct_ptr(vm->root);

    for (unsigned level = 3;; level--) {
        uint64_t e = table[pte_slot(va, level)];
        if (!pte_is_live(e))
            return false;
        if (level == 0 || e & PTE_BIG) {
            *pa = (struct paddr){e & PTE_ADDR};
            *size = pte_span(level);
            *flags = pte_flags(e);
            return true;
        }
        table = pte_table(e);
    }
}

/* Retire the tables under `table` that lie wholly in the range and are clear; answers whether `table` is one. */
static bool prune_table(struct arch_vm *vm, uint64_t *table, unsigned level, uintptr_t base,
                        uintptr_t start, uintptr_t end)
{
    uint64_t span = pte_span(level);
    unsigned first = start > base ? (start - base) / span : 0;

    for (unsigned i = first; level > 0 && i < TABLE_ENTRIES && base + i * span < end; i++) {
        uintptr_t va = base + i * span;
        uint64_t e = table[i];

        if (!(e & PTE_P) || e & PTE_BIG)
            continue;
        if (prune_table(vm, pte_table(e), level - 1, va, start, end)) {
            table[i] = 0;
            table_retire(vm, pte_table(e));
        }
    }
    if (level == 3 || base < start || base + pte_span(level + 1) > end)
        return false;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        if (table[i] != 0)
            return false;
    return true;
}

void arch_prune(struct arch_vm *vm, uintptr_t start, uintptr_t end)
{
    prune_table(vm, direct_ptr(vm->root), 3, 0, start, end);
}
