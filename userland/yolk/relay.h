/* The state of one relay, shared by relay.c, control.c and keys.c. */
#pragma once

#include "run.h"

#define NR_PUMPS 5
#define LOG_SIZE 8192

struct pump {
    int from, to;      /* -1: closed */
    size_t start, end; /* of what the buffer holds */
    size_t size;       /* how much is moved at a time */
    char buffer[1 << 16];
};

struct relay {
    const struct run_options *options;
    struct outcome *outcome; /* reason NULL until it is known */
    bool has_raised;         /* the published ports' backlogs, once the guest has said something */
    pid_t pid;               /* 0: has ended */
    int qemu_status;
    int signals, control, errors;
    int trace;                 /* the channel; -1: closed */
    struct tracelog *tracelog; /* NULL: no trace */
    bool on_terminal; /* the program's stdin is a terminal's, which may be another job's for now */
    bool raw, is_stopping;
    bool saw_escape; /* Ctrl-A came last */
    unsigned interrupts;
    double began;
    double give_up_at; /* when the machine has to be gone; 0: no such time */
    struct pump input, tty, out, err, serial;

    char line[4096]; /* a control line that is not complete yet */
    size_t line_len;
    char to_guest[1024]; /* control lines that wait for room */
    size_t to_guest_len;
    char errors_text[4096];
    size_t errors_len;
    char log[LOG_SIZE]; /* the last bytes of the kernel's log */
    size_t log_len;
};

/* Ends the machine at once. */
void relay_stop(struct relay *relay, int status, const char *reason);
/* What the guest said about its end. */
void relay_exit_status(struct relay *relay, int status);
void relay_fail(struct relay *relay, int status, const char *text);
/* The terminal is gone: the program hears SIGHUP and has two seconds. */
void relay_lost_terminal(struct relay *relay);
