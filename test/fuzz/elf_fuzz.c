/* sources: kernel/proc/elf.c */
/* libFuzzer over the ELF parser: whatever the bytes, a plan keeps the promises of elf.h.
 *   clang -g -fsanitize=fuzzer,address,undefined -I kernel/base/include -I arch/x86/include \
 *         test/fuzz/elf_fuzz.c kernel/proc/elf.c -o elf_fuzz && ./elf_fuzz -max_len=4096 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../arch/x86/include/arch/layout.h"
#include "../../kernel/proc/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_plan(const struct elf_plan *plan, uint64_t file_size)
{
    check(plan->nr_loads >= 1 && plan->nr_loads <= ELF_MAX_LOADS);
    check(plan->interp_len == 0 || plan->interp + plan->interp_len <= file_size);
    check(plan->high <= USER_TOP && (plan->is_pie || plan->low >= USER_MIN));
    for (unsigned i = 0; i < plan->nr_loads; i++) {
        const struct elf_load *l = &plan->load[i];
        check(l->start < l->end && l->end <= USER_TOP);
        check(l->start <= l->file_end && l->file_end <= l->mem_end && l->mem_end <= l->end);
        check((l->start | l->end | l->offset) % PAGE_SIZE == 0);
        check(l->file_end == l->start || l->offset + (l->file_end - l->start) <= file_size);
        for (unsigned k = 0; k < i; k++)
            check(l->end <= plan->load[k].start || plan->load[k].end <= l->start);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_head head;
    struct elf_plan plan;
    struct elf_why why;

    if (elf_read_head(data, size < ELF_HEAD_BYTES ? size : ELF_HEAD_BYTES, &head, &why))
        return 0;
    size_t bytes = head.phnum * (size_t)head.phdr_bytes;
    if (head.phoff > size || bytes > size - head.phoff)
        return 0;
    char *table = malloc(bytes); /* exact, so that ASan sees a byte too many */
    memcpy(table, data + head.phoff, bytes);
    if (elf_make_plan(&head, table, size, &plan, &why) == 0)
        check_plan(&plan, size);
    free(table);
    return 0;
}
