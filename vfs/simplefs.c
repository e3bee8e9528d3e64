/* Pseudo file systems built by calls, and reading the directories of every in-memory tree. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <vfs/simplefs.h>

/* --- directories ------------------------------------------------------------------------------ */

static unsigned dirent_type(const struct inode *i)
{
    return (i->mode & S_IFMT) >> 12; /* DT_* */
}

static bool emit_dots(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    if (*pos == 0) {
        if (!emit(arg, ".", 1, f->inode->ino, S_IFDIR >> 12, 1))
            return false;
        *pos = 1;
    }
    if (*pos == 1) {
        struct dentry *parent = dentry_parent(f->dentry);
        bool fits = emit(arg, "..", 2, parent->inode->ino, S_IFDIR >> 12, 2);
        dentry_put(parent);
        if (!fits)
            return false;
        *pos = 2;
    }
    return true;
}

static int emit_children(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    for (;;) {
        struct dentry *d = dentry_next(f->dentry, *pos);
        if (!d || (int64_t)d->pos >= f->dir_end) {
            if (d)
                dentry_put(d);
            return 1;
        }
        int64_t next = d->pos + 1;
        bool fits = emit(arg, d->name, d->name_len, d->inode->ino, dirent_type(d->inode), next);
        dentry_put(d);
        if (!fits)
            return 0;
        *pos = next;
    }
}

int dir_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    struct inode *dir = f->inode;
    if (*pos >= DIR_POS_DYNAMIC)
        return 1;
    /* The lock keeps names from changing while they are copied out. */
    mutex_lock(&dir->lock);
    /* A program that renames or replaces what it finds would otherwise meet its own work for ever.
     */
    if (*pos <= 1 || f->dir_end == 0)
        f->dir_end = f->dentry->next_pos;
    int ret = f->dentry->is_dead ? -ENOENT : 0;
    if (ret == 0 && emit_dots(f, pos, emit, arg))
        ret = emit_children(f, pos, emit, arg);
    mutex_unlock(&dir->lock);
    inode_touch_atime(dir);
    return ret;
}

int dir_sync(struct file *f, bool data_only)
{
    return 0; /* nothing behind the memory */
}

ssize_t dir_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    return -EISDIR;
}

const struct file_ops simple_dir_file_ops = {
    .read = dir_read,
    .readdir = dir_readdir,
    .seek = file_seek_endless,
    .sync = dir_sync,
    .has_pos = true,
};

/* --- nodes ------------------------------------------------------------------------------------ */

const struct inode_ops simple_inode_ops = {.set_attr = inode_apply_attr};

static ssize_t link_readlink(struct inode *i, char *buf, size_t size)
{
    return strlcpy(buf, i->data, size) < size ? (ssize_t)i->size : -ENAMETOOLONG;
}

static const struct inode_ops link_ops = {.set_attr = inode_apply_attr, .readlink = link_readlink};

static struct inode *simple_inode(struct superblock *sb, unsigned mode, const struct inode_ops *ops,
                                  const struct file_ops *file_ops, void *data)
{
    struct inode *i = inode_new(sb, mode, 0);
    if (!i)
        return NULL;
    if (ops)
        i->ops = ops;
    if (file_ops)
        i->file_ops = file_ops;
    else if (S_ISDIR(mode))
        i->file_ops = &simple_dir_file_ops;
    if (data)
        i->data = data;
    return i;
}

int simple_fill(struct dentry *d, unsigned mode, const struct inode_ops *ops,
                const struct file_ops *file_ops, void *data)
{
    struct inode *i = simple_inode(d->sb, mode, ops, file_ops, data);
    if (!i)
        return -ENOMEM;
    dentry_fill(d, i);
    return 0;
}

/* Hang an inode, whose reference it takes over, under a name. */
static struct dentry *add(struct dentry *parent, const char *name, struct inode *i)
{
    if (!i)
        return NULL;
    struct inode *dir = parent->inode;
    struct dentry *d = dentry_new(parent, name, strlen(name));
    if (!d) {
        inode_put(i);
        return NULL;
    }
    bool is_dir = S_ISDIR(i->mode);
    mutex_lock(&dir->lock);
    int ret = dentry_link(d, i);
    if (ret == 0)
        atomic_add(&dir->nlink, is_dir);
    mutex_unlock(&dir->lock);
    dentry_put(d); /* the tree has its own reference */
    return ret < 0 ? NULL : d;
}

struct superblock *simple_superblock(const char *type, uint64_t magic, unsigned root_mode)
{
    struct superblock *sb = superblock_new(type, magic, NULL);
    if (!sb)
        return NULL;
    struct inode *root = simple_inode(sb, S_IFDIR | root_mode, NULL, NULL, NULL);
    sb->root = root ? dentry_new_root(root) : NULL;
    if (!sb->root) {
        superblock_put(sb);
        return NULL;
    }
    sb->is_permanent = true;
    return sb;
}

struct dentry *simple_special(struct dentry *parent, const char *name, unsigned mode,
                              const struct inode_ops *ops, const struct file_ops *file_ops,
                              void *data)
{
    return add(parent, name, simple_inode(parent->sb, mode, ops, file_ops, data));
}

struct dentry *simple_dir(struct dentry *parent, const char *name, unsigned mode)
{
    return simple_special(parent, name, S_IFDIR | mode, NULL, NULL, NULL);
}

struct dentry *simple_file(struct dentry *parent, const char *name, unsigned mode,
                           const struct file_ops *ops, void *data)
{
    return simple_special(parent, name, S_IFREG | mode, NULL, ops, data);
}

struct dentry *simple_symlink(struct dentry *parent, const char *name, const char *target)
{
    size_t len = strlen(target);
    struct inode *i = inode_new(parent->sb, S_IFLNK | 0777, len + 1);
    if (!i)
        return NULL;
    memcpy(i->data, target, len + 1);
    i->size = len;
    i->ops = &link_ops;
    return add(parent, name, i);
}

struct dentry *simple_node(struct dentry *parent, const char *name, unsigned mode, uint64_t rdev)
{
    struct inode *i = simple_inode(parent->sb, mode, NULL, NULL, NULL);
    if (i)
        i->rdev = rdev;
    return add(parent, name, i);
}

void simple_remove(struct dentry *d)
{
    struct dentry *child, *parent = dentry_parent(d);
    while ((child = dentry_next(d, 0)) != NULL) {
        simple_remove(child);
        dentry_put(child);
    }
    mutex_lock(&parent->inode->lock);
    if (d->is_linked) {
        if (S_ISDIR(d->inode->mode)) {
            atomic_add(&parent->inode->nlink, -1u);
            (void)!dentry_kill_empty(d);
        }
        atomic_store(&d->inode->nlink, 0);
        dentry_unlink(d);
    }
    mutex_unlock(&parent->inode->lock);
    dentry_put(parent);
}
