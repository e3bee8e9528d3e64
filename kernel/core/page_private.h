/* What page.c (the buddy allocator) and page_grow.c (which RAM it knows) tell each other. */
#pragma once

#include <core/lock.h>
#include <core/page.h>

/* struct page.state */
enum page_state {
    PAGE_INNER,   /* RAM, inside a block that another page heads */
    PAGE_HOLE,    /* not RAM of ours */
    PAGE_FREE,    /* heads a free block on the buddy's list */
    PAGE_CACHED,  /* free, in a CPU's cache */
    PAGE_USED,    /* heads an allocated block */
    PAGE_ADOPTED, /* page_adopt's: has references but no home on a free list */
};

static inline struct page *page_at(uint64_t pfn)
{
    return (struct page *)VMEMMAP_BASE + pfn;
}

static inline uint64_t page_pfn(const struct page *p)
{
    return (uint64_t)(p - (struct page *)VMEMMAP_BASE);
}

/* --- page.c --- */

/* Free RAM [first, end), in page frame numbers, whose struct pages exist and are PAGE_INNER. */
void page_buddy_add(uint64_t first, uint64_t end);
/* Pages on the buddy's lists: a hint. */
uint64_t page_buddy_free(void);
/* A page, from this CPU's cache or the lists as they are: never grows, shrinks or logs. */
struct page *page_take(void);
void page_buddy_init(void);

/* --- page_grow.c --- */

/* Describe the next section of RAM and give it to the buddy: false when there is none left. */
bool page_grow(void);
void page_grow_init(const struct bootinfo *info);
uint64_t page_grow_total(void);      /* pages that all RAM ranges hold */
uint64_t page_grow_untouched(void);  /* of them, not yet described */
uint64_t page_grow_describing(void); /* of them, in use to describe others */
