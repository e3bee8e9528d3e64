/* tmpfs: names and inodes.  The tree is the dentries themselves; tmpfs_file.c has the contents of
 * files. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <vfs/mount.h>
#include <vfs/simplefs.h>

#include "tmpfs_node.h"

#define DIRENT_SIZE 20 /* what a name adds to its directory's st_size, as on Linux */

static const struct inode_ops file_ops, dir_ops, link_ops, special_ops;

/* --- inodes ----------------------------------------------------------------------------------- */

static struct inode *tmpfs_inode(struct superblock *sb, unsigned mode)
{
    struct inode *i = inode_new(sb, mode, sizeof(struct tmpfs_node));
    if (!i)
        return NULL;
    struct tmpfs_sb *fs = sb->data;
    atomic_add(&fs->nr_inodes, 1);
    switch (mode & S_IFMT) {
    case S_IFREG:
        pagecache_init(&tmpfs_node(i)->cache);
        i->object.ops = &tmpfs_object_ops;
        i->ops = &file_ops;
        i->file_ops = &tmpfs_file_ops;
        break;
    case S_IFDIR:
        i->ops = &dir_ops;
        i->file_ops = &simple_dir_file_ops;
        i->size = 2 * DIRENT_SIZE;
        break;
    case S_IFLNK:
        i->ops = &link_ops;
        break;
    default:
        i->ops = &special_ops;
        break;
    }
    return i;
}

static void tmpfs_free(struct inode *i)
{
    struct tmpfs_node *n = tmpfs_node(i);
    if (S_ISREG(i->mode))
        tmpfs_free_contents(i);
    heap_free(n->target);
    xattrs_free(&n->xattrs);
    struct tmpfs_sb *fs = i->sb->data;
    atomic_add(&fs->nr_inodes, -1ul);
}

/* --- directories ------------------------------------------------------------------------------ */

static void dir_changed(struct inode *dir, int names, int subdirs)
{
    dir->size += names * DIRENT_SIZE;
    atomic_add(&dir->nlink, subdirs);
    inode_touch_mtime(dir);
}

/* A new inode under a new name. */
static int add(struct inode *dir, struct dentry *d, struct inode *i, const struct cred *cred)
{
    inode_set_owner(i, dir, cred);
    bool is_dir = S_ISDIR(i->mode);
    int ret = dentry_link(d, i);
    if (ret == 0)
        dir_changed(dir, 1, is_dir);
    return ret;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, unsigned mode, uint64_t rdev,
                        const struct cred *cred)
{
    struct inode *i = tmpfs_inode(dir->sb, mode);
    if (!i)
        return -ENOMEM;
    i->rdev = rdev;
    return add(dir, d, i, cred);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, unsigned mode, const struct cred *cred)
{
    return tmpfs_create(dir, d, mode, 0, cred);
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target,
                         const struct cred *cred)
{
    struct inode *i = tmpfs_inode(dir->sb, S_IFLNK | 0777);
    if (!i)
        return -ENOMEM;
    char *copy = heap_strdup(target);
    if (!copy) {
        inode_put(i);
        return -ENOMEM;
    }
    tmpfs_node(i)->target = copy;
    i->size = strlen(target);
    return add(dir, d, i, cred);
}

static int tmpfs_link(struct inode *dir, struct dentry *d, struct inode *target)
{
    inode_get(target);
    int ret = dentry_link(d, target);
    if (ret < 0)
        return ret;
    atomic_add(&target->nlink, 1);
    target->is_linkable = false;
    inode_touch_ctime(target);
    dir_changed(dir, 1, 0);
    return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
    struct inode *i = d->inode;
    atomic_add(&i->nlink, -1u);
    inode_touch_ctime(i);
    dentry_unlink(d);
    dir_changed(dir, -1, 0);
    return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
    int ret = dentry_kill_empty(d);
    if (ret < 0)
        return ret;
    atomic_store(&d->inode->nlink, 0);
    inode_touch_ctime(d->inode);
    dentry_unlink(d);
    dir_changed(dir, -1, -1);
    return 0;
}

