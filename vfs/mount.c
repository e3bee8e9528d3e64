/* The tree of mounts, and mount(2).
 *
 * Each dentry that something is mounted on heads a list of mounts; a walk that meets such a dentry
 * looks for the one whose parent is the mount it came through (the newest first, so that mounts
 * stack).  One spinlock guards it all: crossing a mount point is a few instructions. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <vfs/mount.h>

#include "namei.h"

/* umount2(2)'s flags, which no exported header of Linux has. */
#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

/* Guards the tree, the list and next_id. */
static struct spinlock mount_lock = SPINLOCK_INIT(RANK_MOUNT_TREE);
static struct list all_mounts = LIST_INIT(all_mounts);
static int next_id = 1;
static struct mount *global_root;
static struct mount_type *types; /* registered at boot only */

/* --- life ------------------------------------------------------------------------------------- */

/* Takes over a reference to the superblock, on success only. */
static struct mount *mount_new(struct superblock *sb, struct dentry *root, const char *source,
                               unsigned flags)
{
    struct mount *m = heap_zalloc(sizeof(*m));
    char *name = m ? heap_strdup(source) : NULL;
    if (!name) {
        heap_free(m);
        return NULL;
    }
    ref_init(&m->ref);
    list_init(&m->node);
    m->sb = sb;
    m->root = root;
    dentry_get(root);
    m->source = name;
    m->flags = flags;
    return m;
}

void mount_get(struct mount *m)
{
    if (m)
        ref_get(&m->ref);
}

void mount_put(struct mount *m)
{
    if (!m || !ref_put(&m->ref))
        return;
    dentry_put(m->root);
    superblock_put(m->sb);
    heap_free(m->source);
    heap_free(m);
}

/* --- crossing --------------------------------------------------------------------------------- */

/* What is mounted at this place, referenced. */
static struct mount *mounted_at(const struct path *p)
{
    spin_lock(&mount_lock);
    struct mount *m = p->dentry->mounts;
    while (m && m->parent != p->mount)
        m = m->next_here;
    mount_get(m);
    spin_unlock(&mount_lock);
    return m;
}

bool mount_step_down(struct path *p)
{
    bool moved = false;
    while (unlikely(atomic_load(&p->dentry->mounts))) {
        struct mount *m = mounted_at(p);
        if (!m)
            break;
        path_put(p);
        *p = (struct path){m, m->root}; /* the reference to m is ours already */
        dentry_get(p->dentry);
        moved = true;
    }
    return moved;
}

bool mount_step_up(struct path *p)
{
    if (!p->mount)
        return false;
    spin_lock(&mount_lock);
    struct path up = {p->mount->parent, p->mount->point};
    if (up.mount)
        path_get(&up);
    spin_unlock(&mount_lock);
    if (!up.mount)
        return false;
    path_put(p);
    *p = up;
    return true;
}

int mount_want_write(const struct path *p)
{
    bool is_read_only = p->mount && p->mount->flags & MS_RDONLY;
    return is_read_only || p->dentry->sb->is_read_only ? -EROFS : 0;
}

/* --- changing the tree ------------------------------------------------------------------------ */

/* Hang `m` at `p`, whose references it takes over on success. */
static int attach(struct mount *m, struct path *p)
{
    spin_lock(&mount_lock);
    spin_lock(&p->dentry->lock);
    bool is_dead = p->dentry->is_dead;
    if (!is_dead) {
        m->parent = p->mount;
        m->point = p->dentry;
        m->next_here = p->dentry->mounts;
        m->id = next_id++;
        atomic_store(&p->dentry->mounts, m);
    }
    spin_unlock(&p->dentry->lock);
    if (!is_dead) {
        p->mount->nr_children++;
        list_push_back(&all_mounts, &m->node);
    }
    spin_unlock(&mount_lock);
    if (is_dead)
        return -ENOENT;
    *p = (struct path){0};
    return 0;
}

/* Take a mount out of the tree: 0, or -EBUSY when something is mounted in it or, without `lazily`,
 * when it is used. */
