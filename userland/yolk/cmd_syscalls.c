/* yolk syscalls: the support matrix, printed from the kernel's own table, which is linked into this
 * command. */
#include <syscalls/syscall.h>

#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "customdef.h"
#include "yolk.h"

static const char doc[] = "List Linux's system calls, or those whose names contain NAME: the "
                          "x86-64 number, the i386 number, how well each "
                          "is supported (full, part, none), its arguments, and what is missing "
                          "where it is supported in part.  With --kernel also the calls that are "
                          "that kernel's own, and which of Linux's it wraps.";

struct syscalls_options {
    bool missing, json, markdown;
    const char *name, *kernel;
};

enum { MAX_ROWS = NR_ROWS + CUSTOM_ROWS_MAX };

static const struct argp_option option_table[] = {
    {"missing", 'm', 0, 0, "only what is missing, in whole or in part", 0},
    {"json", 'j', 0, 0, "print one JSON array", 0},
    {"markdown", 'd', 0, 0, "print a Markdown page (docs/SYSCALLS.md)", 0},
    {"kernel", 'k', "FILE", 0, "of a kernel that `yolk build` made", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct syscalls_options *o = state->input;

    switch (key) {
    case 'm':
        o->missing = true;
        break;
    case 'j':
        o->json = true;
        break;
    case 'd':
        o->markdown = true;
        break;
    case 'k':
        o->kernel = arg;
        break;
    case ARGP_KEY_ARG:
        if (o->name)
            argp_error(state, "one NAME at a time");
        o->name = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char *support_name(const struct syscall *sc)
{
    static const char *const names[] = {
        [SUPPORT_NONE] = "none", [SUPPORT_PART] = "part", [SUPPORT_FULL] = "full"};

    return names[sc->support];
}

/* Of a call whose arguments nobody has written down (table.h: GAP_WORDS) none are told. */
static unsigned nr_args(unsigned row)
{
    unsigned n = syscall_of_row(row)->argc;

    return n && row < NR_ROWS && !strcmp(syscall_texts[row].arg[0], "arg1") ? 0 : n;
}

static const char *arg_name(unsigned row, unsigned i)
{
    return row < NR_ROWS ? syscall_texts[row].arg[i] : custom_call_of_row(row)->arg[i].name;
}

static int number_of(enum abi abi, unsigned row)
{
    if (row < NR_ROWS)
        return syscall_number(abi, (enum row)row);
    unsigned nr = custom_call_of_row(row)->nr[abi];
    return nr ? (int)nr : -1;
}

/* What is missing, or what makes the row special. */
static const char *remark(unsigned row)
{
    if (row >= NR_ROWS)
        return custom_call_of_row(row)->missing;
    return syscall_texts[row].missing;
}

static const char *origin(unsigned row)
{
    return row >= NR_ROWS ? "custom" : custom_row_is_wrapped(row) ? "wrapped" : "";
}

static void print_number(int number)
{
    if (number < 0)
        printf("   - ");
    else
        printf(number < CUSTOM_NR_FIRST ? "%4d " : "%#6x ", (unsigned)number);
}

static void print_row(unsigned row)
{
    const struct syscall *sc = syscall_of_row(row);

    print_number(number_of(ABI_X86_64, row));
    print_number(number_of(ABI_I386, row));
    printf(" %-4s  %s(", support_name(sc), syscall_name(sc));
    for (unsigned i = 0; i < nr_args(row); i++)
        printf("%s%s", i ? ", " : "", arg_name(row, i));
    printf(")%s%s", *remark(row) ? "  missing: " : "", remark(row));
    printf(*origin(row) ? "  [%s]\n" : "\n", origin(row));
}

static void add_number(json_t *object, const char *key, int number)
{
    if (number >= 0)
        json_object_set_new(object, key, json_integer(number));
}

static json_t *row_to_json(unsigned row)
{
    const struct syscall *sc = syscall_of_row(row);
    json_t *object = json_object(), *args = json_array();

    json_object_set_new(object, "name", json_string(syscall_name(sc)));
    add_number(object, "x86_64", number_of(ABI_X86_64, row));
    add_number(object, "i386", number_of(ABI_I386, row));
    json_object_set_new(object, "support", json_string(support_name(sc)));
    if (*remark(row))
        json_object_set_new(object, "missing", json_string(remark(row)));
    if (*origin(row))
        json_object_set_new(object, origin(row), json_true());
    for (unsigned i = 0; i < nr_args(row); i++)
        json_array_append_new(args, json_string(arg_name(row, i)));
    json_object_set_new(object, "arguments", args);
    return object;
}

static bool is_wanted(const struct syscalls_options *o, const struct syscall *sc)
{
    return !(o->missing && sc->support == SUPPORT_FULL) &&
           !(o->name && !strstr(syscall_name(sc), o->name));
}

/* Linux's rows once: those that x86-64 has in the order of its numbers, then i386's own; then the custom ones. */
static size_t list_rows(const struct syscalls_options *o, unsigned rows[MAX_ROWS])
{
    size_t n = 0;

    for (enum abi abi = ABI_X86_64; abi < NR_ABIS; abi++) {
        for (unsigned nr = 0; nr < SYSCALL_NUMBERS; nr++) {
            enum row row = syscall_row(abi, nr);
            if (row == ROW_UNKNOWN || !is_wanted(o, &syscalls[row]))
                continue;
            if (abi == ABI_I386 && syscall_number(ABI_X86_64, row) >= 0)
                continue;
            if (syscall_number(abi, row) == (int)nr)
                rows[n++] = row;
        }
    }
    for (unsigned row = NR_ROWS; row < syscall_nr_rows(); row++)
        if (is_wanted(o, syscall_of_row(row)))
            rows[n++] = row;
    return n;
}

static void print_summary(const unsigned *rows, size_t n, enum abi abi)
{
    static const char *const names[] = {[ABI_X86_64] = "x86-64", [ABI_I386] = "i386"};
    unsigned count[SUPPORT_FULL + 1] = {0};

    for (size_t i = 0; i < n; i++)
        if (number_of(abi, rows[i]) >= 0)
            count[syscall_of_row(rows[i])->support]++;
    printf("%s: %u full, %u in part, %u missing\n", names[abi], count[SUPPORT_FULL],
           count[SUPPORT_PART], count[SUPPORT_NONE]);
}

static void print_list(const unsigned *rows, size_t n)
{
    printf(" x86 i386\n");
    for (size_t i = 0; i < n; i++)
        print_row(rows[i]);
    print_summary(rows, n, ABI_X86_64);
}

static void print_json(const unsigned *rows, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, row_to_json(rows[i]));
    json_dumpf(array, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(array);
}

static void print_cell(enum abi abi, unsigned row)
{
    int number = number_of(abi, row);

    if (number < 0)
        printf("| ");
    else
        printf(number < CUSTOM_NR_FIRST ? "| %d " : "| %#x ", (unsigned)number);
}

static void print_markdown(const unsigned *rows, size_t n)
{
    printf("# System calls\n\n"
           "Made by `yolk syscalls --markdown` from `syscalls/syscalls.def`, the table that the "
           "kernel "
           "dispatches by: edit that, not this page.\n"
           "The numbers are those of each ABI; none: the ABI has no such call. Support is *full*, "
           "*part* "
           "(the last column says what is\nmissing) or *none* (the call answers ENOSYS).\n\n");
    for (enum abi abi = ABI_X86_64; abi < NR_ABIS; abi++) {
        printf("- ");
        print_summary(rows, n, abi);
    }
    printf("\n| x86-64 | i386 | call | support | missing |\n|---:|---:|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const struct syscall *sc = syscall_of_row(rows[i]);
        print_cell(ABI_X86_64, rows[i]);
        print_cell(ABI_I386, rows[i]);
        printf("| `%s(", syscall_name(sc));
        for (unsigned a = 0; a < nr_args(rows[i]); a++)
            printf("%s%s", a ? ", " : "", arg_name(rows[i], a));
        printf(")` | %s | %s%s%s |\n", support_name(sc), remark(rows[i]),
               *remark(rows[i]) && *origin(rows[i]) ? "; " : "", origin(rows[i]));
    }
}

int command_syscalls(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "[NAME]", doc, 0, 0, 0};
    struct syscalls_options options = {0};
    unsigned rows[MAX_ROWS];

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.kernel)
        custom_rows_load(options.kernel);
    size_t n = list_rows(&options, rows);
    if (options.json)
        print_json(rows, n);
    else if (options.markdown)
        print_markdown(rows, n);
    else
        print_list(rows, n);
    return n || options.json ? 0 : 1;
}
