/* What is compiled and linked with the handlers of custom calls: their prototypes, the kernel's table of them, and the note.
 *
 * Each declaration says with #line which row it comes from, so that a body that disagrees is told of its row. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "customdef.h"
#include "yolk.h"

static FILE *open_output(const char *path)
{
    FILE *f = fopen(path, "we");

    if (!f)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    return f;
}

static void close_output(FILE *f, const char *path)
{
    bool is_bad = ferror(f);

    if (fclose(f) || is_bad)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

static void print_line(const struct custom_def *def, int line, FILE *to)
{
    fprintf(to, "#line %d \"", line);
    for (const char *c = def->file; *c; c++)
        fprintf(to, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    fputs("\"\n", to);
}

static const char *wrap_arg_name(const struct custom_wrap *w, unsigned i)
{
    return syscall_texts[w->row].arg[i];
}

/* "(int fd, struct uptr buf)" of a call, or of the call that is wrapped. */
static void print_parameters(const struct custom_call *c, const struct custom_wrap *w, FILE *to)
{
    unsigned argc = c ? c->argc : syscalls[w->row].argc;

    fputc('(', to);
    for (unsigned i = 0; i < argc; i++) {
        enum kind kind = c ? c->arg[i].kind : (enum kind)syscalls[w->row].kind[i];
        fprintf(to, "%s%s %s", i ? ", " : "", kind_info(kind)->type,
                c ? c->arg[i].name : wrap_arg_name(w, i));
    }
    fputs(argc ? ")" : "void)", to);
}

/* The words a[i] as the parameters' types. */
static void print_arguments(const struct custom_call *c, const struct custom_wrap *w, FILE *to)
{
    unsigned argc = c ? c->argc : syscalls[w->row].argc;

    for (unsigned i = 0; i < argc; i++) {
        const struct kind_info *k =
            kind_info(c ? c->arg[i].kind : (enum kind)syscalls[w->row].kind[i]);
        fprintf(to, k->how == KIND_HOW_UPTR ? "%s(%s){a[%u]}" : "%s(%s)a[%u]", i ? ", " : "",
                k->type, i);
    }
}

static void print_prototypes(const struct custom_def *def, FILE *to)
{
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++) {
        print_line(def, c->line, to);
        fprintf(to, "long sys_%s", c->id);
        print_parameters(c, NULL, to);
        fputs(";\n", to);
    }
    for (const struct custom_wrap *w = def->wraps; w < def->wraps + def->nr_wraps; w++) {
        for (unsigned i = 0; i < 2; i++) {
            print_line(def, w->line, to);
            fprintf(to, "long %s_%s", i ? "original" : "wrap", w->id);
            print_parameters(NULL, w, to);
            fputs(";\n", to);
        }
    }
}

void custom_write_bodies(const struct custom_def *def, const char *path)
{
    FILE *to = open_output(path);

    fputs("#include <yolk/sdk.h>\n", to);
    print_prototypes(def, to);
    close_output(to, path);
}

static void print_row(const struct custom_call *c, FILE *to)
{
    fprintf(to,
            "{.name = \"%s\", .sc = {.name_at = SYSCALL_NAME_BEHIND, .support = %u, .result = %u, "
            ".argc = %u, .kind = {",
            c->name, c->support, c->result, c->argc);
    for (unsigned i = 0; i < c->argc; i++)
        fprintf(to, "KIND_%s, ", kind_info(c->arg[i].kind)->name);
    fprintf(to, "0}}, .nr = {%u, %u}},\n", c->nr[ABI_X86_64], c->nr[ABI_I386]);
}

