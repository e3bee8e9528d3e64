/* yolk pack -f elf: the kernel's own ELF file with one segment more.
 *
 *   the kernel's file, three places changed | payload, at a page | boot line | program headers
 *
 * The segment is loaded behind the kernel, at the next 2 MiB boundary, by whatever loads the
 * kernel.  The kernel finds it through `struct boot_embedded` (<arch/embedded.h>), which lies in
 * its data and starts with a magic string; we fill it in.  The program headers move to the end,
 * unless there is room for one more where they are: GRUB looks for them in the first 32 KiB. */
#include <arch/embedded.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack.h"

#define PAGE         4096ull
#define BIG_PAGE     (2ull << 20)
#define ALIGN(x, to) (((x) + (to)-1) / (to) * (to))

struct bytes pack_map(const char *path)
{
    struct bytes bytes;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st))
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    bytes.size = (size_t)st.st_size;
    bytes.data =
        bytes.size ? mmap(NULL, bytes.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : NULL;
    if (!bytes.size || bytes.data == MAP_FAILED)
        die(STATUS_FAILED, "%s: %s", path, bytes.size ? strerror(errno) : "an empty file");
    close(fd);
    return bytes;
}

void pack_unmap(struct bytes bytes)
{
    munmap(bytes.data, bytes.size);
}

static Elf64_Ehdr *kernel_header(const char *path, struct bytes kernel)
{
    Elf64_Ehdr *ehdr = (Elf64_Ehdr *)kernel.data;

    if (kernel.size < sizeof *ehdr || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0 ||
        ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_phentsize != sizeof(Elf64_Phdr) ||
        ehdr->e_phoff > kernel.size ||
        ehdr->e_phnum > (kernel.size - ehdr->e_phoff) / sizeof(Elf64_Phdr))
        die(STATUS_FAILED, "%s: not a kernel image", path);
    return ehdr;
}

/* The first free physical address behind the kernel, and where in the file its first segment's
 * bytes begin. */
static uint64_t kernel_end(const Elf64_Ehdr *ehdr, const Elf64_Phdr *ph, uint64_t *first_offset)
{
    uint64_t end = 0;

    *first_offset = UINT64_MAX;
    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_paddr + ph[i].p_memsz > end)
            end = ph[i].p_paddr + ph[i].p_memsz;
        if (ph[i].p_filesz && ph[i].p_offset < *first_offset)
            *first_offset = ph[i].p_offset;
    }
    return end;
}

/* The one place with the magic string and nothing but zeros behind it. */
static struct boot_embedded *find_embedded(const char *path, struct bytes kernel)
{
    static const struct boot_embedded empty = {.magic = BOOT_EMBEDDED_MAGIC};
    struct boot_embedded *found = memmem(kernel.data, kernel.size, &empty, sizeof empty);

    if (!found)
        die(STATUS_FAILED, "%s: a kernel that cannot carry a program", path);
    return found;
}

struct piece {
    const void *data;
    size_t size;
    uint64_t offset;
};

static void write_pieces(const char *output, const struct piece *pieces, size_t nr)
{
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0777);

    for (size_t i = 0; fd >= 0 && i < nr; i++) {
        for (size_t done = 0; done < pieces[i].size;) {
            ssize_t n = pwrite(fd, (const char *)pieces[i].data + done, pieces[i].size - done,
                               (off_t)(pieces[i].offset + done));
            if (n < 0) {
                unlink(output);
                close(fd);
                fd = -1;
                break;
            }
            done += (size_t)n;
        }
    }
    if (fd < 0 || close(fd))
        die(STATUS_FAILED, "%s: %s", output, strerror(errno));
}

void pack_elf(const char *output, const char *kernel_path, const char *module_path,
              const char *bootline)
{
    struct bytes kernel = pack_map(kernel_path), module = pack_map(module_path);
    Elf64_Ehdr *ehdr = kernel_header(kernel_path, kernel);
    const Elf64_Phdr *old = (const Elf64_Phdr *)(kernel.data + ehdr->e_phoff);
    size_t old_size = ehdr->e_phnum * sizeof *old, line_size = strlen(bootline) + 1;
    Elf64_Phdr *headers = xmalloc(old_size + sizeof *headers);
    uint64_t first_offset, address = ALIGN(kernel_end(ehdr, old, &first_offset), BIG_PAGE);
    uint64_t module_at = ALIGN(kernel.size, PAGE), line_at = module_at + module.size;
    uint64_t headers_at = ALIGN(line_at + line_size, 16);
    struct boot_embedded *embedded = find_embedded(kernel_path, kernel);

    embedded->module = address;
    embedded->module_size = module.size;
    embedded->cmdline = address + module.size;
    embedded->cmdline_size = line_size;
    memcpy(headers, old, old_size);
    headers[ehdr->e_phnum] = (Elf64_Phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R,
        .p_offset = module_at,
        .p_vaddr = address,
        .p_paddr = address,
        .p_filesz = module.size + line_size,
        .p_memsz = module.size + line_size,
        .p_align = PAGE,
    };
    if (ehdr->e_phoff + old_size + sizeof *headers <= first_offset)
        headers_at = ehdr->e_phoff;
    ehdr->e_phoff = headers_at;
    ehdr->e_phnum++;
    const struct piece pieces[] = {
        {kernel.data, kernel.size, 0},
        {module.data, module.size, module_at},
        {bootline, line_size, line_at},
        {headers, old_size + sizeof *headers, headers_at},
    };
    write_pieces(output, pieces, sizeof pieces / sizeof *pieces);
    free(headers);
    pack_unmap(kernel);
    pack_unmap(module);
}
