/* read(2), write(2) and their vectored and positioned forms, lseek(2). */
#include <abi_io.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <files.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include <syscalls/bodies.h>
#include <vfs/file_io.h>

/* A write that found no reader: the signal that usually ends the program. */
void files_raise_sigpipe(void)
{
    siginfo_t info;
    signal_info_from_current(&info, SIGPIPE, SI_USER);
    signal_send_task(current_task(), SIGPIPE, &info);
}

struct held_file files_hold_counted(int fd)
{
    return (struct held_file){file_of_fd(fd), true};
}

/* What Linux finds wrong before it looks at the address. */
static long refuse_read(const struct file *f)
{
    return !f->can_read ? -EBADF : !f->ops->read ? -EINVAL : -EFAULT;
}

static long refuse_write(const struct file *f)
{
    return !f->can_write ? -EBADF : !f->ops->write ? -EINVAL : -EFAULT;
}

/* Nothing to cut off and nothing to refuse. */
static bool is_whole(struct uptr buf, size_t count)
{
    return count <= MAX_RW_COUNT && user_range_ok(buf, count);
}

/* The rest: what is too long is moved in part, what does not lie in the user half is refused. */
static __attribute__((noinline)) long read_part(struct file *f, struct uptr buf, size_t count)
{
    struct iobuf b;
    iobuf_user(&b, buf, MIN(count, MAX_RW_COUNT));
    return user_range_ok(buf, count) ? file_read(f, &b, NULL) : refuse_read(f);
}

static __attribute__((noinline)) long write_part(struct file *f, struct uptr buf, size_t count)
{
    struct iobuf b;
    iobuf_user(&b, buf, MIN(count, MAX_RW_COUNT));
    return user_range_ok(buf, count) ? file_write(f, &b, NULL) : refuse_write(f);
}

long sys_read(int fd, struct uptr buf, size_t count)
{
    struct held_file h = files_hold(fd);
    struct file *f = h.file;
    if (!f)
        return -EBADF;
    long ret;
    if (likely(is_whole(buf, count))) {
        struct iobuf b;
        iobuf_user(&b, buf, count);
        ret = file_read_here(f, &b);
    } else {
        ret = read_part(f, buf, count);
    }
    files_release(h);
    return ret;
}

long sys_write(int fd, struct uptr buf, size_t count)
{
    struct held_file h = files_hold(fd);
    struct file *f = h.file;
    if (!f)
        return -EBADF;
    long ret;
    if (likely(is_whole(buf, count))) {
        struct iobuf b;
        iobuf_user(&b, buf, count);
        ret = file_write_here(f, &b);
    } else {
        ret = write_part(f, buf, count);
    }
    files_sigpipe(f, ret);
    files_release(h);
    return ret;
}

/* Reads or writes at an offset, and leaves the file's own alone. */
static long transfer_one_at(int fd, struct uptr buf, size_t count, int64_t offset, bool is_write)
{
    if (offset < 0)
        return -EINVAL;
    struct held_file h = files_hold(fd);
    struct file *f = h.file;
    if (!f)
        return -EBADF;
    struct iobuf b;
    iobuf_user(&b, buf, MIN(count, MAX_RW_COUNT));
    long ret = f->ops->has_pos ? is_write ? refuse_write(f) : refuse_read(f) : -ESPIPE;
    if (ret == -EFAULT && user_range_ok(buf, count)) {
        ret = -EINVAL;
        if (count <= (uint64_t)INT64_MAX - (uint64_t)offset)
            ret = is_write ? file_write(f, &b, &offset) : file_read(f, &b, &offset);
    }
    files_release(h);
    return ret;
}

long sys_pread64(int fd, struct uptr buf, size_t count, int64_t offset)
{
    return transfer_one_at(fd, buf, count, offset, false);
}

long sys_pwrite64(int fd, struct uptr buf, size_t count, int64_t offset)
{
    return transfer_one_at(fd, buf, count, offset, true);
}

/* --- vectors ---------------------------------------------------------------------------------- */

/* Every segment must lie in the user half, even those that the limit on the total cuts off. */
static int check_segments(struct user_iov *v, size_t nr)
{
    v->total = 0;
    for (size_t i = 0; i < nr; i++) {
        struct iobuf_seg *seg = &v->seg[i];
        if ((ssize_t)seg->len < 0)
            return -EINVAL;
        if (!user_range_ok(uptr_of_word(seg->base), seg->len))
            return -EFAULT;
        seg->len = MIN(seg->len, MAX_RW_COUNT - v->total);
        v->total += seg->len;
    }
    return 0;
}

int user_iov_read(struct user_iov *v, struct uptr iov, size_t nr)
{
    if (nr > UIO_MAXIOV)
        return -EINVAL;
    v->seg = v->fast;
    if (nr > FAST_IOV) {
        v->seg = heap_alloc(nr * sizeof(v->seg[0]));
        if (!v->seg)
            return -ENOMEM;
    }
    int ret = user_get_iovec(iov, nr, v->seg);
    if (ret == 0)
        ret = check_segments(v, nr);
    if (ret)
        user_iov_end(v);
    return ret;
}

