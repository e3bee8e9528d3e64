/* Directories of shared folders: names made, moved and removed at the host, and their listing.
 *
 * Every operation is done at the host first, whose answer counts; then memory follows. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <vfs/devfs.h>

#include "p9.h"

#define REMOVE_DIR 0x200 /* AT_REMOVEDIR, as the protocol has it */
#define LIST_BYTES 8000u /* of Rreaddir: fits the largest answer */

static int p9_lookup(struct inode *dir, struct dentry *d)
{
    /* The path of a removed directory may lead to another by now.  Whatever makes a name looks for it first. */
    return atomic_load(&p9_node(dir)->is_nameless) ? -ENOENT : p9_instantiate(dir, d);
}

/* Something was made under d's name: get to know it. */
static int made(struct inode *dir, struct dentry *d)
{
    p9_expire(dir);
    int ret = p9_instantiate(dir, d);
    return ret == 0 && !d->inode ? -ENOENT : ret; /* removed again already */
}

/* The host has answered `ret` to a request that makes something under d's name. */
static int answered(int ret, struct inode *dir, struct dentry *d)
{
    return ret < 0 ? ret : made(dir, d);
}

/* A directory with S_ISGID hands its group on, which the host does not do for us. */
static uint32_t group_for(const struct inode *dir, const struct cred *cred)
{
    return dir->mode & S_ISGID ? dir->gid : cred->fsgid;
}

/* A regular file stays open from its creation to the open(2) that asked for it, which its mode might not allow. */
static int create_open(struct inode *dir, struct dentry *d, unsigned mode, const struct cred *cred)
{
    struct p9_fid *fid;
    int ret = p9_walk(dir, NULL, 0, &fid);
    if (ret < 0)
        return ret;
    ret = p9_rpc(fid->fs, NULL, P9_TLCREATE, "dsddd", fid->nr, d->name,
                 O_RDWR | O_CREAT | O_EXCL | O_LARGEFILE, mode & 07777, group_for(dir, cred));
    if (ret == 0)
        ret = made(dir, d);
    if (ret == -ENOENT && p9_refresh(dir) == 0)
        ret = -ESTALE; /* removed again: not what open(2) may say */
    if (ret == 0 && S_ISREG(d->inode->mode)) {
        struct p9_node *n = p9_node(d->inode);
        spin_lock(&fid->fs->lock);
        struct p9_fid *old = n->created;
        n->created = fid;
        spin_unlock(&fid->fs->lock);
        fid = old; /* of a file that was there before, by another name */
    }
    p9_fid_put(fid);
    return ret;
}

static int p9_create(struct inode *dir, struct dentry *d, unsigned mode, uint64_t rdev,
                     const struct cred *cred)
{
    if (S_ISREG(mode))
        return create_open(dir, d, mode, cred);
    int ret = p9_rpc(p9_fs(dir), NULL, P9_TMKNOD, "isdddd", dir, d->name, mode, dev_major(rdev),
                     dev_minor(rdev), group_for(dir, cred));
    return answered(ret, dir, d);
}

static int p9_mkdir(struct inode *dir, struct dentry *d, unsigned mode, const struct cred *cred)
{
    int ret = p9_rpc(p9_fs(dir), NULL, P9_TMKDIR, "isdd", dir, d->name,
                     (mode & 07777) | (dir->mode & S_ISGID), group_for(dir, cred));
    return answered(ret, dir, d);
}

static int p9_symlink(struct inode *dir, struct dentry *d, const char *target,
                      const struct cred *cred)
{
    int ret =
        p9_rpc(p9_fs(dir), NULL, P9_TSYMLINK, "issd", dir, d->name, target, group_for(dir, cred));
    return answered(ret, dir, d);
}

static int p9_link(struct inode *dir, struct dentry *d, struct inode *target)
{
    int ret = p9_check_path(target);
    if (ret < 0)
        return ret;
    ret = p9_rpc(p9_fs(dir), NULL, P9_TLINK, "iis", dir, target, d->name);
    struct dentry *first = ret == 0 ? dentry_of_inode(target) : NULL;
    if (first) { /* no longer its only name */
        atomic_store(&first->valid_until, 1);
        dentry_put(first);
    }
    return ret < 0 ? ret : made(dir, d);
}

