/* The pages of one file, by index. */
#pragma once

#include <core/lock.h>
#include <core/page.h>

#include "radix.h"

/* In page->flags: the page counts against the file system's size. */
enum { PAGE_CHARGED = 1 };

struct pagecache {
    struct spinlock lock; /* RANK_PAGETABLE - guards: */
    struct radix pages;   /* each holds a reference */
    uint64_t epoch; /* counts drops: a page that was made meanwhile may be of a time before them */
};

/* How many pages a file of so many bytes has; any size. */
static inline uint64_t pagecache_pages(uint64_t bytes)
{
    return (bytes >> PAGE_SHIFT) + (bytes % PAGE_SIZE != 0);
}

void pagecache_init(struct pagecache *c);

/* The page at `index`, referenced; NULL: none, and *epoch is what pagecache_add wants to see. */
struct page *pagecache_get(struct pagecache *c, uint64_t index, uint64_t *epoch);

/* Give the cache a page, whose reference it takes over; *page, referenced for the caller, is the
 * one that is there now.  0; 1 when another was there already (the given one was put); -EAGAIN when
 * pages were dropped since `epoch`: look at the file's size again; -ENOMEM (put in both cases). */
must_check int pagecache_add(struct pagecache *c, uint64_t index, uint64_t epoch,
                             struct page **page);

/* Bytes behind `size` in the file's last page become zero, if it is here: a mapping may have left something there,
 * which is not to show when the file grows over it. */
void pagecache_clear_tail(struct pagecache *c, uint64_t size);

/* The first index >= `index` that has a page, UINT64_MAX: none. */
uint64_t pagecache_next(struct pagecache *c, uint64_t index);

/* Let go of the pages that nobody else has and that have none of these flags: how many.  What is read again is the same, so no
 * epoch ends.  Thread context; no mapping is touched. */
uint64_t pagecache_evict(struct pagecache *c, unsigned but_flags);

/* Drop pages [first, last]: how many of them were PAGE_CHARGED.  The caller has lowered the file's
 * size before. */
uint64_t pagecache_drop(struct pagecache *c, uint64_t first, uint64_t last);
