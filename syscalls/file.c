/* Opening files, and their sizes and contents as a whole: open, truncate, fallocate, fsync and
 * advice. */
#include <base/errno.h>
#include <core/usercopy.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <syscalls/bodies.h>
#include <vfs/inotify.h>

#include "abi_process.h"
#include "names.h"

/* --- open ------------------------------------------------------------------------------------- */

static long do_open(int dirfd, struct uptr pathname, int flags, unsigned mode, unsigned resolve)
{
    struct fdtable *files = current_process()->files;
    struct user_path u;
    struct file *f;
    int ret = path_check_open_flags(&flags);
    if (ret < 0)
        return ret;
    ret = user_path_begin(&u, dirfd, pathname, 0);
    if (ret < 0)
        return ret;
    int fd = fd_reserve(files, 0, process_rlimit(current_process(), RLIMIT_NOFILE), flags);
    ret = fd;
    if (fd >= 0)
        ret = path_open_resolve(&u.w, u.name.s, flags | O_LARGEFILE, mode, resolve, &f);
    user_path_end(&u);
    if (fd < 0)
        return fd;
    if (ret < 0) {
        fd_unreserve(files, fd);
        return ret;
    }
    fd_bind(files, fd, f);
    return fd;
}

long sys_open(struct uptr path, int flags, unsigned mode)
{
    return do_open(AT_FDCWD, path, flags, mode, 0);
}

long sys_openat(int dirfd, struct uptr pathname, int flags, unsigned mode)
{
    return do_open(dirfd, pathname, flags, mode, 0);
}

long sys_creat(struct uptr pathname, unsigned mode)
{
    return do_open(AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode, 0);
}

/* Every flag that open(2) knows; it ignores others, and openat2(2) does not. */
#define OPEN_FLAGS                                                                               \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NDELAY | O_NONBLOCK |      \
     O_SYNC | O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | \
     O_CLOEXEC | O_PATH | O_TMPFILE)

static int resolve_flags(uint64_t resolve, unsigned *walk)
{
    static const struct {
        uint64_t resolve;
        unsigned walk;
    } map[] = {
        {RESOLVE_NO_XDEV, WALK_NO_XDEV},
        {RESOLVE_NO_MAGICLINKS, WALK_NO_MAGICLINKS},
        {RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS},
        {RESOLVE_BENEATH, WALK_BENEATH},
        {RESOLVE_IN_ROOT, WALK_IN_ROOT},
        {RESOLVE_CACHED, 0}, /* nothing here is ever anywhere else */
    };
    *walk = 0;
    for (unsigned n = 0; n < ARRAY_LEN(map); n++)
        if (resolve & map[n].resolve) {
            *walk |= map[n].walk;
            resolve &= ~map[n].resolve;
        }
    bool is_both = *walk & WALK_BENEATH && *walk & WALK_IN_ROOT;
    return resolve || is_both ? -EINVAL : 0;
}

