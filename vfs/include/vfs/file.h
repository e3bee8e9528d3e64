/* An open file: what a descriptor refers to.  Everything a program can read, write, map or wait for is one of
 * these with its own operations.
 *
 * Constants are Linux's: O_* from <linux/fcntl.h>, POLL* / EPOLL* from <linux/poll.h>, S_* from <linux/stat.h>. */
#pragma once

#include <core/atomic.h>
#include <core/lock.h>
#include <core/usercopy.h>
#include <core/vm.h>
#include <core/wait.h>
#include <linux/poll.h>

struct file;
struct inode;
struct dentry;
struct path;
struct cred;
struct mount;

/* How a file takes part in poll(2), select(2) and epoll(7): an object has one or more wait queues, and for each
 * that matters the poll operation calls `poll_on`.  A table without a function only asks for the state. */
struct poll_table {
    void (*add)(struct poll_table *t, struct file *f, struct waitq *q);
    uint32_t events; /* what the caller waits for: a queue for other events need not be added */
};
/* What files that never make one wait answer. */
#define POLL_ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
/* At most this many queues for one file: epoll and poll keep a waiter for each. */
#define POLL_QUEUES_MAX 2
static inline void poll_on(struct poll_table *t, struct file *f, struct waitq *q)
{
    if (t && t->add)
        t->add(t, f, q);
}

/* What getdents needs of a directory entry; answers false when the caller's buffer is full: stop before it. */
typedef bool dir_emit_fn(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                         int64_t next_pos);

/* Every member may be NULL; what that means is said behind it.  Called without locks, thread context, may
 * sleep.  A blocking operation looks at f->flags & O_NONBLOCK itself and answers -EAGAIN, or -ERESTARTSYS when a
 * signal ends the wait before anything was moved. */
struct file_ops {
    /* Bytes moved; advances *pos when the file has positions.                    NULL: -EINVAL */
    ssize_t (*read)(struct file *f, struct iobuf *to, int64_t *pos);
    ssize_t (*write)(struct file *f, struct iobuf *from, int64_t *pos); /* NULL: -EINVAL */
    /* The new position; `*pos` is the current one.                               NULL: -ESPIPE */
    int64_t (*seek)(struct file *f, int64_t offset, int whence, int64_t *pos);
    /* POLL* bits that hold now.                                   NULL: always readable and writable */
    uint32_t (*poll)(struct file *f, struct poll_table *t);
    /* 0.., or -errno; -ENOTTY for an unknown command.                            NULL: -ENOTTY */
    long (*ioctl)(struct file *f, unsigned cmd, struct uptr arg);
    /* The object to map, with a reference for the caller.                        NULL: -ENODEV */
    int (*mmap)(struct file *f, int prot, int flags, uint64_t offset, size_t len,
                struct vm_object **object);
    int (*sync)(struct file *f, bool data_only); /* NULL: -EINVAL */
    /* Each entry from *pos on, which is advanced.  0 or 1 (all were emitted; for callers that add more), or
     * -errno.                                                                    NULL: -ENOTDIR */
    int (*readdir)(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg);
    /* A descriptor was closed (locks, flush).                                    NULL: nothing to do */
    int (*flush)(struct file *f);
    /* The last reference is gone: free what is private.                          NULL: nothing to do */
    void (*release)(struct file *f);
    /* O_NONBLOCK, O_APPEND, O_ASYNC... are about to become `flags`.              NULL: allowed */
    int (*set_flags)(struct file *f, int flags);
    /* A line or more for /proc/PID/fdinfo/N.                                     NULL: none */
    int (*show_fdinfo)(struct file *f, char *buf, size_t size);
    /* pread, pwrite and lseek make sense; reads and writes of one file are serialised (pos_lock) */
    bool has_pos;
    bool can_nowait; /* honours IOBUF_NOWAIT: RWF_NOWAIT of preadv2(2) */
    /* with has_pos: reads and writes do not look at the position (/dev/null): not serialised */
    bool ignores_pos;
};

