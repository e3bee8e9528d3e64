/* Which calls and signals a trace is of: strace's expressions. */
#include "decode.h"

#define CLASS(id, name) static const uint16_t class_##id[] = {
#define IN(id)          ROW_##id,
#define END     \
    ROW_UNKNOWN \
    }           \
    ;
#include "classes.def"
#undef CLASS
#undef IN
#undef END

static const struct {
    const char *name;
    const uint16_t *rows;
} classes[] = {
#define CLASS(id, name) {name, class_##id},
#define IN(id)
#define END
#include "classes.def"
#undef CLASS
#undef IN
#undef END
};

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

static bool is_word(const char *word, size_t len, const char *s)
{
    for (size_t i = 0; i < len; i++)
        if (word[i] != s[i])
            return false;
    return !s[len];
}

static bool is_in_class(const uint16_t *rows, const char *name)
{
    for (; *rows != ROW_UNKNOWN; rows++)
        if (is_word(name, length(name), syscall_name(&syscalls[*rows])))
            return true;
    return false;
}

static bool takes(const struct syscall *sc, uint8_t kind, uint8_t other)
{
    for (unsigned i = 0; i < sc->argc; i++)
        if (sc->kind[i] == kind || sc->kind[i] == other)
            return true;
    return false;
}

static const uint16_t *class_rows(const char *word, size_t len)
{
    for (unsigned i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (is_word(word, len, classes[i].name))
            return classes[i].rows;
    return NULL;
}

/* A call's row may be there twice, for i386: both are meant. */
static bool add_class(uint8_t *rows, const char *word, size_t len)
{
    const uint16_t *listed = class_rows(word, len);

    if (!listed)
        return false;
    for (unsigned row = ROW_UNKNOWN + 1; row < syscall_nr_rows(); row++) {
        const struct syscall *sc = syscall_of_row(row);
        bool by_kind = (listed == class_file && takes(sc, KIND_PATH, KIND_PATHN)) ||
                       (listed == class_desc && takes(sc, KIND_FD, KIND_DIRFD) &&
                        !is_in_class(class_network, syscall_name(sc)));
        if (by_kind || is_in_class(listed, syscall_name(sc)))
            rows[row] = 1;
    }
    return true;
}

static bool add_name(uint8_t *rows, const char *word, size_t len)
{
    bool is_any = false;

    for (unsigned row = ROW_UNKNOWN + 1; row < syscall_nr_rows(); row++) {
        if (is_word(word, len, syscall_name(syscall_of_row(row)))) {
            rows[row] = 1;
            is_any = true;
        }
    }
    return is_any;
}

static bool add_number(uint8_t *rows, const char *word, size_t len)
{
    uint64_t nr = 0;

    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9' || nr > 100000)
            return false;
        nr = nr * 10 + (uint64_t)(word[i] - '0');
    }
    rows[syscall_find_row(ABI_X86_64, nr)] = 1;
    return true;
}

/* One word; behind a ? it may be unknown. */
static bool add_word(uint8_t *rows, const char *word, size_t len)
{
    bool may_be_unknown = len && *word == '?';
    bool is_known;

    if (may_be_unknown) {
        word++;
        len--;
    }
    if (len && *word == '%')
        is_known = add_class(rows, word + 1, len - 1);
    else if (is_word(word, len, "all"))
        is_known = true;
    else
        is_known = len && (add_number(rows, word, len) || add_name(rows, word, len) ||
                           (is_word(word, len, "file") || is_word(word, len, "desc") ||
                                    is_word(word, len, "memory") || is_word(word, len, "process") ||
                                    is_word(word, len, "signal") || is_word(word, len, "network") ||
                                    is_word(word, len, "ipc")
                                ? add_class(rows, word, len)
                                : false));
    if (is_word(word, len, "all"))
        for (unsigned row = 0; row < syscall_nr_rows(); row++)
            rows[row] = 1;
    return is_known || may_be_unknown;
}

static size_t word_length(const char *s)
{
    size_t n = 0;

    while (s[n] && s[n] != ',')
        n++;
    return n;
}

int trace_select(struct trace_set *set, const char *expr, const char **bad, size_t *bad_len)
{
    bool is_inverted = *expr == '!';

    __builtin_memset(set, 0, sizeof(*set));
    expr += is_inverted;
    if (!is_word(expr, length(expr), "none")) {
        for (;;) {
            size_t len = word_length(expr);
            if (!add_word(set->rows, expr, len)) {
                *bad = expr;
                *bad_len = len;
                return -1;
            }
            expr += len;
            if (!*expr++)
                break;
        }
    }
    for (unsigned row = 0; is_inverted && row < syscall_nr_rows(); row++)
        set->rows[row] = !set->rows[row];
    return 0;
}

/* --- signals ----------------------------------------------------------------------------------------------------------- */

static int signal_of(const char *word, size_t len)
{
    for (int sig = 1; sig <= 64; sig++) {
        const char *name = trace_signal_name(sig);
        if (is_word(word, len, name) || is_word(word, len, name + 3))
            return sig;
    }
    return 0;
}

int trace_select_signals(uint64_t *set, const char *expr, const char **bad, size_t *bad_len)
{
    bool is_inverted = *expr == '!';

    *set = 0;
    expr += is_inverted;
    for (;;) {
        size_t len = word_length(expr);
        int sig = signal_of(expr, len);
        if (is_word(expr, len, "all")) {
            *set = ~0UL;
        } else if (sig) {
            *set |= 1UL << (sig - 1);
        } else if (!is_word(expr, len, "none")) {
            *bad = expr;
            *bad_len = len;
            return -1;
        }
        expr += len;
        if (!*expr++)
            break;
    }
    if (is_inverted)
        *set = ~*set;
    return 0;
}
