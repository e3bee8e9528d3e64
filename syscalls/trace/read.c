/* The program's memory: strings, byte ranges, arrays, descriptors. */
#include "decode.h"

#define PIECE 64 /* of a string whose end is not known; never over the end of a page */

bool fetch_quietly(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    return addr && t->read(t, addr, dst, n) == n;
}

bool fetch(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    if (!failed(t) && fetch_quietly(t, addr, dst, n))
        return true;
    put_addr(t, addr);
    return false;
}

uint64_t fetch_long(struct trace *t, uint64_t addr, bool *is_there)
{
    uint64_t v = 0;

    *is_there = fetch_quietly(t, addr, &v, long_size(t));
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

void put_string(struct trace *t, uint64_t addr, size_t max)
{
    bool has_end;

    if (!max)
        max = t->options->strings;
    if (!addr) {
        put(t, "NULL");
        return;
    }
    /* One more than is shown tells whether there is more. */
    long len = read_string(t, addr, max + 1, &has_end);
    if (len < 0)
        put_addr(t, addr);
    else
        put_quoted(t, t->scratch, (size_t)len > max ? max : (size_t)len, !has_end);
}

void put_path(struct trace *t, uint64_t addr)
{
    put_string(t, addr, TRACE_PATH - 1);
}

void put_bytes(struct trace *t, uint64_t addr, uint64_t n)
{
    size_t shown = n > t->options->strings ? t->options->strings : n;

    if (!addr) {
        put(t, "NULL");
    } else if (shown && t->read(t, addr, t->scratch, shown) != shown) {
        put_addr(t, addr);
    } else {
        put_quoted(t, t->scratch, shown, shown < n);
    }
}

void put_fd(struct trace *t, int fd)
{
    bool has_end;

    put_d(t, fd);
    if (!t->options->names_fds || fd < 0)
        return;
    long len = read_string(t, TRACE_FD_NAME(fd), TRACE_PATH - 1, &has_end);
    if (len <= 0)
        return;
    put_char(t, '<');
    for (long i = 0; i < len && t->out; i++) {
        uint8_t c = t->scratch[i];
        if (c > ' ' && c <= '~' && c != '<' && c != '>' && c != '\\') {
            put_char(t, (char)c);
        } else {
            char octal[4] = {(char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                             (char)('0' + (c & 7)), 0};
            put_char(t, '\\');
            put(t, octal);
        }
    }
    put_char(t, '>');
}

void put_array(struct trace *t, uint64_t addr, uint64_t nr, size_t size, element_fn *fn)
{
    uint64_t limit = t->options->is_verbose ? ~0UL : t->options->strings;
    uint8_t first;

    if (!addr || failed(t)) {
        put_addr(t, addr);
        return;
    }
    if (!nr) {
        put(t, "[]");
        return;
    }
    if (!fetch(t, addr, &first, 1))
        return;
    put_char(t, '[');
    for (uint64_t i = 0; i < nr; i++) {
        if (i)
            put(t, ", ");
        if (i >= limit) {
            put(t, "...");
            break;
        }
        if (t->read(t, addr + i * size, &first, 1) != 1) {
            put(t, "...");
            put_comment(t, "addr");
            break;
        }
        fn(t, addr + i * size);
    }
    put_char(t, ']');
}

void put_string_array(struct trace *t, uint64_t addr)
{
    bool is_there;

    if (!addr) {
        put(t, "NULL");
        return;
    }
    uint64_t p = fetch_long(t, addr, &is_there);
    if (!is_there) {
        put_addr(t, addr);
        return;
    }
    put_char(t, '[');
    for (unsigned i = 0; p && is_there; i++) {
        if (i)
            put(t, ", ");
        if (i >= t->options->strings && !t->options->is_verbose) {
            put(t, "...");
            break;
        }
        put_string(t, p, 0);
        addr += long_size(t);
        p = fetch_long(t, addr, &is_there);
    }
    put_char(t, ']');
}

/* --- structures ------------------------------------------------------------------------------------------- */

void field(struct trace *t, const char *name)
{
    /* Behind the bracket that opened the structure there is no comma. */
    if (t->out && t->len && t->out[t->len - 1] != '{')
        put(t, ", ");
    put(t, name);
    put_char(t, '=');
}

void field_d(struct trace *t, const char *name, int64_t v)
{
    field(t, name);
    put_d(t, v);
}

void field_u(struct trace *t, const char *name, uint64_t v)
{
    field(t, name);
    put_u(t, v);
}

void field_x(struct trace *t, const char *name, uint64_t v)
{
    field(t, name);
    put_x(t, v);
}

void field_addr(struct trace *t, const char *name, uint64_t v)
{
    field(t, name);
    put_addr(t, v);
}

void field_flags(struct trace *t, const char *name, const struct flag_table *f, uint64_t v)
{
    field(t, name);
    put_flags(t, f, v);
}

void field_enum(struct trace *t, const char *name, const struct flag_table *f, uint64_t v)
{
    field(t, name);
    put_enum(t, f, v);
}
