/* Advisory locks: flock(2), POSIX record locks and open-file-description locks (fcntl(2)).
 *
 * A lock covers bytes [start, end], both inclusive; INT64_MAX is "to the end, however far it
 * grows". */
#pragma once

#include <vfs/file.h>

struct lock_range {
    int type; /* F_RDLCK, F_WRLCK, F_UNLCK */
    int64_t start, end;
    int pid; /* of the owner, for F_GETLK; -1 for OFD locks */
};

/* Turns an fcntl caller's l_whence, l_start, l_len into r->start, r->end: -EINVAL, -EOVERFLOW. */
must_check int locks_make_range(struct file *f, int whence, int64_t start, int64_t len,
                                struct lock_range *r);

/* F_SETLK, F_SETLKW (wait), and the OFD ones: `owner` is the descriptor table for POSIX locks and
 * the file itself for OFD locks.  0, -EAGAIN, -EDEADLK, -ERESTARTSYS, -ENOLCK, -EBADF (access
 * mode). */
must_check int locks_set(struct file *f, void *owner, const struct lock_range *r, bool wait);
/* F_GETLK: *r becomes the first lock in the way, or its type F_UNLCK. */
void locks_test(struct file *f, void *owner, struct lock_range *r);

/* flock(2): LOCK_SH, LOCK_EX, LOCK_UN, with LOCK_NB.  0, -EWOULDBLOCK, -EINVAL, -ERESTARTSYS,
 * -ENOLCK. */
must_check int locks_flock(struct file *f, int operation);

/* A process closed a descriptor of `f`: its POSIX locks on the inode go.  For fd_close and
 * fdtable_put. */
void locks_close(struct file *f, void *owner);
/* The last reference to `f` is gone: flock and OFD locks go.  For file_put, before ops->release. */
void locks_release(struct file *f);
void locks_free(struct inode *i); /* inode.c: the inode goes */
