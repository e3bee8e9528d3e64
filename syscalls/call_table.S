/* The thunk of each row, call_NAME, in the order of enum row: what dispatch.c calls.
 *
 * Only the lower half of each address, as the upper is the same for all: ones, which C gets back by extending the sign.
 * C has no constant expression for that; and what is added here makes the address one of 32 bits for the linker, too. */
    .section .rodata.call_of_row, "a"
    .balign 4
    .globl call_of_row
call_of_row:
    .long call_gap + 0x100000000
#define ROW(id, ...) .long call_##id + 0x100000000
#define GAP(id, ...) .long call_##id + 0x100000000
#include <syscalls/table.h>
    .section .note.GNU-stack, "", @progbits
