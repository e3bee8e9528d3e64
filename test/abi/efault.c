/* Wild pointers: every call that takes one says EFAULT, and the program lives. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "abi.h"

#define WILD ((void *)8)

static const struct {
    const char *name;
    long nr, args[6];
} calls[] = {
#define W 8
    {"open", SYS_open, {W, O_RDONLY}},
    {"openat", SYS_openat, {AT_FDCWD, W, O_RDONLY}},
    {"stat", SYS_stat, {W, W}},
    {"lstat", SYS_lstat, {W, W}},
    {"fstat", SYS_fstat, {1, W}},
    {"access", SYS_access, {W, 0}},
    {"mkdir", SYS_mkdir, {W, 0}},
    {"rmdir", SYS_rmdir, {W}},
    {"unlink", SYS_unlink, {W}},
    {"chdir", SYS_chdir, {W}},
    {"chmod", SYS_chmod, {W, 0}},
    {"chown", SYS_chown, {W, 0, 0}},
    {"rename", SYS_rename, {W, W}},
    {"link", SYS_link, {W, W}},
    {"symlink", SYS_symlink, {W, W}},
    {"readlink", SYS_readlink, {W, W, 10}},
    {"truncate", SYS_truncate, {W, 0}},
    {"mknod", SYS_mknod, {W, S_IFIFO | 0600, 0}},
    {"utimensat", SYS_utimensat, {AT_FDCWD, W, 0, 0}},
    {"pipe", SYS_pipe, {W}},
    {"pipe2", SYS_pipe2, {W, 0}},
    {"poll", SYS_poll, {W, 1, 0}},
    {"select", SYS_select, {1, W, 0, 0, 0}},
    {"uname", SYS_uname, {W}},
    {"gettimeofday", SYS_gettimeofday, {W, 0}},
    {"clock_gettime", SYS_clock_gettime, {CLOCK_REALTIME, W}},
    {"nanosleep", SYS_nanosleep, {W, 0}},
    {"getrlimit", SYS_getrlimit, {RLIMIT_NOFILE, W}},
    {"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, W}},
    {"getrusage", SYS_getrusage, {0, W}},
    {"sysinfo", SYS_sysinfo, {W}},
    {"times", SYS_times, {W}},
    {"rt_sigaction", SYS_rt_sigaction, {SIGUSR1, W, 0, 8}},
    {"rt_sigaction", SYS_rt_sigaction, {SIGUSR1, 0, W, 8}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, {SIG_BLOCK, W, 0, 8}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, {SIG_BLOCK, 0, W, 8}},
    {"rt_sigpending", SYS_rt_sigpending, {W, 8}},
    {"sigaltstack", SYS_sigaltstack, {W, 0}},
    {"setitimer", SYS_setitimer, {ITIMER_REAL, W, 0}},
    {"getitimer", SYS_getitimer, {ITIMER_REAL, W}},
    {"getcwd", SYS_getcwd, {W, 1000}},
    {"getresuid", SYS_getresuid, {W, W, W}},
    {"sched_getaffinity", SYS_sched_getaffinity, {0, 8, W}},
    {"getrandom", SYS_getrandom, {W, 8, 0}},
    {"futex wait", SYS_futex, {W, 0, 0, 0}},
    {"prctl", SYS_prctl, {15 /* PR_SET_NAME */, W}},
    {"prctl", SYS_prctl, {16 /* PR_GET_NAME */, W}},
    {"statx", SYS_statx, {AT_FDCWD, W, 0, 0, W}},
    {"statfs", SYS_statfs, {W, W}},
    {"memfd_create", SYS_memfd_create, {W, 0}},
    {"timer_create", SYS_timer_create, {CLOCK_MONOTONIC, W, W}},
    {"kernel address", SYS_stat, {(long)0xffffffff80000000, (long)0xffffffff80000000}},
    {"non-canonical address", SYS_stat, {(long)0x1234567812345678, (long)0x1234567812345678}},
    {"non-canonical buffer", SYS_getrandom, {(long)0x1234567812345678, 8, 0}},
    {"kernel buffer", SYS_getrandom, {(long)0xffff888000000000, 8, 0}},
    {"end of user space", SYS_getrandom, {0x7ffffffff000, 8, 0}},
    {"wrapping around", SYS_write, {1, -1, 16}},
};

int main(void)
{
    for (size_t i = 0; i < NR(calls); i++) {
        const long *a = calls[i].args;
        errno = 0;
        abi_show(calls[i].name, syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]));
    }
    /* A buffer whose second page is not there, or may not be written. */
    char *p = map_pages(3, PROT_READ | PROT_WRITE), *edge = p + PAGE - 4;
    munmap(p + PAGE, PAGE);
    mprotect(p + 2 * PAGE, PAGE, PROT_READ);
    int ends[2];
    NEED(pipe(ends) == 0);
    SHOW(write(ends[1], edge, 8));
    SHOW(write(ends[1], p + PAGE, 8));
    SHOW(write(ends[1], "12345678", 8));
    SHOW(read(ends[0], p + 2 * PAGE, 8));
    SHOW_OK(read(ends[0], edge, 8));
    memset(p, 'a', PAGE); /* a path that does not end before the hole */
    SHOW(syscall(SYS_open, p + PAGE - 10, O_RDONLY));
    strcpy(edge, "abc");
    SHOW(syscall(SYS_open, edge, O_RDONLY));
    SHOW(syscall(SYS_uname, p + 2 * PAGE));
    SHOW(syscall(SYS_getrandom, p + 2 * PAGE, 8, 0));
    return done();
}
