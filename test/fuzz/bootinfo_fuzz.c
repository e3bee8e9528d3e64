/* includes: arch/x86/boot/bootinfo.c
 *
 * libFuzzer: any bytes as what a loader leaves in memory, multiboot2's tags or PVH's map of memory.  Ranges come out
 * sorted, whole pages, without an overlap, and what is in use is not among the RAM. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/layout.h>
#undef DIRECT_BASE
#undef IMAGE_BASE
#define DIRECT_BASE 0x200000000000UL
#define IMAGE_BASE  ((uint64_t)image_end - 0x200000)

#include "../../arch/x86/boot/bootinfo.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM  (16UL << 20)
#define INFO 0x300000u

char image_end[1];
static jmp_buf panicked;

void panic(const char *format, ...)
{
    (void)format;
    longjmp(panicked, 1);
}

static void check(const struct bootinfo *b)
{
    uint64_t end = 0;

    if (b->nr_ranges > BOOT_MAX_RANGES || b->nr_modules > BOOT_MAX_MODULES)
        abort();
    for (unsigned i = 0; i < b->nr_ranges; i++) {
        const struct boot_range *r = &b->ranges[i];
        if (r->start.pa < end || r->size == 0 || (r->start.pa | r->size) % PAGE_SIZE != 0)
            abort();
        end = r->start.pa + r->size;
        if (r->kind == BOOT_RAM && r->start.pa < 0x200000 && end > 0x100000)
            abort();
        for (unsigned m = 0; m < b->nr_modules && r->kind == BOOT_RAM; m++)
            if (b->modules[m].size > 0 &&
                r->start.pa < b->modules[m].start.pa + b->modules[m].size &&
                end > b->modules[m].start.pa)
                abort();
    }
}

static void read_as_pvh(const uint8_t *data, size_t size)
{
    struct pvh_start_info start = {.version = 1,
                                   .memmap_pa = INFO + sizeof(start),
                                   .memmap_entries = (uint32_t)(size / sizeof(struct pvh_memmap))};
    char *at = direct_ptr((struct paddr){INFO});

    memcpy(at, &start, sizeof(start));
    memcpy(at + sizeof(start), data, size);
    check(bootinfo_read(PVH_MAGIC, INFO));
}

/* At the very end of memory: a byte too many is a fault. */
static void read_as_mb2(const uint8_t *data, size_t size)
{
    uint64_t pa = RAM - 8 - ALIGN_UP(size, 8);
    uint32_t *at = direct_ptr((struct paddr){pa});

    at[0] = (uint32_t)(8 + ALIGN_UP(size, 8));
    memset(at + 2, 0, ALIGN_UP(size, 8));
    memcpy(at + 2, data, size);
    check(bootinfo_read(MB2_MAGIC, (uint32_t)pa));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *ram;

    if (!ram)
        ram = mmap((void *)DIRECT_BASE, RAM, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    memset(&info, 0, sizeof(info));
    if (size < 1 || setjmp(panicked) != 0)
        return 0;
    if (data[0] % 4 == 0)
        read_as_pvh(data + 1, size - 1);
    else
        read_as_mb2(data + 1, size - 1);
    return 0;
}
