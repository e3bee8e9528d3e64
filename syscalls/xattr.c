/* Extended attributes: sixteen calls, four for each operation, which differ in how they name the
 * file.
 *
 * Each call says how the file is named; the operation reads its other arguments first, as Linux does, and then
 * finds the file. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <syscalls/bodies.h>
#include <vfs/inotify.h>

#include "abi_process.h"
#include "names.h"

/* How a call names its file: by a descriptor, or by a path. */
struct naming {
    bool is_fd;
    int fd;
    struct uptr path;
    unsigned at_flags; /* AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
};

static struct naming by_path(struct uptr path, unsigned at_flags)
{
    return (struct naming){.fd = AT_FDCWD, .path = path, .at_flags = at_flags};
}

static struct naming by_fd(int fd)
{
    return (struct naming){.is_fd = true, .fd = fd};
}

static int find_fd(int fd, struct path *p)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    *p = file_place(f);
    int ret = p->dentry ? 0 : -EOPNOTSUPP; /* an anonymous object */
    if (p->dentry)
        path_get(p);
    file_put(f);
    return ret;
}

/* The calls with a dirfd: 0 or -EINVAL. */
static int by_dirfd(int dirfd, struct uptr path, unsigned at_flags, struct naming *n)
{
    if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    char first = 1;
    bool is_empty = uptr_is_null(path) || (user_get(path, &first) == 0 && !first);
    /* With an empty path an O_PATH descriptor is not enough. */
    *n = (struct naming){at_flags & AT_EMPTY_PATH && dirfd != AT_FDCWD && is_empty, dirfd, path,
                         at_flags | USER_PATH_NULL};
    return 0;
}

static int find(const struct naming *n, struct path *p)
{
    return n->is_fd ? find_fd(n->fd, p) : user_path_walk(n->fd, n->path, (int)n->at_flags, p);
}

static int get_name(char name[XATTR_NAME_MAX + 1], struct uptr p)
{
    long len = user_read_string(name, p, XATTR_NAME_MAX + 1);
    return len == 0 || len == -ENAMETOOLONG ? -ERANGE : MIN(len, 0);
}

/* What setxattrat(2) and getxattrat(2) take: Linux's struct xattr_args, newer than the oldest headers that we build
 * with. */
struct xattr_args_k {
    uint64_t value;
    uint32_t size, flags;
};

static int get_args(struct uptr p, size_t size, struct xattr_args_k *args)
{
    if (size < sizeof(*args))
        return -EINVAL;
    return size > PAGE_SIZE ? -E2BIG : user_get_extensible(p, size, args, sizeof(*args));
}

/* --- set -------------------------------------------------------------------------------------- */

static long set_value(const struct path *p, const char *name, const void *value, size_t size,
                      int flags)
{
    int ret = mount_want_write(p);
    if (ret == 0)
        ret = inode_setxattr(p->dentry->inode, current_cred(), name, value, size, flags);
    if (ret == 0)
        inotify_file(p->dentry->inode, p->dentry, IN_ATTRIB);
    return ret;
}

static long copy_and_set(const struct naming *where, const char *name, struct uptr user_value,
                         size_t size, int flags)
{
    void *value = heap_alloc(MAX(size, 1ul));
    struct path p;
    if (!value)
        return -ENOMEM;
    int ret = user_read(value, user_value, size);
    if (ret == 0)
        ret = find(where, &p);
    if (ret == 0) {
        ret = set_value(&p, name, value, size, flags);
        path_put(&p);
    }
    heap_free(value);
    return ret;
}

static long do_set(struct naming where, struct uptr user_name, struct uptr value, size_t size,
                   int flags)
{
    char name[XATTR_NAME_MAX + 1];
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    int ret = get_name(name, user_name);
    if (ret < 0)
        return ret;
    return size > XATTR_SIZE_MAX ? -E2BIG : copy_and_set(&where, name, value, size, flags);
}

long sys_setxattr(struct uptr path, struct uptr name, struct uptr value, size_t size, int flags)
{
    return do_set(by_path(path, 0), name, value, size, flags);
}

long sys_lsetxattr(struct uptr path, struct uptr name, struct uptr value, size_t size, int flags)
{
    return do_set(by_path(path, AT_SYMLINK_NOFOLLOW), name, value, size, flags);
}

long sys_fsetxattr(int fd, struct uptr name, struct uptr value, size_t size, int flags)
{
    return do_set(by_fd(fd), name, value, size, flags);
}

