/* Descriptors that are not open, in every call that takes one. */
#include <sys/epoll.h>

#include "abi.h"

static const struct {
    const char *name;
    long nr, args[6];
} calls[] = {
    {"read", SYS_read, {0, 0, 0}},
    {"write", SYS_write, {0, 0, 0}},
    {"pread64", SYS_pread64, {0, 0, 0, 0}},
    {"pwrite64", SYS_pwrite64, {0, 0, 0, 0}},
    {"readv", SYS_readv, {0, 0, 0}},
    {"writev", SYS_writev, {0, 0, 0}},
    {"close", SYS_close, {0}},
    {"fstat", SYS_fstat, {0, 0}},
    {"lseek", SYS_lseek, {0, 0, 0}},
    {"ioctl", SYS_ioctl, {0, 0x5401, 0}},
    {"dup", SYS_dup, {0}},
    {"dup2", SYS_dup2, {0, 50}},
    {"fcntl", SYS_fcntl, {0, F_GETFD}},
    {"flock", SYS_flock, {0, 2}},
    {"fsync", SYS_fsync, {0}},
    {"fdatasync", SYS_fdatasync, {0}},
    {"ftruncate", SYS_ftruncate, {0, 0}},
    {"fallocate", SYS_fallocate, {0, 0, 0, 1}},
    {"getdents64", SYS_getdents64, {0, 0, 0}},
    {"fchdir", SYS_fchdir, {0}},
    {"fchmod", SYS_fchmod, {0, 0}},
    {"fchown", SYS_fchown, {0, 0, 0}},
    {"fstatfs", SYS_fstatfs, {0, 0}},
    {"sendfile", SYS_sendfile, {0, 1, 0, 1}},
    {"epoll_wait", SYS_epoll_wait, {0, 0, 1, 0}},
    {"mmap", SYS_mmap, {0, 0, 0, 0, 0, 0}},
    {"timerfd_gettime", SYS_timerfd_gettime, {0, 0}},
    {"readahead", SYS_readahead, {0, 0, 1}},
    {"fadvise64", SYS_fadvise64, {0, 0, 0, 0}},
    {"syncfs", SYS_syncfs, {0}},
};

int main(void)
{
    static const int wrong[] = {-1, 77, INT_MAX, INT_MIN, 1 << 20};

    for (size_t i = 0; i < NR(calls); i++) {
        for (size_t n = 0; n < NR(wrong); n++) {
            long a[6];
            memcpy(a, calls[i].args, sizeof a);
            if (calls[i].nr == SYS_mmap) {
                a[1] = PAGE;
                a[2] = PROT_READ;
                a[3] = MAP_PRIVATE;
                a[4] = wrong[n];
            } else {
                a[0] = wrong[n];
            }
            errno = 0;
            long r = syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
            if (!CHECK(r == -1 && errno == EBADF))
                say("  %s(%d): %ld, %s", calls[i].name, wrong[n], r, strerror(errno));
        }
        say("%s", calls[i].name);
    }
    /* The upper half of the register does not count. */
    SHOW(syscall(SYS_fcntl, 0x5500000001, F_GETFD));
    return done();
}
