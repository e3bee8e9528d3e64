/* yolk test: builds what the tests need and hands over to CTest; `yolk test suites` hands over to the
 * runner of the Go standard library's tests, `yolk test suites real` to that of real programs, `yolk
 * test suites net` to that of the network's. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "yolk.h"

static const char doc[] =
    "Run the tests whose names match NAME (a regular expression), or all of them.\v"
    "The labels are unit, kernel, abi, abi32, trace, system, suites, source, variants, quick and "
    "slow "
    "(docs/TESTING.md).  Names look like abi.pipe.cpus4: "
    "`--list` prints "
    "them.\n\n`yolk test suites` runs the tests of every package of Go's standard library, which "
    "takes "
    "hours; `yolk test suites --help` says more; `yolk test suites real` those that "
    "Redis and SQLite come with, and large inputs for compressors; `yolk test suites net` those of "
    "the network for as long as it is told.\n\nExit status: 0 when every "
    "test passed; 1 when "
    "one failed; 125 when they could not be "
    "run.";

enum { OPT_QUICK = 256, OPT_LABEL, OPT_LIST, OPT_REPEAT, OPT_TRACE, OPT_YES };

struct test_options {
    const char *name, *label;
    unsigned long jobs, repeat;
    bool list, trace;
};

static const struct argp_option option_table[] = {
    {"quick", OPT_QUICK, 0, 0, "the quick tests only, about a minute", 0},
    {"label", OPT_LABEL, "LABEL", 0, "the tests with this label only", 0},
    {"list", OPT_LIST, 0, 0, "print the names instead", 0},
    {"jobs", 'j', "N", 0, "how many at a time (default: one for each CPU)", 0},
    {"repeat", OPT_REPEAT, "N", 0, "up to N times, until one fails", 0},
    {"trace", OPT_TRACE, 0, 0,
     "the programs of abi and abi32 once more, each traced to a file: they must do the same", 0},
    {"yes", OPT_YES, 0, 0, "install missing packages without asking", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct test_options *o = state->input;

    switch (key) {
    case OPT_QUICK:
        o->label = "quick";
        break;
    case OPT_LABEL:
        o->label = arg;
        break;
    case OPT_LIST:
        o->list = true;
        break;
    case 'j':
        o->jobs = option_number("jobs", arg, 1, 1024);
        break;
    case OPT_REPEAT:
        o->repeat = option_number("repeat", arg, 1, 1000000);
        break;
    case OPT_TRACE:
        o->trace = true;
        break;
    case OPT_YES: /* ./yolk has seen it */
        break;
    case ARGP_KEY_ARG:
        if (o->name)
            argp_error(state, "one NAME at a time; it may be a regular expression");
        o->name = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void build_tests(void)
{
    char *log = NULL;
    char *const argv[] = {"cmake",    "--build",       (char *)yolk_build_dir,
                          "--target", "test-programs", NULL};

    say("building the test programs");
    int status = run_quietly(argv, &log);
    if (status) {
        fputs(log, stderr);
        die(STATUS_FAILED, "the test programs cannot be built");
    }
    free(log);
}

static void ctest_arguments(struct strings *args, const struct test_options *o)
{
    strings_addf(args, "ctest");
    strings_addf(args, "--test-dir");
    strings_addf(args, "%s", yolk_build_dir);
    strings_addf(args, "--no-tests=error");
    strings_addf(args, "-j%lu", o->jobs);
    if (o->list)
        strings_addf(args, "-N");
    else
        strings_addf(args, "--output-on-failure");
    if (isatty(STDOUT_FILENO))
        strings_addf(args, "--progress");
    if (o->name) {
        strings_addf(args, "-R");
        strings_addf(args, "%s", o->name);
    }
    if (o->trace) {
        strings_addf(args, "-L");
        strings_addf(args, "^abi(32)?$");
    }
    if (o->label) {
        strings_addf(args, "-L");
        strings_addf(args, "^%s$", o->label);
    }
    if (o->repeat) {
        strings_addf(args, "--repeat");
        strings_addf(args, "until-fail:%lu", o->repeat);
    }
}

/* How many tests the options name, and their names.  CTest's list has more in it: it also tells of each program that is
 * not built yet. */
static unsigned list_tests(struct test_options options, bool prints)
{
    struct strings args = {0};
    char *list = NULL;
    unsigned nr = 0;

    options.list = true;
    ctest_arguments(&args, &options);
    run_quietly(args.items, &list);
    for (char *save, *line = strtok_r(list, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        const char *colon = strstr(line, ": ");
        if (strncmp(line + strspn(line, " "), "Test", 4) != 0 || !strchr(line, '#') || !colon)
            continue;
        nr++;
        if (prints)
            puts(colon + 2);
    }
    free(list);
    return nr;
}

/* Long suites: a program for Go's tests, with a table and a memory, one for real programs, and one for
 * the network; it takes the rest of the line. */
_Noreturn static void run_suites(char **argv)
{
    bool named = *argv && (!strcmp(*argv, "real") || !strcmp(*argv, "net"));
    struct strings args = {0};

    strings_addf(&args, "/usr/bin/python3");
    strings_addf(&args, "-B");
    strings_addf(&args, "%s/test/suites/%s/suite.py", yolk_source_dir, named ? *argv : "go");
    argv += named;
    for (; *argv; argv++)
        strings_addf(&args, "%s", *argv);
    setenv("YOLK_BUILD", yolk_build_dir, 1);
    execv(args.items[0], args.items);
    die(STATUS_FAILED, "%s cannot be run", args.items[0]);
}

int command_test(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "[NAME]", doc, 0, 0, 0};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct test_options options = {.jobs = cpus > 0 ? (unsigned long)cpus : 1};
    struct strings args = {0};

    if (argc > 1 && !strcmp(argv[1], "suites"))
        run_suites(argv + 2);
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.trace)
        setenv("YOLK_TRACE", "1", 1); /* test/abi/compare.py */
    if (!list_tests(options, options.list))
        die(STATUS_FAILED,
            "no test has such a name or label (`yolk test --list` prints the names)");
    if (options.list)
        return 0;
    build_tests();
    ctest_arguments(&args, &options);
    pid_t pid = fork();
    if (pid < 0)
        die(STATUS_FAILED, "fork failed");
    if (!pid) {
        execvp(args.items[0], args.items);
        _exit(STATUS_FAILED);
    }
    int status = wait_for(pid);
    return status == 8 ? 1 : status ? STATUS_FAILED : 0; /* CTest's 8: some tests failed */
}
