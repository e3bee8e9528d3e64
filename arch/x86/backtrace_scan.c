/* Call chains without frame pointers: every word on the stack that looks like a return address, that is, points into
 * the kernel's code behind a call instruction; and where an exception came, which has the code segment above it.  Some
 * may be left over from calls that have returned.  It trusts nothing: a read of a page that is not there ends the search. */
#include "internal.h"

#include "backtrace.h"

#define MAX_WORDS 1024 /* how far up the stack to look */

extern const uint8_t text_start[], text_end[]; /* kernel.ld */

/* Does a call end at `at`?  A direct one, or an indirect one with a register, or with an offset of one or four bytes. */
static bool is_behind_call(uint64_t at)
{
    const uint8_t *p = (const uint8_t *)at;

    if (at < (uint64_t)text_start + 8 || at > (uint64_t)text_end)
        return false;
    if (p[-5] == 0xe8)
        return true;
    static const uint8_t lengths[] = {2, 3, 6, 7};
    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++)
        if (p[-lengths[i]] == 0xff && (p[1 - lengths[i]] & 0x38) == 0x10)
            return true;
    return false;
}

static bool is_interrupted(uint64_t at, uint64_t above)
{
    return above == KERNEL_CS && at >= (uint64_t)text_start && at < (uint64_t)text_end;
}

unsigned arch_backtrace(uint64_t from, uint64_t *out, unsigned max)
{
    unsigned n = 0;
    uint64_t word, above;

    if (from == 0)
        from = (uint64_t)__builtin_frame_address(0);
    from = ALIGN_DOWN(from, 8);
    for (unsigned i = 0; i < MAX_WORDS && n < max && from >= DIRECT_BASE; i++, from += 8) {
        if (from >= (uint64_t)out && from < (uint64_t)(out + max))
            continue; /* what was found lies on the same stack */
        if (!kernel_load64(from, &word))
            break;
        if (is_behind_call(word) ||
            (kernel_load64(from + 8, &above) && is_interrupted(word, above)))
            out[n++] = word;
    }
    return n;
}

uint64_t arch_regs_frame(const struct regs *regs)
{
    return regs->rsp;
}
