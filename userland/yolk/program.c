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

#include "elf_image.h"
#include "program.h"
#include "yolk.h"

struct image {
    struct elf_image elf;
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

/* Go's build information starts with a magic string in a writable segment: since Go 1.18 the
 * version follows as a length (a base-128 number) and bytes; before, as the address of a Go string
 * (address, length). */
static char *go_version(const struct image *image)
{
    static const char magic[] = "\xff Go buildinf:";
    const size_t magic_len = sizeof magic - 1;
    const unsigned char *info = image->elf.bytes;
    uint64_t len = 0;

    do {
        info = memmem(info, image->elf.size - (size_t)(info - image->elf.bytes), magic, magic_len);
        if (!info)
            return NULL;
    } while ((info - image->elf.bytes) % 16 && info++);
    size_t left = image->elf.size - (size_t)(info - image->elf.bytes);
    if (left < 34)
        return xstrdup("unknown");
    const unsigned char *text = info + 32, *end = info + left;
    if (info[15] & 2) {
        unsigned shift = 0;
        do {
            len |= (uint64_t)(*text & 0x7f) << shift;
            shift += 7;
        } while (*text++ & 0x80 && shift < 28 && text < end);
        if (len > (size_t)(end - text))
            return xstrdup("unknown");
    } else {
        const size_t word = elf_is_32(&image->elf) ? 4 : 8;
        uint64_t string, address;
        address = elf_word(info + 16, word);
        const unsigned char *at_string = elf_at_address(&image->elf, address, 2 * word);
        if (!at_string)
            return xstrdup("unknown");
        string = elf_word(at_string, word);
        len = elf_word(at_string + word, word);
        text = elf_at_address(&image->elf, string, len);
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
        Elf64_Nhdr note;
        const void *head = elf_at(&image->elf, offset, sizeof note);
        if (!head)
            return false;
        memcpy(&note, head, sizeof note);
        const char *name = elf_at(&image->elf, offset + sizeof note, note.n_namesz);
        if (name && note.n_namesz == 4 && !memcmp(name, "GNU", 4) && note.n_type == NT_GNU_ABI_TAG)
            return true;
        offset += sizeof note + (((uint64_t)note.n_namesz + 3) & ~3UL) +
                  (((uint64_t)note.n_descsz + 3) & ~3UL);
    }
    return false;
}

/* Whether a dynamic segment asks for libraries: without an interpreter, that is a library itself.
 */
static bool needs_libraries(const struct image *image, const Elf64_Phdr *ph)
{
    const size_t word = elf_is_32(&image->elf) ? 4 : 8;

    for (uint64_t i = 0; i < ph->p_filesz / (2 * word); i++) {
        const unsigned char *dyn = elf_at(&image->elf, ph->p_offset + i * 2 * word, 2 * word);
        if (!dyn || elf_word(dyn, word) == DT_NULL)
            return false;
        if (elf_word(dyn, word) == DT_NEEDED)
            return true;
    }
    return false;
}

static bool contains(const struct image *image, const char *text)
{
    return memmem(image->elf.bytes, image->elf.size, text, strlen(text));
}

static void look_at_sections(struct image *image, const Elf64_Ehdr *ehdr)
{
    image->report->is_stripped = true;
    for (unsigned i = 0; i < ehdr->e_shnum; i++) {
        Elf64_Shdr sh;
        if (elf_section(&image->elf, ehdr, i, &sh) && sh.sh_type == SHT_SYMTAB)
            image->report->is_stripped = false;
    }
}

/* Up to the end of its line what follows `mark` in the file, `mark` included; NULL when that is not there. */
static char *text_at(const struct image *image, const char *mark)
{
    const char *end = (const char *)image->elf.bytes + image->elf.size;
    const char *found = memmem(image->elf.bytes, image->elf.size, mark, strlen(mark));
    int len = 0;

    if (!found)
        return NULL;
    while (found + len < end && len < 80 && (unsigned char)found[len] >= ' ' &&
           (unsigned char)found[len] < 127)
        len++;
    return xasprintf("%.*s", len, found);
}

static char *glibc_name(const struct image *image)
{
    static const char mark[] = "release version ";
    char *text = contains(image, "GNU C Library") ? text_at(image, mark) : NULL;
    size_t len = text ? strspn(text + sizeof mark - 1, "0123456789.") : 0;

    while (len && text[sizeof mark - 2 + len] == '.')
        len--;
    char *name = len ? xasprintf("glibc %.*s", (int)len, text + sizeof mark - 1) : xstrdup("glibc");
    free(text);
    return name;
}

static void guess_libc(struct image *image, bool abi_note)
{
    struct program_report *report = image->report;

    report->go_version = go_version(image);
    report->rust_version = text_at(image, "rustc version ");
    if (!report->rust_version && contains(image, "/rustc/"))
        report->rust_version = xstrdup("rustc");
    if (abi_note)
        report->libc = report->go_version ? xstrdup("glibc (cgo)") : glibc_name(image);
    else if (report->go_version)
        report->libc = xstrdup("Go's runtime");
    else if (contains(image, "__libc_start_main") || contains(image, "MUSL_LOCPATH") ||
             contains(image, "__init_libc"))
        report->libc = xstrdup("musl");
    else
        report->libc = xstrdup("unknown");
}

static void look_at_segments(struct image *image, const Elf64_Ehdr *ehdr)
{
    struct program_report *report = image->report;
    bool has_load = false, abi_note = false, library = false;

    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        Elf64_Phdr ph;
        if (!elf_segment(&image->elf, ehdr, i, &ph) ||
            ((ph.p_type != PT_LOAD || ph.p_filesz) && /* Linux does not look where zeros would be */
             !elf_at(&image->elf, ph.p_offset, ph.p_filesz))) {
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
                                            (const char *)image->elf.bytes + ph.p_offset);
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
        if (!elf_segment(&image->elf, ehdr, i, &ph) || ph.p_type != PT_LOAD)
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
    else if (!elf_header(&image->elf, ehdr))
        refuse(image, "cut short: an ELF header without its end");
    else if (!ehdr->e_phnum && ehdr->e_type != ET_REL)
        refuse(image, "nothing in it is to be loaded");
    else if (ehdr->e_phnum && (ehdr->e_phentsize != phentsize ||
                               !elf_at(&image->elf, ehdr->e_phoff, ehdr->e_phnum * phentsize)))
        refuse(image, "damaged or cut short: its program headers lie outside the file");
    else
        return true;
    return false;
}

static void inspect_elf(struct image *image)
{
    struct program_report *report = image->report;
    const unsigned char *ident = elf_at(&image->elf, 0, EI_NIDENT + 4);

    report->is_elf = true;
    if (!ident) {
        refuse(image, "cut short: an ELF header without its end");
        return;
    }
    report->is_32 = ident[EI_CLASS] == ELFCLASS32;
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
    struct image image = {.elf = {.bytes = bytes, .size = size}, .report = report};

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
