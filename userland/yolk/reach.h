/* Which system calls a program contains: found in its machine code, without running it.
 *
 * Every instruction that enters the kernel is a site.  The number that it passes is followed back through its function
 * (flow.h); where it is an argument, through everything that calls that function.  So the answer has what the program
 * could call, whether it ever does or not; sites whose number stays unknown are counted. */
#pragma once

#include <stdint.h>
#include <syscalls/syscall.h>

#include "elf_image.h"

struct reach_call {
    enum abi abi;
    uint32_t number;
    char *where; /* a function that has the site; NULL: the program has no names */
};

struct reach {
    struct reach_call *calls; /* by ABI and number, each once */
    size_t nr;
    unsigned nr_sites,
        nr_unknown; /* sites, and those whose number, or one of its callers' numbers, is not known */
    bool is_cut;    /* the program was too large to be followed to its end */
};

/* Of an x86 executable whose headers have been found good. */
void reach_find(const struct elf_image *image, bool is_go, struct reach *reach);
void reach_free(struct reach *reach);
