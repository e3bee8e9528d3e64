/* open(2) and openat2(2). */
#include <base/errno.h>
#include <base/string.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <vfs/inotify.h>

#include "namei.h"

#define O_TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define MAX_STALE     32

/* O_PATH, and an open that fails half-way: nothing can be done with the file. */
static const struct file_ops no_ops;

/* --- what was found --------------------------------------------------------------------------- */

static unsigned access_of(int flags)
{
    static const unsigned of_mode[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
                                       MAY_READ | MAY_WRITE};
    return of_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* Linux's may_open(), and the write access to the mount. */
static int may_open(const struct path *p, const struct cred *cred, int flags)
{
    struct inode *i = p->dentry->inode;
    unsigned access = access_of(flags);
    bool is_device = S_ISCHR(i->mode) || S_ISBLK(i->mode);
    if (S_ISLNK(i->mode))
        return -ELOOP;
    if (S_ISDIR(i->mode) && access & MAY_WRITE)
        return -EISDIR;
    if (is_device && p->mount && p->mount->flags & MS_NODEV)
        return -EACCES;
    int ret = inode_permission(i, cred, access);
    if (ret < 0)
        return ret;
    if (flags & O_NOATIME && cred->fsuid != i->uid && !cred_has_cap(cred, CAP_FOWNER))
        return -EPERM;
    return access & MAY_WRITE && S_ISREG(i->mode) ? mount_want_write(p) : 0;
}

static int call_open(struct inode *i, struct file *f)
{
    if (i->ops->open)
        return i->ops->open(i, f);
    switch (i->mode & S_IFMT) {
    case S_IFCHR:
        return chardev_open(i, f);
    case S_IFIFO:
        return fifo_open(i, f);
    case S_IFBLK:
    case S_IFSOCK:
        return -ENXIO;
    default:
        return 0;
    }
}

/* O_TRUNC, which may come without the right to write. */
static int truncate(struct inode *i, const struct cred *cred)
{
    struct inode_attr attr = {.mask = ATTR_SIZE | ATTR_FORCE};
    int ret = inode_claim_write(i);
    if (ret < 0)
        return ret;
    ret = inode_set_attr(i, &attr, cred);
    inode_release_write(i);
    return ret;
}

static int call_open_to_write(struct inode *i, struct file *f)
{
    int ret = inode_claim_write(i);
    if (ret < 0)
        return ret;
    f->holds_write = true;
    return call_open(i, f);
}

/* Whose bytes O_DIRECT could reach without a cache: those that are nowhere else, too. */
static bool is_plain(const struct inode *i)
{
    return S_ISREG(i->mode) && i->sb->magic == TMPFS_MAGIC;
}

static int open_checked(const struct path *p, const struct cred *cred, int flags, bool was_created,
                        struct file **out)
{
    struct inode *i = p->dentry->inode;
    struct file *f = file_new(i, p, flags);
    if (!f)
        return -ENFILE;
    int ret = 0;
    if (flags & O_PATH)
        f->ops = &no_ops;
    else
        ret = f->can_write && S_ISREG(i->mode) ? call_open_to_write(i, f) : call_open(i, f);
    bool truncates = flags & O_TRUNC && S_ISREG(i->mode) && !was_created;
    int late = ret < 0                               ? 0
               : f->flags & O_DIRECT && !is_plain(i) ? -EINVAL
               : truncates                           ? truncate(i, cred)
                                                     : 0;
    if (late < 0) {
        file_put(f);
        return late;
    }
    if (ret < 0) {
        f->ops = &no_ops; /* there is nothing to release */
        file_put(f);
        return ret;
    }
    if (!(flags & O_PATH))
        inotify_file(i, p->dentry, IN_OPEN);
    if (truncates)
        inotify_file(i, p->dentry, IN_MODIFY);
    *out = f;
    return 0;
}

int path_open_place(const struct path *p, const struct cred *cred, int flags, struct file **out)
{
    if (flags & O_DIRECTORY && !S_ISDIR(p->dentry->inode->mode))
        return -ENOTDIR;
    if (!(flags & O_PATH)) {
        int ret = may_open(p, cred, flags);
        if (ret < 0)
            return ret;
    }
    return open_checked(p, cred, flags, false, out);
}

/* --- O_TMPFILE -------------------------------------------------------------------------------- */

static int open_nameless(const struct walk *w, const struct path *dir, int flags, unsigned mode,
                         struct file **out)
{
    struct inode *parent = dir->dentry->inode, *i;
    int ret = mount_want_write(dir);
    if (ret == 0)
        ret = namei_may_create(parent, w->cred);
    if (ret < 0)
        return ret;
    if (!parent->ops->dir || !parent->ops->dir->tmpfile)
        return -EOPNOTSUPP;
    ret = parent->ops->dir->tmpfile(parent, S_IFREG | (namei_umask(w, mode) & 07777), w->cred, &i);
    if (ret < 0)
        return ret;
    i->is_linkable = !(flags & O_EXCL);
    char name[24];
    int len = snprintf(name, sizeof(name), "#%lu", (unsigned long)i->ino);
    struct path place = {dir->mount, dentry_new(dir->dentry, name, len)};
    if (!place.dentry) {
        inode_put(i);
        return -ENOMEM;
    }
    dentry_fill(place.dentry, i);
    ret = open_checked(&place, w->cred, flags, true, out);
    dentry_put(place.dentry);
    return ret;
}

static int open_tmpfile(const struct walk *w, const char *name, int flags, unsigned mode,
                        unsigned resolve, struct file **out)
{
    struct path dir;
    int ret = path_walk(w, name, resolve | WALK_FOLLOW | WALK_DIRECTORY, &dir);
    if (ret < 0)
        return ret;
    ret = open_nameless(w, &dir, flags, mode, out);
    path_put(&dir);
    return ret;
}

/* --- O_CREAT ---------------------------------------------------------------------------------- */

/* The last component under the directory's lock: found, or made (*was_created). */
static int create_locked(struct walk_state *s, unsigned mode, struct dentry **out,
                         bool *was_created)
{
    struct dentry *dir = s->at.dentry;
    int read_only = mount_want_write(&s->at);
    int ret = dentry_lookup_locked(dir, s->last, s->last_len, out);
    if (ret < 0 || (*out)->inode)
        return ret;
    ret = read_only;
    if (ret == 0)
        ret = namei_may_create(dir->inode, s->w->cred);
    if (ret == 0 && !dir->inode->ops->dir)
        ret = -EACCES; /* as Linux, where mknod answers -EPERM */
    if (ret == 0)
        ret = dir->inode->ops->dir->create(dir->inode, *out, mode, 0, s->w->cred);
    if (ret < 0)
        dentry_put(*out);
    *was_created = ret == 0;
    return ret;
}

static int find_or_create(struct walk_state *s, unsigned mode, struct dentry **out,
                          bool *was_created)
{
    struct dentry *dir = s->at.dentry;
    *was_created = false;
    /* Where someone has to be asked for a name, once will do. */
    int ret = dir->inode->ops->lookup ? -ENOENT : dentry_lookup(dir, s->last, s->last_len, out);
    if (ret != -ENOENT)
        return ret;
    mutex_lock(&dir->inode->lock);
    ret = create_locked(s, mode, out, was_created);
    mutex_unlock(&dir->inode->lock);
    if (ret == 0 && *was_created)
        inotify_name(dir->inode, s->last, s->last_len, IN_CREATE, 0);
    return ret;
}

/* What is to be opened is there: the last look at it with O_CREAT in mind. */
static int open_existing(struct walk_state *s, int flags, struct file **out)
{
    if (S_ISDIR(s->at.dentry->inode->mode))
        return -EISDIR;
    return path_open_place(&s->at, s->w->cred, flags, out);
}

/* In the directory of the last component: opened, or 1 after a symbolic link was followed. */
static int open_last(struct walk_state *s, int flags, unsigned mode, struct file **out)
{
    if (s->kind != LAST_NAME || s->has_slash)
        return -EISDIR;
    struct dentry *d;
    bool was_created;
    int ret = find_or_create(s, mode, &d, &was_created);
    if (ret < 0)
        return ret;
    bool is_link = S_ISLNK(d->inode->mode);
    if (flags & O_EXCL && !was_created)
        ret = -EEXIST;
    else if (is_link && flags & O_NOFOLLOW)
        ret = -ELOOP;
    else if (is_link)
        ret = walk_follow_last(s, d);
    if (ret < 0 || is_link) {
        dentry_put(d);
        return ret < 0 ? ret : 1;
    }
    dentry_put(s->at.dentry);
    s->at.dentry = d;
    if (mount_step_down(&s->at) && s->flags & WALK_NO_XDEV)
        return -EXDEV;
    if (was_created)
        return open_checked(&s->at, s->w->cred, flags, true, out);
    return open_existing(s, flags, out);
}

static int open_create(const struct walk *w, const char *name, int flags, unsigned mode,
                       unsigned resolve, struct file **out)
{
    struct walk_state s;
    mode = S_IFREG | (namei_umask(w, mode) & 07777);
    int ret = walk_start(&s, w, name, resolve);
    while (ret == 0) {
        ret = walk_to_last(&s);
        if (ret < 0)
            break;
        /* A magic link (/proc/self/fd/N) ended at a place that is not in any directory. */
        ret = s.kind == LAST_NONE && s.nr_links > 0 ? open_existing(&s, flags, out)
                                                    : open_last(&s, flags, mode, out);
        if (ret <= 0)
            break;
        ret = 0;
    }
    walk_end(&s);
    return ret;
}

/* --- the calls -------------------------------------------------------------------------------- */

int path_check_open_flags(int *flags)
{
    if (*flags & O_PATH)
        *flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (*flags & O_TMPFILE_BIT) {
        bool for_writing = (*flags & O_ACCMODE) == O_WRONLY || (*flags & O_ACCMODE) == O_RDWR;
        if (!(*flags & O_DIRECTORY) || *flags & O_CREAT || !for_writing)
            return -EINVAL;
    } else if ((*flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        return -EINVAL;
    }
    return 0;
}

static int open_once(const struct walk *w, const char *name, int flags, unsigned mode,
                     unsigned resolve, struct file **out)
{
    if (flags & O_TMPFILE_BIT)
        return open_tmpfile(w, name, flags, mode, resolve, out);
    if (flags & O_CREAT)
        return open_create(w, name, flags, mode, resolve, out);
    struct path p;
    int ret = path_walk(w, name, resolve | (flags & O_NOFOLLOW ? 0 : WALK_FOLLOW), &p);
    if (ret < 0)
        return ret;
    ret = path_open_place(&p, w->cred, flags, out);
    path_put(&p);
    return ret;
}

int path_open_resolve(const struct walk *w, const char *name, int flags, unsigned mode,
                      unsigned resolve, struct file **out)
{
    int ret = path_check_open_flags(&flags);
    if (ret < 0)
        return ret;
    /* -ESTALE: in a shared folder, someone has just put another file there; -EEXIST: or one where there was none.  Look
     * again; Linux does so once, but a file is replaced more often in the time that one answer from the host takes. */
    unsigned tries = 0;
    do {
        ret = open_once(w, name, flags, mode, resolve, out);
    } while ((ret == -ESTALE || (ret == -EEXIST && !(flags & O_EXCL))) && ++tries < MAX_STALE);
    return ret;
}

int path_open(const struct walk *w, const char *name, int flags, unsigned mode, struct file **out)
{
    return path_open_resolve(w, name, flags, mode, 0, out);
}
