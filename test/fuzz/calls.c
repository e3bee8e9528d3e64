/* The call fuzzer: several threads make random calls, hostile ones among them, until the time is over.
 *
 *   calls [--seed N] [--seconds N] [--threads N] [--calls N] [--generations N] [--print] [--report]
 *
 * It runs in generations: each starts from a fresh set of files, descriptors and mappings, and its threads' choices
 * follow from the seed and its number alone.  Between generations everything is given back, so that the kernel can
 * tell at the end whether it got back all its memory.  A supervisor wakes threads that sleep.
 *
 * Ends with 0; 3: a thread crashed that did nothing wrong; 5: a thread did not come back from a call. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS    20000000L /* how often the supervisor looks */
#define PATIENCE_S 120       /* no thread moves: something hangs */
#define SLOW_S     10        /* a generation takes long: --report says what it does */

struct fuzz_thread threads[MAX_THREADS];
unsigned nr_threads = 6;
static bool has_ended[MAX_THREADS];

static struct {
    unsigned long seed, seconds, calls, generations;
    bool print, report;
} options = {.seed = 1, .seconds = 10, .calls = 2000, .generations = ~0UL};

void say(const char *format, ...)
{
    char line[400];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    RAW(SYS_write, OWN_FD, (unsigned long)line, (unsigned long)n);
}

