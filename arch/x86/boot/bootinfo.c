/* The loader's information as a struct bootinfo, whether it came by PVH (QEMU, Firecracker, cloud-hypervisor:
 * struct hvm_start_info of the Xen headers) or by multiboot2 (GRUB).
 *
 * Later spans win over earlier ones: RAM is entered first, then what is not RAM, then what is in use is cut out.
 * So an overlap in the firmware's map never makes reserved memory look free.  Strings stay where the loader put
 * them, in memory that is cut out too. */
#include "boot/boot.h"

#include <arch/embedded.h>
#include <base/log.h>
#include <base/string.h>

#define PVH_MAGIC 0x336ec578u
#define MB2_MAGIC 0x36d76289u
#define LOW_END   0x10000 /* firmware data, and where smp.c puts its trampoline */
#define FOUR_GIB  (1ull << 32)
#define PHYS_END  (1ull << 52) /* no address of a CPU is longer */

struct pvh_start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist_pa, cmdline_pa, rsdp_pa;
    uint64_t memmap_pa; /* from version 1 on */
    uint32_t memmap_entries, reserved;
};

struct pvh_module {
    uint64_t pa, size, cmdline_pa, reserved;
};

struct pvh_memmap {
    uint64_t start, size;
    uint32_t type, reserved;
};

struct mb2_tag {
    uint32_t type, size;
};

struct mb2_module {
    struct mb2_tag tag;
    uint32_t start, end;
    char cmdline[];
};

struct mb2_mmap {
    struct mb2_tag tag;
    uint32_t entry_size, entry_version;
    /* entries: struct pvh_memmap has the same layout */
};

struct mb2_framebuffer {
    struct mb2_tag tag;
    uint64_t pa;
    uint32_t pitch, width, height;
    uint8_t bpp, type;
};

enum {
    MB2_END,
    MB2_CMDLINE,
    MB2_MODULE = 3,
    MB2_MMAP = 6,
    MB2_FRAMEBUFFER = 8,
    MB2_ACPI_OLD = 14,
    MB2_ACPI_NEW = 15
};
enum { E820_RAM = 1, E820_ACPI = 3 };
enum { FRAMEBUFFER_RGB = 1 };

static struct bootinfo info;
extern char image_end[];

static const void *low_ptr(uint64_t pa)
{
    return direct_ptr((struct paddr){pa});
}

static void range_delete(unsigned i)
{
    info.nr_ranges--;
    memmove(&info.ranges[i], &info.ranges[i + 1], (info.nr_ranges - i) * sizeof(info.ranges[0]));
}

/* Enter a range that overlaps none.  When the table is full it is lost: RAM that nobody uses. */
static void range_insert(uint64_t start, uint64_t end, enum boot_range_kind kind)
{
    unsigned i = 0;

    while (i < info.nr_ranges && info.ranges[i].start.pa < start)
        i++;
    if (i > 0 && info.ranges[i - 1].kind == kind &&
        info.ranges[i - 1].start.pa + info.ranges[i - 1].size == start) {
        info.ranges[i - 1].size += end - start;
        return;
    }
    if (info.nr_ranges == BOOT_MAX_RANGES)
        return;
    memmove(&info.ranges[i + 1], &info.ranges[i], (info.nr_ranges - i) * sizeof(info.ranges[0]));
    info.nr_ranges++;
    info.ranges[i] = (struct boot_range){{start}, end - start, kind};
}

/* Cut [start, end) out of every range. */
static void range_carve(uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < info.nr_ranges;) {
        struct boot_range r = info.ranges[i];
        uint64_t r_end = r.start.pa + r.size;

        if (r_end <= start || r.start.pa >= end) {
            i++;
            continue;
        }
        range_delete(i);
        if (r.start.pa < start) {
            unsigned before = info.nr_ranges;
            range_insert(r.start.pa, start, r.kind);
            i += info.nr_ranges - before; /* it may have become one with the range before */
        }
        if (end < r_end)
            range_insert(end, r_end, r.kind);
    }
}

/* RAM in use: whole pages. */
static void range_use(uint64_t pa, uint64_t size)
{
    range_carve(ALIGN_DOWN(pa, PAGE_SIZE), ALIGN_UP(pa + size, PAGE_SIZE));
}

/* The loader's tables lie wherever it found room, at no particular alignment: entries are copied out. */
static void memmap_add(const char *entries, unsigned n, size_t entry_size)
{
    for (int want_ram = 1; want_ram >= 0; want_ram--) {
        for (unsigned i = 0; i < n; i++) {
            struct pvh_memmap e;
            memcpy(&e, entries + i * entry_size, sizeof(e));
            uint64_t start = e.start, end;

            if (__builtin_add_overflow(start, e.size, &end) || end > PHYS_END)
                end = PHYS_END;
            if ((e.type == E820_RAM) != want_ram || start >= end)
                continue;
            if (want_ram) {
                start = ALIGN_UP(start, PAGE_SIZE);
                end = ALIGN_DOWN(end, PAGE_SIZE);
            } else {
                start = ALIGN_DOWN(start, PAGE_SIZE);
                end = ALIGN_UP(end, PAGE_SIZE);
            }
            if (start >= end)
                continue;
            range_carve(start, end);
            range_insert(start, end,
                         want_ram              ? BOOT_RAM
                         : e.type == E820_ACPI ? BOOT_ACPI
                                               : BOOT_RESERVED);
        }
    }
}

static void module_add(uint64_t pa, uint64_t size, const char *cmdline)
{
    if (info.nr_modules < BOOT_MAX_MODULES)
        info.modules[info.nr_modules++] = (struct boot_module){{pa}, size, cmdline};
}

