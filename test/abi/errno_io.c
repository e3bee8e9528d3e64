/* Which error comes first when the descriptor, the memory, the length or the offset is wrong: the calls that
 * move bytes. */
#include <sys/uio.h>

#include "matrix.h"

#define FDS \
    FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(WRONLY), FD_(DIR), FD_(PATH), FD_(EPOLL), FD_(TIMER)
#define PIPES FD_(PIPE_IN), FD_(PIPE_OUT), FD_(SOCKET), FD_(EVENT)
#define SIZES                               \
    N_(0), N_(4),                           \
    {                                       \
        "huge", (long)0x8000000000000000ull \
    }
#define OFFSETS                             \
    N_(0), N_(-1),                          \
    {                                       \
        "last", (long)0x7fffffffffffffffull \
    }

static const struct matrix_call calls[] = {
    {"read", SYS_read, {{FDS}, {NULL_, WILD_, KERNEL_, WRITABLE_, READABLE_}, {SIZES}}},
    {"read", SYS_read, {{PIPES}, {NULL_, WRITABLE_}, {SIZES}}},
    {"write", SYS_write, {{FDS}, {NULL_, KERNEL_, READABLE_}, {SIZES}}},
    {"write", SYS_write, {{PIPES}, {NULL_, KERNEL_}, {N_(0), N_(4), N_(8)}}},
    {"pread64",
     SYS_pread64,
     {{FDS, FD_(PIPE_IN), FD_(SOCKET), FD_(EVENT)}, {NULL_, WRITABLE_}, {SIZES}, {OFFSETS}}},
    {"pwrite64",
     SYS_pwrite64,
     {{FDS, FD_(PIPE_OUT), FD_(SOCKET)}, {NULL_, READABLE_}, {SIZES}, {OFFSETS}}},
    {"readv",
     SYS_readv,
     {{FDS}, {NULL_, WILD_, WRITABLE_}, {N_(0), N_(-1), N_(1), N_(1024), N_(1025)}}},
    {"writev", SYS_writev, {{FDS}, {NULL_, WILD_, WRITABLE_}, {N_(0), N_(-1), N_(1), N_(1025)}}},
    {"readv", SYS_readv, {{PIPES}, {NULL_, WRITABLE_}, {N_(0), N_(-1), N_(1), N_(1025)}}},
    {"preadv",
     SYS_preadv,
     {{FDS, FD_(PIPE_IN)}, {NULL_, WRITABLE_}, {N_(0), N_(1), N_(1025)}, {OFFSETS}, {N_(0)}}},
    {"preadv2",
     SYS_preadv2,
     {{FD_(CLOSED), FD_(FILE), FD_(WRONLY), FD_(PIPE_IN)},
      {NULL_, WRITABLE_},
      {N_(0), N_(1), N_(1025)},
      {OFFSETS},
      {N_(0)},
      {N_(0), N_(0x4000)}}},
    {"pwritev2",
     SYS_pwritev2,
     {{FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(PIPE_OUT)},
      {NULL_, WRITABLE_},
      {N_(0), N_(1025)},
      {OFFSETS},
      {N_(0)},
      {N_(0), N_(0x4000)}}},
    {"lseek",
     SYS_lseek,
     {{FDS, FD_(PIPE_IN), FD_(SOCKET)}, {OFFSETS}, {N_(0), N_(3), N_(4), N_(5), N_(-1)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    struct iovec *iov = (struct iovec *)MATRIX_WRITABLE;
    (void)iov; /* an iovec of no bytes: zeros */
    MATRIX(calls, NULL);
    return done();
}
