/* The ELF parser: bytes in, plan out.  Nothing here trusts the file: every sum is checked for
 * overflow, every range against the file's size and the address space.
 *
 * It is stricter than Linux where Linux would start a program only to kill it a moment later (a
 * segment beyond the end of the file, an entry point in no segment), because the reason can still
 * be told here. */
#include "elf.h"

#include <arch/layout.h>
#include <base/errno.h>
#include <base/string.h>
#include <linux/elf.h>
#include <linux/mman.h>

_Static_assert(sizeof(Elf64_Ehdr) == ELF_HEAD_BYTES, "the head is one ELF header");
_Static_assert(sizeof(Elf64_Phdr) == ELF_PHDR_BYTES, "the table is of 64-bit program headers");
_Static_assert(sizeof(Elf32_Phdr) == ELF32_PHDR_BYTES, "or of 32-bit ones");

static int refuse(struct elf_why *why, const char *format, ...) printf_like(2, 3);
static int refuse(struct elf_why *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return -ENOEXEC;
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {
        {EM_ARM, "32-bit ARM"},     {EM_AARCH64, "AArch64"}, {EM_RISCV, "RISC-V"},
        {EM_PPC64, "64-bit POWER"}, {EM_S390, "S/390"},      {EM_MIPS, "MIPS"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "another processor";
}

/* What a file that does not start with \x7fELF most likely is. */
static int refuse_non_elf(const unsigned char *bytes, size_t n, struct elf_why *why)
{
    if (n == 0)
        return refuse(why, "is empty");
    if (n < 2 || bytes[0] != '#' || bytes[1] != '!')
        return refuse(why, "is not an ELF executable");

    char interpreter[64];
    size_t from = 2, len = 0;
    while (from < n && (bytes[from] == ' ' || bytes[from] == '\t'))
        from++;
    while (from < n && len < sizeof(interpreter) - 1 && bytes[from] > ' ' && bytes[from] < 0x7f)
        interpreter[len++] = (char)bytes[from++];
    interpreter[len] = '\0';
    return refuse(why, "is a script: run its interpreter (%s) and pass the script as an argument",
                  interpreter);
}

static int check_ident(const Elf64_Ehdr *eh, struct elf_why *why)
{
    /* e_machine is at the same place in both classes. */
    if (eh->e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(why, "is a big-endian ELF file, not one for x86-64");
    if (eh->e_machine != EM_X86_64 && eh->e_machine != EM_386)
        return refuse(why, "is an ELF file for %s (machine %u), not for x86-64",
                      machine_name(eh->e_machine), eh->e_machine);
    if (eh->e_ident[EI_CLASS] == ELFCLASS32 && eh->e_machine == EM_386)
        return 0;
    if (eh->e_ident[EI_CLASS] == ELFCLASS32)
        return refuse(
            why, "is an x32 program (64-bit registers, 32-bit pointers), which is not supported");
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
        return refuse(why, "is an ELF file of an unknown class (%u)", eh->e_ident[EI_CLASS]);
    return 0;
}

/* A 32-bit header in the form of a 64-bit one. */
static Elf64_Ehdr widen_head(const void *bytes)
{
    Elf32_Ehdr eh;
    memcpy(&eh, bytes, sizeof(eh));
    Elf64_Ehdr wide = {
        .e_type = eh.e_type,
        .e_machine = eh.e_machine,
        .e_entry = eh.e_entry,
        .e_phoff = eh.e_phoff,
        .e_phentsize = eh.e_phentsize,
        .e_phnum = eh.e_phnum,
    };
    memcpy(wide.e_ident, eh.e_ident, sizeof(wide.e_ident));
    return wide;
}

static Elf64_Phdr widen_segment(const void *bytes)
{
    Elf32_Phdr ph;
    memcpy(&ph, bytes, sizeof(ph));
    return (Elf64_Phdr){
        .p_type = ph.p_type,
        .p_flags = ph.p_flags,
        .p_offset = ph.p_offset,
        .p_vaddr = ph.p_vaddr,
        .p_filesz = ph.p_filesz,
        .p_memsz = ph.p_memsz,
        .p_align = ph.p_align,
    };
}

int elf_read_head(const void *bytes, size_t n, struct elf_head *head, struct elf_why *why)
{
    if (n < 4 || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return refuse_non_elf(bytes, n, why);
    Elf64_Ehdr eh;
    bool is_small = n > EI_CLASS && ((const unsigned char *)bytes)[EI_CLASS] == ELFCLASS32;
    if (n < (is_small ? sizeof(Elf32_Ehdr) : sizeof(eh)))
        return refuse(why, "is truncated: %zu bytes are less than an ELF header", n);
    if (is_small)
        eh = widen_head(bytes);
    else
        memcpy(&eh, bytes, sizeof(eh));

    int err = check_ident(&eh, why);
    if (err)
        return err;
    unsigned phdr_bytes = is_small ? ELF32_PHDR_BYTES : ELF_PHDR_BYTES;
    if (eh.e_type == ET_REL)
        return refuse(why, "is an object file: link it first");
    if (eh.e_type == ET_CORE)
        return refuse(why, "is a core dump");
    if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
        return refuse(why, "is an ELF file of type %u, not an executable", eh.e_type);
    if (eh.e_phnum == 0)
        return refuse(why, "has no program headers");
    if (eh.e_phentsize != phdr_bytes || eh.e_phnum > ELF_MAX_HEADERS)
        return refuse(why, "has %u program headers of %u bytes, which no linker writes", eh.e_phnum,
                      eh.e_phentsize);
    if (eh.e_phoff + (uint64_t)eh.e_phnum * phdr_bytes < eh.e_phoff)
        return refuse(why, "has program headers at a wild offset");

    *head = (struct elf_head){.is_i386 = is_small,
                              .phdr_bytes = phdr_bytes,
                              .is_pie = eh.e_type == ET_DYN,
                              .entry = eh.e_entry,
                              .phoff = eh.e_phoff,
                              .phnum = eh.e_phnum};
    return 0;
}

static uint64_t top_of(const struct elf_plan *plan)
{
    return plan->is_i386 ? USER32_TOP : USER_TOP;
}

static int check_load(const struct elf_plan *plan, const Elf64_Phdr *ph, unsigned i,
                      uint64_t file_size, struct elf_why *why)
{
    uint64_t end;
    if (ph->p_filesz > ph->p_memsz)
        return refuse(why, "is damaged: segment %u is larger in the file than in memory", i);
    /* Linux does not look where a segment of zeros alone would be in the file. */
    if (ph->p_filesz &&
        (__builtin_add_overflow(ph->p_offset, ph->p_filesz, &end) || end > file_size))
        return refuse(why, "is truncated: segment %u needs more than the file's %llu bytes", i,
                      (unsigned long long)file_size);
    if (__builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end) || end > top_of(plan))
        return refuse(why, "asks for memory outside the user half (segment %u)", i);
    if (!plan->is_pie && ph->p_vaddr < USER_MIN)
        return refuse(why, "asks for memory below 0x%lx (segment %u)", USER_MIN, i);
    if (ph->p_filesz && (ph->p_vaddr ^ ph->p_offset) & (PAGE_SIZE - 1))
        return refuse(why,
                      "cannot be mapped: offset and address of segment %u differ within a page", i);
    return 0;
}

static void fill_load(struct elf_load *load, const Elf64_Phdr *ph)
{
    load->start = ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE);
    load->end = ALIGN_UP(ph->p_vaddr + ph->p_memsz, PAGE_SIZE);
    load->file_end = ph->p_vaddr + ph->p_filesz;
    load->mem_end = ph->p_vaddr + ph->p_memsz;
    load->offset = ALIGN_DOWN(ph->p_offset, PAGE_SIZE);
    load->prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
                 (ph->p_flags & PF_X ? PROT_EXEC : 0);
    if (ph->p_filesz == 0) /* nothing of it is the file's: file_end says where zeros begin */
        load->file_end = load->start;
}

static int add_load(struct elf_plan *plan, const Elf64_Phdr *ph, unsigned i, uint64_t file_size,
                    struct elf_why *why)
{
    if (ph->p_memsz == 0)
        return 0;
    int err = check_load(plan, ph, i, file_size, why);
    if (err)
        return err;
    if (plan->nr_loads == ELF_MAX_LOADS)
        return refuse(why, "has more than %d segments to load", ELF_MAX_LOADS);

    struct elf_load load;
    fill_load(&load, ph);
    for (unsigned k = 0; k < plan->nr_loads; k++)
        if (load.start < plan->load[k].end && plan->load[k].start < load.end)
            return refuse(why, "is damaged: segment %u overlaps another one", i);

    plan->low = plan->nr_loads ? MIN(plan->low, load.start) : load.start;
    plan->high = MAX(plan->high, load.end);
    if (ph->p_align > plan->align && (ph->p_align & (ph->p_align - 1)) == 0)
        plan->align = ph->p_align;
    plan->load[plan->nr_loads++] = load;
    return 0;
}

static bool is_in_load(const struct elf_plan *plan, uint64_t addr)
{
    for (unsigned k = 0; k < plan->nr_loads; k++)
        if (addr >= plan->load[k].start && addr < plan->load[k].mem_end)
            return true;
    return false;
}

/* The program headers' own address, for AT_PHDR: libc finds PT_TLS and relocations through it. */
static void note_phdr(struct elf_plan *plan, const struct elf_head *head, const Elf64_Phdr *ph)
{
    if (!plan->phdr && ph->p_offset <= head->phoff && head->phoff - ph->p_offset < ph->p_filesz)
        plan->phdr = head->phoff - ph->p_offset + ph->p_vaddr;
}

int elf_make_plan(const struct elf_head *head, const void *table, uint64_t file_size,
                  struct elf_plan *plan, struct elf_why *why)
{
    memset(plan, 0, sizeof(*plan));
    plan->is_i386 = head->is_i386;
    plan->exec_stack = head->is_i386; /* what PT_GNU_STACK does not take back, as Linux */
    plan->is_pie = head->is_pie;
    plan->entry = head->entry;
    plan->phnum = head->phnum;
    plan->align = PAGE_SIZE;

    for (unsigned i = 0; i < head->phnum; i++) {
        const char *at = (const char *)table + i * head->phdr_bytes;
        Elf64_Phdr ph;
        if (head->is_i386)
            ph = widen_segment(at);
        else
            memcpy(&ph, at, sizeof(ph));
        if (ph.p_type == PT_LOAD) {
            int err = add_load(plan, &ph, i, file_size, why);
            if (err)
                return err;
            note_phdr(plan, head, &ph);
        } else if (ph.p_type == PT_GNU_STACK) {
            plan->exec_stack = ph.p_flags & PF_X;
        } else if (ph.p_type == PT_INTERP && ph.p_offset < file_size) {
            plan->interp = ph.p_offset;
            plan->interp_len = MIN(ph.p_filesz, file_size - ph.p_offset);
        }
    }

    if (plan->nr_loads == 0)
        return refuse(why, "has nothing to load");
    if (plan->align > top_of(plan) / 4 ||
        (plan->is_pie && plan->high - plan->low > top_of(plan) / 2))
        return refuse(why, "asks for more address space than there is");
    if (!is_in_load(plan, plan->entry))
        return refuse(why, "has no entry point%s", plan->is_pie ? " (a shared library?)" : "");
    return 0;
}
