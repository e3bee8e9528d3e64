/* The decoder's printing as the kernel has it, where a record is made and no line (trace.h): nothing, so that neither
 * the names of flags nor the words between them need a place in the image.  trace/out.c and trace/flags.c are the host's. */
#include "trace/decode.h"

void trace_put(struct trace *t, const char *s)
{
}

void trace_put_char(struct trace *t, char c)
{
}

void trace_put_d(struct trace *t, int64_t v)
{
}

void trace_put_u(struct trace *t, uint64_t v)
{
}

void trace_put_u_width(struct trace *t, uint64_t v, unsigned digits)
{
}

void trace_put_x(struct trace *t, uint64_t v)
{
}

void trace_put_hex_width(struct trace *t, uint64_t v, unsigned digits)
{
}

void trace_put_o(struct trace *t, uint64_t v)
{
}

void trace_put_addr(struct trace *t, uint64_t v)
{
}

void trace_put_mode(struct trace *t, uint32_t v)
{
}

void trace_put_comment(struct trace *t, const char *s)
{
}

void trace_put_quoted(struct trace *t, const uint8_t *bytes, size_t n, bool is_short)
{
}

static const struct flag_table no_names = {0};
#define FLAGS(id, unknown) \
    extern const struct flag_table trace_flags_##id __attribute__((alias("no_names")));
#define NAME(name)
#define VALUE(value, name)
#define END
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include "trace/flags_all.h"
#pragma GCC diagnostic pop

const char *trace_flag_name(const struct flag_table *f, uint64_t v)
{
    return NULL;
}

void trace_put_enum(struct trace *t, const struct flag_table *f, uint64_t v)
{
}

bool trace_put_flag_names(struct trace *t, const struct flag_table *f, uint64_t v, uint64_t *rest)
{
    *rest = v;
    return false;
}

void trace_put_more_flags(struct trace *t, const struct flag_table *f, uint64_t v)
{
}

void trace_put_flags(struct trace *t, const struct flag_table *f, uint64_t v)
{
}

const char *trace_errno_name(int error)
{
    return NULL;
}

const char *trace_errno_text(int error)
{
    return NULL;
}
