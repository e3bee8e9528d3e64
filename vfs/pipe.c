/* Pipes and FIFOs, with Linux's semantics: what fits, what is atomic and who is woken follow
 * fs/pipe.c.
 *
 * A write fills pages; a short write is appended to the last page when it fits whole, which makes
 * every write of up to PIPE_BUF bytes atomic.  A spare page is kept so that the common
 * write-then-read allocates nothing. User memory is copied under the pipe's mutex.  -EPIPE leaves
 * SIGPIPE to the system call. */
#include <asm/ioctls.h>
#include <base/errno.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <pipe_ring.h>
#include <vfs/inode.h>
#include <vfs/pipe.h>

static const struct file_ops pipe_ops;

static struct pipe *pipe_new(void)
{
    struct pipe *p = heap_zalloc(sizeof(*p));
    if (!p)
        return NULL;
    p->nr_slots = PIPE_DEFAULT_SLOTS;
    p->ring = heap_zalloc(p->nr_slots * sizeof(p->ring[0]));
    if (!p->ring) {
        heap_free(p);
        return NULL;
    }
    mutex_init(&p->lock, RANK_PIPE);
    waitq_init(&p->read_wait);
    waitq_init(&p->write_wait);
    p->r_counter = p->w_counter = 1;
    return p;
}

static void pipe_free(struct pipe *p)
{
    mutex_lock(&p->lock);
    while (pipe_used(p) > 0)
        pipe_pop(p);
    mutex_unlock(&p->lock);
    if (p->spare)
        page_put(p->spare);
    heap_free(p->ring);
    heap_free(p);
}

struct page *pipe_take_page(struct pipe *p)
{
    struct page *page = p->spare;
    if (!page)
        return page_alloc(0, 0);
    p->spare = NULL;
    return page;
}

inline void pipe_give_page(struct pipe *p, struct page *page)
{
    /* A page that splice or tee shared with another pipe is not ours to write into again. */
    if (!p->spare && page_refs(page) == 1)
        p->spare = page;
    else
        page_put(page);
}

static inline void pop(struct pipe *p, struct pipe_buf *first)
{
    pipe_give_page(p, first->page);
    first->page = NULL;
    atomic_store(&p->tail, p->tail + 1);
}

void pipe_pop(struct pipe *p)
{
    pop(p, pipe_slot(p, p->tail));
}

void pipe_wake_readers(struct pipe *p)
{
    waitq_wake(&p->read_wait, 1, POLLIN | POLLRDNORM);
}

void pipe_wake_writers(struct pipe *p)
{
    waitq_wake(&p->write_wait, 1, POLLOUT | POLLWRNORM);
}

int pipe_wait_readable(struct pipe *p, bool nonblock)
{
    if (nonblock)
        return -EAGAIN;
    mutex_unlock(&p->lock);
    int ret =
        WAIT_EVENT_EXCLUSIVE(&p->read_wait, !pipe_is_empty(p) || atomic_load(&p->writers) == 0,
                             WAIT_INTERRUPTIBLE, TIME_NEVER);
    mutex_lock(&p->lock);
    return ret < 0 ? -ERESTARTSYS : 0;
}

int pipe_wait_writable(struct pipe *p, bool nonblock)
{
    if (nonblock)
        return -EAGAIN;
    mutex_unlock(&p->lock);
    int ret =
        WAIT_EVENT_EXCLUSIVE(&p->write_wait, !pipe_is_full(p) || atomic_load(&p->readers) == 0,
                             WAIT_INTERRUPTIBLE, TIME_NEVER);
    mutex_lock(&p->lock);
    return ret < 0 ? -ERESTARTSYS : 0;
}

/* Move what the first buffer holds, at most what fits: bytes, or -EFAULT with nothing consumed. */
static inline __attribute__((always_inline)) ssize_t read_first(struct pipe *p, struct iobuf *to)
{
    struct pipe_buf *buf = pipe_slot(p, p->tail);
    size_t n = MIN((size_t)buf->len, to->left);
    ssize_t ret = iobuf_put(to, (const char *)page_ptr(buf->page) + buf->offset, n);
    if (ret < 0 || (size_t)ret < n) {
        if (ret > 0)
            iobuf_rewind(to, ret);
        return -EFAULT;
    }
    buf->offset += n;
    buf->len -= n;
    if (buf->len == 0 || (buf->flags & PIPE_BUF_PACKET))
        pop(p, buf);
    return n;
}