static void print_numbers(const struct custom_def *def, FILE *to)
{
    static const char *const names[] = {
        [ABI_X86_64] = "numbers_x86_64", [ABI_I386] = "numbers_i386"};
    unsigned nr = 0;

    for (unsigned abi = 0; abi < NR_ABIS; abi++)
        for (size_t i = 0; i < def->nr_calls; i++)
            if (def->calls[i].nr[abi] >= CUSTOM_NR_FIRST + nr)
                nr = def->calls[i].nr[abi] - CUSTOM_NR_FIRST + 1;
    for (unsigned abi = 0; abi < NR_ABIS; abi++) {
        fprintf(to, "static const uint16_t %s[%u] = {", names[abi], nr + 1);
        for (size_t i = 0; i < def->nr_calls; i++)
            if (def->calls[i].nr[abi])
                fprintf(to, "[%u] = %zu, ", def->calls[i].nr[abi] - CUSTOM_NR_FIRST, i + 1);
        fputs("};\n", to);
    }
    fprintf(to,
            "static const struct custom_table table = {rows, %zu, %u, {%s, %s}};\n"
            "const struct custom_table *custom_table(void) { return &table; }\n",
            def->nr_calls, nr, names[ABI_X86_64], names[ABI_I386]);
}

/* In the place of a row's own thunk (thunk.h). */
static void print_wrap(const struct custom_wrap *w, FILE *to)
{
    fprintf(to, "long original_%s", w->id);
    print_parameters(NULL, w, to);
    fputs(" { ", to);
    if (syscalls[w->row].support == SUPPORT_NONE) {
        fputs("return -ENOSYS; }\n", to);
    } else {
        fprintf(to, "return sys_%s(", w->id);
        for (unsigned i = 0; i < syscalls[w->row].argc; i++)
            fprintf(to, "%s%s", i ? ", " : "", wrap_arg_name(w, i));
        fputs("); }\n", to);
    }
    fprintf(to, "static long run_wrap_%s(const uint64_t *a) { return wrap_%s(", w->id, w->id);
    print_arguments(NULL, w, to);
    fprintf(to,
            "); }\nlong call_%s(WORDS) { const uint64_t a[] = {a0, a1, a2, a3, a4, a5}; "
            "return custom_run(\"%s\", run_wrap_%s, a); }\n",
            w->id, syscall_name(&syscalls[w->row]), w->id);
}

void custom_write_table(const struct custom_def *def, const char *path)
{
    FILE *to = open_output(path);

    fputs("#include <base/errno.h>\n#include <syscalls/bodies.h>\n#include <syscalls/custom.h>\n"
          "#include <syscalls/thunk.h>\n\n#include \"custom.h\"\n",
          to);
    print_prototypes(def, to);
    fputs("#line 1 \"table\"\n", to);
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++) {
        fprintf(to, "static long run_%s(const uint64_t *a) { return sys_%s(", c->id, c->id);
        print_arguments(c, NULL, to);
        fputs("); }\n", to);
    }
    fputs("custom_body *const custom_bodies[] = {", to);
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++)
        fprintf(to, "run_%s, ", c->id);
    fputs("NULL};\nstatic const struct custom_row rows[] = {\n", to);
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++)
        print_row(c, to);
    fputs("{.nr = {0}}};\n", to);
    print_numbers(def, to);
    for (const struct custom_wrap *w = def->wraps; w < def->wraps + def->nr_wraps; w++)
        print_wrap(w, to);
    close_output(to, path);
}

void custom_write_note(const struct custom_def *def, const char *path)
{
    FILE *to = open_output(path), *text;
    char *rows;
    size_t size;

    text = open_memstream(&rows, &size);
    custom_def_print(def, text);
    fclose(text);
    fputs("    .section .note.yolk.calls, \"\", @note\n"
          "    .long 5, 2f - 1f, 1\n    .asciz \"Yolk\"\n    .balign 4\n1:\n    .byte ",
          to);
    for (size_t i = 0; i < size; i++)
        fprintf(to, "%s%u", !i ? "" : i % 64 ? "," : "\n    .byte ", (unsigned char)rows[i]);
    fputs("\n2:  .balign 4\n    .section .note.GNU-stack, \"\", @progbits\n", to);
    free(rows);
    close_output(to, path);
}
