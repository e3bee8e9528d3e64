/* Slabs: objects of one size cut from single pages, behind per-CPU magazines.
 *
 * A free slot's first word points to the next free slot, both in its page and in a magazine.  A page with free and
 * used slots is on its slab's list `partial`; a full one is on no list and comes back with the first slot freed.
 * The page's struct page says which slab it belongs to (flags), where its first free slot is and how many are in
 * use (index).
 *
 * Debug builds fill the first words of a free slot with a pattern and look for it when the slot is handed out:
 * a change means that somebody wrote to freed memory, an intact pattern on free that the slot is free already. */
#include "heap_private.h"

#include <base/string.h>

#define NO_SLOT 0xffffu /* page full */

/* struct page.index of a slab's page */
static uint16_t first_slot(const struct page *p)
{
    return (uint16_t)p->index;
}

static unsigned slots_used(const struct page *p)
{
    return (unsigned)(p->index >> 16);
}

static void set_slots(struct page *p, unsigned first, unsigned used)
{
    p->index = (uint64_t)used << 16 | first;
}

/* --- magazines ------------------------------------------------------------------------------------- */

struct magazine {
    void *head;
    unsigned nr;
};

/* Each CPU's, by slab id; used with interrupts off.  The boot CPU's need no memory. */
static struct magazine boot_magazines[HEAP_MAX_SLABS];
static struct magazine *magazines[ARCH_MAX_CPUS];

void slab_init(void)
{
    magazines[0] = boot_magazines;
}

/* This CPU's magazines, made now; NULL: no memory for them. */
static __attribute__((noinline)) struct magazine *make_magazines(void)
{
    _Static_assert(sizeof(boot_magazines) <= PAGE_SIZE, "magazines of a CPU fit a page");
    struct page *p = page_alloc(0, PG_ZERO | PG_MAY_FAIL);
    return p ? magazines[this_cpu()->index] = page_ptr(p) : NULL;
}

/* This CPU's magazine for `s`; NULL when there is none yet. */
static inline struct magazine *own_magazine(const struct slab *s)
{
    struct magazine *all = magazines[this_cpu()->index];
    return likely(all) ? all + s->id : NULL;
}

/* --- pattern checks (debug) --------------------------------------------------------------------------- */

#define POISON       0xdeadbeefdeadbeefUL
#define TAKEN        0xa11c0ca7eda11c0cUL
#define POISON_WORDS 8UL

/* Taken words no longer look freed, so that a block whose owner wrote nothing is not taken for one freed twice. */
static void check_poison(const struct slab *s, void *slot)
{
    uint64_t *word = slot;
    for (size_t i = 1; i < MIN(POISON_WORDS, s->size / 8); i++) {
        if (word[i] != POISON)
            panic("heap: %s (%u bytes) at %p was written to after it was freed", s->name, s->size,
                  slot);
        word[i] = TAKEN;
    }
}

/* A slot in use must not look free, even if its user never writes to it. */
static void unpoison(const struct slab *s, void *slot)
{
    uint64_t *word = slot;
    if (s->size / 8 > 1)
        word[1] = ~POISON;
}

static void poison(const struct slab *s, void *slot, bool is_new)
{
    uint64_t *word = slot;
    size_t n = MIN(POISON_WORDS, s->size / 8), intact = 1;
    for (size_t i = 1; i < n; i++) {
        intact += word[i] == POISON;
        word[i] = POISON;
    }
    if (!is_new && n > 3 && intact == n)
        panic("heap: %s (%u bytes) at %p is freed twice", s->name, s->size, slot);
}

/* --- pages of slots --------------------------------------------------------------------------------------- */

/* A new page, all slots free, not on the list yet. */
static struct page *new_page(struct slab *s)
{
    struct page *p = page_alloc(0, PG_MAY_FAIL);
    if (!p)
        return NULL;
    p->flags = HEAP_PAGE_SLAB | s->id;
    char *base = page_ptr(p);
    unsigned nr = PAGE_SIZE / s->size;
    for (unsigned i = 0; i < nr; i++) {
        void **slot = (void **)(base + i * s->size);
        if (HEAP_CHECKS)
            poison(s, slot, true);
        *slot = i + 1 < nr ? base + (i + 1) * s->size : NULL;
    }
    set_slots(p, 0, 0);
    return p;
}

static void *take_slot_locked(struct slab *s)
{
    if (list_is_empty(&s->partial))
        return NULL;
    struct page *p = list_entry(s->partial.next, struct page, link);
    void **slot = (void **)((char *)page_ptr(p) + first_slot(p));
    void *next = *slot;
    set_slots(p, next ? (unsigned)((uintptr_t)next % PAGE_SIZE) : NO_SLOT, slots_used(p) + 1);
    if (slots_used(p) == 1)
        s->nr_empty--;
    if (!next)
        list_remove(&p->link);
    s->taken++;
    return slot;
}

