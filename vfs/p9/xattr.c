/* Extended attributes are the host's.  A value is the contents of a fid of its own: one to read (Txattrwalk), which for an
 * empty name is the list of names, or one that sets it when it is clunked (Txattrcreate). */
#include <base/errno.h>

#include "p9.h"

/* A name's value, or the names. */
static ssize_t get(struct inode *i, const char *name, void *to, size_t size)
{
    struct p9_fid *fid;
    uint64_t len;
    int ret = p9_walk_xattr(i, name, &fid, &len);
    if (ret < 0)
        return ret;
    if (size > 0 && len > size)
        ret = -ERANGE;
    else if (size > 0 && len > 0 && /* one message takes the longest that a program may ask for */
             p9_read(fid, 0, &(struct p9_buf){to, (uint32_t)len}, 1, (uint32_t)len) != (ssize_t)len)
        ret = -EIO;
    p9_fid_put(fid);
    return ret < 0 ? ret : (ssize_t)len;
}

static ssize_t p9_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
    return get(i, name, value, size);
}

static ssize_t p9_listxattr(struct inode *i, char *list, size_t size)
{
    return get(i, "", list, size);
}

/* No value: remove it. */
static int set(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
    struct p9_fid *fid;
    int ret = p9_check_path(i);
    if (ret >= 0)
        ret = p9_walk(i, NULL, 0, &fid);
    if (ret < 0)
        return ret;
    ret = p9_rpc(fid->fs, NULL, P9_TXATTRCREATE, "dsqd", fid->nr, name, (uint64_t)size, flags);
    if (ret == 0 && size > 0 && p9_write(fid, 0, value, (uint32_t)size) != (ssize_t)size)
        ret = -EIO;
    int done = p9_fid_end(fid);
    return ret < 0 ? ret : done;
}

static int p9_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
    /* 9P has no other way to remove one than to set it to nothing. */
    return size > 0 ? set(i, name, value, size, flags) : -EOPNOTSUPP;
}

static int p9_removexattr(struct inode *i, const char *name)
{
    return set(i, name, NULL, 0, 0);
}

const struct xattr_ops p9_xattr_ops = {
    .get = p9_getxattr,
    .set = p9_setxattr,
    .list = p9_listxattr,
    .remove = p9_removexattr,
};