/* A string below 4 GiB that stays in place: NULL pointers read as "". */
static const char *string_keep(uint64_t pa)
{
    if (pa == 0 || pa >= FOUR_GIB)
        return "";
    const char *s = low_ptr(pa);
    range_use(pa, strlen(s) + 1);
    return s;
}

static void pvh_read(uint32_t info_pa)
{
    struct pvh_start_info start;
    memcpy(&start, low_ptr(info_pa), sizeof(start));
    info.loader = "PVH";
    info.rsdp.pa = start.rsdp_pa;
    if (start.version >= 1 && start.memmap_entries > 0)
        memmap_add(low_ptr(start.memmap_pa), start.memmap_entries, sizeof(struct pvh_memmap));
    info.cmdline = string_keep(start.cmdline_pa);

    for (unsigned i = 0; i < start.nr_modules; i++) {
        struct pvh_module m;
        memcpy(&m, low_ptr(start.modlist_pa + i * sizeof(m)), sizeof(m));
        module_add(m.pa, m.size, string_keep(m.cmdline_pa));
    }
}

/* Is the tag as long as what is read of it?  (Strings end inside, as the loader promises.) */
static bool mb2_is_whole(const struct mb2_tag *tag)
{
    const struct mb2_mmap *mmap = (const void *)tag;

    switch (tag->type) {
    case MB2_MODULE:
        return tag->size > sizeof(struct mb2_module);
    case MB2_MMAP:
        return tag->size >= sizeof(*mmap) && mmap->entry_size >= sizeof(struct pvh_memmap);
    case MB2_FRAMEBUFFER:
        return tag->size >= sizeof(struct mb2_framebuffer);
    default:
        return tag->size > sizeof(*tag);
    }
}

static void mb2_read_tag(const struct mb2_tag *tag)
{
    const struct mb2_module *module = (const void *)tag;
    const struct mb2_mmap *mmap = (const void *)tag;
    const struct mb2_framebuffer *fb = (const void *)tag;

    switch (tag->type) {
    case MB2_CMDLINE:
        info.cmdline = (const char *)(tag + 1);
        break;
    case MB2_MODULE:
        module_add(module->start, module->end - module->start, module->cmdline);
        break;
    case MB2_MMAP:
        memmap_add((const char *)(mmap + 1), (tag->size - sizeof(*mmap)) / mmap->entry_size,
                   mmap->entry_size);
        break;
    case MB2_FRAMEBUFFER:
        if (fb->type == FRAMEBUFFER_RGB) {
            info.framebuffer.pa.pa = fb->pa;
            info.framebuffer.width = fb->width;
            info.framebuffer.height = fb->height;
            info.framebuffer.pitch = fb->pitch;
            info.framebuffer.bpp = fb->bpp;
        }
        break;
    case MB2_ACPI_OLD:
    case MB2_ACPI_NEW: /* a copy of the RSDP itself; the newer one comes later */
        info.rsdp = direct_paddr(tag + 1);
        break;
    }
}

static void mb2_read(const uint32_t *start)
{
    const char *end = (const char *)start + start[0];
    const char *at = (const char *)(start + 2);

    info.loader = "multiboot2";
    while (at + sizeof(struct mb2_tag) <= end) {
        const struct mb2_tag *tag = (const void *)at;
        if (tag->type == MB2_END || tag->size < sizeof(*tag) || tag->size > (size_t)(end - at))
            break;
        if (mb2_is_whole(tag))
            mb2_read_tag(tag);
        at += ALIGN_UP((size_t)tag->size, 8);
    }
    /* The strings and the RSDP are inside; listed, because tables are only read from listed memory. */
    uint64_t first = ALIGN_DOWN(direct_paddr(start).pa, PAGE_SIZE);
    uint64_t last = ALIGN_UP(direct_paddr(start).pa + start[0], PAGE_SIZE);
    range_carve(first, last);
    range_insert(first, last, BOOT_RESERVED);
}

/* In .data, so that it has bytes in the image; the host command finds it there by its magic. */
const volatile struct boot_embedded boot_embedded
    __attribute__((section(".data.boot_embedded"), used)) = {.magic = BOOT_EMBEDDED_MAGIC};

/* The program that the image itself carries, when the loader gave none. */
static void embedded_read(void)
{
    if (boot_embedded.module_size == 0)
        return;
    range_use(boot_embedded.module, boot_embedded.module_size);
    if (info.nr_modules == 0)
        module_add(boot_embedded.module, boot_embedded.module_size, "");
    const char *cmdline = string_keep(boot_embedded.cmdline);
    if (info.cmdline[0] == '\0')
        info.cmdline = cmdline;
}

const struct bootinfo *bootinfo_read(uint32_t magic, uint32_t info_pa)
{
    info.cmdline = "";
    if (magic == PVH_MAGIC)
        pvh_read(info_pa);
    else if (magic == MB2_MAGIC)
        mb2_read(low_ptr(info_pa));
    if (info.nr_ranges == 0)
        panic("the loader (magic number %#x) gave no memory map", magic);

    embedded_read();
    range_carve(0, LOW_END);
    range_carve(0x100000, (uint64_t)image_end - IMAGE_BASE);
    for (unsigned i = 0; i < info.nr_modules; i++)
        range_use(info.modules[i].start.pa, info.modules[i].size);
    return &info;
}

struct paddr bootinfo_reserve(uint64_t size)
{
    for (unsigned i = info.nr_ranges; i-- > 0;) {
        struct boot_range *r = &info.ranges[i];
        uint64_t end = MIN(r->start.pa + r->size, FOUR_GIB);

        if (r->kind == BOOT_RAM && r->start.pa < FOUR_GIB && end - r->start.pa >= size) {
            range_carve(end - size, end);
            return (struct paddr){end - size};
        }
    }
    return (struct paddr){0};
}
