/* sources: syscalls/table.c syscalls/custom/none/none.c syscalls/trace/basic.c syscalls/trace/cmd.c syscalls/trace/file.c syscalls/trace/flags.c syscalls/trace/format.c syscalls/trace/i386.c syscalls/trace/ioctl.c syscalls/trace/ipc.c syscalls/trace/net.c syscalls/trace/out.c syscalls/trace/process.c syscalls/trace/read.c syscalls/trace/select.c syscalls/trace/signal.c syscalls/trace/structs.c syscalls/trace/subcall.c syscalls/trace/time.c */
/* The decoder of traces: what it prints is what strace 6.1 prints on Linux for the same call; every expected line below
 * was taken from it.  Memory is this process's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <syscalls/trace.h>

#include <cmocka.h>

static struct trace_options options;
static char line[1 << 16];
static uint8_t scratch[1 << 16];
static const void *gone; /* an address that cannot be read */
static size_t most_read; /* by one call of read */

/* The decoder reads strings in pieces, beyond what the object here holds: that is a program's right in its own pages. */
__attribute__((no_sanitize("address"))) static void copy(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile uint8_t *)dst)[i] = src[i];
}

static size_t read_own(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    (void)t;
    if (n > most_read)
        most_read = n;
    if (addr < 4096 || addr == (uint64_t)gone)
        return 0;
    if (dst)
        copy(dst, (const uint8_t *)addr, n);
    return n;
}

static struct trace begin(enum row row, int64_t ret, const uint64_t arg[6])
{
    struct trace t = {.sc = &syscalls[row],
                      .options = &options,
                      .read = read_own,
                      .ret = ret,
                      .out = line,
                      .size = sizeof(line),
                      .scratch = scratch};

    memcpy(t.arg, arg, sizeof(t.arg));
    *line = 0;
    return t;
}

/* The whole line with one space before the result. */
static const char *show(enum row row, int64_t ret, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                        uint64_t e, uint64_t f)
{
    const uint64_t arg[6] = {a, b, c, d, e, f};
    struct trace t = begin(row, ret, arg);

    trace_enter(&t);
    trace_leave_args(&t);
    t.len += (size_t)sprintf(line + t.len, " = ");
    trace_result(&t);
    return line;
}
#define P(x)                 ((uint64_t)(x))
#define SHOW(name, ret, ...) show(ROW_##name, ret, __VA_ARGS__)

