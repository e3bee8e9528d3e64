/* Which error comes first: mapping memory and advice about it. */
#include "matrix.h"

#define AREA               \
    {                      \
        "area", 0x20000000 \
    } /* four pages, of which the third is missing */
#define ADDRS                                                                        \
    AREA, {"hole", 0x20002000}, {"odd", 0x20000001}, {"high", (long)0x7ffffffff000}, \
    {                                                                                \
        "kernel", (long)0xffff800000000000ull                                        \
    }
#define LENS \
    N_(0), N_(4096), N_(8192), {"4 pages", 16384}, {"huge", (long)0x7fffffffffffffff}, N_(-1)

static const struct matrix_call maps[] = {
    {"mmap",
     SYS_mmap,
     {{NULL_},
      {N_(0), N_(100), N_(-1)},
      {N_(0), N_(7), N_(0x1000000)},
      {N_(0), N_(1), N_(2), N_(3), N_(0x22), N_(0x23)},
      {N_(-1), FD_(CLOSED), FD_(RDONLY), FD_(WRONLY), FD_(DIR), FD_(PATH), FD_(PIPE_IN), FD_(FILE)},
      {N_(0), N_(1)}}},
    {"mmap, shared and written",
     SYS_mmap,
     {{NULL_},
      {N_(4096)},
      {N_(2), N_(3)},
      {N_(1), N_(2), N_(3)},
      {FD_(RDONLY), FD_(WRONLY), FD_(FILE), FD_(APPEND), FD_(SOCKET), FD_(EPOLL)},
      {N_(0), {"last page", (long)0x7ffffffffffff000ull}}}},
    {"mmap, fixed",
     SYS_mmap,
     {{{"odd", 0x30000001},
       {"high", (long)0x7ffffffff000},
       {"kernel", (long)0xffff800000000000ull},
       {"area", 0x30000000}},
      {N_(4096), {"huge", 0x7fffffffffff}},
      {N_(1)},
      {N_(0x32), N_(0x100022)},
      {N_(-1)},
      {N_(0)}}},
};

static const struct matrix_call calls[] = {
    {"madvise",
     SYS_madvise,
     {{ADDRS},
      {N_(0), N_(4096), N_(8192), {"4 pages", 16384}, N_(-1)},
      {N_(0), N_(3), N_(4), N_(8), N_(9), N_(7), N_(10), N_(20), N_(21), N_(22), N_(23), N_(99)}}},
    {"mprotect",
     SYS_mprotect,
     {{{"hole", 0x20002000},
       {"odd", 0x20000001},
       {"high", (long)0x7ffffffff000},
       {"kernel", (long)0xffff800000000000ull},
       AREA},
      {N_(0), N_(4096), N_(-1)},
      {N_(3), N_(0x01000003), N_(0x02000003), N_(0x03000003), N_(0x10)}}},
    {"munmap",
     SYS_munmap,
     {{{"hole", 0x20002000},
       {"odd", 0x20000001},
       {"high", (long)0x7ffffffff000},
       {"kernel", (long)0xffff800000000000ull}},
      {N_(0), N_(1), N_(-1)}}},
    {"msync", SYS_msync, {{ADDRS}, {LENS}, {N_(0), N_(1), N_(2), N_(4), N_(5), N_(6), N_(8)}}},
    {"mincore", SYS_mincore, {{ADDRS}, {LENS}, {NULL_, {"vector", 0x20000000}}}},
    {"mlock", SYS_mlock, {{ADDRS}, {LENS}}},
    {"mlock2", SYS_mlock2, {{ADDRS}, {N_(0), N_(4096), N_(-1)}, {N_(0), N_(1), N_(2)}}},
    {"munlock", SYS_munlock, {{ADDRS}, {LENS}}},
    {"mlockall", SYS_mlockall, {{N_(0), N_(4), N_(8), N_(12)}}},
    {"mremap",
     SYS_mremap,
     {{ADDRS},
      {N_(0), N_(4096), {"5 pages", 20480}},
      {N_(0), N_(4096), N_(-1)},
      {N_(0), N_(2), N_(4), N_(8), N_(16)},
      {{"odd", 0x30000001}, {"high", (long)0x7ffffffff000}, AREA}}},
    {"memfd_create",
     SYS_memfd_create,
     {{NULL_, WILD_, {"name", 0x20000000}}, {N_(0x20), N_(-1), N_(0x18)}}},
    {"membarrier",
     SYS_membarrier,
     {{N_(-1), N_(3), N_(7), N_(1 << 20)}, {N_(0), N_(1), N_(2)}, {N_(0)}}},
};

static void unmap(long address)
{
    munmap((void *)address, PAGE);
}

int main(void)
{
    matrix_fds();
    matrix_memory();
    char *area = (char *)0x20000000;
    NEED(mmap(area, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0) == area);
    NEED(munmap(area + 2 * PAGE, PAGE) == 0);
    NEED(mmap((void *)0x30000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0) == (void *)0x30000000);
    MATRIX(maps, unmap);
    MATRIX(calls, NULL);
    return done();
}
