/* sources: kernel/base/tree.c */
#include "fake_kernel.h"

#include "../../kernel/core/heap.c"
#include "../../kernel/core/object.c"
#include "../../kernel/core/object_anon.c"
#include "../../kernel/core/page.c"
#include "../../kernel/core/page_grow.c"
#include "../../kernel/core/slab.c"
#include "../../kernel/core/vm.c"
#include "../../kernel/core/vm_advise.c"
#include "../../kernel/core/vm_area.c"
#include "../../kernel/core/vm_fault.c"
#include "../../kernel/core/vm_lock.c"
#include "../../kernel/core/vm_map.c"
#include "../../kernel/core/vm_pages.c"
#include "../../kernel/core/vm_protect.c"
#include "../../kernel/core/vm_remap.c"

#define MIB (1UL << 20)

static const struct bootinfo machine = {.nr_ranges = 1,
                                        .ranges = {{{1 * MIB}, 255 * MIB, BOOT_RAM}}};

#include "fake_tables.h"

/* --- the rest of the kernel ---------------------------------------------------------------------------- */

static unsigned nr_checkpoints;
static bool is_killed;
bool sched_checkpoint(void)
{
    assert_int_equal(fake_spins, 0);
    nr_checkpoints++;
    return is_killed;
}

int user_write(struct uptr dst, const void *src, size_t n)
{
    memcpy((void *)dst.va, src, n);
    return 0;
}

/* --- what a program sees ------------------------------------------------------------------------------- */

static struct vm *vm;

/* The byte at `va` as the CPU would reach it: NULL when the access faults for good. */
static uint8_t *reach(uintptr_t va, bool write)
{
    for (int tries = 0; tries < 3; tries++) {
        size_t i = entry_at(va);
        unsigned needed = write ? MAP_W : MAP_R;
        if (i < nr_entries && table[i].va <= va && table[i].flags & needed)
            return (uint8_t *)direct_ptr(table[i].pa) + (va - table[i].va);
        int code;
        if (vm_fault(vm, va, write ? FAULT_WRITE : 0, &code) != 0)
            return NULL;
    }
    fail_msg("a fault at %#lx does not help", va);
    return NULL;
}

static uintptr_t map_at(uintptr_t addr, size_t len, int prot, int flags, struct vm_object *o,
                        int expected)
{
    struct vm_map_args args = {
        .addr = addr, .len = len, .prot = prot, .flags = flags, .object = o, .max_prot = ALL_PROT};
    uintptr_t at = 0;
    assert_int_equal(vm_map(vm, &args, &at), expected);
    return at;
}

/* Tree order, summaries, page counts, and that no page lies outside an area or across two. */
static void check_invariants(void)
{
    uint64_t total = 0, rss = 0;
    unsigned nr = 0;
    mutex_lock(&vm->lock);
    struct vm_area *prev = NULL, *root = area_of(vm->areas.root);
    uintptr_t max_gap = 0;
    for (struct vm_area *a = vm_area_at(vm, 0); a; prev = a, a = vm_area_next(a)) {
        assert_true(a->start < a->end && a->end <= vm->top);
        assert_true(!prev || prev->end <= a->start);
        if (prev)
            max_gap = MAX(max_gap, hole_between(prev->end, low_end(a)));
        assert_ptr_equal(vm_area_at(vm, a->start), a);
        assert_ptr_equal(vm_area_at(vm, a->end - 1), a);
        total += a->end - a->start;
        nr++;
    }
    for (size_t i = 0; i < nr_entries; i++) {
        struct vm_area *a = vm_area_at(vm, table[i].va);
        struct page *p = page_of(table[i].pa);
        assert_true(a && a->start <= table[i].va && table[i].va + table[i].size <= a->end);
        assert_true(!(table[i].flags & MAP_W) || a->prot & PROT_WRITE);
        assert_true(p == page_zero() || page_refs(p) > 0);
        assert_false(p == page_zero() && table[i].flags & MAP_W);
        if (p != page_zero())
            rss += table[i].size / PAGE_SIZE;
    }
    mutex_unlock(&vm->lock);
    assert_int_equal(total, vm->total_bytes);
    assert_int_equal(nr, vm->nr_areas);
    assert_int_equal(rss, vm->rss_pages);
    if (root) {
        assert_int_equal(root->max_gap, max_gap);
        assert_int_equal(root->high, prev->end);
    }
}

/* --- random operations against a model ----------------------------------------------------------------------- */

