/* System calls as data: what each is named, takes and returns, and how to find one by its number.
 *
 * Pure: the host command and the tests read the same table as the kernel. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum abi { ABI_X86_64, ABI_I386 };
#define NR_ABIS          2
#define SYSCALL_MAX_ARGS 6
#define SYSCALL_NUMBERS  512 /* above the highest number of either ABI */

enum support { SUPPORT_NONE, SUPPORT_PART, SUPPORT_FULL };
enum result { RESULT_INT, RESULT_FD, RESULT_BYTES, RESULT_ADDR, RESULT_OFFSET };

enum kind {
#define KIND(name, type, how, when, show, names) KIND_##name,
#include "../../kinds.def"
#undef KIND
    NR_KINDS
};

enum row {
    ROW_UNKNOWN,
#define ROW(id, ...) ROW_##id,
#define GAP(id, ...) ROW_##id,
#include <syscalls/table.h>
    NR_ROWS
};

struct syscall {
    uint16_t name_at; /* for syscall_name; a pointer would double the table */
    uint8_t support, result, argc, kind[SYSCALL_MAX_ARGS];
};
/* name_at of a row that has its name elsewhere: in struct custom_row (syscalls/custom.h). */
#define SYSCALL_NAME_BEHIND UINT16_MAX
extern const struct syscall syscalls[NR_ROWS];
const char *syscall_name(const struct syscall *sc);

/* What only people read; the kernel does without, and then it takes no room there. */
struct syscall_text {
    const char *missing; /* "" when nothing is */
    const char *arg[SYSCALL_MAX_ARGS];
};
extern const struct syscall_text syscall_texts[NR_ROWS];

extern const uint16_t syscall_row_of_number[NR_ABIS][SYSCALL_NUMBERS];
/* The row of a call's number, or ROW_UNKNOWN. */
static inline enum row syscall_row(enum abi abi, uint64_t nr)
{
    return nr < SYSCALL_NUMBERS ? (enum row)syscall_row_of_number[abi][nr] : ROW_UNKNOWN;
}
/* The number of a row in an ABI, or -1. */
int syscall_number(enum abi abi, enum row row);
/* The row of a call behind socketcall(2) of i386, or ROW_UNKNOWN. */
enum row syscall_of_socketcall(uint32_t call);
/* i386 registers into arguments, each widened as its kind says (see kinds.def). */
void syscall_args_32(const struct syscall *sc, const uint64_t reg[SYSCALL_MAX_ARGS],
                     uint64_t arg[SYSCALL_MAX_ARGS]);
