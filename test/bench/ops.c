/* ops: what one operation costs, for any kernel that runs static Linux programs.
 *
 *     ops NAME|all [ITERATIONS]      measure one operation, or all of them in turn; NAME_: all that begin so
 *     ops list                       the names
 *
 * One line an operation on stdout:
 *
 *     NAME NANOSECONDS     the best of BATCHES batches of ITERATIONS operations each
 *     NAME INSTRUCTIONS    the same, when the machine counts instructions (see below)
 *     NAME -               the kernel cannot do it (why is on stderr)
 *     ops-end              the last line, whatever came before
 *
 * The exit status is 0 when all that were asked for could be measured, 1 when one could not, 2 for a wrong command line.
 * Each operation's usual number of iterations makes a batch last milliseconds; ITERATIONS replaces it.
 *
 * Instructions: under QEMU's `-accel tcg -icount shift=0,sleep=off -smp 1` the time-stamp counter goes up by one with
 * each instruction of the guest, whatever else the host does.  The program finds that out by itself, by timing a loop
 * of known length.  The loop around each operation, 4 to 12 instructions, is part of every figure.
 *
 * Those of TCP use the loopback interface, which they bring up.
 *
 * Files are made in / (ops-file, ops-new), where a kernel without disks keeps them in memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 7
#define PAGE    4096UL
#define MANY    (64UL << 20) /* bytes: the large mapping */

/* --- calls without libc's share ---------------------------------------------------------------- */

