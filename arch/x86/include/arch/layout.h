/* The one address space, and page sizes.
 *
 *   0000000000010000 .. 00007ffffffff000   the program (47 bits less a guard page, as Linux)
 *   ffff888000000000 ..                    direct map of all RAM, 2 MiB or 1 GiB pages
 *   ffffc90000000000 ..                    kernel mappings made page by page: stacks, device registers
 *   ffffea0000000000 ..                    the array of struct page, backed where RAM exists
 *   ffffffff80000000 ..                    the kernel image
 *   ffffffffc0000000 ..                    device registers that arch maps for itself
 */
#pragma once

#define PAGE_SHIFT     12
#define PAGE_SIZE      4096UL
#define PAGE_MASK      (~(PAGE_SIZE - 1))
#define BIG_PAGE_SHIFT 21
#define BIG_PAGE_SIZE  (1UL << BIG_PAGE_SHIFT)

#define USER_MIN   0x10000UL        /* vm.mmap_min_addr */
#define USER_TOP   0x7ffffffff000UL /* TASK_SIZE_MAX */
#define USER32_TOP 0xffffe000UL     /* IA32_PAGE_OFFSET */

/* Where Linux puts a PIE when it does not randomise. */
#define USER_PIE_BASE   0x555555554000UL
#define USER32_PIE_BASE 0x56555000UL

#define DIRECT_BASE  0xffff888000000000UL
#define KMAP_BASE    0xffffc90000000000UL
#define KMAP_SIZE    0x0000100000000000UL
#define VMEMMAP_BASE 0xffffea0000000000UL
#define IMAGE_BASE   0xffffffff80000000UL
#define DEVICE_BASE  0xffffffffc0000000UL
