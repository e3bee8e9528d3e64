/* Every bit and every small value of every flag and enumeration, in calls that fail: descriptors are -1 or 99, addresses
 * NULL or 8, so that nothing happens but the trace. */
#include <unistd.h>
#include <sys/syscall.h>

static void call(long nr, const long arg[6])
{
    syscall(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

/* The argument `at` takes every power of two below 2^bits, pairs of neighbours, and 0. */
static void bits(long nr, int at, int bits, long a, long b, long c, long d, long e, long f)
{
    long arg[6] = {a, b, c, d, e, f};

    for (int n = 0; n < bits; n++) {
        arg[at] = 1L << n;
        call(nr, arg);
        arg[at] = 3L << n;
        call(nr, arg);
    }
    arg[at] = 0;
    call(nr, arg);
}

/* All values below `end`, and -1. */
static void values(long nr, int at, long end, long a, long b, long c, long d, long e, long f)
{
    long arg[6] = {a, b, c, d, e, f};

    for (arg[at] = 0; arg[at] < end; arg[at]++)
        call(nr, arg);
    arg[at] = -1;
    call(nr, arg);
}

static void memory(void)
{
    bits(SYS_mmap, 2, 31, 0, 0, 0, 0x22, -1, 0);
    bits(SYS_mmap, 3, 28, 0, 0, 3, 0, -1, 0);
    bits(SYS_mprotect, 2, 31, 1, 0, 0, 0, 0, 0);
    bits(SYS_mremap, 3, 6, 1, 1, 1, 0, 4096, 0);
    bits(SYS_msync, 2, 6, 1, 0, 0, 0, 0, 0);
    values(SYS_madvise, 2, 30, 1, 0, 0, 0, 0, 0);
    bits(SYS_mlock2, 2, 4, 0, 0, 1, 0, 0, 0);
}

static void files(void)
{
    bits(SYS_openat, 2, 31, 99, (long)"x", 0, 0644, 0, 0);
    values(SYS_openat, 2, 8, 99, (long)"x", 0, 0644, 0, 0);
    bits(SYS_faccessat, 2, 6, 99, (long)"x", 0, 0, 0, 0);
    bits(SYS_faccessat2, 3, 16, 99, (long)"x", 0, 0, 0, 0);
    bits(SYS_unlinkat, 2, 16, 99, (long)"x", 0, 0, 0, 0);
    bits(SYS_newfstatat, 3, 16, 99, (long)"x", 8, 0, 0, 0);
    bits(SYS_statx, 2, 16, 99, (long)"x", 0, 0xfff, 8, 0);
    bits(SYS_statx, 3, 16, 99, (long)"x", 0, 0, 8, 0);
    values(SYS_lseek, 2, 8, 99, 1, 0, 0, 0, 0);
    bits(SYS_flock, 1, 9, 99, 0, 0, 0, 0, 0);
    bits(SYS_fallocate, 1, 9, 99, 0, 0, 1, 0, 0);
    bits(SYS_sync_file_range, 3, 5, 99, 0, 0, 0, 0, 0);
    values(SYS_fadvise64, 3, 8, 99, 0, 0, 0, 0, 0);
    bits(SYS_fsetxattr, 4, 4, 99, (long)"user.a", (long)"v", 1, 0, 0);
    bits(SYS_renameat2, 4, 5, 99, (long)"a", 99, (long)"b", 0, 0);
    bits(SYS_splice, 5, 6, 99, 0, 99, 0, 1, 0);
    bits(SYS_close_range, 2, 5, 9, 5, 0, 0, 0, 0);
    bits(SYS_memfd_create, 1, 8, 8, 0, 0, 0, 0, 0);
    bits(SYS_inotify_add_watch, 2, 31, 99, (long)"x", 0, 0, 0, 0);
    bits(SYS_umount2, 1, 6, 8, 0, 0, 0, 0, 0);
    bits(SYS_mount, 3, 31, 0, 8, 0, 0, 0, 0);
    values(SYS_fcntl, 1, 50, 99, 0, 0, 0, 0, 0);
    for (long cmd = 1024; cmd < 1042; cmd++)
        call(SYS_fcntl, (long[6]){99, cmd, 0});
    bits(SYS_mknodat, 2, 16, 99, (long)"x", 0, 0x103, 0, 0);
    bits(SYS_preadv2, 5, 6, 99, 8, 1, 0, 0, 0);
}

static void descriptors(void)
{
    values(SYS_epoll_ctl, 1, 5, 99, 0, 98, 0, 0, 0);
    bits(SYS_signalfd4, 3, 20, 99, 8, 8, 0, 0, 0);
    bits(SYS_timerfd_settime, 1, 4, 99, 0, 0, 0, 0, 0);
    bits(SYS_accept4, 3, 21, 99, 0, 0, 0, 0, 0);
    bits(SYS_dup3, 2, 20, 99, 99, 0, 0, 0, 0);
}

static void processes(void)
{
    values(SYS_wait4, 0, 0, -1, 0, 1, 0, 0, 0);
    bits(SYS_wait4, 2, 32, -5, 0, 0, 0, 0, 0);
    values(SYS_waitid, 0, 5, 0, -5, 8, 1, 0, 0);
    values(SYS_getrlimit, 0, 18, 0, 8, 0, 0, 0, 0);
    values(SYS_getrusage, 0, 3, 0, 8, 0, 0, 0, 0);
    values(SYS_getpriority, 0, 4, 0, -5, 0, 0, 0, 0);
    values(SYS_sched_setscheduler, 1, 8, -1, 0, 8, 0, 0, 0);
    values(SYS_sched_get_priority_max, 0, 8, 0, 0, 0, 0, 0, 0);
    values(SYS_getitimer, 0, 4, 0, 8, 0, 0, 0, 0);
    values(SYS_clock_gettime, 0, 13, 0, 8, 0, 0, 0, 0);
    values(SYS_clock_gettime, 0, 0, -6, 8, 0, 0, 0, 0);
    bits(SYS_clock_nanosleep, 1, 4, 99, 0, 8, 0, 0, 0);
    values(SYS_rt_sigprocmask, 0, 5, 0, 8, 8, 8, 0, 0);
    values(SYS_futex, 1, 14, 8, 0, 0, 8, 8, 0);
    for (long op = 128; op < 142; op++) {
        call(SYS_futex, (long[6]){9, op, 1, 8, 9, 0x12345678});
        call(SYS_futex, (long[6]){9, op | 256, 1, 8, 9, -1});
    }
    bits(SYS_getrandom, 2, 5, 8, 1, 0, 0, 0, 0);
    values(SYS_membarrier, 0, 0, -1, 0, 0, 0, 0, 0);
    values(SYS_arch_prctl, 0, 0, 0x1003, 8, 0, 0, 0, 0);
}

static void signals(void)
{
    for (long sig = 0; sig <= 66; sig++)
        call(SYS_tgkill, (long[6]){-1, -1, sig});
}

static void sockets(void)
{
    for (int family = 0; family < 3; family++)
        call(SYS_socket, (long[6]){family, 0, 0});
    call(SYS_socket, (long[6]){10, 0, 0});
    call(SYS_socket, (long[6]){16, 0, 0});
    values(SYS_socket, 1, 12, 1, 0, 0, 0, 0, 0);
    values(SYS_socket, 2, 30, 2, 8, 0, 0, 0, 0);
    bits(SYS_sendto, 3, 31, 99, 8, 1, 0, 0, 0);
    values(SYS_shutdown, 1, 5, 99, 0, 0, 0, 0, 0);
    values(SYS_setsockopt, 2, 40, 99, 1, 0, 0, 0, 0);
    values(SYS_setsockopt, 2, 16, 99, 6, 0, 0, 0, 0);
}

int main(void)
{
    memory();
    files();
    descriptors();
    processes();
    signals();
    sockets();
    return 0;
}
