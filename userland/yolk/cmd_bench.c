/* yolk bench: hands over to test/bench/bench.py, which builds what it needs and has the help; with --trace to trace.py,
 * which measures what tracing costs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yolk.h"

int command_bench(int argc, char **argv)
{
    struct strings args = {0};

    strings_addf(&args, "/usr/bin/python3");
    strings_addf(&args, "-B");
    bool is_trace = argc > 1 && !strcmp(argv[1], "--trace");
    strings_addf(&args, "%s/test/bench/%s.py", yolk_source_dir, is_trace ? "trace" : "bench");
    for (int i = is_trace ? 2 : 1; i < argc; i++)
        strings_add(&args, xstrdup(argv[i]));
    execv(args.items[0], args.items);
    die(STATUS_FAILED, "%s: %s (Debian: apt-get install python3)", args.items[0], strerror(errno));
}
