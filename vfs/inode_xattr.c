/* Extended attributes: who may do what to which namespace (xattr(7)), before the file system is
 * asked. */
#include <base/errno.h>
#include <base/string.h>
#include <linux/capability.h>
#include <linux/stat.h>
#include <linux/xattr.h>
#include <vfs/inode.h>
#include <vfs/path.h>

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Is it a name of a namespace that exists? */
static int check_name(const char *name)
{
    static const char *const spaces[] = {XATTR_USER_PREFIX, XATTR_TRUSTED_PREFIX,
                                         XATTR_SECURITY_PREFIX};
    for (unsigned n = 0; n < ARRAY_LEN(spaces); n++)
        if (has_prefix(name, spaces[n]))
            return name[strlen(spaces[n])] ? 0 : -EINVAL;
    return -EOPNOTSUPP;
}

/* Linux's xattr_permission(). */
static int may_access(struct inode *i, const struct cred *cred, const char *name, bool write)
{
    if (has_prefix(name, XATTR_SECURITY_PREFIX))
        return write && !cred_has_cap(cred, CAP_SYS_ADMIN) ? -EPERM : 0;
    if (has_prefix(name, XATTR_TRUSTED_PREFIX))
        return cred_has_cap(cred, CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    if (has_prefix(name, XATTR_USER_PREFIX)) {
        if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
            return write ? -EPERM : -ENODATA;
        bool is_owner = cred->fsuid == i->uid || cred_has_cap(cred, CAP_FOWNER);
        if (write && S_ISDIR(i->mode) && i->mode & S_ISVTX && !is_owner)
            return -EPERM;
    }
    return inode_permission(i, cred, write ? MAY_WRITE : MAY_READ);
}

ssize_t inode_getxattr(struct inode *i, const struct cred *cred, const char *name, void *value,
                       size_t size)
{
    /* Access control lists: files have none. */
    if (strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) == 0 ||
        strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) == 0)
        return i->ops->xattrs ? -ENODATA : -EOPNOTSUPP;
    ssize_t ret = may_access(i, cred, name, false);
    if (ret == 0)
        ret = check_name(name);
    if (ret < 0)
        return ret;
    if (!i->ops->xattrs)
        return -EOPNOTSUPP;
    mutex_lock(&i->lock);
    ret = i->ops->xattrs->get(i, name, value, size);
    mutex_unlock(&i->lock);
    return ret;
}

int inode_setxattr(struct inode *i, const struct cred *cred, const char *name, const void *value,
                   size_t size, int flags)
{
    int ret = may_access(i, cred, name, true);
    if (ret == 0)
        ret = check_name(name);
    if (ret < 0)
        return ret;
    if (!i->ops->xattrs)
        return -EOPNOTSUPP;
    mutex_lock(&i->lock);
    ret = i->ops->xattrs->set(i, name, value, size, flags);
    if (ret == 0)
        inode_touch_ctime(i);
    mutex_unlock(&i->lock);
    return ret;
}

int inode_removexattr(struct inode *i, const struct cred *cred, const char *name)
{
    int ret = may_access(i, cred, name, true);
    if (ret == 0)
        ret = check_name(name);
    if (ret < 0)
        return ret;
    if (!i->ops->xattrs)
        return -EOPNOTSUPP;
    mutex_lock(&i->lock);
    ret = i->ops->xattrs->remove(i, name);
    if (ret == 0)
        inode_touch_ctime(i);
    mutex_unlock(&i->lock);
    return ret;
}

/* Names under "trusted." are for the mighty only: close the gaps that the others leave. */
static ssize_t hide_trusted(char *list, ssize_t len)
{
    ssize_t kept = 0;
    for (ssize_t at = 0; at < len;) {
        ssize_t n = strlen(list + at) + 1;
        if (!has_prefix(list + at, XATTR_TRUSTED_PREFIX)) {
            memmove(list + kept, list + at, n);
            kept += n;
        }
        at += n;
    }
    return kept;
}

ssize_t inode_listxattr(struct inode *i, const struct cred *cred, char *list, size_t size)
{
    if (!i->ops->xattrs)
        return 0;
    mutex_lock(&i->lock);
    ssize_t len = i->ops->xattrs->list(i, list, size);
    mutex_unlock(&i->lock);
    if (len > 0 && size > 0 && !cred_has_cap(cred, CAP_SYS_ADMIN))
        len = hide_trusted(list, len);
    return len;
}
