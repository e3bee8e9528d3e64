/* What the bodies that take descriptors share. */
#pragma once

#include <linux/resource.h>
#include <proc/process.h>
#include <vfs/fdtable.h>

/* The most that one read or write moves, as on Linux. */
#define MAX_RW_COUNT (0x7fffffffUL & PAGE_MASK)

static inline struct fdtable *current_files(void)
{
    return current_process()->files;
}

/* The file of a descriptor, referenced; NULL (-EBADF) also for an O_PATH one. */
static inline struct file *file_of_fd(int fd)
{
    return fd_get_io(current_files(), fd);
}

/* A new file gets the lowest free descriptor, and the reference goes there: the descriptor, or -errno, also for
 * f NULL (-ENOMEM). */
must_check long install_file(struct file *f, int flags);

/* The signal of a write that found no reader, which usually ends the program. */
void files_raise_sigpipe(void);
/* The result of a write to `f`: -EPIPE comes with SIGPIPE. */
static inline void files_sigpipe(const struct file *f, long ret)
{
    if (unlikely(ret == -EPIPE) && !f->is_quiet)
        files_raise_sigpipe();
}

/* A user's iovec array as segments: storage for the usual short one is the caller's. */
#define FAST_IOV 8
struct user_iov {
    struct iobuf_seg fast[FAST_IOV];
    struct iobuf_seg *seg; /* fast, or from the heap */
    size_t total;
};
/* 0, -EINVAL, -EFAULT, -ENOMEM; on success undone by user_iov_end. */
must_check int user_iov_read(struct user_iov *v, struct uptr iov, size_t nr);
void user_iov_end(struct user_iov *v);