#define UNITS 96
#define BASE  0x10000000UL

static struct {
    bool is_mapped, is_shared;
    int prot;
    uint8_t value; /* of one byte of every page */
} model[UNITS];
static size_t unit;

static uintptr_t unit_at(unsigned i)
{
    return BASE + i * unit;
}

static uintptr_t some_byte(unsigned i)
{
    return unit_at(i) + fake_random() % (unit / PAGE_SIZE) * PAGE_SIZE + 99;
}

static void check_unit(unsigned i)
{
    const uint8_t *byte = reach(some_byte(i), false);
    if (model[i].is_mapped && model[i].prot) {
        assert_non_null(byte);
        assert_int_equal(*byte, model[i].value);
    } else {
        assert_null(byte);
    }
    if (!model[i].is_mapped || !(model[i].prot & PROT_WRITE))
        assert_null(reach(some_byte(i), true));
}

static void write_unit(unsigned i)
{
    uint8_t value = (uint8_t)(1 + fake_random() % 255);
    for (uintptr_t va = unit_at(i); va < unit_at(i) + unit; va += PAGE_SIZE)
        *reach(va + 99, true) = value;
    model[i].value = value;
}

static unsigned first_hole(unsigned from, unsigned nr)
{
    unsigned i = from;
    while (i < from + nr && model[i].is_mapped)
        i++;
    return i;
}

static void change_mapping(unsigned from, unsigned nr, int prot)
{
    bool shared = fake_random() % 4 == 0;
    struct vm_object *o = shared ? vm_object_new_anon(nr * unit) : NULL;
    map_at(unit_at(from), nr * unit, prot,
           MAP_FIXED | MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE), o, 0);
    if (o)
        vm_object_put(o);
    for (unsigned i = from; i < from + nr; i++) {
        model[i].is_mapped = true;
        model[i].is_shared = shared;
        model[i].prot = prot;
        model[i].value = 0;
    }
}

static void change_rights(unsigned from, unsigned nr, int prot)
{
    unsigned hole = first_hole(from, nr);
    assert_int_equal(vm_protect(vm, unit_at(from), nr * unit, prot),
                     hole < from + nr ? -ENOMEM : 0);
    for (unsigned i = from; i < hole; i++)
        model[i].prot = prot;
}

static void discard(unsigned from, unsigned nr)
{
    bool has_hole = first_hole(from, nr) < from + nr;
    assert_int_equal(vm_advise(vm, unit_at(from), nr * unit, MADV_DONTNEED),
                     has_hole ? -ENOMEM : 0);
    for (unsigned i = from; i < from + nr; i++)
        if (!model[i].is_shared)
            model[i].value = 0;
}

static void move_units(unsigned from, unsigned nr)
{
    unsigned to = fake_random() % UNITS;
    uintptr_t result;
    if (to + nr > UNITS || (to < from + nr && from < to + nr) || first_hole(from, nr) < from + nr)
        return;
    assert_int_equal(vm_remap(vm, unit_at(from), nr * unit, nr * unit,
                              MREMAP_MAYMOVE | MREMAP_FIXED, unit_at(to), &result),
                     0);
    assert_int_equal(result, unit_at(to));
    for (unsigned i = 0; i < nr; i++) {
        model[to + i] = model[from + i];
        model[from + i].is_mapped = false;
    }
}

static void random_step(void)
{
    static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
    unsigned from = fake_random() % UNITS, nr = 1 + fake_random() % (fake_random() % 4 ? 4 : UNITS);
    int prot = prots[fake_random() % ARRAY_LEN(prots)];
    nr = MIN(nr, UNITS - from);
    switch (fake_random() % 10) {
    case 0:
    case 1:
        change_mapping(from, nr, prot);
        break;
    case 2:
        assert_int_equal(vm_unmap(vm, unit_at(from), nr * unit), 0);
        for (unsigned i = from; i < from + nr; i++)
            model[i].is_mapped = false;
        break;
    case 3:
    case 4:
        change_rights(from, nr, prot);
        break;
    case 5:
        discard(from, nr);
        break;
    case 6:
        move_units(from, nr);
        break;
    case 7:
        (void)!vm_advise(vm, unit_at(from), nr * unit,
                         fake_random() % 2 ? MADV_HUGEPAGE : MADV_DONTDUMP);
        break;
    default:
        for (unsigned i = from; i < from + nr; i++)
            if (model[i].is_mapped && model[i].prot & PROT_WRITE)
                write_unit(i);
    }
}