long sys_setxattrat(int dirfd, struct uptr path, unsigned at_flags, struct uptr name,
                    struct uptr user_args, size_t size)
{
    struct xattr_args_k args;
    struct naming where;
    int ret = get_args(user_args, size, &args);
    if (ret == 0)
        ret = by_dirfd(dirfd, path, at_flags, &where);
    return ret < 0 ? ret
                   : do_set(where, name, uptr_of_word(args.value), args.size, (int)args.flags);
}

/* --- get and list ----------------------------------------------------------------------------- */

/* One value (or, without a name, all names) through a kernel buffer into the user's. */
static long fetch(struct inode *i, const char *name, struct uptr user, size_t size, size_t max)
{
    size = MIN(size, max);
    char *buf = heap_alloc(MAX(size, 1ul));
    if (!buf)
        return -ENOMEM;
    ssize_t len = name ? inode_getxattr(i, current_cred(), name, buf, size)
                       : inode_listxattr(i, current_cred(), buf, size);
    if (len > 0 && size > 0 && user_write(user, buf, len) < 0)
        len = -EFAULT;
    heap_free(buf);
    return len;
}

static long do_get(struct naming where, struct uptr user_name, struct uptr value, size_t size)
{
    char name[XATTR_NAME_MAX + 1];
    struct path p;
    long ret = get_name(name, user_name);
    if (ret == 0)
        ret = find(&where, &p);
    if (ret < 0)
        return ret;
    ret = fetch(p.dentry->inode, name, value, size, XATTR_SIZE_MAX);
    path_put(&p);
    return ret;
}

long sys_getxattr(struct uptr path, struct uptr name, struct uptr value, size_t size)
{
    return do_get(by_path(path, 0), name, value, size);
}

long sys_lgetxattr(struct uptr path, struct uptr name, struct uptr value, size_t size)
{
    return do_get(by_path(path, AT_SYMLINK_NOFOLLOW), name, value, size);
}

long sys_fgetxattr(int fd, struct uptr name, struct uptr value, size_t size)
{
    return do_get(by_fd(fd), name, value, size);
}

long sys_getxattrat(int dirfd, struct uptr path, unsigned at_flags, struct uptr name,
                    struct uptr user_args, size_t size)
{
    struct xattr_args_k args;
    struct naming where;
    int ret = get_args(user_args, size, &args);
    if (ret == 0 && args.flags)
        ret = -EINVAL;
    if (ret == 0)
        ret = by_dirfd(dirfd, path, at_flags, &where);
    return ret < 0 ? ret : do_get(where, name, uptr_of_word(args.value), args.size);
}

static long do_list(struct naming where, struct uptr list, size_t size)
{
    struct path p;
    long ret = find(&where, &p);
    if (ret < 0)
        return ret;
    ret = fetch(p.dentry->inode, NULL, list, size, XATTR_LIST_MAX);
    path_put(&p);
    return ret;
}

long sys_listxattr(struct uptr path, struct uptr list, size_t size)
{
    return do_list(by_path(path, 0), list, size);
}

long sys_llistxattr(struct uptr path, struct uptr list, size_t size)
{
    return do_list(by_path(path, AT_SYMLINK_NOFOLLOW), list, size);
}

long sys_flistxattr(int fd, struct uptr list, size_t size)
{
    return do_list(by_fd(fd), list, size);
}

long sys_listxattrat(int dirfd, struct uptr path, unsigned at_flags, struct uptr list, size_t size)
{
    struct naming where;
    int ret = by_dirfd(dirfd, path, at_flags, &where);
    return ret < 0 ? ret : do_list(where, list, size);
}

/* --- remove ----------------------------------------------------------------------------------- */

static long do_remove(struct naming where, struct uptr user_name)
{
    char name[XATTR_NAME_MAX + 1];
    struct path p;
    long ret = get_name(name, user_name);
    if (ret == 0)
        ret = find(&where, &p);
    if (ret < 0)
        return ret;
    ret = mount_want_write(&p);
    if (ret == 0)
        ret = inode_removexattr(p.dentry->inode, current_cred(), name);
    if (ret == 0)
        inotify_file(p.dentry->inode, p.dentry, IN_ATTRIB);
    path_put(&p);
    return ret;
}

long sys_removexattr(struct uptr path, struct uptr name)
{
    return do_remove(by_path(path, 0), name);
}

long sys_lremovexattr(struct uptr path, struct uptr name)
{
    return do_remove(by_path(path, AT_SYMLINK_NOFOLLOW), name);
}

long sys_fremovexattr(int fd, struct uptr name)
{
    return do_remove(by_fd(fd), name);
}

long sys_removexattrat(int dirfd, struct uptr path, unsigned at_flags, struct uptr name)
{
    struct naming where;
    int ret = by_dirfd(dirfd, path, at_flags, &where);
    return ret < 0 ? ret : do_remove(where, name);
}
