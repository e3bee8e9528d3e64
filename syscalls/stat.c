/* What a file is like, and changing that: stat, statx, statfs, access, chmod, chown, utimensat. */
#include <base/errno.h>
#include <core/timer.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <syscalls/bodies.h>

#include "abi_file.h"
#include "names.h"

/* --- stat ------------------------------------------------------------------------------------- */

long stat_path(int dirfd, struct uptr pathname, int flags, struct uptr statbuf, put_stat_fn *put)
{
    struct path p;
    struct inode_stat st;
    int ret = user_path_walk(dirfd, pathname, flags | USER_PATH_NULL, &p);
    if (ret < 0)
        return ret;
    inode_get_stat(p.dentry->inode, &st);
    path_put(&p);
    return put(statbuf, &st);
}

long stat_fd(int fd, struct uptr statbuf, put_stat_fn *put)
{
    struct file *f = fd_get(current_process()->files, fd);
    struct inode_stat st;
    if (!f)
        return -EBADF;
    inode_get_stat(f->inode, &st);
    file_put(f);
    return put(statbuf, &st);
}

long sys_stat(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, 0, statbuf, user_put_stat);
}

long sys_lstat(struct uptr path, struct uptr statbuf)
{
    return stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, statbuf, user_put_stat);
}

long sys_fstat(int fd, struct uptr statbuf)
{
    return stat_fd(fd, statbuf, user_put_stat);
}

/* glibc's fstat is newfstatat(fd, "", AT_EMPTY_PATH): it should not cost a walk. */
static bool is_empty_path(struct uptr pathname, int flags)
{
    char first;
    if (!(flags & AT_EMPTY_PATH))
        return false;
    return uptr_is_null(pathname) || (user_get(pathname, &first) == 0 && first == 0);
}

long stat_at(int dirfd, struct uptr pathname, struct uptr statbuf, int flags, put_stat_fn *put)
{
    if (dirfd >= 0 &&
        is_empty_path(pathname, flags)) /* before the other flags are looked at, as on Linux */
        return stat_fd(dirfd, statbuf, put);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    return stat_path(dirfd, pathname, flags, statbuf, put);
}

long sys_newfstatat(int dirfd, struct uptr pathname, struct uptr statbuf, int flags)
{
    return stat_at(dirfd, pathname, statbuf, flags, user_put_stat);
}

long sys_statx(int dirfd, struct uptr pathname, int flags, unsigned mask, struct uptr statxbuf)
{
    if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    struct path p;
    struct inode_stat st;
    int ret = user_path_walk(dirfd, pathname, flags | USER_PATH_NULL, &p);
    if (ret < 0)
        return ret;
    inode_get_stat(p.dentry->inode, &st);
    int mount_id = p.mount ? p.mount->id : 0;
    bool is_mount_root = p.mount && p.dentry == p.mount->root;
    path_put(&p);
    return user_put_statx(statxbuf, &st, mask, mount_id, is_mount_root);
}

static long put_statfs(struct inode *i, struct mount *m, struct uptr buf, put_statfs_fn *put)
{
    struct fs_stat st;
    superblock_get_stat(i->sb, &st);
    return put(buf, &st, m ? m->flags : 0);
}

long statfs_path(struct uptr path, struct uptr buf, put_statfs_fn *put)
{
    struct path p;
    long ret = user_path_walk(AT_FDCWD, path, 0, &p);
    if (ret < 0)
        return ret;
    ret = put_statfs(p.dentry->inode, p.mount, buf, put);
    path_put(&p);
    return ret;
}

long statfs_fd(int fd, struct uptr buf, put_statfs_fn *put)
{
    struct file *f = fd_get(current_process()->files, fd);
    if (!f)
        return -EBADF;
    long ret = put_statfs(f->inode, f->mount, buf, put);
    file_put(f);
    return ret;
}

long sys_statfs(struct uptr path, struct uptr buf)
{
    return statfs_path(path, buf, user_put_statfs);
}

