/* sources: userland/yolk/reach.c userland/yolk/flow.c userland/yolk/flow_state.c userland/yolk/elf_image.c userland/yolk/program.c syscalls/table.c */
/* libraries: Zydis */
/* libFuzzer over `yolk check`: whatever the file, it is refused or read, and nothing outside it is touched.
 *
 * The first byte says what the rest is: a whole file, or the machine code of a good one. */
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userland/yolk/program.h"
#include "../../userland/yolk/reach.h"
#include "../../userland/yolk/yolk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* util.c's, without the terminal. */
void *xrealloc(void *old, size_t size)
{
    void *new = realloc(old, size ? size : 1);

    if (!new)
        abort();
    return new;
}

void *xmalloc(size_t size)
{
    return memset(xrealloc(NULL, size), 0, size);
}

char *xstrdup(const char *s)
{
    return strcpy(xmalloc(strlen(s) + 1), s);
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    if (vasprintf(&s, format, args) < 0)
        abort();
    va_end(args);
    return s;
}

void die(int status, const char *format, ...)
{
    (void)status;
    (void)format;
    abort();
}

static void look(const uint8_t *bytes, size_t size)
{
    struct program_report report;
    struct reach reach;
    struct elf_image image = {bytes, size};

    memset(&report, 0, sizeof report);
    program_inspect_bytes(bytes, size, &report);
    if ((report.status == 0) != (report.reason == NULL))
        abort();
    if (!report.status) {
        reach_find(&image, report.go_version != NULL, &reach);
        for (size_t i = 1; i < reach.nr; i++)
            if (reach.calls[i].abi == reach.calls[i - 1].abi &&
                reach.calls[i].number <= reach.calls[i - 1].number)
                abort();
        reach_free(&reach);
    }
    free(report.reason);
    free(report.interpreter);
    free(report.go_version);
    free(report.rust_version);
    free(report.libc);
}

/* A header of either class in front of code. */
static void look_at_code(bool is_32, const uint8_t *code, size_t size)
{
    const size_t head =
        is_32 ? sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) : sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    uint8_t *file = xmalloc(head + size);
    Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = EV_CURRENT,
                     .e_entry = 0x400000 + head,
                     .e_phoff = sizeof eh,
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = 1};
    Elf64_Phdr ph = {.p_type = PT_LOAD,
                     .p_flags = PF_R | PF_X,
                     .p_vaddr = 0x400000,
                     .p_filesz = head + size,
                     .p_memsz = head + size};
    Elf32_Ehdr eh32 = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_EXEC,
                       .e_machine = EM_386,
                       .e_version = EV_CURRENT,
                       .e_entry = (uint32_t)(0x400000 + head),
                       .e_phoff = sizeof eh32,
                       .e_phentsize = sizeof(Elf32_Phdr),
                       .e_phnum = 1};
    Elf32_Phdr ph32 = {.p_type = PT_LOAD,
                       .p_flags = PF_R | PF_X,
                       .p_vaddr = 0x400000,
                       .p_filesz = (uint32_t)(head + size),
                       .p_memsz = (uint32_t)(head + size)};

    memcpy(file, is_32 ? (void *)&eh32 : &eh, is_32 ? sizeof eh32 : sizeof eh);
    memcpy(file + (is_32 ? sizeof eh32 : sizeof eh), is_32 ? (void *)&ph32 : &ph,
           is_32 ? sizeof ph32 : sizeof ph);
    memcpy(file + head, code, size);
    look(file, head + size);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (data[0] % 3) {
        look_at_code(data[0] % 3 == 1, data + 1, size - 1);
    } else {
        uint8_t *aligned = xmalloc(size - 1); /* as mmap(2) gives it */
        memcpy(aligned, data + 1, size - 1);
        look(aligned, size - 1);
        free(aligned);
    }
    return 0;
}
