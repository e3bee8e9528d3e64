/* Names of a program's addresses, from the symbol table in its own ELF file. */
#pragma once

#include <vfs/file.h>

struct symbol {
    uint64_t addr;   /* in: where the program runs */
    uint64_t offset; /* out: from the start of the symbol */
    char name[80];   /* out: "" when there is none */
};

/* Look all of them up in one pass over the file's .symtab, for a program loaded `base` above its
 * addresses.  Reads the file, so thread context; says nothing when it is stripped or damaged. */
void symbols_find(struct file *f, uint64_t base, struct symbol *symbols, unsigned nr);
