/* What only i386 has: segments, ids of 16 bits, numbers in two registers. */
#include <asm/ldt.h>

#include "decode.h"

/* --- segments ---------------------------------------------------------------------------------------------------------- */

void trace_put_user_desc(struct trace *t, uint64_t addr)
{
    struct user_desc d;

    if (!trace_fetch(t, addr, &d, sizeof(d)))
        return;
    trace_put_char(t, '{');
    trace_field_d(t, "entry_number", (int32_t)d.entry_number);
    trace_field(t, "base_addr");
    trace_put_hex_width(t, d.base_addr, 6);
    trace_field(t, "limit");
    trace_put_hex_width(t, d.limit, 6);
    trace_field_u(t, "seg_32bit", d.seg_32bit);
    trace_field_u(t, "contents", d.contents);
    trace_field_u(t, "read_exec_only", d.read_exec_only);
    trace_field_u(t, "limit_in_pages", d.limit_in_pages);
    trace_field_u(t, "seg_not_present", d.seg_not_present);
    trace_field_u(t, "useable", d.useable);
    trace_put_char(t, '}');
}

void trace_show_user_desc(struct trace *t, unsigned i)
{
    int32_t entry;

    if (failed(t) &&
        trace_fetch_quietly(t, t->arg[i], &entry, sizeof(entry))) { /* what was asked for */
        trace_put(t, "{entry_number=");
        trace_put_d(t, entry);
        trace_put(t, ", ...}");
        return;
    }
    trace_put_user_desc(t, t->arg[i]);
}

/* Which entry it became. */
void trace_aux_entry(struct trace *t)
{
    uint32_t entry;

    if (!trace_fetch_quietly(t, t->arg[0], &entry, sizeof(entry)))
        return;
    trace_put(t, " (entry_number=");
    trace_put_u(t, entry);
    trace_put_char(t, ')');
}

/* --- numbers -------------------------------------------------------------------------------------------------------------- */

static void put_uid16(struct trace *t, uint16_t id)
{
    if (id == UINT16_MAX)
        trace_put(t, "-1");
    else
        trace_put_u(t, id);
}

void trace_show_uid16(struct trace *t, unsigned i)
{
    put_uid16(t, (uint16_t)t->arg[i]);
}

void trace_show_uid16_out(struct trace *t, unsigned i)
{
    uint16_t id;

    if (!trace_fetch(t, t->arg[i], &id, sizeof(id)))
        return;
    trace_put_char(t, '[');
    trace_put_u(t, id);
    trace_put_char(t, ']');
}

static void put_gid16(struct trace *t, uint64_t addr)
{
    uint16_t id;

    if (trace_fetch_quietly(t, addr, &id, sizeof(id)))
        put_uid16(t, id);
}

void trace_show_gids16_in(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (uint32_t)t->arg[i - 1], 2, put_gid16);
}

void trace_show_gids16_out(struct trace *t, unsigned i)
{
    if (!t->arg[i - 1])
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_array(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret, 2, put_gid16);
}

void trace_show_wide_offset(struct trace *t, unsigned i)
{
    trace_put_d(t, (int64_t)(t->arg[i] << 32 | (uint32_t)t->arg[i + 1]));
}

void trace_show_offset_out(struct trace *t, unsigned i)
{
    uint64_t v;

    if (!trace_fetch(t, t->arg[i], &v, sizeof(v)))
        return;
    trace_put_char(t, '[');
    trace_put_u(t, v);
    trace_put_char(t, ']');
}

void trace_show_page_offset(struct trace *t, unsigned i)
{
    trace_put_x(t, t->arg[i] << 12);
}

void trace_show_socketcall(struct trace *t, unsigned i)
{
    const char *name = trace_flag_name(trace_arg_table(t, i), t->arg[i]);

    if (name)
        trace_put(t, name);
    else
        trace_put_d(t, (int32_t)t->arg[i]);
}
