/* Which physical memory there is, and struct pages for it, made when they are first needed.
 *
 * RAM that nobody has needed yet is a span: two numbers.  Growing cuts a section (up to the next 16 MiB
 * boundary) off the first span, backs the struct pages of its regions with the section's own first pages, and
 * hands the rest to the buddy; so neither boot time nor the memory touched depends on how much RAM there is.
 *
 *     span:    |<- struct pages ->|<------------- to the buddy ------------->|   rest: later
 *              start                                                         next 16 MiB boundary
 *
 * A region is 4 MiB, the largest block: its struct pages exist all or not at all, so the buddy may look at any
 * block's buddy.  Those of a region that are not RAM of ours are PAGE_HOLE.
 *
 * Page tables for all this come from arch's own reserve, or through up_table_page_alloc from what the buddy has. */
#include "page_private.h"

#include <base/bitmap.h>
#include <base/log.h>
#include <core/atomic.h>

#define SECTION_SIZE     (16UL << 20)
#define REGION_PAGES     (1UL << PAGE_MAX_ORDER)
#define REGION_MAP_PAGES (REGION_PAGES * sizeof(struct page) / PAGE_SIZE)
#define MAX_SPANS        (BOOT_MAX_RANGES + BOOT_MAX_MODULES)

/* The set of described regions: each leaf is a page and covers 128 GiB. */
#define LEAF_REGIONS (PAGE_SIZE * 8)
#define MAX_LEAVES   64UL
#define MAX_PFN      (MAX_LEAVES * LEAF_REGIONS * REGION_PAGES)

struct span {
    uint64_t first, end; /* page frame numbers */
};

static struct {
    struct spinlock lock; /* guards: */
    struct span spans[MAX_SPANS];
    unsigned nr_spans;
    struct span spare; /* pages of the section being described that are not used yet */
    /* read without the lock */
    uint64_t total, untouched, describing;
} grow = {.lock = SPINLOCK_INIT(RANK_PAGE_GROW)};

static uint64_t first_leaf[LEAF_REGIONS / 64];
/* Bits and leaves are only ever added, so readers need no lock. */
static uint64_t *leaves[MAX_LEAVES];

/* --- the described regions ------------------------------------------------------------------------ */

static bool is_described(uint64_t region)
{
    uint64_t leaf = region / LEAF_REGIONS;
    uint64_t *bits = leaf < MAX_LEAVES ? atomic_load(&leaves[leaf]) : NULL;
    return bits && bitmap_has(bits, region % LEAF_REGIONS);
}

struct page *page_of(struct paddr pa)
{
    uint64_t pfn = pa.pa >> PAGE_SHIFT;
    if (!is_described(pfn / REGION_PAGES))
        return NULL;
    struct page *p = page_at(pfn);
    return p->state == PAGE_HOLE ? NULL : p;
}

/* A zeroed page to describe memory with: of the section being described, else of the buddy. */
static bool take_meta_page(struct paddr *pa)
{
    if (grow.spare.first < grow.spare.end) {
        pa->pa = grow.spare.first++ << PAGE_SHIFT;
    } else {
        struct page *p = page_take();
        if (!p)
            return false;
        p->state = PAGE_USED;
        p->refs = 1;
        *pa = page_paddr(p);
        grow.describing++;
    }
    arch_zero_page(direct_ptr(*pa));
    return true;
}

static bool describe_region(uint64_t region)
{
    struct page *map = page_at(region * REGION_PAGES);
    uint64_t **leaf = &leaves[region / LEAF_REGIONS];
    struct paddr pa;
    if (!*leaf) {
        if (!take_meta_page(&pa))
            return false;
        atomic_store(leaf, (uint64_t *)direct_ptr(pa));
    }
    for (unsigned i = 0; i < REGION_MAP_PAGES; i++) {
        uintptr_t va = (uintptr_t)map + i * PAGE_SIZE;
        if (!take_meta_page(&pa) || arch_kmap(va, pa, MAP_R | MAP_W) != 0)
            return false;
    }
    for (unsigned i = 0; i < REGION_PAGES; i++)
        map[i].state = PAGE_HOLE;
    /* Whoever sees the bit sees the holes. */
    atomic_or(&(*leaf)[region % LEAF_REGIONS / 64], 1UL << (region % 64));
    return true;
}

/* Make struct pages for [first, end). */
static bool describe(uint64_t first, uint64_t end)
{
    for (uint64_t r = first / REGION_PAGES; r <= (end - 1) / REGION_PAGES; r++)
        if (!is_described(r) && !describe_region(r))
            return false;
    return true;
}

/* --- growing ---------------------------------------------------------------------------------------- */

