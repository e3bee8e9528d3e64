/* Physical pages: a buddy allocator behind per-CPU caches of single pages.
 *
 * A free block of 2^n pages is on the list of order n, described by its first struct page; its buddy is the
 * block whose frame number differs in bit n alone, and two free buddies become one block of the next order.  RAM
 * comes from page_grow.c a section at a time, whenever the lists run low, so that page-table code (which cannot
 * grow: growing maps memory itself) always finds a few pages. */
#include "page_private.h"

#include <arch/upcalls.h>
#include <base/log.h>
#include <core/atomic.h>

#define LOW_WATER   64 /* grow when fewer pages are on the lists */
#define CACHE_ORDER 4
#define CACHE_BATCH (1U << CACHE_ORDER)
#define CACHE_MAX   64

static struct {
    struct spinlock lock; /* taken in interrupts too - guards: */
    struct list free[PAGE_MAX_ORDER + 1];
    uint64_t nr_free;
} buddy = {.lock = SPINLOCK_INIT(RANK_PAGE)};

/* Free single pages; each CPU uses its own, with interrupts off. */
static struct cache {
    struct list pages;
    unsigned nr;
} __attribute__((aligned(64))) caches[ARCH_MAX_CPUS];

static struct page *zero_page;
static page_shrink_fn *shrinker;

/* --- the buddy ------------------------------------------------------------------------------- */

static void list_block(struct page *p, unsigned order)
{
    p->state = PAGE_FREE;
    p->order = order;
    list_push_front(&buddy.free[order], &p->link);
}

static struct page *buddy_take_locked(unsigned order)
{
    unsigned found = order;
    if (buddy.nr_free == 0) /* also before page_init, when the lists are not lists yet */
        return NULL;
    while (found <= PAGE_MAX_ORDER && list_is_empty(&buddy.free[found]))
        found++;
    if (found > PAGE_MAX_ORDER)
        return NULL;
    struct page *p = list_entry(list_pop_front(&buddy.free[found]), struct page, link);
    while (found > order) {
        found--;
        list_block(p + (1UL << found), found);
    }
    p->state = PAGE_INNER;
    buddy.nr_free -= 1UL << order;
    return p;
}

static void buddy_free_locked(struct page *p, unsigned order)
{
    buddy.nr_free += 1UL << order;
    while (order < PAGE_MAX_ORDER) {
        struct page *other = page_at(page_pfn(p) ^ 1UL << order);
        if (other->state != PAGE_FREE || other->order != order)
            break;
        list_remove(&other->link);
        other->state = p->state = PAGE_INNER;
        p = MIN(p, other);
        order++;
    }
    list_block(p, order);
}

void page_buddy_add(uint64_t first, uint64_t end)
{
    bool irqs = spin_lock_irq(&buddy.lock);
    while (first < end) {
        unsigned order = first ? (unsigned)__builtin_ctzll(first) : PAGE_MAX_ORDER;
        order = MIN(order, PAGE_MAX_ORDER);
        while (first + (1UL << order) > end)
            order--;
        buddy_free_locked(page_at(first), order);
        first += 1UL << order;
    }
    spin_unlock_irq(&buddy.lock, irqs);
}

uint64_t page_buddy_free(void)
{
    return __atomic_load_n(&buddy.nr_free, __ATOMIC_RELAXED);
}

void page_buddy_init(void)
{
    for (unsigned i = 0; i <= PAGE_MAX_ORDER; i++)
        list_init(&buddy.free[i]);
    for (unsigned i = 0; i < ARCH_MAX_CPUS; i++)
        list_init(&caches[i].pages);
}

/* --- caches of single pages -------------------------------------------------------------------- */

/* The smallest blocks first, whole: that splits little and is cheap for each page. */
static void cache_fill(struct cache *c)
{
    bool irqs = spin_lock_irq(&buddy.lock);
    while (c->nr < CACHE_BATCH && buddy.nr_free > 0) {
        unsigned order = 0;
        while (order < CACHE_ORDER && list_is_empty(&buddy.free[order]))
            order++;
        struct page *p = buddy_take_locked(order);
        for (struct page *end = p + (1UL << order); p < end; p++) {
            p->state = PAGE_CACHED;
            list_push_back(&c->pages, &p->link);
            c->nr++;
        }
    }
    spin_unlock_irq(&buddy.lock, irqs);
}

/* Give back all but `keep` pages, the coldest first. */
static void cache_drain(struct cache *c, unsigned keep)
{
    bool irqs = spin_lock_irq(&buddy.lock);
    while (c->nr > keep) {
        struct page *p = list_entry(c->pages.prev, struct page, link);
        list_remove(&p->link);
        c->nr--;
        buddy_free_locked(p, 0);
    }
    spin_unlock_irq(&buddy.lock, irqs);
}

struct page *page_take(void)
{
    bool irqs = arch_irq_save();
    struct cache *c = &caches[this_cpu()->index];
    if (c->nr == 0 && buddy.free[0].next) /* page tables are made before page_init, too */
        cache_fill(c);
    struct page *p = NULL;
    if (c->nr != 0) {
        p = list_entry(list_pop_front(&c->pages), struct page, link);
        c->nr--;
    }
    arch_irq_restore(irqs);
    return p;
}

