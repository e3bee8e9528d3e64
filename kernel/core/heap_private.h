/* What heap.c (sizes) and slab.c (slots) share. */
#pragma once

#include <core/heap.h>
#include <core/lock.h>
#include <core/page.h>

#define HEAP_MAX_SLABS 64
#define HEAP_MAX_SLOT  2048

#ifdef YOLK_DEBUG
#define HEAP_CHECKS 1
#else
#define HEAP_CHECKS 0
#endif

/* struct page.flags of the heap's pages: a slab's page with the slab's id, or the head of a block. */
enum { HEAP_PAGE_SLAB = 0x100, HEAP_PAGE_BLOCK = 0x200, HEAP_PAGE_ID = 0xff };

struct slab {
    const char *name;
    unsigned size; /* of a slot: a multiple of 16 */
    uint16_t id;
    uint16_t magazine;    /* slots that a CPU keeps at most */
    struct spinlock lock; /* taken with interrupts off - guards: */
    struct list partial;  /* struct page.link */
    unsigned nr_empty;    /* pages on it without a used slot */
    size_t taken;         /* slots in use or in magazines */
    size_t nr_pages;
    const size_t *spare; /* see slab_set_spare; may be NULL */
};

void slab_init(void); /* by heap_init, first */
/* A slot with whatever it holds; NULL: no memory.  And back. */
void *slab_take(struct slab *s);
void slab_put(struct slab *s, void *slot);
/* Objects in use: exact while nobody allocates. */
size_t slab_in_use(struct slab *s);

/* The slab that `p` is a slot of, NULL when `p` is a block of pages.  Panics when it is neither. */
struct slab *heap_slab_of(const void *p);
