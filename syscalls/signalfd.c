/* signalfd(2). */
#include <abi_io.h>
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include <proc/signalfd.h>
#include <syscalls/bodies.h>

static long create_signalfd(int fd, struct uptr mask, size_t sizemask, int flags)
{
    uint64_t set;
    long ret = user_get_sigset(mask, sizemask, &set);
    if (ret < 0)
        return ret;
    if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
        return -EINVAL;
    if (fd == -1)
        return install_file(signalfd_new(set, flags), flags);
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    ret = signalfd_set_mask(f, set);
    file_put(f);
    return ret < 0 ? ret : fd;
}

long sys_signalfd4(int fd, struct uptr mask, size_t sizemask, int flags)
{
    return create_signalfd(fd, mask, sizemask, flags);
}

long sys_signalfd(int fd, struct uptr mask, size_t sizemask)
{
    return create_signalfd(fd, mask, sizemask, 0);
}
