/* The heap: sizes up to 2048 bytes are slots of the smallest size class that holds them, larger ones blocks of
 * pages.  What a pointer is, its page's struct page tells.
 *
 * Debug builds put eight guard bytes right behind the caller's bytes and the size that was asked for into the
 * slot's last word, and check both when the slot is freed:
 *
 *     | the caller's size bytes | guard | ... | magic and size |
 *     0                         size           slot size - 8
 */
#include "heap_private.h"
#include "page_private.h"

#include <arch/upcalls.h>
#include <base/log.h>
#include <base/string.h>
#include <core/atomic.h>

#define GUARD      0xbbbbbbbbbbbbbbbbUL
#define TAIL_MAGIC 0x5a1eUL
#define OVERHEAD   (HEAP_CHECKS ? 16UL : 0UL)

#define NR_CLASSES 19
static struct slab slabs[HEAP_MAX_SLABS]; /* the size classes, then the others */
static unsigned nr_slabs;

/* The class for a size, by the number of 16-byte units it takes. */
static const uint8_t class_of_units[HEAP_MAX_SLOT / 16 + 1] = {
    [0 ... 1] = 0,    [2] = 1,          [3] = 2,          [4] = 3,           [5] = 4,
    [6] = 5,          [7] = 6,          [8] = 7,          [9 ... 10] = 8,    [11 ... 12] = 9,
    [13 ... 16] = 10, [17 ... 20] = 11, [21 ... 24] = 12, [25 ... 32] = 13,  [33 ... 40] = 14,
    [41 ... 48] = 15, [49 ... 64] = 16, [65 ... 85] = 17, [86 ... 128] = 18,
};

static size_t block_bytes; /* atomic: in blocks of pages */

/* --- guard bytes (debug) ------------------------------------------------------------------------------ */

static uint64_t *tail_of(const struct slab *s, void *p)
{
    return (uint64_t *)((char *)p + s->size - 8);
}

static void set_guard(const struct slab *s, void *p, size_t size)
{
    uint64_t guard = GUARD;
    memcpy((char *)p + size, &guard, sizeof(guard));
    *tail_of(s, p) = TAIL_MAGIC << 48 | size;
}

/* The size that was asked for. */
static size_t check_guard(const struct slab *s, void *p)
{
    uint64_t tail = *tail_of(s, p), guard;
    size_t size = tail & 0xffffffff;
    if (tail >> 32 != TAIL_MAGIC << 16 || size + OVERHEAD > s->size)
        panic("heap: %p (%s) was freed twice, or written to far beyond its end", p, s->name);
    memcpy(&guard, (char *)p + size, sizeof(guard));
    if (guard != GUARD)
        panic("heap: %p (%zu bytes) was written to beyond its end", p, size);
    return size;
}

/* --- blocks of pages ---------------------------------------------------------------------------------------- */

static void *block_alloc(size_t size)
{
    unsigned order = 0;
    while (order <= PAGE_MAX_ORDER && PAGE_SIZE << order < size)
        order++;
    if (order > PAGE_MAX_ORDER)
        return NULL;
    struct page *p = page_alloc(order, PG_MAY_FAIL);
    if (!p)
        return NULL;
    p->flags = HEAP_PAGE_BLOCK;
    atomic_add(&block_bytes, PAGE_SIZE << order);
    return page_ptr(p);
}

static size_t block_size(const void *p)
{
    return PAGE_SIZE << page_of(direct_paddr(p))->order;
}

static void block_free(void *p)
{
    atomic_add(&block_bytes, -block_size(p));
    page_put(page_of(direct_paddr(p)));
}

struct slab *heap_slab_of(const void *p)
{
    struct page *page =
        HEAP_CHECKS ? page_of(direct_paddr(p)) : page_at(direct_paddr(p).pa >> PAGE_SHIFT);
    if (page && page->flags & HEAP_PAGE_SLAB)
        return &slabs[page->flags & HEAP_PAGE_ID];
    if (!page || !(page->flags & HEAP_PAGE_BLOCK) || (uintptr_t)p % PAGE_SIZE != 0)
        panic("heap: %p is not from the heap", p);
    return NULL;
}

/* --- allocation ------------------------------------------------------------------------------------------------ */

inline void *heap_alloc(size_t size)
{
    if (size > HEAP_MAX_SLOT - OVERHEAD)
        return block_alloc(size);
    struct slab *s = &slabs[class_of_units[(size + OVERHEAD + 15) / 16]];
    void *p = slab_take(s);
    if (HEAP_CHECKS && p)
        set_guard(s, p, size);
    return p;
}

void *heap_zalloc(size_t size)
{
    void *p = heap_alloc(size);
    if (p)
        memset(p, 0, size);
    return p;
}

void heap_free(void *p)
{
    if (!p)
        return;
    struct slab *s = heap_slab_of(p);
    if (!s) {
        block_free(p);
        return;
    }
    if (HEAP_CHECKS)
        check_guard(s, p);
    slab_put(s, p);
}

