/* Moving bytes between files without user memory: splice(2), tee(2), sendfile(2).
 *
 * Into a pipe, a file is read page by page into fresh pages that the pipe then owns; out of a pipe,
 * each buffer is written from where it lies; between pipes the pages themselves change hands, or
 * are shared (tee).  As on Linux the pipe stays locked while the other file moves the bytes. */
#include <base/errno.h>
#include <core/sched.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <pipe_ring.h>
#include <vfs/inode.h>
#include <vfs/pipe.h>

#define SEND_ORDER 3 /* sendfile moves 32 KiB at a time */

static bool is_nonblocking(const struct file *f, unsigned flags)
{
    return (flags & SPLICE_F_NONBLOCK) || (f->flags & O_NONBLOCK);
}

/* --- file to pipe ----------------------------------------------------------------------------- */

/* Read one page more into the pipe, which has room: bytes, 0 at the end. */
static ssize_t fill_slot(struct pipe *p, struct file *in, int64_t *pos, size_t n, unsigned flags)
{
    struct page *page = pipe_take_page(p);
    if (!page)
        return -ENOMEM;
    struct iobuf b;
    iobuf_kernel(&b, page_ptr(page), MIN(n, PAGE_SIZE));
    if (flags & SPLICE_F_NONBLOCK)
        b.how = IOBUF_SPLICE_NOWAIT;
    ssize_t ret = file_read(in, &b, pos);
    if (ret > 0)
        pipe_push(p, page, 0, ret, PIPE_BUF_MERGE);
    else
        pipe_give_page(p, page);
    return ret;
}

static ssize_t file_to_pipe(struct file *in, int64_t *pos, struct file *out, size_t n,
                            unsigned flags)
{
    struct pipe *p = out->data;
    ssize_t done = 0, ret = 0;
    mutex_lock(&p->lock);
    while (ret == 0 && p->readers > 0 && pipe_is_full(p))
        ret = pipe_wait_writable(p, is_nonblocking(out, flags));
    if (p->readers == 0)
        ret = -EPIPE;
    while (ret == 0 && n > 0 && !pipe_is_full(p)) {
        ssize_t got = fill_slot(p, in, pos, n, flags);
        if (got <= 0) {
            ret = got;
            break;
        }
        done += got;
        n -= got;
        if (got < (ssize_t)PAGE_SIZE || sched_checkpoint()) /* more might mean waiting */
            break;
    }
    mutex_unlock(&p->lock);
    if (done > 0)
        pipe_wake_readers(p);
    return done > 0 ? done : ret;
}

/* --- pipe to file ----------------------------------------------------------------------------- */

/* Write the first buffer out, at most `n` bytes of it. */
static ssize_t drain_slot(struct pipe *p, struct file *out, int64_t *pos, size_t n)
{
    struct pipe_buf *buf = pipe_slot(p, p->tail);
    struct iobuf b;
    iobuf_kernel(&b, (char *)page_ptr(buf->page) + buf->offset, MIN(n, (size_t)buf->len));
    ssize_t ret = file_write(out, &b, pos);
    if (ret <= 0)
        return ret;
    buf->offset += ret;
    buf->len -= ret;
    if (buf->len == 0)
        pipe_pop(p);
    return ret;
}

static ssize_t pipe_to_file(struct file *in, struct file *out, int64_t *pos, size_t n,
                            unsigned flags)
{
    struct pipe *p = in->data;
    ssize_t done = 0, ret = 0;
    mutex_lock(&p->lock);
    while (ret == 0 && p->writers > 0 && pipe_is_empty(p))
        ret = pipe_wait_readable(p, is_nonblocking(in, flags));
    bool was_full = pipe_is_full(p);
    while (ret == 0 && n > 0 && !pipe_is_empty(p)) {
        ssize_t put = drain_slot(p, out, pos, n);
        if (put <= 0) {
            ret = put;
            break;
        }
        done += put;
        n -= put;
        if (sched_checkpoint())
            break;
    }
    bool made_room = was_full && !pipe_is_full(p);
    mutex_unlock(&p->lock);
    if (made_room)
        pipe_wake_writers(p);
    return done > 0 ? done : ret;
}

/* --- pipe to pipe ----------------------------------------------------------------------------- */

/* Both locks, in the order of addresses. */
static void lock_both(struct pipe *a, struct pipe *b)
{
    mutex_lock(a < b ? &a->lock : &b->lock);
    mutex_lock_nested(a < b ? &b->lock : &a->lock, RANK_PIPE_2);
}

static void unlock_both(struct pipe *a, struct pipe *b)
{
    mutex_unlock(a < b ? &b->lock : &a->lock);
    mutex_unlock(a < b ? &a->lock : &b->lock);
}

/* Wait until `in` has something and `out` has room, and answer with both locked: 1; 0: nothing will
 * come (not locked); -errno (not locked). */
static ssize_t lock_when_movable(struct pipe *in, struct pipe *out, bool nonblock)
{
    for (;;) {
        lock_both(in, out);
        ssize_t ret = 1;
        bool is_empty = pipe_is_empty(in);
        if (out->readers == 0)
            ret = -EPIPE;
        else if (is_empty && in->writers == 0)
            ret = 0;
        else if (!is_empty && !pipe_is_full(out))
            return 1;
        unlock_both(in, out);
        if (ret <= 0)
            return ret;

        struct pipe *p = is_empty ? in : out;
        mutex_lock(&p->lock);
        ret = is_empty ? (pipe_is_empty(p) && p->writers > 0 ? pipe_wait_readable(p, nonblock) : 0)
                       : (pipe_is_full(p) && p->readers > 0 ? pipe_wait_writable(p, nonblock) : 0);
        mutex_unlock(&p->lock);
        if (ret < 0)
            return ret;
    }
}

