/* What an executable file is: read from its headers, before anything is booted.
 *
 * The same report decides for `yolk run` whether to boot at all and is what `yolk check` prints. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program_report {
    int status;   /* 0: it can be booted; else STATUS_NOT_RUNNABLE or STATUS_NOT_FOUND */
    char *reason; /* why not; NULL when status is 0 */
    bool is_elf, is_32;
    const char *class;   /* "64-bit", "32-bit" */
    const char *machine; /* "x86-64", "AArch64", … */
    const char *type;    /* "executable", "static-PIE", … */
    char *interpreter;   /* of a dynamic executable; NULL when there is none */
    char *go_version;    /* "go1.22.1"; NULL when it was not built by Go */
    char *rust_version;  /* "rustc version 1.80.0 (...)"; NULL when it was not built by Rust */
    char *libc;          /* a guess: "Go's runtime", "glibc 2.36", "musl", "unknown" */
    bool is_stripped;
    uint64_t entry;  /* where it begins, and */
    uint64_t base;   /* what is added to its addresses, when the kernel has loaded it */
    uint64_t memory; /* bytes that its segments take */
    uint64_t size;   /* of the file */
};

/* Reads the program; never fails (what fails is in `status` and `reason`). */
void program_inspect(const char *path, struct program_report *report);
/* The same for bytes in memory, as of a file of a root archive. */
void program_inspect_bytes(const void *bytes, size_t size, struct program_report *report);