void *heap_realloc(void *p, size_t size)
{
    if (!p)
        return heap_alloc(size);
    struct slab *s = heap_slab_of(p);
    size_t room = s ? s->size - OVERHEAD : block_size(p);
    /* What the caller may have written: beyond `used` lie the guard bytes. */
    size_t used = s && HEAP_CHECKS ? check_guard(s, p) : room;
    if (size <= room && (size > room / 2 || room <= 64)) {
        if (s && HEAP_CHECKS)
            set_guard(s, p, size);
        return p;
    }
    void *new = heap_alloc(size);
    if (!new)
        return NULL;
    memcpy(new, p, MIN(used, size));
    heap_free(p);
    return new;
}

char *heap_strdup(const char *str)
{
    size_t size = strlen(str) + 1;
    char *copy = heap_alloc(size);
    if (copy)
        memcpy(copy, str, size);
    return copy;
}

/* A class whose slots are multiples of 64 bytes keeps them 64-byte aligned, and a block of pages is. */
void *up_alloc(size_t size)
{
    size_t need = size + OVERHEAD;
    if (need <= HEAP_MAX_SLOT) {
        unsigned class = class_of_units[(need + 15) / 16];
        while (slabs[class].size % 64 != 0)
            class ++;
        void *p = slab_take(&slabs[class]);
        if (!p)
            return NULL;
        memset(p, 0, size);
        if (HEAP_CHECKS)
            set_guard(&slabs[class], p, size);
        return p;
    }
    return heap_zalloc(MAX(size, HEAP_MAX_SLOT + 1UL));
}

void up_free(void *p)
{
    heap_free(p);
}

/* --- slabs of one kind of object ------------------------------------------------------------------------------ */

struct slab *slab_new(const char *name, size_t size)
{
    unsigned id = atomic_add(&nr_slabs, 1) - 1;
    if (id >= HEAP_MAX_SLABS)
        panic("heap: too many slabs (%s)", name);
    struct slab *s = &slabs[id];
    s->name = name;
    s->size = (unsigned)ALIGN_UP(MAX(size, 16UL), 16UL);
    s->id = (uint16_t)id;
    s->magazine = s->size <= 256 ? 32 : 8;
    spin_init(&s->lock, RANK_HEAP);
    list_init(&s->partial);
    return s;
}

void heap_init(void)
{
    static const uint16_t sizes[NR_CLASSES] = {16,  32,  48,  64,  80,  96,  112,  128,  160, 192,
                                               256, 320, 384, 512, 640, 768, 1024, 1360, 2048};
    static char names[NR_CLASSES][sizeof("size-2048")];

    slab_init();
    for (unsigned i = 0; i < NR_CLASSES; i++) {
        snprintf(names[i], sizeof(names[i]), "size-%u", sizes[i]);
        slab_new(names[i], sizes[i]);
    }
}

seldom_called size_t heap_bytes_used(void)
{
    size_t bytes = atomic_load(&block_bytes);
    for (unsigned i = 0; i < atomic_load(&nr_slabs); i++)
        bytes += slab_in_use(&slabs[i]) * slabs[i].size;
    return bytes;
}

void heap_dump(void)
{
    for (unsigned i = 0; i < atomic_load(&nr_slabs); i++) {
        size_t n = slab_in_use(&slabs[i]);
        if (n != 0)
            log_info("heap: %-16s %8zu objects of %5u bytes", slabs[i].name, n, slabs[i].size);
    }
    log_info("heap: %zu bytes in blocks of pages", atomic_load(&block_bytes));
}

/* --- leaks ------------------------------------------------------------------------------------------------------ */

_Static_assert(HEAP_MAX_SLABS <= 64, "struct heap_counts has room");

seldom_called void heap_count(struct heap_counts *c)
{
    size_t pages =
        page_count_total() - page_count_free() - page_count_describing() - kstack_free_pages();

    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < atomic_load(&nr_slabs); i++) {
        c->objects[i] = slab_in_use(&slabs[i]);
        pages -= slabs[i].nr_pages;
    }
    c->block_bytes = atomic_load(&block_bytes);
    c->other_pages = pages - c->block_bytes / PAGE_SIZE;
}

seldom_called unsigned heap_grown(const struct heap_counts *before, struct heap_slack slack,
                                  bool say)
{
    struct heap_counts now;
    unsigned grown = 0;

    heap_count(&now);
    for (unsigned i = 0; i < atomic_load(&nr_slabs); i++) {
        if (now.objects[i] <= before->objects[i] + slack.objects)
            continue;
        grown++;
        if (say)
            log_error("leak: %zu objects of %s (%u bytes), %zu before", now.objects[i],
                      slabs[i].name, slabs[i].size, before->objects[i]);
    }
    if (now.block_bytes > before->block_bytes + slack.block_bytes) {
        grown++;
        if (say)
            log_error("leak: %zu bytes in blocks of pages, %zu before", now.block_bytes,
                      before->block_bytes);
    }
    if (now.other_pages > before->other_pages + slack.pages) {
        grown++;
        if (say)
            log_error("leak: %zu other pages, %zu before", now.other_pages, before->other_pages);
    }
    return grown;
}