static int rename_plain(struct inode *from, struct dentry *old, struct inode *to,
                        struct dentry *over, unsigned flags)
{
    bool exchange = flags & RENAME_EXCHANGE, is_dir = S_ISDIR(old->inode->mode);
    struct inode *victim = over->inode; /* or partner */
    bool over_is_dir = victim && S_ISDIR(victim->mode);
    int ret = dentry_move(old, over, exchange);
    if (ret < 0)
        return ret;
    inode_touch_ctime(old->inode);
    if (victim)
        inode_touch_ctime(victim);
    if (exchange) {
        dir_changed(from, 0, over_is_dir - is_dir);
        dir_changed(to, 0, is_dir - over_is_dir);
        return 0;
    }
    dir_changed(from, -1, -is_dir);
    dir_changed(to, !victim, is_dir - over_is_dir);
    if (victim)
        atomic_add(&victim->nlink, over_is_dir ? -2u : -1u);
    return 0;
}

/* RENAME_WHITEOUT: the old name then is a device 0:0, by which overlay file systems mean that there is nothing. */
static int rename_whiteout(struct inode *from, struct dentry *old, struct inode *to,
                           struct dentry *over, unsigned flags)
{
    struct inode *i = tmpfs_inode(from->sb, S_IFCHR);
    struct dentry *mark = dentry_new(old->parent, old->name, old->name_len);
    int ret = i && mark ? rename_plain(from, old, to, over, flags) : -ENOMEM;
    if (ret == 0) {
        i->uid = old->inode->uid;
        i->gid = old->inode->gid;
        ret = dentry_link(mark, i); /* takes the inode over */
        i = NULL;
        if (ret == 0)
            dir_changed(from, 1, 0);
    }
    if (i)
        inode_put(i);
    if (mark)
        dentry_put(mark);
    return ret;
}

static int tmpfs_rename(struct inode *from, struct dentry *old, struct inode *to,
                        struct dentry *over, unsigned flags)
{
    return flags & RENAME_WHITEOUT ? rename_whiteout(from, old, to, over, flags)
                                   : rename_plain(from, old, to, over, flags);
}

static int tmpfs_tmpfile(struct inode *dir, unsigned mode, const struct cred *cred,
                         struct inode **out)
{
    struct inode *i = tmpfs_inode(dir->sb, mode);
    if (!i)
        return -ENOMEM;
    inode_set_owner(i, dir, cred);
    i->nlink = 0;
    *out = i;
    return 0;
}

/* --- attributes ------------------------------------------------------------------------------- */

static int tmpfs_set_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred)
{
    if (attr->mask & ATTR_MODE && i->seals & F_SEAL_EXEC_ && (i->mode ^ attr->mode) & 0111)
        return -EPERM;
    if (attr->mask & ATTR_SIZE) {
        int ret = tmpfs_set_size(i, attr->size);
        if (ret < 0)
            return ret;
        if (!cred_has_cap(cred, CAP_FSETID))
            inode_drop_suid(i);
        inode_touch_mtime(i);
    }
    return inode_apply_attr(i, attr, cred);
}

static ssize_t tmpfs_readlink(struct inode *i, char *buf, size_t size)
{
    return strlcpy(buf, tmpfs_node(i)->target, size) < size ? (ssize_t)i->size : -ENAMETOOLONG;
}

static ssize_t tmpfs_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
    return xattrs_get(&tmpfs_node(i)->xattrs, name, value, size);
}

static int tmpfs_setxattr(struct inode *i, const char *name, const void *value, size_t size,
                          int flags)
{
    return xattrs_set(&tmpfs_node(i)->xattrs, name, value, size, flags);
}

static ssize_t tmpfs_listxattr(struct inode *i, char *list, size_t size)
{
    return xattrs_list(&tmpfs_node(i)->xattrs, list, size);
}

