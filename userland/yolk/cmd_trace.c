/* yolk trace: a program's system calls in the guest, as strace shows them on the host. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syscalls/trace.h>

#include "run.h"
#include "tracelog.h"

static const char doc[] =
    "Run PROGRAM as `yolk run` does, and print its system calls and signals as strace prints them."
    "\vThe options are strace's; those of `yolk run` have their long names here (--memory, --cpus, "
    "--env, ...).\n\n"
    "SET: names of calls, or %file %desc %memory %process %signal %network %ipc %stat %clock "
    "%creds %pure, "
    "with a ! in front of all: every other call.\n\n"
    "Exit status: as `yolk run`; also 125 when the trace cannot be written or is not complete.";

static const struct argp_option option_table[] = {
    {"follow-forks", 'f', 0, 0, "threads other than the first, too", 1},
    {0, 'e', "EXPR", 0, "trace=SET, signal=SET, abbrev=none, quiet=SET; SET alone is trace=SET", 1},
    {"output", 'o', "FILE", 0, "lines go to FILE instead of standard error", 1},
    {"string-limit", 's', "N", 0, "show N bytes of strings (default 32)", 1},
    {"columns", 'a', "N", 0, "results begin in column N (default 40)", 1},
    {"no-abbrev", 'v', 0, 0, "structures and environments in full", 1},
    {0, 'x', 0, 0, "strings that cannot be read in hexadecimal; twice: all", 1},
    {"decode-fds", 'y', 0, 0, "descriptors with their paths", 1},
    {"relative-timestamps", 'r', 0, 0, "time since the line before", 2},
    {0, 't', 0, 0, "time of day; twice with microseconds; three times: seconds since 1970", 2},
    {"syscall-times", 'T', 0, 0, "how long each call took", 2},
    {"summary-only", 'c', 0, 0, "no lines, but a table of calls, errors and CPU time", 3},
    {"summary", 'C', 0, 0, "lines and table", 3},
    {"successful-only", 'z', 0, 0, "only calls that succeed", 3},
    {"failed-only", 'Z', 0, 0, "only calls that fail", 3},
    {"quiet", 'q', 0, 0, "no messages about threads; twice: nor about exits", 3},
    {"json", 'j' + 1000, 0, 0, "one JSON object a line", 3},
    {0},
};

struct trace_command {
    struct run_options run;
    struct trace_config trace;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct trace_command *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->run;
        return 0;
    case 'j' + 1000:
        c->trace.json = true;
        return 0;
    case ARGP_KEY_ARG:
    case ARGP_KEY_NO_ARGS:
        return ARGP_ERR_UNKNOWN;
    }
    return trace_option(&c->trace, key, arg) ? 0 : ARGP_ERR_UNKNOWN;
}

int command_trace(int argc, char **argv)
{
    struct argp_child children[] = {
        {run_long_argp(), 0, "Of the machine, as in `yolk run --help`:", 9}, {0}};
    const struct argp argp = {option_table, parse, "PROGRAM [ARGS…]", doc, children, 0, 0};
    struct trace_command c = {.trace = {.strings = TRACE_STRINGS, .column = 40}};

    run_options_init(&c.run);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &c);
    if (c.trace.only_success && c.trace.only_error)
        die(STATUS_FAILED, "-z and -Z: nothing is left");
    c.run.trace = &c.trace;
    return run_program(&c.run);
}
