/* A kernel's custom calls, as its image tells them: the note .note.yolk.calls has the rows of its .def. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "customdef.h"
#include "pack.h"
#include "yolk.h"

static struct custom_def loaded;
static struct custom_row rows[CUSTOM_ROWS_MAX];
static uint16_t numbers[NR_ABIS][CUSTOM_NR_LAST - CUSTOM_NR_FIRST + 1];
static struct custom_table table = {.rows = rows,
                                    .by_number = {numbers[ABI_X86_64], numbers[ABI_I386]}};

const struct custom_table *custom_table(void)
{
    return &table;
}

void custom_rows_set(const struct custom_def *def)
{
    loaded = *def;
    table.nr_rows = (unsigned)def->nr_calls;
    table.nr_numbers = sizeof numbers[0] / sizeof *numbers[0];
    for (unsigned i = 0; i < def->nr_calls; i++) {
        const struct custom_call *c = &def->calls[i];
        rows[i].sc = (struct syscall){.name_at = SYSCALL_NAME_BEHIND,
                                      .support = (uint8_t)c->support,
                                      .result = (uint8_t)c->result,
                                      .argc = (uint8_t)c->argc};
        rows[i].name = c->name;
        for (unsigned a = 0; a < c->argc; a++)
            rows[i].sc.kind[a] = (uint8_t)c->arg[a].kind;
        for (unsigned abi = 0; abi < NR_ABIS; abi++) {
            rows[i].nr[abi] = (uint16_t)c->nr[abi];
            if (c->nr[abi])
                numbers[abi][c->nr[abi] - CUSTOM_NR_FIRST] = (uint16_t)(i + 1);
        }
    }
}

const struct custom_call *custom_call_of_row(unsigned row)
{
    return &loaded.calls[row - NR_ROWS];
}

bool custom_row_is_wrapped(unsigned row)
{
    for (size_t i = 0; i < loaded.nr_wraps; i++)
        if (loaded.wraps[i].row == row)
            return true;
    return false;
}

/* --- the note ------------------------------------------------------------------------------------------------------- */

static bool is_inside(const struct bytes *b, uint64_t offset, uint64_t size)
{
    return offset <= b->size && size <= b->size - offset;
}

static const Elf64_Shdr *find_section(const struct bytes *b, const char *name)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)b->data;

    if (b->size < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 ||
        e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_shentsize != sizeof(Elf64_Shdr) ||
        e->e_shstrndx >= e->e_shnum || e->e_shoff % sizeof(uint64_t) ||
        !is_inside(b, e->e_shoff, (uint64_t)e->e_shnum * sizeof(Elf64_Shdr)))
        return NULL;
    const Elf64_Shdr *s = (const Elf64_Shdr *)(b->data + e->e_shoff);
    const Elf64_Shdr *names = &s[e->e_shstrndx];
    if (!is_inside(b, names->sh_offset, names->sh_size))
        return NULL;
    for (unsigned i = 0; i < e->e_shnum; i++) {
        if (s[i].sh_name < names->sh_size && strlen(name) < names->sh_size - s[i].sh_name &&
            !memcmp(b->data + names->sh_offset + s[i].sh_name, name, strlen(name) + 1))
            return is_inside(b, s[i].sh_offset, s[i].sh_size) ? &s[i] : NULL;
    }
    return NULL;
}

/* The note's text, or NULL. */
static char *note_text(const struct bytes *b)
{
    const Elf64_Shdr *s = find_section(b, ".note.yolk.calls");
    Elf64_Nhdr n;

    if (!s || s->sh_size < sizeof n)
        return NULL;
    memcpy(&n, b->data + s->sh_offset, sizeof n);
    uint64_t name_size = ((uint64_t)n.n_namesz + 3) / 4 * 4;
    if (n.n_type != 1 || s->sh_size - sizeof n < name_size ||
        s->sh_size - sizeof n - name_size < n.n_descsz)
        return NULL;
    const char *text = (const char *)b->data + s->sh_offset + sizeof n + name_size;
    return xasprintf("%.*s", (int)n.n_descsz, text);
}

void custom_rows_load(const char *kernel)
{
    struct bytes image = pack_map(kernel);
    char *text = note_text(&image);
    struct custom_def def;

    pack_unmap(image);
    if (!text)
        return;
    custom_def_parse(&def, kernel, text);
    if (def.nr_errors)
        die(STATUS_FAILED, "%s: its custom calls are not for this version of Yolk", kernel);
    custom_rows_set(&def);
}
