/* sources: kernel/proc/elf.c */
/* The ELF parser against files made here: one good file, and everything that can be wrong with it,
 * one thing at a time; then every one-byte damage of the headers, which must never yield a plan
 * outside its promises. */
#define ELF(name) Elf64_##name
enum { NR_HEADERS = 4 };
#include "elf_fixture.h"

/* Thread-local data and the stack's rights, beside text and data. */
static int make_good(void **state)
{
    (void)state;
    make_head(ELFCLASS64, EM_X86_64, 0x401000);
    make_loads(0x400000, 0x403010);
    good.ph[2] = (Elf64_Phdr){.p_type = PT_TLS,
                              .p_flags = PF_R,
                              .p_offset = 0x2010,
                              .p_vaddr = 0x403010,
                              .p_filesz = 0x10,
                              .p_memsz = 0x40,
                              .p_align = 8};
    good.ph[3] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    file = good;
    return 0;
}

static void static_program(void **state)
{
    (void)state;
    assert_int_equal(parse(), 0);
    assert_false(plan.is_pie);
    assert_false(plan.exec_stack);
    assert_int_equal(plan.entry, 0x401000);
    assert_int_equal(plan.phdr, 0x400040);
    assert_int_equal(plan.phnum, NR_HEADERS);
    assert_int_equal(plan.nr_loads, 2);
    assert_int_equal(plan.low, 0x400000);
    assert_int_equal(plan.high, 0x409000);
    assert_int_equal(plan.load[0].prot, PROT_READ | PROT_EXEC);
    assert_int_equal(plan.load[0].end, 0x402000);
    assert_int_equal(plan.load[1].start, 0x403000);
    assert_int_equal(plan.load[1].file_end, 0x403110);
    assert_int_equal(plan.load[1].mem_end, 0x408010);
    assert_int_equal(plan.load[1].offset, 0x2000);
    assert_int_equal(plan.load[1].prot, PROT_READ | PROT_WRITE);
}

static void static_pie(void **state)
{
    (void)state;
    file.eh.e_type = ET_DYN;
    file.eh.e_entry = 0x1000;
    file.ph[0].p_vaddr = 0;
    file.ph[1].p_vaddr = 0x3010;
    file.ph[1].p_align = 0x200000;
    assert_int_equal(parse(), 0);
    assert_true(plan.is_pie);
    assert_int_equal(plan.low, 0);
    assert_int_equal(plan.align, 0x200000);
    assert_int_equal(plan.phdr, 0x40);
}

static void rights_as_asked(void **state)
{
    (void)state;
    file.ph[0].p_flags = PF_R | PF_W | PF_X;
    file.ph[3].p_flags = PF_R | PF_W | PF_X;
    assert_int_equal(parse(), 0);
    assert_int_equal(plan.load[0].prot, PROT_READ | PROT_WRITE | PROT_EXEC);
    assert_true(plan.exec_stack);
}

static void bss_alone(void **state)
{
    (void)state;
    file.ph[1].p_filesz = 0;
    file.ph[1].p_offset = UINT64_MAX - 0x666; /* means nothing then */
    assert_int_equal(parse(), 0);
    assert_int_equal(plan.load[1].file_end, plan.load[1].start);
    assert_int_equal(plan.load[1].mem_end, 0x408010);
}

static void headers_in_no_segment(void **state)
{
    (void)state;
    file.ph[0].p_offset = 0x1000;
    assert_int_equal(parse(), 0);
    assert_int_equal(plan.phdr, 0);
}

static void interpreter_is_noted(void **state)
{
    (void)state;
    file.ph[2] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x200, .p_filesz = 28};
    assert_int_equal(parse(), 0);
    assert_int_equal(plan.interp, 0x200);
    assert_int_equal(plan.interp_len, 28);
    file.ph[2].p_filesz = UINT64_MAX;
    assert_int_equal(parse(), 0);
    assert_int_equal(plan.interp_len, FILE_SIZE - 0x200);
}

static int read_head(const char *bytes, size_t n)
{
    struct elf_head head;
    char *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    int err = elf_read_head(copy, n, &head, &why);
    free(copy);
    return err;
}

static void other_files(void **state)
{
    (void)state;
    assert_int_equal(read_head("", 0), -ENOEXEC);
    assert_non_null(strstr(why.text, "empty"));
    assert_int_equal(read_head("MZ", 2), -ENOEXEC);
    assert_non_null(strstr(why.text, "not an ELF"));
    assert_int_equal(read_head("#!  /bin/sh -e\nexit", 19), -ENOEXEC);
    assert_non_null(strstr(why.text, "script"));
    assert_non_null(strstr(why.text, "(/bin/sh)"));
    assert_int_equal(read_head("#!", 2), -ENOEXEC);
    assert_int_equal(read_head(ELFMAG "\2\1", 6), -ENOEXEC);
    assert_non_null(strstr(why.text, "truncated"));
}

