/* Streams: standard input and output that reach the outside byte for byte, through a ring each way.
 */
#include <asm/ioctls.h>
#include <base/errno.h>
#include <byte_channel.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <vfs/inode.h>
#include <vfs/stream.h>

#define RING_SIZE 16384

struct stream {
    struct byte_channel channel; /* gone: broken; its lock guards `in` and `is_ended`, too */
    struct inode *inode;         /* one for all its files */
    struct byte_ring in;
    bool is_ended;
};

/* --- the channel's side ----------------------------------------------------------------------- */

static size_t put_untouched(struct byte_channel *c, const char *bytes, size_t n)
{
    size_t done = ring_put(&c->out, bytes, n);
    if (done < n) {
        channel_pump_locked(c);
        done += ring_put(&c->out, bytes + done, n - done);
    }
    return done;
}

static const struct channel_ops channel_ops = {.put = put_untouched, .gone_error = -EPIPE};

/* --- from the driver -------------------------------------------------------------------------- */

size_t stream_input(struct stream *s, const void *bytes, size_t n)
{
    bool irqs = spin_lock_irq(&s->channel.lock);
    size_t taken = ring_put(&s->in, bytes, MIN(n, (size_t)RING_SIZE));
    s->channel.has_refused |= taken < n;
    spin_unlock_irq(&s->channel.lock, irqs);
    waitq_wake(&s->channel.read_wait, 0, POLLIN | POLLRDNORM);
    return taken;
}

void stream_output_ready(struct stream *s)
{
    channel_output_ready(&s->channel);
}

void stream_end(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->channel.lock);
    s->is_ended = true;
    spin_unlock_irq(&s->channel.lock, irqs);
    waitq_wake(&s->channel.read_wait, 0, POLLIN | POLLRDNORM | POLLHUP);
}

void stream_break(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->channel.lock);
    s->channel.is_gone = true;
    channel_drop_output_locked(&s->channel);
    spin_unlock_irq(&s->channel.lock, irqs);
    waitq_wake(&s->channel.write_wait, 0, POLLOUT | POLLWRNORM | POLLERR);
}

/* --- the program's side ----------------------------------------------------------------------- */

static bool is_readable(struct stream *s)
{
    bool irqs = spin_lock_irq(&s->channel.lock);
    bool ret = ring_used(&s->in) > 0 || s->is_ended;
    spin_unlock_irq(&s->channel.lock, irqs);
    return ret;
}

/* What is there, at most what fits: bytes, or -EFAULT. */
static ssize_t take_input(struct stream *s, struct iobuf *to)
{
    uint8_t chunk[CHANNEL_CHUNK];
    ssize_t done = 0;
    while (to->left > 0) {
        bool irqs = spin_lock_irq(&s->channel.lock);
        unsigned n = ring_get(&s->in, chunk, MIN(to->left, sizeof(chunk)));
        spin_unlock_irq(&s->channel.lock, irqs);
        channel_resume_input(&s->channel);
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
    ssize_t ret = turn_take(&s->channel.read_turn, nonblock);
    if (ret < 0)
        return ret;
    if (!is_readable(s) && nonblock)
        ret = -EAGAIN;
    else if (WAIT_EVENT(&s->channel.read_wait, is_readable(s), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
        ret = -ERESTARTSYS;
    else
        ret = take_input(s, to);
    turn_give(&s->channel.read_turn);
    return ret;
}

static ssize_t stream_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct stream *s = f->data;
    return channel_write(&s->channel, from, f->flags & O_NONBLOCK);
}

void stream_drain(struct stream *s, uint64_t deadline)
{
    (void)channel_drain(&s->channel, WAIT_UNINTERRUPTIBLE, deadline);
}

static uint32_t stream_poll(struct file *f, struct poll_table *t)
{
    struct stream *s = f->data;
    if (f->can_read)
        poll_on(t, f, &s->channel.read_wait);
    if (f->can_write)
        poll_on(t, f, &s->channel.write_wait);
    uint32_t events = 0;
    bool irqs = spin_lock_irq(&s->channel.lock);
    if (f->can_read && ring_used(&s->in) > 0)
        events |= POLLIN | POLLRDNORM;
    if (f->can_read && s->is_ended)
        events |= POLLHUP;
    if (f->can_write && (ring_used(&s->channel.out) < RING_SIZE / 2 || s->channel.is_gone))
        events |= POLLOUT | POLLWRNORM;
    if (f->can_write && s->channel.is_gone)
        events |= POLLERR;
    spin_unlock_irq(&s->channel.lock, irqs);
    return events;
}

static long stream_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct stream *s = f->data;
    if (cmd != FIONREAD)
        return -ENOTTY;
    bool irqs = spin_lock_irq(&s->channel.lock);
    int n = ring_used(&s->in);
    spin_unlock_irq(&s->channel.lock, irqs);
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
    s->inode = inode;
    inode->ops = &stream_inode_ops;
    inode->data = s;
    s->in = (struct byte_ring){.buf = rings, .size = RING_SIZE};
    channel_init(&s->channel, &channel_ops, driver, rings + RING_SIZE, RING_SIZE);
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
