/* The kernel heap: size classes over slabs, with per-CPU caches; larger sizes go to the page allocator.
 * Any context.  Everything is counted, so that a test can prove that nothing leaks. */
#pragma once

#include <base/types.h>

void heap_init(void); /* on the boot CPU, before anything else here */

/* NULL when out of memory.  16-byte aligned. */
void *heap_alloc(size_t size) must_check;
void *heap_zalloc(size_t size) must_check;
/* The old block stays valid when this answers NULL. */
void *heap_realloc(void *p, size_t size) must_check;
void heap_free(void *p); /* NULL is fine */
char *heap_strdup(const char *s) must_check;

/* A cache of objects of one size: for what is allocated often (threads, VMAs, files). */
struct slab;
struct slab *slab_new(const char *name, size_t size); /* boot time; panics when out of memory */
void *slab_alloc(struct slab *s) must_check;          /* zeroed; NULL when out of memory */
void slab_free(struct slab *s, void *p);
/* *spare: how many of its objects the owner keeps for reuse instead of freeing them; they do not count as in use. */
void slab_set_spare(struct slab *s, const size_t *spare);

size_t heap_bytes_used(void);
/* One log line for each size class and slab with objects in use. */
void heap_dump(void);
/* What was in use at some time, to be compared with later.  Exact while nobody allocates. */
struct heap_counts {
    size_t objects[64]; /* by slab */
    size_t block_bytes; /* in blocks of pages */
    size_t
        other_pages; /* neither free nor the heap's nor free kernel stacks: page tables, pages of files and programs */
};
void heap_count(struct heap_counts *c);
struct heap_slack {
    size_t objects, block_bytes, pages;
};
/* Is more in use now than `before`, by more than `slack` in any counter?  Answers in how many, and logs each when
 * `say`. */
unsigned heap_grown(const struct heap_counts *before, struct heap_slack slack, bool say);

/* Kernel stacks of KSTACK_SIZE bytes with an unmapped guard page below.  Thread context.  NULL: no memory. */
#define KSTACK_SIZE (16 * 1024UL)
void *kstack_alloc(void) must_check; /* the lowest address of the stack */
void kstack_free(void *stack);
/* Is `addr` in the guard page of some kernel stack?  For the double-fault report. */
bool kstack_is_guard(uintptr_t addr);
size_t kstack_free_pages(void); /* kept for stacks to come */

/* Device registers, uncached, anywhere in physical memory; NULL: no memory.  Never unmapped. */
void *kmap_device(struct paddr pa, size_t size);
