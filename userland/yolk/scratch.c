/* A directory for a command's intermediate files, which is gone when the command has ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yolk.h"

static const int ends_us[] = {SIGINT, SIGTERM, SIGHUP};
static char *scratch;

static void remove_scratch(void)
{
    char *const argv[] = {"rm", "-rf", "--", scratch, NULL};

    if (!scratch)
        return;
    scratch = NULL; /* what runs now is not to look for signals */
    run_quietly(argv, NULL);
}

/* An ignored signal stays ignored (nohup); blocked, it would be pending. */
static void make_set(sigset_t *set)
{
    struct sigaction action;

    sigemptyset(set);
    for (size_t i = 0; i < sizeof ends_us / sizeof *ends_us; i++)
        if (!sigaction(ends_us[i], NULL, &action) && action.sa_handler != SIG_IGN)
            sigaddset(set, ends_us[i]);
}

char *make_scratch(void)
{
    const char *tmp = getenv("TMPDIR");
    char *path = xasprintf("%s/yolk.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    sigset_t set;

    /* Handlers could do nothing that is safe; a signal waits until the program that we wait for has ended, which a
     * terminal's Ctrl-C ends too. */
    make_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (!mkdtemp(path))
        die(STATUS_FAILED, "cannot make a temporary directory: %s (TMPDIR chooses where)",
            strerror(errno));
    scratch = path;
    atexit(remove_scratch);
    return path;
}

void scratch_in_child(void)
{
    sigset_t set;

    make_set(&set);
    if (scratch)
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void scratch_heed_signals(void)
{
    sigset_t set, pending;

    if (!scratch)
        return;
    make_set(&set);
    sigpending(&pending);
    sigandset(&pending, &pending, &set);
    if (sigisemptyset(&pending))
        return;
    remove_scratch();
    sigprocmask(SIG_UNBLOCK, &set, NULL); /* which ends us */
}
