/* yolk gdb: a program in the guest under gdb. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const char doc[] =
    "Run PROGRAM as `yolk run` does, under gdb: with the symbols of the program and of the kernel, "
    "stopped at the program's entry."
    "\vThe program's standard input is /dev/null unless --input names a file; what it writes comes "
    "out between gdb's lines, or goes to --output.  `help yolk` in gdb says what can be looked at: "
    "threads, wait queues, areas of memory, descriptors, locks, CPUs, the trace.  An IDE attaches "
    "with --wait: docs/DEBUGGING.md.\n\n"
    "Exit status: gdb's own; 125 when there is no gdb or Yolk itself failed; 126 and 127 as `yolk "
    "run`; with --wait as `yolk run` throughout.";

enum { OPT_BATCH = 2048, OPT_EX, OPT_IEX, OPT_WAIT, OPT_LISTEN, OPT_INPUT, OPT_OUTPUT };

static const struct argp_option option_table[] = {
    {"batch", OPT_BATCH, 0, 0, "gdb's: end when all commands have run, and ask nothing", 1},
    {"command", 'x', "FILE", 0, "gdb's: run the commands of FILE; repeatable", 1},
    {"ex", OPT_EX, "COMMAND", 0, "gdb's: run COMMAND; repeatable", 1},
    {"iex", OPT_IEX, "COMMAND", 0, "gdb's: run COMMAND before symbols are read; repeatable", 1},
    {"wait", OPT_WAIT, 0, 0, "start no gdb; say how one attaches", 2},
    {"no-gdb", 0, 0, OPTION_ALIAS, 0, 2},
    {"listen", OPT_LISTEN, "PATH|PORT", 0,
     "where gdb is to connect to: a UNIX socket, or a port of localhost (0: any that is free); a "
     "socket in a directory of its own when it is not given",
     2},
    {"input", OPT_INPUT, "FILE", 0, "the program's standard input", 3},
    {"output", OPT_OUTPUT, "FILE", 0, "the program's standard output and error", 3},
    {0},
};

struct gdb_command {
    struct run_options run;
    struct debugger debugger;
};

/* An option with a value that gdb gets as it is. */
static void pass_on(struct debugger *d, const char *option, const char *value)
{
    strings_addf(&d->gdb, "%s", option);
    if (value)
        strings_addf(&d->gdb, "%s", value);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct gdb_command *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->run;
        return 0;
    case OPT_BATCH:
        pass_on(&c->debugger, "--batch", NULL);
        return 0;
    case 'x':
        pass_on(&c->debugger, "-x", arg);
        return 0;
    case OPT_EX:
        pass_on(&c->debugger, "-ex", arg);
        return 0;
    case OPT_IEX:
        pass_on(&c->debugger, "-iex", arg);
        return 0;
    case OPT_WAIT:
        c->debugger.only_waits = true;
        return 0;
    case OPT_LISTEN:
        c->debugger.where = arg;
        return 0;
    case OPT_INPUT:
        c->debugger.input = arg;
        return 0;
    case OPT_OUTPUT:
        c->debugger.output = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

int command_gdb(int argc, char **argv)
{
    struct argp_child children[] = {{run_argp(), 0, "Of the machine, as in `yolk run --help`:", 9},
                                    {0}};
    const struct argp argp = {option_table, parse, "PROGRAM [ARGS…]", doc, children, 0, 0};
    struct gdb_command c = {0};

    run_options_init(&c.run);
    /* -ex and -iex have one dash in gdb. */
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER | ARGP_LONG_ONLY, NULL, &c);
    c.run.debugger = &c.debugger;
    char *gdb = find_in_path("gdb");
    if (!gdb && !c.debugger.only_waits)
        die(STATUS_FAILED, "gdb is not installed (Debian: apt-get install gdb)");
    free(gdb);
    int status = run_program(&c.run);
    if (status == STATUS_NOT_FOUND || status == STATUS_NOT_RUNNABLE || c.debugger.only_waits ||
        !c.debugger.address)
        return status;
    return c.debugger.status;
}
