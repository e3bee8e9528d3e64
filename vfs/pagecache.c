/* The pages of one file: a sparse array under a spinlock.
 *
 * Look-ups take a reference and let go of the lock, so the copy that follows may sleep, and a page
 * that is dropped meanwhile stays alive until the copy is done. */
#include <base/errno.h>
#include <base/string.h>
#include <core/sched.h>

#include "pagecache.h"

void pagecache_init(struct pagecache *c)
{
    spin_init(&c->lock, RANK_PAGETABLE);
}

struct page *pagecache_get(struct pagecache *c, uint64_t index, uint64_t *epoch)
{
    spin_lock(&c->lock);
    struct page *p = radix_get(&c->pages, index);
    if (likely(p))
        page_get(p);
    *epoch = c->epoch;
    spin_unlock(&c->lock);
    return p;
}

int pagecache_add(struct pagecache *c, uint64_t index, uint64_t epoch, struct page **page)
{
    struct page *mine = *page, *there = NULL;
    spin_lock(&c->lock);
    int ret = epoch == c->epoch ? 0 : -EAGAIN;
    if (ret == 0)
        there = radix_get(&c->pages, index);
    if (there) {
        page_get(there);
        *page = there;
        ret = 1;
    } else if (ret == 0) {
        ret = radix_insert(&c->pages, index, mine);
        if (ret == 0) {
            mine->index = index;
            page_get(mine);
        }
    }
    spin_unlock(&c->lock);
    if (ret != 0)
        page_put(mine);
    return ret;
}

void pagecache_clear_tail(struct pagecache *c, uint64_t size)
{
    uint64_t epoch;
    if (size % PAGE_SIZE == 0)
        return;
    struct page *page = pagecache_get(c, size >> PAGE_SHIFT, &epoch);
    if (!page)
        return;
    memset(page_ptr(page) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    page_put(page);
}

uint64_t pagecache_next(struct pagecache *c, uint64_t index)
{
    spin_lock(&c->lock);
    if (!radix_next(&c->pages, &index))
        index = UINT64_MAX;
    spin_unlock(&c->lock);
    return index;
}

uint64_t pagecache_evict(struct pagecache *c, unsigned but_flags)
{
    uint64_t nr = 0, index = 0;
    struct page *p = NULL;
    do {
        struct page *batch[16];
        unsigned n = 0, looks = 0;
        spin_lock(&c->lock);
        while (n < ARRAY_LEN(batch) && looks++ < 64 && (p = radix_next(&c->pages, &index))) {
            if (page_refs(p) == 1 && !(p->flags & but_flags))
                batch[n++] = radix_remove(&c->pages, index);
            index++;
        }
        spin_unlock(&c->lock);
        nr += n;
        while (n > 0)
            page_put(batch[--n]);
        (void)sched_checkpoint();
    } while (p);
    return nr;
}

uint64_t pagecache_drop(struct pagecache *c, uint64_t first, uint64_t last)
{
    uint64_t nr = 0, index = first;
    for (;;) {
        /* A few at a time: page_put may have work to do, and others want the lock. */
        struct page *batch[16];
        unsigned n = 0;
        spin_lock(&c->lock);
        c->epoch++;
        while (n < ARRAY_LEN(batch) && radix_next(&c->pages, &index) && index <= last)
            batch[n++] = radix_remove(&c->pages, index);
        spin_unlock(&c->lock);
        if (n == 0)
            return nr;
        for (unsigned k = 0; k < n; k++) {
            nr += batch[k]->flags & PAGE_CHARGED ? 1 : 0;
            page_put(batch[k]);
        }
        (void)sched_checkpoint();
    }
}
