/* yolk check: says whether a program will run, without booting anything. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"
#include "run.h"

static const char doc[] =
    "Say what PROGRAM is and whether `yolk run` will take it.\v"
    "Exit status: 0 when it will; 126 when it will not; 127 when there is no PROGRAM.";

struct check_options {
    bool json;
    const char *program;
};

static const struct argp_option option_table[] = {
    {"json", 'j', 0, 0, "print one JSON object", 0},
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
        if (o->program)
            argp_error(state, "one program at a time");
        o->program = arg;
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

static void print_text(const char *program, const struct program_report *r)
{
    char *format = r->class ? xasprintf("ELF %s", r->class) : NULL;

    printf("%s\n", program);
    row("  format", r->is_elf ? format : NULL);
    row("  machine", r->machine);
    row("  type", r->type);
    row("  linking", r->interpreter ? "dynamic" : r->type ? "static" : NULL);
    row("  interpreter", r->interpreter);
    row("  built with", r->go_version ? xasprintf("Go (%s)", r->go_version) : NULL);
    row("  libc", r->libc);
    row("  symbols", r->libc ? r->is_stripped ? "no (stripped)" : "yes" : NULL);
    if (r->memory)
        printf("  %-12s %ju KiB\n", "memory", (uintmax_t)(r->memory + 1023) / 1024);
    row("  verdict", r->reason ? xasprintf("will not run: %s", r->reason) : "will run");
    free(format);
}

static void add(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, json_string(value));
}

static void print_json(const char *program, const struct program_report *r)
{
    json_t *object = json_object();

    add(object, "program", program);
    json_object_set_new(object, "runs", json_boolean(!r->status));
    json_object_set_new(object, "status", json_integer(r->status));
    add(object, "reason", r->reason);
    json_object_set_new(object, "elf", json_boolean(r->is_elf));
    add(object, "class", r->class);
    add(object, "machine", r->machine);
    add(object, "type", r->type);
    if (r->type)
        json_object_set_new(object, "static", json_boolean(!r->interpreter));
    add(object, "interpreter", r->interpreter);
    add(object, "go", r->go_version);
    add(object, "libc", r->libc);
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(object);
}

int command_check(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "PROGRAM", doc, 0, 0, 0};
    struct check_options options = {0};
    struct program_report report;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    char *path = payload_find(options.program);
    program_inspect(path ? path : options.program, &report);
    if (options.json)
        print_json(options.program, &report);
    else
        print_text(options.program, &report);
    free(path);
    return report.status;
}
