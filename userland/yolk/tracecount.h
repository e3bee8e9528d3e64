/* The table of `yolk trace -c`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <syscalls/syscall.h>
#include <stdio.h>

struct tracecount;
struct tracecount *tracecount_new(void);
/* One call of this row of the table of calls, the CPU time it took, and whether it failed. */
void tracecount_add(struct tracecount *c, enum abi abi, unsigned row, uint64_t ns, bool failed);
/* Once, at the end: it puts the rows into order. */
void tracecount_print(struct tracecount *c, FILE *to);
