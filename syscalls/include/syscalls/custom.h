/* Calls that are not Linux's: rows that `yolk build --custom` links into a kernel (docs/CUSTOM_SYSCALLS.md).
 *
 * They stand behind Linux's rows: row NR_ROWS is the first.  The table is one of three: of a kernel with such calls it is
 * generated, any other kernel has custom/none/none.c, and the host command fills its own from a kernel's image. */
#pragma once

#include <syscalls/syscall.h>

#define CUSTOM_NR_FIRST 0x4000 /* Linux's own numbers are below, in both ABIs */
#define CUSTOM_NR_LAST  0x4fff
#define CUSTOM_ROWS_MAX 256

struct custom_row {
    struct syscall sc;    /* first; its name_at is SYSCALL_NAME_BEHIND */
    uint16_t nr[NR_ABIS]; /* 0: the ABI does not have it */
    const char *name;
};

struct custom_table {
    const struct custom_row *rows;
    unsigned nr_rows;
    unsigned nr_numbers; /* of each of these two: */
    const uint16_t
        *by_number[NR_ABIS]; /* from number - CUSTOM_NR_FIRST to index in `rows` + 1; 0: none */
};
const struct custom_table *custom_table(void);

/* All rows, from ROW_UNKNOWN on. */
static inline unsigned syscall_nr_rows(void)
{
    return NR_ROWS + custom_table()->nr_rows;
}

static inline const struct syscall *syscall_of_row(unsigned row)
{
    return row < NR_ROWS ? &syscalls[row] : &custom_table()->rows[row - NR_ROWS].sc;
}

/* The row of a number, a custom one included, or ROW_UNKNOWN. */
static inline unsigned syscall_find_row(enum abi abi, uint64_t nr)
{
    const struct custom_table *t = custom_table();
    uint64_t i = nr - CUSTOM_NR_FIRST;

    if (i < t->nr_numbers && t->by_number[abi][i])
        return NR_ROWS + t->by_number[abi][i] - 1U;
    return syscall_row(abi, nr);
}

static inline unsigned syscall_row_of(const struct syscall *sc)
{
    const struct custom_table *t = custom_table();

    for (unsigned i = 0; i < t->nr_rows; i++)
        if (sc == &t->rows[i].sc)
            return NR_ROWS + i;
    return (unsigned)(sc - syscalls);
}
