/* Inodes and superblocks: life, attributes and permissions, the same for every file system.
 *
 * An inode's memory belongs to its embedded vm_object: users hold inode->ref, all of which together
 * hold one reference to the object, and each mapping holds another.  Pages therefore outlive the
 * last name and the last open file for as long as they are mapped. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/timer.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <vfs/file_locks.h>
#include <vfs/inode.h>
#include <vfs/inotify.h>
#include <vfs/mount.h>
#include <vfs/path.h>
#include <vfs/simplefs.h>

/* --- life ------------------------------------------------------------------------------------- */

/* A superblock's memory outlives its mounts while an inode of it is mapped somewhere. */
static void memory_put(struct superblock *sb)
{
    if (!ref_put(&sb->memory))
        return;
    if (sb->ops && sb->ops->free)
        sb->ops->free(sb);
    heap_free(sb);
}

void inode_object_free(struct vm_object *o)
{
    struct inode *i = container_of(o, struct inode, object);
    if (i->ops->free)
        i->ops->free(i);
    locks_free(i);
    inotify_free_watches(i);
    memory_put(i->sb);
    heap_free(i);
}

void inode_object_identity(struct vm_object *o, uint64_t *dev, uint64_t *ino)
{
    struct inode *i = container_of(o, struct inode, object);
    *dev = i->sb->dev;
    *ino = i->ino;
}

void inode_object_name(struct vm_object *o, char *buf, size_t size)
{
    struct inode *i = container_of(o, struct inode, object);
    struct path p = {NULL, dentry_of_inode(i)};
    buf[0] = 0;
    if (!p.dentry)
        return;
    p.mount = mount_of(i->sb);
    if (path_name(NULL, &p, buf, size) < 0)
        buf[0] = 0;
    path_put(&p);
}

/* Only file systems with a page cache let anyone map an inode, and those set operations of their
 * own. */
static int no_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    return -EFAULT;
}

static const struct vm_object_ops inode_object_ops = {.get_page = no_page,
                                                      .free = inode_object_free};

static const struct file_ops no_file_ops;

struct inode *inode_new(struct superblock *sb, unsigned mode, size_t extra)
{
    struct inode *i = heap_zalloc(sizeof(*i) + extra);
    if (!i)
        return NULL;
    ref_init(&i->ref);
    i->sb = sb;
    ref_get(&sb->memory);
    i->ops = &simple_inode_ops;
    i->file_ops = &no_file_ops;
    i->data = extra ? i + 1 : NULL;
    i->ino = atomic_add(&sb->next_ino, 1);
    i->mode = mode;
    i->nlink = S_ISDIR(mode) ? 2 : 1;
    i->seals = F_SEAL_SEAL;
    i->atime_ns = i->mtime_ns = i->ctime_ns = i->btime_ns = clock_wall_ns();
    mutex_init(&i->lock, RANK_INODE);
    vm_object_init(&i->object, &inode_object_ops);
    return i;
}

struct inode *inode_new_anon(unsigned mode)
{
    static struct superblock anon = {
        .type = "anon_inodefs", .dev = 1, .magic = ANON_INODE_FS_MAGIC, .memory = {1}};
    return inode_new(&anon, mode, 0);
}

void inode_get(struct inode *i)
{
    ref_get(&i->ref);
}

void inode_put(struct inode *i)
{
    if (ref_put(&i->ref))
        vm_object_put(&i->object);
}

/* --- superblocks ------------------------------------------------------------------------------ */

struct superblock *superblock_new(const char *type, uint64_t magic,
                                  const struct superblock_ops *ops)
{
    static uint32_t last_minor = 1; /* atomic; 1 is inode_new_anon's */
    struct superblock *sb = heap_zalloc(sizeof(*sb));
    if (!sb)
        return NULL;
    ref_init(&sb->ref);
    ref_init(&sb->memory);
    sb->type = type;
    sb->magic = magic;
    sb->ops = ops;
    sb->dev = atomic_add(&last_minor, 1); /* major 0: no device */
    return sb;
}

/* Every name below `root`, deepest first, and `root` itself.  Nobody else can reach the tree any
 * more. */
static void tree_free(struct dentry *root)
{
    struct dentry *d = root;
    dentry_get(d);
    for (;;) {
        struct dentry *child = dentry_next(d, 0);
        if (child) {
            dentry_put(d);
            d = child;
            continue;
        }
        if (d == root)
            break;
        struct dentry *parent = dentry_parent(d);
        mutex_lock(&parent->inode->lock);
        dentry_unlink(d);
        mutex_unlock(&parent->inode->lock);
        dentry_put(d);
        d = parent;
    }
    dentry_put(d);
    dentry_put(root);
}

