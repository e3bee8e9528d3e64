/* Descriptor tables: small integers to open files.  Shared between threads (CLONE_FILES), so an object with
 * references, never a global. */
#pragma once

#include <core/lock.h>
#include <vfs/file.h>

struct fdtable;

struct fdtable *fdtable_new(void) must_check;               /* NULL: no memory */
struct fdtable *fdtable_copy(struct fdtable *t) must_check; /* clone without CLONE_FILES */
void fdtable_get(struct fdtable *t);
void fdtable_put(struct fdtable *t);       /* the last one closes everything */
bool fdtable_is_shared(struct fdtable *t); /* more than one reference */

/* The file of `fd` with a reference for the caller; NULL when there is none (-EBADF).  Lock-free enough for
 * the hot path. */
struct file *fd_get(struct fdtable *t, int fd);
/* The same for calls that O_PATH descriptors do not take part in (they answer -EBADF): read, ioctl, fsync... */
struct file *fd_get_io(struct fdtable *t, int fd);
/* fd_get_io without a reference: for a caller that knows that nobody else can close a descriptor of this table before
 * it is done with the file. */
struct file *fd_borrow(struct fdtable *t, int fd);
/* The lowest free descriptor >= min below limit (RLIMIT_NOFILE), bound to `f`, whose reference it takes over on
 * success only.  The descriptor, or -EMFILE, -ENOMEM.  O_CLOEXEC in `flags`. */
must_check int fd_install(struct fdtable *t, struct file *f, int min, uint64_t limit, int flags);
/* The same in two steps, for open(2), which must know that a descriptor is free before it creates a file.  A
 * reserved descriptor reads as closed; it is then bound (which cannot fail) or given back. */
must_check int fd_reserve(struct fdtable *t, int min, uint64_t limit, int flags);
void fd_bind(struct fdtable *t, int fd, struct file *f);
void fd_unreserve(struct fdtable *t, int fd);
/* Two at once (pipe, socketpair): both or none. */
must_check int fd_install_pair(struct fdtable *t, struct file *f[2], uint64_t limit, int flags,
                               int fds[2]);
/* dup2/dup3: closes what `fd` was.  fd, or -EBADF (fd >= limit), -EBUSY (reserved), -ENOMEM. */
must_check int fd_install_at(struct fdtable *t, struct file *f, int fd, uint64_t limit, int flags);
must_check int fd_close(struct fdtable *t, int fd); /* 0, -EBADF, or what flush answered */
must_check int fd_close_range(struct fdtable *t, unsigned first, unsigned last,
                              bool only_cloexec_flag);
must_check int fd_get_flags(struct fdtable *t, int fd); /* FD_CLOEXEC or 0; -EBADF */
/* The file's flags (O_*), without a reference to it; -EBADF. */
must_check int fd_peek(struct fdtable *t, int fd);
must_check int fd_set_flags(struct fdtable *t, int fd, int flags);
void fdtable_close_on_exec(struct fdtable *t);
/* Descriptors from here on are surely closed: select(2) looks no further. */
unsigned fdtable_size(struct fdtable *t);
/* The lowest open descriptor >= fd, -1: none; for /proc/self/fd. */
int fd_next(struct fdtable *t, int fd);
