/* timerfd_create(2): expiries to read and wait for.
 *
 * As on Linux, an interval timer is not armed again by its interrupt but by who reads it, who finds
 * out then how many expiries it missed: a short interval that nobody reads costs nothing. Absolute
 * timers of the wall clock are kept in wall time and armed anew when the clock is set. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/timer.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include <vfs/timerfd.h>

struct timerfd {
    int clock;        /* immutable */
    struct list node; /* among those of the wall clock; guarded by wall_lock */
    struct timer timer;
    struct waitq wait;
    struct spinlock lock;   /* RANK_DRIVER, interrupts off - guards: */
    uint64_t deadline;      /* monotonic; TIME_NEVER: disarmed */
    uint64_t wall_deadline; /* the same in wall time, with TFD_TIMER_ABSTIME */
    uint64_t interval;
    uint64_t ticks;    /* expiries not read yet */
    int flags;         /* TFD_TIMER_* of the last settime */
    bool is_expired;   /* the timer has run out and an interval waits to be armed again */
    bool is_cancelled; /* the clock was set, and TFD_TIMER_CANCEL_ON_SET */
};

static struct mutex wall_lock; /* RANK_DEVICE - guards: */
static struct list wall_timers;
static const struct file_ops timerfd_ops;

bool file_is_timerfd(const struct file *f)
{
    return f->ops == &timerfd_ops;
}

static bool is_wall(const struct timerfd *t)
{
    return t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a + b < a ? TIME_NEVER - 1 : a + b;
}

/* Interrupt context. */
static void on_expiry(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    bool irqs = spin_lock_irq(&t->lock);
    bool is_due =
        t->deadline != TIME_NEVER && clock_mono_ns() >= t->deadline; /* else it was set meanwhile */
    if (is_due && !t->is_expired) {
        t->is_expired = true;
        t->ticks++;
    }
    spin_unlock_irq(&t->lock, irqs);
    if (is_due)
        waitq_wake(&t->wait, 0, POLLIN);
}

/* Count the expiries missed since the timer ran out and arm it for the next.  Locked. */
static void catch_up(struct timerfd *t)
{
    if (!t->is_expired || t->interval == 0)
        return;
    t->is_expired = false;
    uint64_t now = clock_mono_ns();
    uint64_t passed = now >= t->deadline ? (now - t->deadline) / t->interval + 1 : 0;
    t->ticks += passed > 0 ? passed - 1 : 0;
    t->deadline = add_saturated(t->deadline, passed * t->interval);
    t->wall_deadline = add_saturated(t->wall_deadline, passed * t->interval);
    timer_arm(&t->timer, t->deadline);
}

static void get_locked(struct timerfd *t, uint64_t *value_ns, uint64_t *interval_ns)
{
    catch_up(t);
    uint64_t now = clock_mono_ns();
    *interval_ns = t->interval;
    *value_ns = t->deadline == TIME_NEVER || t->deadline <= now ? 0 : t->deadline - now;
}

void timerfd_get(struct file *f, uint64_t *value_ns, uint64_t *interval_ns)
{
    struct timerfd *t = f->data;
    bool irqs = spin_lock_irq(&t->lock);
    get_locked(t, value_ns, interval_ns);
    spin_unlock_irq(&t->lock, irqs);
}

/* When `value_ns` of the timer's clock is, in monotonic time. */
static uint64_t to_deadline(const struct timerfd *t, int flags, uint64_t value_ns)
{
    if (!(flags & TFD_TIMER_ABSTIME))
        return add_saturated(clock_mono_ns(), value_ns);
    if (!is_wall(t))
        return value_ns;
    uint64_t offset = clock_wall_ns() - clock_mono_ns();
    return value_ns > offset ? value_ns - offset : 0;
}

void timerfd_set(struct file *f, int flags, uint64_t value_ns, uint64_t interval_ns,
                 uint64_t *old_value_ns, uint64_t *old_interval_ns)
{
    struct timerfd *t = f->data;
    timer_cancel_sync(&t->timer);
    bool irqs = spin_lock_irq(&t->lock);
    get_locked(t, old_value_ns, old_interval_ns);
    timer_cancel(&t->timer); /* get_locked may have armed it */
    t->flags = flags;
    t->interval = interval_ns;
    t->ticks = 0;
    t->is_expired = t->is_cancelled = false;
    t->wall_deadline = value_ns;
    t->deadline = value_ns == 0 ? TIME_NEVER : to_deadline(t, flags, value_ns);
    if (t->deadline != TIME_NEVER)
        timer_arm(&t->timer, t->deadline);
    spin_unlock_irq(&t->lock, irqs);
}