static struct page *take_block(unsigned order)
{
    if (order == 0)
        return page_take();
    bool irqs = spin_lock_irq(&buddy.lock);
    struct page *p = buddy_take_locked(order);
    spin_unlock_irq(&buddy.lock, irqs);
    return p;
}

/* --- allocation -------------------------------------------------------------------------------- */

static void drain_own_cache(void)
{
    bool irqs = arch_irq_save();
    cache_drain(&caches[this_cpu()->index], 0);
    arch_irq_restore(irqs);
}

/* Nothing on the lists is large enough. */
static struct page *take_block_slowly(unsigned order)
{
    struct page *p;
    while (page_grow()) {
        p = take_block(order);
        if (p)
            return p;
    }
    drain_own_cache();
    p = take_block(order);
    if (p || !shrinker || !arch_irqs_are_on() || this_cpu()->irq_depth > 0)
        return p;
    return shrinker(1UL << order) ? take_block(order) : NULL;
}

static void log_out_of_memory(unsigned order)
{
    static uint64_t last_ns; /* at most a line a second; a race costs a second line */
    uint64_t now = arch_clock_ns();
    if (last_ns != 0 && now - last_ns < 1000000000)
        return;
    last_ns = now;
    log_warn("out of memory: no free block of %lu KiB (%llu KiB free)", PAGE_SIZE << order >> 10,
             (unsigned long long)page_count_free() * (PAGE_SIZE >> 10));
}

/* A block that has left the lists gets its first reference. */
static void own_block(struct page *p, unsigned order)
{
    p->state = PAGE_USED;
    p->order = order;
    p->flags = 0;
    atomic_store(&p->refs, 1);
}

struct page *page_alloc(unsigned order, unsigned flags)
{
    assert(order <= PAGE_MAX_ORDER);
    struct page *p = take_block(order);
    if (unlikely(page_buddy_free() < LOW_WATER))
        page_grow();
    if (unlikely(!p))
        p = take_block_slowly(order);
    if (unlikely(!p)) {
        if (!(flags & PG_MAY_FAIL))
            log_out_of_memory(order);
        return NULL;
    }
    own_block(p, order);
    if (flags & PG_ZERO)
        for (unsigned long i = 0; i < 1UL << order; i++)
            arch_zero_page((char *)page_ptr(p) + i * PAGE_SIZE);
    return p;
}

void page_get(struct page *p)
{
    unsigned refs = __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    assert(refs > 1);
    (void)refs;
}

static void free_block(struct page *p)
{
    bool irqs = arch_irq_save();
    if (p->order == 0) {
        struct cache *c = &caches[this_cpu()->index];
        p->state = PAGE_CACHED;
        list_push_front(&c->pages, &p->link);
        if (++c->nr > CACHE_MAX)
            cache_drain(c, CACHE_MAX - CACHE_BATCH);
    } else {
        bool ignored = spin_lock_irq(&buddy.lock);
        buddy_free_locked(p, p->order);
        spin_unlock_irq(&buddy.lock, ignored);
    }
    arch_irq_restore(irqs);
}

void page_put(struct page *p)
{
    unsigned refs = atomic_add(&p->refs, -1u);
    assert(refs != -1u);
    if (refs != 0 || p->state == PAGE_ADOPTED)
        return;
    assert(p->state == PAGE_USED);
    free_block(p);
}

void page_split(struct page *p)
{
    assert(p->state == PAGE_USED);
    unsigned long n = 1UL << p->order;
    uint32_t refs = page_refs(p);
    p->order = 0;
    for (unsigned long i = 1; i < n; i++) {
        p[i].state = PAGE_USED;
        p[i].order = 0;
        p[i].flags = p->flags;
        p[i].refs = refs;
    }
}

/* --- what others ask ------------------------------------------------------------------------------ */

struct paddr page_paddr(const struct page *p)
{
    return (struct paddr){page_pfn(p) << PAGE_SHIFT};
}

struct page *page_zero(void)
{
    return zero_page;
}

uint64_t page_count_total(void)
{
    return page_grow_total();
}

uint64_t page_count_free(void)
{
    uint64_t n = page_buddy_free() + page_grow_untouched();
    for (unsigned i = 0; i < arch_cpu_count(); i++)
        n += __atomic_load_n(&caches[i].nr, __ATOMIC_RELAXED);
    return n;
}

uint64_t page_count_describing(void)
{
    return page_grow_describing();
}

void page_set_shrinker(page_shrink_fn *shrink)
{
    shrinker = shrink;
}

seldom_called void page_init(const struct bootinfo *info)
{
    page_buddy_init();
    page_grow_init(info);
    zero_page = page_alloc(0, PG_ZERO);
    if (!zero_page)
        panic("no usable RAM");
}

struct paddr up_table_page_alloc(void)
{
    /* Not page_alloc: page_grow maps memory, and must not be entered again from there. */
    struct page *p = page_take();
    if (!p)
        return (struct paddr){0};
    own_block(p, 0);
    arch_zero_page(page_ptr(p));
    return page_paddr(p);
}

void up_table_page_free(struct paddr pa)
{
    struct page *p = page_of(pa);
    if (p) /* else one of the boot image's own */
        page_put(p);
}
