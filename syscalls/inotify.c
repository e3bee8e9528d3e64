/* inotify(7). */
#include <base/errno.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <syscalls/bodies.h>
#include <vfs/inotify.h>

#include "names.h"

static long create_inotify(int flags)
{
    struct file *f;
    if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
        return -EINVAL;
    int ret = inotify_new(flags, &f);
    if (ret < 0)
        return ret;
    ret = fd_install(current_process()->files, f, 0,
                     process_rlimit(current_process(), RLIMIT_NOFILE), flags);
    if (ret < 0)
        file_put(f);
    return ret;
}

long sys_inotify_init1(int flags)
{
    return create_inotify(flags);
}

long sys_inotify_init(void)
{
    return create_inotify(0);
}

static int watch_path(struct file *f, struct uptr pathname, uint32_t mask)
{
    struct user_path u;
    struct path p;
    int ret = user_path_begin(&u, AT_FDCWD, pathname, 0);
    if (ret < 0)
        return ret;
    unsigned flags =
        (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
    ret = path_walk(&u.w, u.name.s, flags, &p);
    user_path_end(&u);
    if (ret < 0)
        return ret;
    ret = inode_permission(p.dentry->inode, current_cred(), MAY_READ);
    if (ret == 0)
        ret = inotify_add(f, p.dentry->inode, mask);
    path_put(&p);
    return ret;
}

long sys_inotify_add_watch(int fd, struct uptr pathname, unsigned mask)
{
    const unsigned modifiers = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE |
                               IN_MASK_ADD | IN_ISDIR | IN_ONESHOT;
    if (!(mask & (IN_ALL_EVENTS | modifiers | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED)))
        return -EINVAL;
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    bool is_both = mask & IN_MASK_ADD && mask & IN_MASK_CREATE;
    long ret = inotify_is(f) && !is_both ? watch_path(f, pathname, mask) : -EINVAL;
    file_put(f);
    return ret;
}

long sys_inotify_rm_watch(int fd, int wd)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = inotify_remove(f, wd);
    file_put(f);
    return ret;
}
