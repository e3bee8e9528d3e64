/* Names: mkdir, rmdir, unlink, rename, link, symlink, readlink, mknod; root and working
 * directory. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <syscalls/bodies.h>

#include "names.h"

/* --- one name --------------------------------------------------------------------------------- */

static long do_mkdir(int dirfd, struct uptr pathname, unsigned mode)
{
    struct user_path u;
    int ret = user_path_begin(&u, dirfd, pathname, 0);
    if (ret < 0)
        return ret;
    ret = path_mkdir(&u.w, u.name.s, mode);
    user_path_end(&u);
    return ret;
}

long sys_mkdir(struct uptr pathname, unsigned mode)
{
    return do_mkdir(AT_FDCWD, pathname, mode);
}

long sys_mkdirat(int dirfd, struct uptr pathname, unsigned mode)
{
    return do_mkdir(dirfd, pathname, mode);
}

static long do_mknod(int dirfd, struct uptr pathname, unsigned mode, unsigned dev)
{
    struct user_path u;
    int ret = path_check_node(mode);
    if (ret < 0)
        return ret;
    ret = user_path_begin(&u, dirfd, pathname, 0);
    if (ret < 0)
        return ret;
    ret = path_mknod(&u.w, u.name.s, mode,
                     dev); /* 32 bits of dev_t are laid out as its low 32 of 64 */
    user_path_end(&u);
    return ret;
}

long sys_mknod(struct uptr pathname, unsigned mode, unsigned dev)
{
    return do_mknod(AT_FDCWD, pathname, mode, dev);
}

long sys_mknodat(int dirfd, struct uptr pathname, unsigned mode, unsigned dev)
{
    return do_mknod(dirfd, pathname, mode, dev);
}

static long do_unlink(int dirfd, struct uptr pathname, bool is_dir)
{
    struct user_path u;
    int ret = user_path_begin(&u, dirfd, pathname, 0);
    if (ret < 0)
        return ret;
    ret = is_dir ? path_rmdir(&u.w, u.name.s) : path_unlink(&u.w, u.name.s);
    user_path_end(&u);
    return ret;
}

long sys_unlink(struct uptr pathname)
{
    return do_unlink(AT_FDCWD, pathname, false);
}

long sys_rmdir(struct uptr pathname)
{
    return do_unlink(AT_FDCWD, pathname, true);
}

long sys_unlinkat(int dirfd, struct uptr pathname, int flags)
{
    return flags & ~AT_REMOVEDIR ? -EINVAL : do_unlink(dirfd, pathname, flags & AT_REMOVEDIR);
}

/* --- two names -------------------------------------------------------------------------------- */

static long do_rename(int olddirfd, struct uptr oldpath, int newdirfd, struct uptr newpath,
                      unsigned flags)
{
    struct user_path from, to;
    int ret = path_check_rename_flags(flags);
    if (ret < 0)
        return ret;
    ret = user_path_begin(&from, olddirfd, oldpath, 0);
    if (ret < 0)
        return ret;
    ret = user_path_begin(&to, newdirfd, newpath, 0);
    if (ret == 0) {
        ret = path_rename(&from.w, from.name.s, &to.w, to.name.s, flags);
        user_path_end(&to);
    }
    user_path_end(&from);
    return ret;
}

