/* Text into the caller's buffer; without one, nowhere. */
#include "decode.h"

void trace_put_char(struct trace *t, char c)
{
    if (!t->out)
        return;
    if (t->len + 1 < t->size)
        t->out[t->len++] = c;
    if (t->size)
        t->out[t->len] = '\0';
}

void trace_put(struct trace *t, const char *s)
{
    if (!t->out)
        return;
    while (*s)
        trace_put_char(t, *s++);
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
    trace_put(t, p);
}

void trace_put_u(struct trace *t, uint64_t v)
{
    put_base(t, v, 10, 0);
}

void trace_put_u_width(struct trace *t, uint64_t v, unsigned digits)
{
    put_base(t, v, 10, digits);
}

void trace_put_d(struct trace *t, int64_t v)
{
    if (v < 0)
        trace_put_char(t, '-');
    put_base(t, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 0);
}

void trace_put_x(struct trace *t, uint64_t v)
{
    if (v)
        trace_put(t, "0x");
    put_base(t, v, 16, 0);
}

void trace_put_hex_width(struct trace *t, uint64_t v, unsigned digits)
{
    trace_put(t, v ? "0x" : "00");
    put_base(t, v, 16, digits);
}

void trace_put_o(struct trace *t, uint64_t v)
{
    if (v)
        trace_put_char(t, '0');
    put_base(t, v, 8, 0);
}

void trace_put_mode(struct trace *t, uint32_t v)
{
    if (v >= 0100)
        trace_put_char(t, '0');
    put_base(t, v, 8, 3);
}

void trace_put_addr(struct trace *t, uint64_t v)
{
    if (v)
        trace_put_x(t, v);
    else
        trace_put(t, "NULL");
}

void trace_put_comment(struct trace *t, const char *s)
{
    trace_put(t, " /* ");
    trace_put(t, s);
    trace_put(t, " */");
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

void trace_put_quoted(struct trace *t, const uint8_t *bytes, size_t n, bool is_short)
{
    bool is_hex = wants_hex(t, bytes, n);

    trace_put_char(t, '"');
    for (size_t i = 0; i < n && t->out; i++) {
        uint8_t c = bytes[i];
        char letter = short_escape(c);
        if (is_hex) {
            trace_put(t, "\\x");
            put_base(t, c, 16, 2);
        } else if (letter) {
            trace_put_char(t, '\\');
            trace_put_char(t, letter);
        } else if (is_printable(c)) {
            trace_put_char(t, (char)c);
        } else {
            /* As short as what follows permits. */
            bool digit_follows = i + 1 < n && bytes[i + 1] >= '0' && bytes[i + 1] <= '7';
            trace_put_char(t, '\\');
            put_base(t, c, 8, digit_follows ? 3 : 0);
        }
    }
    trace_put(t, is_short ? "\"..." : "\"");
}