static void lose_name(struct inode *i)
{
    uint32_t left = S_ISDIR(i->mode) ? 0 : atomic_load(&i->nlink) - 1;
    atomic_store(&i->nlink, left);
    if (left == 0)
        atomic_store(&p9_node(i)->is_nameless, true);
    else
        p9_expire(i);
}

static int remove(struct inode *dir, struct dentry *d, uint32_t flags)
{
    int ret = p9_rpc(p9_fs(dir), NULL, P9_TUNLINKAT, "isd", dir, d->name, flags);
    if (ret < 0)
        return ret;
    p9_expire(dir);
    p9_forget(d);
    return 0;
}

static int p9_unlink(struct inode *dir, struct dentry *d)
{
    p9_keep_open(d->inode);
    int ret = remove(dir, d, 0);
    if (ret == 0)
        lose_name(d->inode);
    return ret;
}

static int p9_rmdir(struct inode *dir, struct dentry *d)
{
    int ret = remove(dir, d, REMOVE_DIR);
    if (ret == 0)
        lose_name(d->inode);
    return ret;
}

static int p9_rename(struct inode *from, struct dentry *old, struct inode *to, struct dentry *over,
                     unsigned flags)
{
    if (flags) /* as Linux's client: the protocol has none */
        return -EINVAL;
    if (over->inode)
        p9_keep_open(over->inode);
    int ret = p9_rpc(p9_fs(from), NULL, P9_TRENAMEAT, "isis", from, old->name, to, over->name);
    if (ret < 0)
        return ret;
    p9_expire(from);
    p9_expire(to);
    p9_expire(old->inode);
    if (over->inode) {
        p9_forget(over);
        lose_name(over->inode);
    }
    if (dentry_move(old, over, false) < 0)
        p9_forget(old); /* the new name will be asked for */
    return 0;
}

/* --- listing ------------------------------------------------------------------------------------------- */

/* Emit the entries of one answer: 0 more may follow, 1 the end, -1 the caller's buffer is full, or -errno. */
static int emit_some(struct p9_msg *m, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    uint32_t bytes;
    if (p9_get(m, "d", &bytes) < 0 || bytes > m->len - m->pos)
        return -EIO;
    if (bytes == 0)
        return 1;
    m->len = m->pos + bytes;
    while (m->pos < m->len) {
        struct p9_qid qid;
        uint64_t next;
        uint8_t type;
        const char *name;
        uint16_t len;
        if (p9_get(m, "Qqbn", &qid, &next, &type, &name, &len) < 0 || len > 255)
            return -EIO;
        if (!emit(arg, name, len, qid.path, type, (int64_t)next))
            return -1;
        *pos = (int64_t)next;
    }
    return 0;
}

static int p9_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    struct p9_fid *fid = f->data;
    int ret;
    if (atomic_load(&p9_node(f->inode)->is_nameless))
        return -ENOENT;
    do {
        struct p9_msg m;
        ret = p9_rpc(fid->fs, &m, P9_TREADDIR, "dqd", fid->nr, (uint64_t)*pos, LIST_BYTES);
        if (ret < 0)
            return ret;
        ret = emit_some(&m, pos, emit, arg);
        p9_free_msg(&m);
    } while (ret == 0);
    return ret == -1 ? 0 : ret;
}

static const struct dir_ops names_ops = {
    .create = p9_create,
    .mkdir = p9_mkdir,
    .symlink = p9_symlink,
    .link = p9_link,
    .unlink = p9_unlink,
    .rmdir = p9_rmdir,
    .rename = p9_rename,
};
const struct inode_ops p9_dir_ops = {
    .dir = &names_ops,
    .xattrs = &p9_xattr_ops,
    .lookup = p9_lookup,
    .revalidate = p9_revalidate,
    .open = p9_open,
    .set_attr = p9_set_attr,
    .refresh = p9_refresh_if_old,
    .free = p9_free,
};

const struct file_ops p9_dir_file_ops = {
    .read = dir_read,
    .seek = file_seek_endless,
    .readdir = p9_readdir,
    .sync = p9_sync_file,
    .release = p9_release,
    .has_pos = true,
};
