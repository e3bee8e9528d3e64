/* The page tables of one program for vm_test.c, which has included the kernel before. */
#pragma once

/* --- page tables: entries sorted by address, one program ------------------------------------------------ */

static struct entry {
    uintptr_t va;
    size_t size;
    struct paddr pa;
    unsigned flags;
} table[40000];
static size_t nr_entries;
static unsigned maps_until_failure; /* 0: never */

/* The first entry that ends above `va`. */
static size_t entry_at(uintptr_t va)
{
    size_t low = 0, high = nr_entries;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (table[mid].va + table[mid].size > va)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void entry_insert(size_t i, struct entry e)
{
    assert_true(nr_entries < ARRAY_LEN(table));
    memmove(table + i + 1, table + i, (nr_entries++ - i) * sizeof(table[0]));
    table[i] = e;
}

static void entry_remove(size_t i)
{
    memmove(table + i, table + i + 1, (--nr_entries - i) * sizeof(table[0]));
}

static void entry_split(size_t i)
{
    struct entry big = table[i];
    entry_remove(i);
    for (size_t at = 0; at < big.size; at += PAGE_SIZE)
        entry_insert(
            i++, (struct entry){big.va + at, PAGE_SIZE, {big.pa.pa + at}, big.flags & ~MAP_BIG});
}

int arch_vm_init(struct arch_vm *vm)
{
    return 0;
}

void arch_vm_destroy(struct arch_vm *vm)
{
}

void arch_prune(struct arch_vm *vm, uintptr_t start, uintptr_t end)
{
    assert_int_not_equal(fake_spins, 0);
}

static unsigned nr_flushes;
void arch_flush(struct arch_vm *vm, uintptr_t start, uintptr_t end)
{
    assert_int_equal(fake_spins, 0);
    assert_true(fake_irqs);
    nr_flushes++;
}

int arch_map(struct arch_vm *vm, uintptr_t va, struct paddr pa, unsigned flags)
{
    assert_int_not_equal(fake_spins, 0);
    struct entry e = {va, flags & MAP_BIG ? BIG_PAGE_SIZE : PAGE_SIZE, pa, flags};
    assert_int_equal(va % e.size, 0);
    size_t i = entry_at(va);
    if (i < nr_entries && table[i].va < va + e.size) {
        assert_int_equal(table[i].va, va);
        assert_int_equal(table[i].size, e.size);
        table[i] = e;
        return 0;
    }
    if (maps_until_failure && --maps_until_failure == 0)
        return -ENOMEM;
    entry_insert(i, e);
    return 0;
}

int arch_visit(struct arch_vm *vm, uintptr_t start, uintptr_t end, arch_visit_fn *visit, void *arg)
{
    assert_int_not_equal(fake_spins, 0);
    for (uintptr_t at = start; at < end;) {
        size_t i = entry_at(at);
        if (i == nr_entries || table[i].va >= end)
            return 0;
        if (table[i].va < start || table[i].va + table[i].size > end)
            entry_split(i);
        i = entry_at(MAX(at, table[i].va));
        struct entry e = table[i];
        enum visit next = visit(arg, e.va, e.size, e.pa, e.flags);
        if (next == VISIT_STOP)
            return 1;
        if (next == VISIT_CLEAR)
            entry_remove(entry_at(e.va));
        at = e.va + e.size;
    }
    return 0;
}

bool arch_lookup(struct arch_vm *vm, uintptr_t va, struct paddr *pa, size_t *size, unsigned *flags)
{
    size_t i = entry_at(va);
    if (i == nr_entries || table[i].va > va)
        return false;
    *pa = table[i].pa;
    *size = table[i].size;
    *flags = table[i].flags;
    return true;
}
