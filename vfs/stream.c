/* Streams: standard input and output that reach the outside byte for byte, through a ring each way.
 */
#include <asm/ioctls.h>
#include <base/errno.h>
#include <byte_ring.h>
#include <core/heap.h>
#include <core/lock.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <vfs/inode.h>
#include <vfs/stream.h>

#define RING_SIZE 16384
#define CHUNK     512

struct stream {
    struct tty_driver *driver;
    struct inode *inode; /* one for all its files */
    struct turn read_turn, write_turn;
    struct waitq read_wait, write_wait;
    struct spinlock lock; /* RANK_LDISC, interrupts off - guards: */
    struct byte_ring in, out;
    bool is_ended, is_broken;
    bool has_refused; /* the driver holds input back until ->resume */
};

/* Locked. */
static void pump(struct stream *s)
{
    const uint8_t *bytes;
    unsigned n;
    while ((n = ring_front(&s->out, &bytes)) > 0) {
        size_t taken = s->driver->write(s->driver, bytes, n);
        s->out.read += taken;
        if (taken < n)
            break;
    }
}

/* --- from the driver -------------------------------------------------------------------------- */

size_t stream_input(struct stream *s, const void *bytes, size_t n)
{
    bool irqs = spin_lock_irq(&s->lock);
    size_t taken = ring_put(&s->in, bytes, MIN(n, (size_t)RING_SIZE));
    s->has_refused |= taken < n;
    spin_unlock_irq(&s->lock, irqs);
    waitq_wake(&s->read_wait, 0, POLLIN | POLLRDNORM);
    return taken;
}

void stream_output_ready(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    pump(s);
    bool has_room = ring_used(&s->out) < RING_SIZE / 2;
    spin_unlock_irq(&s->lock, irqs);
    if (has_room)
        waitq_wake(&s->write_wait, 0, POLLOUT | POLLWRNORM);
}

void stream_end(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    s->is_ended = true;
    spin_unlock_irq(&s->lock, irqs);
    waitq_wake(&s->read_wait, 0, POLLIN | POLLRDNORM | POLLHUP);
}

void stream_break(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    s->is_broken = true;
    s->out.read = s->out.head;
    spin_unlock_irq(&s->lock, irqs);
    waitq_wake(&s->write_wait, 0, POLLOUT | POLLWRNORM | POLLERR);
}

/* --- the program's side ----------------------------------------------------------------------- */

static bool is_readable(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    bool ret = ring_used(&s->in) > 0 || s->is_ended;
    spin_unlock_irq(&s->lock, irqs);
    return ret;
}

static bool is_writable(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    bool ret = ring_room(&s->out) >= CHUNK || s->is_broken;
    spin_unlock_irq(&s->lock, irqs);
    return ret;
}

/* What is there, at most what fits: bytes, or -EFAULT. */
static ssize_t take_input(struct stream *s, struct iobuf *to)
{
    uint8_t chunk[CHUNK];
    ssize_t done = 0;
    while (to->left > 0) {
        bool irqs = spin_lock_irq(&s->lock);
        unsigned n = ring_get(&s->in, chunk, MIN(to->left, sizeof(chunk)));
        bool must_resume = s->has_refused && s->driver->resume;
        s->has_refused = false;
        spin_unlock_irq(&s->lock, irqs);
        if (must_resume)
            s->driver->resume(s->driver);
        if (n == 0)
            break;
        ssize_t ret = iobuf_put(to, chunk, n);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
    }
    return done;
}