/* What reading did that others wait for. */
struct read_result {
    ssize_t ret;
    bool made_room, has_slept;
};

/* Read from several buffers, or wait for one.  Called and left with the lock. */
static __attribute__((noinline)) void read_many(struct pipe *p, struct iobuf *to, bool nonblock,
                                                struct read_result *r)
{
    while (to->left > 0) {
        if (!pipe_is_empty(p)) {
            bool is_packet = pipe_slot(p, p->tail)->flags & PIPE_BUF_PACKET;
            bool was_full = pipe_is_full(p);
            ssize_t n = read_first(p, to);
            if (n < 0) {
                r->ret = r->ret > 0 ? r->ret : n;
                return;
            }
            r->made_room |= was_full && !pipe_is_full(p);
            r->ret += n;
            if (is_packet)
                return;
            continue;
        }
        if (p->writers == 0 || r->ret > 0)
            return;
        r->ret = pipe_wait_readable(p, nonblock);
        if (r->ret < 0)
            return;
        r->has_slept = true;
    }
}

ssize_t pipe_read_to(struct file *f, struct iobuf *to, bool nonblock)
{
    struct pipe *p = f->data;
    struct read_result r = {0};

    if (to->left == 0)
        return 0;
    mutex_lock(&p->lock);
    unsigned used = pipe_used(p);
    if (likely(used == 1 || (used > 0 && to->left <= pipe_slot(p, p->tail)->len))) {
        bool was_full = used >= p->nr_slots;
        r.ret = read_first(p, to); /* the usual case: the first buffer is all there is to say */
        r.made_room = was_full && pipe_used(p) < p->nr_slots;
    } else {
        read_many(p, to, nonblock, &r);
    }
    bool has_more = r.has_slept && !pipe_is_empty(p);
    mutex_unlock(&p->lock);

    if (r.made_room)
        pipe_wake_writers(p);
    if (has_more) /* one reader was woken for all that was written meanwhile */
        pipe_wake_readers(p);
    return r.ret;
}

static ssize_t pipe_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    return pipe_read_to(f, to, f->flags & O_NONBLOCK || to->how & IOBUF_NOWAIT);
}

/* Append the odd bytes at the front of a write to the last page, if they all fit: bytes or -EFAULT.
 */
static ssize_t write_merge(struct pipe *p, struct iobuf *from)
{
    size_t n = from->left % PAGE_SIZE;
    if (n == 0 || pipe_is_empty(p))
        return 0;
    struct pipe_buf *buf = pipe_slot(p, p->head - 1);
    size_t end = buf->offset + buf->len;
    if (!(buf->flags & PIPE_BUF_MERGE) || end + n > PAGE_SIZE)
        return 0;
    ssize_t ret = iobuf_get(from, (char *)page_ptr(buf->page) + end, n);
    if (ret < 0 || (size_t)ret < n)
        return -EFAULT;
    buf->len += n;
    return n;
}

/* Fill one more slot: bytes, -EFAULT or -ENOMEM. */
static inline __attribute__((always_inline)) ssize_t write_page(struct pipe *p, struct iobuf *from,
                                                                unsigned flags)
{
    struct page *page = pipe_take_page(p);
    if (!page)
        return -ENOMEM;
    size_t n = MIN(from->left, PAGE_SIZE);
    ssize_t ret = iobuf_get(from, page_ptr(page), n);
    if (ret < 0 || (size_t)ret < n) {
        pipe_give_page(p, page);
        return -EFAULT;
    }
    pipe_push(p, page, 0, n, flags);
    return n;
}

/* Append to what is there, fill several slots, or wait for room: bytes or -errno.  Called and left with the lock.
 * `was_empty` is as when the lock was last taken. */