struct file {
    struct ref ref;
    /* immutable */
    const struct file_ops *ops;
    void *data; /* the object's own */
    /* never NULL; referenced (anonymous objects have one of an internal file system) */
    struct inode *inode;
    struct dentry *dentry; /* how it was opened, referenced; NULL for anonymous objects */
    struct mount *mount;   /* likewise */
    const char *anon_name; /* "anon_inode:[eventfd]" for /proc/self/fd; NULL when it has a dentry */
    bool can_read, can_write;
    bool holds_write;        /* counts among the inode's writers until it is closed */
    bool is_quiet;           /* a write that answers -EPIPE sends no SIGPIPE (datagram sockets) */
    int flags;               /* O_*: access mode and status flags; changed under `lock` */
    struct spinlock lock;    /* RANK_DRIVER - guards flags, owner and the list of epoll items */
    struct list epoll_items; /* epoll.c's */
    int owner_type, owner_pid, owner_sig; /* F_SETOWN, F_SETSIG */
    struct mutex pos_lock;                /* guards: */
    int64_t pos;
    int64_t dir_end; /* of a directory: what is made later is not listed before it is rewound */
};

void file_init(void); /* boot, before the first file */

/* A new file with one reference, of an inode that was found by `path` (references of its own are taken to both;
 * path NULL: nameless).  `flags` as open(2)'s; ops are the inode's.  NULL: no memory. */
struct file *file_new(struct inode *inode, const struct path *path, int flags);

/* A new file with one reference, of an anonymous object: eventfd, pipe, epoll...; `flags` gives the access mode.
 * `anon_name` is static; `mode` the S_IF* type with permissions for fstat.  NULL: no memory. */
struct file *file_new_anon(const struct file_ops *ops, void *data, int flags, unsigned mode,
                           const char *anon_name);
static inline void file_get(struct file *f)
{
    ref_get(&f->ref);
}
/* The last one calls ops->release; thread context. */
void file_end(struct file *f);
static inline void file_put(struct file *f)
{
    if (ref_put(&f->ref))
        file_end(f);
}

/* What read(2) and write(2) do, with access-mode checks; pos NULL: the file's own position. */
ssize_t file_read(struct file *f, struct iobuf *to, int64_t *pos);
ssize_t file_write(struct file *f, struct iobuf *from, int64_t *pos);
/* From kernel memory, all of it unless the file ends: bytes, or -errno. */
ssize_t file_read_kernel(struct file *f, void *buf, size_t n, int64_t pos);
/* Regular file to regular file at the given positions, which advance: bytes copied, fewer at the end of `in`. */
ssize_t file_copy_range(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                        size_t n);
/* The current position, for calls that move it themselves (sendfile, splice). */
int64_t file_get_pos(struct file *f);
void file_set_pos(struct file *f, int64_t pos);
/* ops->seek of files whose position is always 0: devices, eventfd... */
int64_t file_seek_nowhere(struct file *f, int64_t offset, int whence, int64_t *pos);
/* ops->seek of files without a size, directories and texts: SEEK_SET and SEEK_CUR; -EINVAL for any other, and for a
 * position below 0. */
int64_t file_seek_endless(struct file *f, int64_t offset, int whence, int64_t *pos);
/* ops->seek of a file of `size` bytes for SEEK_SET, SEEK_CUR and SEEK_END; -EINVAL for any other, and for a position
 * below 0 or too large. */
int64_t file_seek_sized(int64_t size, int64_t offset, int whence, int64_t *pos);
/* Change status flags: those of `mask` become those of `flags`.  0 or what ops->set_flags answers. */
must_check int file_set_flags(struct file *f, int mask, int flags);

static inline uint32_t file_poll(struct file *f, struct poll_table *t)
{
    if (likely(f->ops->poll))
        return f->ops->poll(f, t);
    return POLL_ALWAYS;
}
