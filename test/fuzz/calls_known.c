/* Arguments that a call can do something with: flags and commands out of the table that traces take their names from,
 * descriptors of the kind that it wants, and structures that it accepts.
 *
 * Structures that a thread may not find changed (an interval of nanoseconds would keep it busy with signals) are in a
 * read-only page; the others in its own stage. */
#include "calls.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include "trace/flags.h"

/* --- flags ---------------------------------------------------------------------------------------------------- */

static const struct flag_table trace_flags_none = {0};
static const struct kind_names {
    const struct flag_table *names;
    const char *show;
} kind_names[NR_KINDS] = {
#define KIND(name, type, how, when, show, names) [K_##name] = {&trace_flags_##names, #show},
#include "kinds.def"
#undef KIND
};

bool known_has_names(enum kind kind)
{
    return kind_names[kind].names->nr > 0;
}

unsigned long known_flags(struct fuzz_thread *t, enum kind kind)
{
    const struct kind_names *k = &kind_names[kind];
    bool is_one = !strcmp(k->show, "enum") || !strcmp(k->show, "policy");
    unsigned long value = 0;

    for (uint64_t n = is_one ? 1 : below(t, 4); n > 0; n--)
        value |= k->names->flags[below(t, k->names->nr)].value;
    return value;
}

/* --- descriptors ------------------------------------------------------------------------------------------------ */

enum fd_class {
    FD_EPOLL,
    FD_TIMER,
    FD_INOTIFY,
    FD_FILE,
    FD_PIPE,
    FD_LISTENER,
    FD_EVENT,
    NR_CLASSES
};
static int fds[NR_CLASSES][8];

void known_fd(const char *maker, long fd)
{
    static const struct {
        const char *maker;
        enum fd_class class;
    } makers[] = {
        {"epoll_create", FD_EPOLL},   {"epoll_create1", FD_EPOLL}, {"timerfd_create", FD_TIMER},
        {"inotify_init", FD_INOTIFY}, {"listen", FD_LISTENER},     {"inotify_init1", FD_INOTIFY},
        {"memfd_create", FD_FILE},    {"creat", FD_FILE},          {"pipe", FD_PIPE},
        {"eventfd2", FD_EVENT}};
    static unsigned next;

    for (unsigned i = 0; fd >= 0 && i < sizeof(makers) / sizeof(makers[0]); i++)
        if (!strcmp(maker, makers[i].maker))
            fds[makers[i].class][__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 8] = (int)fd;
}

/* --- structures --------------------------------------------------------------------------------------------------- */

struct known_page {
    struct itimerspec timers[8];
    struct itimerval intervals[4];
    struct sigevent events[4];
    struct {
        uint32_t version;
        int pid;
    } cap_headers[2];
    uint32_t all_caps[6];
    uint64_t open_how[4][3];
    uint64_t xattr_args[2];
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t deadlines[3];
    } sched_attrs[4];
    struct timespec wall;
    uint64_t robust_head[3];
    char names[8][24]; /* of extended attributes */
    char tmpfs[8];
};
_Static_assert(sizeof(struct known_page) <= 4096, "one page");

#define PAGE ((struct known_page *)(FIXED_BASE + PAGE_KNOWN * 4096UL))

