/* Byte channels: the way of output from a program's buffer through the ring to the driver. */
#include <base/errno.h>
#include <byte_channel.h>
#include <vfs/poll.h>

void channel_init(struct byte_channel *c, const struct channel_ops *ops, struct tty_driver *driver,
                  uint8_t *out, unsigned size)
{
    c->ops = ops;
    c->driver = driver;
    c->out = (struct byte_ring){.buf = out, .size = size};
    c->is_gone = c->has_refused = false;
    spin_init(&c->lock, RANK_LDISC);
    turn_init(&c->read_turn);
    turn_init(&c->write_turn);
    waitq_init(&c->read_wait);
    waitq_init(&c->write_wait);
}

/* --- the driver's side ------------------------------------------------------------------------ */

static bool is_stopped(struct byte_channel *c)
{
    return c->ops->is_stopped && c->ops->is_stopped(c);
}

void channel_pump_locked(struct byte_channel *c)
{
    const uint8_t *bytes;
    unsigned n;
    while (!is_stopped(c) && (n = ring_front(&c->out, &bytes)) > 0) {
        size_t taken = c->driver->write(c->driver, bytes, n);
        c->out.read += taken;
        if (taken < n)
            break;
    }
}

static void pump(struct byte_channel *c)
{
    bool irqs = spin_lock_irq(&c->lock);
    channel_pump_locked(c);
    spin_unlock_irq(&c->lock, irqs);
}

void channel_output_ready(struct byte_channel *c)
{
    bool irqs = spin_lock_irq(&c->lock);
    channel_pump_locked(c);
    bool has_room = ring_used(&c->out) < c->out.size / 2;
    spin_unlock_irq(&c->lock, irqs);
    if (has_room)
        waitq_wake(&c->write_wait, 0, POLLOUT | POLLWRNORM);
}

void channel_resume_input(struct byte_channel *c)
{
    bool irqs = spin_lock_irq(&c->lock);
    bool must_resume = c->has_refused && c->driver->resume;
    c->has_refused = false;
    spin_unlock_irq(&c->lock, irqs);
    if (must_resume)
        c->driver->resume(c->driver);
}

void channel_drop_output_locked(struct byte_channel *c)
{
    c->out.read = c->out.head;
}

/* --- the program's side ----------------------------------------------------------------------- */

static bool is_writable(struct byte_channel *c)
{
    bool irqs = spin_lock_irq(&c->lock);
    bool ret = c->is_gone || ring_room(&c->out) >= CHANNEL_CHUNK;
    spin_unlock_irq(&c->lock, irqs);
    return ret;
}

/* As many bytes as there is room for, or ->gone_error. */
static ssize_t put_output(struct byte_channel *c, const char *bytes, size_t n)
{
    bool irqs = spin_lock_irq(&c->lock);
    ssize_t ret = c->is_gone ? c->ops->gone_error : (ssize_t)c->ops->put(c, bytes, n);
    spin_unlock_irq(&c->lock, irqs);
    return ret;
}

/* Put all n bytes: how many before `*error`, which is 0 if all. */
static size_t put_all(struct byte_channel *c, const char *bytes, size_t n, bool nonblock,
                      int *error)
{
    size_t done = 0;
    *error = 0;
    for (;;) {
        ssize_t ret = put_output(c, bytes + done, n - done);
        if (ret < 0) {
            *error = (int)ret;
            return done;
        }
        done += ret;
        if (done == n)
            return done;
        if (nonblock)
            *error = -EAGAIN;
        else if (WAIT_EVENT(&c->write_wait, is_writable(c), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
            *error = -ERESTARTSYS;
        if (*error != 0)
            return done;
    }
}

static ssize_t write_in_turn(struct byte_channel *c, struct iobuf *from, bool nonblock)
{
    char chunk[CHANNEL_CHUNK];
    ssize_t done = 0;
    while (from->left > 0) {
        ssize_t n = iobuf_get(from, chunk, MIN(from->left, sizeof(chunk)));
        if (n < 0)
            return done > 0 ? done : n;
        int error;
        done += put_all(c, chunk, n, nonblock, &error);
        if (error != 0)
            return done > 0 ? done : error;
    }
    return done;
}

ssize_t channel_write(struct byte_channel *c, struct iobuf *from, bool nonblock)
{
    ssize_t ret = turn_take(&c->write_turn, nonblock);
    if (ret < 0)
        return ret;
    ret = write_in_turn(c, from, nonblock);
    pump(c);
    turn_give(&c->write_turn);
    return ret;
}

static bool is_drained(struct byte_channel *c)
{
    bool irqs = spin_lock_irq(&c->lock);
    bool ret = c->is_gone || ring_used(&c->out) == 0;
    spin_unlock_irq(&c->lock, irqs);
    return ret;
}

int channel_drain(struct byte_channel *c, enum wait_how how, uint64_t deadline)
{
    return WAIT_EVENT(&c->write_wait, is_drained(c), how, deadline);
}
