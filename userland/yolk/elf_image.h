/* Headers of an ELF file of either class, in the form of 64-bit ones.
 *
 * The file may be anything: what does not lie inside it is answered by NULL or false. */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
    const unsigned char *bytes;
    size_t size;
};

/* The `len` bytes at `offset`. */
const void *elf_at(const struct elf_image *image, uint64_t offset, uint64_t len);
/* Of a file that has an e_ident. */
bool elf_is_32(const struct elf_image *image);
bool elf_header(const struct elf_image *image, Elf64_Ehdr *ehdr);
/* The program header, the section header `i`. */
bool elf_segment(const struct elf_image *image, const Elf64_Ehdr *ehdr, unsigned i, Elf64_Phdr *ph);
bool elf_section(const struct elf_image *image, const Elf64_Ehdr *ehdr, unsigned i, Elf64_Shdr *sh);
/* Symbol `i` of a table. */
bool elf_symbol(const struct elf_image *image, const Elf64_Shdr *table, uint64_t i,
                Elf64_Sym *symbol);
/* The file's bytes for the virtual addresses [va, va + len). */
const void *elf_at_address(const struct elf_image *image, uint64_t va, uint64_t len);
/* The little-endian word of `size` bytes. */
uint64_t elf_word(const unsigned char *bytes, size_t size);