void known_init(void)
{
    static const long waits[8][2] = {
        {0, 0},        {0, 1},       {20000000, 0}, {20000000, 1000000},
        {50000000, 0}, {0, 1000000}, {0, 5000000},  {999999999, 0}};
    static const char names[8][24] = {"trusted.a", "security.c", "trusted.bb", "security.dd",
                                      "user.a",    "user.",      "system.x",   "trusted.ccc"};
    struct known_page *p = PAGE;

    for (unsigned i = 0; i < 8; i++)
        p->timers[i] = (struct itimerspec){{0, waits[i][0]}, {0, waits[i][1]}};
    for (unsigned i = 0; i < 4; i++) {
        p->intervals[i] = (struct itimerval){{0, i & 1 ? 50000 : 0}, {0, i & 2 ? 2000 : 0}};
        p->events[i].sigev_notify = i == 3 ? SIGEV_NONE : SIGEV_SIGNAL;
        p->events[i].sigev_signo = i == 0 ? SIGALRM : SIGRTMIN + (int)i;
        p->open_how[i][0] = 0x42 | (i & 1 ? 0x80000 : 0); /* O_RDWR, O_CREAT, O_CLOEXEC */
        p->open_how[i][1] = 0666;
        p->open_how[i][2] = i * 4; /* RESOLVE_… */
        p->sched_attrs[i].size = 48;
        p->sched_attrs[i].policy = i == 3 ? 1 : i;
        p->sched_attrs[i].priority = i == 1 || i == 3;
        p->sched_attrs[i].nice = (int)i;
    }
    for (unsigned i = 0; i < 2; i++)
        p->cap_headers[i].version = i ? 0x19980330 : 0x20080522;
    memset(p->all_caps, 0xff, sizeof(p->all_caps));
    p->xattr_args[0] = DATA_BASE;
    p->xattr_args[1] = 16;
    p->wall.tv_sec = 1800000000;
    p->robust_head[0] = (unsigned long)p->robust_head; /* empty: points to itself */
    memcpy(p->names, names, sizeof(names));
    memcpy(p->tmpfs, "tmpfs", 6);
    mprotect(p, 4096, PROT_READ);
}

/* In the second half of the thread's stage; the first is calls_ipc.c's. */
struct known_stage {
    struct iovec iov[4];
    struct futex_waitv waiters[4];
    int64_t offset;
    struct timespec deadline;
};
_Static_assert(sizeof(struct known_stage) <= STAGE_SIZE / 2, "half of it");

static struct known_stage *stage_of(const struct fuzz_thread *t)
{
    return (struct known_stage *)(STAGES_BASE + t->index * STAGE_SIZE + STAGE_SIZE / 2);
}

static unsigned long vectors(struct fuzz_thread *t)
{
    struct known_stage *s = stage_of(t);

    for (unsigned i = 0; i < 4; i++)
        s->iov[i] = (struct iovec){(void *)(DATA_BASE + (below(t, 65536) & ~7UL)),
                                   one_in(t, 8) ? below(t, 200000) : below(t, 6000)};
    return (unsigned long)s->iov;
}

static unsigned long waiters(struct fuzz_thread *t)
{
    struct known_stage *s = stage_of(t);

    for (unsigned i = 0; i < 4; i++)
        s->waiters[i] = (struct futex_waitv){.val = below(t, 3),
                                             .uaddr = DATA_BASE + below(t, 6) * 4,
                                             .flags = FUTEX_32 | (one_in(t, 2) ? 128 : 0)};
    return (unsigned long)s->waiters;
}

/* Few, so that what one call sets another finds. */
static unsigned long name(struct fuzz_thread *t)
{
    return (unsigned long)PAGE->names[one_in(t, 4) ? below(t, 8) : below(t, 2)];
}

static unsigned long structure(struct fuzz_thread *t, enum kind kind)
{
    switch (kind) {
    case K_IOV:
    case K_IOVO:
        return vectors(t);
    case K_WAITV:
        return waiters(t);
    case K_ITIMERSPEC:
        return (unsigned long)&PAGE->timers[below(t, 8)];
    case K_ITIMERVAL:
        return (unsigned long)&PAGE->intervals[below(t, 4)];
    case K_SIGEVENT:
        return one_in(t, 3) ? 0 : (unsigned long)&PAGE->events[below(t, 4)];
    case K_CAPHDR:
        return (unsigned long)&PAGE->cap_headers[below(t, 2)];
    case K_CAPDATA: /* what is given up never comes back */
        return (unsigned long)PAGE->all_caps;
    case K_OPENHOW:
        return (unsigned long)PAGE->open_how[below(t, 4)];
    case K_SCHEDATTR:
        return (unsigned long)&PAGE->sched_attrs[below(t, 4)];
    case K_LOFFP:
    case K_LOFFPI:
        stage_of(t)->offset = (int64_t)below(t, 20000);
        return one_in(t, 2) ? 0 : (unsigned long)&stage_of(t)->offset;
    case K_STRING:
        return name(t);
    default:
        return 0;
    }
}

