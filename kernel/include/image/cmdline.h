/* The boot line, parsed: docs/DESIGN.md lists the tokens.  Pure: no kernel calls, so that the host tests it. */
#pragma once

#include <base/types.h>

#define CMDLINE_MAX_WORDS 512

enum stdio_kind { STDIO_TTY, STDIO_PIPE, STDIO_NULL, STDIO_OUT /* what descriptor 1 is */ };

struct cmdline {
    const char *init;     /* program path; "/init" by default */
    const char *argv0;    /* NULL: init */
    const char *cwd;      /* "/" by default */
    const char *hostname; /* "yolk" by default */
    const char *console;  /* NULL: choose */
    const char *ip;       /* NULL: DHCP */
    unsigned loglevel;    /* 2 by default */
    unsigned maxcpus;
    bool leak_check;
    enum stdio_kind stdio[3];
    bool is_traced;                    /* yolk.trace */
    const char *trace, *trace_signals; /* which calls and signals; NULL: all */
    unsigned trace_strings;            /* bytes of a string; 0: the default */
    bool trace_follows, trace_is_verbose, trace_names_fds;
    unsigned nr_args, nr_env, nr_virtio;
    const char *args[CMDLINE_MAX_WORDS]; /* after argv[0] */
    const char *env[CMDLINE_MAX_WORDS];
    const char *virtio[32]; /* virtio_mmio.device= values */
    unsigned nr_volumes;
    const char *volumes[16]; /* yolk.volume= values */
    const char *unknown[8];  /* the first few tokens that nobody understood */
    unsigned nr_unknown;
};

/* Parse `text` in place: it is cut up and percent-decoded, and `out` points into it.  0, or -E2BIG when there are
 * more words than fit. */
must_check int cmdline_parse(char *text, struct cmdline *out);
