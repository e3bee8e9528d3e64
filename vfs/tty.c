/* Terminals: the way of the bytes.  A driver's interrupt handler gives typed bytes to the line
 * discipline, which echoes into the output ring; write(2) puts processed bytes into the same ring;
 * the ring empties into the driver.
 *
 * One spinlock guards all that, so echo and output never mix within a line.  Signals are sent and
 * sleepers woken after it has been given up. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <base/errno.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <tty_private.h>
#include <vfs/poll.h>

#define DECISECOND_NS 100000000UL
#define TTY_MAJOR     5 /* /dev/tty is 5:0, /dev/console 5:1 */

static struct tty *ttys; /* all, made at boot one after the other; read without a lock */
static struct tty *console;
static const struct file_ops tty_ops;

struct tty *tty_first(void)
{
    return atomic_load(&ttys);
}

/* --- from and to the driver ------------------------------------------------------------------- */

/* What ldisc_input brings about. */
struct effects {
    struct ldisc_sink sink;
    struct tty *tty;
    uint32_t signals; /* bit n: signal n */
};

static void effect_echo(struct ldisc_sink *s, const char *bytes, size_t n)
{
    struct tty *t = container_of(s, struct effects, sink)->tty;
    (void)ring_put(&t->channel.out, bytes, n); /* echo that finds no room is lost, as on Linux */
}

static void effect_signal(struct ldisc_sink *s, int sig)
{
    container_of(s, struct effects, sink)->signals |= 1u << sig;
}

static void effect_flush_output(struct ldisc_sink *s)
{
    struct tty *t = container_of(s, struct effects, sink)->tty;
    channel_drop_output_locked(&t->channel);
}

/* --- the channel's side ----------------------------------------------------------------------- */

/* Process bytes on their way into the ring. */
static size_t put_processed(struct byte_channel *c, const char *bytes, size_t n)
{
    struct tty *t = container_of(c, struct tty, channel);
    char out[LDISC_EXPANSION];
    size_t done = 0;
    while (done < n) {
        if (ring_room(&c->out) < LDISC_EXPANSION) {
            channel_pump_locked(c);
            if (ring_room(&c->out) < LDISC_EXPANSION)
                break;
        }
        (void)ring_put(&c->out, out, ldisc_output(&t->ldisc, bytes[done++], out));
    }
    return done;
}

static bool is_stopped(struct byte_channel *c)
{
    return container_of(c, struct tty, channel)->ldisc.is_stopped;
}

static const struct channel_ops channel_ops = {
    .put = put_processed, .is_stopped = is_stopped, .gone_error = -EIO};

size_t tty_input(struct tty *t, const void *bytes, size_t n)
{
    struct effects e = {{effect_echo, effect_signal, effect_flush_output}, t, 0};
    bool irqs = spin_lock_irq(&t->channel.lock);
    size_t taken = ldisc_input(&t->ldisc, bytes, n, &e.sink);
    channel_pump_locked(&t->channel);
    t->channel.has_refused |= taken < n;
    bool is_readable = ldisc_is_readable(&t->ldisc, false);
    bool has_room = ring_used(&t->channel.out) < TTY_OUT_SIZE / 2;
    spin_unlock_irq(&t->channel.lock, irqs);

    for (int sig = 1; e.signals >> sig; sig++)
        if (e.signals >> sig & 1)
            tty_signal(t, sig);
    if (is_readable)
        waitq_wake(&t->channel.read_wait, 0, POLLIN | POLLRDNORM);
    if (has_room) /* ^Q, or a flush by ^C */
        waitq_wake(&t->channel.write_wait, 0, POLLOUT | POLLWRNORM);
    return taken;
}

void tty_output_ready(struct tty *t)
{
    channel_output_ready(&t->channel);
}

void tty_hangup(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    t->channel.is_gone = true;
    spin_unlock_irq(&t->channel.lock, irqs);
    waitq_wake(&t->channel.read_wait, 0, POLLIN | POLLRDNORM | POLLHUP);
    waitq_wake(&t->channel.write_wait, 0, POLLOUT | POLLWRNORM | POLLHUP);
    tty_signal(t, SIGHUP);
    tty_signal(t, SIGCONT);
}

void tty_set_winsize(struct tty *t, unsigned rows, unsigned columns)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    bool is_new = t->winsize.ws_row != rows || t->winsize.ws_col != columns;
    t->winsize.ws_row = rows;
    t->winsize.ws_col = columns;
    spin_unlock_irq(&t->channel.lock, irqs);
    if (is_new)
        tty_signal(t, SIGWINCH);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_readable(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    bool ret = t->channel.is_gone || ldisc_is_readable(&t->ldisc, false);
    spin_unlock_irq(&t->channel.lock, irqs);
    return ret;
}

/* Move what is there, up to the end of a line: bytes or -EFAULT. */
static ssize_t take_input(struct tty *t, struct iobuf *to, bool *is_end)
{
    uint8_t chunk[CHANNEL_CHUNK];
    ssize_t done = 0;
    *is_end = false;
    while (to->left > 0 && !*is_end) {
        bool irqs = spin_lock_irq(&t->channel.lock);
        size_t n = ldisc_read(&t->ldisc, chunk, MIN(to->left, sizeof(chunk)), is_end);
        spin_unlock_irq(&t->channel.lock, irqs);
        if (n == 0)
            break;
        ssize_t ret = iobuf_put(to, chunk, n);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
    }
    channel_resume_input(&t->channel);
    return done;
}

/* How long raw mode waits with `done` bytes read: TIME_NEVER, 0 (not at all) or a deadline. */
static uint64_t raw_deadline(unsigned vmin, unsigned vtime, size_t done)
{
    if (vmin > 0 && (vtime == 0 || done == 0))
        return TIME_NEVER;
    return vtime ? deadline_after(vtime * DECISECOND_NS) : 0;
}