/* --- by the argument's name ------------------------------------------------------------------------------------------ */

static const struct wish {
    const char *call; /* how its name begins */
    const char *arg;
    enum { NUMBER, DESCRIPTOR, NAME, WAITERS, ADDRESS } what;
    unsigned long first,
        count; /* NUMBER: [first, first + count); DESCRIPTOR: the class; ADDRESS: bytes apart */
} wishes[] = {
    {"epoll_", "epfd", DESCRIPTOR, FD_EPOLL, 0},
    {"epoll_", "maxevents", NUMBER, 1, 10},
    {"timerfd_", "fd", DESCRIPTOR, FD_TIMER, 0},
    {"inotify_", "fd", DESCRIPTOR, FD_INOTIFY, 0},
    {"inotify_", "wd", NUMBER, 1, 12},
    {"accept", "sockfd", DESCRIPTOR, FD_LISTENER, 0},
    {"fallocate", "fd", DESCRIPTOR, FD_FILE, 0},
    {"fallocate", "offset", NUMBER, 0, 100000},
    {"fallocate", "len", NUMBER, 1, 100000},
    {"ftruncate", "fd", DESCRIPTOR, FD_FILE, 0},
    {"sync_file_range", "fd", DESCRIPTOR, FD_FILE, 0},
    {"copy_file_range", "fd_in", DESCRIPTOR, FD_FILE, 0},
    {"copy_file_range", "fd_out", DESCRIPTOR, FD_FILE, 0},
    {"copy_file_range", "flags", NUMBER, 0, 1},
    {"sendfile", "in_fd", DESCRIPTOR, FD_FILE, 0},
    {"p", "fd", DESCRIPTOR, FD_FILE, 0}, /* pread64 and its like */
    {"mmap", "fd", DESCRIPTOR, FD_FILE, 0},
    {"f", "fd", DESCRIPTOR, FD_FILE, 0}, /* fsetxattr, flock… */
    {"splice", "fd_in", DESCRIPTOR, FD_PIPE, 0},
    {"tee", "fd_in", DESCRIPTOR, FD_PIPE, 0},
    {"tee", "fd_out", DESCRIPTOR, FD_PIPE, 0},
    {"vmsplice", "fd", DESCRIPTOR, FD_PIPE, 0},
    {"signalfd", "fd", NUMBER, -1UL, 1},
    {"", "iovcnt", NUMBER, 0, 5},
    {"", "nr_segs", NUMBER, 0, 5},
    {"", "liovcnt", NUMBER, 1, 4},
    {"", "riovcnt", NUMBER, 1, 4},
    {"", "at_flags", NUMBER, 0, 1},
    {"openat2", "size", NUMBER, 24, 1},
    {"sched_getattr", "size", NUMBER, 48, 100},
    {"sched_getattr", "flags", NUMBER, 0, 1},
    {"process_vm", "flags", NUMBER, 0, 1},
    {"mount", "fstype", ADDRESS, offsetof(struct known_page, tmpfs), 0},
    {"mount", "mountflags", NUMBER, 0, 1},
    {"mount", "data", NUMBER, 0, 1},
    {"linkat", "flags", NUMBER, 0, 1},
    {"setxattrat", "name", NAME, 0, 0},
    {"getxattrat", "name", NAME, 0, 0},
    {"removexattrat", "name", NAME, 0, 0},
    {"setxattrat", "args", ADDRESS, offsetof(struct known_page, xattr_args), 0},
    {"getxattrat", "args", ADDRESS, offsetof(struct known_page, xattr_args), 0},
    {"setxattrat", "size", NUMBER, 16, 1},
    {"getxattrat", "size", NUMBER, 16, 1},
    {"timer_", "timerid", NUMBER, 0, 8},
    {"clock_settime", "clockid", NUMBER, 0, 1},
    {"clock_settime", "tp", ADDRESS, offsetof(struct known_page, wall), 0},
    {"set_robust_list", "head", ADDRESS, offsetof(struct known_page, robust_head), 0},
    {"set_robust_list", "len", NUMBER, 24, 1},
    {"kcmp", "type", NUMBER, 0, 7},
    {"kcmp", "pid1", NUMBER, 1, 1},
    {"kcmp", "pid2", NUMBER, 1, 1},
    {"ioprio_", "which", NUMBER, 1, 3},
    {"ioprio_", "ioprio", NUMBER, 2 << 13, 8},
    {"futex_wa", "flags", NUMBER, 2, 1},
    {"futex_wa", "uaddr", ADDRESS, DATA_BASE - FIXED_BASE - PAGE_KNOWN * 4096UL, 4},
    {"futex_wa", "mask", NUMBER, -1UL, 1},
    {"futex_wa", "val", NUMBER, 0, 2},
    {"futex_waitv", "flags", NUMBER, 0, 1},
    {"futex_waitv", "nr_futexes", NUMBER, 1, 4},
    {"futex_requeue", "waiters", WAITERS, 0, 0},
    {"futex_requeue", "flags", NUMBER, 0, 1},
    {"futex_requeue", "nr_", NUMBER, 0, 4},
};

