/* Which error comes first when several arguments are wrong: calls on a descriptor that move no bytes. */
#include "matrix.h"

#define FDS                                                                              \
    FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(WRONLY), FD_(DIR), FD_(PATH), FD_(PIPE_IN), \
        FD_(PIPE_OUT), FD_(SOCKET), FD_(EPOLL), FD_(NULL)

static const struct matrix_call calls[] = {
    {"fstat", SYS_fstat, {{FDS}, {NULL_, WILD_, READABLE_, WRITABLE_}}},
    {"fstatfs", SYS_fstatfs, {{FD_(CLOSED), FD_(FILE), FD_(PATH)}, {NULL_, READABLE_, WRITABLE_}}},
    {"getdents64", SYS_getdents64, {{FDS}, {NULL_, WRITABLE_}, {N_(0), N_(8), N_(1000)}}},
    {"ftruncate", SYS_ftruncate, {{FDS}, {N_(-1), N_(100), {"huge", 0x7fffffffffffffff}}}},
    {"fallocate",
     SYS_fallocate,
     {{FDS},
      {N_(0), N_(1), N_(2), N_(3), N_(8), N_(0x10), N_(0x20), N_(0x80)},
      {N_(-1), N_(0), N_(50)},
      {N_(0), N_(-1), N_(100)}}},
    {"fallocate",
     SYS_fallocate,
     {{FD_(FILE), FD_(RDONLY), FD_(PIPE_IN)},
      {N_(0), N_(1), N_(3)},
      {{"last", 0x7fffffffffffffff}, N_(0)},
      {N_(1), {"last", 0x7fffffffffffffff}}}},
    {"fsync", SYS_fsync, {{FDS}}},
    {"fdatasync", SYS_fdatasync, {{FDS}}},
    {"syncfs", SYS_syncfs, {{FDS}}},
    {"sync_file_range",
     SYS_sync_file_range,
     {{FDS}, {N_(-1), N_(0)}, {N_(-1), N_(0)}, {N_(0), N_(7), N_(8)}}},
    {"fadvise64",
     SYS_fadvise64,
     {{FDS}, {N_(-1), N_(0)}, {N_(-1), N_(0)}, {N_(0), N_(4), N_(5), N_(6), N_(-1)}}},
    {"readahead", SYS_readahead, {{FDS}, {N_(-1), N_(0)}, {N_(0), N_(100)}}},
    {"flock", SYS_flock, {{FDS}, {N_(0), N_(5), N_(6), N_(8), N_(3), N_(0x20), N_(0x25)}}},
    {"fchmod",
     SYS_fchmod,
     {{FD_(CLOSED), FD_(PATH), FD_(RDONLY), FD_(PIPE_IN)}, {N_(0644), N_(01000644)}}},
    {"fchown",
     SYS_fchown,
     {{FD_(CLOSED), FD_(PATH), FD_(RDONLY), FD_(PIPE_IN)}, {N_(0), N_(-1)}, {N_(0), N_(-1)}}},
    {"dup2",
     SYS_dup2,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH)}, {N_(-1), N_(60), N_(98), N_(1 << 30)}}},
    {"dup3",
     SYS_dup3,
     {{FD_(CLOSED), FD_(FILE)},
      {N_(-1), N_(60), N_(98), N_(99), N_(1 << 30)},
      {N_(0), {"CLOEXEC", O_CLOEXEC}, {"NONBLOCK", O_NONBLOCK}}}},
    {"fchdir", SYS_fchdir, {{FDS}}},
    {"fsetxattr",
     SYS_fsetxattr,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH), FD_(RDONLY)},
      {NULL_, WILD_, WRITABLE_},
      {NULL_, WILD_},
      {N_(0), N_(4), N_(65537)},
      {N_(0), N_(2), N_(3), N_(4)}}},
    {"fgetxattr",
     SYS_fgetxattr,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH)},
      {NULL_, WRITABLE_},
      {NULL_, WILD_},
      {N_(0), N_(4), N_(65537)}}},
    {"flistxattr",
     SYS_flistxattr,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH)}, {NULL_, WILD_, WRITABLE_}, {N_(0), N_(4), N_(65537)}}},
    {"fremovexattr",
     SYS_fremovexattr,
     {{FD_(CLOSED), FD_(FILE), FD_(PATH)}, {NULL_, WILD_, WRITABLE_}}},
    {"close_range",
     SYS_close_range,
     {{N_(200), N_(300), N_(-1)}, {N_(200), N_(-1)}, {N_(0), N_(2), N_(4), N_(1), N_(6)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    MATRIX(calls, NULL);
    return done();
}
