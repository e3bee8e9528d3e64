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

#define CHUNK         256 /* user bytes are moved through the stack in pieces of this size */
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
    (void)ring_put(&t->out, bytes, n); /* echo that finds no room is lost, as on Linux */
}

static void effect_signal(struct ldisc_sink *s, int sig)
{
    container_of(s, struct effects, sink)->signals |= 1u << sig;
}

static void effect_flush_output(struct ldisc_sink *s)
{
    struct tty *t = container_of(s, struct effects, sink)->tty;
    t->out.read = t->out.head;
}

void tty_pump_locked(struct tty *t)
{
    const uint8_t *bytes;
    unsigned n;
    while (!t->ldisc.is_stopped && (n = ring_front(&t->out, &bytes)) > 0) {
        size_t taken = t->driver->write(t->driver, bytes, n);
        t->out.read += taken;
        if (taken < n)
            break;
    }
}

size_t tty_input(struct tty *t, const void *bytes, size_t n)
{
    struct effects e = {{effect_echo, effect_signal, effect_flush_output}, t, 0};
    bool irqs = spin_lock_irq(&t->lock);
    size_t taken = ldisc_input(&t->ldisc, bytes, n, &e.sink);
    tty_pump_locked(t);
    t->has_refused |= taken < n;
    bool is_readable = ldisc_is_readable(&t->ldisc, false);
    bool has_room = ring_used(&t->out) < TTY_OUT_SIZE / 2;
    spin_unlock_irq(&t->lock, irqs);

    for (int sig = 1; e.signals >> sig; sig++)
        if (e.signals >> sig & 1)
            tty_signal(t, sig);
    if (is_readable)
        waitq_wake(&t->read_wait, 0, POLLIN | POLLRDNORM);
    if (has_room) /* ^Q, or a flush by ^C */
        waitq_wake(&t->write_wait, 0, POLLOUT | POLLWRNORM);
    return taken;
}

void tty_output_ready(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    tty_pump_locked(t);
    bool has_room = ring_used(&t->out) < TTY_OUT_SIZE / 2;
    spin_unlock_irq(&t->lock, irqs);
    if (has_room)
        waitq_wake(&t->write_wait, 0, POLLOUT | POLLWRNORM);
}

void tty_hangup(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    t->is_hung_up = true;
    spin_unlock_irq(&t->lock, irqs);
    waitq_wake(&t->read_wait, 0, POLLIN | POLLRDNORM | POLLHUP);
    waitq_wake(&t->write_wait, 0, POLLOUT | POLLWRNORM | POLLHUP);
    tty_signal(t, SIGHUP);
    tty_signal(t, SIGCONT);
}

void tty_set_winsize(struct tty *t, unsigned rows, unsigned columns)
{
    bool irqs = spin_lock_irq(&t->lock);
    bool is_new = t->winsize.ws_row != rows || t->winsize.ws_col != columns;
    t->winsize.ws_row = rows;
    t->winsize.ws_col = columns;
    spin_unlock_irq(&t->lock, irqs);
    if (is_new)
        tty_signal(t, SIGWINCH);
}

