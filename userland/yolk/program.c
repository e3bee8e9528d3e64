/* What an executable file is.
 *
 * The file may be anything, so every offset in it is checked against its size before it is
 * followed: a header that points outside makes the program "damaged", never the inspector crash. */
#include <arch/layout.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "yolk.h"

struct image {
    const unsigned char *bytes;
    size_t size;
    struct program_report *report;
};

__attribute__((format(printf, 2, 3))) static void refuse(struct image *image, const char *format,
                                                         ...)
{
    va_list args;

    if (image->report->reason)
        return;
    va_start(args, format);
    if (vasprintf(&image->report->reason, format, args) < 0)
        die(STATUS_FAILED, "out of memory");
    va_end(args);
    image->report->status = STATUS_NOT_RUNNABLE;
}

/* The `len` bytes at `offset`, or NULL when the file does not hold them all. */
static const void *at(const struct image *image, uint64_t offset, uint64_t len)
{
    if (offset > image->size || len > image->size - offset)
        return NULL;
    return image->bytes + offset;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_386:
        return "i386";
    case EM_AARCH64:
        return "AArch64";
    case EM_ARM:
        return "ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC64";
    case EM_S390:
        return "S/390";
    case EM_MIPS:
        return "MIPS";
    }
    return "another machine";
}

/* The headers of 32-bit programs are read in the form of 64-bit ones. */
static bool is_small(const struct image *image)
{
    return image->bytes[EI_CLASS] == ELFCLASS32;
}

/* The file's header; false when the file is too short for it. */
static bool header(const struct image *image, Elf64_Ehdr *ehdr)
{
    const Elf32_Ehdr *small = at(image, 0, sizeof *small);
    const Elf64_Ehdr *large = at(image, 0, sizeof *large);

    if (!small || (!is_small(image) && !large))
        return false;
    if (!is_small(image)) {
        *ehdr = *large;
        return true;
    }
    *ehdr = (Elf64_Ehdr){
        .e_type = small->e_type,
        .e_machine = small->e_machine,
        .e_entry = small->e_entry,
        .e_phoff = small->e_phoff,
        .e_phentsize = small->e_phentsize,
        .e_phnum = small->e_phnum,
        .e_shoff = small->e_shoff,
        .e_shnum = small->e_shnum,
    };
    return true;
}

/* The program header `i`; false when the file is too short for it. */
static bool segment(const struct image *image, const Elf64_Ehdr *ehdr, unsigned i, Elf64_Phdr *ph)
{
    uint64_t size = is_small(image) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
    const void *bytes = at(image, ehdr->e_phoff + i * size, size);

    if (!bytes)
        return false;
    if (!is_small(image)) {
        memcpy(ph, bytes, sizeof *ph);
        return true;
    }
    Elf32_Phdr small;
    memcpy(&small, bytes, sizeof small);
    *ph = (Elf64_Phdr){
        .p_type = small.p_type,
        .p_flags = small.p_flags,
        .p_offset = small.p_offset,
        .p_vaddr = small.p_vaddr,
        .p_filesz = small.p_filesz,
        .p_memsz = small.p_memsz,
    };
    return true;
}

/* The type of the section `i`; SHT_NULL when the file is too short for it. */
static uint32_t section_type(const struct image *image, const Elf64_Ehdr *ehdr, unsigned i)
{
    uint64_t size = is_small(image) ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
    const char *bytes = at(image, ehdr->e_shoff + i * size, size);
    uint32_t type;

    if (!bytes)
        return SHT_NULL;
    memcpy(&type, bytes + offsetof(Elf32_Shdr, sh_type),
           sizeof type); /* at the same place in both */
    return type;
}

/* The file's bytes for the virtual addresses [va, va + len); NULL when no segment has them. */
static const void *at_address(const struct image *image, uint64_t va, uint64_t len)
{
    Elf64_Ehdr ehdr;
    Elf64_Phdr ph;

    if (!header(image, &ehdr))
        return NULL;
    for (unsigned i = 0; i < ehdr.e_phnum; i++)
        if (segment(image, &ehdr, i, &ph) && ph.p_type == PT_LOAD && va >= ph.p_vaddr &&
            va - ph.p_vaddr < ph.p_filesz && len <= ph.p_filesz - (va - ph.p_vaddr))
            return at(image, ph.p_offset + (va - ph.p_vaddr), len);
    return NULL;
}

static uint64_t word_at(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, size);
    return word;
}

/* Go's build information starts with a magic string in a writable segment: since Go 1.18 the
 * version follows as a length (a base-128 number) and bytes; before, as the address of a Go string
 * (address, length). */
