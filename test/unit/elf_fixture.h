/* What the tests of the ELF parser share for both classes: a good file, a copy to be damaged, and the parser over it.
 *
 * Who includes this defines ELF(name) as Elf32_name or Elf64_name, NR_HEADERS, and fills in program headers. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/elf.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>

#include "../../arch/x86/include/arch/layout.h"
#include "../../kernel/base/include/base/errno.h"
#include "../../kernel/proc/elf.h"

enum { FILE_SIZE = 0x3000 };

static struct {
    ELF(Ehdr) eh;
    ELF(Phdr) ph[NR_HEADERS];
    char rest[64]; /* elf_read_head may look at 64 bytes */
} good, file;

static struct elf_plan plan;
static struct elf_why why;

/* All but the program headers. */
static void make_head(uint8_t class, uint16_t machine, uint64_t entry)
{
    memset(&good, 0, sizeof(good));
    memcpy(good.eh.e_ident, ELFMAG, SELFMAG);
    good.eh.e_ident[EI_CLASS] = class;
    good.eh.e_ident[EI_DATA] = ELFDATA2LSB;
    good.eh.e_type = ET_EXEC;
    good.eh.e_machine = machine;
    good.eh.e_entry = entry;
    good.eh.e_phoff = sizeof(ELF(Ehdr));
    good.eh.e_phentsize = sizeof(ELF(Phdr));
    good.eh.e_phnum = NR_HEADERS;
}

/* As ld makes them: headers and text, data with a bss. */
static void make_loads(uint64_t text, uint64_t data)
{
    good.ph[0] = (ELF(Phdr)){.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_X,
                             .p_vaddr = text,
                             .p_filesz = 0x1234,
                             .p_memsz = 0x1234,
                             .p_align = 0x1000};
    good.ph[1] = (ELF(Phdr)){.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_W,
                             .p_offset = 0x2010,
                             .p_vaddr = data,
                             .p_filesz = 0x100,
                             .p_memsz = 0x5000,
                             .p_align = 0x1000};
}

static int parse_sized(uint64_t size)
{
    struct elf_head head;
    memset(why.text, 0, sizeof(why.text));
    int err = elf_read_head(&file, ELF_HEAD_BYTES, &head, &why);
    if (err)
        return err;
    assert_true(head.phnum <= ELF_MAX_HEADERS);
    assert_true(head.is_i386 == (sizeof(ELF(Ehdr)) == sizeof(Elf32_Ehdr)));
    assert_int_equal(head.phdr_bytes, sizeof(ELF(Phdr)));
    /* On the heap and exact, so that a read beyond it is seen. */
    size_t bytes = head.phnum * head.phdr_bytes;
    char *table = calloc(1, bytes);
    memcpy(table, file.ph, bytes < sizeof(file.ph) ? bytes : sizeof(file.ph));
    err = elf_make_plan(&head, table, size, &plan, &why);
    free(table);
    return err;
}

static int parse(void)
{
    return parse_sized(FILE_SIZE);
}

static void refused(const char *reason)
{
    assert_int_equal(parse(), -ENOEXEC);
    if (!strstr(why.text, reason))
        fail_msg("\"%s\" is not in \"%s\"", reason, why.text);
    file = good;
}