static int detach(struct mount *m, bool lazily)
{
    const unsigned own_refs = 2; /* the tree's and the caller's */
    struct path hung = {0};
    int ret = 0;
    spin_lock(&mount_lock);
    if (!m->parent)
        ret = -EINVAL;
    else if (m->nr_children > 0 || (!lazily && atomic_load(&m->ref.count) > own_refs))
        ret = -EBUSY;
    if (ret == 0) {
        hung = (struct path){m->parent, m->point};
        spin_lock(&m->point->lock);
        struct mount **at = &m->point->mounts;
        while (*at != m)
            at = &(*at)->next_here;
        atomic_store(at, m->next_here);
        spin_unlock(&m->point->lock);
        m->parent->nr_children--;
        m->parent = NULL;
        m->point = NULL;
        list_remove(&m->node);
    }
    spin_unlock(&mount_lock);
    if (ret == 0) {
        path_put(&hung);
        mount_put(m); /* the tree's */
    }
    return ret;
}

int mount_init_root(struct superblock *sb, struct path *root)
{
    namei_init();
    struct mount *m = mount_new(sb, sb->root, "rootfs", 0);
    if (!m)
        return -ENOMEM;
    spin_lock(&mount_lock);
    m->id = next_id++;
    global_root = m;
    list_push_back(&all_mounts, &m->node);
    spin_unlock(&mount_lock);
    *root = (struct path){m, m->root};
    path_get(root);
    return 0;
}

/* Mount a file system (or a part of one, `inside`) at a place that a walk found. */
static int mount_at(struct path *where, struct superblock *sb, struct dentry *inside,
                    const char *source, unsigned flags)
{
    if (!where->mount)
        return -EINVAL; /* an anonymous object */
    mount_step_down(where);
    if (S_ISDIR(where->dentry->inode->mode) != S_ISDIR(inside->inode->mode))
        return -ENOTDIR;
    struct mount *m = mount_new(sb, inside, source, flags);
    if (!m)
        return -ENOMEM;
    int ret = attach(m, where);
    if (ret < 0) {
        superblock_get(sb); /* stays the caller's */
        mount_put(m);
    }
    return ret;
}

int path_mount_at(const char *where, struct superblock *sb, unsigned flags)
{
    static const struct cred boot_cred = {.cap_effective = ~0ul};
    struct path root = {global_root, global_root->root}, place;
    struct fs_context *fs = fs_context_new(&root, &root);
    if (!fs)
        return -ENOMEM;
    struct walk w = {.fs = fs, .cred = &boot_cred};
    int ret = path_walk(&w, where, WALK_FOLLOW | WALK_DIRECTORY, &place);
    if (ret == 0) {
        ret = mount_at(&place, sb, sb->root, sb->type, flags);
        path_put(&place);
    }
    fs_context_put(fs);
    return ret;
}

/* --- mount(2) --------------------------------------------------------------------------------- */

void mount_register_type(struct mount_type *type)
{
    struct mount_type **at = &types;
    while (*at)
        at = &(*at)->next;
    *at = type;
}

const struct mount_type *mount_types(void)
{
    return types;
}

static int mount_new_fs(struct path *where, const char *source, const char *type, unsigned flags,
                        const char *options)
{
    const struct mount_type *t = types;
    while (t && strcmp(t->name, type) != 0)
        t = t->next;
    if (!t)
        return -ENODEV;
    struct superblock *sb;
    int ret = t->make(options, &sb);
    if (ret < 0)
        return ret;
    ret = mount_at(where, sb, sb->root, source, flags);
    if (ret < 0)
        superblock_put(sb);
    return ret;
}

static int mount_bind(const struct walk *w, struct path *where, const char *source, unsigned flags)
{
    struct path old;
    int ret = path_walk(w, source, WALK_FOLLOW, &old);
    if (ret < 0)
        return ret;
    if (!old.mount)
        ret = -EINVAL;
    if (ret == 0) {
        superblock_get(old.mount->sb);
        ret = mount_at(where, old.mount->sb, old.dentry, old.mount->source, flags);
        if (ret < 0)
            superblock_put(old.mount->sb);
    }
    path_put(&old);
    return ret;
}

