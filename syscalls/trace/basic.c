/* Numbers, flags, strings, buffers: kinds that many calls share. */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "decode.h"

void show_signed(struct trace *t, unsigned i)
{
    const uint64_t v = t->arg[i];
    bool is_int = t->sc->kind[i] == KIND_INT || t->sc->kind[i] == KIND_MEMBARRC;

    put_d(t, is_int ? (int32_t)v : (int64_t)v);
}

void show_unsigned(struct trace *t, unsigned i)
{
    put_u(t, t->sc->kind[i] == KIND_UINT ? (uint32_t)t->arg[i] : t->arg[i]);
}

void show_hex(struct trace *t, unsigned i)
{
    uint8_t kind = t->sc->kind[i];

    put_x(t, kind == KIND_XINT || kind == KIND_XUINT ? (uint32_t)t->arg[i] : t->arg[i]);
}

void show_uid(struct trace *t, unsigned i)
{
    if ((uint32_t)t->arg[i] == UINT32_MAX)
        put(t, "-1");
    else
        put_u(t, (uint32_t)t->arg[i]);
}

void show_address(struct trace *t, unsigned i)
{
    put_addr(t, t->arg[i]);
}

void show_nothing(struct trace *t, unsigned i)
{
    (void)t;
    (void)i;
}

void show_fd(struct trace *t, unsigned i)
{
    put_fd(t, (int)t->arg[i]);
}

void show_dirfd(struct trace *t, unsigned i)
{
    if ((int)t->arg[i] == AT_FDCWD)
        put(t, "AT_FDCWD");
    else
        put_fd(t, (int)t->arg[i]);
}

void show_mode(struct trace *t, unsigned i)
{
    put_mode(t, (uint32_t)t->arg[i]);
}

/* --- flags ------------------------------------------------------------------------------------------------------ */

void show_flags(struct trace *t, unsigned i)
{
    put_flags(t, arg_table(t, i), (uint32_t)t->arg[i]);
}

void show_enum(struct trace *t, unsigned i)
{
    put_enum(t, arg_table(t, i), (uint32_t)t->arg[i]);
}

void put_open_flags(struct trace *t, uint32_t v)
{
    const char *access = flag_name(&flags_open_access, v & O_ACCMODE);

    put(t, access);
    put_more_flags(t, &flags_open, v & ~(uint32_t)O_ACCMODE);
}

void show_open_flags(struct trace *t, unsigned i)
{
    put_open_flags(t, (uint32_t)t->arg[i]);
}

void aux_open_flags(struct trace *t)
{
    put(t, " (flags ");
    put_open_flags(t, (uint32_t)t->ret);
    put_char(t, ')');
}

/* The sizes of huge pages are a number among the flags. */
void show_map_flags(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i], kind = v & MAP_TYPE;
    uint32_t huge = v >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    const char *name = flag_name(&flags_map, kind);

    if (name) {
        put(t, name);
    } else {
        put_x(t, kind);
        put_comment(t, "MAP_???");
    }
    put_more_flags(t, &flags_map, v & ~(uint32_t)MAP_TYPE & ~(huge << MAP_HUGE_SHIFT));
    if (huge) {
        put_char(t, '|');
        put_u(t, huge);
        put(t, "<<MAP_HUGE_SHIFT");
    }
}

/* --- strings and buffers ------------------------------------------------------------------------------------------ */

void show_path(struct trace *t, unsigned i)
{
    put_path(t, t->arg[i]);
}

void show_string(struct trace *t, unsigned i)
{
    put_string(t, t->arg[i], 0);
}

/* getcwd(2): the result counts the NUL. */
void show_path_out(struct trace *t, unsigned i)
{
    if (failed(t))
        put_addr(t, t->arg[i]);
    else
        put_path(t, t->arg[i]);
}

void show_bytes_in(struct trace *t, unsigned i)
{
    put_bytes(t, t->arg[i], t->arg[i + 1]);
}

void show_xattr_value(struct trace *t, unsigned i)
{
    if (t->arg[i + 1] > 65536)
        put_addr(t, t->arg[i]);
    else
        put_bytes(t, t->arg[i], t->arg[i + 1]);
}

/* Nothing that mount(2) looks at when it binds, moves or changes how a mount passes on. */
void show_mount_data(struct trace *t, unsigned i)
{
    enum { IGNORED = 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000 };

    if (t->arg[i - 1] & IGNORED)
        put_addr(t, t->arg[i]);
    else
        put_string(t, t->arg[i], 0);
}

void show_bytes_out(struct trace *t, unsigned i)
{
    if (failed(t))
        put_addr(t, t->arg[i]);
    else
        put_bytes(t, t->arg[i],
                  (uint64_t)t->ret < t->arg[i + 1] || !t->arg[i + 1] ? (uint64_t)t->ret
                                                                     : t->arg[i + 1]);
}

void show_random_out(struct trace *t, unsigned i)
{
    const struct trace_options *before = t->options;
    struct trace_options hex = *before;

    hex.hex_strings = 2;
    t->options = &hex;
    show_bytes_out(t, i);
    t->options = before;
}

/* With a size of 0 the call only tells how many bytes there are. */
void show_list_out(struct trace *t, unsigned i)
{
    if (t->arg[i + 1])
        show_bytes_out(t, i);
    else
        put_addr(t, t->arg[i]);
}

