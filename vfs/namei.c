/* Names that appear and go: mknod, mkdir, symlink, link, unlink, rmdir.
 *
 * Each walks to the parent directory, locks it, looks the last component up again under the lock,
 * checks in Linux's order (the first wrong thing decides the errno) and calls the file system.
 * namei_rename.c has rename, namei_open.c has open. */
#include <base/errno.h>
#include <base/string.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <vfs/inotify.h>

#include "namei.h"

int namei_may_create(struct inode *dir, const struct cred *cred)
{
    return inode_permission(dir, cred, MAY_WRITE | MAY_EXEC);
}

int namei_may_delete(struct inode *dir, struct dentry *victim, bool want_dir,
                     const struct cred *cred)
{
    int ret = inode_permission(dir, cred, MAY_WRITE | MAY_EXEC);
    if (ret < 0)
        return ret;
    struct inode *i = victim->inode;
    bool is_sticky = dir->mode & S_ISVTX && cred->fsuid != i->uid && cred->fsuid != dir->uid;
    if (is_sticky && !cred_has_cap(cred, CAP_FOWNER))
        return -EPERM;
    if (want_dir && !S_ISDIR(i->mode))
        return -ENOTDIR;
    if (!want_dir && S_ISDIR(i->mode))
        return -EISDIR;
    return 0;
}

/* --- new names -------------------------------------------------------------------------------- */

/* A name that is to be made: where, under the directory's lock. */
struct creation {
    struct walk_state s;
    struct inode *dir; /* locked; NULL: not yet */
    struct dentry *d;  /* negative, referenced */
};

/* Up to the point where the file system is asked: Linux's filename_create() and may_create(). */
static int creation_begin(struct creation *c, const struct walk *w, const char *name, bool is_dir)
{
    c->dir = NULL;
    c->d = NULL;
    int ret = walk_start(&c->s, w, name, 0);
    if (ret == 0)
        ret = walk_to_last(&c->s);
    if (ret < 0)
        return ret;
    if (c->s.kind != LAST_NAME)
        return -EEXIST;
    int read_only = mount_want_write(&c->s.at);
    c->dir = c->s.at.dentry->inode;
    mutex_lock(&c->dir->lock);
    struct dentry *d;
    ret = dentry_lookup_locked(c->s.at.dentry, c->s.last, c->s.last_len, &d);
    if (ret < 0)
        return ret;
    c->d = d;
    if (d->inode)
        return -EEXIST;
    if (c->s.has_slash && !is_dir)
        return -ENOENT;
    return read_only;
}

/* Unlock, tell the watchers when it went well. */
static int creation_end(struct creation *c, int ret)
{
    if (c->dir)
        mutex_unlock(&c->dir->lock);
    if (ret == 0) {
        uint32_t mask = IN_CREATE | (S_ISDIR(c->d->inode->mode) ? IN_ISDIR : 0);
        inotify_name(c->dir, c->s.last, c->s.last_len, mask, 0);
    }
    if (c->d)
        dentry_put(c->d);
    walk_end(&c->s);
    return ret;
}

unsigned namei_umask(const struct walk *w, unsigned mode)
{
    return mode & ~atomic_load(&w->fs->umask);
}