static void prints_numbers_flags_and_strings(void **state)
{
    (void)state;
    assert_string_equal(SHOW(openat, 3, (uint64_t)-100, P("/etc/passwd"), 02000000, 0, 0, 0),
                        "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3");
    assert_string_equal(
        SHOW(openat, -2, (uint64_t)-100, P("x"), 0102, 0644, 0, 0),
        "openat(AT_FDCWD, \"x\", O_RDWR|O_CREAT, 0644) = -1 ENOENT (No such file or directory)");
    assert_string_equal(SHOW(mmap, 0x7f0000000000, 0, 8192, 3, 0x22, (uint64_t)-1, 0),
                        "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) "
                        "= 0x7f0000000000");
    assert_string_equal(SHOW(write, 5, 1,
                             P("a\n\"\\\1"
                               "7"),
                             6, 0, 0, 0),
                        "write(1, \"a\\n\\\"\\\\\\0017\", 6) = 5");
    assert_string_equal(SHOW(close, -9, 77, 0, 0, 0, 0, 0),
                        "close(77) = -1 EBADF (Bad file descriptor)");
    assert_string_equal(SHOW(umask, 022, 0, 0, 0, 0, 0, 0), "umask(000) = 022");
    assert_string_equal(SHOW(kill, 0, 1, 0, 0, 0, 0, 0), "kill(1, 0) = 0");
    assert_string_equal(
        SHOW(read, -512, 0, 0x10000, 5, 0, 0, 0),
        "read(0, 0x10000, 5) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
}

static void cuts_long_strings(void **state)
{
    char text[4097];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[4096] = 0;
    assert_string_equal(SHOW(write, 40, 1, P(text), 40, 0, 0, 0),
                        "write(1, \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..., 40) = 40");
    text[33] = 0;
    assert_string_equal(
        SHOW(setxattr, 0, P("f"), P(text), P("v"), 1, 0, 0),
        "setxattr(\"f\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..., \"v\", 1, 0) = 0");
    text[32] = 0;
    assert_string_equal(SHOW(setxattr, 0, P("f"), P(text), P("v"), 1, 0, 0),
                        "setxattr(\"f\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"v\", 1, 0) = 0");
}

static void shows_addresses_that_cannot_be_read(void **state)
{
    (void)state;
    assert_string_equal(SHOW(unlink, -14, 8, 0, 0, 0, 0, 0),
                        "unlink(0x8) = -1 EFAULT (Bad address)");
    assert_string_equal(SHOW(unlink, -14, 0, 0, 0, 0, 0, 0),
                        "unlink(NULL) = -1 EFAULT (Bad address)");
    assert_string_equal(SHOW(pipe, -14, 8, 0, 0, 0, 0, 0), "pipe(0x8) = -1 EFAULT (Bad address)");
}

static void prints_structures(void **state)
{
    static const int64_t half[2] = {0, 500000000}, times[4] = {0, 0, 1, 500000};
    static const int fds[2] = {3, 4};
    static const uint64_t mask = 1 << 1 | 1 << 9, nearly_all = ~3UL;
    static const uint64_t action[4] = {1, 0x14000000, 0x401000, 0};

    (void)state;
    assert_string_equal(SHOW(nanosleep, 0, P(half), 0, 0, 0, 0, 0),
                        "nanosleep({tv_sec=0, tv_nsec=500000000}, NULL) = 0");
    assert_string_equal(SHOW(setitimer, 0, 0, P(times), 0, 0, 0, 0),
                        "setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, "
                        "it_value={tv_sec=1, tv_usec=500000}}, "
                        "NULL) = 0");
    assert_string_equal(SHOW(pipe2, 0, P(fds), 02000000, 0, 0, 0, 0),
                        "pipe2([3, 4], O_CLOEXEC) = 0");
    assert_string_equal(SHOW(rt_sigprocmask, 0, 0, P(&mask), 0, 8, 0, 0),
                        "rt_sigprocmask(SIG_BLOCK, [INT USR1], NULL, 8) = 0");
    assert_string_equal(SHOW(rt_sigprocmask, 0, 2, P(&nearly_all), 0, 8, 0, 0),
                        "rt_sigprocmask(SIG_SETMASK, ~[HUP INT], NULL, 8) = 0");
    assert_string_equal(SHOW(rt_sigaction, 0, 13, P(action), 0, 8, 0, 0),
                        "rt_sigaction(SIGPIPE, {sa_handler=SIG_IGN, sa_mask=[], "
                        "sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x401000}, NULL, 8) = 0");
}

static void knows_what_depends_on_a_command(void **state)
{
    static const uint32_t word;

    (void)state;
    assert_string_equal(SHOW(fcntl, 0x8002, 3, 3, 0, 0, 0, 0),
                        "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)");
    assert_string_equal(SHOW(fcntl, 0, 3, 2, 1, 0, 0, 0), "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
    assert_string_equal(SHOW(fcntl, 1, 3, 1, 0, 0, 0, 0),
                        "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)");
    char expected[100];
    snprintf(expected, sizeof(expected), "futex(%p, FUTEX_WAKE_PRIVATE, 1) = 0", (void *)&word);
    assert_string_equal(SHOW(futex, 0, P(&word), 129, 1, 0, 0, 0), expected);
    assert_string_equal(SHOW(prctl, 1, 3, 0, 0, 0, 0, 0),
                        "prctl(PR_GET_DUMPABLE) = 1 (SUID_DUMP_USER)");
    assert_string_equal(SHOW(arch_prctl, 0, 0x1002, 0x4000, 0, 0, 0, 0),
                        "arch_prctl(ARCH_SET_FS, 0x4000) = 0");
}

static void splits_a_line_where_strace_does(void **state)
{
    static const int64_t second[2] = {1, 0};
    struct trace t = begin(ROW_read, 3, (const uint64_t[]){0, P("abc"), 10, 0, 0, 0});

    (void)state;
    trace_enter(&t);
    assert_string_equal(line, "read(0, ");
    t.len = 0;
    trace_leave_args(&t);
    assert_string_equal(line, "\"abc\", 10)");
    t = begin(ROW_nanosleep, 0, (const uint64_t[]){P(second), 0, 0, 0, 0, 0});
    trace_enter(&t);
    assert_string_equal(line, "nanosleep({tv_sec=1, tv_nsec=0}, ");
}

/* The kernel runs the decoder without an output: it must ask for the same memory. */
static void asks_for_the_same_without_an_output(void **state)
{
    struct trace t = begin(ROW_write, 5, (const uint64_t[]){1, P("hello"), 5, 0, 0, 0});

    (void)state;
    t.out = NULL;
    t.scratch = NULL;
    most_read = 0;
    trace_enter(&t);
    assert_int_equal(most_read, 5);
}

static void never_writes_beyond_its_buffer(void **state)
{
    char small[20], text[64];
    struct trace t = begin(ROW_write, 5, (const uint64_t[]){1, P(text), 64, 0, 0, 0});

    (void)state;
    memset(text, 1, sizeof(text));
    memset(small, '#', sizeof(small));
    t.out = small;
    t.size = 10;
    trace_enter(&t);
    assert_int_equal(strlen(small), 9);
    assert_int_equal(small[10], '#');
}

static void selects_calls(void **state)
{
    struct trace_set set;
    const char *bad;
    size_t len;

    (void)state;
    assert_int_equal(trace_select(&set, "open,close", &bad, &len), 0);
    assert_true(set.rows[ROW_open] && set.rows[ROW_close] && !set.rows[ROW_read]);
    assert_int_equal(trace_select(&set, "!%memory,read", &bad, &len), 0);
    assert_true(!set.rows[ROW_mmap] && !set.rows[ROW_read] && set.rows[ROW_write]);
    assert_int_equal(trace_select(&set, "%file", &bad, &len), 0);
    assert_true(set.rows[ROW_openat] && set.rows[ROW_getcwd] && !set.rows[ROW_write]);
    assert_int_equal(trace_select(&set, "%desc", &bad, &len), 0);
    assert_true(set.rows[ROW_write] && set.rows[ROW_mmap] && set.rows[ROW_poll] &&
                !set.rows[ROW_connect]);
    assert_int_equal(trace_select(&set, "none", &bad, &len), 0);
    assert_true(!set.rows[ROW_write]);
    assert_int_equal(trace_select(&set, "read,opne", &bad, &len), -1);
    assert_int_equal(len, 4);
    assert_memory_equal(bad, "opne", 4);
    assert_int_equal(trace_select(&set, "?opne", &bad, &len), 0);
}

static void selects_signals(void **state)
{
    const char *bad;
    uint64_t set;
    size_t len;

    (void)state;
    assert_int_equal(trace_select_signals(&set, "SIGINT,term", &bad, &len), -1);
    assert_int_equal(trace_select_signals(&set, "SIGINT,TERM", &bad, &len), 0);
    assert_int_equal(set, 1 << 1 | 1 << 14);
    assert_int_equal(trace_select_signals(&set, "!INT", &bad, &len), 0);
    assert_int_equal(set, ~2UL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_numbers_flags_and_strings),
        cmocka_unit_test(cuts_long_strings),
        cmocka_unit_test(shows_addresses_that_cannot_be_read),
        cmocka_unit_test(prints_structures),
        cmocka_unit_test(knows_what_depends_on_a_command),
        cmocka_unit_test(splits_a_line_where_strace_does),
        cmocka_unit_test(asks_for_the_same_without_an_output),
        cmocka_unit_test(never_writes_beyond_its_buffer),
        cmocka_unit_test(selects_calls),
        cmocka_unit_test(selects_signals),
    };

    options.strings = TRACE_STRINGS;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
