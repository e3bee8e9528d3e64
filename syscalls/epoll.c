/* epoll(7). */
#include <abi.h>
#include <abi_io.h>
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <syscalls/bodies.h>
#include <vfs/epoll.h>

#define NS_PER_MSEC 1000000L
#define MAX_EVENTS  ((int)(INT32_MAX / sizeof(struct epoll_event)))

static long create_epoll(int flags)
{
    if (flags & ~EPOLL_CLOEXEC)
        return -EINVAL;
    return install_file(epoll_new(), flags);
}

long sys_epoll_create1(int flags)
{
    return create_epoll(flags);
}

long sys_epoll_create(int size)
{
    return size <= 0 ? -EINVAL : create_epoll(0);
}

seldom_called long sys_epoll_ctl(int epfd, int op, int fd, struct uptr event)
{
    struct epoll_event ev = {0};
    if (op != EPOLL_CTL_DEL && user_get(event, &ev) < 0)
        return -EFAULT;
    struct file *epoll = file_of_fd(epfd), *target = file_of_fd(fd);
    long ret = epoll && target ? epoll_ctl(epoll, op, target, fd, ev.events, ev.data) : -EBADF;
    if (epoll)
        file_put(epoll);
    if (target)
        file_put(target);
    return ret;
}

/* Where epoll_wait's events go: a cursor into the user's array. */
static int emit_event(void *arg, uint32_t events, uint64_t data)
{
    struct uptr *next = arg, at = *next;
    /* Two words that overlap: the events are the lower half of the first. */
    _Static_assert(offsetof(struct epoll_event, data) == 4 && sizeof(struct epoll_event) == 12, "");
    int ret = user_store64_pair(at, events | data << 32, 4, data);
    if (ret == 0)
        *next = uptr_add(at, sizeof(struct epoll_event));
    return ret;
}

static long wait(int epfd, struct uptr events, int maxevents, int64_t timeout_ns)
{
    struct held_file h = files_hold(epfd);
    struct file *f = h.file;
    if (!f)
        return -EBADF;
    long ret = -EINVAL;
    if (maxevents > 0 && maxevents <= MAX_EVENTS)
        ret = !user_range_ok(events, maxevents * sizeof(struct epoll_event)) ? -EFAULT
              : file_is_epoll(f) ? epoll_wait(f, maxevents, timeout_ns, emit_event, &events)
                                 : -EINVAL;
    files_release(h);
    return ret;
}

/* A mask for as long as the call waits. */
static long wait_masked(int epfd, struct uptr events, int maxevents, int64_t timeout_ns,
                        struct uptr sigmask, size_t size)
{
    uint64_t mask;
    if (uptr_is_null(sigmask))
        return wait(epfd, events, maxevents, timeout_ns);
    int ret = user_get_sigset(sigmask, size, &mask);
    if (ret < 0)
        return ret;
    signal_set_temporary_mask(mask);
    long nr = wait(epfd, events, maxevents, timeout_ns);
    if (nr != -EINTR)
        signal_restore_mask();
    return nr;
}

long sys_epoll_wait(int epfd, struct uptr events, int maxevents, int timeout)
{
    return wait(epfd, events, maxevents, timeout * NS_PER_MSEC);
}

long sys_epoll_pwait(int epfd, struct uptr events, int maxevents, int timeout, struct uptr sigmask,
                     size_t sigsetsize)
{
    return wait_masked(epfd, events, maxevents, timeout * NS_PER_MSEC, sigmask, sigsetsize);
}

long sys_epoll_pwait2(int epfd, struct uptr events, int maxevents, struct uptr timeout,
                      struct uptr sigmask, size_t sigsetsize)
{
    int64_t ns = -1;
    caller_use_time64();
    if (!uptr_is_null(timeout)) {
        int ret = user_get_timespec_ns(timeout, &ns);
        if (ret < 0)
            return ret;
    }
    return wait_masked(epfd, events, maxevents, ns, sigmask, sigsetsize);
}
