/* Arguments for the call fuzzer: by each argument's kind in the table of calls, plausible more often than not, else hostile.
 *
 * What would end the program, or take away what it stands on, is bent: memory calls keep to the arena, descriptors to
 * a range, signal masks and handlers to ready-made ones in a read-only page. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#include "calls.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

/* --- the table ------------------------------------------------------------------------------------------ */

enum row {
#define ROW(id, ...) R_##id,
#define GAP(id, ...) R_##id,
#include <syscalls/table.h>
    NR_ROWS
};

static const int numbers[NR_ROWS + 1] = {
#define NR64(nr, name, id) [R_##id] = (nr) + 1,
#include <syscalls/table.h>
};

#define KIND_OF(i, k, n) K_##k
#define NAME_OF(i, k, n) #n
#define KIND_OF_NONE
#define NAME_OF_NONE
const struct call calls[] = {
#define ROW(id, str, res, sup, miss, n, ...) \
    [R_##id] = {str, n, {EACH_##n(KIND_OF, ##__VA_ARGS__)}, {EACH_##n(NAME_OF, ##__VA_ARGS__)}},
#include <syscalls/table.h>
};
const unsigned nr_calls = sizeof(calls) / sizeof(calls[0]);
_Static_assert(sizeof(calls) / sizeof(calls[0]) <= MAX_CALLS, "calls_report.c counts each");

/* --- the pool: a read-only page of things that must stay as they are -------------------------------------- */

struct kernel_sigaction {
    void (*handler)(int, void *, void *);
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

struct pool {
    struct kernel_sigaction actions[8];
    uint64_t masks[8];
    struct timespec times[12];
    struct {
        const uint64_t *set;
        size_t size;
    } select_masks[2];
    stack_t stacks[3];
};
_Static_assert(sizeof(struct pool) <= 4096, "one page");

#define POOL ((struct pool *)fixed_page(PAGE_POOL))

static unsigned long fixed_page(enum fixed_page page)
{
    return FIXED_BASE + (unsigned long)page * 4096;
}

const char *const local_names[] = {"a",   "b", "c", "d",   "d/e", "d/f", "d/e/g", "l",   "m",
                                   "n/o", "n", "q", "d/r", "q/s", "p",   "s",     "d/s", NULL};
#define NR_LOCAL 17

static char long_path[5000], long_name[300];
static const char *const paths[] = {"",
                                    ".",
                                    "d/.",
                                    "d/e/../f",
                                    "/proc/self/maps",
                                    "/proc/self/status",
                                    "/proc/self/stat",
                                    "/proc/self/fd",
                                    "/proc/self/task",
                                    "/proc/self/fd/5",
                                    "/proc/self/fdinfo/6",
                                    "/proc/meminfo",
                                    "/proc/stat",
                                    "/proc",
                                    "/sys/devices/system/cpu",
                                    "/dev/null",
                                    "/dev/zero",
                                    "/dev/full",
                                    "/dev/urandom",
                                    "/dev/tty",
                                    "/nowhere/at/all",
                                    "user.x",
                                    "tmpfs",
                                    long_path,
                                    long_name};
#define NR_PATHS (sizeof(paths) / sizeof(paths[0]))

static void fill_pool(struct pool *p, void *restorer, void (*handler)(int, void *, void *))
{
    static const unsigned long flags[] = {0, SA_ONSTACK, SA_RESTART, SA_NODEFER,
                                          SA_ONSTACK | SA_NODEFER};
    static const struct timespec times[] = {
        {0, 0},       {0, 1},        {0, 1000},      {0, 100000},
        {0, 2000000}, {0, 20000000}, {0, 999999999}, {0, 1000000000},
        {-1, 0},      {0, -1},       {INT64_MAX, 0}, {INT64_MAX, 999999999}};

    for (unsigned i = 0; i < 8; i++) {
        p->actions[i] =
            (struct kernel_sigaction){handler, SA_SIGINFO | 0x04000000 | flags[i % 5], restorer, 0};
        p->masks[i] = i ? 0x5555123400ff00ffUL * i : 0;
        p->masks[i] &= ~(1UL << (WAKE_SIGNAL - 1) | 1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1));
        p->actions[i].mask = p->masks[i];
    }
    p->masks[7] = UINT64_MAX & ~(1UL << (WAKE_SIGNAL - 1));
    memcpy(p->times, times, sizeof(times));
    for (unsigned i = 0; i < 2; i++) {
        p->select_masks[i].set = &p->masks[i];
        p->select_masks[i].size = 8;
    }
    p->stacks[0] = (stack_t){.ss_sp = (void *)DATA_BASE, .ss_size = 16};
    p->stacks[1] = (stack_t){.ss_sp = (void *)DATA_BASE, .ss_flags = 77, .ss_size = 65536};
    p->stacks[2] = (stack_t){.ss_sp = (void *)UINT64_MAX, .ss_size = 100};
}

void args_init(void *restorer, void (*handler)(int, void *, void *))
{
    memset(long_path, 'x', sizeof(long_path) - 1);
    memset(long_name, 'y', sizeof(long_name) - 1);
    fill_pool(POOL, restorer, handler);
    mprotect(POOL, 4096, PROT_READ);
    for (unsigned i = 0; i < 4; i++)
        ((struct linger *)LINGERS)[i] = (struct linger){.l_onoff = i > 0, .l_linger = i > 2};
    mprotect((void *)LINGERS, 4096, PROT_READ);
    known_init();
    mprotect((void *)fixed_page(PAGE_READONLY), 4096, PROT_READ);
    mprotect((void *)fixed_page(PAGE_NONE), 4096, PROT_NONE);
    munmap((void *)fixed_page(PAGE_GAP), 4096);
}

/* --- values -------------------------------------------------------------------------------------------------- */

static unsigned long bad_pointer(struct fuzz_thread *t)
{
    static const unsigned long bad[] = {0,
                                        1,
                                        8,
                                        0xfff,
                                        0x7ffffffffff8,
                                        0x7fffffffffff,
                                        0x800000000000,
                                        0xffff800000000000,
                                        0xffff888000001000,
                                        0xffffffff80100000,
                                        0xfffffffffffffff8,
                                        0xdead000000000000,
                                        UINT64_MAX};
    switch (below(t, 4)) {
    case 0:
        return fixed_page(PAGE_NONE) + below(t, 4096);
    case 1:
        return fixed_page(PAGE_READONLY) + (below(t, 4096) & ~7UL);
    case 2:
        return fixed_page(PAGE_GAP) - 1 - below(t, 64); /* begins well and ends badly */
    default:
        return bad[below(t, sizeof(bad) / sizeof(bad[0]))];
    }
}

static unsigned long pointer(struct fuzz_thread *t)
{
    switch (below(t, 8)) {
    case 0:
        return bad_pointer(t);
    case 1:
        return ARENA_BASE + below(t, ARENA_SIZE);
    case 2:
        return DATA_BASE + below(t, DATA_SIZE - 4096);
    default:
        return DATA_BASE + (below(t, 65536) & ~7UL);
    }
}

static unsigned long number(struct fuzz_thread *t)
{
    switch (below(t, 6)) {
    case 0:
        return 1UL << below(t, 64);
    case 1:
        return (1UL << below(t, 64)) - 1;
    case 2:
        return -below(t, 130);
    case 3:
        return one_in(t, 3) ? draw(t) : below(t, 70000);
    default:
        return below(t, 20);
    }
}

unsigned long hostile_word(struct fuzz_thread *t)
{
    return one_in(t, 2) ? bad_pointer(t) : number(t);
}

/* No more than what a machine of some hundred megabytes survives sixty times over. */
static unsigned long length(struct fuzz_thread *t)
{
    static const unsigned long lengths[] = {0,    1,    8,    16,    128,   4095,
                                            4096, 4097, 8192, 65536, 65537, 1UL << 20};

    return one_in(t, 8) ? number(t) : lengths[below(t, sizeof(lengths) / sizeof(lengths[0]))];
}

static unsigned long offset(struct fuzz_thread *t)
{
    return one_in(t, 4) ? number(t) : below(t, 40) * (one_in(t, 2) ? 4096 : 777);
}

static unsigned long descriptor(struct fuzz_thread *t)
{
    static const int odd[] = {-1, -100, END_FD - 1, 1000000, INT_MIN, INT_MAX, OWN_FD - 1};

    if (one_in(t, 12))
        return (unsigned long)odd[below(t, sizeof(odd) / sizeof(odd[0]))];
    return FIRST_FD + below(t, END_FD - FIRST_FD);
}

static unsigned long local_path(struct fuzz_thread *t)
{
    return one_in(t, 20) ? bad_pointer(t) : (unsigned long)local_names[below(t, NR_LOCAL)];
}

static unsigned long path(struct fuzz_thread *t)
{
    return one_in(t, 2) ? local_path(t) : (unsigned long)paths[below(t, NR_PATHS)];
}

static unsigned long bits(struct fuzz_thread *t, unsigned long of)
{
    unsigned long chosen = draw(t) & draw(t) & of;

    return one_in(t, 30) ? chosen | 1UL << below(t, 32) : chosen;
}

static unsigned long signal_number(struct fuzz_thread *t)
{
    /* SIGKILL and the stops are left out; ask for faults only where si_code tells them from real ones. */
    unsigned long sig = below(t, 68);

    if (sig == SIGKILL || (sig >= SIGSTOP && sig <= SIGTTOU))
        return 0;
    return one_in(t, 30) ? number(t) | 128 : sig;
}

static unsigned long thread_id(struct fuzz_thread *t)
{
    if (one_in(t, 8))
        return one_in(t, 2) ? -1UL : 99999;
    return one_in(t, 3) ? 0 : (unsigned long)threads[below(t, nr_threads)].tid;
}

static unsigned long command(struct fuzz_thread *t, enum kind kind)
{
    static const unsigned ioctls[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5405,    0x5409, 0x540b,
                                      0x540f, 0x5410, 0x5411, 0x5413, 0x5414,    0x541b, 0x5421,
                                      0x5450, 0x5451, 0x5452, 0x5460, 0x80045430};
    unsigned long n;

    switch (kind) {
    case K_FCNTL:
        n = one_in(t, 2) ? below(t, 40) : 1024 + below(t, 16);
        return n == F_SETSIG || n == F_SETOWN ? F_GETFD : n;
    case K_IOCTL:
        return one_in(t, 10) ? number(t) : ioctls[below(t, sizeof(ioctls) / sizeof(ioctls[0]))];
    case K_PRCTL: /* not the memory map's bounds, seccomp or RDTSC's faults */
        n = below(t, 66);
        return n == 22 || n == 26 || n == 35 ? 3 : n;
    case K_ARCHPRCTL:
        return 0x1001 + below(t, 4);
    case K_FUTEXOP:
        return below(t, 14) | (one_in(t, 2) ? 128 : 0) | (one_in(t, 4) ? 256 : 0);
    case K_RLIMIT: /* not CPU time: the hard limit kills */
        n = below(t, 17);
        return n == 0 || n == 15 ? 3 : n;
    default:
        return number(t);
    }
}

static unsigned long flags(struct fuzz_thread *t, enum kind kind)
{
    switch (kind) {
    case K_OFLAGS:
        return bits(t, 0x7fffc3) | (one_in(t, 2) ? O_CREAT | O_RDWR : 0) |
               (one_in(t, 2) ? O_NONBLOCK : 0);
    case K_MODE:
        return one_in(t, 4) ? draw(t) : 0777;
    case K_PROT:
        return one_in(t, 20) ? number(t) : below(t, 8);
    case K_MAPF:
        return bits(t, 0x1fff30) | (one_in(t, 3) ? MAP_SHARED : MAP_PRIVATE) |
               (one_in(t, 2) ? MAP_ANONYMOUS : 0);
    case K_MREMAPF:
        return below(t, 8);
    default:
        return one_in(t, 10) ? number(t) : known_flags(t, kind);
    }
}

static unsigned long structure(struct fuzz_thread *t, enum kind kind)
{
    struct pool *p = POOL;

    if (one_in(
            t,
            12)) /* an action from a page of zeros would be SIG_DFL, and any mask may block the waking signal */
        return kind == K_SIGACT || kind == K_SIGSET ? fixed_page(PAGE_NONE) : bad_pointer(t);
    switch (kind) {
    case K_TIMESPEC:
        return one_in(t, 6) ? 0 : (unsigned long)&p->times[below(t, 12)];
    case K_SIGSET:
        return (unsigned long)&p->masks[below(t, 8)];
    case K_SIGACT:
        return one_in(t, 4) ? 0 : (unsigned long)&p->actions[below(t, 8)];
    case K_FUTEXP:
        return DATA_BASE + below(t, 6) * 4;
    default:
        return pointer(t);
    }
}

static unsigned long argument(struct fuzz_thread *t, enum kind kind)
{
    switch (kind) {
    case K_INT:
    case K_UINT:
    case K_WORD:
    case K_LONG:
        return one_in(t, 16) ? pointer(t) : number(t);
    case K_FD:
    case K_DIRFD:
        return kind == K_DIRFD && one_in(t, 2) ? (unsigned long)AT_FDCWD : descriptor(t);
    case K_LEN:
        return length(t);
    case K_LOFF:
    case K_OFF:
        return offset(t);
    case K_ADDR:
        return ARENA_BASE + (below(t, ARENA_SIZE) & (one_in(t, 20) ? ~0UL : ~4095UL));
    case K_PATH:
    case K_PATHN:
    case K_STROUT:
        return kind == K_STROUT ? pointer(t) : path(t);
    case K_SIG:
        return signal_number(t);
    case K_CLOCKID:
        return one_in(t, 10) ? number(t) : below(t, 5);
    case K_FCNTL:
    case K_IOCTL:
    case K_PRCTL:
    case K_ARCHPRCTL:
    case K_FUTEXOP:
    case K_RLIMIT:
        return command(t, kind);
    case K_OFLAGS:
    case K_MODE:
    case K_PROT:
    case K_MAPF:
    case K_MREMAPF:
        return flags(t, kind);
    case K_TIMESPEC:
    case K_SIGSET:
    case K_SIGACT:
    case K_FUTEXP:
        return structure(t, kind);
    default:
        return known_has_names(kind) ? flags(t, kind) : pointer(t);
    }
}

/* --- calls that need care ---------------------------------------------------------------------------------------- */

/* Where an argument's name says more than its kind. */
static void by_name(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    for (unsigned i = 0; i < c->argc; i++) {
        const char *name = c->arg[i];
        if (!strcmp(name, "pid") || !strcmp(name, "tid") || !strcmp(name, "who"))
            a[i] = thread_id(t);
        else if (!strcmp(name, "tgid"))
            a[i] = one_in(t, 8) ? thread_id(t) : (unsigned long)RAW(SYS_getpid);
        else if (!strcmp(name, "sigsetsize") || !strcmp(name, "sizemask"))
            a[i] = one_in(t, 20) ? number(t) : 8;
        else if (!strcmp(name, "sigmask") && c->kind[i] == K_PTR)
            a[i] = one_in(t, 3) ? fixed_page(PAGE_NONE)
                                : (unsigned long)&POOL->select_masks[below(t, 2)];
        else if (!strcmp(name, "newfd"))
            a[i] = FIRST_FD + below(t, END_FD - FIRST_FD);
        else if (!strcmp(name, "timeout") && c->kind[i] == K_INT)
            a[i] = below(t, 30) - 1;
        else if (!strcmp(name, "nfds"))
            a[i] = one_in(t, 10) ? number(t) : below(t, END_FD);
    }
}

static bool is_one_of(const struct call *c, const char *const names[])
{
    for (; *names; names++)
        if (!strcmp(c->name, *names))
            return true;
    return false;
}

/* Threads and processes are made by calls.c; the others end the program, take its root away or stop the machine. */
static const char *const never[] = {"exit",   "exit_group", "rt_sigreturn", "clone",
                                    "clone3", "fork",       "vfork",        "reboot",
                                    "chroot", "pivot_root", "seccomp",      NULL};
static const char *const local_only[] = {
    "unlink",  "unlinkat", "rename",   "renameat", "renameat2", "rmdir",   "mkdir",
    "mkdirat", "mknod",    "mknodat",  "link",     "linkat",    "symlink", "symlinkat",
    "mount",   "umount2",  "truncate", "execve",   "execveat",  "chmod",   "chown",
    "lchown",  "fchmodat", "fchownat", NULL};
static const char *const copies[] = {"sendfile",        "splice",    "tee",
                                     "copy_file_range", "fallocate", NULL};
static const char *const memory[] = {"mmap",    "munmap",  "mprotect",         "mremap",
                                     "madvise", "mlock",   "munlock",          "mlock2",
                                     "msync",   "mincore", "remap_file_pages", NULL};
static const char *const queueing[] = {"rt_sigqueueinfo", "rt_tgsigqueueinfo", NULL};

/* [addr, addr + len) inside the arena, or nowhere. */
static void keep_in_arena(struct fuzz_thread *t, unsigned long *addr, unsigned long *len)
{
    if (*addr < ARENA_BASE || *addr >= ARENA_BASE + ARENA_SIZE)
        *addr = ARENA_BASE + (below(t, ARENA_SIZE) & ~4095UL);
    if (one_in(t, 20)) {
        *addr = one_in(t, 2) ? 0xffff800000000000UL : 0x7ffffffff000UL;
        *len = MIN(*len | 4096, 1UL << 30) + (1UL << 30);
        return;
    }
    if (one_in(t, 3))
        *len = (1 + below(t, 1024)) * 4096;
    *len = MIN(*len, ARENA_BASE + ARENA_SIZE - (*addr & ~4095UL));
}

static void tame_memory(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    keep_in_arena(t, &a[0], &a[1]);
    if (!strcmp(c->name, "mremap")) {
        keep_in_arena(t, &a[4], &a[2]);
        if (a[0] + a[1] <
            a[0]) /* a hole at the end of the world: no length of zero, which duplicates */
            a[1] = 4096;
        if (a[2] >
            ARENA_SIZE) /* a length that can never be; a gigabyte might be locked, see below */
            a[2] += 1UL << 47;
    } else if (!strcmp(c->name, "mmap") && one_in(t, 2)) {
        a[3] |= MAP_FIXED;
    }
    if (!strcmp(c->name, "mmap")) {
        a[3] &= ~(unsigned long)MAP_GROWSDOWN;
        /* More than the machine has: bringing it in would take all memory and most of the time. */
        if (a[1] > ARENA_SIZE)
            a[2] = PROT_NONE;
    }
}

static void tame(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    if (is_one_of(c, memory))
        tame_memory(t, c, a);
    if (is_one_of(c, copies))
        for (unsigned i = 0; i < c->argc; i++)
            if (c->kind[i] == K_LEN || !strcmp(c->arg[i], "len"))
                a[i] = MIN(a[i], 1UL << 20);
    if (is_one_of(c, local_only))
        for (unsigned i = 0; i < c->argc; i++)
            if (c->kind[i] == K_PATH)
                a[i] = local_path(t);
    if (is_one_of(c, queueing))
        for (unsigned i = 0; i < c->argc; i++)
            if (c->kind[i] == K_SIG)
                a[i] = SIGRTMIN + below(t, 20);
    if (!strcmp(c->name, "close_range")) {
        a[0] = FIRST_FD + below(t, END_FD - FIRST_FD);
        a[1] = a[0] + below(t, 3);
        a[2] &= 4;
    } else if (!strcmp(c->name, "brk")) {
        a[0] = one_in(t, 2) ? bad_pointer(t) : (unsigned long)RAW(SYS_brk, 0) + below(t, 65536);
    } else if (!strcmp(c->name, "sigaltstack")) {
        a[0] = one_in(t, 2) ? 0 : (unsigned long)&POOL->stacks[below(t, 3)];
    } else if (!strcmp(c->name, "rseq")) {
        a[0] = fixed_page(PAGE_RSEQ) + t->index * 64;
        a[1] = 32;
    } else if (!strcmp(c->name, "rt_sigaction") && (a[0] == WAKE_SIGNAL || !a[1])) {
        a[1] = 0;
    } else if ((!strcmp(c->name, "setrlimit") || !strcmp(c->name, "prlimit64")) && !one_in(t, 10)) {
        a[!strcmp(c->name, "setrlimit") ? 1 : 2] = 0;
    }
}

bool args_may_make(const struct call *c)
{
    return call_number(c) >= 0 && c->name && !is_one_of(c, never);
}

void args_choose(struct fuzz_thread *t)
{
    const struct call *c;
    bool wants_ipc = one_in(t, 4); /* few rows with much behind them */

    do
        c = &calls[below(t, nr_calls)];
    while (!args_may_make(c) || (wants_ipc && !ipc_is_ours(c)));
    t->now = c;
    for (unsigned i = 0; i < MAX_ARGS; i++)
        t->args[i] = i < c->argc ? argument(t, c->kind[i]) : draw(t);
    known_bend(t, c, t->args);
    by_name(t, c, t->args);
    tame(t, c, t->args);
    if (ipc_is_ours(c))
        ipc_bend(t, c, t->args);
}

int call_number(const struct call *c)
{
    return numbers[c - calls] - 1;
}

void args_settle(struct fuzz_thread *t, long result)
{
    const uint64_t none = 0;
    const char *name = t->now->name;

    ipc_settle(t, result);
    known_fd(name, strcmp(name, "listen") || result < 0 ? result : (long)t->args[0]);
    bool is_map = !strcmp(name, "mmap"), is_remap = !strcmp(name, "mremap");

    if ((is_map || is_remap) && (result > 0 || result < -4095)) {
        unsigned long at = (unsigned long)result, len = is_map ? t->args[1] : t->args[2];
        if (at < ARENA_BASE || at >= ARENA_BASE + ARENA_SIZE)
            RAW(SYS_munmap, at, len);
    } else if (!strcmp(name, "rt_sigprocmask")) {
        RAW(SYS_rt_sigprocmask, SIG_SETMASK, (unsigned long)&none, 0, 8);
    }
}