static bool grow_section_locked(void)
{
    struct span *s = &grow.spans[0];
    uint64_t first = s->first;
    uint64_t end =
        MIN(s->end, ALIGN_DOWN(first, SECTION_SIZE >> PAGE_SHIFT) + (SECTION_SIZE >> PAGE_SHIFT));
    s->first = end;
    if (s->first == s->end) {
        grow.nr_spans--;
        for (unsigned i = 0; i < grow.nr_spans; i++)
            grow.spans[i] = grow.spans[i + 1];
    }
    grow.untouched -= end - first;

    arch_direct_map((struct paddr){first << PAGE_SHIFT}, (end - first) << PAGE_SHIFT);

    grow.spare = (struct span){first, end};
    bool ok = describe(first, end);
    uint64_t used_end = grow.spare.first;
    grow.spare = (struct span){0, 0};
    grow.describing += ok ? used_end - first : 0;
    if (!ok) {
        /* Too small to pay for its own description. */
        grow.total -= end - first;
        return false;
    }
    for (uint64_t pfn = first; pfn < used_end; pfn++) {
        page_at(pfn)->state = PAGE_USED;
        page_at(pfn)->refs = 1;
    }
    for (uint64_t pfn = used_end; pfn < end; pfn++)
        page_at(pfn)->state = PAGE_INNER;
    page_buddy_add(used_end, end);
    return true;
}

bool page_grow(void)
{
    if (__atomic_load_n(&grow.nr_spans, __ATOMIC_RELAXED) == 0)
        return false;
    bool irqs = spin_lock_irq(&grow.lock);
    bool grew = false;
    while (!grew && grow.nr_spans > 0)
        grew = grow_section_locked();
    spin_unlock_irq(&grow.lock, irqs);
    return grew;
}

static void add_span_locked(uint64_t first, uint64_t end)
{
    end = MIN(end, MAX_PFN);
    if (first >= end)
        return;
    if (grow.nr_spans == MAX_SPANS) {
        log_warn("RAM at %#llx left unused: too many ranges",
                 (unsigned long long)first << PAGE_SHIFT);
        return;
    }
    grow.spans[grow.nr_spans++] = (struct span){first, end};
    grow.total += end - first;
    grow.untouched += end - first;
}

void page_grow_init(const struct bootinfo *info)
{
    bool irqs = spin_lock_irq(&grow.lock);
    leaves[0] = first_leaf;
    for (unsigned i = 0; i < info->nr_ranges; i++) {
        const struct boot_range *r = &info->ranges[i];
        if (r->kind == BOOT_RAM)
            add_span_locked((r->start.pa + PAGE_SIZE - 1) >> PAGE_SHIFT,
                            (r->start.pa + r->size) >> PAGE_SHIFT);
    }
    spin_unlock_irq(&grow.lock, irqs);
}

uint64_t page_grow_total(void)
{
    return __atomic_load_n(&grow.total, __ATOMIC_RELAXED);
}

uint64_t page_grow_untouched(void)
{
    return __atomic_load_n(&grow.untouched, __ATOMIC_RELAXED);
}

uint64_t page_grow_describing(void)
{
    return __atomic_load_n(&grow.describing, __ATOMIC_RELAXED);
}

/* --- memory that boot kept out ------------------------------------------------------------------------ */

struct page *page_adopt(struct paddr start, unsigned long n)
{
    uint64_t first = start.pa >> PAGE_SHIFT;
    assert(start.pa % PAGE_SIZE == 0 && n > 0);
    if (first + n > MAX_PFN)
        return NULL;
    uint64_t regions = n / REGION_PAGES + 2;
    while (page_buddy_free() < regions * (REGION_MAP_PAGES + 1) && page_grow())
        ;
    bool irqs = spin_lock_irq(&grow.lock);
    bool ok = describe(first, first + n);
    for (uint64_t pfn = first; ok && pfn < first + n; pfn++) {
        struct page *p = page_at(pfn);
        assert(p->state == PAGE_HOLE);
        p->refs = 1;
        p->order = 0;
        p->flags = 0;
        p->state = PAGE_ADOPTED;
    }
    spin_unlock_irq(&grow.lock, irqs);
    return ok ? page_at(first) : NULL;
}

void page_donate(struct paddr start, uint64_t size)
{
    uint64_t pfn = (start.pa + PAGE_SIZE - 1) >> PAGE_SHIFT, end = (start.pa + size) >> PAGE_SHIFT;
    while (pfn < end) {
        struct page *p = page_of((struct paddr){pfn << PAGE_SHIFT});
        bool irqs = spin_lock_irq(&grow.lock);
        uint64_t first = pfn;
        if (p) {
            assert(p->state == PAGE_ADOPTED);
            p->state = PAGE_USED;
            grow.total++;
            pfn++;
        } else {
            while (pfn < end && !page_of((struct paddr){pfn << PAGE_SHIFT}))
                pfn++;
            add_span_locked(first, pfn);
        }
        spin_unlock_irq(&grow.lock, irqs);
        if (p)
            page_put(p);
    }
}