static inline long call(long nr, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- the operations ---------------------------------------------------------------------------- */

/* Each has a function that does it `n` times, which answers whether all went well, and perhaps one that prepares. */
#define LOOP(name, good)             \
    static bool name##_loop(long n)  \
    {                                \
        for (long i = 0; i < n; i++) \
            if (!(good))             \
                return false;        \
        return true;                 \
    }

static char buf[2 * PAGE] __attribute__((aligned(4096)));
static int in, out; /* what the current operation reads from and writes to */
static int epoll;
static long my_pid, my_tid;

LOOP(getppid, call(SYS_getppid, 0, 0, 0, 0) >= 0)

static struct timespec stamp;
LOOP(clock_gettime, clock_gettime(CLOCK_MONOTONIC, &stamp) == 0)

LOOP(sched_yield, call(SYS_sched_yield, 0, 0, 0, 0) == 0)

/* Files that move nothing, and a file in memory. */
static bool open_zero(void)
{
    return (in = open("/dev/zero", O_RDONLY)) >= 0;
}
static bool open_null(void)
{
    return (out = open("/dev/null", O_WRONLY)) >= 0;
}
LOOP(read_zero_4k, call(SYS_read, in, (long)buf, PAGE, 0) == PAGE)
LOOP(write_null_4k, call(SYS_write, out, (long)buf, PAGE, 0) == PAGE)

static bool open_file(void)
{
    in = out = open("/ops-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    return in >= 0 && write(in, buf, PAGE) == PAGE;
}
LOOP(pread_4k, call(SYS_pread64, in, (long)buf, PAGE, 0) == PAGE)
LOOP(pwrite_4k, call(SYS_pwrite64, out, (long)buf, PAGE, 0) == PAGE)
LOOP(read_4k,
     call(SYS_lseek, in, 0, SEEK_SET, 0) == 0 && call(SYS_read, in, (long)buf, PAGE, 0) == PAGE)
LOOP(write_4k,
     call(SYS_lseek, out, 0, SEEK_SET, 0) == 0 && call(SYS_write, out, (long)buf, PAGE, 0) == PAGE)

static struct stat status;
LOOP(stat, call(SYS_stat, (long)"/ops-file", (long)&status, 0, 0) == 0)
LOOP(open_close, call(SYS_close, call(SYS_open, (long)"/dev/null", O_RDONLY, 0, 0), 0, 0, 0) == 0)
LOOP(create_unlink,
     call(SYS_close, call(SYS_open, (long)"/ops-new", O_CREAT | O_EXCL | O_WRONLY, 0600, 0), 0, 0,
          0) == 0 &&
         call(SYS_unlink, (long)"/ops-new", 0, 0, 0) == 0)

/* One byte, or one counter, through a channel and back to the same thread. */
static bool open_pipe(void)
{
    int ends[2];
    if (pipe(ends))
        return false;
    in = ends[0];
    out = ends[1];
    return true;
}
static bool open_sockets(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return false;
    in = ends[0];
    out = ends[1];
    return true;
}
static bool open_eventfd(void)
{
    buf[0] = 1; /* what is written: reading a counter of 0 would wait */
    return (in = out = eventfd(0, 0)) >= 0;
}
static bool write_and_read(size_t size)
{
    return call(SYS_write, out, (long)buf, (long)size, 0) == (long)size &&
           call(SYS_read, in, (long)buf, (long)size, 0) == (long)size;
}
LOOP(byte, write_and_read(1))
LOOP(eventfd, write_and_read(8))

static bool watch(void)
{
    struct epoll_event wanted = {.events = EPOLLIN};
    return (epoll = epoll_create1(0)) >= 0 && open_eventfd() &&
           epoll_ctl(epoll, EPOLL_CTL_ADD, in, &wanted) == 0;
}
static bool watch_ready(void)
{
    return watch() && write(out, buf, 8) == 8;
}
static struct epoll_event event;
LOOP(epoll_wait, call(SYS_epoll_wait, epoll, (long)&event, 1, -1) == 1)
LOOP(epoll, call(SYS_write, out, (long)buf, 8, 0) == 8 &&
                call(SYS_epoll_wait, epoll, (long)&event, 1, -1) == 1 &&
                call(SYS_read, in, (long)buf, 8, 0) == 8)

/* Memory. */
static char *area;
static size_t touched;
static bool map_area(void)
{
    touched = 0;
    area = mmap(NULL, MANY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return area != MAP_FAILED;
}
static bool map_small_pages(void)
{
    return map_area() && madvise(area, MANY, MADV_NOHUGEPAGE) == 0;
}
static bool touch_loop(long n)
{
    for (long i = 0; i < n; i++, touched += PAGE) {
        if (touched == MANY) { /* all pages are there: give them back, which is not free but rare */
            if (madvise(area, MANY, MADV_DONTNEED))
                return false;
            touched = 0;
        }
        *(volatile char *)(area + touched) = 1;
    }
    return true;
}
static bool mapped_loop(long n, size_t size)
{
    for (long i = 0; i < n; i++) {
        char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return false;
        for (size_t at = 0; at < size; at += PAGE)
            *(volatile char *)(p + at) = 1;
        if (munmap(p, size))
            return false;
    }
    return true;
}
static bool mmap_64m_loop(long n)
{
    return mapped_loop(n, MANY);
}
static bool mmap_4k_loop(long n)
{
    return mapped_loop(n, PAGE);
}
static bool map_page(void)
{
    if (!map_small_pages())
        return false;
    area[2 * PAGE] = 1;
    return true;
}
/* One change of rights each time. */
static bool mprotect_loop(long n)
{
    for (long i = 0; i < n; i++)
        if (call(SYS_mprotect, (long)(area + 2 * PAGE), PAGE,
                 i & 1 ? PROT_READ | PROT_WRITE : PROT_READ, 0))
            return false;
    return true;
}

/* Threads and signals. */
static void *nothing(void *arg)
{
    return arg;
}
static bool thread_loop(long n)
{
    for (long i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
            return false;
    }
    return true;
}

static volatile int signals;
static void on_signal(int number)
{
    (void)number;
    signals++;
}
static bool handle_signal(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    my_pid = getpid();
    my_tid = call(SYS_gettid, 0, 0, 0, 0);
    return sigaction(SIGUSR1, &action, NULL) == 0;
}
LOOP(signal, call(SYS_tgkill, my_pid, my_tid, SIGUSR1, 0) == 0)

static int word; /* 0: ours, 1: the partner's, 2: the end */
static long futex(int op, int value)
{
    return call(SYS_futex, (long)&word, op | 128 /* private */, value, 0);
}
static void hand_over(int next)
{
    __atomic_store_n(&word, next, __ATOMIC_SEQ_CST);
    futex(1 /* wake */, 1);
}
static int wait_while(int value)
{
    int seen;
    while ((seen = __atomic_load_n(&word, __ATOMIC_SEQ_CST)) == value)
        futex(0 /* wait */, value);
    return seen;
}
LOOP(futex_wake, futex(1, 1) == 0)

/* A round trip to another thread and back. */
static pthread_t partner;
static int partner_in, partner_out;
static void *futex_partner(void *arg)
{
    while (wait_while(0) != 2)
        hand_over(0);
    return arg;
}
static bool start_futex_partner(void)
{
    word = 0;
    return pthread_create(&partner, NULL, futex_partner, NULL) == 0;
}
static void end_futex_partner(void)
{
    hand_over(2);
    pthread_join(partner, NULL);
}
static bool futex_pingpong_loop(long n)
{
    for (long i = 0; i < n; i++) {
        hand_over(1);
        wait_while(1);
    }
    return true;
}

static void *byte_partner(void *arg)
{
    char byte;
    while (call(SYS_read, partner_in, (long)&byte, 1, 0) == 1 &&
           call(SYS_write, partner_out, (long)&byte, 1, 0) == 1) {
    }
    return arg;
}
static bool start_byte_partner(void)
{
    int there[2], back[2];
    if (pipe(there) || pipe(back))
        return false;
    partner_in = there[0];
    out = there[1];
    in = back[0];
    partner_out = back[1];
    return pthread_create(&partner, NULL, byte_partner, NULL) == 0;
}
static bool start_socket_partner(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return false;
    in = ends[0];
    partner_in = partner_out = ends[1];
    out = in;
    return pthread_create(&partner, NULL, byte_partner, NULL) == 0;
}

/* TCP to this machine itself. */
static int listener;
static struct sockaddr_in server = {.sin_family = AF_INET};
static bool tcp_listen(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    socklen_t len = sizeof(server);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = 0;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ioctl(listener, SIOCSIFFLAGS, &lo); /* a kernel that has it up may refuse */
    return bind(listener, (struct sockaddr *)&server, len) == 0 && listen(listener, 8) == 0 &&
           getsockname(listener, (struct sockaddr *)&server, &len) == 0;
}
static int tcp_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&server, sizeof(server)) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
        return -1;
    return fd;
}
static bool start_tcp_partner(void)
{
    int one = 1;
    if (!tcp_listen() || (in = out = tcp_connect()) < 0 ||
        (partner_in = partner_out = accept(listener, NULL, NULL)) < 0 ||
        setsockopt(partner_in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
        return false;
    return pthread_create(&partner, NULL, byte_partner, NULL) == 0;
}
LOOP(tcp_connect, call(SYS_close, tcp_connect(), 0, 0, 0) == 0 &&
                      call(SYS_close, accept(listener, NULL, NULL), 0, 0, 0) == 0)

static void end_byte_partner(void)
{
    if (in == out)
        shutdown(out, SHUT_WR);
    else
        close(out);
    pthread_join(partner, NULL);
}

/* --- measuring --------------------------------------------------------------------------------- */

static const struct operation {
    const char *name;
    long iterations;
    bool (*loop)(long n);
    bool (*prepare)(void);
    void (*end)(void);
} operations[] = {
    {"null_call", 20000, getppid_loop, NULL, NULL},
    {"clock_gettime", 20000, clock_gettime_loop, NULL, NULL},
    {"sched_yield", 20000, sched_yield_loop, NULL, NULL},
    {"futex_wake", 20000, futex_wake_loop, NULL, NULL},
    {"futex_pingpong", 1000, futex_pingpong_loop, start_futex_partner, end_futex_partner},
    {"pipe", 5000, byte_loop, open_pipe, NULL},
    {"pipe_pingpong", 1000, byte_loop, start_byte_partner, end_byte_partner},
    {"socketpair", 5000, byte_loop, open_sockets, NULL},
    {"socketpair_pingpong", 1000, byte_loop, start_socket_partner, end_byte_partner},
    {"eventfd", 5000, eventfd_loop, open_eventfd, NULL},
    {"epoll_wait", 10000, epoll_wait_loop, watch_ready, NULL},
    {"epoll", 5000, epoll_loop, watch, NULL},
    {"mmap_64m", 1, mmap_64m_loop, NULL, NULL},
    {"page_touch", 2000, touch_loop, map_small_pages, NULL},
    {"mmap_page", 1000, mmap_4k_loop, NULL, NULL},
    {"mprotect", 5000, mprotect_loop, map_page, NULL},
    {"thread", 300, thread_loop, NULL, NULL},
    {"signal", 2000, signal_loop, handle_signal, NULL},
    {"read_zero_4k", 5000, read_zero_4k_loop, open_zero, NULL},
    {"write_null_4k", 20000, write_null_4k_loop, open_null, NULL},
    {"open_close", 3000, open_close_loop, NULL, NULL},
    {"stat", 5000, stat_loop, open_file, NULL},
    {"pread_4k", 5000, pread_4k_loop, open_file, NULL},
    {"pwrite_4k", 5000, pwrite_4k_loop, open_file, NULL},
    {"read_4k", 5000, read_4k_loop, open_file, NULL},
    {"write_4k", 5000, write_4k_loop, open_file, NULL},
    {"tcp_pingpong", 500, byte_loop, start_tcp_partner, end_byte_partner},
    {"tcp_connect", 200, tcp_connect_loop, tcp_listen, NULL},
    {"create_unlink", 1000, create_unlink_loop, NULL, NULL},
};
#define NR_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* A loop of four instructions takes four ticks a turn only where instructions are counted.  A kernel whose clock ticks may
 * come into the loop: it is tried again. */
static bool ticks_are_instructions(void)
{
    for (int i = 0; i < 20; i++) {
        long n = 100000;
        uint64_t start = ticks();
        __asm__ volatile("1: add $3, %%rax; xor %0, %%rax; dec %0; jnz 1b" : "+r"(n)::"rax", "cc");
        uint64_t took = ticks() - start;
        if (took >= 400000 && took < 400100)
            return true;
    }
    return false;
}

static void close_files(void)
{
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    unlink("/ops-file");
}

static bool measure(const struct operation *op, long n, bool counted)
{
    uint64_t best_ns = UINT64_MAX, best_ticks = UINT64_MAX;
    bool works = (!op->prepare || op->prepare()) && op->loop(n / 4 + 1);

    if (!works) {
        fprintf(stderr, "ops: %s: %s\n", op->name, strerror(errno));
        printf("%s -\n", op->name);
    }
    for (int i = 0; works && i < BATCHES; i++) {
        uint64_t start_ns = now_ns(), start = ticks();
        works = op->loop(n);
        uint64_t took = ticks() - start, took_ns = now_ns() - start_ns;
        best_ticks = took < best_ticks ? took : best_ticks;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    if (works)
        printf("%s %.1f\n", op->name, (double)(counted ? best_ticks : best_ns) / (double)n);
    fflush(stdout);
    if (works && op->end)
        op->end();
    if (area)
        munmap(area, MANY);
    area = NULL;
    close_files();
    return works;
}

/* "all", a name, or how some begin: tcp_. */
static bool is_wanted(const char *wanted, const char *name)
{
    size_t n = strlen(wanted);
    bool is_start = n > 0 && wanted[n - 1] == '_';
    return !strcmp(wanted, "all") || !(is_start ? strncmp(wanted, name, n) : strcmp(wanted, name));
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;
    int found = 0, failed = 0;
    bool counted = ticks_are_instructions();

    for (size_t i = 0; i < NR_OPERATIONS; i++) {
        const struct operation *op = &operations[i];
        if (!strcmp(wanted, "list"))
            puts(op->name);
        else if (!is_wanted(wanted, op->name))
            continue;
        else
            failed += !measure(op, n > 0 ? n : op->iterations, counted);
        found++;
    }
    if (!found || n < 0) {
        fprintf(stderr, "usage: ops NAME|all [ITERATIONS], ops list\n");
        return 2;
    }
    if (strcmp(wanted, "list"))
        puts("ops-end");
    return failed ? 1 : 0;
}
