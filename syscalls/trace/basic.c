/* Numbers, flags, strings, buffers: kinds that many calls share. */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "decode.h"

void trace_show_signed(struct trace *t, unsigned i)
{
    const uint64_t v = t->arg[i];
    bool is_int = t->sc->kind[i] == KIND_INT || t->sc->kind[i] == KIND_MEMBARRC;

    trace_put_d(t, is_int ? (int32_t)v : (int64_t)v);
}

void trace_show_unsigned(struct trace *t, unsigned i)
{
    trace_put_u(t, t->sc->kind[i] == KIND_UINT ? (uint32_t)t->arg[i] : t->arg[i]);
}

void trace_show_hex(struct trace *t, unsigned i)
{
    uint8_t kind = t->sc->kind[i];

    trace_put_x(t, kind == KIND_XINT || kind == KIND_XUINT ? (uint32_t)t->arg[i] : t->arg[i]);
}

void trace_show_uid(struct trace *t, unsigned i)
{
    if ((uint32_t)t->arg[i] == UINT32_MAX)
        trace_put(t, "-1");
    else
        trace_put_u(t, (uint32_t)t->arg[i]);
}

void trace_show_address(struct trace *t, unsigned i)
{
    trace_put_addr(t, t->arg[i]);
}

void trace_show_nothing(struct trace *t, unsigned i)
{
    (void)t;
    (void)i;
}

void trace_show_fd(struct trace *t, unsigned i)
{
    trace_put_fd(t, (int)t->arg[i]);
}

void trace_show_dirfd(struct trace *t, unsigned i)
{
    if ((int)t->arg[i] == AT_FDCWD)
        trace_put(t, "AT_FDCWD");
    else
        trace_put_fd(t, (int)t->arg[i]);
}

void trace_show_mode(struct trace *t, unsigned i)
{
    trace_put_mode(t, (uint32_t)t->arg[i]);
}

/* --- flags ------------------------------------------------------------------------------------------------------ */

void trace_show_flags(struct trace *t, unsigned i)
{
    trace_put_flags(t, trace_arg_table(t, i), (uint32_t)t->arg[i]);
}

void trace_show_enum(struct trace *t, unsigned i)
{
    trace_put_enum(t, trace_arg_table(t, i), (uint32_t)t->arg[i]);
}

void trace_put_open_flags(struct trace *t, uint32_t v)
{
    const char *access = trace_flag_name(&trace_flags_open_access, v & O_ACCMODE);

    trace_put(t, access);
    trace_put_more_flags(t, &trace_flags_open, v & ~(uint32_t)O_ACCMODE);
}

void trace_show_open_flags(struct trace *t, unsigned i)
{
    trace_put_open_flags(t, (uint32_t)t->arg[i]);
}

void trace_aux_open_flags(struct trace *t)
{
    trace_put(t, " (flags ");
    trace_put_open_flags(t, (uint32_t)t->ret);
    trace_put_char(t, ')');
}

/* The sizes of huge pages are a number among the flags. */
void trace_show_map_flags(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i], kind = v & MAP_TYPE;
    uint32_t huge = v >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    const char *name = trace_flag_name(&trace_flags_map, kind);

    if (name) {
        trace_put(t, name);
    } else {
        trace_put_x(t, kind);
        trace_put_comment(t, "MAP_???");
    }
    trace_put_more_flags(t, &trace_flags_map, v & ~(uint32_t)MAP_TYPE & ~(huge << MAP_HUGE_SHIFT));
    if (huge) {
        trace_put_char(t, '|');
        trace_put_u(t, huge);
        trace_put(t, "<<MAP_HUGE_SHIFT");
    }
}

/* --- strings and buffers ------------------------------------------------------------------------------------------ */

void trace_show_path(struct trace *t, unsigned i)
{
    trace_put_path(t, t->arg[i]);
}

void trace_show_string(struct trace *t, unsigned i)
{
    trace_put_string(t, t->arg[i], 0);
}

/* getcwd(2): the result counts the NUL. */
void trace_show_path_out(struct trace *t, unsigned i)
{
    if (failed(t))
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_path(t, t->arg[i]);
}

void trace_show_bytes_in(struct trace *t, unsigned i)
{
    trace_put_bytes(t, t->arg[i], t->arg[i + 1]);
}

void trace_show_xattr_value(struct trace *t, unsigned i)
{
    if (t->arg[i + 1] > 65536)
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_bytes(t, t->arg[i], t->arg[i + 1]);
}

/* Nothing that mount(2) looks at when it binds, moves or changes how a mount passes on. */
void trace_show_mount_data(struct trace *t, unsigned i)
{
    enum { IGNORED = 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000 };

    if (t->arg[i - 1] & IGNORED)
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_string(t, t->arg[i], 0);
}

void trace_show_bytes_out(struct trace *t, unsigned i)
{
    if (failed(t))
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_bytes(t, t->arg[i],
                        (uint64_t)t->ret < t->arg[i + 1] || !t->arg[i + 1] ? (uint64_t)t->ret
                                                                           : t->arg[i + 1]);
}

void trace_show_random_out(struct trace *t, unsigned i)
{
    const struct trace_options *before = t->options;
    struct trace_options hex = *before;

    hex.hex_strings = 2;
    t->options = &hex;
    trace_show_bytes_out(t, i);
    t->options = before;
}

/* With a size of 0 the call only tells how many bytes there are. */
void trace_show_list_out(struct trace *t, unsigned i)
{
    if (t->arg[i + 1])
        trace_show_bytes_out(t, i);
    else
        trace_put_addr(t, t->arg[i]);
}