static __attribute__((noinline)) ssize_t write_many(struct pipe *p, struct iobuf *from,
                                                    unsigned flags, bool nonblock, bool *was_empty,
                                                    bool *has_slept)
{
    ssize_t ret = p->readers > 0 ? write_merge(p, from) : -EPIPE;
    while (ret >= 0 && from->left > 0) {
        ssize_t n;
        if (p->readers == 0) {
            n = -EPIPE;
        } else if (!pipe_is_full(p)) {
            n = write_page(p, from, flags);
        } else {
            if (*was_empty) /* the readers must make the room that we wait for */
                pipe_wake_readers(p);
            n = pipe_wait_writable(p, nonblock);
            *was_empty = pipe_is_empty(p);
            *has_slept = true;
        }
        if (n < 0)
            return ret > 0 ? ret : n;
        ret += n;
    }
    return ret;
}

ssize_t pipe_write_from(struct file *f, struct iobuf *from, bool nonblock)
{
    struct pipe *p = f->data;
    unsigned flags = f->flags & O_DIRECT ? PIPE_BUF_PACKET : PIPE_BUF_MERGE;
    bool has_slept = false;
    ssize_t ret;

    if (from->left == 0)
        return 0;
    mutex_lock(&p->lock);
    bool was_empty = pipe_used(p) == 0;
    if (likely(was_empty && from->left <= PAGE_SIZE && p->readers > 0))
        ret = write_page(p, from, flags);
    else
        ret = write_many(p, from, flags, nonblock, &was_empty, &has_slept);
    bool has_room = has_slept && !pipe_is_full(p);
    mutex_unlock(&p->lock);

    if (was_empty || p->was_polled)
        pipe_wake_readers(p);
    if (has_room)
        pipe_wake_writers(p);
    return ret;
}

static ssize_t pipe_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    return pipe_write_from(f, from, f->flags & O_NONBLOCK || from->how & IOBUF_NOWAIT);
}

static uint32_t pipe_poll(struct file *f, struct poll_table *t)
{
    struct pipe *p = f->data;
    uint32_t events = 0;

    atomic_store(&p->was_polled, true);
    if (f->can_read)
        poll_on(t, f, &p->read_wait);
    if (f->can_write)
        poll_on(t, f, &p->write_wait);
    if (f->can_read) {
        if (!pipe_is_empty(p))
            events |= POLLIN | POLLRDNORM;
        /* Opened without blocking while nobody wrote: no hang-up before the first writer has come
         * and gone. */
        if (atomic_load(&p->writers) == 0 && (unsigned)f->pos != atomic_load(&p->w_counter))
            events |= POLLHUP;
    }
    if (f->can_write) {
        if (!pipe_is_full(p))
            events |= POLLOUT | POLLWRNORM;
        if (atomic_load(&p->readers) == 0)
            events |= POLLERR;
    }
    return events;
}

static seldom_called long pipe_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct pipe *p = f->data;
    if (cmd != FIONREAD)
        return -ENOTTY;
    int n = 0;
    mutex_lock(&p->lock);
    for (unsigned i = p->tail; i != p->head; i++)
        n += pipe_slot(p, i)->len;
    mutex_unlock(&p->lock);
    return user_put(arg, &n);
}

