/* A call's line: its name, its arguments as their kinds say, its result. */
#include "decode.h"

/* Of each kind, in tables of their own: a pointer beside a byte would take as much as two pointers, and the kernel
 * has no use for the names. */
static show_fn *const show_of[NR_KINDS] = {
#define KIND(name, type, how, when, show, names) [KIND_##name] = trace_show_##show,
#include "kinds.def"
#undef KIND
};

static const struct flag_table trace_flags_none = {0};
static const struct flag_table *const names_of[NR_KINDS] = {
#define KIND(name, type, how, when, show, names) [KIND_##name] = &trace_flags_##names,
#include "kinds.def"
#undef KIND
};

#define WHEN_OF_ENTRY  WHEN_ENTRY
#define WHEN_OF_EXIT   WHEN_EXIT
#define WHEN_OF_BY_CMD WHEN_BY_CMD
static const uint8_t when_of[NR_KINDS] = {
#define KIND(name, type, how, when, show, names) [KIND_##name] = WHEN_OF_##when,
#include "kinds.def"
#undef KIND
};

const struct flag_table *trace_arg_table(const struct trace *t, unsigned i)
{
    return names_of[t->sc->kind[i]];
}

/* Arguments that are shown twice, as they were and as they became, hold back what follows. */
static bool is_behind_change(const struct trace *t, unsigned i)
{
    uint8_t before = i ? t->sc->kind[i - 1] : KIND_INT;

    return (before == KIND_LOFFP && t->arg[i - 1]) || before == KIND_CLONEARGS;
}

static bool is_late(const struct trace *t, unsigned i)
{
    uint8_t when = when_of[t->sc->kind[i]];

    if (is_behind_change(t, i))
        return true;
    return when == WHEN_EXIT || (when == WHEN_BY_CMD && trace_arg_is_late(t, i));
}

static void show_args(struct trace *t)
{
    for (; t->next < t->sc->argc; t->next++) {
        uint8_t kind = t->sc->kind[t->next];
        if (show_of[kind] == trace_show_nothing ||
            (when_of[kind] == WHEN_BY_CMD && trace_arg_is_absent(t, t->next)))
            continue;
        if (!t->is_exit && is_late(t, t->next)) {
            t->has_comma = t->shown && !is_behind_change(t, t->next);
            if (t->has_comma) /* the comma is strace's, too: what is unfinished ends in one */
                trace_put(t, ", ");
            return;
        }
        if (t->shown && !t->has_comma)
            trace_put(t, ", ");
        t->has_comma = false;
        show_of[kind](t, t->next);
        t->shown++;
    }
}

/* Of a call that nobody knows. */
static void put_all_words(struct trace *t)
{
    for (unsigned i = 0; i < SYSCALL_MAX_ARGS; i++) {
        if (i)
            trace_put(t, ", ");
        trace_put_x(t, t->arg[i]);
    }
}

void trace_enter(struct trace *t)
{
    t->is_exit = false;
    t->next = t->shown = 0;
    t->has_comma = false;
    t->aux = NULL;
    t->result_base = 10;
    t->is_indirect = false;
    t->result_at = 0;
    trace_unfold(t);
    if (t->sc == &syscalls[ROW_UNKNOWN]) {
        trace_put(t, "syscall_");
        trace_put_x(t, t->nr);
    } else {
        trace_put(t, syscall_name(t->sc));
    }
    trace_put_char(t, '(');
    trace_enter_row(t);
    show_args(t);
    if (t->sc == &syscalls[ROW_UNKNOWN])
        put_all_words(t);
}

void trace_leave_args(struct trace *t)
{
    t->is_exit = true;
    trace_leave_row(t);
    show_args(t);
    trace_put_char(t, ')');
}

/* --- the result ------------------------------------------------------------------------------------------------ */

static void put_error(struct trace *t, int error)
{
    const char *name = trace_errno_name(error);

    trace_put(t, error >= 512 && name ? "? " : "-1 ");
    if (name) {
        trace_put(t, name);
        trace_put(t, " (");
        trace_put(t, trace_errno_text(error));
        trace_put_char(t, ')');
    } else {
        trace_put(t, "(errno ");
        trace_put_d(t, error);
        trace_put_char(t, ')');
    }
}

void trace_result(struct trace *t)
{
    if (t->ret < 0 && t->ret >= -4095) {
        put_error(t, (int)-t->ret);
        return;
    }
    if (t->sc->result == RESULT_ADDR || t->result_base == 16)
        trace_put_x(t, (uint64_t)t->ret);
    else if (t->result_base == 8)
        trace_put_mode(t, (uint32_t)t->ret);
    else if (t->sc->result == RESULT_FD)
        trace_put_fd(t, (int)t->ret);
    else
        trace_put_d(t, t->ret);
    if (t->aux)
        t->aux(t);
}
