/* Reading a .def of custom calls.
 *
 * Its rows are those of syscalls.def, but this reader is its own: a mistake gets a message that says what is wrong and where, which
 * the preprocessor's macros cannot. */
#include "customdef.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yolk/version.h>

#include "yolk.h"

/* --- the kernel's tables ----------------------------------------------------------------------------------------------- */

static struct kind_info kinds[NR_KINDS] = {
#define KIND(kind, ctype, h, when, show, names) \
    [KIND_##kind] = {.name = #kind, .type = #ctype, .how = KIND_HOW_##h},
#include "kinds.def"
#undef KIND
};

static const struct {
    enum row row;
    const char *why;
} unwrappable[] = {
#define USABLE(kind, needs_length)
#define UNWRAPPABLE(id, why) {ROW_##id, why},
#include "custom/usable.def"
#undef USABLE
#undef UNWRAPPABLE
};

const struct kind_info *kind_info(enum kind kind)
{
#define USABLE(k, needs)              \
    kinds[KIND_##k].is_usable = true; \
    kinds[KIND_##k].needs_length = needs;
#define UNWRAPPABLE(id, why)
#include "custom/usable.def"
#undef USABLE
#undef UNWRAPPABLE
    return &kinds[kind];
}

static const char *const results[] = {[RESULT_INT] = "INT",
                                      [RESULT_FD] = "FD",
                                      [RESULT_BYTES] = "BYTES",
                                      [RESULT_ADDR] = "ADDR",
                                      [RESULT_OFFSET] = "OFFSET"};
static const char *const supports[] = {
    [SUPPORT_NONE] = "NONE", [SUPPORT_PART] = "PART", [SUPPORT_FULL] = "FULL"};

const char *custom_result_name(enum result result)
{
    return results[result];
}

/* --- words ------------------------------------------------------------------------------------------------------------- */

enum { MAX_WORDS = 32 };

/* NAME(word, word, ...): the words as they stand, strings with their quotes. */
struct row_text {
    int line;
    char *macro, *word[MAX_WORDS];
    unsigned nr;
};

struct reader {
    struct custom_def *def;
    const char *at;
    int line;
};

__attribute__((format(printf, 3, 4))) static void complain(struct custom_def *def, int line,
                                                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s:%d: error: ", def->file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    def->nr_errors++;
}

static void skip_comment(struct reader *r)
{
    bool is_line = r->at[1] == '/';
    int begun = r->line;

    for (r->at += 2; *r->at; r->at++) {
        r->line += *r->at == '\n';
        if (is_line ? *r->at == '\n' : r->at[0] == '*' && r->at[1] == '/') {
            r->at += is_line ? 1 : 2;
            return;
        }
    }
    if (!is_line)
        complain(r->def, begun, "this comment has no end");
}

static void skip_blanks(struct reader *r)
{
    for (;;) {
        if (r->at[0] == '/' && (r->at[1] == '*' || r->at[1] == '/')) {
            skip_comment(r);
        } else if (isspace((unsigned char)*r->at)) {
            r->line += *r->at++ == '\n';
        } else {
            return;
        }
    }
}

/* A name, a number or a string; NULL: none is here. */
static char *read_word(struct reader *r)
{
    const char *begin = r->at;

    if (*r->at == '"') {
        for (r->at++; *r->at && *r->at != '"' && *r->at != '\n'; r->at++)
            r->at += *r->at == '\\' && r->at[1] && r->at[1] != '\n';
        if (*r->at != '"')
            return NULL;
        r->at++;
    } else {
        while (isalnum((unsigned char)*r->at) || *r->at == '_')
            r->at++;
    }
    return r->at == begin ? NULL : xasprintf("%.*s", (int)(r->at - begin), begin);
}

static bool read_words(struct reader *r, struct row_text *t)
{
    for (;;) {
        skip_blanks(r);
        if (t->nr == MAX_WORDS || !(t->word[t->nr] = read_word(r)))
            return false;
        t->nr++;
        skip_blanks(r);
        if (*r->at == ')') {
            r->at++;
            return true;
        }
        if (*r->at++ != ',')
            return false;
    }
}

/* The next row; false at the end, or where the text is none. */
static bool read_row(struct reader *r, struct row_text *t)
{
    *t = (struct row_text){0};
    skip_blanks(r);
    t->line = r->line;
    if (!*r->at)
        return false;
    if (*r->at == '#') {
        complain(r->def, r->line,
                 "a .def has rows and comments, and no lines for the preprocessor");
        return false;
    }
    t->macro = read_word(r);
    skip_blanks(r);
    if (!t->macro || *r->at++ != '(' || !read_words(r, t)) {
        complain(r->def, r->line, "this is no row: NAME(word, word, ...)");
        return false;
    }
    return true;
}

/* --- single words ---------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *s)
{
    return (isalpha((unsigned char)*s) || *s == '_') && *s != '"' && strlen(s) < 32;
}

static bool read_number(const char *word, unsigned *value)
{
    char *end;
    unsigned long n = strtoul(word, &end, 0);

    *value = (unsigned)n;
    return isdigit((unsigned char)*word) && !*end && n <= 1u << 30;
}

static int find_name(const char *const *names, size_t nr, const char *word)
{
    for (size_t i = 0; i < nr; i++)
        if (!strcmp(names[i], word))
            return (int)i;
    return -1;
}

/* --- SYSCALL, ONLY64, ONLY32 ------------------------------------------------------------------------------------------------- */

static bool check_number(struct custom_def *def, int line, const char *word, unsigned *nr)
{
    if (!read_number(word, nr)) {
        complain(def, line, "%s is no number of a call", word);
        return false;
    }
    if (*nr < CUSTOM_NR_FIRST)
        complain(def, line,
                 "number %s is below %#x: those are Linux's (WRAP(name) wraps one of its calls)",
                 word, CUSTOM_NR_FIRST);
    else if (*nr > CUSTOM_NR_LAST)
        complain(def, line, "number %s is above %#x", word, CUSTOM_NR_LAST);
    return *nr >= CUSTOM_NR_FIRST && *nr <= CUSTOM_NR_LAST;
}

static bool check_unique(struct custom_def *def, const struct custom_call *c)
{
    for (unsigned row = ROW_UNKNOWN + 1; row < NR_ROWS; row++) {
        if (!strcmp(syscall_name(&syscalls[row]), c->name)) {
            complain(def, c->line,
                     "Linux has a call %s: WRAP(%s) wraps it, another name makes a new one",
                     c->name, c->name);
            return false;
        }
    }
    for (const struct custom_call *o = def->calls; o < def->calls + def->nr_calls; o++) {
        if (!strcmp(o->id, c->id)) {
            complain(def, c->line, "there is a call %s already, in line %d", c->name, o->line);
            return false;
        }
        for (unsigned abi = 0; abi < NR_ABIS; abi++) {
            if (c->nr[abi] && o->nr[abi] == c->nr[abi]) {
                complain(def, c->line, "number %#x is %s's already, in line %d", c->nr[abi],
                         o->name, o->line);
                return false;
            }
        }
    }
    return true;
}

static bool read_kind(struct custom_def *def, int line, const char *word, enum kind *kind)
{
    for (unsigned k = 0; k < NR_KINDS; k++) {
        const struct kind_info *info = kind_info((enum kind)k);
        if (strcmp(info->name, word) != 0)
            continue;
        *kind = (enum kind)k;
        if (!info->is_usable)
            complain(def, line, "the kind %s is for single calls of Linux's", word);
        return info->is_usable;
    }
    complain(def, line, "there is no kind of argument %s", word);
    return false;
}

static bool read_args(struct custom_def *def, struct custom_call *c, char **word, unsigned nr)
{
    unsigned registers = 0;

    if (nr != 2 * c->argc) {
        complain(def, c->line,
                 "%s is said to have %u argument%s, and %u word%s follow%s: each is kind, name",
                 c->name, c->argc, c->argc == 1 ? "" : "s", nr, nr == 1 ? "" : "s",
                 nr == 1 ? "s" : "");
        return false;
    }
    for (unsigned i = 0; i < c->argc; i++) {
        if (!read_kind(def, c->line, word[2 * i], &c->arg[i].kind))
            return false;
        c->arg[i].name = word[2 * i + 1];
        if (!is_name(c->arg[i].name)) {
            complain(def, c->line, "%s is no name of an argument", c->arg[i].name);
            return false;
        }
        registers += kind_info(c->arg[i].kind)->how == KIND_HOW_PAIR ? 2 : 1;
        if (kind_info(c->arg[i].kind)->needs_length && i + 1 == c->argc) {
            complain(def, c->line, "behind %s %s there must be its length", word[2 * i],
                     c->arg[i].name);
            return false;
        }
    }
    if (c->nr[ABI_I386] && registers > SYSCALL_MAX_ARGS) {
        complain(def, c->line, "%s takes %u registers on i386, and there are %u", c->name,
                 registers, SYSCALL_MAX_ARGS);
        return false;
    }
    return true;
}

/* name, result, support, "missing", count, and the arguments. */
static bool read_columns(struct custom_def *def, struct custom_call *c, char **word, unsigned nr)
{
    if (nr < 5) {
        complain(def, c->line,
                 "a row is: numbers, name, result, support, \"what is missing\", count, kind, "
                 "name, ...");
        return false;
    }
    c->name = word[0];
    int result = find_name(results, sizeof results / sizeof *results, word[1]);
    int support = find_name(supports, sizeof supports / sizeof *supports, word[2]);
    c->missing = word[3];
    if (!is_name(c->name))
        complain(def, c->line, "%s is no name of a call", c->name);
    else if (result < 0)
        complain(def, c->line, "there is no kind of result %s: INT, FD, BYTES, ADDR or OFFSET",
                 word[1]);
    else if (support != SUPPORT_FULL && support != SUPPORT_PART)
        complain(def, c->line, "%s: a call of your own is FULL or PART", word[2]);
    else if (*c->missing != '"')
        complain(def, c->line, "what is missing of %s is a string in quotes", c->name);
    else if (!read_number(word[4], &c->argc) || c->argc > SYSCALL_MAX_ARGS)
        complain(def, c->line, "%s: a call has 0 to %u arguments", word[4], SYSCALL_MAX_ARGS);
    else {
        c->result = (enum result)result;
        c->missing = xasprintf("%.*s", (int)strlen(c->missing) - 2, c->missing + 1);
        c->support = (enum support)support;
        return read_args(def, c, word + 5, nr - 5);
    }
    return false;
}

static void add_call(struct custom_def *def, const struct row_text *t, bool has_64, bool has_32)
{
    struct custom_call c = {.line = t->line};
    unsigned n = 0;
    bool is_good = true;

    if (t->nr < 2u + has_64 + has_32) {
        complain(def, t->line,
                 "a row is: numbers, name, result, support, \"what is missing\", count, kind, "
                 "name, ...");
        return;
    }
    if (has_64)
        is_good &= check_number(def, t->line, t->word[n++], &c.nr[ABI_X86_64]);
    if (has_32 && is_good)
        is_good &= check_number(def, t->line, t->word[n++], &c.nr[ABI_I386]);
    if (!is_good || !read_columns(def, &c, (char **)t->word + n, t->nr - n))
        return;
    c.id = has_64 ? c.name : xasprintf("%s_32", c.name);
    if (!check_unique(def, &c))
        return;
    if (def->nr_calls == CUSTOM_ROWS_MAX) {
        complain(def, t->line, "there can be %u calls", CUSTOM_ROWS_MAX);
        return;
    }
    def->calls = xrealloc(def->calls, (def->nr_calls + 1) * sizeof c);
    def->calls[def->nr_calls++] = c;
}

/* --- WRAP, SDK -------------------------------------------------------------------------------------------------------------- */

static char *row_id(enum row row)
{
    const char *suffix = syscall_number(ABI_X86_64, row) < 0 ? "_32" : "";

    return xasprintf("%s%s", syscall_name(&syscalls[row]), suffix);
}

static void add_wrap(struct custom_def *def, const struct row_text *t)
{
    struct custom_wrap w = {.line = t->line, .id = t->word[0]};

    if (t->nr != 1) {
        complain(def, t->line, "it is WRAP(name)");
        return;
    }
    for (unsigned row = ROW_UNKNOWN + 1; row < NR_ROWS && !w.row; row++)
        if (!strcmp(row_id(row), w.id))
            w.row = (enum row)row;
    if (!w.row) {
        complain(def, t->line, "Linux has no call %s", w.id);
        return;
    }
    for (size_t i = 0; i < sizeof unwrappable / sizeof *unwrappable; i++) {
        if (unwrappable[i].row == w.row) {
            complain(def, t->line, "%s cannot be wrapped: %s", w.id, unwrappable[i].why);
            return;
        }
    }
    for (size_t i = 0; i < def->nr_wraps; i++) {
        if (def->wraps[i].row == w.row) {
            complain(def, t->line, "%s is wrapped already, in line %d", w.id, def->wraps[i].line);
            return;
        }
    }
    def->wraps = xrealloc(def->wraps, (def->nr_wraps + 1) * sizeof w);
    def->wraps[def->nr_wraps++] = w;
}

static void set_sdk(struct custom_def *def, const struct row_text *t)
{
    if (t->nr != 1 || !read_number(t->word[0], &def->sdk) || !def->sdk)
        complain(def, t->line, "it is SDK(version)");
    else if (def->sdk > YOLK_SDK_VERSION)
        complain(def, t->line, "this needs version %u of the SDK, and here is version %u", def->sdk,
                 YOLK_SDK_VERSION);
}

void custom_def_parse(struct custom_def *def, const char *file, const char *text)
{
    struct reader r = {.def = def, .at = text, .line = 1};
    struct row_text t;

    /* Never NULL, to which not even 0 may be added. */
    *def = (struct custom_def){.file = file,
                               .calls = xrealloc(NULL, sizeof(*def->calls)),
                               .wraps = xrealloc(NULL, sizeof(*def->wraps))};
    while (read_row(&r, &t)) {
        if (!strcmp(t.macro, "SYSCALL"))
            add_call(def, &t, true, true);
        else if (!strcmp(t.macro, "ONLY64"))
            add_call(def, &t, true, false);
        else if (!strcmp(t.macro, "ONLY32"))
            add_call(def, &t, false, true);
        else if (!strcmp(t.macro, "WRAP"))
            add_wrap(def, &t);
        else if (!strcmp(t.macro, "SDK"))
            set_sdk(def, &t);
        else
            complain(def, t.line, "there is no row %s: SYSCALL, ONLY64, ONLY32, WRAP or SDK",
                     t.macro);
    }
    if (!def->sdk && !def->nr_errors)
        complain(def, 1, "which version of the SDK?  SDK(%u) says it", YOLK_SDK_VERSION);
}

void custom_def_print(const struct custom_def *def, FILE *to)
{
    fprintf(to, "SDK(%u)\n", def->sdk);
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++) {
        if (c->nr[ABI_X86_64] && c->nr[ABI_I386])
            fprintf(to, "SYSCALL(%#x, %#x, ", c->nr[ABI_X86_64], c->nr[ABI_I386]);
        else
            fprintf(to, c->nr[ABI_X86_64] ? "ONLY64(%#x, " : "ONLY32(%#x, ",
                    c->nr[ABI_X86_64] + c->nr[ABI_I386]);
        fprintf(to, "%s, %s, %s, \"%s\", %u", c->name, results[c->result], supports[c->support],
                c->missing, c->argc);
        for (unsigned i = 0; i < c->argc; i++)
            fprintf(to, ", %s, %s", kind_info(c->arg[i].kind)->name, c->arg[i].name);
        fputs(")\n", to);
    }
    for (size_t i = 0; i < def->nr_wraps; i++)
        fprintf(to, "WRAP(%s)\n", def->wraps[i].id);
}