int path_check_node(unsigned mode)
{
    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

int path_make_node(const struct walk *w, const char *name, unsigned mode, uint64_t rdev,
                   struct path *out)
{
    int ret = path_check_node(mode);
    if (ret < 0)
        return ret;
    if (!(mode & S_IFMT))
        mode |= S_IFREG;
    bool is_device = S_ISCHR(mode) || S_ISBLK(mode);
    struct creation c;
    ret = creation_begin(&c, w, name, false);
    if (ret == 0)
        ret = namei_may_create(c.dir, w->cred);
    if (ret == 0 && is_device && !cred_has_cap(w->cred, CAP_MKNOD))
        ret = -EPERM;
    if (ret == 0 && !c.dir->ops->dir)
        ret = -EPERM;
    if (ret == 0)
        ret = c.dir->ops->dir->create(c.dir, c.d, namei_umask(w, mode & (S_IFMT | 07777)),
                                      is_device ? rdev : 0, w->cred);
    if (ret == 0 && out) {
        *out = (struct path){c.s.at.mount, c.d};
        path_get(out);
    }
    return creation_end(&c, ret);
}

int path_mknod(const struct walk *w, const char *name, unsigned mode, uint64_t rdev)
{
    return path_make_node(w, name, mode, rdev, NULL);
}

int path_mkdir(const struct walk *w, const char *name, unsigned mode)
{
    struct creation c;
    int ret = creation_begin(&c, w, name, true);
    if (ret == 0)
        ret = namei_may_create(c.dir, w->cred);
    if (ret == 0 && !c.dir->ops->dir)
        ret = -EPERM;
    if (ret == 0)
        ret = c.dir->ops->dir->mkdir(c.dir, c.d, S_IFDIR | namei_umask(w, mode & 01777), w->cred);
    return creation_end(&c, ret);
}

int path_symlink(const struct walk *w, const char *target, const char *name)
{
    if (!*target)
        return -ENOENT;
    struct creation c;
    int ret = creation_begin(&c, w, name, false);
    if (ret == 0)
        ret = namei_may_create(c.dir, w->cred);
    if (ret == 0 && !c.dir->ops->dir)
        ret = -EPERM;
    if (ret == 0)
        ret = c.dir->ops->dir->symlink(c.dir, c.d, target, w->cred);
    return creation_end(&c, ret);
}

static int link_checked(struct creation *c, const struct path *old, const struct cred *cred)
{
    struct inode *target = old->dentry->inode;
    if (c->s.at.mount != old->mount)
        return -EXDEV;
    int ret = namei_may_create(c->dir, cred);
    if (ret < 0)
        return ret;
    if (target->sb != c->dir->sb)
        return -EXDEV;
    if (!c->dir->ops->dir || S_ISDIR(target->mode))
        return -EPERM;
    if (atomic_load(&target->nlink) == 0 && !target->is_linkable)
        return -ENOENT;
    return c->dir->ops->dir->link(c->dir, c->d, target);
}

int path_find_link(const struct walk *from, const char *old, int at_flags, struct path *place)
{
    if (at_flags & AT_EMPTY_PATH && !*old && !cred_has_cap(from->cred, CAP_DAC_READ_SEARCH))
        return -ENOENT;
    unsigned flags = (at_flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
                     (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    return path_walk(from, old, flags, place);
}

int path_link_place(const struct path *old, const struct walk *to, const char *name)
{
    struct creation c;
    int ret = creation_begin(&c, to, name, false);
    if (ret == 0)
        ret = link_checked(&c, old, to->cred);
    if (ret == 0)
        inotify_file(old->dentry->inode, NULL, IN_ATTRIB); /* its link count */
    return creation_end(&c, ret);
}

int path_link(const struct walk *w, const char *old, const char *name)
{
    struct path place;
    int ret = path_walk(w, old, 0, &place);
    if (ret < 0)
        return ret;
    ret = path_link_place(&place, w, name);
    path_put(&place);
    return ret;
}

/* --- names that go ---------------------------------------------------------------------------- */

/* The victim of a name, under the directory's lock. */
static int unlink_locked(struct walk_state *s, bool want_dir, struct dentry **victim)
{
    struct inode *dir = s->at.dentry->inode;
    struct dentry *d;
    int ret = dentry_lookup_locked(s->at.dentry, s->last, s->last_len, &d);
    if (ret < 0)
        return ret;
    *victim = d;
    if (!d->inode)
        return -ENOENT;
    if (!want_dir && s->has_slash)
        return S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
    ret = namei_may_delete(dir, d, want_dir, s->w->cred);
    if (ret < 0)
        return ret;
    if (atomic_load(&d->mounts))
        return -EBUSY;
    if (!dir->ops->dir)
        return -EPERM;
    return want_dir ? dir->ops->dir->rmdir(dir, d) : dir->ops->dir->unlink(dir, d);
}

static int remove_name(struct walk_state *s, bool want_dir)
{
    int ret = mount_want_write(&s->at);
    if (ret < 0)
        return ret;
    struct dentry *victim = NULL, *dir = s->at.dentry;
    mutex_lock(&dir->inode->lock);
    ret = unlink_locked(s, want_dir, &victim);
    mutex_unlock(&dir->inode->lock);
    if (ret == 0 && !want_dir)
        inotify_file(victim->inode, NULL, IN_ATTRIB); /* its link count */
    if (victim)
        dentry_put(victim); /* IN_DELETE_SELF, if this was its last use */
    if (ret == 0)
        inotify_name(dir->inode, s->last, s->last_len, IN_DELETE | (want_dir ? IN_ISDIR : 0), 0);
    return ret;
}

int path_unlink(const struct walk *w, const char *name)
{
    struct walk_state s;
    int ret = walk_start(&s, w, name, 0);
    if (ret == 0)
        ret = walk_to_last(&s);
    if (ret == 0)
        ret = s.kind == LAST_NAME ? remove_name(&s, false) : -EISDIR;
    walk_end(&s);
    return ret;
}

int path_rmdir(const struct walk *w, const char *name)
{
    static const int error_of_kind[] = {
        [LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY, [LAST_NONE] = -EBUSY};
    struct walk_state s;
    int ret = walk_start(&s, w, name, 0);
    if (ret == 0)
        ret = walk_to_last(&s);
    if (ret == 0)
        ret = s.kind == LAST_NAME ? remove_name(&s, true) : error_of_kind[s.kind];
    walk_end(&s);
    return ret;
}

/* --- attributes ------------------------------------------------------------------------------- */

int path_set_attr(const struct path *p, const struct inode_attr *attr, const struct cred *cred)
{
    int ret = mount_want_write(p);
    if (ret == 0)
        ret = inode_set_attr(p->dentry->inode, attr, cred);
    if (ret < 0)
        return ret;
    uint32_t mask = 0, times = attr->mask & (ATTR_ATIME | ATTR_MTIME);
    if (attr->mask & ATTR_SIZE)
        mask |= IN_MODIFY;
    if (times == ATTR_ATIME)
        mask |= IN_ACCESS;
    else if (times == ATTR_MTIME)
        mask |= IN_MODIFY;
    if (times == (ATTR_ATIME | ATTR_MTIME) || attr->mask & (ATTR_MODE | ATTR_UID | ATTR_GID))
        mask |= IN_ATTRIB;
    if (mask)
        inotify_file(p->dentry->inode, p->dentry, mask);
    return 0;
}
