/* Path resolution: path_resolution(7), one component at a time.
 *
 * The walk keeps a reference to where it is and nothing else; it takes no lock but the short one
 * inside dentry_lookup.  A symbolic link's target is put in front of what is left of the name, in a
 * new buffer, so that links need no recursion. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/limits.h>
#include <linux/stat.h>

#include "name_hash.h"
#include "walk.h"

#define MAX_LINKS 40 /* as Linux */

enum { WALK_SCOPED = WALK_BENEATH | WALK_IN_ROOT };

static bool is_same(const struct path *a, const struct path *b)
{
    return a->dentry == b->dentry && a->mount == b->mount;
}

static void move_to(struct walk_state *s, struct dentry *d)
{
    dentry_put(s->at.dentry);
    s->at.dentry = d;
}

static void need_root(struct walk_state *s)
{
    if (!s->root.dentry)
        fs_context_root(s->w->fs, &s->root);
}

static void go_to_root(struct walk_state *s)
{
    need_root(s);
    path_put(&s->at);
    s->at = s->root;
    path_get(&s->at);
}

/* Where a relative name starts. */
static int start_relative(struct walk_state *s, const char *name)
{
    struct file *f = s->w->at;
    if (!f) {
        fs_context_cwd(s->w->fs, &s->at);
        return 0;
    }
    if (f->dentry) {
        if (*name && !S_ISDIR(f->inode->mode))
            return -ENOTDIR;
        s->at = (struct path){f->mount, f->dentry};
        path_get(&s->at);
        return 0;
    }
    if (*name)
        return -ENOTDIR;
    inode_get(f->inode);
    s->at.dentry = dentry_new_anon(f->inode, "");
    return s->at.dentry ? 0 : -ENOMEM;
}

int walk_start(struct walk_state *s, const struct walk *w, const char *name, unsigned flags)
{
    /* Field by field: this is on the way of every call with a path, and most of the rest is never
     * looked at. */
    s->w = w;
    s->flags = flags;
    s->at.mount = NULL;
    s->at.dentry = NULL;
    s->root.dentry = NULL;
    s->owned = NULL;
    s->rest = name;
    s->nr_links = 0;
    s->kind = LAST_NONE;
    if (!*name && !(flags & WALK_EMPTY))
        return -ENOENT;
    bool is_absolute = *name == '/';
    if (is_absolute && flags & WALK_BENEATH)
        return -EXDEV;
    if (is_absolute && !(flags & WALK_IN_ROOT)) {
        fs_context_root(w->fs, &s->at);
        return 0;
    }
    int ret = start_relative(s, is_absolute ? name + 1 : name);
    if (ret == 0 && flags & WALK_SCOPED) {
        s->root = s->at;
        path_get(&s->root);
    }
    return ret;
}

inline void walk_end(struct walk_state *s)
{
    if (s->at.dentry)
        path_put(&s->at);
    if (unlikely(s->root.dentry))
        path_put(&s->root);
    if (unlikely(s->owned))
        heap_free(s->owned);
}

/* ".." */
static seldom_called int step_up(struct walk_state *s)
{
    need_root(s);
    for (;;) {
        if (is_same(&s->at, &s->root))
            return s->flags & WALK_BENEATH ? -EXDEV : 0;
        if (!s->at.mount || s->at.dentry != s->at.mount->root)
            break;
        if (s->flags & WALK_NO_XDEV && s->at.mount->parent)
            return -EXDEV;
        if (!mount_step_up(&s->at))
            return 0; /* the root of everything */
    }
    move_to(s, dentry_parent(s->at.dentry));
    if (mount_step_down(&s->at) && s->flags & WALK_NO_XDEV)
        return -EXDEV;
    return 0;
}

/* Put a link's target and what follows it into one buffer. */
static int splice_target(struct walk_state *s, struct inode *link, const char *tail)
{
    /* One that someone else may replace can be longer by now than when it was asked for. */
    bool is_sure = link->size > 0 && !link->ops->refresh;
    size_t tail_len = strlen(tail), room = is_sure ? link->size + 1 : PATH_MAX;
    char *buf = heap_alloc(room + tail_len + 1);
    if (!buf)
        return -ENOMEM;
    ssize_t len = link->ops->readlink ? link->ops->readlink(link, buf, room) : -EINVAL;
    if (len == 0)
        len = -ENOENT;
    if (len < 0) {
        heap_free(buf);
        return len;
    }
    memcpy(buf + len, tail, tail_len + 1);
    heap_free(s->owned);
    s->owned = buf;
    s->rest = buf;
    return 0;
}

/* A link to a place without a name. */
static int follow_magic(struct walk_state *s, struct inode *link, const char *tail)
{
    if (s->flags & WALK_NO_MAGICLINKS)
        return -ELOOP;
    if (s->flags & WALK_SCOPED)
        return -EXDEV;
    struct path to;
    int ret = link->ops->follow(link, &to);
    if (ret < 0)
        return ret;
    if (s->flags & WALK_NO_XDEV && to.mount != s->at.mount)
        ret = -EXDEV;
    struct path old = s->at;
    s->at = to;
    path_put(&old);
    s->rest = tail;
    return ret;
}

