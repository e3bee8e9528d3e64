/* Shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS): an object with pages of its own, made at the first touch.
 *
 * Pages are found through one level of leaves, each a page of page pointers that covers 2 MiB, so an untouched
 * object costs eight bytes for 2 MiB and finding a page takes two steps. */
#include "vm_private.h"

#include <core/heap.h>
#include <core/sched.h>

#define LEAF_PAGES (PAGE_SIZE / sizeof(struct page *))

struct anon_object {
    struct vm_object object;
    uint64_t nr_pages, nr_leaves;
    struct mutex lock;     /* RANK_OBJECT - guards: */
    struct page ***leaves; /* NULL: nothing there yet */
};

static struct anon_object *anon_of(struct vm_object *o)
{
    return container_of(o, struct anon_object, object);
}

/* Where the page is kept; NULL: nowhere, or with `make` no memory. */
static struct page **slot_locked(struct anon_object *a, uint64_t index, bool make)
{
    struct page ***leaf = &a->leaves[index / LEAF_PAGES];
    if (!*leaf && make) {
        struct page *p = page_alloc(0, PG_ZERO);
        *leaf = p ? page_ptr(p) : NULL;
    }
    return *leaf ? *leaf + index % LEAF_PAGES : NULL;
}

static int anon_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    struct anon_object *a = anon_of(o);
    int err = 0;
    if (index >= a->nr_pages)
        return -EFAULT;
    mutex_lock(&a->lock);
    struct page **slot = slot_locked(a, index, true);
    if (slot && !*slot)
        *slot = page_alloc(0, PG_ZERO);
    if (slot && *slot) {
        page_get(*slot);
        *page = *slot;
    } else {
        err = -ENOMEM;
    }
    mutex_unlock(&a->lock);
    return err;
}

static struct page *anon_peek(struct vm_object *o, uint64_t index)
{
    struct anon_object *a = anon_of(o);
    if (index >= a->nr_pages)
        return NULL;
    mutex_lock(&a->lock);
    struct page **slot = slot_locked(a, index, false);
    struct page *p = slot ? *slot : NULL;
    if (p)
        page_get(p);
    mutex_unlock(&a->lock);
    return p;
}

/* Free pages [first, last], which nobody maps (any more). */
static void drop_pages(struct anon_object *a, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last && i < a->nr_pages;) {
        struct page **slot = slot_locked(a, i, false);
        if (!slot) {
            i = (i / LEAF_PAGES + 1) * LEAF_PAGES;
            continue;
        }
        if (*slot)
            page_put(*slot);
        *slot = NULL;
        if (++i % LEAF_PAGES == 0)
            (void)sched_checkpoint();
    }
}

static int anon_punch(struct vm_object *o, uint64_t first, uint64_t last)
{
    struct anon_object *a = anon_of(o);
    mutex_lock(&a->lock);
    drop_pages(a, first, last);
    mutex_unlock(&a->lock);
    /* Mappings keep their own references until they are gone. */
    vm_object_unmap(o, first, last, false);
    return 0;
}

static void free_anon(struct anon_object *a)
{
    for (uint64_t i = 0; i < a->nr_leaves; i++)
        if (a->leaves[i])
            page_put(page_of(direct_paddr(a->leaves[i])));
    heap_free(a->leaves);
    heap_free(a);
}

static void anon_free(struct vm_object *o)
{
    struct anon_object *a = anon_of(o);
    drop_pages(a, 0, UINT64_MAX);
    free_anon(a);
}

static void anon_name(struct vm_object *o, char *buf, size_t size)
{
    static const char name[] = "/dev/zero (deleted)"; /* as Linux shows it */
    for (size_t i = 0; i < sizeof(name) && i < size; i++)
        buf[i] = i + 1 < size ? name[i] : '\0';
}

static const struct vm_object_ops anon_ops = {
    .get_page = anon_get_page,
    .free = anon_free,
    .name = anon_name,
    .peek = anon_peek,
    .punch = anon_punch,
};

struct vm_object *vm_object_new_anon(size_t size)
{
    struct anon_object *a = heap_zalloc(sizeof(*a));
    if (!a)
        return NULL;
    vm_object_init(&a->object, &anon_ops);
    mutex_init(&a->lock, RANK_OBJECT);
    a->nr_pages = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
    a->nr_leaves = (a->nr_pages + LEAF_PAGES - 1) / LEAF_PAGES;
    a->leaves = heap_zalloc(a->nr_leaves * sizeof(a->leaves[0]));
    if (a->leaves)
        return &a->object;
    heap_free(a);
    return NULL;
}