long sys_rename(struct uptr oldpath, struct uptr newpath)
{
    return do_rename(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

long sys_renameat(int olddirfd, struct uptr oldpath, int newdirfd, struct uptr newpath)
{
    return do_rename(olddirfd, oldpath, newdirfd, newpath, 0);
}

long sys_renameat2(int olddirfd, struct uptr oldpath, int newdirfd, struct uptr newpath,
                   unsigned flags)
{
    return do_rename(olddirfd, oldpath, newdirfd, newpath, flags);
}

static long do_link(int olddirfd, struct uptr oldpath, int newdirfd, struct uptr newpath, int flags)
{
    struct user_path from, to;
    struct path old;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int ret = user_path_begin(&from, olddirfd, oldpath, flags & AT_EMPTY_PATH);
    if (ret < 0)
        return ret;
    /* The old name is followed before the new one is looked at. */
    ret = path_find_link(&from.w, from.name.s, flags, &old);
    user_path_end(&from);
    if (ret < 0)
        return ret;
    ret = user_path_begin(&to, newdirfd, newpath, 0);
    if (ret == 0) {
        ret = path_link_place(&old, &to.w, to.name.s);
        user_path_end(&to);
    }
    path_put(&old);
    return ret;
}

long sys_link(struct uptr oldpath, struct uptr newpath)
{
    return do_link(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

long sys_linkat(int olddirfd, struct uptr oldpath, int newdirfd, struct uptr newpath, int flags)
{
    return do_link(olddirfd, oldpath, newdirfd, newpath, flags);
}

static long do_symlink(struct uptr target, int newdirfd, struct uptr linkpath)
{
    struct user_name text;
    struct user_path u;
    int ret = user_name_begin(&text, target);
    if (ret < 0)
        return ret;
    ret = *text.s ? user_path_begin(&u, newdirfd, linkpath, 0) : -ENOENT;
    if (ret == 0) {
        ret = path_symlink(&u.w, text.s, u.name.s);
        user_path_end(&u);
    }
    user_name_end(&text);
    return ret;
}

long sys_symlink(struct uptr target, struct uptr linkpath)
{
    return do_symlink(target, AT_FDCWD, linkpath);
}

long sys_symlinkat(struct uptr target, int newdirfd, struct uptr linkpath)
{
    return do_symlink(target, newdirfd, linkpath);
}

static long read_link(struct inode *i, struct uptr buf, size_t size)
{
    if (!S_ISLNK(i->mode) || !i->ops->readlink)
        return -EINVAL;
    char *text = heap_alloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    ssize_t len = i->ops->readlink(i, text, PATH_MAX);
    if (len >= 0) {
        inode_touch_atime(i);
        len = MIN((size_t)len, size);
        if (user_write(buf, text, len) < 0)
            len = -EFAULT;
    }
    heap_free(text);
    return len;
}

static long do_readlink(int dirfd, struct uptr pathname, struct uptr buf, size_t size)
{
    if ((int)size <= 0) /* Linux takes an int */
        return -EINVAL;
    struct user_path u;
    struct path p;
    int ret = user_path_begin(&u, dirfd, pathname, AT_EMPTY_PATH);
    if (ret < 0)
        return ret;
    bool is_empty = !*u.name.s;
    ret = path_walk(&u.w, u.name.s, WALK_EMPTY, &p);
    user_path_end(&u);
    if (ret < 0)
        return ret;
    long len = is_empty && !S_ISLNK(p.dentry->inode->mode)
                   ? -ENOENT
                   : read_link(p.dentry->inode, buf, (int)size);
    path_put(&p);
    return len;
}

long sys_readlink(struct uptr pathname, struct uptr buf, size_t size)
{
    return do_readlink(AT_FDCWD, pathname, buf, size);
}

long sys_readlinkat(int dirfd, struct uptr pathname, struct uptr buf, size_t size)
{
    return do_readlink(dirfd, pathname, buf, size);
}

/* --- where a process is ----------------------------------------------------------------------- */

typedef void set_fn(struct fs_context *fs, const struct path *p);

/* A directory that may be searched becomes the root or the working directory. */
static long enter(const struct path *p, set_fn *set)
{
    if (!p->dentry || !S_ISDIR(p->dentry->inode->mode))
        return -ENOTDIR;
    int ret = inode_permission(p->dentry->inode, current_cred(), MAY_EXEC);
    if (ret < 0)
        return ret;
    if (set == fs_context_set_root && !cred_has_cap(current_cred(), CAP_SYS_CHROOT))
        return -EPERM;
    set(current_process()->fs, p);
    return 0;
}

static long enter_path(struct uptr path, set_fn *set)
{
    struct path p;
    long ret = user_path_walk(AT_FDCWD, path, 0, &p);
    if (ret < 0)
        return ret;
    ret = enter(&p, set);
    path_put(&p);
    return ret;
}

long sys_chdir(struct uptr path)
{
    return enter_path(path, fs_context_set_cwd);
}

long sys_chroot(struct uptr path)
{
    return enter_path(path, fs_context_set_root);
}

long sys_fchdir(int fd)
{
    struct file *f = fd_get(current_process()->files, fd);
    if (!f)
        return -EBADF;
    struct path p = file_place(f);
    long ret = enter(&p, fs_context_set_cwd);
    file_put(f);
    return ret;
}

/* The working directory's name into buf[PATH_MAX]: its length. */
static ssize_t cwd_name(char *buf)
{
    struct path root, cwd;
    fs_context_root(current_process()->fs, &root);
    fs_context_cwd(current_process()->fs, &cwd);
    ssize_t len = path_is_deleted(&cwd) ? -ENOENT : path_name(&root, &cwd, buf, PATH_MAX);
    path_put(&root);
    path_put(&cwd);
    return len;
}

long sys_getcwd(struct uptr buf, size_t size)
{
    char *name = heap_alloc(PATH_MAX);
    if (!name)
        return -ENOMEM;
    ssize_t len = cwd_name(name);
    if (len >= 0)
        len = (size_t)len >= size                  ? -ERANGE
              : user_write(buf, name, len + 1) < 0 ? -EFAULT
                                                   : len + 1;
    heap_free(name);
    return len;
}

long sys_umask(unsigned mask)
{
    return atomic_swap(&current_process()->fs->umask, mask & 0777);
}