long sys_openat2(int dirfd, struct uptr pathname, struct uptr how, size_t size)
{
    const size_t first_version = 24;
    struct open_how h = {0};
    unsigned walk;
    if (size < first_version)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    int ret = user_get_extensible(how, size, &h, sizeof(h));
    if (ret < 0)
        return ret;
    if (h.flags & ~(uint64_t)OPEN_FLAGS)
        return -EINVAL;
    bool makes = h.flags & O_CREAT || (h.flags & O_TMPFILE) == O_TMPFILE;
    if (h.mode & ~07777ul || (h.mode && !makes))
        return -EINVAL;
    if (h.flags & O_PATH && h.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        return -EINVAL;
    ret = resolve_flags(h.resolve, &walk);
    if (ret < 0)
        return ret;
    if (h.resolve & RESOLVE_CACHED && (makes || h.flags & O_TRUNC))
        return -EAGAIN;
    return do_open(dirfd, pathname, h.flags, h.mode, walk);
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* RLIMIT_FSIZE: a file may not be made larger than that. */
static int check_size_limit(struct inode *i, uint64_t size)
{
    size_t last = 1;
    return size <= i->size ? 0 : inode_check_limit((int64_t)size - 1, &last);
}

static int set_size(const struct path *p, int64_t size, unsigned extra)
{
    struct inode_attr attr = {.mask = ATTR_SIZE | extra, .size = size};
    int ret = check_size_limit(p->dentry->inode, size);
    return ret < 0 ? ret : path_set_attr(p, &attr, current_cred());
}

/* Rights come before ETXTBSY, and that before the limit on sizes. */
static int truncate_regular(const struct path *p, int64_t length)
{
    struct inode *i = p->dentry->inode;
    int ret = mount_want_write(p);
    if (ret == 0)
        ret = inode_permission(i, current_cred(), MAY_WRITE);
    if (ret == 0)
        ret = inode_claim_write(i);
    if (ret < 0)
        return ret;
    ret = set_size(p, length, 0);
    inode_release_write(i);
    return ret;
}

long sys_truncate(struct uptr path, int64_t length)
{
    struct path p;
    if (length < 0)
        return -EINVAL;
    int ret = user_path_walk(AT_FDCWD, path, 0, &p);
    if (ret < 0)
        return ret;
    uint32_t mode = p.dentry->inode->mode;
    ret = S_ISDIR(mode) ? -EISDIR : !S_ISREG(mode) ? -EINVAL : truncate_regular(&p, length);
    path_put(&p);
    return ret;
}

long sys_ftruncate(int fd, int64_t length)
{
    if (length < 0)
        return -EINVAL;
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    struct path p = file_place(f);
    long ret = S_ISREG(f->inode->mode) && f->can_write && p.dentry
                   ? set_size(&p, length, ATTR_FORCE)
                   : -EINVAL;
    file_put(f);
    return ret;
}

#define FALLOC_FL_WRITE_ZEROES_ 0x80 /* newer than the oldest <linux/falloc.h> that we build with */

/* One of Linux's kinds, most of which no file system here has, with FALLOC_FL_KEEP_SIZE where that must or may be. */
static bool is_allocation(int mode)
{
    bool keeps = mode & FALLOC_FL_KEEP_SIZE;
    switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
    case FALLOC_FL_UNSHARE_RANGE:
    case FALLOC_FL_ZERO_RANGE:
        return true;
    case FALLOC_FL_PUNCH_HOLE:
        return keeps;
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE:
    case FALLOC_FL_WRITE_ZEROES_:
        return !keeps;
    default:
        return false;
    }
}

/* Linux's vfs_fallocate(), which refuses in this order. */
static long allocate(struct file *f, int mode, int64_t offset, int64_t len)
{
    struct inode *i = f->inode;
    int64_t end;
    if (!is_allocation(mode))
        return -EOPNOTSUPP;
    if (!f->can_write)
        return -EBADF;
    if (S_ISFIFO(i->mode))
        return -ESPIPE;
    if (S_ISDIR(i->mode))
        return -EISDIR;
    if (!S_ISREG(i->mode))
        return -ENODEV;
    if (__builtin_add_overflow(offset, len, &end))
        return -EFBIG;
    if (!i->ops->fallocate || mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    long ret = mode & FALLOC_FL_PUNCH_HOLE ? 0 : check_size_limit(i, end);
    if (ret < 0)
        return ret;
    mutex_lock(&i->lock);
    ret = i->ops->fallocate(i, mode, offset, len);
    if (ret == 0)
        inode_touch_mtime(i);
    mutex_unlock(&i->lock);
    if (ret == 0)
        inotify_file(i, f->dentry, IN_MODIFY);
    return ret;
}

long sys_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = offset < 0 || len <= 0 ? -EINVAL : allocate(f, mode, offset, len);
    file_put(f);
    return ret;
}

/* --- writing back, and advice ----------------------------------------------------------------- */

static long do_sync(int fd, bool data_only)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = f->ops->sync ? f->ops->sync(f, data_only) : -EINVAL;
    file_put(f);
    return ret;
}

long sys_fsync(int fd)
{
    return do_sync(fd, false);
}

long sys_fdatasync(int fd)
{
    return do_sync(fd, true);
}

long sys_sync(void)
{
    mount_sync_all();
    return 0;
}

long sys_syncfs(int fd)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    struct superblock *sb = f->inode->sb;
    long ret = sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
    file_put(f);
    return ret;
}

long sys_sync_file_range(int fd, int64_t offset, int64_t nbytes, unsigned flags)
{
    int64_t end;
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    uint32_t mode = f->inode->mode;
    long ret = 0;
    if (flags & ~(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
        ret = -EINVAL;
    else if (offset < 0 || __builtin_add_overflow(offset, nbytes, &end) || end < offset)
        ret = -EINVAL;
    else if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
        ret = -ESPIPE;
    else if (f->ops->sync)
        ret = f->ops->sync(f, true);
    file_put(f);
    return ret;
}

/* Page caches here are the files themselves: advice about them is heard and changes nothing. */
long sys_fadvise64(int fd, int64_t offset, size_t len, int advice)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = 0;
    if (S_ISFIFO(f->inode->mode))
        ret = -ESPIPE;
    else if ((int64_t)len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
        ret = -EINVAL;
    file_put(f);
    return ret;
}

long sys_readahead(int fd, int64_t offset, size_t count)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = !f->can_read                                           ? -EBADF
               : !S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode) ? -EINVAL
                                                                      : 0;
    file_put(f);
    return ret;
}
