/* Call chains, by frame pointers.  It runs when things have gone wrong, so it trusts nothing: frames must go up the
 * stack, and a read of a page that is not there ends the chain. */
#include "internal.h"

#include "exception.h"

static bool kernel_load64(uint64_t va, uint64_t *value)
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

unsigned arch_backtrace(uint64_t rbp, uint64_t *out, unsigned max)
{
    unsigned n = 0;

    if (rbp == 0)
        rbp = (uint64_t)__builtin_frame_address(0);
    while (n < max && rbp >= DIRECT_BASE && rbp % 8 == 0) {
        uint64_t next, address;
        if (!kernel_load64(rbp, &next) || !kernel_load64(rbp + 8, &address) || address < IMAGE_BASE)
            break;
        out[n++] = address;
        if (next <= rbp)
            break;
        rbp = next;
    }
    return n;
}