/* Somebody has set the wall clock. */
static void on_clock_set(void)
{
    struct timerfd *t;
    mutex_lock(&wall_lock);
    list_for_each(t, &wall_timers, node) {
        bool irqs = spin_lock_irq(&t->lock);
        bool is_moved =
            t->deadline != TIME_NEVER && (t->flags & TFD_TIMER_ABSTIME) && !t->is_expired;
        bool is_cancelled = is_moved && (t->flags & TFD_TIMER_CANCEL_ON_SET);
        if (is_moved) {
            t->deadline = to_deadline(t, t->flags, t->wall_deadline);
            timer_arm(&t->timer, t->deadline);
        }
        if (is_cancelled) {
            t->is_cancelled = true;
            t->ticks++;
        }
        spin_unlock_irq(&t->lock, irqs);
        if (is_cancelled)
            waitq_wake(&t->wait, 0, POLLIN);
    }
    mutex_unlock(&wall_lock);
}

/* Take the expiries so far: their number, 0 for none, or -ECANCELED. */
static int64_t take_ticks(struct timerfd *t)
{
    bool irqs = spin_lock_irq(&t->lock);
    int64_t ticks = t->ticks;
    if (ticks > 0) {
        catch_up(t);
        ticks = t->is_cancelled ? -ECANCELED : (int64_t)t->ticks;
        t->is_cancelled = false;
        t->ticks = 0;
    }
    spin_unlock_irq(&t->lock, irqs);
    return ticks;
}

static ssize_t timerfd_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct timerfd *t = f->data;
    int64_t ticks;
    if (to->left < sizeof(ticks))
        return -EINVAL;
    ticks = take_ticks(t);
    if (ticks == 0 && (f->flags & O_NONBLOCK))
        return -EAGAIN;
    if (ticks == 0 &&
        WAIT_EVENT(&t->wait, (ticks = take_ticks(t)) != 0, WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
        return -ERESTARTSYS;
    if (ticks < 0)
        return ticks;
    return iobuf_put(to, &ticks, sizeof(ticks)) == sizeof(ticks) ? (ssize_t)sizeof(ticks) : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f, struct poll_table *table)
{
    struct timerfd *t = f->data;
    poll_on(table, f, &t->wait);
    return atomic_load(&t->ticks) > 0 ? POLLIN : 0;
}

static int timerfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
    struct timerfd *t = f->data;
    uint64_t value, interval;
    timerfd_get(f, &value, &interval);
    return snprintf(buf, size,
                    "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%lu, %lu)\n"
                    "it_interval: (%lu, %lu)\n",
                    t->clock, t->ticks, t->flags, value / 1000000000, value % 1000000000,
                    interval / 1000000000, interval % 1000000000);
}

static void timerfd_release(struct file *f)
{
    struct timerfd *t = f->data;
    mutex_lock(&wall_lock);
    list_remove(&t->node);
    mutex_unlock(&wall_lock);
    timer_cancel_sync(&t->timer);
    heap_free(t);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .seek = file_seek_nowhere,
    .poll = timerfd_poll,
    .show_fdinfo = timerfd_show_fdinfo,
    .release = timerfd_release,
};

struct file *timerfd_new(int clock, int flags)
{
    struct timerfd *t = heap_zalloc(sizeof(*t));
    if (!t)
        return NULL;
    t->clock = clock;
    t->deadline = TIME_NEVER;
    timer_init(&t->timer, on_expiry);
    waitq_init(&t->wait);
    spin_init(&t->lock, RANK_DRIVER);
    list_init(&t->node);
    struct file *f =
        file_new_anon(&timerfd_ops, t, O_RDWR | (flags & O_NONBLOCK), 0600, "anon_inode:[timerfd]");
    if (!f) {
        heap_free(t);
        return NULL;
    }
    if (is_wall(t)) {
        mutex_lock(&wall_lock);
        list_push_back(&wall_timers, &t->node);
        mutex_unlock(&wall_lock);
    }
    return f;
}

void timerfd_init(void)
{
    mutex_init(&wall_lock, RANK_DEVICE);
    list_init(&wall_timers);
    clock_on_set(on_clock_set);
}