static void pipe_drop_side(struct pipe *p, bool reads, bool writes)
{
    mutex_lock(&p->lock);
    if (reads)
        atomic_store(&p->readers, p->readers - 1);
    if (writes)
        atomic_store(&p->writers, p->writers - 1);
    bool is_one_sided = !p->readers != !p->writers;
    mutex_unlock(&p->lock);
    if (is_one_sided) {
        waitq_wake(&p->read_wait, 0, POLLIN | POLLRDNORM | POLLERR | POLLHUP);
        waitq_wake(&p->write_wait, 0, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
    }
}

/* Give up a file's hold on the inode's pipe. */
static void pipe_put(struct inode *inode, struct pipe *p)
{
    mutex_lock(&inode->lock);
    bool is_last = --p->files == 0;
    if (is_last)
        inode->pipe = NULL;
    mutex_unlock(&inode->lock);
    if (is_last)
        pipe_free(p);
}

static void pipe_release(struct file *f)
{
    struct pipe *p = f->data;
    pipe_drop_side(p, f->can_read, f->can_write);
    pipe_put(f->inode, p);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
    .can_nowait = true,
};

bool file_is_pipe(const struct file *f)
{
    return f->ops == &pipe_ops;
}

int pipe_new_pair(struct file *f[2], int flags)
{
    struct pipe *p = pipe_new();
    if (!p)
        return -ENOMEM;
    f[0] = file_new_anon(&pipe_ops, p, O_RDONLY | (flags & O_NONBLOCK), S_IFIFO | 0600, NULL);
    if (!f[0]) {
        pipe_free(p);
        return -ENOMEM;
    }
    p->readers = p->writers = 1;
    p->files = 2;
    f[0]->inode->pipe = p;
    f[1] = file_new(f[0]->inode, NULL, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
    if (!f[1]) {
        p->files = 1;
        p->writers = 0;
        file_put(f[0]);
        return -ENOMEM;
    }
    f[1]->ops = &pipe_ops;
    f[1]->data = p;
    return 0;
}

/* Wait until another opener moves `counter`.  Called and left with the lock. */
static int wait_for_partner(struct pipe *p, unsigned *counter)
{
    unsigned seen = *counter;
    mutex_unlock(&p->lock);
    int ret =
        WAIT_EVENT(&p->read_wait, atomic_load(counter) != seen, WAIT_INTERRUPTIBLE, TIME_NEVER);
    mutex_lock(&p->lock);
    return ret < 0 ? -ERESTARTSYS : 0;
}

/* The blocking rules of fifo(7).  Locked; on failure the counts are as before. */
static int join_fifo(struct pipe *p, struct file *f)
{
    bool nonblock = f->flags & O_NONBLOCK;
    if (f->can_write && !f->can_read && nonblock && p->readers == 0)
        return -ENXIO;
    if (f->can_read) {
        atomic_store(&p->r_counter, p->r_counter + 1);
        atomic_store(&p->readers, p->readers + 1);
    }
    if (f->can_write) {
        atomic_store(&p->w_counter, p->w_counter + 1);
        atomic_store(&p->writers, p->writers + 1);
    }
    waitq_wake_all(&p->read_wait); /* openers wait there whatever side they are */
    if (p->readers > 0 && p->writers > 0)
        return 0;
    if (f->can_read && nonblock) {
        f->pos = p->w_counter;
        return 0;
    }
    return wait_for_partner(p, f->can_read ? &p->w_counter : &p->r_counter);
}

seldom_called int fifo_open(struct inode *inode, struct file *f)
{
    mutex_lock(&inode->lock);
    struct pipe *p = inode->pipe;
    if (!p)
        p = inode->pipe = pipe_new();
    if (p)
        p->files++;
    mutex_unlock(&inode->lock);
    if (!p)
        return -ENOMEM;

    mutex_lock(&p->lock);
    int ret = join_fifo(p, f);
    mutex_unlock(&p->lock);
    if (ret < 0) {
        if (ret != -ENXIO)
            pipe_drop_side(p, f->can_read, f->can_write);
        pipe_put(inode, p);
        return ret;
    }
    f->ops = &pipe_ops;
    f->data = p;
    return 0;
}

long pipe_get_size(struct file *f)
{
    if (!file_is_pipe(f))
        return -EBADF;
    struct pipe *p = f->data;
    return atomic_load(&p->nr_slots) * PAGE_SIZE;
}

seldom_called long pipe_set_size(struct file *f, unsigned long size)
{
    if (!file_is_pipe(f))
        return -EBADF;
    struct pipe *p = f->data;
    unsigned slots = pipe_round_slots(size);
    if (slots == 0)
        return -EINVAL;
    struct pipe_buf *ring = heap_zalloc(slots * sizeof(ring[0]));
    if (!ring)
        return -ENOMEM;

    mutex_lock(&p->lock);
    unsigned used = pipe_used(p);
    bool fits = used <= slots, was_full = pipe_is_full(p);
    if (fits) {
        for (unsigned i = 0; i < used; i++)
            ring[(p->tail + i) & (slots - 1)] = *pipe_slot(p, p->tail + i);
        struct pipe_buf *old = p->ring;
        p->ring = ring;
        ring = old;
        atomic_store(&p->nr_slots, slots);
    }
    mutex_unlock(&p->lock);
    heap_free(ring);
    if (!fits)
        return -EBUSY;
    if (was_full)
        pipe_wake_writers(p);
    return slots * PAGE_SIZE;
}
