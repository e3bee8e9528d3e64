/* Text into the caller's buffer; without one, nowhere. */
#include "decode.h"

void put_char(struct trace *t, char c)
{
    if (!t->out)
        return;
    if (t->len + 1 < t->size)
        t->out[t->len++] = c;
    if (t->size)
        t->out[t->len] = '\0';
}

void put(struct trace *t, const char *s)
{
    if (!t->out)
        return;
    while (*s)
        put_char(t, *s++);
}

static void put_base(struct trace *t, uint64_t v, unsigned base, unsigned digits)
{
    char text[24], *p = text + sizeof(text);

    if (!t->out)
        return;
    *--p = '\0';
    do {
        *--p = "0123456789abcdef"[v % base];
        v /= base;
        digits -= digits > 0;
    } while (v || digits);
    put(t, p);
}

void put_u(struct trace *t, uint64_t v)
{
    put_base(t, v, 10, 0);
}

void put_u_width(struct trace *t, uint64_t v, unsigned digits)
{
    put_base(t, v, 10, digits);
}

void put_d(struct trace *t, int64_t v)
{
    if (v < 0)
        put_char(t, '-');
    put_base(t, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 0);
}

void put_x(struct trace *t, uint64_t v)
{
    if (v)
        put(t, "0x");
    put_base(t, v, 16, 0);
}

void put_o(struct trace *t, uint64_t v)
{
    if (v)
        put_char(t, '0');
    put_base(t, v, 8, 0);
}

void put_mode(struct trace *t, uint32_t v)
{
    if (v >= 0100)
        put_char(t, '0');
    put_base(t, v, 8, 3);
}

void put_addr(struct trace *t, uint64_t v)
{
    if (v)
        put_x(t, v);
    else
        put(t, "NULL");
}

void put_comment(struct trace *t, const char *s)
{
    put(t, " /* ");
    put(t, s);
    put(t, " */");
}

static bool is_printable(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

/* The letter of a short escape, or 0. */
static char short_escape(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\v':
        return 'v';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    default:
        return 0;
    }
}

static bool wants_hex(const struct trace *t, const uint8_t *bytes, size_t n)
{
    if (t->options->hex_strings == 1)
        for (size_t i = 0; i < n; i++)
            if (!is_printable(bytes[i]) && !(bytes[i] >= '\t' && bytes[i] <= '\r'))
                return true;
    return t->options->hex_strings == 2;
}

void put_quoted(struct trace *t, const uint8_t *bytes, size_t n, bool is_short)
{
    bool is_hex = wants_hex(t, bytes, n);

    put_char(t, '"');
    for (size_t i = 0; i < n && t->out; i++) {
        uint8_t c = bytes[i];
        char letter = short_escape(c);
        if (is_hex) {
            put(t, "\\x");
            put_base(t, c, 16, 2);
        } else if (letter) {
            put_char(t, '\\');
            put_char(t, letter);
        } else if (is_printable(c)) {
            put_char(t, (char)c);
        } else {
            /* As short as what follows permits. */
            bool digit_follows = i + 1 < n && bytes[i + 1] >= '0' && bytes[i + 1] <= '7';
            put_char(t, '\\');
            put_base(t, c, 8, digit_follows ? 3 : 0);
        }
    }
    put(t, is_short ? "\"..." : "\"");
}