static int tmpfs_removexattr(struct inode *i, const char *name)
{
    return xattrs_remove(&tmpfs_node(i)->xattrs, name);
}

static const struct xattr_ops xattr_ops = {.get = tmpfs_getxattr,
                                           .set = tmpfs_setxattr,
                                           .list = tmpfs_listxattr,
                                           .remove = tmpfs_removexattr};
static const struct dir_ops names_ops = {
    .create = tmpfs_create,
    .mkdir = tmpfs_mkdir,
    .symlink = tmpfs_symlink,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .tmpfile = tmpfs_tmpfile,
};

#define COMMON_OPS .set_attr = tmpfs_set_attr, .xattrs = &xattr_ops, .free = tmpfs_free

static const struct inode_ops file_ops = {COMMON_OPS, .fallocate = tmpfs_fallocate};
static const struct inode_ops special_ops = {COMMON_OPS};
static const struct inode_ops link_ops = {COMMON_OPS, .readlink = tmpfs_readlink};
static const struct inode_ops dir_ops = {COMMON_OPS, .dir = &names_ops};

/* --- the file system -------------------------------------------------------------------------- */

static void tmpfs_stat(struct superblock *sb, struct fs_stat *st)
{
    struct tmpfs_sb *fs = sb->data;
    uint64_t used = atomic_load(&fs->used_pages), inodes = atomic_load(&fs->nr_inodes);
    st->blocks = fs->max_pages;
    st->blocks_free = fs->max_pages - MIN(used, fs->max_pages);
    st->files = MAX(fs->max_pages, inodes);
    st->files_free = st->files - inodes;
}

static void tmpfs_free_fs(struct superblock *sb)
{
    heap_free(sb->data);
}

static const struct superblock_ops fs_ops = {.stat = tmpfs_stat, .free = tmpfs_free_fs};

struct superblock *tmpfs_new_superblock(uint64_t max_bytes, unsigned root_mode)
{
    struct superblock *sb = superblock_new("tmpfs", TMPFS_MAGIC, &fs_ops);
    if (!sb)
        return NULL;
    struct tmpfs_sb *fs = heap_zalloc(sizeof(*fs));
    sb->data = fs;
    if (!fs)
        goto put;
    fs->max_pages = max_bytes ? (max_bytes - 1) / PAGE_SIZE + 1 : page_count_total() / 2;
    struct inode *root = tmpfs_inode(sb, S_IFDIR | root_mode);
    if (!root)
        goto put;
    sb->root = dentry_new_root(root);
    if (sb->root)
        return sb;
put:
    superblock_put(sb);
    return NULL;
}

/* "64m", "50%": bytes, or pages when `unit` says so. */
static int parse_size(const char *s, uint64_t unit, uint64_t *bytes)
{
    char *end;
    unsigned long long n = strtoull(s, &end, 0);
    static const char suffixes[] = "kmgtp";
    if (end == s)
        return -EINVAL;
    if (*end == '%' && !end[1] && unit == 1) {
        *bytes = page_count_total() * PAGE_SIZE / 100 * n;
        return 0;
    }
    const char *suffix = *end ? strchr(suffixes, *end | 0x20) : NULL;
    unsigned shift = suffix ? 10 * (suffix - suffixes + 1) : 0;
    if (*end && (!suffix || end[1]))
        return -EINVAL;
    *bytes = (n << shift) * unit;
    return 0;
}

struct tmpfs_options {
    uint64_t max_bytes, ignored;
    uint64_t mode, uid, gid;
};