static int remount(struct path *where, unsigned flags)
{
    if (!where->mount || where->dentry != where->mount->root)
        return -EINVAL;
    atomic_store(&where->mount->flags, flags);
    return 0;
}

int path_mount(const struct walk *w, const char *source, const char *target, const char *type,
               unsigned long flags, const char *options)
{
    const unsigned long kept =
        MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
    const unsigned long propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~MS_MGC_MSK;
    struct path where;
    int ret = path_walk(w, target, WALK_FOLLOW, &where);
    if (ret < 0)
        return ret;
    if (!cred_has_cap(w->cred, CAP_SYS_ADMIN))
        ret = -EPERM;
    else if (flags & MS_REMOUNT)
        ret = remount(&where, flags & kept);
    else if (flags & MS_BIND)
        ret = mount_bind(w, &where, source ? source : "", flags & kept);
    else if (flags & propagation)
        /* There is one mount namespace: nothing to propagate to, so every kind is private. */
        ret = where.mount && where.dentry == where.mount->root ? 0 : -EINVAL;
    else if (flags & MS_MOVE)
        ret = -EINVAL;
    else
        ret = mount_new_fs(&where, source ? source : "none", type ? type : "", flags & kept,
                           options ? options : "");
    path_put(&where);
    return ret;
}

int path_umount(const struct walk *w, const char *target, int flags)
{
    struct path p;
    int ret = path_walk(w, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
    if (ret < 0)
        return ret;
    struct mount *m = p.mount;
    bool is_root = m && p.dentry == m->root;
    mount_get(m);
    path_put(&p);
    if (!is_root)
        ret = -EINVAL;
    else if (!cred_has_cap(w->cred, CAP_SYS_ADMIN))
        ret = -EPERM;
    else if (flags & MNT_EXPIRE) /* -EAGAIN is what Linux answers to the first such call */
        ret = flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : -EAGAIN;
    else
        ret = detach(m, flags & MNT_DETACH);
    mount_put(m);
    return ret;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The n-th mount, referenced. */
static struct mount *nth(unsigned n)
{
    struct mount *m, *found = NULL;
    spin_lock(&mount_lock);
    list_for_each(m, &all_mounts, node)
        if (n-- == 0) {
            found = m;
            break;
        }
    mount_get(found);
    spin_unlock(&mount_lock);
    return found;
}

struct mount *mount_of(struct superblock *sb)
{
    struct mount *m, *found = NULL;
    spin_lock(&mount_lock);
    list_for_each(m, &all_mounts, node)
        if (m->root == sb->root) {
            found = m;
            break;
        }
    mount_get(found);
    spin_unlock(&mount_lock);
    return found;
}

static bool describe(struct mount *m, const struct path *root, char *where, char *inside,
                     struct mount_info *info)
{
    struct path top = {m, m->root}, within = {NULL, m->root};
    if (path_name(root, &top, where, PATH_MAX) < 0 ||
        path_name(NULL, &within, inside, PATH_MAX) < 0)
        return false;
    spin_lock(&mount_lock);
    int parent_id = m->parent ? m->parent->id : 0;
    spin_unlock(&mount_lock);
    *info = (struct mount_info){
        .id = m->id,
        .parent_id = parent_id,
        .source = m->source,
        .where = where,
        .inside = inside,
        .type = m->sb->type,
        .dev = m->sb->dev,
        .flags = m->flags,
    };
    return where[0] == '/';
}

int mount_visit(const struct path *root, mount_visit_fn *visit, void *arg)
{
    char *where = heap_alloc(2 * PATH_MAX);
    if (!where)
        return -ENOMEM;
    struct mount *m;
    for (unsigned n = 0; (m = nth(n)) != NULL; n++) {
        struct mount_info info;
        if (describe(m, root, where, where + PATH_MAX, &info))
            visit(arg, &info);
        mount_put(m);
    }
    heap_free(where);
    return 0;
}

void mount_sync_all(void)
{
    struct mount *m;
    for (unsigned n = 0; (m = nth(n)) != NULL; n++) {
        if (m->sb->ops && m->sb->ops->sync)
            (void)!m->sb->ops->sync(m->sb);
        mount_put(m);
    }
}