/* Go where the link points, which was found in ->at; `tail` is what comes behind it: "" or
 * "/...". */
static int follow(struct walk_state *s, struct inode *link, const char *tail)
{
    if (s->flags & WALK_NO_SYMLINKS || s->nr_links++ >= MAX_LINKS)
        return -ELOOP;
    inode_touch_atime(link);
    s->kind = LAST_NONE;
    if (link->ops->follow)
        return follow_magic(s, link, tail);
    int ret = splice_target(s, link, tail);
    if (ret < 0 || *s->rest != '/')
        return ret;
    if (s->flags & WALK_BENEATH)
        return -EXDEV;
    struct mount *before = s->at.mount;
    go_to_root(s);
    return s->flags & WALK_NO_XDEV && s->at.mount != before ? -EXDEV : 0;
}

/* One ordinary name into ->at: 0; 1 when it was a link and ->rest has been replaced. */
static int step(struct walk_state *s, const char *name, size_t len, uint32_t hash, bool may_follow,
                const char *tail)
{
    struct dentry *d;
    int ret = dentry_lookup_hashed(s->at.dentry, name, len, hash, &d);
    if (unlikely(ret < 0))
        return ret;
    if (unlikely(S_ISLNK(d->inode->mode)) && may_follow) {
        ret = follow(s, d->inode, tail);
        dentry_put(d);
        return ret < 0 ? ret : 1;
    }
    move_to(s, d);
    if (unlikely(atomic_load(&d->mounts)) && mount_step_down(&s->at) && s->flags & WALK_NO_XDEV)
        return -EXDEV;
    return 0;
}

/* Something is to be looked up in ->at: it must be a directory that may be searched. */
static int check_directory(struct walk_state *s, size_t len)
{
    struct inode *dir = s->at.dentry->inode;
    if (unlikely(!S_ISDIR(dir->mode)))
        return -ENOTDIR;
    int ret = inode_permission(dir, s->w->cred, MAY_EXEC);
    if (unlikely(ret < 0))
        return ret;
    return likely(len <= NAME_MAX) ? 0 : -ENAMETOOLONG;
}

static enum last_kind kind_of(const char *name, size_t len)
{
    if (name[0] != '.' || len > 2)
        return LAST_NAME;
    return len == 1 ? LAST_DOT : name[1] == '.' ? LAST_DOTDOT : LAST_NAME;
}

int walk_to_last(struct walk_state *s)
{
    for (;;) {
        const char *name = s->rest;
        while (*name == '/')
            name++;
        if (!*name)
            return 0; /* ->kind says LAST_NONE: nothing, or only slashes */
        const char *end = name;
        uint32_t hash = NAME_HASH_START;
        for (char c; (c = *end) && c != '/'; end++)
            hash = name_hash_add(hash, c);
        hash = name_hash_end(hash);
        size_t len = end - name;
        int ret = check_directory(s, len);
        if (ret < 0)
            return ret;
        const char *next = end;
        while (*next == '/')
            next++;
        s->kind = kind_of(name, len);
        if (!*next) {
            s->last = name;
            s->last_len = len;
            s->last_hash = hash;
            s->has_slash = next != end;
            s->rest = end;
            return 0;
        }
        s->rest = end;
        if (s->kind == LAST_DOTDOT)
            ret = step_up(s);
        else if (s->kind == LAST_NAME)
            ret = step(s, name, len, hash, true, end);
        if (ret < 0)
            return ret;
        s->kind = LAST_NONE;
    }
}

int walk_step_last(struct walk_state *s, bool may_follow)
{
    switch (s->kind) {
    case LAST_DOTDOT:
        return step_up(s);
    case LAST_NAME:
        return step(s, s->last, s->last_len, s->last_hash, may_follow || s->has_slash, s->rest);
    default:
        return 0;
    }
}

int walk_follow_last(struct walk_state *s, struct dentry *link)
{
    return follow(s, link->inode, s->rest);
}

int path_walk(const struct walk *w, const char *name, unsigned flags, struct path *out)
{
    struct walk_state s;
    int ret = walk_start(&s, w, name, flags);
    bool must_be_dir = flags & WALK_DIRECTORY;
    while (ret == 0) {
        ret = walk_to_last(&s);
        if (ret < 0)
            break;
        must_be_dir |= s.kind == LAST_NAME && s.has_slash;
        ret = walk_step_last(&s, flags & WALK_FOLLOW);
        if (ret <= 0)
            break;
        ret = 0; /* a link: go on with its target */
    }
    if (ret == 0 && must_be_dir && !S_ISDIR(s.at.dentry->inode->mode))
        ret = -ENOTDIR;
    if (ret == 0) {
        *out = s.at;
        s.at = (struct path){0};
    }
    walk_end(&s);
    return ret;
}
