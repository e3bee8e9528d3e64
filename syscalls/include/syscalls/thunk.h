/* From argument words to a row's body: call_NAME of each row, which the dispatch tables point to.
 *
 * They are weak: a wrapped call (docs/CUSTOM_SYSCALLS.md) has a call_NAME of its own, which the linker takes instead. */
#pragma once

#include <base/types.h>
#include <syscalls/syscall.h>

/* A call's argument words, as they come in registers. */
#define WORDS uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5
typedef long syscall_thunk(WORDS);

#define ROW(id, ...) syscall_thunk call_##id;
#define GAP(id, ...) syscall_thunk call_##id;
#include <syscalls/table.h>
syscall_thunk call_gap; /* in the place of a body that is missing; x86-64 only */

/* The lower halves of their addresses, by row (call_table.S). */
extern const int32_t call_of_row[NR_ROWS];

/* A number beyond Linux's.  False: there is no such call; else its result in *ret.  `arg` is what the registers hold,
 * of an i386 program the low halves.  In the caller's thread; it may sleep. */
bool custom_call(enum abi abi, uint64_t nr, const uint64_t arg[SYSCALL_MAX_ARGS], long *ret);