long sys_fstatfs(int fd, struct uptr buf)
{
    return statfs_fd(fd, buf, user_put_statfs);
}

/* --- access ----------------------------------------------------------------------------------- */

/* What access(2) asks for: could the real user do it? */
static struct cred real_cred(void)
{
    struct cred c = *current_cred();
    c.fsuid = c.uid;
    c.fsgid = c.gid;
    c.cap_effective = c.uid == 0 ? c.cap_permitted : 0;
    return c;
}

static int may_access(const struct path *p, const struct cred *cred, unsigned mode)
{
    struct inode *i = p->dentry->inode;
    if (mode & MAY_EXEC && S_ISREG(i->mode) && p->mount && p->mount->flags & MS_NOEXEC)
        return -EACCES;
    int ret = inode_permission(i, cred, mode);
    bool is_special = !S_ISREG(i->mode) && !S_ISDIR(i->mode) && !S_ISLNK(i->mode);
    return ret == 0 && mode & MAY_WRITE && !is_special ? mount_want_write(p) : ret;
}

static long do_access(int dirfd, struct uptr pathname, int mode, int flags)
{
    if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    struct cred cred = flags & AT_EACCESS ? *current_cred() : real_cred();
    struct user_path u;
    struct path p;
    int ret = user_path_begin(&u, dirfd, pathname, flags);
    if (ret < 0)
        return ret;
    u.w.cred = &cred;
    unsigned walk_flags =
        (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    ret = path_walk(&u.w, u.name.s, walk_flags, &p);
    if (ret == 0) {
        ret = mode ? may_access(&p, &cred, mode) : 0;
        path_put(&p);
    }
    user_path_end(&u);
    return ret;
}

long sys_access(struct uptr pathname, int mode)
{
    return do_access(AT_FDCWD, pathname, mode, 0);
}

long sys_faccessat(int dirfd, struct uptr pathname, int mode)
{
    return do_access(dirfd, pathname, mode, 0);
}

long sys_faccessat2(int dirfd, struct uptr pathname, int mode, int flags)
{
    return do_access(dirfd, pathname, mode, flags);
}

/* --- chmod, chown, utimes --------------------------------------------------------------------- */

#define ATTR_BAD_TIME (1u << 31) /* found out last */

static long set_attr_at(int dirfd, struct uptr pathname, int flags, const struct inode_attr *attr)
{
    struct path p;
    int ret = user_path_walk(dirfd, pathname, flags, &p);
    if (ret < 0)
        return ret;
    if (attr->mask & ATTR_MODE && S_ISLNK(p.dentry->inode->mode))
        ret = -EOPNOTSUPP;
    else if (attr->mask & ATTR_BAD_TIME)
        ret = -EINVAL;
    else
        ret = path_set_attr(&p, attr, current_cred());
    path_put(&p);
    return ret;
}

static long set_attr_fd(struct file *f, const struct inode_attr *attr)
{
    if (!f)
        return -EBADF;
    struct path p = file_place(f);
    long ret = attr->mask & ATTR_BAD_TIME ? -EINVAL
               : p.dentry                 ? path_set_attr(&p, attr, current_cred())
                                          : inode_set_attr(f->inode, attr, current_cred());
    file_put(f);
    return ret;
}

static struct inode_attr new_mode(unsigned mode)
{
    return (struct inode_attr){.mask = ATTR_MODE, .mode = mode};
}

long sys_chmod(struct uptr pathname, unsigned mode)
{
    struct inode_attr attr = new_mode(mode);
    return set_attr_at(AT_FDCWD, pathname, 0, &attr);
}

long sys_fchmod(int fd, unsigned mode)
{
    struct inode_attr attr = new_mode(mode);
    return set_attr_fd(fd_get_io(current_process()->files, fd), &attr);
}

long sys_fchmodat(int dirfd, struct uptr pathname, unsigned mode)
{
    struct inode_attr attr = new_mode(mode);
    return set_attr_at(dirfd, pathname, 0, &attr);
}

long sys_fchmodat2(int dirfd, struct uptr pathname, unsigned mode, int flags)
{
    struct inode_attr attr = new_mode(mode);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return set_attr_at(dirfd, pathname, flags, &attr);
}

/* -1 leaves an id as it is. */
static struct inode_attr new_owner(unsigned owner, unsigned group)
{
    unsigned mask =
        ATTR_OWNER | (owner != UINT32_MAX ? ATTR_UID : 0) | (group != UINT32_MAX ? ATTR_GID : 0);
    return (struct inode_attr){.mask = mask, .uid = owner, .gid = group};
}

long sys_chown(struct uptr pathname, unsigned owner, unsigned group)
{
    struct inode_attr attr = new_owner(owner, group);
    return set_attr_at(AT_FDCWD, pathname, 0, &attr);
}

long sys_lchown(struct uptr pathname, unsigned owner, unsigned group)
{
    struct inode_attr attr = new_owner(owner, group);
    return set_attr_at(AT_FDCWD, pathname, AT_SYMLINK_NOFOLLOW, &attr);
}

long sys_fchown(int fd, unsigned owner, unsigned group)
{
    struct inode_attr attr = new_owner(owner, group);
    return set_attr_fd(fd_get_io(current_process()->files, fd), &attr);
}

long sys_fchownat(int dirfd, struct uptr pathname, unsigned owner, unsigned group, int flags)
{
    struct inode_attr attr = new_owner(owner, group);
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return set_attr_at(dirfd, pathname, flags, &attr);
}

/* TIME_NOW for both is what anyone who may write may ask for; anything else is the owner's. */
static struct inode_attr new_times(const int64_t ns[2])
{
    struct inode_attr attr = {0};
    if (ns[0] == TIME_BAD || ns[1] == TIME_BAD)
        attr.mask = ATTR_BAD_TIME;
    if (attr.mask)
        return attr;
    if (ns[0] == TIME_NOW && ns[1] == TIME_NOW) {
        attr.mask = ATTR_ATIME | ATTR_MTIME | ATTR_TOUCH;
        return attr;
    }
    int64_t now = clock_wall_ns();
    attr.mask = (ns[0] != TIME_OMIT ? ATTR_ATIME : 0) | (ns[1] != TIME_OMIT ? ATTR_MTIME : 0);
    attr.atime_ns = ns[0] == TIME_NOW ? now : ns[0];
    attr.mtime_ns = ns[1] == TIME_NOW ? now : ns[1];
    return attr;
}

typedef int get_times_fn(struct uptr p, int64_t ns[2]);

static long do_utimes(int dirfd, struct uptr pathname, struct uptr times, get_times_fn *get,
                      int flags)
{
    int64_t ns[2] = {TIME_NOW, TIME_NOW};
    int ret = uptr_is_null(times) ? 0 : get(times, ns);
    if (ret < 0)
        return ret;
    if (ns[0] == TIME_OMIT && ns[1] == TIME_OMIT)
        return 0;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    struct inode_attr attr = new_times(ns);
    if (!uptr_is_null(pathname) || dirfd == AT_FDCWD)
        return set_attr_at(dirfd, pathname, flags, &attr);
    return flags ? -EINVAL : set_attr_fd(fd_get_io(current_process()->files, dirfd), &attr);
}

long sys_utimensat(int dirfd, struct uptr pathname, struct uptr times, int flags)
{
    return do_utimes(dirfd, pathname, times, user_get_two_timespecs, flags);
}

long sys_futimesat(int dirfd, struct uptr pathname, struct uptr times)
{
    return do_utimes(dirfd, pathname, times, user_get_two_timevals, 0);
}

long sys_utimes(struct uptr pathname, struct uptr times)
{
    return do_utimes(AT_FDCWD, pathname, times, user_get_two_timevals, 0);
}

long sys_utime(struct uptr pathname, struct uptr times)
{
    return do_utimes(AT_FDCWD, pathname, times, user_get_utimbuf, 0);
}