static void put_iovec_element(struct trace *t, uint64_t addr, uint64_t *left)
{
    bool is_there, has_len;
    uint64_t base = trace_fetch_long(t, addr, &is_there);
    uint64_t len = trace_fetch_long(t, addr + long_size(t), &has_len);

    if (!is_there || !has_len) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '{');
    trace_field(t, "iov_base");
    if (failed(t))
        trace_put_addr(t, base);
    else
        trace_put_bytes(t, base, len < *left ? len : *left);
    *left -= len < *left ? len : *left;
    trace_field_u(t, "iov_len", len);
    trace_put_char(t, '}');
}

void trace_put_iovec(struct trace *t, uint64_t addr, uint64_t nr, uint64_t limit)
{
    uint64_t shown = t->options->is_verbose ? ~0UL : t->options->strings;
    uint8_t first;

    if (!addr || !nr) {
        trace_put(t, addr ? "[]" : "NULL");
        return;
    }
    if (t->read(t, addr, &first, 1) != 1) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '[');
    for (uint64_t i = 0; i < nr; i++) {
        if (i)
            trace_put(t, ", ");
        if (i >= shown || t->read(t, addr + i * 2 * long_size(t), &first, 1) != 1) {
            trace_put(t, "...");
            break;
        }
        put_iovec_element(t, addr + i * 2 * long_size(t), &limit);
    }
    trace_put_char(t, ']');
}

void trace_show_iovec_in(struct trace *t, unsigned i)
{
    trace_put_iovec(t, t->arg[i], (uint32_t)t->arg[i + 1], ~0UL);
}

void trace_show_iovec_out(struct trace *t, unsigned i)
{
    trace_put_iovec(t, t->arg[i], (uint32_t)t->arg[i + 1], failed(t) ? 0 : (uint64_t)t->ret);
}

void trace_show_strings(struct trace *t, unsigned i)
{
    trace_put_string_array(t, t->arg[i]);
}

void trace_show_environment(struct trace *t, unsigned i)
{
    uint64_t addr = t->arg[i];
    unsigned nr = 0;
    bool is_there;

    if (t->options->is_verbose) {
        trace_put_string_array(t, addr);
        return;
    }
    trace_put_addr(t, addr);
    while (addr && trace_fetch_long(t, addr, &is_there) && is_there) {
        addr += long_size(t);
        nr++;
    }
    if (!t->arg[i])
        return;
    trace_put(t, " /* ");
    trace_put_u(t, nr);
    trace_put(t, nr == 1 ? " var */" : " vars */");
}

/* --- numbers behind pointers --------------------------------------------------------------------------------------- */

static void put_boxed(struct trace *t, uint64_t addr, unsigned size, bool is_signed)
{
    uint64_t v = 0;

    if (!trace_fetch(t, addr, &v, size))
        return;
    trace_put_char(t, '[');
    if (is_signed && size == 4)
        trace_put_d(t, (int32_t)v);
    else if (is_signed)
        trace_put_d(t, (int64_t)v);
    else
        trace_put_u(t, v);
    trace_put_char(t, ']');
}

void trace_show_int_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], 4, true);
}

void trace_show_uint_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], 4, false);
}

void trace_show_len_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], long_size(t), false);
}

void trace_show_word_out(struct trace *t, unsigned i)
{
    uint64_t v = 0;

    if (!trace_fetch(t, t->arg[i], &v, long_size(t)))
        return;
    trace_put_char(t, '[');
    trace_put_addr(t, v);
    trace_put_char(t, ']');
}

void trace_show_offset_in(struct trace *t, unsigned i)
{
    bool is_long = t->sc == &syscalls[ROW_sendfile];

    put_boxed(t, t->arg[i], is_long ? long_size(t) : 8, t->sc->kind[i] != KIND_LOFFP);
}

static void put_id(struct trace *t, uint64_t addr)
{
    uint32_t id;

    if (!trace_fetch_quietly(t, addr, &id, sizeof(id)))
        return;
    if (id == UINT32_MAX)
        trace_put(t, "-1");
    else
        trace_put_u(t, id);
}

void trace_show_gids_in(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (uint32_t)t->arg[i - 1], 4, put_id);
}

void trace_show_gids_out(struct trace *t, unsigned i)
{
    if (!t->arg[i - 1])
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_array(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret, 4, put_id);
}

static void put_page_state(struct trace *t, uint64_t addr)
{
    uint8_t v;

    if (trace_fetch_quietly(t, addr, &v, 1))
        trace_put_u(t, v & 1);
}

void trace_show_mincore(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (t->arg[i - 1] + 4095) / 4096, 1, put_page_state);
}

static void put_cpuset(struct trace *t, uint64_t addr, uint64_t size)
{
    uint64_t word;
    bool is_any = false;

    if (failed(t) || !addr || !trace_fetch_quietly(t, addr, &word, size < 8 ? 1 : 8)) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '[');
    for (uint64_t at = 0; at + 8 <= size && at < 1024; at += 8) {
        if (!trace_fetch_quietly(t, addr + at, &word, 8))
            break;
        for (unsigned bit = 0; bit < 64; bit++) {
            if (!(word >> bit & 1))
                continue;
            if (is_any)
                trace_put_char(t, ' ');
            trace_put_u(t, at * 8 + bit);
            is_any = true;
        }
    }
    trace_put_char(t, ']');
}

void trace_show_cpuset_in(struct trace *t, unsigned i)
{
    put_cpuset(t, t->arg[i], t->arg[i - 1]);
}

void trace_show_cpuset_out(struct trace *t, unsigned i)
{
    put_cpuset(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret);
}
