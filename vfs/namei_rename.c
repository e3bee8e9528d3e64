/* rename(2): the only change that holds two directories.
 *
 * Directories change parents only under `tree_lock`, so who holds it may ask which directory is
 * above which.  A rename between two directories takes it first and then locks both; nobody else
 * ever holds two directories, so their order does not matter. */
#include <base/errno.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <vfs/inotify.h>

#include "namei.h"

static struct mutex tree_lock; /* RANK_RENAME */

void namei_init(void)
{
    mutex_init(&tree_lock, RANK_RENAME);
}

struct renaming {
    struct walk_state from, to;
    struct dentry *old, *new; /* referenced */
    unsigned flags;
};

static bool is_above(struct dentry *upper, struct dentry *d)
{
    assert(mutex_is_held(&tree_lock));
    while (d != upper && d->parent != d)
        d = d->parent;
    return d == upper;
}

static void lock_both(struct dentry *a, struct dentry *b)
{
    if (a == b) {
        mutex_lock(&a->inode->lock);
        return;
    }
    mutex_lock(&tree_lock);
    mutex_lock(&a->inode->lock);
    mutex_lock_nested(&b->inode->lock, RANK_INODE_2);
}

static void unlock_both(struct dentry *a, struct dentry *b)
{
    if (a != b)
        mutex_unlock(&b->inode->lock);
    mutex_unlock(&a->inode->lock);
    if (a != b)
        mutex_unlock(&tree_lock);
}

static bool is_dir(struct dentry *d)
{
    return d->inode && S_ISDIR(d->inode->mode);
}

/* The names as such: Linux's do_renameat2(). */
static int check_names(const struct renaming *r)
{
    struct dentry *old = r->old, *new = r->new;
    bool exchange = r->flags & RENAME_EXCHANGE;
    if (!old->inode)
        return -ENOENT;
    if (r->flags & RENAME_NOREPLACE && new->inode)
        return -EEXIST;
    if (exchange && !new->inode)
        return -ENOENT;
    if (exchange && !is_dir(new) && r->to.has_slash)
        return -ENOTDIR;
    if (!is_dir(old) && (r->from.has_slash || (!exchange && r->to.has_slash)))
        return -ENOTDIR;
    if (r->from.at.dentry == r->to.at.dentry)
        return 0;
    if (is_above(old, r->to.at.dentry))
        return -EINVAL; /* into itself */
    if (new->inode && is_above(new, r->from.at.dentry))
        return exchange ? -EINVAL : -ENOTEMPTY;
    return 0;
}

/* Rights and types: Linux's vfs_rename(). */
static int check_rights(const struct renaming *r)
{
    struct inode *from = r->from.at.dentry->inode, *to = r->to.at.dentry->inode;
    struct dentry *old = r->old, *new = r->new;
    const struct cred *cred = r->from.w->cred;
    bool exchange = r->flags & RENAME_EXCHANGE;
    int ret = namei_may_delete(from, old, is_dir(old), cred);
    if (ret < 0)
        return ret;
    ret = new->inode ? namei_may_delete(to, new, exchange ? is_dir(new) : is_dir(old), cred)
                     : namei_may_create(to, cred);
    if (ret < 0)
        return ret;
    if (!from->ops->dir)
        return -EPERM;
    if (from != to) { /* ".." of a directory changes */
        if (is_dir(old))
            ret = inode_permission(old->inode, cred, MAY_WRITE);
        if (ret == 0 && exchange && is_dir(new))
            ret = inode_permission(new->inode, cred, MAY_WRITE);
        if (ret < 0)
            return ret;
    }
    return atomic_load(&old->mounts) || atomic_load(&new->mounts) ? -EBUSY : 0;
}

static int rename_locked(struct renaming *r)
{
    int ret = dentry_lookup_locked(r->from.at.dentry, r->from.last, r->from.last_len, &r->old);
    if (ret < 0) {
        r->old = NULL;
        return ret;
    }
    ret = dentry_lookup_locked(r->to.at.dentry, r->to.last, r->to.last_len, &r->new);
    if (ret < 0) {
        r->new = NULL;
        return ret;
    }
    ret = check_names(r);
    if (ret < 0)
        return ret;
    if (r->old->inode == r->new->inode)
        return 1; /* two names of one file: nothing is to be done */
    ret = check_rights(r);
    if (ret < 0)
        return ret;
    struct inode *from = r->from.at.dentry->inode, *to = r->to.at.dentry->inode;
    return from->ops->dir->rename(from, r->old, to, r->new, r->flags);
}

static void tell_moved(struct walk_state *from, struct walk_state *to, struct inode *moved)
{
    static uint32_t last_cookie; /* atomic */
    uint32_t cookie = atomic_add(&last_cookie, 1), dir = S_ISDIR(moved->mode) ? IN_ISDIR : 0;
    inotify_name(from->at.dentry->inode, from->last, from->last_len, IN_MOVED_FROM | dir, cookie);
    inotify_name(to->at.dentry->inode, to->last, to->last_len, IN_MOVED_TO | dir, cookie);
    inotify_file(moved, NULL, IN_MOVE_SELF);
}

static void tell(struct renaming *r)
{
    if (likely(!atomic_load(&inotify_nr_watches)))
        return;
    tell_moved(&r->from, &r->to, r->old->inode);
    if (r->flags & RENAME_EXCHANGE)
        tell_moved(&r->to, &r->from, r->new->inode);
    else if (r->new->inode && !is_dir(r->new))
        inotify_file(r->new->inode, NULL, IN_ATTRIB); /* its link count */
}

static int rename_parents(struct renaming *r)
{
    if (r->from.at.mount != r->to.at.mount || r->from.at.dentry->sb != r->to.at.dentry->sb)
        return -EXDEV;
    if (r->from.kind != LAST_NAME)
        return -EBUSY;
    if (r->to.kind != LAST_NAME)
        return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    int ret = mount_want_write(&r->from.at);
    if (ret < 0)
        return ret;
    lock_both(r->from.at.dentry, r->to.at.dentry);
    ret = rename_locked(r);
    unlock_both(r->from.at.dentry, r->to.at.dentry);
    if (ret == 0)
        tell(r);
    if (r->old)
        dentry_put(r->old);
    if (r->new)
        dentry_put(r->new);
    return MIN(ret, 0);
}

int path_check_rename_flags(unsigned flags)
{
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
        return -EINVAL;
    return flags & RENAME_EXCHANGE && flags != RENAME_EXCHANGE ? -EINVAL : 0;
}

int path_rename(const struct walk *from, const char *old, const struct walk *to, const char *name,
                unsigned rename_flags)
{
    struct renaming r = {.flags = rename_flags};
    int ret = walk_start(&r.from, from, old, 0);
    if (ret == 0)
        ret = walk_to_last(&r.from);
    if (ret == 0) {
        ret = walk_start(&r.to, to, name, 0);
        if (ret == 0)
            ret = walk_to_last(&r.to);
        if (ret == 0)
            ret = rename_parents(&r);
        walk_end(&r.to);
    }
    walk_end(&r.from);
    return ret;
}