/* Answers the slot's page when it has become free and need not be kept. */
static struct page *return_slot_locked(struct slab *s, void *slot)
{
    struct page *p = page_of(direct_paddr(slot));
    unsigned first = first_slot(p), used = slots_used(p);
    *(void **)slot = first == NO_SLOT ? NULL : (char *)page_ptr(p) + first;
    if (first == NO_SLOT)
        list_push_front(&s->partial, &p->link);
    set_slots(p, (unsigned)((uintptr_t)slot % PAGE_SIZE), used - 1);
    s->taken--;
    if (used > 1)
        return NULL;
    if (s->nr_empty == 0) {
        /* Keep one, last in line, so that a single object coming and going costs no page. */
        s->nr_empty++;
        list_remove(&p->link);
        list_push_back(&s->partial, &p->link);
        return NULL;
    }
    list_remove(&p->link);
    s->nr_pages--;
    return p;
}

/* A slot straight from the pages, and this CPU's magazine filled to the half. */
static __attribute__((noinline)) void *take_slowly(struct slab *s)
{
    struct magazine *all = magazines[this_cpu()->index], *m;
    if (!all)
        all = make_magazines();
    m = all ? all + s->id : NULL;
    bool irqs = spin_lock_irq(&s->lock);
    void *slot = take_slot_locked(s);
    while (!slot) {
        spin_unlock_irq(&s->lock, irqs);
        struct page *p = new_page(s);
        if (!p)
            return NULL;
        irqs = spin_lock_irq(&s->lock);
        list_push_front(&s->partial, &p->link);
        s->nr_empty++;
        s->nr_pages++;
        slot = take_slot_locked(s);
    }
    while (m && m->nr < s->magazine / 2) {
        void **more = take_slot_locked(s);
        if (!more)
            break;
        *more = m->head;
        m->head = more;
        m->nr++;
    }
    spin_unlock_irq(&s->lock, irqs);
    return slot;
}

static void put_one(struct slab *s, void *slot)
{
    bool irqs = spin_lock_irq(&s->lock);
    struct page *freed = return_slot_locked(s, slot);
    spin_unlock_irq(&s->lock, irqs);
    if (freed)
        page_put(freed);
}

/* A slot straight to the pages, and what is above the half of this CPU's magazine with it. */
static __attribute__((noinline)) void put_slowly(struct slab *s, void *slot)
{
    put_one(s, slot);
    struct magazine *m = own_magazine(s);
    if (!m)
        make_magazines();
    while (m && m->nr > s->magazine / 2) {
        slot = m->head;
        m->head = *(void **)slot;
        m->nr--;
        put_one(s, slot);
    }
}

/* --- the face ------------------------------------------------------------------------------------------------ */

void *slab_take(struct slab *s)
{
    bool irqs = arch_irq_save();
    struct magazine *m = own_magazine(s);
    void **slot;
    if (likely(m && m->nr > 0)) {
        slot = m->head;
        m->head = *slot;
        m->nr--;
    } else {
        slot = take_slowly(s);
    }
    arch_irq_restore(irqs);
    if (HEAP_CHECKS && slot) {
        check_poison(s, slot);
        unpoison(s, slot);
    }
    return slot;
}

void slab_put(struct slab *s, void *slot)
{
    assert(heap_slab_of(slot) == s);
    if (HEAP_CHECKS)
        poison(s, slot, false);
    bool irqs = arch_irq_save();
    struct magazine *m = own_magazine(s);
    if (likely(m && m->nr < s->magazine)) {
        *(void **)slot = m->head;
        m->head = slot;
        m->nr++;
    } else {
        put_slowly(s, slot);
    }
    arch_irq_restore(irqs);
}

inline void *slab_alloc(struct slab *s)
{
    if (s->size > HEAP_MAX_SLOT)
        return heap_zalloc(s->size);
    void *p = slab_take(s);
    if (p)
        memset(p, 0, s->size);
    return p;
}

void slab_free(struct slab *s, void *p)
{
    if (s->size > HEAP_MAX_SLOT)
        heap_free(p);
    else
        slab_put(s, p);
}

void slab_set_spare(struct slab *s, const size_t *spare)
{
    s->spare = spare;
}

seldom_called size_t slab_in_use(struct slab *s)
{
    size_t n = __atomic_load_n(&s->taken, __ATOMIC_RELAXED);
    if (s->spare)
        n -= __atomic_load_n(s->spare, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < ARCH_MAX_CPUS; i++)
        if (magazines[i])
            n -= __atomic_load_n(&magazines[i][s->id].nr, __ATOMIC_RELAXED);
    return n;
}
