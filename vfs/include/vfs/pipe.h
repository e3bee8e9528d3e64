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
#define PIPE_MAX_SIZE 1048576

/* read(2) and write(2) with another idea of O_NONBLOCK: vmsplice(2). */
ssize_t pipe_read_to(struct file *f, struct iobuf *to, bool nonblock);
ssize_t pipe_write_from(struct file *f, struct iobuf *from, bool nonblock);

/* Flags of splice(2), tee(2), vmsplice(2); no exported header of Linux has them. */
enum {
    SPLICE_F_MOVE = 1,
    SPLICE_F_NONBLOCK = 2,
    SPLICE_F_MORE = 4,
    SPLICE_F_GIFT = 8,
    SPLICE_F_ALL = 15
};

/* splice(2), tee(2), vmsplice(2), sendfile(2) between files; see splice.c.  Offsets NULL: the file's position.
 * Bytes moved, 0 at the end of input. */
ssize_t file_splice(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t n,
                    unsigned flags);
ssize_t file_tee(struct file *in, struct file *out, size_t n, unsigned flags);
/* The source of file_send as Linux checks it before it looks at the target: 0, -EBADF, -ESPIPE, -EINVAL. */
int file_check_send(struct file *in, const int64_t *in_pos, size_t n);
ssize_t file_send(struct file *in, int64_t *in_pos, struct file *out, size_t n);
