/* A guest's trace records as strace's lines, its table of counts, or objects. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trace_config {
    const char *calls, *signals; /* -e trace=, -e signal=; NULL: all */
    unsigned strings;            /* -s */
    unsigned column;             /* -a */
    bool follows, is_verbose, names_fds;
    unsigned hex;        /* -x, -xx */
    unsigned wall_clock; /* -t, -tt, -ttt */
    bool relative, durations;
    bool counts, lines_too;        /* -c; -C */
    bool only_success, only_error; /* -z, -Z */
    unsigned quiet;
    bool json;
    const char *file; /* -o */
};

struct tracelog;
/* Opens the file that the lines go to; ends the command when it cannot. */
struct tracelog *tracelog_open(const struct trace_config *config);
/* What has come from the guest, in pieces of any size. */
void tracelog_feed(struct tracelog *log, const void *bytes, size_t n);
/* The guest is gone: what is open is finished, the table printed.  False, having said so, when something was lost or
 * could not be written. */
bool tracelog_close(struct tracelog *log);

/* trace_options.c: one of strace's options; true when it is one. */
bool trace_option(struct trace_config *config, int key, char *arg);
/* Ends the command when -e trace= names a call that there is not; once the kernel's custom calls are known. */
void trace_check_calls(const struct trace_config *config);
