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

/* The section header of the symbol table, and of its strings. */
static bool find_tables(struct file *f, Elf64_Shdr *symtab, Elf64_Shdr *strtab)
{
    Elf64_Ehdr eh;
    if (!read_at(f, &eh, sizeof(eh), 0) || eh.e_shentsize != sizeof(Elf64_Shdr) ||
        eh.e_shnum > MAX_SECTIONS)
        return false;
    for (unsigned i = 0; i < eh.e_shnum; i++) {
        if (!read_at(f, symtab, sizeof(*symtab), eh.e_shoff + i * sizeof(*symtab)))
            return false;
        if (symtab->sh_type == SHT_SYMTAB)
            return symtab->sh_link < eh.e_shnum &&
                   read_at(f, strtab, sizeof(*strtab),
                           eh.e_shoff + symtab->sh_link * sizeof(*strtab));
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

static void scan(struct search *s, const Elf64_Shdr *symtab)
{
    Elf64_Sym *chunk = heap_alloc(CHUNK * sizeof(*chunk));
    uint64_t left = symtab->sh_size / sizeof(*chunk), pos = symtab->sh_offset;
    while (chunk && left) {
        size_t n = MIN(left, (uint64_t)CHUNK);
        if (!read_at(s->file, chunk, n * sizeof(*chunk), pos))
            break;
        for (size_t i = 0; i < n; i++)
            consider(s, &chunk[i]);
        left -= n;
        pos += n * sizeof(*chunk);
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
    if (!find_tables(f, &symtab, &strtab))
        return;
    s.best = heap_zalloc(nr * sizeof(*s.best));
    if (!s.best)
        return;
    scan(&s, &symtab);
    read_names(&s, &strtab);
    heap_free(s.best);
}
