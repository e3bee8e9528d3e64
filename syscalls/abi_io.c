/* Layouts of the user structures that the calls on descriptors take; see abi_io.h. */
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

int user_get_iovec(struct uptr p, size_t nr, struct iobuf_seg *seg)
{
    return user_read(seg, p, nr * sizeof(*seg));
}

static int64_t to_ns(int64_t sec, int64_t ns)
{
    return sec > MAX_SEC ? INT64_MAX : sec * NS_PER_SEC + ns;
}

int user_get_timespec_ns(struct uptr p, int64_t *ns)
{
    struct __kernel_timespec ts;
    if (user_get(p, &ts) < 0)
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC)
        return -EINVAL;
    *ns = to_ns(ts.tv_sec, ts.tv_nsec);
    return 0;
}

/* As select(2): microseconds may exceed a second. */
int user_get_timeval_ns(struct uptr p, int64_t *ns)
{
    struct __kernel_old_timeval tv;
    if (user_get(p, &tv) < 0)
        return -EFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0)
        return -EINVAL;
    *ns = to_ns(tv.tv_sec + tv.tv_usec / 1000000, tv.tv_usec % 1000000 * NS_PER_USEC);
    return 0;
}

int user_put_timespec_ns(struct uptr p, int64_t ns)
{
    struct __kernel_timespec ts = {ns / NS_PER_SEC, ns % NS_PER_SEC};
    return user_put(p, &ts);
}

int user_put_timeval_ns(struct uptr p, int64_t ns)
{
    struct __kernel_old_timeval tv = {ns / NS_PER_SEC, ns % NS_PER_SEC / NS_PER_USEC};
    return user_put(p, &tv);
}

int user_get_itimerspec_ns(struct uptr p, uint64_t *value, uint64_t *interval)
{
    int64_t first, again;
    int ret = user_get_timespec_ns(uptr_add(p, offsetof(struct __kernel_itimerspec, it_interval)),
                                   &again);
    if (ret == 0)
        ret = user_get_timespec_ns(uptr_add(p, offsetof(struct __kernel_itimerspec, it_value)),
                                   &first);
    if (ret < 0)
        return ret;
    *value = first;
    *interval = again;
    return 0;
}

int user_put_itimerspec_ns(struct uptr p, uint64_t value, uint64_t interval)
{
    struct __kernel_itimerspec its = {
        .it_interval = {interval / NS_PER_SEC, interval % NS_PER_SEC},
        .it_value = {value / NS_PER_SEC, value % NS_PER_SEC},
    };
    return user_put(p, &its);
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
    if (user_get(p, &arg) < 0)
        return -EFAULT;
    *mask = arg.mask;
    *size = arg.size;
    return 0;
}

int user_get_flock(struct uptr p, struct flock_k *lock)
{
    struct flock fl;
    if (user_get(p, &fl) < 0)
        return -EFAULT;
    *lock = (struct flock_k){fl.l_type, fl.l_whence, fl.l_pid, fl.l_start, fl.l_len};
    return 0;
}

int user_put_flock(struct uptr p, const struct flock_k *lock)
{
    struct flock fl = {.l_type = lock->type,
                       .l_whence = lock->whence,
                       .l_start = lock->start,
                       .l_len = lock->len,
                       .l_pid = lock->pid};
    return user_put(p, &fl);
}
