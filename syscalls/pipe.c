/* pipe(2), splice(2), tee(2), vmsplice(2), sendfile(2). */
#include <abi.h>
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <syscalls/bodies.h>
#include <vfs/pipe.h>

static long create_pipe(struct uptr pipefd, int flags)
{
    struct file *f[2];
    int fds[2];
    if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    long ret = pipe_new_pair(f, flags);
    if (ret < 0)
        return ret;
    ret = fd_install_pair(current_files(), f, process_rlimit(current_process(), RLIMIT_NOFILE),
                          flags, fds);
    if (ret < 0) {
        file_put(f[0]);
        file_put(f[1]);
        return ret;
    }
    if (user_write(pipefd, fds, sizeof(fds)) < 0) {
        (void)!fd_close(current_files(), fds[0]);
        (void)!fd_close(current_files(), fds[1]);
        return -EFAULT;
    }
    return 0;
}

long sys_pipe2(struct uptr pipefd, int flags)
{
    return create_pipe(pipefd, flags);
}

long sys_pipe(struct uptr pipefd)
{
    return create_pipe(pipefd, 0);
}

/* An optional offset argument: 0, -EFAULT, -EINVAL. */
static long get_offset(struct uptr p, int64_t *offset)
{
    if (uptr_is_null(p))
        return 0;
    if (user_get(p, offset) < 0)
        return -EFAULT;
    return *offset < 0 ? -EINVAL : 0;
}

static long put_offset(struct uptr p, const int64_t *offset)
{
    return uptr_is_null(p) ? 0 : user_put(p, offset);
}

static long splice(struct file *in, struct uptr off_in, struct file *out, struct uptr off_out,
                   size_t len, unsigned flags)
{
    int64_t from = 0, to = 0;
    bool has_from = !uptr_is_null(off_in), has_to = !uptr_is_null(off_out);
    if ((has_from && file_is_pipe(in)) || (has_to && file_is_pipe(out)))
        return -ESPIPE;
    long ret = get_offset(off_out, &to);
    if (ret == 0)
        ret = get_offset(off_in, &from);
    if (ret < 0)
        return ret;
    ret = file_splice(in, has_from ? &from : NULL, out, has_to ? &to : NULL, len, flags);
    if (ret >= 0 && (put_offset(off_out, &to) < 0 || put_offset(off_in, &from) < 0))
        return -EFAULT;
    return ret;
}

/* The end of a transfer from file to file: `ret` is its result, and either may be missing. */
static long put_both(struct file *in, struct file *out, long ret)
{
    if (out)
        files_sigpipe(out, ret);
    if (in)
        file_put(in);
    if (out)
        file_put(out);
    return ret;
}

long sys_splice(int fd_in, struct uptr off_in, int fd_out, struct uptr off_out, size_t len,
                unsigned flags)
{
    if (len == 0)
        return 0;
    if (flags & ~(unsigned)SPLICE_F_ALL)
        return -EINVAL;
    struct file *in = file_of_fd(fd_in), *out = file_of_fd(fd_out);
    long ret = in && out ? splice(in, off_in, out, off_out, MIN(len, MAX_RW_COUNT), flags) : -EBADF;
    return put_both(in, out, ret);
}

long sys_tee(int fd_in, int fd_out, size_t len, unsigned flags)
{
    if (flags & ~(unsigned)SPLICE_F_ALL)
        return -EINVAL;
    if (len == 0)
        return 0;
    struct file *in = file_of_fd(fd_in), *out = file_of_fd(fd_out);
    long ret = in && out ? file_tee(in, out, MIN(len, MAX_RW_COUNT), flags) : -EBADF;
    return put_both(in, out, ret);
}

/* The pages are copied: SPLICE_F_GIFT is a hint that may be ignored. */
static long vmsplice(struct file *f, struct uptr iov, size_t nr, bool nonblock)
{
    struct user_iov v;
    long ret = f->can_read || f->can_write ? user_iov_read(&v, iov, nr) : -EBADF;
    if (ret < 0)
        return ret;
    struct iobuf b;
    iobuf_vector(&b, v.seg, nr, v.total);
    if (v.total > 0 && !file_is_pipe(f))
        ret = -EBADF;
    else if (v.total > 0)
        ret = f->can_write ? pipe_write_from(f, &b, nonblock) : pipe_read_to(f, &b, nonblock);
    user_iov_end(&v);
    return ret;
}

long sys_vmsplice(int fd, struct uptr iov, size_t nr_segs, unsigned flags)
{
    if (flags & ~(unsigned)SPLICE_F_ALL)
        return -EINVAL;
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    long ret = vmsplice(f, iov, nr_segs, (flags & SPLICE_F_NONBLOCK) || (f->flags & O_NONBLOCK));
    files_sigpipe(f, ret);
    file_put(f);
    return ret;
}

/* Linux's order: all about the source, with the offset, before the target. */
static long send_file(int out_fd, int in_fd, int64_t *pos, size_t count)
{
    struct file *in = file_of_fd(in_fd), *out = file_of_fd(out_fd);
    long ret = !in ? -EBADF : file_check_send(in, pos, count);
    if (ret == 0)
        ret = out ? file_send(in, pos, out, MIN(count, MAX_RW_COUNT)) : -EBADF;
    return put_both(in, out, ret);
}

/* The offset of i386's first sendfile is a long, the other's has 64 bits. */
static long send_file_small(int out_fd, int in_fd, struct uptr offset, size_t count)
{
    int32_t small;
    if (user_get(offset, &small) < 0)
        return -EFAULT;
    int64_t pos = small;
    long ret = send_file(out_fd, in_fd, &pos, count);
    small = (int32_t)pos;
    return user_put(offset, &small) < 0 ? -EFAULT : ret;
}

static long send_file_large(int out_fd, int in_fd, struct uptr offset, size_t count)
{
    int64_t pos;
    if (uptr_is_null(offset))
        return send_file(out_fd, in_fd, NULL, count);
    if (user_get(offset, &pos) < 0)
        return -EFAULT;
    long ret = send_file(out_fd, in_fd, &pos, count);
    return user_put(offset, &pos) < 0 ? -EFAULT : ret; /* whatever happened, as on Linux */
}

long sys_sendfile64_32(int out_fd, int in_fd, struct uptr offset, size_t count)
{
    return send_file_large(out_fd, in_fd, offset, count);
}

long sys_sendfile(int out_fd, int in_fd, struct uptr offset, size_t count)
{
    return caller_is_i386() && !uptr_is_null(offset)
               ? send_file_small(out_fd, in_fd, offset, count)
               : send_file_large(out_fd, in_fd, offset, count);
}
