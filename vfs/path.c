/* Places (mount and dentry), their names, and the root and working directory of processes. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <vfs/mount.h>
#include <vfs/path.h>

void path_get(struct path *p)
{
    mount_get(p->mount);
    dentry_get(p->dentry);
}

void path_put(struct path *p)
{
    if (!p->dentry)
        return;
    dentry_put(p->dentry);
    mount_put(p->mount);
    *p = (struct path){0};
}

/* --- struct fs_context ------------------------------------------------------------------------ */

static struct fs_context *context_alloc(const struct path *root, const struct path *cwd,
                                        unsigned umask)
{
    struct fs_context *fs = heap_zalloc(sizeof(*fs));
    if (!fs)
        return NULL;
    ref_init(&fs->ref);
    spin_init(&fs->lock, RANK_DENTRY);
    fs->root = *root;
    fs->cwd = *cwd;
    fs->umask = umask;
    return fs;
}

struct fs_context *fs_context_new(const struct path *root, const struct path *cwd)
{
    struct fs_context *fs = context_alloc(root, cwd, 022);
    if (!fs)
        return NULL;
    path_get(&fs->root);
    path_get(&fs->cwd);
    return fs;
}

struct fs_context *fs_context_copy(struct fs_context *fs)
{
    struct path root, cwd;
    fs_context_root(fs, &root);
    fs_context_cwd(fs, &cwd);
    struct fs_context *copy = context_alloc(&root, &cwd, fs->umask);
    if (!copy) {
        path_put(&root);
        path_put(&cwd);
    }
    return copy;
}

void fs_context_get(struct fs_context *fs)
{
    ref_get(&fs->ref);
}

void fs_context_put(struct fs_context *fs)
{
    if (!ref_put(&fs->ref))
        return;
    path_put(&fs->root);
    path_put(&fs->cwd);
    heap_free(fs);
}

static seldom_called void context_set(struct fs_context *fs, struct path *which,
                                      const struct path *p)
{
    struct path new = *p;
    path_get(&new);
    spin_lock(&fs->lock);
    struct path old = *which;
    *which = new;
    spin_unlock(&fs->lock);
    path_put(&old);
}

static void context_read(struct fs_context *fs, const struct path *which, struct path *p)
{
    spin_lock(&fs->lock);
    *p = *which;
    path_get(p);
    spin_unlock(&fs->lock);
}

void fs_context_set_cwd(struct fs_context *fs, const struct path *p)
{
    context_set(fs, &fs->cwd, p);
}

void fs_context_set_root(struct fs_context *fs, const struct path *p)
{
    context_set(fs, &fs->root, p);
}

void fs_context_cwd(struct fs_context *fs, struct path *p)
{
    context_read(fs, &fs->cwd, p);
}

void fs_context_root(struct fs_context *fs, struct path *p)
{
    context_read(fs, &fs->root, p);
}

/* --- names ------------------------------------------------------------------------------------ */

/* A name is written from its end: `at` moves down to `start`. */
struct name_buf {
    char *start, *at;
};

static bool prepend(struct name_buf *b, const char *s, size_t n)
{
    if ((size_t)(b->at - b->start) < n)
        return false;
    b->at -= n;
    memcpy(b->at, s, n);
    return true;
}

/* "/" and the dentry's name; *parent is referenced. */
static bool prepend_dentry(struct name_buf *b, struct dentry *d, struct dentry **parent)
{
    spin_lock(&d->lock);
    bool fits = prepend(b, d->name, d->name_len) && prepend(b, "/", 1);
    if (fits) {
        *parent = d->parent;
        dentry_get(*parent);
    }
    spin_unlock(&d->lock);
    return fits;
}

static bool is_deleted(struct dentry *d)
{
    if (d->parent == d)
        return d->inode->nlink == 0; /* a memfd */
    const struct inode_ops *ops = d->parent->inode->ops;
    return !d->is_linked &&
           (!ops->lookup || ops->revalidate); /* /proc links nothing that it finds */
}

bool path_is_deleted(const struct path *p)
{
    return is_deleted(p->dentry);
}

/* One component and the step to where it hangs: 1; 0: nothing is above; -ENAMETOOLONG. */
static int prepend_step(struct name_buf *b, struct path *at)
{
    bool is_top = at->mount ? at->dentry == at->mount->root : at->dentry->parent == at->dentry;
    if (is_top && mount_step_up(at))
        return 1;
    if (is_top) /* the end: an anonymous object has a name there */
        return at->dentry->sb->root == at->dentry || at->mount ||
                       prepend(b, at->dentry->name, at->dentry->name_len)
                   ? 0
                   : -ENAMETOOLONG;
    struct dentry *parent;
    if (!prepend_dentry(b, at->dentry, &parent))
        return -ENAMETOOLONG;
    dentry_put(at->dentry);
    at->dentry = parent;
    return 1;
}

seldom_called ssize_t path_name(const struct path *root, const struct path *p, char *buf,
                                size_t size)
{
    if (size == 0)
        return -ENAMETOOLONG;
    struct name_buf b = {.start = buf, .at = buf + size};
    bool fits = prepend(&b, "", 1) && (!is_deleted(p->dentry) || prepend(&b, " (deleted)", 10));
    char *tail = b.at;
    struct path at = *p;
    path_get(&at);
    int ret = fits ? 1 : -ENAMETOOLONG;
    bool is_reached = false;
    while (ret > 0) {
        is_reached = root && at.dentry == root->dentry && at.mount == root->mount;
        if (is_reached)
            break;
        ret = prepend_step(&b, &at);
    }
    bool is_global_root = at.mount && !at.mount->parent && at.dentry == at.mount->root;
    path_put(&at);
    if (ret < 0)
        return ret;
    if (b.at == tail && !prepend(&b, "/", 1))
        return -ENAMETOOLONG;
    if (root && !is_reached && is_global_root && !prepend(&b, "(unreachable)", 13))
        return -ENAMETOOLONG;
    size_t len = buf + size - b.at;
    memmove(buf, b.at, len);
    return len - 1;
}
