/* What the parts of the call fuzzer share: the generator of arguments (calls_args.c) and the program around it (calls.c).
 *
 * Fuzz threads run without libc: whatever a call does to their thread-local storage, they go on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAKE_SIGNAL \
    16 /* SIGSTKFLT: ends a call that blocks; no mask ever holds it, and it needs no room in a queue */
#define MAX_ARGS     6
#define MAX_CALLS    600
#define FIRST_FD     3 /* descriptors that calls may use: [FIRST_FD, END_FD) */
#define END_FD       96
#define OWN_FD       900 /* ours from here on */
#define MAX_THREADS  16
#define DATA_SIZE    (1UL << 20)
#define ARENA_SIZE   (16UL << 20)
#define ALT_SIZE     32768UL
#define THREAD_STACK 65536UL

/* Fixed places, far from where the kernel puts mappings by itself. */
#define DATA_BASE   0x100000000000UL /* readable and writable, never unmapped: structures to be */
#define FIXED_BASE  0x110000000000UL /* pages with something special about them; see make_places */
#define ARENA_BASE  0x120000000000UL /* what memory calls work on */
#define STACKS_BASE 0x130000000000UL
#define STAGE_SIZE  4096UL
#define STAGES_BASE \
    (DATA_BASE +    \
     131072) /* a thread's messages and the like, where others' pointers hit now and then */
#define LINGERS (FIXED_BASE + PAGE_LINGER * 4096UL)

enum fixed_page {
    PAGE_READONLY,
    PAGE_NONE,
    PAGE_EDGE,
    PAGE_GAP,
    PAGE_RSEQ,
    PAGE_POOL,
    PAGE_LINGER,
    PAGE_KNOWN,
    NR_FIXED = 16
};

enum kind {
#define KIND(name, ...) K_##name,
#include "kinds.def"
#undef KIND
    NR_KINDS
};

struct call {
    const char *name;
    unsigned argc;
    enum kind kind[MAX_ARGS];
    const char *arg[MAX_ARGS];
};

extern const struct call calls[];
extern const unsigned nr_calls;

struct fuzz_thread {
    uint64_t random; /* state of its own generator */
    unsigned index;
    int tid; /* the kernel's: set at birth, cleared at death */
    unsigned long budget;
    unsigned long done; /* calls so far; the supervisor looks whether it moves */
    const struct call *now;
    unsigned long args[MAX_ARGS];
    unsigned long seen; /* the supervisor's */
};

extern struct fuzz_thread threads[MAX_THREADS];
extern unsigned nr_threads;

static inline long raw_call(long nr, const unsigned long a[MAX_ARGS])
{
    long result;
    register unsigned long r10 __asm__("r10") = a[3];
    register unsigned long r8 __asm__("r8") = a[4];
    register unsigned long r9 __asm__("r9") = a[5];

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define RAW(nr, ...) raw_call(nr, (unsigned long[MAX_ARGS]){__VA_ARGS__})

static inline uint64_t draw(struct fuzz_thread *t)
{
    uint64_t z = t->random += 0x9e3779b97f4a7c15UL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
    return z ^ z >> 31;
}

static inline uint64_t below(struct fuzz_thread *t, uint64_t n)
{
    return draw(t) % n;
}

static inline bool one_in(struct fuzz_thread *t, unsigned n)
{
    return below(t, n) == 0;
}

/* calls.c: a line of output, as printf. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* calls_args.c: the pages that arguments point to; once. */
void args_init(void *restorer, void (*handler)(int, void *, void *));
/* A call and its arguments, in t->now and t->args. */
void args_choose(struct fuzz_thread *t);
/* After the call: gives back what would pile up. */
void args_settle(struct fuzz_thread *t, long result);
int call_number(const struct call *c);    /* x86-64's */
bool args_may_make(const struct call *c); /* does args_choose ever take it? */
/* Names under the working directory that calls may make, for cleaning up; NULL behind the last. */
extern const char *const local_names[];
unsigned long hostile_word(struct fuzz_thread *t); /* a pointer or a number, mostly bad */

/* calls_ipc.c: sockets and System V IPC. */
bool ipc_is_ours(const struct call *c);
/* Better arguments for one of them. */
void ipc_bend(struct fuzz_thread *t, const struct call *c, unsigned long a[]);
void ipc_settle(struct fuzz_thread *t, long result);
void ipc_open(void);      /* the descriptors and objects that a generation begins with */
void ipc_give_back(void); /* deletes all System V objects */

/* calls_known.c: arguments that make sense. */
void known_init(void);                /* after the fixed pages are there; once */
bool known_has_names(enum kind kind); /* flags or an enumeration */
unsigned long known_flags(struct fuzz_thread *t, enum kind kind);
void known_fd(const char *maker, long fd); /* a descriptor that this call made */
void known_bend(struct fuzz_thread *t, const struct call *c, unsigned long a[]);

/* calls_report.c: t->now has returned. */
void report_count(const struct fuzz_thread *t, long result, uint64_t cycles);
void report_say(void); /* the slowest calls, and those that never did anything */
