/* A call as strace prints it.
 *
 * One decoder serves twice.  In the kernel it runs without an output: what it asks `read` for is what a record has to
 * carry.  Whoever prints runs it again, over the record.  So nothing but the decoder knows which bytes of a program's
 * memory belong to a call, and a record cannot miss what its line needs.
 *
 * A call is decoded in two parts, as strace prints it: up to its first argument that has a meaning only when the call
 * has ended, and the rest.  Pure: no kernel, no state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syscalls/custom.h>

struct trace_options {
    unsigned strings;    /* bytes of a string or elements of an array that are shown (-s) */
    bool is_verbose;     /* -v: structures and environments in full */
    bool names_fds;      /* -y: descriptors with their paths */
    int32_t utc_offset;  /* seconds, of the time zone that times are shown in */
    uint8_t hex_strings; /* 1: strings with unprintable bytes (-x); 2: all (-xx) */
};

#define TRACE_STRINGS          32   /* strace's own default */
#define TRACE_PATH             4096 /* of a path all is shown */
#define TRACE_SCRATCH(strings) (((strings) > TRACE_PATH ? (size_t)(strings) : TRACE_PATH) + 1)

struct trace;
/* Up to n bytes of the program at `addr` into dst (NULL: they are only to be recorded): how many there were. */
typedef size_t trace_read_fn(struct trace *t, uint64_t addr, void *dst, size_t n);

/* Where the name of descriptor `fd` is to be read from, as a string (names_fds). */
#define TRACE_FD_NAME(fd) (0xffff000000000000 | (uint64_t)(uint32_t)(fd) << 16)

struct trace {
    /* Filled in by who asks. */
    const struct syscall *sc;
    const struct trace_options *options;
    trace_read_fn *read;
    void *owner;                    /* whatever `read` likes */
    uint64_t arg[SYSCALL_MAX_ARGS]; /* widened, as bodies get them */
    uint64_t
        saved_mask_at; /* rt_sigreturn(2): where the mask lies that it restores; of i386 where the frame begins */
    uint32_t nr;
    uint8_t abi;
    bool is_exit; /* it has ended with `ret` */
    int64_t ret;
    char *out; /* NULL: nothing is printed */
    size_t size;
    uint8_t *
        scratch; /* with `out`: TRACE_SCRATCH(options->strings) bytes, for a string that is being shown */

    /* Kept by who asks from the first part to the second; zero at the beginning. */
    bool has_message; /* recvmsg(2): there was a header */
    bool has_limit;   /* recvmmsg(2): its time limit, as it was */
    int64_t limit[2];
    uint64_t saved; /* what a call changes and is shown before and after */

    /* The decoder's. */
    size_t len; /* of what is in `out`, which stays without its end when it is full */
    void (*aux)(struct trace *t); /* prints what stands in brackets behind the result */
    uint8_t next, shown;          /* the argument to be shown, and how many were */
    bool is_indirect;             /* semctl(2) behind ipc(2): its argument is behind a pointer */
    uint64_t result_at;           /* shmat(2) behind ipc(2): where its result is */
    bool has_comma;               /* behind the last of them, already */
    uint8_t result_base;          /* 8, 10, 16 */
};

/* "name(arguments" up to the first that is not known yet. */
void trace_enter(struct trace *t);
/* The other arguments and the bracket that closes them. */
void trace_leave_args(struct trace *t);
/* What follows "= ": the result, an error's name and text, and what a call adds. */
void trace_result(struct trace *t);
/* A siginfo_t: {si_signo=SIGINT, ...}. */
void trace_siginfo(struct trace *t, uint64_t addr);

/* "SIGINT", or NULL; "EPERM" and its text, or NULL. */
const char *trace_signal_name(int sig);
const char *trace_errno_name(int error);
const char *trace_errno_text(int error);

/* The row that a call is shown as: i386's socketcall and ipc are shown as the call that their first argument tells. */
unsigned trace_row(enum abi abi, uint64_t nr, uint64_t first);

/* trace/select.c: which calls, which signals. */
struct trace_set {
    uint8_t rows[NR_ROWS + CUSTOM_ROWS_MAX]; /* 1: chosen */
};
/* strace's -e trace= value: names, %classes, /regular expressions are not known/, a ! in front of all.  0, or -1
 * with *bad (and its length) the word that means nothing. */
int trace_select(struct trace_set *set, const char *expr, const char **bad, size_t *bad_len);
/* -e signal=: bit n - 1 is signal n. */
int trace_select_signals(uint64_t *set, const char *expr, const char **bad, size_t *bad_len);