void user_iov_end(struct user_iov *v)
{
    if (v->seg != v->fast)
        heap_free(v->seg);
}

#define RWF_NOAPPEND_ 0x20 /* newer than the oldest <linux/fs.h> that we build with */

/* RWF_*: an enum iobuf_how, or -errno.  Polling harder (RWF_HIPRI) is nothing to do, and reads have nothing to sync. */
static int how_of_flags(const struct file *f, int flags)
{
    if (flags & ~(RWF_SUPPORTED | RWF_NOAPPEND_))
        return -EOPNOTSUPP;
    if (flags & RWF_APPEND && flags & RWF_NOAPPEND_)
        return -EINVAL;
    if (flags & RWF_NOWAIT && !f->ops->can_nowait)
        return -EOPNOTSUPP;
    return (flags & RWF_NOWAIT ? IOBUF_NOWAIT : 0) | (flags & RWF_APPEND ? IOBUF_APPEND : 0) |
           (flags & RWF_NOAPPEND_ ? IOBUF_NO_APPEND : 0);
}

/* Linux's order: the file, then the segments, then the flags, and those only when there is something to move. */
static long transfer_vector(struct file *f, bool writes, struct uptr iov, size_t nr, int64_t *pos,
                            int flags)
{
    struct user_iov v;
    long ret = writes ? refuse_write(f) : refuse_read(f);
    if (ret == -EFAULT)
        ret = user_iov_read(&v, iov, nr);
    if (ret)
        return ret;
    struct iobuf b;
    iobuf_vector(&b, v.seg, nr, v.total);
    if (v.total > 0) {
        ret = how_of_flags(f, flags);
        b.how = (unsigned)ret;
        if (ret >= 0)
            ret = writes ? file_write(f, &b, pos) : file_read(f, &b, pos);
    }
    user_iov_end(&v);
    return ret;
}

long sys_readv(int fd, struct uptr iov, int iovcnt)
{
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    long ret = transfer_vector(f, false, iov, (size_t)(long)iovcnt, NULL, 0);
    file_put(f);
    return ret;
}

long sys_writev(int fd, struct uptr iov, int iovcnt)
{
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    long ret = transfer_vector(f, true, iov, (size_t)(long)iovcnt, NULL, 0);
    files_sigpipe(f, ret);
    file_put(f);
    return ret;
}

/* The positioned forms; offset -1 with the second generation means the file's own position. */
static long transfer_at(int fd, bool writes, struct uptr iov, size_t nr, int64_t offset, int flags)
{
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    long ret = -ESPIPE;
    if (offset == -1 || f->ops->has_pos)
        ret = transfer_vector(f, writes, iov, nr, offset == -1 ? NULL : &offset, flags);
    if (ret > 0 && writes && (flags & (RWF_DSYNC | RWF_SYNC)) && f->ops->sync) {
        int error = f->ops->sync(f, !(flags & RWF_SYNC));
        ret = error < 0 ? error : ret;
    }
    if (writes)
        files_sigpipe(f, ret);
    file_put(f);
    return ret;
}

long sys_preadv(int fd, struct uptr iov, size_t iovcnt, int64_t offset, unsigned long high)
{
    return offset < 0 ? -EINVAL : transfer_at(fd, false, iov, iovcnt, offset, 0);
}

long sys_pwritev(int fd, struct uptr iov, size_t iovcnt, int64_t offset, unsigned long high)
{
    return offset < 0 ? -EINVAL : transfer_at(fd, true, iov, iovcnt, offset, 0);
}

long sys_preadv2(int fd, struct uptr iov, size_t iovcnt, int64_t offset, unsigned long high,
                 int flags)
{
    return offset < -1 ? -EINVAL : transfer_at(fd, false, iov, iovcnt, offset, flags);
}

long sys_pwritev2(int fd, struct uptr iov, size_t iovcnt, int64_t offset, unsigned long high,
                  int flags)
{
    return offset < -1 ? -EINVAL : transfer_at(fd, true, iov, iovcnt, offset, flags);
}

/* --- the position ----------------------------------------------------------------------------- */

long sys_lseek(int fd, int64_t offset, int whence)
{
    struct held_file h = files_hold(fd);
    struct file *f = h.file;
    if (!f)
        return -EBADF;
    long ret = -EINVAL;
    if ((unsigned)whence <= SEEK_MAX) {
        ret = -ESPIPE;
        if (f->ops->seek) {
            mutex_lock(&f->pos_lock);
            ret = f->ops->seek(f, offset, whence, &f->pos);
            mutex_unlock(&f->pos_lock);
        }
    }
    files_release(h);
    return ret;
}
