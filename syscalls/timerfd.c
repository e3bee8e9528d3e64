/* timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). */
#include <abi_io.h>
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include <syscalls/bodies.h>
#include <vfs/timerfd.h>

#define SETTIME_FLAGS (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)

static bool has_clock(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(int clockid, int flags)
{
    if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) || !has_clock(clockid))
        return -EINVAL;
    return install_file(timerfd_new(clockid, flags), flags);
}

/* The timer of a descriptor, referenced: 0, -EBADF, -EINVAL. */
static long timer_of_fd(int fd, struct file **f)
{
    *f = file_of_fd(fd);
    if (!*f)
        return -EBADF;
    if (file_is_timerfd(*f))
        return 0;
    file_put(*f);
    return -EINVAL;
}

long sys_timerfd_settime(int fd, int flags, struct uptr new_value, struct uptr old_value)
{
    uint64_t value, interval, was_value, was_interval;
    long ret = user_get_itimerspec_ns(new_value, &value, &interval);
    if (ret < 0)
        return ret;
    if (flags & ~SETTIME_FLAGS)
        return -EINVAL;
    struct file *f;
    ret = timer_of_fd(fd, &f);
    if (ret < 0)
        return ret;
    timerfd_set(f, flags, value, interval, &was_value, &was_interval);
    file_put(f);
    return uptr_is_null(old_value) ? 0 : user_put_itimerspec_ns(old_value, was_value, was_interval);
}

long sys_timerfd_gettime(int fd, struct uptr curr_value)
{
    uint64_t value, interval;
    struct file *f;
    long ret = timer_of_fd(fd, &f);
    if (ret < 0)
        return ret;
    timerfd_get(f, &value, &interval);
    file_put(f);
    return user_put_itimerspec_ns(curr_value, value, interval);
}
