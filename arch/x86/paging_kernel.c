/* The kernel's half of every address space: direct map, page-granular mappings, device registers.
 *
 * Tables of this half are only ever added, by compare-and-exchange, and an address belongs to whoever maps it: so
 * there is no lock.  Every root has the same upper entries; one that is added later than a root is copied into it
 * by the first fault there (paging_sync_upper).
 *
 * Until the page allocator works, and for the tables that it needs to grow itself, pages come from a reserve that is
 * cut out of RAM at boot: untouched until used, so its size costs no time. */
#include "boot/boot.h"
#include "paging.h"

#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>

#define TABLE_BITS  (PTE_P | PTE_W | PTE_A)
#define GIB_SHIFT   30
#define GIB         (1ull << GIB_SHIFT)
#define BOOT_DIRECT (4 * GIB) /* what boot.asm maps */
#define DEVICE_END  0xffffffffffe00000UL
#define RESERVE_MIN 10 /* root, first tables of each region, devices */

extern uint64_t boot_root[], direct_pdpt[], boot_stack_guard[], image_tables[];
extern char text_start[], rodata_end[];

struct arch_vm paging_kernel_vm;

static struct {
    uint64_t next, end; /* physical; next is atomic */
} reserve;
static uintptr_t device_next = DEVICE_BASE; /* atomic */

static struct paddr reserve_alloc(void)
{
    uint64_t pa = __atomic_fetch_add(&reserve.next, PAGE_SIZE, __ATOMIC_RELAXED);

    if (pa >= reserve.end) {
        __atomic_fetch_sub(&reserve.next, PAGE_SIZE, __ATOMIC_RELAXED);
        return (struct paddr){0};
    }
    arch_zero_page(direct_ptr((struct paddr){pa}));
    return (struct paddr){pa};
}

/* For mappings that the page allocator makes of its own memory: must not call it. */
static struct paddr table_alloc_reserve_first(void)
{
    struct paddr page = reserve_alloc();

    return page.pa != 0 ? page : up_table_page_alloc();
}

static struct paddr table_alloc(void)
{
    struct paddr page = up_table_page_alloc();

    return page.pa != 0 ? page : reserve_alloc();
}

/* The entry for `va` at `level` in the kernel's tables; NULL: no memory for a table. */
static uint64_t *kernel_entry(uintptr_t va, unsigned level)
{
    bool is_allocators = va < KMAP_BASE || (va >= VMEMMAP_BASE && va < IMAGE_BASE);
    uint64_t *table = direct_ptr(paging_kernel_vm.root);

    for (unsigned l = 3; l > level && table; l--)
        table = pte_descend(&table[pte_slot(va, l)], TABLE_BITS,
                            is_allocators ? table_alloc_reserve_first : table_alloc);
    return table ? &table[pte_slot(va, level)] : NULL;
}

/* Make the image's code and constants read-only in the direct map too. */
static void direct_protect_image(void)
{
    uint64_t start = (uintptr_t)text_start - IMAGE_BASE, end = (uintptr_t)rodata_end - IMAGE_BASE;

    for (uint64_t big = ALIGN_DOWN(start, BIG_PAGE_SIZE); big < end; big += BIG_PAGE_SIZE) {
        struct paddr page = reserve_alloc();
        uint64_t *table = direct_ptr(page);
        if (page.pa == 0)
            return;
        for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
            uint64_t pa = big + i * PAGE_SIZE;
            table[i] = pa | PTE_P | PTE_A | PTE_D | PTE_G;
            if (pa < start || pa >= end)
                table[i] |= PTE_W;
        }
        pte_table(direct_pdpt[0])[big >> BIG_PAGE_SHIFT] = page.pa | TABLE_BITS;
    }
}

/* Pages for the tables of all RAM: one a GiB for 2 MiB pages of the direct map, four a GiB for small pages of the
 * struct page array. */
static unsigned reserve_pages(const struct bootinfo *info)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < info->nr_ranges; i++)
        if (info->ranges[i].kind == BOOT_RAM)
            end = MAX(end, info->ranges[i].start.pa + info->ranges[i].size);
    return RESERVE_MIN + (end + GIB / 4 - 1) / (GIB / 4) +
           (cpu_has(CPU_1G_PAGES) ? 0 : end / GIB + 1);
}