static void say_call(const struct fuzz_thread *t)
{
    const unsigned long *a = t->args;

    say("thread %u, call %lu: %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n", t->index, t->done,
        t->now ? t->now->name : "none", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void say_all(void)
{
    for (unsigned i = 0; i < MAX_THREADS; i++)
        if (threads[i].tid)
            say_call(&threads[i]);
}

/* --- signals -------------------------------------------------------------------------------------------- */

static void on_signal(int sig, void *info, void *context)
{
    const siginfo_t *i = info;
    const ucontext_t *c = context;
    bool is_fault =
        sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;

    if (!is_fault || i->si_code <= 0)
        return;
    say("signal %d, code %d, address %p, at %#llx\n", sig, i->si_code, i->si_addr,
        c->uc_mcontext.gregs[REG_RIP]);
    say_all();
    RAW(SYS_exit_group, 3);
}

void restorer(void);
__asm__(".globl restorer\nrestorer: movl $15, %eax\nsyscall\n");

static void own_all_signals(void)
{
    struct {
        void (*handler)(int, void *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {on_signal, SA_SIGINFO | 0x04000000, restorer, 0};
    const uint64_t none = 0;

    for (unsigned long sig = 1; sig <= 64; sig++)
        RAW(SYS_rt_sigaction, sig, (unsigned long)&action, 0, 8);
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, (unsigned long)&none, 0, 8);
}

/* --- threads ---------------------------------------------------------------------------------------------- */

static _Noreturn void thread_main(struct fuzz_thread *t);

/* Starts thread_main(t) on its own stack. */
long start_raw(unsigned long flags, void *stack, int *parent_tid, int *child_tid,
               struct fuzz_thread *t, void (*entry)(struct fuzz_thread *));
__asm__(".globl start_raw\n"
        "start_raw:\n"
        "    pushq %r12\n" /* the new thread finds its argument and entry in these two */
        "    pushq %r13\n"
        "    movq %rcx, %r10\n" /* child_tid */
        "    movq %r8, %r12\n"
        "    movq %r9, %r13\n"
        "    xorl %r8d, %r8d\n"
        "    movl $56, %eax\n"
        "    syscall\n"
        "    testq %rax, %rax\n"
        "    jz 1f\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    ret\n"
        "1:  xorl %ebp, %ebp\n"
        "    movq %r12, %rdi\n"
        "    callq *%r13\n"
        "    hlt\n");

static long start(struct fuzz_thread *t)
{
    const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    char *stack = (char *)STACKS_BASE + (t->index + 1) * THREAD_STACK;

    t->done = t->seen = 0;
    t->now = NULL;
    has_ended[t->index] = false;
    return start_raw(flags, stack, &t->tid, &t->tid, t, thread_main);
}

/* A short-lived thread, in a place that none uses. */
static void start_short(struct fuzz_thread *parent)
{
    unsigned n = nr_threads + (unsigned)below(parent, MAX_THREADS - nr_threads);
    struct fuzz_thread *t = &threads[n];
    int none = 0;

    if (!__atomic_compare_exchange_n(&t->tid, &none, -1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    t->random = draw(parent);
    t->budget = 1 + below(parent, 8);
    long result = start(t);
    if (result < 0)
        __atomic_store_n(&t->tid, 0, __ATOMIC_RELEASE);
}

static void scribble(struct fuzz_thread *t)
{
    volatile uint64_t *at = (volatile uint64_t *)(DATA_BASE + (below(t, 65536) & ~7UL));

    switch (below(t, 5)) {
    case 0:
        *at = draw(t);
        break;
    case 1:
        *at = DATA_BASE + (below(t, 65536) & ~7UL);
        break;
    case 2:
        *at = below(t, 64) | below(t, 64) << 32;
        break;
    default:
        *at = below(t, 3) ? below(t, 5000) : 0;
    }
}

static _Noreturn void thread_main(struct fuzz_thread *t)
{
    stack_t alt = {.ss_sp = (char *)STACKS_BASE + MAX_THREADS * THREAD_STACK + t->index * ALT_SIZE,
                   .ss_size = ALT_SIZE};

    RAW(SYS_sigaltstack, (unsigned long)&alt, 0);
    while (t->done < t->budget) {
        args_choose(t);
        if (options.print)
            say_call(t);
        uint64_t start = __builtin_ia32_rdtsc();
        long result = raw_call(call_number(t->now), t->args);
        report_count(t, result, __builtin_ia32_rdtsc() - start);
        args_settle(t, result);
        scribble(t);
        if (t->index < nr_threads && one_in(t, 100))
            start_short(t);
        __atomic_store_n(&t->done, t->done + 1, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&has_ended[t->index], true, __ATOMIC_RELEASE);
    for (;;)
        RAW(SYS_exit, 0);
}

/* --- the world of a generation -------------------------------------------------------------------------------- */

static void *place(unsigned long at, size_t size)
{
    void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED) {
        say("cannot map %#lx: %m\n", at);
        _exit(2);
    }
    return p;
}

/* Each as far as it goes: earlier calls may have used up what they need, which is as good a start. */
static void open_files(void)
{
    static const char *const names[] = {"a",         "b",
                                        "c",         "l",
                                        "d/f",       "/dev/null",
                                        "/dev/zero", "/dev/urandom",
                                        "/dev/full", "/proc/self/maps"};
    uint64_t mask = ~(1UL << (WAKE_SIGNAL - 1) | 1UL << (SIGSEGV - 1));
    int two[2];

    mkdir("d", 0777);
    mkdir("d/e", 0777);
    mkdir("n", 0777);
    mkfifo("p", 0666);
    symlink("a", "l");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        known_fd(i < 5 ? "creat" : "", open(names[i], O_RDWR | (i < 5 ? O_CREAT : 0), 0666));
    open(".", O_RDONLY | O_DIRECTORY);
    open("d", O_RDONLY | O_DIRECTORY);
    open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    open("/dev/tty", O_RDWR | O_NONBLOCK);
    open("p", O_RDWR | O_NONBLOCK);
    for (int i = 0; i < 4; i++) {
        if (pipe2(two, i & 1 ? O_NONBLOCK : 0) < 0)
            break;
        known_fd("pipe", two[0]);
        known_fd("pipe", two[1]);
    }
    known_fd("memfd_create", memfd_create("m", MFD_ALLOW_SEALING));
    known_fd("memfd_create", memfd_create("m2", 0));
    for (int i = 0; i < 3; i++) {
        eventfd(0, i & 1 ? EFD_NONBLOCK : EFD_SEMAPHORE);
        known_fd("epoll_create1", epoll_create1(0));
        known_fd("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
        RAW(SYS_signalfd4, -1UL, (unsigned long)&mask, 8, i & 1 ? SFD_NONBLOCK : 0);
        known_fd("inotify_init1", inotify_init1(i & 1 ? IN_NONBLOCK : 0));
    }
    ipc_open();
}

struct directory_entry {
    uint64_t ino;
    int64_t off;
    unsigned short length;
    unsigned char type;
    char name[];
};

static void delete_tree(int dir);

/* True when it is gone. */
static bool delete_entry(int dir, const char *name)
{
    fchdir(dir);
    while (umount2(name, MNT_DETACH) == 0) {
    }
    if (unlinkat(dir, name, 0) == 0)
        return true;
    int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (sub >= 0) {
        delete_tree(sub);
        close(sub);
    }
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
        return true;
    say("%s stays: %m\n", name);
    return false;
}

static void delete_tree(int dir)
{
    char buf[2048];
    bool has_deleted;

    do {
        has_deleted = false;
        lseek(dir, 0, SEEK_SET);
        long n = syscall(SYS_getdents64, dir, buf, sizeof(buf));
        for (long at = 0; at < n;) {
            struct directory_entry *entry = (struct directory_entry *)(buf + at);
            at += entry->length;
            if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
                has_deleted |= delete_entry(dir, entry->name);
        }
    } while (has_deleted);
}

static void reset_limits(void)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, files = {1024, 4096}, queued = {1024, 1024};

    for (int i = 0; i < RLIM_NLIMITS; i++)
        setrlimit(i, i == RLIMIT_NOFILE ? &files : i == RLIMIT_SIGPENDING ? &queued : &all);
}

static int root_dir;
static unsigned long first_brk;

static void give_all_back(void)
{
    struct itimerval never = {0};

    RAW(SYS_close_range, FIRST_FD, OWN_FD - 1, 0);
    RAW(SYS_close_range, OWN_FD + 2, ~0U, 0);
    for (int which = 0; which < 3; which++)
        setitimer(which, &never, NULL);
    for (unsigned long id = 0, misses = 0; misses < 100; id++)
        misses = RAW(SYS_timer_delete, id) ? misses + 1 : 0;
    ipc_give_back();
    own_all_signals();
    reset_limits();
    munlockall();
    umask(0);
    RAW(SYS_brk, first_brk);
    munmap((void *)ARENA_BASE, ARENA_SIZE);
    root_dir = OWN_FD + 1;
    delete_tree(root_dir);
    fchdir(root_dir);
}

static void begin(unsigned long generation)
{
    struct fuzz_thread t = {.random = options.seed * 1000003 + generation};

    give_all_back();
    place(ARENA_BASE, ARENA_SIZE);
    open_files();
    for (int i = 0; i < 5000; i++)
        scribble(&t);
    for (unsigned i = 0; i < nr_threads; i++) {
        threads[i].random = draw(&t);
        threads[i].budget = options.calls;
        long result = start(&threads[i]);
        if (result < 0) {
            say("clone: %ld\n", result);
            _exit(2);
        }
    }
}

/* --- the supervisor ----------------------------------------------------------------------------------------- */

/* Has this one ended, or never been?  A call may have moved the address that the kernel clears at the end. */
static bool is_gone(struct fuzz_thread *t)
{
    int tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE);

    if (tid == 0)
        return true;
    if (tid < 0 || !__atomic_load_n(&has_ended[t->index], __ATOMIC_ACQUIRE) ||
        RAW(SYS_tgkill, (unsigned long)getpid(), (unsigned long)tid, 0) != -ESRCH)
        return false;
    __atomic_compare_exchange_n(&t->tid, &tid, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    return true;
}

/* Wakes those that have not moved; true when any has. */
static bool look(bool *all_gone)
{
    bool has_moved = false;

    *all_gone = true;
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        struct fuzz_thread *t = &threads[i];
        if (is_gone(t))
            continue;
        *all_gone = false;
        unsigned long done = __atomic_load_n(&t->done, __ATOMIC_RELAXED);
        if (done != t->seen || has_ended[i])
            has_moved = true;
        else if (t->tid > 0)
            RAW(SYS_tgkill, (unsigned long)getpid(), (unsigned long)t->tid, WAKE_SIGNAL);
        t->seen = done;
    }
    return has_moved;
}

static long now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void supervise(unsigned long generation)
{
    const struct timespec pause = {0, LOOK_NS};
    long moved = now_s(), slow = now_s() + SLOW_S;
    bool all_gone, has_said = false;

    do {
        nanosleep(&pause, NULL);
        if (look(&all_gone)) {
            moved = now_s();
            has_said = false;
        }
        if (now_s() - moved > PATIENCE_S / 2 && !has_said) {
            say("seed %lu, generation %lu: no thread moves\n", options.seed, generation);
            has_said = true;
        }
        if (now_s() - moved > PATIENCE_S) {
            say("seed %lu, generation %lu: threads do not come back\n", options.seed, generation);
            say_all();
            _exit(5);
        }
        if (options.report && now_s() > slow) {
            say("seed %lu, generation %lu: slow\n", options.seed, generation);
            say_all();
            slow = now_s() + SLOW_S;
        }
    } while (!all_gone);
}

/* --- main ---------------------------------------------------------------------------------------------------- */

static void parse(char **argv)
{
    for (; *argv; argv++) {
        if (!strcmp(*argv, "--print")) {
            options.print = true;
            continue;
        }
        if (!strcmp(*argv, "--report")) {
            options.report = true;
            continue;
        }
        unsigned long value = argv[1] ? strtoul(argv[1], NULL, 0) : 0;
        if (argv[1] && !strcmp(*argv, "--seed"))
            options.seed = value;
        else if (argv[1] && !strcmp(*argv, "--seconds"))
            options.seconds = value;
        else if (argv[1] && !strcmp(*argv, "--calls"))
            options.calls = value;
        else if (argv[1] && !strcmp(*argv, "--generations"))
            options.generations = value;
        else if (argv[1] && !strcmp(*argv, "--threads") && value > 0 && value < MAX_THREADS)
            nr_threads = (unsigned)value;
        else {
            fprintf(stderr, "calls: what is %s?\n", *argv);
            exit(2);
        }
        argv++;
    }
}

/* On a machine that matters it would do damage. */
static void check_system(void)
{
    char text[200] = "";
    int fd = open("/proc/version", O_RDONLY);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || !strstr(text, "yolk@yolk")) {
        fprintf(stderr, "calls: runs in the guest only\n");
        exit(2);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    unsigned long generation = 0;

    (void)argc;
    parse(argv + 1);
    check_system();
    dup2(1, OWN_FD);
    mkdir("/tmp", 0777);
    mkdir("/tmp/calls", 0777);
    root_dir = open("/tmp/calls", O_RDONLY | O_DIRECTORY);
    dup2(root_dir, OWN_FD + 1);
    first_brk = (unsigned long)RAW(SYS_brk, 0);
    place(DATA_BASE, DATA_SIZE);
    place(FIXED_BASE, NR_FIXED * 4096);
    place(STACKS_BASE, MAX_THREADS * (THREAD_STACK + ALT_SIZE));
    args_init((void *)restorer, on_signal);
    for (unsigned i = 0; i < MAX_THREADS; i++)
        threads[i].index = i;
    long end = now_s() + (long)options.seconds;
    for (; generation < options.generations && now_s() < end; generation++) {
        if (options.print)
            say("generation %lu\n", generation);
        begin(generation);
        supervise(generation);
    }
    give_all_back();
    fchdir(OWN_FD);
    chdir("/");
    rmdir("/tmp/calls");
    if (options.report)
        report_say();
    say("seed %lu: %lu generations of %u threads, %lu calls each\n", options.seed, generation,
        nr_threads, options.calls);
    return 0;
}
