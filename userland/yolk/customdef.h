/* The .def of custom system calls, read and checked: what `yolk build` makes a kernel of, and what the note of such a kernel says
 * (docs/CUSTOM_SYSCALLS.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <syscalls/custom.h>

struct custom_arg {
    enum kind kind;
    char *name;
};

struct custom_call {
    int line;
    char *name, *id; /* the id is the name, or name_32 of an ONLY32 row: its body is sys_<id> */
    unsigned nr[NR_ABIS]; /* 0: none */
    enum support support;
    enum result result;
    char *missing;
    unsigned argc;
    struct custom_arg arg[SYSCALL_MAX_ARGS];
};

struct custom_wrap {
    int line;
    enum row row;
    char *id; /* as above, of the wrapped row; the bodies are wrap_<id> and original_<id> */
};

struct custom_def {
    const char *file;
    unsigned sdk; /* the version that it asks for */
    struct custom_call *calls;
    size_t nr_calls;
    struct custom_wrap *wraps;
    size_t nr_wraps;
    unsigned nr_errors; /* that were printed, as FILE:LINE: error: TEXT */
};

/* Reads `text`; `file` is for messages.  What the result holds lives for good. */
void custom_def_parse(struct custom_def *def, const char *file, const char *text);
/* The rows again, as text that custom_def_parse takes. */
void custom_def_print(const struct custom_def *def, FILE *to);

/* What kinds.def says of a kind. */
enum kind_how {
    KIND_HOW_S32,
    KIND_HOW_U32,
    KIND_HOW_WORD,
    KIND_HOW_LONG,
    KIND_HOW_PAIR,
    KIND_HOW_UPTR
};
struct kind_info {
    const char *name, *type; /* in C */
    enum kind_how how;
    bool is_usable, needs_length;
};
const struct kind_info *kind_info(enum kind kind);
const char *custom_result_name(enum result result); /* "INT" */

/* customrows.c: these calls become custom_table()'s. */
void custom_rows_set(const struct custom_def *def);
const struct custom_call *custom_call_of_row(unsigned row); /* row >= NR_ROWS */
bool custom_row_is_wrapped(unsigned row);
/* Reads them from a kernel image; one without has none.  Ends the command when the image cannot be read. */
void custom_rows_load(const char *kernel);

/* customgen.c: what is compiled with the handlers.  Each ends the command when it cannot be written. */
void custom_write_table(const struct custom_def *def, const char *path); /* the kernel's rows */
void custom_write_bodies(const struct custom_def *def,
                         const char *path);                             /* the bodies' prototypes */
void custom_write_note(const struct custom_def *def, const char *path); /* the note, as assembly */

/* customstubs.c: callers for C and Go, under `dir`. */
void custom_write_stubs(const struct custom_def *def, const char *dir, const char *name);
