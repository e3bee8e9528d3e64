/* strace's options, as far as a guest's trace has them. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <syscalls/trace.h>

#include "options.h"
#include "tracelog.h"
#include "yolk.h"

#define STRINGS_MAX 32768 /* what a record holds */

void trace_check_calls(const struct trace_config *config)
{
    struct trace_set set;
    const char *bad;
    size_t len;

    if (config->calls && trace_select(&set, config->calls, &bad, &len) < 0)
        die(STATUS_FAILED, "-e trace=%s: there is no call and no class '%.*s'", config->calls,
            (int)len, bad);
}

static void check_signals(const char *expr)
{
    const char *bad;
    uint64_t set;
    size_t len;

    if (trace_select_signals(&set, expr, &bad, &len) < 0)
        die(STATUS_FAILED, "-e signal=%s: there is no signal '%.*s'", expr, (int)len, bad);
}

/* -e KEY=VALUE, where trace= may be left out. */
static void expression(struct trace_config *config, const char *arg)
{
    static const char *const unknown[] = {
        "inject",      "fault",  "raw",   "read",   "write",   "verbose", "decode-fds", "kvm",
        "decode-pids", "status", "reads", "writes", "injects", "faults",  "decode-fd"};
    size_t len = strcspn(arg, "=");
    const char *value = arg[len] ? arg + len + 1 : arg;

    for (size_t i = 0; arg[len] && i < sizeof unknown / sizeof *unknown; i++)
        if (strlen(unknown[i]) == len && !strncmp(arg, unknown[i], len))
            die(STATUS_FAILED, "-e %s=: not supported (trace=, signal=, abbrev=, quiet= are)",
                unknown[i]);
    if (!arg[len] || !strncmp(arg, "trace=", 6) || !strncmp(arg, "t=", 2)) {
        config->calls = value;
    } else if (!strncmp(arg, "signal=", 7) || !strncmp(arg, "signals=", 8) ||
               !strncmp(arg, "s=", 2)) {
        check_signals(value);
        config->signals = value;
    } else if (!strncmp(arg, "abbrev=", 7) && (!strcmp(value, "none") || !strcmp(value, "!all"))) {
        config->is_verbose = true;
    } else if (!strncmp(arg, "abbrev=", 7) && !strcmp(value, "all")) {
        config->is_verbose = false;
    } else if (!strncmp(arg, "quiet=", 6) || !strncmp(arg, "q=", 2)) {
        config->quiet = strstr(value, "exit") || !strcmp(value, "all") ? 2 : 1;
    } else {
        die(STATUS_FAILED, "-e %s: not supported (trace=, signal=, abbrev=, quiet= are)", arg);
    }
}

bool trace_option(struct trace_config *config, int key, char *arg)
{
    switch (key) {
    case 'f':
        config->follows = true;
        break;
    case 'e':
        expression(config, arg);
        break;
    case 'o':
        config->file = arg;
        break;
    case 's':
        config->strings = (unsigned)option_number("s", arg, 0, STRINGS_MAX);
        break;
    case 'a':
        config->column = (unsigned)option_number("a", arg, 0, 1000);
        break;
    case 'v':
        config->is_verbose = true;
        break;
    case 'x':
        config->hex++;
        break;
    case 'y':
        config->names_fds = true;
        break;
    case 'r':
        config->relative = true;
        break;
    case 't':
        config->wall_clock++;
        break;
    case 'T':
        config->durations = true;
        break;
    case 'C':
        config->lines_too = true;
        config->counts = true;
        break;
    case 'c':
        config->counts = true;
        break;
    case 'z':
        config->only_success = true;
        break;
    case 'Z':
        config->only_error = true;
        break;
    case 'q':
        config->quiet++;
        break;
    default:
        return false;
    }
    return true;
}
