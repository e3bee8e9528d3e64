/* Reading directories. */
#include <base/errno.h>
#include <linux/stat.h>
#include <syscalls/bodies.h>

#include "abi_file.h"
#include "names.h"

static long read_entries(struct file *f, struct dirent_buf *b, dir_emit_fn *emit)
{
    size_t size = b->left;
    if (!f->ops->readdir)
        return -ENOTDIR;
    mutex_lock(&f->pos_lock);
    int ret = f->ops->readdir(f, &f->pos, emit, b);
    mutex_unlock(&f->pos_lock);
    size_t done = size - b->left;
    if (done > 0)
        return done;
    return ret < 0 ? ret : b->error;
}

static long do_getdents(int fd, struct uptr dirp, size_t count, bool is_old)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    struct dirent_buf b = {.at = dirp, .left = count, .is_old = is_old};
    long ret = read_entries(f, &b, dirent_emit);
    file_put(f);
    return ret;
}

/* One entry, and as much of its name as it has: `count` is ignored. */
long sys_readdir_32(int fd, struct uptr dirp, unsigned count)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    struct dirent_buf b = {.at = dirp, .left = 1};
    long ret = read_entries(f, &b, dirent_emit_one_32);
    file_put(f);
    return b.error ? b.error : ret;
}

long sys_getdents64(int fd, struct uptr dirp, size_t count)
{
    return do_getdents(fd, dirp, (unsigned)count, false);
}

long sys_getdents(int fd, struct uptr dirp, unsigned count)
{
    return do_getdents(fd, dirp, count, true);
}
