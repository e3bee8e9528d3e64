/* Reading an ELF executable, as a pure function of its bytes: no file, no memory to map, no
 * process, so that host tests and the fuzzer run the very same code.  exec.c carries the plan
 * out. */
#pragma once

#include <base/types.h>

enum {
    ELF_HEAD_BYTES = 64,    /* elf_read_head wants that many, unless the file is shorter */
    ELF_MAX_HEADERS = 1170, /* program headers: what fits in 64 KiB, as on Linux */
    ELF_MAX_LOADS = 32,
    ELF_PHDR_BYTES = 56,
    ELF32_PHDR_BYTES = 32,
    ELF_WHY_BYTES = 160,
};

/* Why a file cannot run, for a person: completes the sentence "NAME ...". */
struct elf_why {
    char text[ELF_WHY_BYTES];
};

struct elf_head {
    bool is_i386; /* a 32-bit program */
    bool is_pie;
    uint64_t entry, phoff;
    unsigned phnum;
    unsigned phdr_bytes; /* of one program header */
};

/* One PT_LOAD as mmap(2) needs it, addresses before the load bias.  [file_start, file_end) of
 * memory comes from the file at `offset`, and the bytes up to mem_end are zero. */
struct elf_load {
    uint64_t start, end;        /* page-rounded extent in memory */
    uint64_t file_end, mem_end; /* not rounded */
    uint64_t offset;            /* in the file, of `start` */
    int prot;                   /* PROT_* */
};

struct elf_plan {
    bool is_i386, is_pie, exec_stack;
    uint64_t entry;
    uint64_t phdr; /* where the program headers are in memory; 0: in no segment */
    unsigned phnum;
    uint64_t low, high;          /* extent of all segments, page-rounded */
    uint64_t align;              /* of the load bias */
    uint64_t interp, interp_len; /* PT_INTERP in the file; length 0: none */
    unsigned nr_loads;
    struct elf_load load[ELF_MAX_LOADS];
};

/* Look at the first bytes of a file (n >= ELF_HEAD_BYTES unless it is shorter).  0 or -ENOEXEC with
 * *why. */
must_check int elf_read_head(const void *bytes, size_t n, struct elf_head *head,
                             struct elf_why *why);

/* From the table of head->phnum program headers of head->phdr_bytes each to a plan that is safe to carry out: every range is
 * inside the file and the user half (after any bias <= USER_TOP - high for a PIE; an i386 program's
 * below USER32_TOP), and no two overlap.  The same results. */
must_check int elf_make_plan(const struct elf_head *head, const void *table, uint64_t file_size,
                             struct elf_plan *plan, struct elf_why *why);
