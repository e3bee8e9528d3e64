/* Which error comes first: the calls that move bytes from one descriptor to another. */
#include "matrix.h"

#define FDS                                                                             \
    FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(WRONLY), FD_(APPEND), FD_(DIR), FD_(PATH), \
        FD_(PIPE_IN), FD_(PIPE_OUT), FD_(SOCKET), FD_(NULL)
#define OFFSET NULL_, WILD_, WRITABLE_, READABLE_

static const struct matrix_call calls[] = {
    {"sendfile, nothing", SYS_sendfile, {{FDS}, {FDS}, {OFFSET}, {N_(0)}}},
    {"sendfile",
     SYS_sendfile,
     {{FD_(CLOSED), FD_(RDONLY), FD_(DIR), FD_(PATH), FD_(APPEND), FD_(PIPE_IN)},
      {FDS},
      {OFFSET},
      {N_(-1), N_(4)}}},
    {"copy_file_range",
     SYS_copy_file_range,
     {{FDS},
      {NULL_},
      {FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(DIR), FD_(PATH), FD_(APPEND), FD_(PIPE_OUT)},
      {NULL_},
      {N_(0), N_(4)},
      {N_(0), N_(2)}}},
    {"copy_file_range, offsets",
     SYS_copy_file_range,
     {{FD_(CLOSED), FD_(WRONLY), FD_(FILE)},
      {OFFSET},
      {FD_(CLOSED), FD_(RDONLY), FD_(FILE)},
      {OFFSET},
      {N_(0), N_(4)},
      {N_(0), N_(2)}}},
    {"splice, nothing", SYS_splice, {{FDS}, {OFFSET}, {FDS}, {NULL_}, {N_(0)}, {N_(0), N_(16)}}},
    {"splice",
     SYS_splice,
     {{FDS},
      {NULL_, WILD_},
      {FD_(CLOSED), FD_(FILE), FD_(RDONLY), FD_(DIR), FD_(PIPE_IN), FD_(APPEND), FD_(EPOLL)},
      {NULL_, WILD_},
      {N_(4)},
      {N_(2), N_(16)}}},
    {"tee", SYS_tee, {{FDS}, {FDS}, {N_(0), N_(4)}, {N_(2), N_(16)}}},
    {"vmsplice",
     SYS_vmsplice,
     {{FDS}, {NULL_, WILD_, WRITABLE_}, {N_(0), N_(1), N_(-1), N_(1025)}, {N_(2), N_(16)}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    MATRIX(calls, NULL);
    return done();
}
