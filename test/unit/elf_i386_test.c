/* sources: kernel/proc/elf.c */
/* 32-bit programs through the ELF parser: their headers are half as large, and their memory ends below 4 GiB. */
#define ELF(name) Elf32_##name
enum { NR_HEADERS = 3 };
#include "elf_fixture.h"

static int make_good(void **state)
{
    (void)state;
    make_head(ELFCLASS32, EM_386, 0x8049000);
    make_loads(0x8048000, 0x804b010);
    good.ph[2] = (Elf32_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    file = good;
    return 0;
}

static void static_program(void **state)
{
    (void)state;
    assert_int_equal(parse(), 0);
    assert_true(plan.is_i386);
    assert_false(plan.is_pie);
    assert_false(plan.exec_stack);
    assert_int_equal(plan.entry, 0x8049000);
    assert_int_equal(plan.phdr, 0x8048034);
    assert_int_equal(plan.nr_loads, 2);
    assert_int_equal(plan.low, 0x8048000);
    assert_int_equal(plan.high, 0x8051000);
    assert_int_equal(plan.load[1].file_end, 0x804b110);
    assert_int_equal(plan.load[1].mem_end, 0x8050010);
    assert_int_equal(plan.load[0].prot, PROT_READ | PROT_EXEC);
}

static void stack_is_executable_unless_told(void **state)
{
    (void)state;
    file.ph[2].p_type = PT_NULL;
    assert_int_equal(parse(), 0);
    assert_true(plan.exec_stack);
    file = good;
}

static void memory_ends_below_4g(void **state)
{
    (void)state;
    file.ph[1].p_vaddr = (uint32_t)USER32_TOP - 0x5000 + 0x10;
    file.ph[1].p_offset = 0x2010;
    refused("outside the user half");
    file.ph[1].p_vaddr = 0xfffff010;
    refused("outside the user half");
    file.ph[1].p_memsz = 0xfffffff0;
    refused("outside the user half");
}

static void damaged(void **state)
{
    (void)state;
    file.eh.e_phentsize = sizeof(Elf64_Phdr);
    refused("of 56 bytes");
    file.eh.e_machine = EM_X86_64;
    refused("x32");
    file.eh.e_phnum = 0;
    refused("no program headers");
    struct elf_head head;
    assert_int_equal(elf_read_head(&good, sizeof(Elf32_Ehdr) - 1, &head, &why), -ENOEXEC);
    assert_int_equal(elf_read_head(&good, sizeof(Elf32_Ehdr), &head, &why), 0);
}

static void every_damaged_byte(void **state)
{
    (void)state;
    unsigned char *bytes = (unsigned char *)&file;
    for (size_t i = EI_DATA; i < sizeof(file.eh) + sizeof(file.ph); i++) {
        if (i == offsetof(Elf32_Ehdr, e_phnum) + 1)
            continue; /* thousands of headers: the table is not in this file */
        for (unsigned flip = 1; flip < 256; flip++) {
            bytes[i] ^= (unsigned char)flip;
            if (parse() == 0) {
                assert_true(plan.high <= USER32_TOP);
                for (unsigned k = 0; k < plan.nr_loads; k++)
                    assert_true(plan.load[k].start < plan.load[k].end);
            }
            file = good;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(static_program, make_good),
        cmocka_unit_test_setup(stack_is_executable_unless_told, make_good),
        cmocka_unit_test_setup(memory_ends_below_4g, make_good),
        cmocka_unit_test_setup(damaged, make_good),
        cmocka_unit_test_setup(every_damaged_byte, make_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
