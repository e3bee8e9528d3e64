/* Pipes and FIFOs: pipe(7). */
#pragma once

#include <vfs/file.h>

/* pipe2(2): f[0] reads, f[1] writes; `flags` O_NONBLOCK, O_DIRECT.  0, -ENOMEM. */
must_check int pipe_new_pair(struct file *f[2], int flags);

bool file_is_pipe(const struct file *f);

/* F_GETPIPE_SZ, F_SETPIPE_SZ: the capacity in bytes; -EBADF (not a pipe), -EINVAL, -EBUSY, -ENOMEM. */
long pipe_get_size(struct file *f);
long pipe_set_size(struct file *f, unsigned long size);
/* What /proc/sys/fs/pipe-max-size says. */
#define PIPE_MAX_SIZE (1UL << 20)

/* splice(2), tee(2), vmsplice(2), sendfile(2) between files; see splice.c.  Offsets NULL: the file's position.
 * Bytes moved, 0 at the end of input. */
ssize_t file_splice(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t n, unsigned flags);
ssize_t file_tee(struct file *in, struct file *out, size_t n, unsigned flags);
ssize_t file_send(struct file *in, int64_t *in_pos, struct file *out, size_t n);