static char *go_version(const struct image *image)
{
    static const char magic[] = "\xff Go buildinf:";
    const size_t magic_len = sizeof magic - 1;
    const unsigned char *info = image->bytes;
    uint64_t len = 0;

    do {
        info = memmem(info, image->size - (size_t)(info - image->bytes), magic, magic_len);
        if (!info)
            return NULL;
    } while ((info - image->bytes) % 16 && info++);
    size_t left = image->size - (size_t)(info - image->bytes);
    if (left < 34)
        return xstrdup("unknown");
    const unsigned char *text = info + 32;
    if (info[15] & 2) {
        unsigned shift = 0;
        do {
            len |= (uint64_t)(*text & 0x7f) << shift;
            shift += 7;
        } while (*text++ & 0x80 && shift < 28);
        if (len > left - (size_t)(text - info))
            return xstrdup("unknown");
    } else {
        const size_t word = is_small(image) ? 4 : 8;
        uint64_t string, address;
        address = word_at(info + 16, word);
        const unsigned char *at_string = at_address(image, address, 2 * word);
        if (!at_string)
            return xstrdup("unknown");
        string = word_at(at_string, word);
        len = word_at(at_string + word, word);
        text = at_address(image, string, len);
        if (!text)
            return xstrdup("unknown");
    }
    return xasprintf("%.*s", (int)(len < 40 ? len : 40), (const char *)text);
}

/* glibc marks what it links with an ABI note; musl leaves no mark but its symbols. */
static bool has_abi_note(const struct image *image, const Elf64_Phdr *ph)
{
    uint64_t offset = ph->p_offset, end = ph->p_offset + ph->p_filesz;

    while (offset + sizeof(Elf64_Nhdr) <= end) {
        const Elf64_Nhdr *note = at(image, offset, sizeof *note);
        if (!note)
            return false;
        const char *name = at(image, offset + sizeof *note, note->n_namesz);
        if (name && note->n_namesz == 4 && !memcmp(name, "GNU", 4) &&
            note->n_type == NT_GNU_ABI_TAG)
            return true;
        offset += sizeof *note + ((note->n_namesz + 3u) & ~3u) + ((note->n_descsz + 3u) & ~3u);
    }
    return false;
}

/* Whether a dynamic segment asks for libraries: without an interpreter, that is a library itself.
 */
static bool needs_libraries(const struct image *image, const Elf64_Phdr *ph)
{
    const size_t word = is_small(image) ? 4 : 8;

    for (uint64_t i = 0; i < ph->p_filesz / (2 * word); i++) {
        const unsigned char *dyn = at(image, ph->p_offset + i * 2 * word, 2 * word);
        if (!dyn || word_at(dyn, word) == DT_NULL)
            return false;
        if (word_at(dyn, word) == DT_NEEDED)
            return true;
    }
    return false;
}

static bool contains(const struct image *image, const char *text)
{
    return memmem(image->bytes, image->size, text, strlen(text));
}

static void look_at_sections(struct image *image, const Elf64_Ehdr *ehdr)
{
    image->report->is_stripped = true;
    for (unsigned i = 0; i < ehdr->e_shnum; i++)
        if (section_type(image, ehdr, i) == SHT_SYMTAB)
            image->report->is_stripped = false;
}

static void guess_libc(struct image *image, bool abi_note)
{
    struct program_report *report = image->report;

    report->go_version = go_version(image);
    if (abi_note)
        report->libc = report->go_version ? "glibc (cgo)" : "glibc";
    else if (report->go_version)
        report->libc = "Go's runtime";
    else if (contains(image, "__libc_start_main") || contains(image, "MUSL_LOCPATH") ||
             contains(image, "__init_libc"))
        report->libc = "musl";
    else
        report->libc = "unknown";
}

static void look_at_segments(struct image *image, const Elf64_Ehdr *ehdr)
{
    struct program_report *report = image->report;
    bool has_load = false, abi_note = false, library = false;

    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        Elf64_Phdr ph;
        if (!segment(image, ehdr, i, &ph) || !at(image, ph.p_offset, ph.p_filesz)) {
            refuse(image, "damaged or cut short: segment %u lies outside the file", i);
            return;
        }
        switch (ph.p_type) {
        case PT_LOAD:
            has_load = true;
            if (ph.p_memsz < ph.p_filesz)
                refuse(image, "damaged: segment %u has more bytes than room", i);
            report->memory += ph.p_memsz;
            break;
        case PT_INTERP:
            report->interpreter = xasprintf("%.*s", (int)(ph.p_filesz < 4096 ? ph.p_filesz : 4096),
                                            (const char *)image->bytes + ph.p_offset);
            break;
        case PT_DYNAMIC:
            library = needs_libraries(image, &ph);
            break;
        case PT_NOTE:
            abi_note |= has_abi_note(image, &ph);
            break;
        }
    }
    guess_libc(image, abi_note);
    if (report->interpreter)
        refuse(image,
               "dynamically linked (its interpreter is %s); link it with -static, for Go with "
               "CGO_ENABLED=0",
               report->interpreter);
    else if (library)
        refuse(image, "a shared library, not an executable");
    else if (!has_load)
        refuse(image, "nothing in it is to be loaded");
}

/* As the kernel's exec.c chooses it. */
static void find_base(struct image *image, const Elf64_Ehdr *ehdr)
{
    uint64_t align = PAGE_SIZE, low = UINT64_MAX;
    Elf64_Phdr ph;

    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        if (!segment(image, ehdr, i, &ph) || ph.p_type != PT_LOAD)
            continue;
        if (ph.p_align > align && !(ph.p_align & (ph.p_align - 1)))
            align = ph.p_align;
        if (ph.p_vaddr < low)
            low = ph.p_vaddr;
    }
    uint64_t base = ehdr->e_machine == EM_386 ? USER32_PIE_BASE : USER_PIE_BASE;
    if (low != UINT64_MAX)
        image->report->base = ((base + align - 1) & -align) - (low & -align);
}