static ssize_t stream_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct stream *s = f->data;
    bool nonblock = f->flags & O_NONBLOCK;
    if (to->left == 0)
        return 0;
    ssize_t ret = turn_take(&s->read_turn, nonblock);
    if (ret < 0)
        return ret;
    if (!is_readable(s) && nonblock)
        ret = -EAGAIN;
    else if (WAIT_EVENT(&s->read_wait, is_readable(s), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
        ret = -ERESTARTSYS;
    else
        ret = take_input(s, to);
    turn_give(&s->read_turn);
    return ret;
}

/* As many bytes as there is room for: -EPIPE. */
static ssize_t put_output(struct stream *s, const char *bytes, size_t n)
{
    bool irqs = spin_lock_irq(&s->lock);
    unsigned done = ring_put(&s->out, bytes, n);
    if (done < n) {
        pump(s);
        done += ring_put(&s->out, bytes + done, n - done);
    }
    bool is_broken = s->is_broken;
    spin_unlock_irq(&s->lock, irqs);
    return is_broken ? -EPIPE : (ssize_t)done;
}

static ssize_t write_in_turn(struct stream *s, struct iobuf *from, bool nonblock)
{
    char chunk[CHUNK];
    ssize_t done = 0;
    while (from->left > 0) {
        ssize_t n = iobuf_get(from, chunk, MIN(from->left, sizeof(chunk)));
        if (n < 0)
            return done > 0 ? done : n;
        for (ssize_t put = 0; put < n;) {
            ssize_t ret = put_output(s, chunk + put, n - put);
            if (ret >= 0) {
                put += ret;
                done += ret;
                if (put == n)
                    break;
                ret = nonblock ? -EAGAIN : 0;
            }
            if (ret == 0 &&
                WAIT_EVENT(&s->write_wait, is_writable(s), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
                ret = -ERESTARTSYS;
            if (ret < 0)
                return done > 0 ? done : ret;
        }
    }
    return done;
}

static ssize_t stream_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct stream *s = f->data;
    bool nonblock = f->flags & O_NONBLOCK;
    ssize_t ret = turn_take(&s->write_turn, nonblock);
    if (ret < 0)
        return ret;
    ret = write_in_turn(s, from, nonblock);
    bool irqs = spin_lock_irq(&s->lock);
    pump(s);
    spin_unlock_irq(&s->lock, irqs);
    turn_give(&s->write_turn);
    return ret;
}

static bool is_drained(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->lock);
    bool ret = ring_used(&s->out) == 0 || s->is_broken;
    spin_unlock_irq(&s->lock, irqs);
    return ret;
}

void stream_drain(struct stream *s, uint64_t deadline)
{
    (void)WAIT_EVENT(&s->write_wait, is_drained(s), WAIT_UNINTERRUPTIBLE, deadline);
}

static uint32_t stream_poll(struct file *f, struct poll_table *t)
{
    struct stream *s = f->data;
    if (f->can_read)
        poll_on(t, f, &s->read_wait);
    if (f->can_write)
        poll_on(t, f, &s->write_wait);
    uint32_t events = 0;
    bool irqs = spin_lock_irq(&s->lock);
    if (f->can_read && ring_used(&s->in) > 0)
        events |= POLLIN | POLLRDNORM;
    if (f->can_read && s->is_ended)
        events |= POLLHUP;
    if (f->can_write && (ring_used(&s->out) < RING_SIZE / 2 || s->is_broken))
        events |= POLLOUT | POLLWRNORM;
    if (f->can_write && s->is_broken)
        events |= POLLERR;
    spin_unlock_irq(&s->lock, irqs);
    return events;
}

static long stream_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct stream *s = f->data;
    if (cmd != FIONREAD)
        return -ENOTTY;
    bool irqs = spin_lock_irq(&s->lock);
    int n = ring_used(&s->in);
    spin_unlock_irq(&s->lock, irqs);
    return user_put(arg, &n);
}

static const struct file_ops stream_ops = {
    .read = stream_read,
    .write = stream_write,
    .poll = stream_poll,
    .ioctl = stream_ioctl,
};

/* Opened again by name (/dev/stdout, /proc/self/fd/1): the same stream, not the FIFO that its mode speaks of. */
static int stream_reopen(struct inode *inode, struct file *f)
{
    f->ops = &stream_ops;
    f->data = inode->data;
    return 0;
}

static const struct inode_ops stream_inode_ops = {.open = stream_reopen};

struct stream *stream_new(struct tty_driver *driver)
{
    struct stream *s = heap_zalloc(sizeof(*s));
    uint8_t *rings = heap_alloc(2 * RING_SIZE);
    struct inode *inode = inode_new_anon(S_IFIFO | 0600);
    if (!s || !rings || !inode) {
        if (inode)
            inode_put(inode);
        heap_free(rings);
        heap_free(s);
        return NULL;
    }
    s->driver = driver;
    s->inode = inode;
    inode->ops = &stream_inode_ops;
    inode->data = s;
    s->in = (struct byte_ring){.buf = rings, .size = RING_SIZE};
    s->out = (struct byte_ring){.buf = rings + RING_SIZE, .size = RING_SIZE};
    spin_init(&s->lock, RANK_LDISC);
    turn_init(&s->read_turn);
    turn_init(&s->write_turn);
    waitq_init(&s->read_wait);
    waitq_init(&s->write_wait);
    return s;
}

struct file *stream_open(struct stream *s, int flags)
{
    struct file *f = file_new(s->inode, NULL, flags);
    if (f) {
        f->ops = &stream_ops;
        f->data = s;
    }
    return f;
}
