/* yolk diff: hands over to diff.py, which runs strace and `yolk trace` and compares what they print. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yolk.h"

int command_diff(int argc, char **argv)
{
    struct strings words = {0};

    strings_addf(&words, "python3");
    strings_addf(&words, "-B");
    strings_addf(&words, "%s/userland/yolk/diff.py", yolk_source_dir);
    for (int i = 1; i < argc; i++)
        strings_add(&words, argv[i]);
    char *self = xasprintf("%s/userland/yolk/yolk", yolk_build_dir);
    if (!getenv("YOLK_COMMAND"))
        setenv("YOLK_COMMAND", self, 1);
    execvp(words.items[0], words.items);
    die(STATUS_FAILED, "python3 cannot be run: %s (Debian: apt-get install python3)",
        strerror(errno));
}