void superblock_get(struct superblock *sb)
{
    ref_get(&sb->ref);
}

void superblock_put(struct superblock *sb)
{
    if (!ref_put(&sb->ref))
        return;
    assert(!sb->is_permanent);
    if (sb->root)
        tree_free(sb->root);
    memory_put(sb);
}

void superblock_get_stat(struct superblock *sb, struct fs_stat *st)
{
    *st = (struct fs_stat){
        .type = sb->magic,
        .block_size = PAGE_SIZE,
        .fsid = sb->dev,
        .name_max = 255,
    };
    if (sb->ops && sb->ops->stat)
        sb->ops->stat(sb, st);
}

/* --- rights ----------------------------------------------------------------------------------- */

bool cred_in_group(const struct cred *c, uint32_t gid)
{
    if (c->fsgid == gid)
        return true;
    for (unsigned n = 0; n < c->nr_groups; n++)
        if (c->groups[n] == gid)
            return true;
    return false;
}

int inode_permission(struct inode *inode, const struct cred *cred, unsigned mask)
{
    uint32_t mode = atomic_load(&inode->mode);
    if (mask & MAY_WRITE && inode->sb->is_read_only &&
        (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
        return -EROFS;
    unsigned granted = mode & 7; /* S_IRWXO: the same bits as MAY_* */
    if (cred->fsuid == inode->uid)
        granted = mode >> 6 & 7;
    else if (cred_in_group(cred, inode->gid))
        granted = mode >> 3 & 7;
    if (likely((granted & mask) == mask))
        return 0;
    /* Root may do all but execute what nobody may. */
    bool may_exec = S_ISDIR(mode) || mode & 0111;
    if (cred_has_cap(cred, CAP_DAC_OVERRIDE) && (!(mask & MAY_EXEC) || may_exec))
        return 0;
    unsigned for_reading = S_ISDIR(mode) ? MAY_READ | MAY_EXEC : MAY_READ;
    if (cred_has_cap(cred, CAP_DAC_READ_SEARCH) && !(mask & ~for_reading))
        return 0;
    return -EACCES;
}

static bool is_owner(struct inode *i, const struct cred *cred)
{
    return cred->fsuid == i->uid || cred_has_cap(cred, CAP_FOWNER);
}

/* What chmod, chown and their like ask before anything changes: Linux's setattr_prepare(). */
static int may_set_attr(struct inode *i, const struct inode_attr *a, const struct cred *cred)
{
    bool owns = cred->fsuid == i->uid, may_chown = cred_has_cap(cred, CAP_CHOWN);
    if (a->mask & ATTR_UID && !(owns && a->uid == i->uid) && !may_chown)
        return -EPERM;
    if (a->mask & ATTR_GID && !(owns && (a->gid == i->gid || cred_in_group(cred, a->gid))) &&
        !may_chown)
        return -EPERM;
    if (a->mask & ATTR_MODE && !is_owner(i, cred))
        return -EPERM;
    if (a->mask & (ATTR_ATIME | ATTR_MTIME) && !is_owner(i, cred)) {
        if (!(a->mask & ATTR_TOUCH))
            return -EPERM;
        int ret = inode_permission(i, cred, MAY_WRITE);
        if (ret < 0)
            return ret;
    }
    if (a->mask & ATTR_SIZE && !(a->mask & ATTR_FORCE))
        return inode_permission(i, cred, MAY_WRITE);
    return 0;
}

static uint32_t without_suid(uint32_t mode)
{
    mode &= ~S_ISUID;
    /* Without group execution S_ISGID means something else. */
    return mode & S_IXGRP ? mode & ~S_ISGID : mode;
}

void inode_drop_suid(struct inode *i)
{
    if (unlikely(i->mode & (S_ISUID | S_ISGID)) && S_ISREG(i->mode))
        i->mode = without_suid(i->mode);
}

static inode_fsetid_fn *has_fsetid; /* set once at boot */

void inode_set_fsetid(inode_fsetid_fn *fn)
{
    has_fsetid = fn;
}

void inode_written(struct inode *i)
{
    if (unlikely(i->mode & (S_ISUID | S_ISGID)) && has_fsetid && !has_fsetid())
        inode_drop_suid(i);
}

int inode_apply_attr(struct inode *i, const struct inode_attr *a, const struct cred *cred)
{
    int64_t now = clock_wall_ns();
    if (a->mask & ATTR_UID)
        i->uid = a->uid;
    if (a->mask & ATTR_GID)
        i->gid = a->gid;
    if (a->mask & (ATTR_UID | ATTR_GID | ATTR_OWNER) && !S_ISDIR(i->mode))
        i->mode = without_suid(i->mode); /* for root too */
    if (a->mask & ATTR_MODE) {
        uint32_t mode = a->mode & 07777;
        if (!cred_in_group(cred, i->gid) && !cred_has_cap(cred, CAP_FSETID))
            mode &= ~S_ISGID;
        i->mode = (i->mode & S_IFMT) | mode;
    }
    if (a->mask & ATTR_ATIME)
        i->atime_ns = a->mask & ATTR_TOUCH ? now : a->atime_ns;
    if (a->mask & ATTR_MTIME)
        i->mtime_ns = a->mask & ATTR_TOUCH ? now : a->mtime_ns;
    i->ctime_ns = now;
    return 0;
}

int inode_set_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred)
{
    if (!i->ops->set_attr)
        return -EPERM;
    mutex_lock(&i->lock);
    int ret = may_set_attr(i, attr, cred);
    if (ret == 0)
        ret = i->ops->set_attr(i, attr, cred);
    mutex_unlock(&i->lock);
    return ret;
}

void inode_set_owner(struct inode *i, const struct inode *dir, const struct cred *cred)
{
    i->uid = cred->fsuid;
    i->gid = cred->fsgid;
    if (dir->mode & S_ISGID) {
        i->gid = dir->gid;
        if (S_ISDIR(i->mode))
            i->mode |= S_ISGID;
        else if (i->mode & S_IXGRP && !cred_in_group(cred, i->gid) &&
                 !cred_has_cap(cred, CAP_FSETID))
            i->mode &= ~S_ISGID;
    }
}

static inode_limit_fn *limit; /* set once at boot */

void inode_set_limit(inode_limit_fn *fn)
{
    limit = fn;
}

int inode_check_limit(int64_t pos, size_t *n)
{
    return limit ? limit(pos, n) : 0;
}

/* --- written to or run ------------------------------------------------------------------------ */

/* One more of its own kind (sign 1: writers, -1: programs), unless there are others. */
static int claim(struct inode *i, int sign)
{
    int32_t now = atomic_load(&i->writers);
    do {
        if (now * sign < 0)
            return -ETXTBSY;
    } while (!__atomic_compare_exchange_n(&i->writers, &now, now + sign, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return 0;
}

int inode_claim_write(struct inode *i)
{
    return claim(i, 1);
}

void inode_release_write(struct inode *i)
{
    atomic_add(&i->writers, -1);
}

int inode_claim_exec(struct inode *i)
{
    return claim(i, -1);
}

void inode_release_exec(struct inode *i)
{
    atomic_add(&i->writers, 1);
}

/* --- attributes ------------------------------------------------------------------------------- */

void inode_get_stat(struct inode *i, struct inode_stat *st)
{
    if (i->ops->refresh)
        i->ops->refresh(i);
    *st = (struct inode_stat){
        .dev = i->sb->dev,
        .ino = i->ino,
        .rdev = i->rdev,
        .size = i->size,
        .blocks = i->blocks,
        .mode = i->mode,
        .nlink = i->nlink,
        .uid = i->uid,
        .gid = i->gid,
        .blksize = PAGE_SIZE,
        .atime_ns = i->atime_ns,
        .mtime_ns = i->mtime_ns,
        .ctime_ns = i->ctime_ns,
        .btime_ns = i->btime_ns,
    };
    if (i->ops->get_stat)
        i->ops->get_stat(i, st);
}

void inode_touch_mtime(struct inode *i)
{
    i->mtime_ns = i->ctime_ns = clock_wall_ns();
}

void inode_touch_ctime(struct inode *i)
{
    i->ctime_ns = clock_wall_ns();
}

void inode_touch_atime(struct inode *i)
{
    /* relatime: only the first read after a change counts.  (Linux also counts one a day, which
     * would cost every read a look at the clock.) */
    if (unlikely(i->atime_ns <= i->mtime_ns || i->atime_ns <= i->ctime_ns))
        i->atime_ns = clock_wall_ns();
}
