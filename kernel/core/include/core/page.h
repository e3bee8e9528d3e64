/* Physical pages: a buddy allocator with per-CPU caches.
 *
 * Nothing is done per page at boot: RAM stays untouched until a section of it is first needed, and the
 * struct page array of that section is made then. */
#pragma once

#include <arch/arch.h>
#include <arch/bootinfo.h>
#include <base/list.h>

#define PAGE_MAX_ORDER 10 /* 4 MiB */

enum page_flags {
    PG_ZERO = 1,     /* page_alloc: zeroed */
    PG_MAY_FAIL = 2, /* page_alloc: do not log when out of memory */
};

/* Bits of struct page.flags that the address space sets and others leave alone. */
enum { PAGE_ANON = 0x8000 /* a program's private page: not in any object's cache */ };

/* 32 bytes for each page of RAM.  A page belongs to whoever holds references; `owner`, `index` and `link` are
 * the owner's (page cache: its object, index in it; free: the buddy's). */
struct page {
    struct list link;
    uint32_t refs;  /* atomic; 0: free */
    uint8_t order;  /* of the block this page heads */
    uint8_t state;  /* page.c's */
    uint16_t flags; /* the owner's: PAGE_DIRTY ... */
    uint64_t index;
};
_Static_assert(sizeof(struct page) == 32, "struct page is an array element for every page of RAM");

/* Boot CPU, once: take over the RAM that `info` lists. */
void page_init(const struct bootinfo *info);

/* 2^order pages, naturally aligned, one reference, flags 0; NULL when there is no memory.  Any context. */
struct page *page_alloc(unsigned order, unsigned flags) must_check;

/* References to a whole block (the count is in its first page).  Any context. */
void page_get(struct page *p);
void page_put(struct page *p);
static inline unsigned page_refs(const struct page *p)
{
    return __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE);
}

/* Turn an allocated block of order n into 2^n blocks of order 0, each with the references and flags that the
 * block had. */
void page_split(struct page *p);

struct paddr page_paddr(const struct page *p);
/* The page of a physical address; NULL when it has none (device memory, a module that nobody adopted, RAM
 * never touched). */
struct page *page_of(struct paddr pa);

static inline void *page_ptr(const struct page *p)
{
    return direct_ptr(page_paddr(p));
}

/* Make struct pages for n pages of memory that bootinfo kept out (a module, the kernel image), so that they can
 * be mapped into programs in place: each gets one reference, the caller's, and is never handed out nor freed
 * until page_donate.  `start` is page aligned.  The first of them; NULL: no memory.  Thread context. */
struct page *page_adopt(struct paddr start, unsigned long n) must_check;

/* Give memory that bootinfo kept out (a module no longer needed) to the allocator, page-aligned inward.  Adopted
 * pages lose their adopter's reference and are freed when the last mapping is gone.  Thread context. */
void page_donate(struct paddr start, uint64_t size);

/* Pages: all that the allocator was given, and free now (free + never touched). */
uint64_t page_count_total(void);
uint64_t page_count_free(void);
/* What describes the pages there are (struct page): grows when memory is touched for the first time, and stays. */
uint64_t page_count_describing(void);

/* A page that reads as zeros forever; mapped read-only for anonymous read faults.  Never freed. */
struct page *page_zero(void);

/* Called when an allocation is about to fail, with whatever locks the caller holds but interrupts on: takes
 * locks by mutex_try and spin_try only, never waits.  Frees what it can (page caches), answers pages freed. */
typedef unsigned long page_shrink_fn(unsigned long wanted);
void page_set_shrinker(page_shrink_fn *shrink);