static void look_at_type(struct image *image, const Elf64_Ehdr *ehdr)
{
    struct program_report *report = image->report;

    switch (ehdr->e_type) {
    case ET_EXEC:
        report->type = "executable";
        break;
    case ET_DYN:
        /* A shared library has no entry; a static-PIE has, and no interpreter. */
        report->type = report->interpreter ? "PIE" : "static-PIE";
        if (!ehdr->e_entry) {
            report->type = "shared library";
            refuse(image, "a shared library, not an executable");
        }
        find_base(image, ehdr);
        break;
    case ET_REL:
        report->type = "object file";
        refuse(image, "an object file that was not linked");
        break;
    case ET_CORE:
        report->type = "core dump";
        refuse(image, "a core dump, not an executable");
        break;
    default:
        report->type = "unknown";
        refuse(image, "not an executable (ELF type %u)", ehdr->e_type);
    }
}

/* Read the header of a program whose machine is known; false: refused. */
static bool read_header(struct image *image, const uint8_t *ident, Elf64_Ehdr *ehdr)
{
    const unsigned class = ident[18] == EM_386 ? ELFCLASS32 : ELFCLASS64;
    const uint64_t phentsize = class == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);

    if (ident[EI_CLASS] == ELFCLASS32 && class == ELFCLASS64)
        refuse(image, "an x32 program (x86-64 code with 32-bit pointers)");
    else if (ident[EI_CLASS] != class)
        refuse(image, "damaged: its class and its machine do not fit together");
    else if (!header(image, ehdr))
        refuse(image, "cut short: an ELF header without its end");
    else if (!ehdr->e_phnum && ehdr->e_type != ET_REL)
        refuse(image, "nothing in it is to be loaded");
    else if (ehdr->e_phnum && (ehdr->e_phentsize != phentsize ||
                               !at(image, ehdr->e_phoff, ehdr->e_phnum * phentsize)))
        refuse(image, "damaged or cut short: its program headers lie outside the file");
    else
        return true;
    return false;
}

static void inspect_elf(struct image *image)
{
    struct program_report *report = image->report;
    const unsigned char *ident = at(image, 0, EI_NIDENT + 4);

    report->is_elf = true;
    if (!ident) {
        refuse(image, "cut short: an ELF header without its end");
        return;
    }
    report->class = ident[EI_CLASS] == ELFCLASS64 ? "64-bit" : "32-bit";
    if (ident[EI_DATA] != ELFDATA2LSB) {
        report->machine = "a big-endian machine";
        refuse(image, "made for %s, not for x86-64", report->machine);
        return;
    }
    /* e_type and e_machine are at the same place in both classes. */
    report->machine = machine_name((unsigned)(ident[18] | ident[19] << 8));
    if ((ident[18] != EM_X86_64 && ident[18] != EM_386) || ident[19]) {
        refuse(image, "made for %s, not for x86-64", report->machine);
        return;
    }
    Elf64_Ehdr wide, *ehdr = &wide;
    if (!read_header(image, ident, ehdr))
        return;
    look_at_sections(image, ehdr);
    if (ehdr->e_type == ET_EXEC || ehdr->e_type == ET_DYN)
        look_at_segments(image, ehdr);
    look_at_type(image, ehdr);
    report->entry = report->base + ehdr->e_entry;
}

/* Of a text that need not end, at most 60. */
static int first_line_length(const char *text, size_t size)
{
    int len = 0;

    while ((size_t)len < size && len < 60 && (unsigned char)text[len] >= ' ')
        len++;
    return len;
}

void program_inspect_bytes(const void *bytes, size_t size, struct program_report *report)
{
    struct image image = {.bytes = bytes, .size = size, .report = report};

    memset(report, 0, sizeof *report);
    report->size = size;
    if (!size)
        refuse(&image, "an empty file");
    else if (size >= 2 && !memcmp(bytes, "#!", 2))
        refuse(&image, "a script (%.*s); run its interpreter, with the script in --root",
               first_line_length(bytes, size), (const char *)bytes);
    else if (size < SELFMAG || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        refuse(&image, "not an ELF file");
    else
        inspect_elf(&image);
}

void program_inspect(const char *path, struct program_report *report)
{
    struct image image = {.report = report};
    struct stat st;

    memset(report, 0, sizeof *report);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st)) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        refuse(&image, "%s", absent ? "no such file" : strerror(errno));
        if (absent)
            report->status = STATUS_NOT_FOUND;
    } else if (!S_ISREG(st.st_mode)) {
        refuse(&image, S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
    } else if (!st.st_size) {
        refuse(&image, "an empty file");
    } else {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            refuse(&image, "%s", strerror(errno));
        } else {
            program_inspect_bytes(bytes, (size_t)st.st_size, report);
            munmap(bytes, (size_t)st.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
}