void paging_init(const struct bootinfo *info)
{
    uint64_t size = reserve_pages(info) * PAGE_SIZE;

    reserve.next = bootinfo_reserve(size).pa;
    if (reserve.next == 0)
        panic("no RAM for page tables");
    reserve.end = reserve.next + size;

    paging_kernel_vm.root = reserve_alloc();
    uint64_t *root = direct_ptr(paging_kernel_vm.root);
    memcpy(root + ROOT_UPPER, boot_root + ROOT_UPPER,
           (TABLE_ENTRIES - ROOT_UPPER) * sizeof(root[0]));
    direct_protect_image();
    /* In every root from the start, as a fault on a kernel stack could not be repaired. */
    (void)kernel_entry(KMAP_BASE, 2);
    (void)kernel_entry(VMEMMAP_BASE, 2);

    image_tables[((uintptr_t)boot_stack_guard - IMAGE_BASE) >> PAGE_SHIFT] = 0;
    write_cr3(paging_kernel_vm.root.pa);
    tlb_init();
}

uint32_t paging_trampoline_root(void)
{
    const uint64_t *root = direct_ptr(paging_kernel_vm.root);

    memcpy(boot_root + ROOT_UPPER, root + ROOT_UPPER,
           (TABLE_ENTRIES - ROOT_UPPER) * sizeof(root[0]));
    return (uint32_t)((uintptr_t)boot_root - IMAGE_BASE);
}

bool paging_sync_upper(uintptr_t va)
{
    unsigned slot = pte_slot(va, 3);
    const uint64_t *from = direct_ptr(paging_kernel_vm.root);
    uint64_t *to = direct_ptr((struct paddr){read_cr3() & PTE_ADDR});

    if (slot < ROOT_UPPER || !(from[slot] & PTE_P) || to[slot] & PTE_P)
        return false;
    __atomic_store_n(&to[slot], from[slot], __ATOMIC_RELAXED);
    return true;
}

int arch_kmap(uintptr_t va, struct paddr pa, unsigned flags)
{
    uint64_t *entry = kernel_entry(va, flags & MAP_BIG ? 1 : 0);

    if (!entry)
        return -ENOMEM;
    __atomic_store_n(entry, pte_leaf(pa, flags, PTE_G | PTE_D), __ATOMIC_RELEASE);
    return 0;
}

void arch_kunmap(uintptr_t va, size_t size)
{
    for (uintptr_t at = va; at < va + size;) {
        uint64_t *entry = kernel_entry(at, 1);
        uint64_t span = BIG_PAGE_SIZE;

        if (entry && *entry & PTE_P && !(*entry & PTE_BIG)) {
            entry = &pte_table(*entry)[pte_slot(at, 0)];
            span = PAGE_SIZE;
        }
        if (entry)
            __atomic_store_n(entry, 0, __ATOMIC_RELEASE);
        at = ALIGN_DOWN(at, span) + span;
    }
}

void arch_direct_map(struct paddr start, uint64_t size)
{
    unsigned level = cpu_has(CPU_1G_PAGES) ? 2 : 1;
    uint64_t span = pte_span(level);
    uint64_t pa = MAX(ALIGN_DOWN(start.pa, span), BOOT_DIRECT);

    for (; pa < start.pa + size; pa += span) {
        uint64_t *entry = kernel_entry(DIRECT_BASE + pa, level);
        if (!entry)
            panic("no memory for the page tables of the direct map at %#lx", pa);
        if (!(*entry & PTE_P))
            __atomic_store_n(entry, pa | PTE_P | PTE_W | PTE_A | PTE_D | PTE_BIG | PTE_G | PTE_NX,
                             __ATOMIC_RELEASE);
    }
}

void *paging_map_device(struct paddr pa, size_t size)
{
    uint64_t offset = pa.pa & ~PAGE_MASK;
    size_t length = ALIGN_UP(offset + size, PAGE_SIZE);
    uintptr_t va = __atomic_fetch_add(&device_next, length, __ATOMIC_RELAXED);

    if (va + length > DEVICE_END)
        return NULL;
    for (size_t at = 0; at < length; at += PAGE_SIZE)
        if (arch_kmap(va + at, (struct paddr){pa.pa - offset + at}, MAP_R | MAP_W | MAP_UNCACHED) <
            0)
            return NULL;
    return (void *)(va + offset);
}
