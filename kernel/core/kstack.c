/* Kernel address space made page by page: thread stacks with a guard page, and device registers.
 *
 *     KMAP_BASE                                   + STACK_AREA
 *     | guard | 16 KiB stack | guard | 16 KiB stack | ... | device registers, never unmapped ...
 *
 * A stack freed stays mapped in a list of free stacks, the node at its lowest address, so that making a thread costs
 * no page-table work.  When the list is long, many of them are unmapped at once: telling every CPU to forget them
 * takes as long as the slowest CPU takes to answer, however many they are. */
#include <base/bitmap.h>
#include <base/log.h>
#include <core/atomic.h>
#include <core/heap.h>
#include <core/lock.h>
#include <core/page.h>

#define STACK_ORDER 2
_Static_assert(PAGE_SIZE << STACK_ORDER == KSTACK_SIZE, "a stack is one block of pages");
#define SLOT_SIZE  (PAGE_SIZE + KSTACK_SIZE)
#define MAX_STACKS 32768UL /* as many as there are pids */
#define STACK_AREA (MAX_STACKS * SLOT_SIZE)
#define MIN_CACHED 32
#define MAX_BATCH \
    64UL /* unmapped together; fewer where this many would be a fair part of all memory */
#define LEAF_SLOTS (PAGE_SIZE / sizeof(struct page *))

static uint64_t slots[BITMAP_WORDS(MAX_STACKS)]; /* guarded by kmap.lock */
static struct {
    struct spinlock lock; /* guards: */
    size_t next_slot;     /* none is free below */
    struct list cached;   /* the last freed first */
    unsigned nr_cached;
    uintptr_t device_next;
} kmap = {
    .lock = SPINLOCK_INIT(RANK_KMAP),
    .cached = LIST_INIT(kmap.cached),
    .device_next = KMAP_BASE + STACK_AREA,
};

/* The block of pages behind each slot in use; see backing_of. */
static struct page **backing[MAX_STACKS / LEAF_SLOTS];

static uintptr_t slot_address(size_t slot)
{
    return KMAP_BASE + slot * SLOT_SIZE + PAGE_SIZE;
}

static bool take_slot(size_t *slot)
{
    spin_lock(&kmap.lock);
    *slot = bitmap_find_clear(slots, MAX_STACKS, kmap.next_slot);
    bool found = *slot < MAX_STACKS;
    if (found) {
        bitmap_set(slots, *slot);
        kmap.next_slot = *slot + 1;
    }
    spin_unlock(&kmap.lock);
    return found;
}

static void give_slot(size_t slot)
{
    spin_lock(&kmap.lock);
    bitmap_clear(slots, slot);
    kmap.next_slot = MIN(kmap.next_slot, slot);
    spin_unlock(&kmap.lock);
}

/* Where the block behind a slot is kept: leaves are made when the first slot of 512 is used. */
static struct page **backing_of(size_t slot)
{
    struct page **leaf = atomic_load(&backing[slot / LEAF_SLOTS]);
    if (!leaf) {
        struct page *p = page_alloc(0, PG_ZERO | PG_MAY_FAIL);
        if (!p)
            return NULL;
        if (atomic_cas(&backing[slot / LEAF_SLOTS], NULL, page_ptr(p)))
            return (struct page **)page_ptr(p) + slot % LEAF_SLOTS;
        page_put(p); /* another CPU was faster */
        leaf = atomic_load(&backing[slot / LEAF_SLOTS]);
    }
    return leaf + slot % LEAF_SLOTS;
}

/* A stack of which only the first bytes could be mapped, and which nobody has used. */
static void undo_stack(size_t slot, struct page *block, size_t mapped)
{
    arch_kunmap(slot_address(slot), mapped);
    arch_kflush(slot_address(slot), slot_address(slot) + mapped);
    page_put(block);
    give_slot(slot);
}

static void *stack_new(void)
{
    size_t slot;
    if (!take_slot(&slot))
        return NULL;
    struct page **backed_by = backing_of(slot);
    struct page *block = backed_by ? page_alloc(STACK_ORDER, PG_MAY_FAIL) : NULL;
    if (!block) {
        give_slot(slot);
        return NULL;
    }
    for (size_t at = 0; at < KSTACK_SIZE; at += PAGE_SIZE) {
        struct paddr pa = {page_paddr(block).pa + at};
        if (arch_kmap(slot_address(slot) + at, pa, MAP_R | MAP_W) != 0) {
            undo_stack(slot, block, at);
            return NULL;
        }
    }
    *backed_by = block;
    return (void *)slot_address(slot);
}

void *kstack_alloc(void)
{
    spin_lock(&kmap.lock);
    struct list *cached = list_pop_front(&kmap.cached);
    if (cached)
        kmap.nr_cached--;
    spin_unlock(&kmap.lock);
    return cached ? (void *)cached : stack_new();
}

static size_t slot_of(const void *stack)
{
    return ((uintptr_t)stack - KMAP_BASE) / SLOT_SIZE;
}

static unsigned batch_size(void)
{
    return (unsigned)MAX(MIN(page_count_total() >> (STACK_ORDER + 6), MAX_BATCH), 1UL);
}

/* Give back the stacks of `batch`. */
static void free_batch(void *const batch[], unsigned nr)
{
    uintptr_t start = UINTPTR_MAX, end = 0;

    for (unsigned i = 0; i < nr; i++) {
        arch_kunmap((uintptr_t)batch[i], KSTACK_SIZE);
        start = MIN(start, (uintptr_t)batch[i]);
        end = MAX(end, (uintptr_t)batch[i] + KSTACK_SIZE);
    }
    arch_kflush(start, end);
    for (unsigned i = 0; i < nr; i++) {
        size_t slot = slot_of(batch[i]);
        page_put(*backing_of(slot));
        give_slot(slot);
    }
}

void kstack_free(void *stack)
{
    void *batch[MAX_BATCH];
    unsigned most = MIN(batch_size(), (unsigned)ARRAY_LEN(batch)), nr = 0;

    spin_lock(&kmap.lock);
    list_push_front(&kmap.cached, stack);
    kmap.nr_cached++;
    if (kmap.nr_cached >= MIN_CACHED + most) {
        for (; nr < most; nr++) {
            struct list *oldest = kmap.cached.prev;
            list_remove(oldest);
            batch[nr] = oldest;
        }
        kmap.nr_cached -= nr;
    }
    spin_unlock(&kmap.lock);
    if (nr > 0)
        free_batch(batch, nr);
}

size_t kstack_free_pages(void)
{
    return (size_t)kmap.nr_cached << STACK_ORDER;
}

bool kstack_is_guard(uintptr_t addr)
{
    return addr >= KMAP_BASE && addr < KMAP_BASE + STACK_AREA &&
           (addr - KMAP_BASE) % SLOT_SIZE < PAGE_SIZE;
}

void *kmap_device(struct paddr pa, size_t size)
{
    size_t offset = pa.pa % PAGE_SIZE, len = ALIGN_UP(offset + size, PAGE_SIZE);
    spin_lock(&kmap.lock);
    uintptr_t va = kmap.device_next;
    kmap.device_next += len + PAGE_SIZE; /* a page between two devices stays unmapped */
    spin_unlock(&kmap.lock);
    for (size_t at = 0; at < len; at += PAGE_SIZE) {
        struct paddr page = {pa.pa - offset + at};
        if (arch_kmap(va + at, page, MAP_R | MAP_W | MAP_UNCACHED) != 0) {
            arch_kunmap(va, at);
            arch_kflush(va, va + at);
            return NULL;
        }
    }
    return (void *)(va + offset);
}