void tty_resume_input(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    bool must_resume = t->has_refused && t->driver->resume;
    t->has_refused = false;
    spin_unlock_irq(&t->lock, irqs);
    if (must_resume)
        t->driver->resume(t->driver);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_readable(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    bool ret = t->is_hung_up || ldisc_is_readable(&t->ldisc, false);
    spin_unlock_irq(&t->lock, irqs);
    return ret;
}

/* Move what is there, up to the end of a line: bytes or -EFAULT. */
static ssize_t take_input(struct tty *t, struct iobuf *to, bool *is_end)
{
    uint8_t chunk[CHUNK];
    ssize_t done = 0;
    *is_end = false;
    while (to->left > 0 && !*is_end) {
        bool irqs = spin_lock_irq(&t->lock);
        size_t n = ldisc_read(&t->ldisc, chunk, MIN(to->left, sizeof(chunk)), is_end);
        spin_unlock_irq(&t->lock, irqs);
        if (n == 0)
            break;
        ssize_t ret = iobuf_put(to, chunk, n);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
    }
    tty_resume_input(t);
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
        bool irqs = spin_lock_irq(&t->lock);
        bool is_canonical = t->ldisc.settings.c_lflag & ICANON, is_hung_up = t->is_hung_up;
        unsigned vmin = t->ldisc.settings.c_cc[VMIN], vtime = t->ldisc.settings.c_cc[VTIME];
        spin_unlock_irq(&t->lock, irqs);

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
        int ret = WAIT_EVENT(&t->read_wait, is_readable(t), WAIT_INTERRUPTIBLE, deadline);
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
    ret = turn_take(&t->read_turn, nonblock);
    if (ret < 0)
        return ret;
    ret = read_in_turn(t, to, nonblock);
    turn_give(&t->read_turn);
    return ret;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_writable(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    bool ret = t->is_hung_up || ring_room(&t->out) >= CHUNK;
    spin_unlock_irq(&t->lock, irqs);
    return ret;
}

/* Process bytes into the ring and send: bytes taken, or -EIO. */
static ssize_t put_output(struct tty *t, const char *bytes, size_t n)
{
    char out[LDISC_EXPANSION];
    size_t done = 0;
    bool irqs = spin_lock_irq(&t->lock);
    bool is_hung_up = t->is_hung_up;
    while (!is_hung_up && done < n) {
        if (ring_room(&t->out) < LDISC_EXPANSION) {
            tty_pump_locked(t);
            if (ring_room(&t->out) < LDISC_EXPANSION)
                break;
        }
        (void)ring_put(&t->out, out, ldisc_output(&t->ldisc, bytes[done++], out));
    }
    spin_unlock_irq(&t->lock, irqs);
    return is_hung_up ? -EIO : (ssize_t)done;
}

static void pump(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    tty_pump_locked(t);
    spin_unlock_irq(&t->lock, irqs);
}

static ssize_t write_in_turn(struct tty *t, struct iobuf *from, bool nonblock)
{
    char chunk[CHUNK];
    ssize_t done = 0;
    while (from->left > 0) {
        ssize_t n = iobuf_get(from, chunk, MIN(from->left, sizeof(chunk)));
        if (n < 0)
            return done > 0 ? done : n;
        for (ssize_t put = 0; put < n;) {
            ssize_t ret = put_output(t, chunk + put, n - put);
            if (ret >= 0) {
                put += ret;
                done += ret;
                if (put == n)
                    break;
                ret = nonblock ? -EAGAIN : 0;
            }
            if (ret == 0 &&
                WAIT_EVENT(&t->write_wait, is_writable(t), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
                ret = -ERESTARTSYS;
            if (ret < 0)
                return done > 0 ? done : ret;
        }
    }
    return done;
}

static ssize_t tty_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct tty *t = f->data;
    bool nonblock = f->flags & O_NONBLOCK;
    ssize_t ret = 0;
    if (t->ldisc.settings.c_lflag & TOSTOP)
        ret = tty_check_job(t, SIGTTOU);
    if (ret < 0)
        return ret;
    ret = turn_take(&t->write_turn, nonblock);
    if (ret < 0)
        return ret;
    ret = write_in_turn(t, from, nonblock);
    pump(t);
    turn_give(&t->write_turn);
    return ret;
}

static bool is_drained(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    bool ret = t->is_hung_up || ring_used(&t->out) == 0;
    spin_unlock_irq(&t->lock, irqs);
    return ret;
}

int tty_wait_drained(struct tty *t)
{
    return WAIT_EVENT(&t->write_wait, is_drained(t), WAIT_INTERRUPTIBLE, TIME_NEVER) < 0
               ? -ERESTARTSYS
               : 0;
}

void tty_drain(struct tty *t, uint64_t deadline)
{
    (void)WAIT_EVENT(&t->write_wait, is_drained(t), WAIT_UNINTERRUPTIBLE, deadline);
}

/* --- the file --------------------------------------------------------------------------------- */

static uint32_t tty_poll(struct file *f, struct poll_table *table)
{
    struct tty *t = f->data;
    poll_on(table, f, &t->read_wait);
    poll_on(table, f, &t->write_wait);
    uint32_t events = 0;
    bool irqs = spin_lock_irq(&t->lock);
    if (ldisc_is_readable(&t->ldisc, true))
        events |= POLLIN | POLLRDNORM;
    if (ring_used(&t->out) < TTY_OUT_SIZE / 2)
        events |= POLLOUT | POLLWRNORM;
    if (t->is_hung_up)
        events |= POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
    spin_unlock_irq(&t->lock, irqs);
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
    if (t->is_hung_up)
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
    t->out.size = TTY_OUT_SIZE;
    t->out.buf = heap_alloc(TTY_OUT_SIZE);
    if (!t->out.buf) {
        heap_free(t);
        return NULL;
    }
    t->driver = driver;
    spin_init(&t->lock, RANK_LDISC);
    turn_init(&t->read_turn);
    turn_init(&t->write_turn);
    waitq_init(&t->read_wait);
    waitq_init(&t->write_wait);
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
