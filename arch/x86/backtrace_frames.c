/* Call chains, by frame pointers.  It runs when things have gone wrong, so it trusts nothing: frames must go up the
 * stack, and a read of a page that is not there ends the chain. */
#include "internal.h"

#include "backtrace.h"

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

uint64_t arch_regs_frame(const struct regs *regs)
{
    return regs->rbp;
}