static void behaves_like_the_model(void **state)
{
    static const size_t units[] = {PAGE_SIZE, 16 * PAGE_SIZE, BIG_PAGE_SIZE / 2};
    for (unsigned u = 0; u < ARRAY_LEN(units); u++) {
        unit = units[u];
        memset(model, 0, sizeof(model));
        vm = vm_new();
        for (int round = 0; round < 30000 / (int)(unit / PAGE_SIZE) + 1500; round++) {
            random_step();
            for (int i = 0; i < 3; i++)
                check_unit(fake_random() % UNITS);
            if (round % 64 == 0)
                check_invariants();
        }
        vm_put(vm);
        assert_int_equal(nr_entries, 0);
    }
}

/* --- single cases ----------------------------------------------------------------------------------------------- */

static void sweeps_get_big_pages(void **state)
{
    vm = vm_new();
    uintptr_t at =
        map_at(0, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
    assert_int_equal(at % BIG_PAGE_SIZE, 0);
    *reach(at + 8 * MIB, true) = 1; /* alone: one page */
    assert_int_equal(vm->rss_pages, 1);
    uint64_t before = vm->minor_faults;
    for (uintptr_t va = at; va < at + 8 * MIB; va += PAGE_SIZE)
        *reach(va, true) = 1;
    assert_true(vm->minor_faults - before <= 10 + 3);
    assert_int_equal(vm->rss_pages, 8 * MIB / PAGE_SIZE + 1);

    /* A hole in a big page leaves the rest alone. */
    assert_int_equal(vm_unmap(vm, at + 5 * MIB, PAGE_SIZE), 0);
    assert_int_equal(vm->rss_pages, 8 * MIB / PAGE_SIZE);
    assert_null(reach(at + 5 * MIB, false));
    assert_int_equal(*reach(at + 5 * MIB + PAGE_SIZE, false), 1);
    check_invariants();
    vm_put(vm);
}

static void places_from_the_top_down(void **state)
{
    vm = vm_new();
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    uintptr_t a = map_at(0, 3 * PAGE_SIZE, PROT_READ, flags, NULL, 0);
    uintptr_t b = map_at(0, PAGE_SIZE, PROT_READ, flags, NULL, 0);
    assert_int_equal(b, a - PAGE_SIZE);
    assert_int_equal(vm->nr_areas, 1);
    assert_int_equal(vm_unmap(vm, a, PAGE_SIZE), 0);
    assert_int_equal(map_at(0, PAGE_SIZE, PROT_READ, flags, NULL, 0), a);
    assert_int_equal(map_at(a, PAGE_SIZE, PROT_READ, flags, NULL, 0),
                     b - PAGE_SIZE); /* a hint that is taken */
    assert_int_equal(map_at(0x500123, PAGE_SIZE, PROT_READ, flags, NULL, 0), 0x500000);
    assert_int_equal(map_at(1, PAGE_SIZE, PROT_READ, flags, NULL, 0), b - 2 * PAGE_SIZE);
    assert_int_equal(map_at(0x1000, PAGE_SIZE, PROT_READ, flags, NULL, 0), USER_MIN);
    uintptr_t low = map_at(0, PAGE_SIZE, PROT_READ, flags | MAP_32BIT, NULL, 0);
    assert_in_range(low, 0x40000000, 0x7fffffff);
    map_at(low, PAGE_SIZE, PROT_READ, flags | MAP_FIXED_NOREPLACE, NULL, -EEXIST);
    map_at(low + 1, PAGE_SIZE, PROT_READ, flags | MAP_FIXED, NULL, -EINVAL);
    map_at(0x1000, PAGE_SIZE, PROT_READ, flags | MAP_FIXED, NULL, -EPERM);
    map_at(USER_TOP, PAGE_SIZE, PROT_READ, flags | MAP_FIXED, NULL, -ENOMEM);
    map_at(0, 0, PROT_READ, flags, NULL, -EINVAL);
    map_at(0, SIZE_MAX, PROT_READ, flags, NULL, -ENOMEM);
    map_at(0, USER_TOP, PROT_READ, flags, NULL, -ENOMEM);
    vm_limits(vm)->as = MIB;
    map_at(0, 2 * MIB, PROT_READ, flags, NULL, -ENOMEM);
    check_invariants();
    vm_put(vm);
}

static void stacks_grow(void **state)
{
    int code;
    uintptr_t top = 0x7ffff0000000;
    vm = vm_new();
    vm_limits(vm)->stack = 8 * MIB;
    map_at(top - PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
    assert_non_null(reach(top - MIB, true));
    assert_int_equal(vm->stack_bytes, MIB);
    assert_non_null(reach(top - 8 * MIB, true));
    assert_int_equal(vm_fault(vm, top - 8 * MIB - 1, FAULT_WRITE, &code), -EFAULT);
    assert_int_equal(code, SEGV_MAPERR);

    /* Not into what lies below, nor close to it. */
    vm_limits(vm)->stack = 64 * MIB;
    map_at(top - 16 * MIB, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
    assert_null(reach(top - 16 * MIB + 5 * PAGE_SIZE, true));
    assert_non_null(reach(top - 16 * MIB + PAGE_SIZE + STACK_GAP, true));
    uintptr_t hint = top - 16 * MIB + 2 * PAGE_SIZE;
    assert_int_not_equal(map_at(hint, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0),
                         hint);
    check_invariants();
    vm_put(vm);
}

static void brk_moves(void **state)
{
    uintptr_t start = 0x700800;
    vm = vm_new();
    assert_int_equal(vm_brk(vm, 0), 0);
    vm_set_brk(vm, start);
    assert_int_equal(vm_brk(vm, 0), start);
    assert_int_equal(vm_brk(vm, start + 5 * PAGE_SIZE), start + 5 * PAGE_SIZE);
    *reach(start + 4 * PAGE_SIZE, true) = 3;
    assert_int_equal(vm_brk(vm, start + 3 * PAGE_SIZE), start + 3 * PAGE_SIZE);
    assert_null(reach(start + 4 * PAGE_SIZE, false));
    assert_int_equal(vm_brk(vm, start + 9 * PAGE_SIZE), start + 9 * PAGE_SIZE);
    assert_int_equal(vm->nr_areas, 1);
    assert_int_equal(*reach(start + 4 * PAGE_SIZE, false), 0);
    map_at(0x800000, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0);
    assert_int_equal(vm_brk(vm, 0x900000), start + 9 * PAGE_SIZE);
    check_invariants();
    vm_put(vm);
}

/* A file of four pages whose bytes are its page numbers, then of fewer. */
static struct vm_object file;
static struct page *file_pages[4];
static uint64_t file_size = 4, nr_write_gets;

static int file_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    if (index >= file_size)
        return -EFAULT;
    nr_write_gets += write;
    page_get(file_pages[index]);
    *page = file_pages[index];
    return 0;
}

static void file_free(struct vm_object *o)
{
    fail();
}

static const struct vm_object_ops file_ops = {.get_page = file_get_page, .free = file_free};

static void files_are_copied_shared_and_cut(void **state)
{
    int code, prot = PROT_READ | PROT_WRITE;
    vm_object_init(&file, &file_ops);
    for (unsigned i = 0; i < 4; i++) {
        file_pages[i] = page_alloc(0, PG_ZERO);
        *(uint8_t *)page_ptr(file_pages[i]) = (uint8_t)i;
    }
    vm = vm_new();
    uintptr_t private = map_at(0, 5 * PAGE_SIZE, prot, MAP_PRIVATE, &file, 0);
    uintptr_t shared = map_at(0, 5 * PAGE_SIZE, prot, MAP_SHARED, &file, 0);
    assert_int_equal(*reach(private + PAGE_SIZE, false), 1);
    *reach(private + PAGE_SIZE, true) = 11;
    *reach(private + 3 * PAGE_SIZE, true) = 13; /* without a look before */
    assert_int_equal(*reach(shared + PAGE_SIZE, false), 1);
    assert_int_equal(nr_write_gets, 0);
    *reach(shared + 2 * PAGE_SIZE, true) = 22;
    assert_int_equal(nr_write_gets, 1);
    assert_int_equal(*reach(private + 2 * PAGE_SIZE, false), 22);
    assert_int_equal(*(uint8_t *)page_ptr(file_pages[2]), 22);
    assert_int_equal(*(uint8_t *)page_ptr(file_pages[1]), 1);
    assert_int_equal(vm_fault(vm, shared + 4 * PAGE_SIZE, 0, &code), -EIO);
    assert_int_equal(code, BUS_ADRERR);

    /* A hole keeps copies; truncation does not. */
    vm_object_unmap(&file, 0, 3, false);
    assert_int_equal(*reach(private + PAGE_SIZE, false), 11);
    file_size = 3;
    vm_object_unmap(&file, 3, UINT64_MAX, true);
    assert_null(reach(private + 3 * PAGE_SIZE, false));
    assert_int_equal(*reach(private + PAGE_SIZE, false), 11);
    assert_int_equal(page_refs(file_pages[3]), 1);
    check_invariants();
    vm_put(vm);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(page_refs(file_pages[i]), 1);
    assert_int_equal(file.ref.count, 1);
    assert_true(list_is_empty(&file.mappings));
    for (unsigned i = 0; i < 4; i++)
        page_put(file_pages[i]);
}

static struct work unmapped;
static unsigned nr_queued;

void work_queue(struct work *w)
{
    assert_ptr_equal(w, &unmapped);
    nr_queued++;
}

/* Whatever takes the last mapping away, and nothing else, queues the object's work. */
static void the_last_unmapping_is_told(void **state)
{
    struct vm_object *o = vm_object_new_anon(8 * PAGE_SIZE);
    o->when_unmapped = &unmapped;
    vm = vm_new();
    uintptr_t at = map_at(0, 8 * PAGE_SIZE, PROT_READ, MAP_SHARED, o, 0);
    uintptr_t other = map_at(0, PAGE_SIZE, PROT_READ, MAP_SHARED, o, 0);
    assert_int_equal(vm_unmap(vm, at + 2 * PAGE_SIZE, PAGE_SIZE), 0); /* one becomes two */
    assert_int_equal(vm_unmap(vm, other, PAGE_SIZE), 0);
    vm_object_unmap(o, 0, 7, false);
    assert_int_equal(nr_queued, 0);
    assert_int_equal(vm_unmap(vm, at, 8 * PAGE_SIZE), 0);
    assert_int_equal(nr_queued, 1);
    map_at(0, PAGE_SIZE, PROT_READ, MAP_SHARED, o, 0);
    vm_put(vm);
    assert_int_equal(nr_queued, 2);
    vm_object_put(o);
}

static void a_failed_move_moves_nothing(void **state)
{
    uintptr_t result, at;
    vm = vm_new();
    at = map_at(0, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
    map_at(at + 64 * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL,
           0); /* in the way */
    for (unsigned i = 0; i < 64; i += 2)
        *reach(at + i * PAGE_SIZE, true) = (uint8_t)i;
    maps_until_failure = 9;
    assert_int_equal(vm_remap(vm, at, 64 * PAGE_SIZE, 80 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result),
                     -ENOMEM);
    maps_until_failure = 0;
    check_invariants();
    for (unsigned i = 0; i < 64; i += 2)
        assert_int_equal(*reach(at + i * PAGE_SIZE, false), i);
    assert_int_equal(vm_remap(vm, at, 64 * PAGE_SIZE, 80 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &result),
                     0);
    for (unsigned i = 0; i < 64; i += 2)
        assert_int_equal(*reach(result + i * PAGE_SIZE, false), i);
    check_invariants();
    vm_put(vm);
}

static void locks_count(void **state)
{
    uint8_t vec[8];
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    vm = vm_new();
    vm_limits(vm)->memlock = 16 * PAGE_SIZE;
    uintptr_t at = map_at(0, 8 * PAGE_SIZE, PROT_READ | PROT_WRITE, flags, NULL, 0);
    assert_int_equal(vm_lock(vm, at + PAGE_SIZE + 5, 2 * PAGE_SIZE, VM_LOCK), 0);
    assert_int_equal(vm->locked_bytes, 3 * PAGE_SIZE);
    assert_int_equal(vm->rss_pages, 3);
    assert_int_equal(vm_incore(vm, at, 6 * PAGE_SIZE, (struct uptr){(uintptr_t)vec}), 0);
    assert_memory_equal(vec, "\0\1\1\1\0", 5);
    assert_int_equal(vm_advise(vm, at, 8 * PAGE_SIZE, MADV_DONTNEED), -EINVAL);
    assert_int_equal(vm_sync(vm, at, 8 * PAGE_SIZE, MS_INVALIDATE), -EBUSY);
    assert_int_equal(vm_lock(vm, at, 17 * PAGE_SIZE, VM_LOCK), -ENOMEM);
    assert_int_equal(vm_lock(vm, at, 8 * PAGE_SIZE, VM_UNLOCK), 0);
    assert_int_equal(vm->locked_bytes, 0);
    assert_int_equal(vm->nr_areas, 1);
    assert_int_equal(vm_lock_all(vm, MCL_FUTURE), 0);
    map_at(0, 17 * PAGE_SIZE, PROT_READ, flags, NULL, -EAGAIN);
    assert_int_equal(*reach(map_at(0, PAGE_SIZE, PROT_READ, flags, NULL, 0), false), 0);
    check_invariants();
    vm_put(vm);
}

/* More pages than a step takes: others may run in between, and every page is dealt with all the same. */
static void large_ranges_take_steps(void **state)
{
    static const size_t pages = STEP_ENTRIES * 2 + 100, len = pages * PAGE_SIZE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    vm = vm_new();
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        int how = is_shared ? MAP_SHARED | MAP_ANONYMOUS : flags;
        struct vm_object *o = is_shared ? vm_object_new_anon(len) : NULL;
        uintptr_t at = map_at(0, len, PROT_READ | PROT_WRITE, how, o, 0);
        assert_int_equal(vm_advise(vm, at, len, MADV_NOHUGEPAGE), 0);
        for (size_t i = 0; i < pages; i++)
            *reach(at + i * PAGE_SIZE, true) = (uint8_t)i;
        assert_int_equal(vm_pages_count(vm, at, at + len), pages);

        nr_checkpoints = 0;
        assert_int_equal(vm_protect(vm, at, len, PROT_READ), 0);
        assert_int_equal(nr_checkpoints, 2);
        assert_null(reach(at + len - PAGE_SIZE, true));

        uintptr_t to = map_at(0, len, PROT_NONE, flags, NULL, 0), result;
        assert_int_equal(vm_remap(vm, at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to, &result), 0);
        assert_int_equal(*reach(to + 0x1fff * PAGE_SIZE, false), 0xff);

        nr_checkpoints = nr_flushes = 0;
        assert_int_equal(vm_unmap(vm, to, len), 0);
        assert_int_equal(nr_checkpoints, is_shared ? 3 : 2);
        assert_int_equal(nr_flushes, is_shared ? 4 : 3);
        if (o)
            vm_object_put(o);
    }
    check_invariants();
    vm_put(vm);
}

static void populating_ends_when_killed(void **state)
{
    vm = vm_new();
    struct vm_object *o = vm_object_new_anon(64 * MIB);
    is_killed = true;
    uintptr_t at = map_at(0, 64 * MIB, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, o, 0);
    assert_true(vm->rss_pages <= POPULATE_STEPS);
    assert_int_equal(vm_lock(vm, at, 64 * MIB, VM_LOCK), -EINTR);
    assert_int_equal(vm_advise(vm, at, 64 * MIB, MADV_POPULATE_WRITE), -EINTR);
    assert_int_equal(vm_lock_all(vm, MCL_CURRENT), 0); /* best effort: says nothing of it */
    assert_true(vm->rss_pages <= 4 * POPULATE_STEPS);
    is_killed = false;

    /* All there is, over holes and areas without access. */
    assert_int_equal(vm_unmap(vm, at + MIB, PAGE_SIZE), 0);
    assert_int_equal(vm_protect(vm, at + 2 * MIB, PAGE_SIZE, PROT_NONE), 0);
    assert_int_equal(vm_lock_all(vm, MCL_CURRENT), 0);
    assert_int_equal(vm->rss_pages, 64 * MIB / PAGE_SIZE - 2);
    vm_object_put(o);
    vm_put(vm);
}

static uint64_t pages_before;
static size_t bytes_before;

static int leave_nothing(void **state)
{
    drain_own_cache();
    if (pages_before == 0) {
        pages_before = page_count_free();
        bytes_before = heap_bytes_used();
    }
    /* Slabs keep an empty page each. */
    assert_true(page_count_free() + NR_CLASSES + 1 >= pages_before);
    assert_int_equal(heap_bytes_used(), bytes_before);
    assert_int_equal(nr_entries, 0);
    return 0;
}

static int set_up(void **state)
{
    fake_ram(256 * MIB);
    page_init(&machine);
    heap_init();
    while (page_grow()) /* so that describing memory does not look like losing it */
        ;
    return 0;
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, leave_nothing, leave_nothing)
    const struct CMUnitTest tests[] = {
        CASE(sweeps_get_big_pages),
        CASE(places_from_the_top_down),
        CASE(stacks_grow),
        CASE(brk_moves),
        CASE(files_are_copied_shared_and_cut),
        CASE(the_last_unmapping_is_told),
        CASE(a_failed_move_moves_nothing),
        CASE(locks_count),
        CASE(large_ranges_take_steps),
        CASE(populating_ends_when_killed),
        CASE(behaves_like_the_model),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
