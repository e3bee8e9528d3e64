/* eventfd(2): a counter to wait for.
 *
 * The counter is one atomic word, so reading and writing take no lock; sleepers and pollers are
 * told after it has changed. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <vfs/eventfd.h>

#define EFD_SEMAPHORE 1
#define COUNT_MAX     (UINT64_MAX - 1) /* a write may fill the counter up to here */

struct eventfd {
    uint64_t count; /* atomic */
    bool is_semaphore;
    struct waitq read_wait;  /* those who wait for a count */
    struct waitq write_wait; /* those who wait for room: a read wakes nobody who waits to read */
};

/* Take the counter, or one from it: false when it is zero. */
static inline bool try_take(struct eventfd *e, uint64_t *value)
{
    uint64_t count = atomic_load(&e->count);
    while (count != 0) {
        uint64_t take = e->is_semaphore ? 1 : count;
        if (__atomic_compare_exchange_n(&e->count, &count, count - take, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            *value = take;
            return true;
        }
    }
    return false;
}

/* Add to the counter: false when it has no room for `n`. */
static inline bool try_add(struct eventfd *e, uint64_t n)
{
    uint64_t count = atomic_load(&e->count);
    while (COUNT_MAX - count >= n)
        if (__atomic_compare_exchange_n(&e->count, &count, count + n, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* The sleeping halves of read and write are apart, for the sake of the usual ones. */
static __attribute__((noinline)) int wait_take(struct file *f, unsigned how, uint64_t *value)
{
    struct eventfd *e = f->data;
    if (f->flags & O_NONBLOCK || how & IOBUF_NOWAIT)
        return -EAGAIN;
    int ret = WAIT_EVENT(&e->read_wait, try_take(e, value), WAIT_INTERRUPTIBLE, TIME_NEVER);
    return ret ? -ERESTARTSYS : 0;
}

static __attribute__((noinline)) int wait_add(struct file *f, unsigned how, uint64_t value)
{
    struct eventfd *e = f->data;
    if (f->flags & O_NONBLOCK || how & IOBUF_NOWAIT)
        return -EAGAIN;
    int ret = WAIT_EVENT(&e->write_wait, try_add(e, value), WAIT_INTERRUPTIBLE, TIME_NEVER);
    return ret ? -ERESTARTSYS : 0;
}

static ssize_t eventfd_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct eventfd *e = f->data;
    uint64_t value;

    if (to->left < sizeof(value))
        return -EINVAL;
    if (unlikely(!try_take(e, &value))) {
        int ret = wait_take(f, to->how, &value);
        if (ret < 0)
            return ret;
    }
    waitq_wake(&e->write_wait, 0, POLLOUT);
    return iobuf_put64(to, value) ? (ssize_t)sizeof(value) : -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct eventfd *e = f->data;
    uint64_t value;

    if (from->left < sizeof(value))
        return -EINVAL;
    if (!iobuf_get64(from, &value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    if (unlikely(!try_add(e, value))) {
        int ret = wait_add(f, from->how, value);
        if (ret < 0)
            return ret;
    }
    waitq_wake(&e->read_wait, 0, POLLIN);
    return sizeof(value);
}

static __attribute__((noinline)) void add_waiters(struct poll_table *t, struct file *f)
{
    struct eventfd *e = f->data;
    if (t->events & POLLIN)
        poll_on(t, f, &e->read_wait);
    if (t->events & POLLOUT)
        poll_on(t, f, &e->write_wait);
}

static uint32_t eventfd_poll(struct file *f, struct poll_table *t)
{
    struct eventfd *e = f->data;
    if (unlikely(t))
        add_waiters(t, f);
    uint64_t count = atomic_load(&e->count);
    uint32_t events = 0;
    if (count > 0)
        events |= POLLIN;
    if (count == UINT64_MAX)
        events |= POLLERR;
    if (count < COUNT_MAX)
        events |= POLLOUT;
    return events;
}

static int eventfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
    struct eventfd *e = f->data;
    return snprintf(buf, size, "eventfd-count: %16llx\neventfd-semaphore: %d\n",
                    (unsigned long long)atomic_load(&e->count), e->is_semaphore);
}

static void eventfd_release(struct file *f)
{
    heap_free(f->data);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .seek = file_seek_nowhere,
    .poll = eventfd_poll,
    .show_fdinfo = eventfd_show_fdinfo,
    .release = eventfd_release,
    .can_nowait = true,
};

struct file *eventfd_new(unsigned count, int flags)
{
    struct eventfd *e = heap_zalloc(sizeof(*e));
    if (!e)
        return NULL;
    e->count = count;
    e->is_semaphore = flags & EFD_SEMAPHORE;
    waitq_init(&e->read_wait);
    waitq_init(&e->write_wait);
    struct file *f =
        file_new_anon(&eventfd_ops, e, O_RDWR | (flags & O_NONBLOCK), 0600, "anon_inode:[eventfd]");
    if (!f)
        heap_free(e);
    return f;
}
