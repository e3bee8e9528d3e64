/* Reading a stack that may not be there. */
#pragma once

#include "exception.h"

/* False when nothing is mapped at `va`. */
static inline bool kernel_load64(uint64_t va, uint64_t *value)
{
    bool ok = true;

    __asm__ volatile("1: movq (%2), %1\n"
                     "2:\n\t"
                     ".pushsection .text.fixup, \"ax\"\n"
                     "3: movb $0, %b0\n\t"
                     "jmp 2b\n\t"
                     ".popsection\n\t" EXCEPTION_ENTRY("1b", "3b")
                     : "+q"(ok), "=&r"(*value)
                     : "r"(va));
    return ok;
}
