/* Kernel addresses to names.  The table is made from the linked image itself and linked in at its end: a stream of
 * steps from one address to the next and names, which cmake/symbols.sh writes and describes.  It is read from its
 * start, as only a panic and its like ask. */
#include <arch/layout.h>
#include <base/string.h>
#include <core/console.h>

extern const uint16_t symbol_lengths[]; /* [i]: how many symbols have codes of i + 1 bits */
extern const uint8_t symbol_parts[], symbol_stream[];
extern const struct start {
    uint32_t before,
        bit; /* the address of the symbol before, above IMAGE_BASE; where in symbol_stream */
} symbol_index[], symbol_index_end[];

#define NAME_DEPTH 32 /* of pairs within pairs; there are hardly more than a dozen */
#define PART_BITS  10

struct bits {
    const uint8_t *from;
    unsigned at; /* the next bit */
};

/* What follows, from the highest bit on: 57 bits at least. */
static uint64_t peek(const struct bits *b)
{
    uint64_t word;

    __builtin_memcpy(&word, b->from + b->at / 8, sizeof(word));
    return __builtin_bswap64(word) << b->at % 8;
}

static unsigned take(struct bits *b, unsigned nr)
{
    uint64_t next = peek(b);

    b->at += nr;
    return (unsigned)(next >> (64 - nr));
}

static unsigned take_number(struct bits *b, unsigned k)
{
    unsigned zeros = (unsigned)__builtin_clzll(peek(b));

    return take(b, 2 * zeros + k + 1) - (1U << k);
}

static unsigned take_symbol(struct bits *b)
{
    unsigned code = 0, symbol = 0;
    uint64_t next = peek(b);
    const uint16_t *nr = symbol_lengths;

    for (;; next <<= 1) {
        code = code << 1 | next >> 63; /* less the first code of that many bits */
        if (code < *nr)
            break;
        code -= *nr;
        symbol += *nr++;
    }
    b->at += nr - symbol_lengths + 1;
    return symbol + code;
}

/* The rest of a name, from its character `len` on: up to size - 1 bytes of it and a NUL. */
static void expand(struct bits *b, char *buf, size_t size, size_t len)
{
    uint16_t left[NAME_DEPTH];
    size_t depth = 0;

    for (;;) {
        unsigned symbol = depth ? left[--depth] : take_symbol(b);
        struct bits at = {symbol_parts, 2 * PART_BITS * symbol};
        unsigned parts = take(&at, 2 * PART_BITS);
        unsigned first = parts >> PART_BITS, second = parts % (1U << PART_BITS);
        if (first != symbol && depth + 2 <= NAME_DEPTH) {
            left[depth++] = (uint16_t)second;
            left[depth++] = (uint16_t)first;
            continue;
        }
        if (len < size)
            buf[len] = len + 1 < size ? (char)second : '\0';
        len++;
        if (!second)
            return;
    }
}

/* To the last symbol of the index that is not above `addr`; the address of the one before it. */
static uint64_t find_start(struct bits *b, uint64_t addr)
{
    uint64_t before = IMAGE_BASE;

    for (const struct start *s = symbol_index; s < symbol_index_end; s++) {
        struct bits there = {symbol_stream, s->bit};
        if (s->before + take_number(&there, 6) > addr - IMAGE_BASE)
            break;
        b->at = s->bit;
        before = IMAGE_BASE + s->before;
    }
    return before;
}

bool symbol_name(uint64_t addr, char *buf, size_t size)
{
    struct bits b = {symbol_stream, 0};
    uint64_t start = 0;

    if (addr < IMAGE_BASE || size == 0)
        return false;
    uint64_t at = find_start(&b, addr);
    for (;;) {
        unsigned step = take_number(&b, 6);
        if (step > addr - at)
            break;
        start = at += step;
        unsigned common = take_number(&b, 0);
        expand(&b, buf, size, common ? common + 2 : 0);
    }
    if (!start)
        return false;
    size_t len = strlen(buf);
    snprintf(buf + len, size - len, "+%#x", (unsigned)(addr - start));
    return true;
}
