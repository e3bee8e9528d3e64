/* The table of kernel instructions that may fault: where to go on instead. */
#pragma once

#include <base/types.h>

/* In inline assembly: a fault of the instruction at label `from` continues at label `to`.  (An entry is a range of
 * addresses and where to go on, each relative to its own place.  Each line counts as an instruction when the compiler
 * chooses what to compile into its callers.) */
#define EXCEPTION_ENTRY(from, to)                          \
    ".pushsection .exception_table, \"a\"\n\t"             \
    ".long " from " - ., " from " + 1 - ., " to " - .\n\t" \
    ".popsection\n\t"

/* Where to continue after a fault at `rip`; 0: nowhere. */
uint64_t exception_fixup(uint64_t rip);