static ssize_t read_in_turn(struct tty *t, struct iobuf *to, bool nonblock)
{
    ssize_t done = 0;
    for (;;) {
        bool irqs = spin_lock_irq(&t->channel.lock);
        bool is_canonical = t->ldisc.settings.c_lflag & ICANON, is_hung_up = t->channel.is_gone;
        unsigned vmin = t->ldisc.settings.c_cc[VMIN], vtime = t->ldisc.settings.c_cc[VTIME];
        spin_unlock_irq(&t->channel.lock, irqs);

        bool is_end;
        ssize_t n = take_input(t, to, &is_end);
        if (n < 0)
            return done > 0 ? done : n;
        done += n;
        if (is_end || to->left == 0 || is_hung_up || (done > 0 && (is_canonical || done >= vmin)))
            return done;
        uint64_t deadline = is_canonical ? TIME_NEVER : raw_deadline(vmin, vtime, done);
        if (deadline == 0)
            return done;
        if (nonblock)
            return done > 0 ? done : -EAGAIN;
        int ret = WAIT_EVENT(&t->channel.read_wait, is_readable(t), WAIT_INTERRUPTIBLE, deadline);
        if (ret < 0 && done > 0)
            return done;
        if (ret < 0)
            return ret == -ETIMEDOUT ? 0 : -ERESTARTSYS;
    }
}

static ssize_t tty_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct tty *t = f->data;
    bool nonblock = f->flags & O_NONBLOCK;
    if (to->left == 0)
        return 0;
    ssize_t ret = tty_check_job(t, SIGTTIN);
    if (ret < 0)
        return ret;
    ret = turn_take(&t->channel.read_turn, nonblock);
    if (ret < 0)
        return ret;
    ret = read_in_turn(t, to, nonblock);
    turn_give(&t->channel.read_turn);
    return ret;
}

/* --- writing ---------------------------------------------------------------------------------- */

static ssize_t tty_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct tty *t = f->data;
    ssize_t ret = 0;
    if (t->ldisc.settings.c_lflag & TOSTOP)
        ret = tty_check_job(t, SIGTTOU);
    return ret < 0 ? ret : channel_write(&t->channel, from, f->flags & O_NONBLOCK);
}

int tty_wait_drained(struct tty *t)
{
    return channel_drain(&t->channel, WAIT_INTERRUPTIBLE, TIME_NEVER) < 0 ? -ERESTARTSYS : 0;
}

void tty_drain(struct tty *t, uint64_t deadline)
{
    (void)channel_drain(&t->channel, WAIT_UNINTERRUPTIBLE, deadline);
}

/* --- the file --------------------------------------------------------------------------------- */

static uint32_t tty_poll(struct file *f, struct poll_table *table)
{
    struct tty *t = f->data;
    poll_on(table, f, &t->channel.read_wait);
    poll_on(table, f, &t->channel.write_wait);
    uint32_t events = 0;
    bool irqs = spin_lock_irq(&t->channel.lock);
    if (ldisc_is_readable(&t->ldisc, true))
        events |= POLLIN | POLLRDNORM;
    if (ring_used(&t->channel.out) < TTY_OUT_SIZE / 2)
        events |= POLLOUT | POLLWRNORM;
    if (t->channel.is_gone)
        events |= POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
    spin_unlock_irq(&t->channel.lock, irqs);
    return events;
}

static const struct file_ops tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
};

static int tty_open(struct file *f, void *arg)
{
    struct tty *t = arg;
    f->data = t;
    if (t->is_exclusive)
        return -EBUSY;
    if (t->channel.is_gone)
        return -EIO;
    if (!(f->flags & O_NOCTTY))
        tty_acquire(t);
    return 0;
}

/* /dev/tty: whatever terminal the session has. */
static int current_open(struct file *f, void *arg)
{
    f->data = tty_current();
    return f->data ? 0 : -ENXIO;
}

/* /dev/console never becomes a controlling terminal by being opened. */
static int console_open(struct file *f, void *arg)
{
    f->data = console;
    return console ? 0 : -ENODEV;
}

void tty_set_console(struct tty *t)
{
    console = t;
}

void tty_init(void)
{
    static struct chardev nodes[] = {
        {.name = "tty",
         .major = TTY_MAJOR,
         .minor = 0,
         .mode = 0666,
         .ops = &tty_ops,
         .open = current_open},
        {.name = "console",
         .major = TTY_MAJOR,
         .minor = 1,
         .mode = 0600,
         .ops = &tty_ops,
         .open = console_open},
    };
    for (unsigned i = 0; i < ARRAY_LEN(nodes); i++)
        chardev_register(&nodes[i]);
}

struct tty *tty_new(struct tty_driver *driver)
{
    struct tty *t = heap_zalloc(sizeof(*t));
    if (!t)
        return NULL;
    uint8_t *out = heap_alloc(TTY_OUT_SIZE);
    if (!out) {
        heap_free(t);
        return NULL;
    }
    channel_init(&t->channel, &channel_ops, driver, out, TTY_OUT_SIZE);
    ldisc_init(&t->ldisc);
    t->winsize = (struct winsize){.ws_row = 24, .ws_col = 80};
    t->node = (struct chardev){.name = driver->name,
                               .major = driver->major,
                               .minor = driver->minor,
                               .mode = 0600,
                               .ops = &tty_ops,
                               .open = tty_open,
                               .arg = t};
    t->next = ttys;
    atomic_store(&ttys, t);
    chardev_register(&t->node);
    return t;
}