/* Move buffers, or with `keeps` (tee) share them.  Both locked. */
static size_t move_buffers(struct pipe *in, struct pipe *out, size_t n, bool keeps)
{
    size_t done = 0;
    unsigned at = in->tail;
    while (done < n && at != in->head && !pipe_is_full(out)) {
        struct pipe_buf *buf = pipe_slot(in, at);
        size_t len = MIN(n - done, (size_t)buf->len);
        /* A page in two pipes, or split between two, may not be appended to. */
        buf->flags &= ~PIPE_BUF_MERGE;
        page_get(buf->page);
        pipe_push(out, buf->page, buf->offset, len, buf->flags);
        done += len;
        if (keeps) {
            at++;
            continue;
        }
        buf->offset += len;
        buf->len -= len;
        if (buf->len == 0)
            pipe_pop(in);
        at = in->tail;
    }
    return done;
}

static ssize_t pipe_to_pipe(struct file *in, struct file *out, size_t n, unsigned flags, bool keeps)
{
    struct pipe *from = in->data, *to = out->data;
    if (from == to)
        return -EINVAL;
    bool nonblock = (flags & SPLICE_F_NONBLOCK) || ((in->flags | out->flags) & O_NONBLOCK);
    ssize_t ret = lock_when_movable(from, to, nonblock);
    if (ret <= 0)
        return ret;
    bool was_full = pipe_is_full(from);
    ssize_t done = move_buffers(from, to, n, keeps);
    bool made_room = was_full && !pipe_is_full(from);
    unlock_both(from, to);
    pipe_wake_readers(to);
    if (made_room)
        pipe_wake_writers(from);
    return done;
}

/* --- the calls -------------------------------------------------------------------------------- */

ssize_t file_splice(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t n,
                    unsigned flags)
{
    bool from_pipe = file_is_pipe(in), to_pipe = file_is_pipe(out);
    if (!in->can_read || !out->can_write)
        return -EBADF;
    if ((from_pipe && in_pos) || (to_pipe && out_pos))
        return -ESPIPE;
    if (from_pipe && to_pipe)
        return pipe_to_pipe(in, out, n, flags, false);
    if (from_pipe) {
        if (out_pos && !out->ops->has_pos)
            return -EINVAL;
        if (out->flags & O_APPEND || !out->ops->write)
            return -EINVAL;
        return pipe_to_file(in, out, out_pos, n, flags);
    }
    if (!to_pipe || (in_pos && !in->ops->has_pos))
        return -EINVAL;
    return file_to_pipe(in, in_pos, out, n, flags);
}

ssize_t file_tee(struct file *in, struct file *out, size_t n, unsigned flags)
{
    if (!in->can_read || !out->can_write)
        return -EBADF;
    if (!file_is_pipe(in) || !file_is_pipe(out))
        return -EINVAL;
    return pipe_to_pipe(in, out, n, flags, true);
}

/* Through a buffer: read at *pos, write, and advance by what was written. */
static ssize_t send_chunk(struct file *in, int64_t *pos, struct file *out, void *buf, size_t n)
{
    struct iobuf b;
    int64_t at = *pos;
    iobuf_kernel(&b, buf, n);
    ssize_t got = file_read(in, &b, &at);
    if (got <= 0)
        return got;
    iobuf_kernel(&b, buf, got);
    ssize_t put = file_write(out, &b, NULL);
    if (put > 0)
        *pos += put;
    return put;
}

static ssize_t send_copy(struct file *in, int64_t *pos, struct file *out, size_t n)
{
    unsigned order = n > PAGE_SIZE ? SEND_ORDER : 0;
    struct page *page = page_alloc(order, PG_MAY_FAIL);
    if (!page && order > 0)
        page = page_alloc(order = 0, 0);
    if (!page)
        return -ENOMEM;
    ssize_t done = 0, ret = 0;
    while (n > 0) {
        size_t step = MIN(n, PAGE_SIZE << order);
        ret = send_chunk(in, pos, out, page_ptr(page), step);
        if (ret <= 0)
            break;
        done += ret;
        n -= ret;
        /* A regular file says at the next attempt why it took less. */
        bool is_short = (size_t)ret < step && !S_ISREG(out->inode->mode);
        if (is_short || sched_checkpoint())
            break;
    }
    page_put(page);
    return done > 0 ? done : ret;
}

int file_check_send(struct file *in, const int64_t *in_pos, size_t n)
{
    if (!in->can_read)
        return -EBADF;
    if (in_pos && !in->ops->has_pos)
        return -ESPIPE;
    return (ssize_t)n < 0 || (in_pos && (*in_pos < 0 || (uint64_t)*in_pos + n > INT64_MAX))
               ? -EINVAL
               : 0;
}

ssize_t file_send(struct file *in, int64_t *in_pos, struct file *out, size_t n)
{
    if (!out->can_write)
        return -EBADF;
    if (!in->ops->has_pos)
        return file_is_pipe(out) && n == 0 ? 0 : -EINVAL;
    if (out->flags & O_APPEND)
        return -EINVAL;
    int64_t pos = in_pos ? *in_pos : file_get_pos(in);
    ssize_t ret =
        file_is_pipe(out) ? file_to_pipe(in, &pos, out, n, 0) : send_copy(in, &pos, out, n);
    if (in_pos)
        *in_pos = pos;
    else
        file_set_pos(in, pos);
    return ret;
}