static void put_iovec_element(struct trace *t, uint64_t addr, uint64_t *left)
{
    bool is_there, has_len;
    uint64_t base = fetch_long(t, addr, &is_there);
    uint64_t len = fetch_long(t, addr + long_size(t), &has_len);

    if (!is_there || !has_len) {
        put_addr(t, addr);
        return;
    }
    put_char(t, '{');
    field(t, "iov_base");
    if (failed(t))
        put_addr(t, base);
    else
        put_bytes(t, base, len < *left ? len : *left);
    *left -= len < *left ? len : *left;
    field_u(t, "iov_len", len);
    put_char(t, '}');
}

void put_iovec(struct trace *t, uint64_t addr, uint64_t nr, uint64_t limit)
{
    uint64_t shown = t->options->is_verbose ? ~0UL : t->options->strings;
    uint8_t first;

    if (!addr || !nr) {
        put(t, addr ? "[]" : "NULL");
        return;
    }
    if (t->read(t, addr, &first, 1) != 1) {
        put_addr(t, addr);
        return;
    }
    put_char(t, '[');
    for (uint64_t i = 0; i < nr; i++) {
        if (i)
            put(t, ", ");
        if (i >= shown || t->read(t, addr + i * 2 * long_size(t), &first, 1) != 1) {
            put(t, "...");
            break;
        }
        put_iovec_element(t, addr + i * 2 * long_size(t), &limit);
    }
    put_char(t, ']');
}

void show_iovec_in(struct trace *t, unsigned i)
{
    put_iovec(t, t->arg[i], (uint32_t)t->arg[i + 1], ~0UL);
}

void show_iovec_out(struct trace *t, unsigned i)
{
    put_iovec(t, t->arg[i], (uint32_t)t->arg[i + 1], failed(t) ? 0 : (uint64_t)t->ret);
}

void show_strings(struct trace *t, unsigned i)
{
    put_string_array(t, t->arg[i]);
}

void show_environment(struct trace *t, unsigned i)
{
    uint64_t addr = t->arg[i];
    unsigned nr = 0;
    bool is_there;

    if (t->options->is_verbose) {
        put_string_array(t, addr);
        return;
    }
    put_addr(t, addr);
    while (addr && fetch_long(t, addr, &is_there) && is_there) {
        addr += long_size(t);
        nr++;
    }
    if (!t->arg[i])
        return;
    put(t, " /* ");
    put_u(t, nr);
    put(t, nr == 1 ? " var */" : " vars */");
}

/* --- numbers behind pointers --------------------------------------------------------------------------------------- */

static void put_boxed(struct trace *t, uint64_t addr, unsigned size, bool is_signed)
{
    uint64_t v = 0;

    if (!fetch(t, addr, &v, size))
        return;
    put_char(t, '[');
    if (is_signed && size == 4)
        put_d(t, (int32_t)v);
    else if (is_signed)
        put_d(t, (int64_t)v);
    else
        put_u(t, v);
    put_char(t, ']');
}

void show_int_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], 4, true);
}

void show_uint_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], 4, false);
}

void show_len_out(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], long_size(t), false);
}

void show_word_out(struct trace *t, unsigned i)
{
    uint64_t v = 0;

    if (!fetch(t, t->arg[i], &v, long_size(t)))
        return;
    put_char(t, '[');
    put_addr(t, v);
    put_char(t, ']');
}

void show_offset_in(struct trace *t, unsigned i)
{
    put_boxed(t, t->arg[i], 8, t->sc->kind[i] != KIND_LOFFP);
}

static void put_id(struct trace *t, uint64_t addr)
{
    uint32_t id;

    if (fetch_quietly(t, addr, &id, sizeof(id)))
        put_u(t, id);
}

void show_gids_in(struct trace *t, unsigned i)
{
    put_array(t, t->arg[i], (uint32_t)t->arg[i - 1], 4, put_id);
}

void show_gids_out(struct trace *t, unsigned i)
{
    if (!t->arg[i - 1])
        put_addr(t, t->arg[i]);
    else
        put_array(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret, 4, put_id);
}

static void put_page_state(struct trace *t, uint64_t addr)
{
    uint8_t v;

    if (fetch_quietly(t, addr, &v, 1))
        put_u(t, v & 1);
}

void show_mincore(struct trace *t, unsigned i)
{
    put_array(t, t->arg[i], (t->arg[i - 1] + 4095) / 4096, 1, put_page_state);
}

static void put_cpuset(struct trace *t, uint64_t addr, uint64_t size)
{
    uint64_t word;
    bool is_any = false;

    if (failed(t) || !addr || !fetch_quietly(t, addr, &word, size < 8 ? 1 : 8)) {
        put_addr(t, addr);
        return;
    }
    put_char(t, '[');
    for (uint64_t at = 0; at + 8 <= size && at < 1024; at += 8) {
        if (!fetch_quietly(t, addr + at, &word, 8))
            break;
        for (unsigned bit = 0; bit < 64; bit++) {
            if (!(word >> bit & 1))
                continue;
            if (is_any)
                put_char(t, ' ');
            put_u(t, at * 8 + bit);
            is_any = true;
        }
    }
    put_char(t, ']');
}

void show_cpuset_in(struct trace *t, unsigned i)
{
    put_cpuset(t, t->arg[i], t->arg[i - 1]);
}

void show_cpuset_out(struct trace *t, unsigned i)
{
    put_cpuset(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret);
}
