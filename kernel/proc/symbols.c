/* A single pass over .symtab that finds the nearest symbol below each wanted address: no table is
 * kept, since a program dies once. */
#include "symbols.h"

#include <base/string.h>
#include <core/heap.h>
#include <linux/elf.h>

enum { CHUNK = 128, MAX_SECTIONS = 4096 };

struct best {
    uint64_t value;
    uint32_t name;
    bool found;
};

struct search {
    struct file *file;
    uint64_t base;
    struct symbol *symbols;
    struct best *best;
    unsigned nr;
};

static bool read_at(struct file *f, void *buf, size_t n, uint64_t pos)
{
    return pos <= INT64_MAX - n && file_read_kernel(f, buf, n, (int64_t)pos) == (ssize_t)n;
}

/* Where the section headers are.  All that is 32-bit is read in the form of its 64-bit namesake. */
struct sections {
    uint64_t at;
    unsigned nr, size;
    bool is_small;
};

static bool find_sections(struct file *f, struct sections *s)
{
    Elf64_Ehdr eh;
    Elf32_Ehdr small;
    if (!read_at(f, &small, sizeof(small), 0))
        return false;
    s->is_small = small.e_ident[EI_CLASS] == ELFCLASS32;
    if (!s->is_small && !read_at(f, &eh, sizeof(eh), 0))
        return false;
    s->at = s->is_small ? small.e_shoff : eh.e_shoff;
    s->nr = s->is_small ? small.e_shnum : eh.e_shnum;
    s->size = s->is_small ? small.e_shentsize : eh.e_shentsize;
    return s->size == (s->is_small ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr)) &&
           s->nr <= MAX_SECTIONS;
}

static bool read_section(struct file *f, const struct sections *s, unsigned i, Elf64_Shdr *sh)
{
    Elf32_Shdr small;
    if (!s->is_small)
        return read_at(f, sh, sizeof(*sh), s->at + i * s->size);
    if (!read_at(f, &small, sizeof(small), s->at + i * s->size))
        return false;
    *sh = (Elf64_Shdr){
        .sh_type = small.sh_type,
        .sh_offset = small.sh_offset,
        .sh_size = small.sh_size,
        .sh_link = small.sh_link,
    };
    return true;
}

/* The section header of the symbol table, and of its strings. */
static bool find_tables(struct file *f, const struct sections *s, Elf64_Shdr *symtab,
                        Elf64_Shdr *strtab)
{
    for (unsigned i = 0; i < s->nr; i++) {
        if (!read_section(f, s, i, symtab))
            return false;
        if (symtab->sh_type == SHT_SYMTAB)
            return symtab->sh_link < s->nr && read_section(f, s, symtab->sh_link, strtab);
    }
    return false;
}

static void consider(struct search *s, const Elf64_Sym *sym)
{
    unsigned type = ELF64_ST_TYPE(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF || (type != STT_NOTYPE && type != STT_FUNC))
        return;
    for (unsigned i = 0; i < s->nr; i++) {
        uint64_t addr = s->symbols[i].addr - s->base;
        struct best *b = &s->best[i];
        if (sym->st_value > addr || (b->found && sym->st_value < b->value))
            continue;
        if (sym->st_size && addr - sym->st_value >= sym->st_size)
            continue;
        *b = (struct best){.value = sym->st_value, .name = sym->st_name, .found = true};
    }
}

static Elf64_Sym widen(const Elf32_Sym *small)
{
    return (Elf64_Sym){
        .st_name = small->st_name,
        .st_info = small->st_info,
        .st_shndx = small->st_shndx,
        .st_value = small->st_value,
        .st_size = small->st_size,
    };
}

static void scan(struct search *s, const Elf64_Shdr *symtab, bool is_small)
{
    size_t size = is_small ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);
    char *chunk = heap_alloc(CHUNK * size);
    uint64_t left = symtab->sh_size / size, pos = symtab->sh_offset;
    while (chunk && left) {
        size_t n = MIN(left, (uint64_t)CHUNK);
        if (!read_at(s->file, chunk, n * size, pos))
            break;
        for (size_t i = 0; i < n; i++) {
            const void *at = chunk + i * size;
            Elf64_Sym sym = is_small ? widen(at) : *(const Elf64_Sym *)at;
            consider(s, &sym);
        }
        left -= n;
        pos += n * size;
    }
    heap_free(chunk);
}

static void read_names(struct search *s, const Elf64_Shdr *strtab)
{
    for (unsigned i = 0; i < s->nr; i++) {
        struct symbol *symbol = &s->symbols[i];
        const struct best *b = &s->best[i];
        if (!b->found || b->name >= strtab->sh_size)
            continue;
        size_t n = MIN(sizeof(symbol->name) - 1, strtab->sh_size - b->name);
        if (read_at(s->file, symbol->name, n, strtab->sh_offset + b->name))
            symbol->offset = symbol->addr - s->base - b->value;
        symbol->name[n] = '\0';
    }
}

void symbols_find(struct file *f, uint64_t base, struct symbol *symbols, unsigned nr)
{
    Elf64_Shdr symtab, strtab;
    struct search s = {.file = f, .base = base, .symbols = symbols, .nr = nr};
    struct sections sections;
    if (!find_sections(f, &sections) || !find_tables(f, &sections, &symtab, &strtab))
        return;
    s.best = heap_zalloc(nr * sizeof(*s.best));
    if (!s.best)
        return;
    scan(&s, &symtab, sections.is_small);
    read_names(&s, &strtab);
    heap_free(s.best);
}