static int parse_option(struct tmpfs_options *o, char *option)
{
    char *value = strchr(option, '=');
    if (!value)
        return -EINVAL;
    *value++ = 0;
    if (strcmp(option, "size") == 0)
        return parse_size(value, 1, &o->max_bytes);
    if (strcmp(option, "nr_blocks") == 0)
        return parse_size(value, PAGE_SIZE, &o->max_bytes);
    if (strcmp(option, "nr_inodes") == 0) /* inodes come out of the heap, which has its own end */
        return parse_size(value, 1, &o->ignored);
    char *end;
    uint64_t number = strtoul(value, &end, strcmp(option, "mode") == 0 ? 8 : 10);
    if (end == value || *end)
        return -EINVAL;
    if (strcmp(option, "mode") == 0)
        o->mode = number & 07777;
    else if (strcmp(option, "uid") == 0)
        o->uid = number;
    else if (strcmp(option, "gid") == 0)
        o->gid = number;
    else
        return -EINVAL;
    return 0;
}

static int make_tmpfs(const char *options, struct superblock **sb)
{
    struct tmpfs_options o = {.mode = 01777};
    char *copy = heap_strdup(options);
    if (!copy)
        return -ENOMEM;
    int ret = 0;
    for (char *at = copy, *next; at && *at && ret == 0; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = 0;
        if (*at)
            ret = parse_option(&o, at);
    }
    heap_free(copy);
    if (ret < 0)
        return ret;
    *sb = tmpfs_new_superblock(o.max_bytes, o.mode);
    if (!*sb)
        return -ENOMEM;
    (*sb)->root->inode->uid = o.uid;
    (*sb)->root->inode->gid = o.gid;
    return 0;
}

static struct superblock *memfd_fs; /* where nameless files live: memfd_create(2) */

void tmpfs_init(void)
{
    static struct mount_type type = {.name = "tmpfs", .make = make_tmpfs};
    tmpfs_file_init();
    mount_register_type(&type);
    memfd_fs = tmpfs_new_superblock(UINT64_MAX, 0);
    if (!memfd_fs)
        panic("no memory for tmpfs");
}

int tmpfs_new_memfd(const char *name, int flags, unsigned seals, struct file **out)
{
    char full[7 + 249 + 1]; /* "/memfd:" and what memfd_create(2) allows */
    snprintf(full, sizeof(full), "/memfd:%s", name);
    struct inode *i = tmpfs_inode(memfd_fs, S_IFREG | 0777);
    if (!i)
        return -ENOMEM;
    i->nlink = 0;
    i->seals = seals;
    struct path p = {NULL, dentry_new_anon(i, full)};
    if (!p.dentry)
        return -ENOMEM;
    *out = file_new(i, &p, flags);
    path_put(&p);
    return *out ? 0 : -ENOMEM;
}

bool tmpfs_set_backing(struct inode *i, const void *data, size_t size)
{
    if (i->ops != &file_ops)
        return false;
    mutex_lock(&i->lock);
    struct tmpfs_node *n = tmpfs_node(i);
    bool is_fresh = i->size == 0 && !n->backing;
    if (is_fresh) {
        n->backing = data;
        n->backing_size = n->backing_total = i->size = size;
        i->blocks = ALIGN_UP(size, PAGE_SIZE) / 512;
    }
    mutex_unlock(&i->lock);
    return is_fresh;
}

int tmpfs_new_backed_file(struct dentry *dir, const char *name, unsigned mode, const void *data,
                          size_t size)
{
    static const struct cred root_cred = {.cap_effective = ~0ul};
    struct inode *parent = dir->inode;
    size_t len = strlen(name);
    if (parent->ops != &dir_ops)
        return -ENOTDIR;
    if (len > NAME_MAX) /* dentry_place counts on that */
        return -ENAMETOOLONG;
    struct dentry *d;
    mutex_lock(&parent->lock);
    int ret = dentry_lookup_locked(dir, name, len, &d);
    if (ret == 0) {
        ret = d->inode ? -EEXIST : tmpfs_create(parent, d, S_IFREG | mode, 0, &root_cred);
        if (ret < 0)
            dentry_put(d);
    }
    mutex_unlock(&parent->lock);
    if (ret < 0)
        return ret;
    bool is_set = tmpfs_set_backing(d->inode, data, size);
    dentry_put(d);
    return is_set ? 0 : -EEXIST;
}
