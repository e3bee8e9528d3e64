/* yolk check: says whether programs will run, without booting anything. */
#include <argp.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "reach.h"
#include "run.h"

static const char doc[] =
    "Say what each PROGRAM is, whether `yolk run` will take it, and which system calls it contains "
    "that are missing here, in whole or in part."
    "\vThe calls are found in the machine code: the numbers that every `syscall`, `int $0x80` and "
    "call of the vDSO passes, followed back through what calls it.  A program may contain calls "
    "that "
    "it never makes; a site whose number is only known when it runs is counted.\n\n"
    "Exit status: 0 when it will run and each call that it contains is there, if perhaps without "
    "some flags; 1 when it will start, but contains a call that answers ENOSYS (those that Linux "
    "has only had since 5.1 do not count: programs know how to do without); 126 when it will "
    "not run (not a static executable for x86, damaged ...); 127 when there is no PROGRAM; the "
    "highest when there are several.";

struct check_options {
    bool json, all;
    struct strings programs;
};

/* What is found of one program. */
struct check {
    const char *program;
    struct program_report report;
    struct reach reach;
    unsigned count[SUPPORT_FULL + 1]; /* of its calls */
    unsigned nr_foreign;              /* numbers that Linux does not have */
};

static const struct argp_option option_table[] = {
    {"json", 'j', 0, 0, "print one JSON object; of several programs one array", 0},
    {"all", 'a', 0, 0, "list the calls that are there in full, too", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check_options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        break;
    case ARGP_KEY_ARG:
        strings_add(&o->programs, arg);
        break;
    case 'a':
        o->all = true;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void row(const char *name, const char *value)
{
    if (value)
        printf("%-14s %s\n", name, value);
}

static enum row row_of(const struct reach_call *call)
{
    return syscall_row(call->abi, call->number);
}

static const char *support_name(const struct reach_call *call)
{
    static const char *const names[] = {
        [SUPPORT_NONE] = "missing", [SUPPORT_PART] = "part", [SUPPORT_FULL] = "full"};
    enum row found = row_of(call);

    return found == ROW_UNKNOWN ? "unknown" : names[syscalls[found].support];
}

static char *call_name(const struct reach_call *call)
{
    enum row found = row_of(call);

    return found == ROW_UNKNOWN ? xasprintf("number %u", call->number)
                                : xstrdup(syscall_name(&syscalls[found]));
}

/* Since Linux 5.1 new calls have one number in all ABIs, from here on; what is built for older kernels, too, as Go and
 * the C libraries are, expects ENOSYS from them. */
#define FIRST_NEW_NUMBER 424

/* A program that makes it has to do with ENOSYS where Linux has an answer. */
static bool is_missed(const struct reach_call *call)
{
    enum row found = row_of(call);

    return found == ROW_UNKNOWN ||
           (syscalls[found].support == SUPPORT_NONE && call->number < FIRST_NEW_NUMBER);
}

static int status_of(const struct check *c)
{
    if (c->report.status)
        return c->report.status;
    for (size_t i = 0; i < c->reach.nr; i++)
        if (is_missed(&c->reach.calls[i]))
            return 1;
    return 0;
}

static void print_calls(const struct check *c, bool all)
{
    const struct reach *reach = &c->reach;

    printf("  %-12s %zu system calls: %u in full, %u in part, %u missing", "calls", reach->nr,
           c->count[SUPPORT_FULL], c->count[SUPPORT_PART], c->count[SUPPORT_NONE]);
    if (c->nr_foreign)
        printf(", %u unknown to Linux", c->nr_foreign);
    if (reach->nr_unknown)
        printf("; at %u of %u places it is not known which", reach->nr_unknown, reach->nr_sites);
    puts(reach->is_cut ? "; the program is too large to be followed to its end" : "");
    for (size_t i = 0; i < reach->nr; i++) {
        const struct reach_call *call = &reach->calls[i];
        enum row found = row_of(call);
        if (!all && found != ROW_UNKNOWN && syscalls[found].support == SUPPORT_FULL)
            continue;
        char *name = call_name(call);
        printf("    %-8s %s%s", support_name(call), name,
               c->report.is_32 || call->abi == ABI_X86_64 ? "" : " (int $0x80)");
        if (call->where)
            printf(", in %s", call->where);
        if (found != ROW_UNKNOWN && syscalls[found].support == SUPPORT_NONE && !is_missed(call))
            printf(" (new in Linux: programs do without it)");
        else if (found != ROW_UNKNOWN && *syscall_texts[found].missing)
            printf(": without %s", syscall_texts[found].missing);
        putchar('\n');
        free(name);
    }
}

static char *verdict(const struct check *c)
{
    switch (status_of(c)) {
    case 0:
        return xstrdup("will run");
    case 1:
        return xstrdup(
            "will start, and get ENOSYS from the calls that are missing, if it makes them");
    default:
        return xasprintf("will not run: %s", c->report.reason);
    }
}

static void print_text(const struct check *c, bool all)
{
    const struct program_report *r = &c->report;
    char *format = r->class ? xasprintf("ELF %s", r->class) : NULL;
    char *go = r->go_version ? xasprintf("Go (%s)", r->go_version) : NULL;
    char *rust = r->rust_version ? xasprintf("Rust (%s)", r->rust_version) : NULL,
         *end = verdict(c);

    printf("%s\n", c->program);
    row("  format", r->is_elf ? format : NULL);
    row("  machine", r->machine);
    row("  type", r->type);
    row("  linking", r->interpreter ? "dynamic" : r->type ? "static" : NULL);
    row("  interpreter", r->interpreter);
    row("  built with", go ? go : rust);
    row("  libc", r->libc);
    row("  symbols", r->libc ? r->is_stripped ? "no (stripped)" : "yes" : NULL);
    if (r->memory)
        printf("  %-12s %ju KiB\n", "memory", (uintmax_t)(r->memory + 1023) / 1024);
    if (!r->status)
        print_calls(c, all);
    row("  verdict", end);
    free(format);
    free(go);
    free(rust);
    free(end);
}

static void add(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, json_string(value));
}

static json_t *call_to_json(const struct reach_call *call)
{
    static const char *const abis[] = {[ABI_X86_64] = "x86-64", [ABI_I386] = "i386"};
    json_t *object = json_object();
    enum row found = row_of(call);

    if (found != ROW_UNKNOWN)
        add(object, "name", syscall_name(&syscalls[found]));
    json_object_set_new(object, "number", json_integer(call->number));
    add(object, "abi", abis[call->abi]);
    add(object, "support", support_name(call));
    if (found != ROW_UNKNOWN && *syscall_texts[found].missing)
        add(object, "missing", syscall_texts[found].missing);
    json_object_set_new(object, "missed", json_boolean(is_missed(call)));
    add(object, "where", call->where);
    return object;
}

static void add_calls(json_t *object, const struct reach *reach)
{
    json_t *calls = json_array();

    for (size_t i = 0; i < reach->nr; i++)
        json_array_append_new(calls, call_to_json(&reach->calls[i]));
    json_object_set_new(object, "calls", calls);
    json_object_set_new(object, "sites", json_integer(reach->nr_sites));
    json_object_set_new(object, "unknown_sites", json_integer(reach->nr_unknown));
    json_object_set_new(object, "complete", json_boolean(!reach->is_cut));
}

static json_t *to_json(const struct check *c)
{
    const struct program_report *r = &c->report;
    json_t *object = json_object();

    add(object, "program", c->program);
    json_object_set_new(object, "runs", json_boolean(!r->status));
    json_object_set_new(object, "status", json_integer(status_of(c)));
    add(object, "reason", r->reason);
    json_object_set_new(object, "elf", json_boolean(r->is_elf));
    add(object, "class", r->class);
    add(object, "machine", r->machine);
    add(object, "type", r->type);
    if (r->type)
        json_object_set_new(object, "static", json_boolean(!r->interpreter));
    add(object, "interpreter", r->interpreter);
    add(object, "go", r->go_version);
    add(object, "rust", r->rust_version);
    add(object, "libc", r->libc);
    if (!r->status)
        add_calls(object, &c->reach);
    return object;
}

/* The calls of a program that will run. */
static void find_calls(const char *path, struct check *c)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st))
        die(STATUS_FAILED, "%s cannot be read", path);
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        die(STATUS_FAILED, "%s cannot be read", path);
    struct elf_image image = {.bytes = bytes, .size = (size_t)st.st_size};
    reach_find(&image, c->report.go_version != NULL, &c->reach);
    munmap(bytes, (size_t)st.st_size);
    close(fd);
    for (size_t i = 0; i < c->reach.nr; i++) {
        enum row found = row_of(&c->reach.calls[i]);
        if (found == ROW_UNKNOWN)
            c->nr_foreign++;
        else
            c->count[syscalls[found].support]++;
    }
}

static void check(const char *program, struct check *c)
{
    char *found = payload_find(program);
    const char *path = found ? found : program;

    c->program = program;
    program_inspect(path, &c->report);
    if (!c->report.status)
        find_calls(path, c);
    free(found);
}

int command_check(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "PROGRAM...", doc, 0, 0, 0};
    struct check_options options = {0};
    json_t *array = json_array();
    int status = 0;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    for (size_t i = 0; i < options.programs.nr; i++) {
        struct check c = {0};
        check(options.programs.items[i], &c);
        if (options.json)
            json_array_append_new(array, to_json(&c));
        else
            print_text(&c, options.all);
        if (status_of(&c) > status)
            status = status_of(&c);
        reach_free(&c.reach);
    }
    if (options.json) {
        json_dumpf(options.programs.nr > 1 ? array : json_array_get(array, 0), stdout,
                   JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(array);
    return status;
}