static unsigned long grant(struct fuzz_thread *t, const struct wish *w)
{
    switch (w->what) {
    case NUMBER:
        return w->first + below(t, w->count);
    case DESCRIPTOR:
        return (unsigned long)fds[w->first][below(t, 8)];
    case NAME:
        return name(t);
    case WAITERS:
        return waiters(t);
    default:
        return (unsigned long)PAGE + w->first + (w->count ? w->count * below(t, 6) : 0);
    }
}

static const struct wish *wish_for(const struct call *c, unsigned i)
{
    const struct wish *found = NULL;

    for (unsigned n = 0; n < sizeof(wishes) / sizeof(wishes[0]); n++) {
        const struct wish *w = &wishes[n];
        if (!strncmp(c->name, w->call, strlen(w->call)) &&
            !strncmp(c->arg[i], w->arg, strlen(w->arg)) &&
            (!found || found->call[0] == '\0' || strlen(w->call) > strlen(found->call)))
            found = w;
    }
    return found;
}

/* No signal ends the wait for a priority-inheriting futex, and its word may name a thread that will never let it go:
 * such a wait has an end. */
static void end_pi_wait(struct fuzz_thread *t, unsigned long a[])
{
    struct timespec *end = &stage_of(t)->deadline;
    unsigned op = a[1] & FUTEX_CMD_MASK;

    if (op != FUTEX_LOCK_PI && op != FUTEX_LOCK_PI2 && op != FUTEX_WAIT_REQUEUE_PI)
        return;
    bool is_wall = op == FUTEX_LOCK_PI || a[1] & FUTEX_CLOCK_REALTIME;
    RAW(SYS_clock_gettime, is_wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, (unsigned long)end);
    end->tv_nsec += (long)below(t, 40000000);
    if (end->tv_nsec >= 1000000000) {
        end->tv_nsec -= 1000000000;
        end->tv_sec++;
    }
    a[3] = (unsigned long)end;
}

void known_bend(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    for (unsigned i = 0; i < c->argc; i++) {
        const struct wish *w = wish_for(c, i);
        unsigned long at = structure(t, c->kind[i]);
        bool may_be_null =
            c->kind[i] == K_SIGEVENT || c->kind[i] == K_LOFFP || c->kind[i] == K_LOFFPI;
        if (c->kind[i] == K_CAPDATA)
            a[i] = at;
        else if (w && !one_in(t, 8))
            a[i] = grant(t, w);
        else if ((at || may_be_null) && !one_in(t, 8))
            a[i] = at;
    }
    if (!strcmp(c->name, "futex"))
        end_pi_wait(t, a);
}
