/* Headers of an ELF file of either class, in the form of 64-bit ones. */
#include "elf_image.h"

#include <string.h>

const void *elf_at(const struct elf_image *image, uint64_t offset, uint64_t len)
{
    if (offset > image->size || len > image->size - offset)
        return NULL;
    return image->bytes + offset;
}

bool elf_is_32(const struct elf_image *image)
{
    return image->bytes[EI_CLASS] == ELFCLASS32;
}

bool elf_header(const struct elf_image *image, Elf64_Ehdr *ehdr)
{
    const Elf32_Ehdr *small = elf_at(image, 0, sizeof *small);
    const Elf64_Ehdr *large = elf_at(image, 0, sizeof *large);

    if (!small || (!elf_is_32(image) && !large))
        return false;
    if (!elf_is_32(image)) {
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
        .e_shentsize = small->e_shentsize,
        .e_shnum = small->e_shnum,
    };
    return true;
}

bool elf_segment(const struct elf_image *image, const Elf64_Ehdr *ehdr, unsigned i, Elf64_Phdr *ph)
{
    uint64_t size = elf_is_32(image) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
    const void *bytes = elf_at(image, ehdr->e_phoff + i * size, size);

    if (!bytes)
        return false;
    if (!elf_is_32(image)) {
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

const void *elf_at_address(const struct elf_image *image, uint64_t va, uint64_t len)
{
    Elf64_Ehdr ehdr;
    Elf64_Phdr ph;

    if (!elf_header(image, &ehdr))
        return NULL;
    for (unsigned i = 0; i < ehdr.e_phnum; i++)
        if (elf_segment(image, &ehdr, i, &ph) && ph.p_type == PT_LOAD && va >= ph.p_vaddr &&
            va - ph.p_vaddr < ph.p_filesz && len <= ph.p_filesz - (va - ph.p_vaddr))
            return elf_at(image, ph.p_offset + (va - ph.p_vaddr), len);
    return NULL;
}

uint64_t elf_word(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, size);
    return word;
}

bool elf_section(const struct elf_image *image, const Elf64_Ehdr *ehdr, unsigned i, Elf64_Shdr *sh)
{
    uint64_t size = elf_is_32(image) ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
    const void *bytes = elf_at(image, ehdr->e_shoff + i * size, size);

    if (!bytes)
        return false;
    if (!elf_is_32(image)) {
        memcpy(sh, bytes, sizeof *sh);
        return true;
    }
    Elf32_Shdr small;
    memcpy(&small, bytes, sizeof small);
    *sh = (Elf64_Shdr){
        .sh_type = small.sh_type,
        .sh_flags = small.sh_flags,
        .sh_addr = small.sh_addr,
        .sh_offset = small.sh_offset,
        .sh_size = small.sh_size,
        .sh_link = small.sh_link,
        .sh_entsize = small.sh_entsize,
    };
    return true;
}

bool elf_symbol(const struct elf_image *image, const Elf64_Shdr *table, uint64_t i,
                Elf64_Sym *symbol)
{
    uint64_t size = elf_is_32(image) ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);
    const void *bytes =
        i < table->sh_size / size ? elf_at(image, table->sh_offset + i * size, size) : NULL;

    if (!bytes)
        return false;
    if (!elf_is_32(image)) {
        memcpy(symbol, bytes, sizeof *symbol);
        return true;
    }
    Elf32_Sym small;
    memcpy(&small, bytes, sizeof small);
    *symbol = (Elf64_Sym){.st_name = small.st_name,
                          .st_info = small.st_info,
                          .st_shndx = small.st_shndx,
                          .st_value = small.st_value,
                          .st_size = small.st_size};
    return true;
}
