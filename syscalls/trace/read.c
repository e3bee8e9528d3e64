/* The program's memory: strings, byte ranges, arrays, descriptors. */
#include "decode.h"

#define PIECE 64 /* of a string whose end is not known; never over the end of a page */

bool trace_fetch_quietly(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    return addr && t->read(t, addr, dst, n) == n;
}

bool trace_fetch(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    if (!failed(t) && trace_fetch_quietly(t, addr, dst, n))
        return true;
    trace_put_addr(t, addr);
    return false;
}

uint64_t trace_fetch_long(struct trace *t, uint64_t addr, bool *is_there)
{
    uint64_t v = 0;

    *is_there = trace_fetch_quietly(t, addr, &v, long_size(t));
    return v;
}

/* Bytes before the NUL, at most max; *has_end: there was one.  They are in t->scratch if anything is to be printed.
 * Less than nothing: there is no such memory. */
static long read_string(struct trace *t, uint64_t addr, size_t max, bool *has_end)
{
    uint8_t piece[PIECE];
    size_t len = 0;

    *has_end = false;
    while (len < max) {
        size_t n = PIECE - (addr + len) % PIECE;
        if (n > max - len)
            n = max - len;
        size_t got = t->read(t, addr + len, piece, n);
        for (size_t i = 0; i < got; i++, len++) {
            if (!piece[i]) {
                *has_end = true;
                return (long)len;
            }
            if (t->out)
                t->scratch[len] = piece[i];
        }
        if (got < n)
            return -1;
    }
    return (long)len;
}

void trace_put_string(struct trace *t, uint64_t addr, size_t max)
{
    bool has_end;

    if (!max)
        max = t->options->strings;
    if (!addr) {
        trace_put(t, "NULL");
        return;
    }
    /* One more than is shown tells whether there is more. */
    long len = read_string(t, addr, max + 1, &has_end);
    if (len < 0)
        trace_put_addr(t, addr);
    else
        trace_put_quoted(t, t->scratch, (size_t)len > max ? max : (size_t)len, !has_end);
}

void trace_put_path(struct trace *t, uint64_t addr)
{
    trace_put_string(t, addr, TRACE_PATH - 1);
}

void trace_put_bytes(struct trace *t, uint64_t addr, uint64_t n)
{
    size_t shown = n > t->options->strings ? t->options->strings : n;

    if (!addr) {
        trace_put(t, "NULL");
    } else if (shown && t->read(t, addr, t->scratch, shown) != shown) {
        trace_put_addr(t, addr);
    } else {
        trace_put_quoted(t, t->scratch, shown, shown < n);
    }
}

void trace_put_fd(struct trace *t, int fd)
{
    bool has_end;

    trace_put_d(t, fd);
    if (!t->options->names_fds || fd < 0)
        return;
    long len = read_string(t, TRACE_FD_NAME(fd), TRACE_PATH - 1, &has_end);
    if (len <= 0)
        return;
    trace_put_char(t, '<');
    for (long i = 0; i < len && t->out; i++) {
        uint8_t c = t->scratch[i];
        if (c > ' ' && c <= '~' && c != '<' && c != '>' && c != '\\') {
            trace_put_char(t, (char)c);
        } else {
            char octal[4] = {(char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                             (char)('0' + (c & 7)), 0};
            trace_put_char(t, '\\');
            trace_put(t, octal);
        }
    }
    trace_put_char(t, '>');
}

void trace_put_array(struct trace *t, uint64_t addr, uint64_t nr, size_t size, element_fn *fn)
{
    uint64_t limit = t->options->is_verbose ? ~0UL : t->options->strings;
    uint8_t first;

    if (!addr || failed(t)) {
        trace_put_addr(t, addr);
        return;
    }
    if (!nr) {
        trace_put(t, "[]");
        return;
    }
    if (!trace_fetch(t, addr, &first, 1))
        return;
    trace_put_char(t, '[');
    for (uint64_t i = 0; i < nr; i++) {
        if (i)
            trace_put(t, ", ");
        if (i >= limit) {
            trace_put(t, "...");
            break;
        }
        if (t->read(t, addr + i * size, &first, 1) != 1) {
            trace_put(t, "...");
            trace_put_comment(t, "addr");
            break;
        }
        fn(t, addr + i * size);
    }
    trace_put_char(t, ']');
}

void trace_put_string_array(struct trace *t, uint64_t addr)
{
    bool is_there;

    if (!addr) {
        trace_put(t, "NULL");
        return;
    }
    uint64_t p = trace_fetch_long(t, addr, &is_there);
    if (!is_there) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '[');
    for (unsigned i = 0; p && is_there; i++) {
        if (i)
            trace_put(t, ", ");
        if (i >= t->options->strings && !t->options->is_verbose) {
            trace_put(t, "...");
            break;
        }
        trace_put_string(t, p, 0);
        addr += long_size(t);
        p = trace_fetch_long(t, addr, &is_there);
    }
    trace_put_char(t, ']');
}

/* --- structures ------------------------------------------------------------------------------------------- */

void trace_field(struct trace *t, const char *name)
{
    /* Behind the bracket that opened the structure there is no comma. */
    if (t->out && t->len && t->out[t->len - 1] != '{')
        trace_put(t, ", ");
    trace_put(t, name);
    trace_put_char(t, '=');
}

void trace_field_d(struct trace *t, const char *name, int64_t v)
{
    trace_field(t, name);
    trace_put_d(t, v);
}

void trace_field_u(struct trace *t, const char *name, uint64_t v)
{
    trace_field(t, name);
    trace_put_u(t, v);
}

void trace_field_x(struct trace *t, const char *name, uint64_t v)
{
    trace_field(t, name);
    trace_put_x(t, v);
}

void trace_field_addr(struct trace *t, const char *name, uint64_t v)
{
    trace_field(t, name);
    trace_put_addr(t, v);
}

void trace_field_flags(struct trace *t, const char *name, const struct flag_table *f, uint64_t v)
{
    trace_field(t, name);
    trace_put_flags(t, f, v);
}

void trace_field_enum(struct trace *t, const char *name, const struct flag_table *f, uint64_t v)
{
    trace_field(t, name);
    trace_put_enum(t, f, v);
}
