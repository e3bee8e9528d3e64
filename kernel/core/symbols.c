/* Kernel addresses to names.  The table is made from the linked image itself and linked in at its end: a stream of
 * steps from one address to the next and names, which cmake/symbols.sh writes and describes.  It is read from its
 * start, as only a panic and its like ask. */
#include <arch/layout.h>
#include <base/string.h>
#include <core/console.h>

extern const uint8_t symbol_pairs[256][2]; /* {0, 0}: the byte stands for itself */
extern const uint8_t symbol_stream[], symbol_stream_end[];

#define NAME_DEPTH 32 /* of pairs within pairs; there are hardly more than eight */

static const uint8_t *read_step(const uint8_t *p, uint64_t *addr)
{
    for (unsigned shift = 0;; shift += 7) {
        *addr += (uint64_t)(*p & 127) << shift;
        if (*p++ < 128)
            return p;
    }
}

/* What the name at `p` says in full, up to size - 1 bytes and a NUL; where the next entry is. */
static const uint8_t *expand(const uint8_t *p, char *buf, size_t size)
{
    uint8_t left[NAME_DEPTH];
    size_t depth = 0, len = 0;

    for (;;) {
        uint8_t byte = depth ? left[--depth] : *p++;
        if (symbol_pairs[byte][0] && depth + 2 <= NAME_DEPTH) {
            left[depth++] = symbol_pairs[byte][1];
            left[depth++] = symbol_pairs[byte][0];
        } else if (!byte) {
            buf[len] = '\0';
            return p;
        } else if (len + 1 < size) {
            buf[len++] = (char)byte;
        }
    }
}

bool symbol_name(uint64_t addr, char *buf, size_t size)
{
    const uint8_t *p = symbol_stream;
    uint64_t at = IMAGE_BASE, start = 0;

    if (addr < IMAGE_BASE || size == 0)
        return false;
    while (p < symbol_stream_end) {
        p = read_step(p, &at);
        if (at > addr)
            break;
        start = at;
        p = expand(p, buf, size);
    }
    if (!start)
        return false;
    size_t len = strlen(buf);
    snprintf(buf + len, size - len, "+%#x", (unsigned)(addr - start));
    return true;
}