static void other_machines(void **state)
{
    (void)state;
    file.eh.e_machine = EM_AARCH64;
    refused("AArch64");
    file.eh.e_machine = 0x1234;
    refused("machine 4660");
    file.eh.e_machine = EM_386; /* of 64 bits: there is no such thing */
    refused("unknown class");
    file.eh.e_ident[EI_CLASS] = ELFCLASS32;
    refused("x32");
    file.eh.e_ident[EI_DATA] = ELFDATA2MSB;
    refused("big-endian");
    file.eh.e_type = ET_REL;
    refused("object file");
    file.eh.e_type = ET_CORE;
    refused("core dump");
}

static void bad_headers(void **state)
{
    (void)state;
    file.eh.e_phnum = 0;
    refused("no program headers");
    file.eh.e_phnum = 0xffff;
    refused("65535 program headers");
    file.eh.e_phentsize = 32;
    refused("of 32 bytes");
    file.eh.e_phoff = UINT64_MAX - 8;
    refused("wild offset");
    file.ph[0].p_type = file.ph[1].p_type = PT_NULL;
    refused("nothing to load");
    file.eh.e_entry = 0x999999;
    refused("no entry point");
    file.eh.e_type = ET_DYN;
    file.eh.e_entry = 0;
    refused("shared library");
}

static void bad_segments(void **state)
{
    (void)state;
    file.ph[1].p_filesz = 0x6000;
    refused("larger in the file");
    file.ph[1].p_offset = 0x10010;
    refused("truncated");
    file.ph[1].p_offset = UINT64_MAX - 0xfef;
    refused("truncated");
    file.ph[1].p_memsz = UINT64_MAX;
    refused("outside the user half");
    file.ph[1].p_vaddr = USER_TOP - 0x1ff0;
    refused("outside the user half");
    file.ph[1].p_vaddr = 0xffffffff80000010;
    refused("outside the user half");
    file.ph[0].p_vaddr = 0;
    refused("below 0x10000");
    file.ph[1].p_vaddr = 0x403018;
    refused("within a page");
    file.ph[1].p_vaddr = 0x401010;
    refused("overlaps");
    file.eh.e_type = ET_DYN;
    file.ph[1].p_align = 1UL << 60;
    refused("address space");
    file.eh.e_type = ET_DYN;
    file.ph[1].p_vaddr = 0x600000000010;
    refused("address space");
}

static void too_many_segments(void **state)
{
    (void)state;
    struct elf_head head = {
        .entry = 0x400000, .phnum = ELF_MAX_LOADS + 1, .phdr_bytes = ELF_PHDR_BYTES};
    Elf64_Phdr table[ELF_MAX_LOADS + 1];
    for (unsigned i = 0; i <= ELF_MAX_LOADS; i++)
        table[i] =
            (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x400000 + i * 0x1000UL, .p_memsz = 1};
    assert_int_equal(elf_make_plan(&head, table, 0, &plan, &why), -ENOEXEC);
    assert_non_null(strstr(why.text, "more than"));
    head.phnum = ELF_MAX_LOADS;
    assert_int_equal(elf_make_plan(&head, table, 0, &plan, &why), 0);
}

/* What exec.c relies on. */
static void check_promises(void)
{
    for (unsigned i = 0; i < plan.nr_loads; i++) {
        const struct elf_load *l = &plan.load[i];
        assert_true(l->start < l->end && l->end <= USER_TOP);
        assert_true(l->start <= l->file_end && l->file_end <= l->mem_end && l->mem_end <= l->end);
        assert_true((l->start | l->end | l->offset) % PAGE_SIZE == 0);
        assert_true(l->offset + (l->file_end - l->start) <= FILE_SIZE);
        assert_true(plan.low <= l->start && l->end <= plan.high);
        for (unsigned k = 0; k < i; k++)
            assert_true(l->end <= plan.load[k].start || plan.load[k].end <= l->start);
    }
}

static void every_damaged_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(file); at++)
        for (unsigned v = 0; v < 256; v++) {
            file = good;
            ((uint8_t *)&file)[at] = (uint8_t)v;
            if (parse() == 0)
                check_promises();
            else
                assert_true(why.text[0]);
        }
    for (uint64_t size = 0; size < FILE_SIZE; size += 16)
        assert_true(parse_sized(size) == -ENOEXEC || size >= 0x2110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(static_program, make_good),
        cmocka_unit_test_setup(static_pie, make_good),
        cmocka_unit_test_setup(rights_as_asked, make_good),
        cmocka_unit_test_setup(bss_alone, make_good),
        cmocka_unit_test_setup(headers_in_no_segment, make_good),
        cmocka_unit_test_setup(interpreter_is_noted, make_good),
        cmocka_unit_test_setup(other_files, make_good),
        cmocka_unit_test_setup(other_machines, make_good),
        cmocka_unit_test_setup(bad_headers, make_good),
        cmocka_unit_test_setup(bad_segments, make_good),
        cmocka_unit_test_setup(too_many_segments, make_good),
        cmocka_unit_test_setup(every_damaged_byte, make_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
