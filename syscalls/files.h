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

/* The same for the length of a call that neither closes a descriptor nor ends the thread, without counting where
 * nobody else could close it meanwhile: the process has one thread, and its table is nobody else's.  (Others may look
 * into the table, through /proc, and take references of their own; a second thread would have to be made by this one.) */
struct held_file {
    struct file *file; /* NULL: -EBADF */
    bool is_counted;
};

struct held_file files_hold_counted(int fd);
static inline __attribute__((always_inline)) struct held_file files_hold(int fd)
{
    struct process *p = current_process();
    if (atomic_load(&p->nr_tasks) == 1 && !fdtable_is_shared(p->files))
        return (struct held_file){fd_borrow(p->files, fd), false};
    return files_hold_counted(fd);
}

static inline void files_release(struct held_file h)
{
    if (h.is_counted)
        file_put(h.file);
}

/* A new file gets the lowest free descriptor, and the reference goes there: the descriptor, or -errno, also for
 * f NULL (-ENOMEM). */
must_check long install_file(struct file *f, int flags);

/* Who gets the file's signals, as F_SETOWN has it: a process, or below 0 a group.  0, -EINVAL, -ESRCH. */
long files_set_owner(struct file *f, int who);
int files_get_owner(struct file *f);

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
