/* The format of page-table entries and the walk helpers that paging.c, paging_kernel.c and tlb.c share.
 *
 *   level 3: root, 512 GiB an entry     level 1: 2 MiB (leaf when PTE_BIG)
 *   level 2: 1 GiB (leaf when PTE_BIG)  level 0: 4 KiB
 */
#pragma once

#include "internal.h"

#define PTE_P   0x001ull
#define PTE_W   0x002ull
#define PTE_U   0x004ull
#define PTE_UC  0x018ull /* PWT and PCD */
#define PTE_A   0x020ull
#define PTE_D   0x040ull
#define PTE_BIG 0x080ull
#define PTE_G   0x100ull
#define PTE_NONE \
    0x200ull /* ours: a page is here though nobody may touch it (PROT_NONE); PTE_P is 0 */
#define PTE_NX   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

#define TABLE_ENTRIES 512
#define ROOT_UPPER    256 /* the first root entry of the kernel's half */

static inline unsigned pte_slot(uintptr_t va, unsigned level)
{
    return va >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1);
}

/* Bytes that one entry of a level spans. */
static inline uint64_t pte_span(unsigned level)
{
    return PAGE_SIZE << (9 * level);
}

static inline bool pte_is_live(uint64_t entry)
{
    return entry & (PTE_P | PTE_NONE);
}

static inline uint64_t *pte_table(uint64_t entry)
{
    return direct_ptr((struct paddr){entry & PTE_ADDR});
}

/* The entry for a leaf at level 0 or 1 with MAP_* flags; `global` for the kernel's half. */
uint64_t pte_leaf(struct paddr pa, unsigned flags, uint64_t global);

typedef struct paddr table_alloc_fn(void);
/* The table that *entry points to, made when there is none.  Two CPUs may race to make it.  NULL: no memory. */
uint64_t *pte_descend(uint64_t *entry, uint64_t bits, table_alloc_fn *alloc);

static inline void tlb_flush_page(uintptr_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline uint64_t read_cr3(void)
{
    uint64_t v;
    __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    return v;
}

static inline void write_cr3(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

/* tlb.c: make every CPU leave `vm`, and wait for that: interrupts on once other CPUs run, no spinlock held. */
void tlb_leave(struct arch_vm *vm);
