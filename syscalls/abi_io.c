/* Layouts of the user structures that the calls on descriptors take; see abi_io.h. */
#include <abi.h>
#include <abi_io.h>
#include <asm/fcntl.h>
#include <base/errno.h>
#include <linux/time_types.h>
#include <linux/uio.h>

#define NS_PER_SEC  1000000000L
#define NS_PER_USEC 1000L
#define MAX_SEC     (INT64_MAX / NS_PER_SEC - 1) /* longer is as good as for ever */

_Static_assert(sizeof(struct iovec) == sizeof(struct iobuf_seg) &&
                   offsetof(struct iovec, iov_len) == offsetof(struct iobuf_seg, len),
               "a segment is an iovec");

/* A length beyond 2 GiB becomes negative, for the caller's check. */
static int get_iovec_32(struct uptr p, size_t nr, struct iobuf_seg *seg)
{
    for (size_t i = 0; i < nr; i++) {
        union i386_iovec v;
        if (user_get(uptr_add(p, i * sizeof(v)), &v) < 0)
            return -EFAULT;
        seg[i] = (struct iobuf_seg){v.iov_base, (size_t)(int32_t)v.iov_len};
    }
    return 0;
}

int user_get_iovec(struct uptr p, size_t nr, struct iobuf_seg *seg)
{
    if (caller_is_i386())
        return get_iovec_32(p, nr, seg);
    return user_read(seg, p, nr * sizeof(*seg));
}

static int64_t to_ns(int64_t sec, int64_t ns)
{
    return sec > MAX_SEC ? INT64_MAX : sec * NS_PER_SEC + ns;
}

/* In i386 programs only the low word of a 64-bit tv_nsec counts: the other may be padding. */
int user_get_timespec(struct uptr p, struct __kernel_timespec *ts)
{
    union i386_timespec small;
    if (!caller_has_time32()) {
        if (user_get(p, ts) < 0)
            return -EFAULT;
        if (caller_is_i386())
            ts->tv_nsec = (uint32_t)ts->tv_nsec;
        return 0;
    }
    if (user_get(p, &small) < 0)
        return -EFAULT;
    *ts = (struct __kernel_timespec){small.tv_sec, small.tv_nsec};
    return 0;
}

static int put_timespec(struct uptr p, const struct __kernel_timespec *ts)
{
    union i386_timespec small;
    if (!caller_has_time32())
        return user_put(p, ts);
    small.tv_sec = (int32_t)ts->tv_sec;
    small.tv_nsec = (int32_t)ts->tv_nsec;
    return user_put(p, &small);
}

int user_get_timespec_ns(struct uptr p, int64_t *ns)
{
    struct __kernel_timespec ts;
    if (user_get_timespec(p, &ts) < 0)
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC)
        return -EINVAL;
    *ns = to_ns(ts.tv_sec, ts.tv_nsec);
    return 0;
}

int user_get_timeval(struct uptr p, struct __kernel_old_timeval *tv)
{
    union i386_timeval small;
    if (!caller_is_i386())
        return user_get(p, tv);
    if (user_get(p, &small) < 0)
        return -EFAULT;
    *tv = (struct __kernel_old_timeval){small.tv_sec, small.tv_usec};
    return 0;
}

/* As select(2): microseconds may exceed a second. */
int user_get_timeval_ns(struct uptr p, int64_t *ns)
{
    struct __kernel_old_timeval tv;
    if (user_get_timeval(p, &tv) < 0)
        return -EFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0)
        return -EINVAL;
    *ns = to_ns(tv.tv_sec + tv.tv_usec / 1000000, tv.tv_usec % 1000000 * NS_PER_USEC);
    return 0;
}

int user_put_timespec_ns(struct uptr p, int64_t ns)
{
    struct __kernel_timespec ts = {ns / NS_PER_SEC, ns % NS_PER_SEC};
    return put_timespec(p, &ts);
}

int user_put_timeval_ns(struct uptr p, int64_t ns)
{
    struct __kernel_old_timeval tv = {ns / NS_PER_SEC, ns % NS_PER_SEC / NS_PER_USEC};
    union i386_timeval small;
    if (!caller_is_i386())
        return user_put(p, &tv);
    small.tv_sec = (int32_t)tv.tv_sec;
    small.tv_usec = (int32_t)tv.tv_usec;
    return user_put(p, &small);
}

