/* Names of flags and of the values of enumerations: flags.def as tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flag {
    uint64_t value;
    const char *name;
};

struct flag_table {
    const struct flag *flags;
    unsigned nr;
    const char *unknown; /* stands in a comment behind a value without a name */
};

#define FLAGS(id, unknown) extern const struct flag_table trace_flags_##id;
#define NAME(name)
#define VALUE(value, name)
#define END
#include "flags_all.h"

struct trace;
/* Names joined by |; what is left as a number. */
void trace_put_flags(struct trace *t, const struct flag_table *f, uint64_t v);
/* One name. */
void trace_put_enum(struct trace *t, const struct flag_table *f, uint64_t v);
/* The names alone, for what is put together by hand: true when there was any; *rest is what has none. */
bool trace_put_flag_names(struct trace *t, const struct flag_table *f, uint64_t v, uint64_t *rest);
/* The same behind something: each with a | in front. */
void trace_put_more_flags(struct trace *t, const struct flag_table *f, uint64_t v);
const char *trace_flag_name(const struct flag_table *f, uint64_t v); /* NULL: none */