/* Where the two halves of a struct itimerspec are. */
static struct uptr interval_of(struct uptr p)
{
    return uptr_add(p, caller_has_time32() ? offsetof(union i386_itimerspec, it_interval)
                                           : offsetof(struct __kernel_itimerspec, it_interval));
}

static struct uptr value_of(struct uptr p)
{
    return uptr_add(p, caller_has_time32() ? offsetof(union i386_itimerspec, it_value)
                                           : offsetof(struct __kernel_itimerspec, it_value));
}

int user_get_itimerspec_ns(struct uptr p, uint64_t *value, uint64_t *interval)
{
    int64_t first, again;
    int ret = user_get_timespec_ns(interval_of(p), &again);
    if (ret == 0)
        ret = user_get_timespec_ns(value_of(p), &first);
    if (ret < 0)
        return ret;
    *value = first;
    *interval = again;
    return 0;
}

int user_put_itimerspec_ns(struct uptr p, uint64_t value, uint64_t interval)
{
    int ret = user_put_timespec_ns(interval_of(p), (int64_t)interval);
    return ret < 0 ? ret : user_put_timespec_ns(value_of(p), (int64_t)value);
}

int user_get_sigset(struct uptr p, size_t size, uint64_t *mask)
{
    if (size != sizeof(*mask))
        return -EINVAL;
    return user_get(p, mask);
}

int user_get_sigset_arg(struct uptr p, struct uptr *mask, size_t *size)
{
    struct {
        struct uptr mask;
        size_t size;
    } arg;
    union i386_sigset_arg small;
    if (caller_is_i386()) {
        if (user_get(p, &small) < 0)
            return -EFAULT;
        *mask = uptr_of_word(small.mask);
        *size = small.size;
        return 0;
    }
    if (user_get(p, &arg) < 0)
        return -EFAULT;
    *mask = arg.mask;
    *size = arg.size;
    return 0;
}

#define TAKE_FLOCK(fl)                                                   \
    (struct flock_k)                                                     \
    {                                                                    \
        (fl).l_type, (fl).l_whence, (fl).l_pid, (fl).l_start, (fl).l_len \
    }

/* i386 has two: with offsets of 32 bits and of 64. */
static int get_flock_32(struct uptr p, bool is_large, struct flock_k *lock)
{
    union i386_flock fl;
    union i386_flock64 large;
    if (is_large ? user_get(p, &large) < 0 : user_get(p, &fl) < 0)
        return -EFAULT;
    *lock = is_large ? TAKE_FLOCK(large) : TAKE_FLOCK(fl);
    return 0;
}

/* What does not fit is an error, but for the length of a lock that ends nowhere near. */
static int put_flock_32(struct uptr p, bool is_large, const struct flock_k *lock)
{
    union i386_flock fl = {.bytes = {0}};
    union i386_flock64 large = {.bytes = {0}};
    if (is_large) {
        large.l_type = (int16_t)lock->type;
        large.l_whence = (int16_t)lock->whence;
        large.l_start = lock->start;
        large.l_len = lock->len;
        large.l_pid = lock->pid;
        return user_put(p, &large);
    }
    if (lock->start > INT32_MAX)
        return -EOVERFLOW;
    fl.l_type = (int16_t)lock->type;
    fl.l_whence = (int16_t)lock->whence;
    fl.l_start = (int32_t)lock->start;
    fl.l_len = (int32_t)MIN(lock->len, INT32_MAX);
    fl.l_pid = lock->pid;
    return user_put(p, &fl);
}

int user_get_flock(struct uptr p, bool is_large, struct flock_k *lock)
{
    struct flock fl;
    if (caller_is_i386())
        return get_flock_32(p, is_large, lock);
    if (user_get(p, &fl) < 0)
        return -EFAULT;
    *lock = TAKE_FLOCK(fl);
    return 0;
}

int user_put_flock(struct uptr p, bool is_large, const struct flock_k *lock)
{
    if (caller_is_i386())
        return put_flock_32(p, is_large, lock);
    struct flock fl = {.l_type = lock->type,
                       .l_whence = lock->whence,
                       .l_start = lock->start,
                       .l_len = lock->len,
                       .l_pid = lock->pid};
    return user_put(p, &fl);
}
