/* Inodes of shared folders, and the names that lead to them.
 *
 * A name that was looked up is linked into the tree in memory and believed for P9_FRESH_NS; then the walk asks again
 * (inode_ops.revalidate).  Two names of one file share an inode, which is found by the host's qid.  Names that
 * nobody uses are forgotten when there are many. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <vfs/devfs.h>

#include "p9.h"

#define GETATTR_BASIC 0x7fful
#define NS_PER_SEC    1000000000l
#define PRUNE_MIN     4096u

static struct p9_transport *transports; /* registered at boot only */

void p9_add_transport(struct p9_transport *t)
{
    t->next = transports;
    transports = t;
}

/* --- attributes ---------------------------------------------------------------------------------------- */

struct attr {
    struct p9_qid qid;
    uint32_t mode, uid, gid;
    uint64_t nlink, rdev, size, blocks;
    int64_t atime_ns, mtime_ns, ctime_ns;
};

static int get_attr(struct p9_fid *fid, struct attr *a)
{
    struct p9_msg m;
    uint64_t valid, blksize, t[6];
    int ret = p9_rpc(fid->fs, &m, P9_TGETATTR, "dq", fid->nr, GETATTR_BASIC);
    if (ret < 0)
        return ret;
    ret =
        p9_get(&m, "qQdddqqqqqqqqqqq", &valid, &a->qid, &a->mode, &a->uid, &a->gid, &a->nlink,
               &a->rdev, &a->size, &blksize, &a->blocks, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5]);
    p9_free_msg(&m);
    a->atime_ns = (int64_t)(t[0] * NS_PER_SEC + t[1]);
    a->mtime_ns = (int64_t)(t[2] * NS_PER_SEC + t[3]);
    a->ctime_ns = (int64_t)(t[4] * NS_PER_SEC + t[5]);
    return ret;
}

/* Take over what the host said when `changes` was n->changes.  True: someone else has changed the contents. */
static bool apply_locked(struct p9_node *n, const struct attr *a, uint32_t changes)
{
    struct inode *i = n->inode;
    i->mode = a->mode;
    i->uid = a->uid;
    i->gid = a->gid;
    atomic_store(&i->nlink, (uint32_t)a->nlink);
    i->blocks = a->blocks;
    i->atime_ns = a->atime_ns;
    i->ctime_ns = i->btime_ns = a->ctime_ns;
    n->fresh_until = arch_clock_ns() + P9_FRESH_NS;
    if (changes % 2 || changes != atomic_load(&n->changes))
        return false;
    bool is_other =
        a->size != i->size || (a->mtime_ns != n->seen_mtime_ns && arch_clock_ns() >= n->ours_until);
    n->ours_until = 0;
    n->seen_mtime_ns = i->mtime_ns = a->mtime_ns;
    atomic_store(&i->size, a->size);
    return is_other;
}

static void apply(struct inode *i, const struct attr *a, uint32_t changes)
{
    struct p9_fs *fs = p9_fs(i);
    spin_lock(&fs->lock);
    bool is_other = apply_locked(p9_node(i), a, changes);
    spin_unlock(&fs->lock);
    if (is_other && S_ISREG(i->mode))
        p9_drop_pages(i);
}

struct p9_fid *p9_fid_of(struct inode *i, struct p9_fid **member)
{
    struct p9_fs *fs = p9_fs(i);
    spin_lock(&fs->lock);
    struct p9_fid *fid = *member;
    if (fid)
        p9_fid_get(fid);
    spin_unlock(&fs->lock);
    return fid;
}

struct p9_fid *p9_path_of(struct inode *i)
{
    return p9_fid_of(i, &p9_node(i)->fid);
}

int p9_refresh(struct inode *i)
{
    struct attr a;
    struct p9_node *n = p9_node(i);
    if (atomic_load(&n->is_nameless))
        return -ESTALE;
    uint32_t changes = atomic_load(&n->changes);
    struct p9_fid *fid = p9_path_of(i);
    int ret = get_attr(fid, &a);
    p9_fid_put(fid);
    if (ret == 0 && (a.qid.path != i->ino || (a.mode ^ i->mode) & S_IFMT))
        ret = -ESTALE; /* the host has put another file there */
    if (ret == 0)
        apply(i, &a, changes);
    return ret;
}

void p9_refresh_if_old(struct inode *i)
{
    /* A file that has lost its name at the host keeps what was last known of it. */
    if (arch_clock_ns() >= atomic_load(&p9_node(i)->fresh_until) && p9_refresh(i) < 0)
        atomic_store(&p9_node(i)->fresh_until, arch_clock_ns() + P9_FRESH_NS);
}

void p9_expire(struct inode *i)
{
    atomic_store(&p9_node(i)->fresh_until, 0);
}

/* --- inodes -------------------------------------------------------------------------------------------- */

static struct p9_node **bucket_of(struct p9_fs *fs, uint64_t ino)
{
    return &fs->nodes[(ino ^ ino >> 8) % P9_NR_NODES];
}

void p9_free(struct inode *i)
{
    struct p9_fs *fs = p9_fs(i);
    struct p9_node *n = p9_node(i), **at = bucket_of(fs, i->ino);
    spin_lock(&fs->lock);
    while (*at && *at != n)
        at = &(*at)->next;
    if (*at)
        *at = n->next;
    spin_unlock(&fs->lock);
    if (S_ISREG(i->mode))
        p9_free_contents(i);
    p9_fid_put(n->fid);
    p9_fid_put(n->created);
    p9_fid_put(n->reader);
    p9_fid_put(n->writer);
}

/* Files that are neither regular nor directories nor links: the guest's own devices and FIFOs behind a name. */
static const struct inode_ops special_ops = {.set_attr = p9_set_attr,
                                             .refresh = p9_refresh_if_old,
                                             .free = p9_free,
                                             .xattrs = &p9_xattr_ops};

static void set_ops(struct inode *i)
{
    switch (i->mode & S_IFMT) {
    case S_IFREG:
        i->ops = &p9_file_ops;
        i->file_ops = &p9_regular_file_ops;
        i->object.ops = &p9_object_ops;
        pagecache_init(&p9_node(i)->cache);
        mutex_init(&p9_node(i)->fill_lock, RANK_OBJECT);
        break;
    case S_IFDIR:
        i->ops = &p9_dir_ops;
        i->file_ops = &p9_dir_file_ops;
        break;
    case S_IFLNK:
        i->ops = &p9_link_ops;
        break;
    default:
        i->ops = &special_ops;
    }
}

/* The file's inode, referenced, if it is known: same number, same type.  The number of one that is gone may be another
 * file's by now, though somebody still has it as a working directory or with O_PATH. */
static struct inode *find_locked(struct p9_fs *fs, const struct attr *a)
{
    for (struct p9_node *n = *bucket_of(fs, a->qid.path); n; n = n->next) {
        struct inode *i = n->inode;
        if (i->ino == a->qid.path && (i->mode & S_IFMT) == (a->mode & S_IFMT) &&
            !atomic_load(&n->is_nameless) && ref_get_unless_zero(&i->ref))
            return i;
    }
    return NULL;
}

static struct inode *new_inode(struct p9_fs *fs, const struct attr *a)
{
    struct inode *i = inode_new(fs->sb, a->mode, sizeof(struct p9_node));
    if (!i)
        return NULL;
    struct p9_node *n = p9_node(i);
    n->inode = i;
    list_init(&n->dirty_node);
    i->ino = a->qid.path;
    i->rdev = a->rdev;
    set_ops(i);
    return i;
}

/* The inode behind a fid that was just walked to, which it takes over: referenced.  `d` (NULL: none that lasts): the name in
 * memory by which it was reached. */
static int inode_of(struct p9_fs *fs, struct p9_fid *fid, const struct dentry *d,
                    struct inode **out)
{
    struct attr a;
    int ret = get_attr(fid, &a);
    struct inode *fresh = ret == 0 ? new_inode(fs, &a) : NULL;
    if (!fresh) {
        p9_fid_put(fid);
        return ret < 0 ? ret : -ENOMEM;
    }
    spin_lock(&fs->lock);
    struct inode *i = find_locked(fs, &a);
    uint32_t changes = i ? atomic_load(&p9_node(i)->changes) : 0;
    if (!i) {
        i = fresh;
        fresh = NULL;
        p9_node(i)->next = *bucket_of(fs, i->ino);
        *bucket_of(fs, i->ino) = p9_node(i);
    }
    /* The newest path is the one that leads there: the old one may be gone. */
    struct p9_fid *old = p9_node(i)->fid;
    p9_node(i)->fid = fid;
    p9_node(i)->fid_name = d && (!d->inode || d->inode == i) ? d : NULL;
    spin_unlock(&fs->lock);
    apply(i, &a, changes | (fresh != NULL)); /* of one that others write to, its size may be old */
    p9_fid_put(old);
    if (fresh)
        inode_put(fresh);
    *out = i;
    return 0;
}

/* The inode behind `n` or the next one after it in its bucket that is in use, referenced; NULL: there is none. */
static struct inode *next_in_use(struct p9_node *n)
{
    while (n && !ref_get_unless_zero(&n->inode->ref))
        n = n->next;
    return n ? n->inode : NULL;
}

static void evict_bucket(struct p9_fs *fs, unsigned bucket)
{
    struct inode *done = NULL;
    for (;;) {
        spin_lock(&fs->lock);
        struct inode *i = next_in_use(done ? p9_node(done)->next : fs->nodes[bucket]);
        spin_unlock(&fs->lock);
        if (done)
            inode_put(done);
        if (!i)
            break;
        if (S_ISREG(i->mode))
            p9_evict_pages(i);
        done = i;
    }
}

void p9_make_room(struct p9_fs *fs)
{
    uint64_t limit = page_count_total() / 4;
    if (atomic_load(&fs->nr_pages) <= MAX(limit, atomic_load(&fs->evict_above)))
        return;
    for (unsigned n = 0; n < P9_NR_NODES; n++)
        evict_bucket(fs, n);
    /* What is mapped or not yet written back stays: no use in looking at each page that comes after. */
    atomic_store(&fs->evict_above, atomic_load(&fs->nr_pages) + limit / 16);
}

/* --- names --------------------------------------------------------------------------------------------- */

static int find_inode(struct inode *dir, const struct dentry *d, struct inode **out)
{
    struct p9_fid *fid;
    int ret = p9_walk(dir, d->name, d->name_len, &fid);
    return ret < 0 ? ret : inode_of(p9_fs(dir), fid, d, out);
}

int p9_check_path(struct inode *i)
{
    int ret = p9_refresh(i);
    struct dentry *d = ret < 0 ? dentry_of_inode(i) : NULL;
    if (d) {
        char name[NAME_MAX];
        size_t len;
        struct dentry *dir = dentry_place(d, name, &len);
        struct p9_fs *fs = p9_fs(i);
        struct p9_fid *fid;
        struct inode *found;
        if (dir && p9_walk(dir->inode, name, len, &fid) == 0 &&
            inode_of(fs, fid, NULL, &found) == 0)
            inode_put(found);
        if (dir)
            dentry_put(dir);
        dentry_put(d);
        ret = p9_refresh(i);
    }
    return ret;
}

/* A file with several names is reached by the one that was looked up last, and that one may be removed: so each of
 * its names is asked for every time. */
static void believe(struct dentry *d)
{
    bool has_others = !S_ISDIR(d->inode->mode) && atomic_load(&d->inode->nlink) > 1;
    atomic_store(&d->valid_until, has_others ? 1 : arch_clock_ns() + P9_FRESH_NS);
}

static void link_name(struct p9_fs *fs, struct dentry *d)
{
    believe(d);
    spin_lock(&fs->lock);
    bool are_many = ++fs->nr_names > fs->prune_at;
    spin_unlock(&fs->lock);
    if (are_many)
        work_queue(&fs->prune);
}

int p9_instantiate(struct inode *dir, struct dentry *d)
{
    struct inode *i;
    int ret = find_inode(dir, d, &i);
    if (ret < 0)
        return ret == -ENOENT ? 0 : ret;
    bool is_orphan = !d->parent->is_linked && d->parent != d->sb->root;
    if (is_orphan) { /* nobody would find it there, nor prune it */
        dentry_fill(d, i);
        return 0;
    }
    ret = dentry_link(d, i);
    if (ret == 0)
        link_name(p9_fs(dir), d);
    return ret;
}

/* `d` is no name any more, and what may have its address next is another. */
static void count_name_out(struct p9_fs *fs, const struct dentry *d)
{
    spin_lock(&fs->lock);
    fs->nr_names--;
    if (d->inode && p9_node(d->inode)->fid_name == d)
        p9_node(d->inode)->fid_name = NULL;
    spin_unlock(&fs->lock);
}

void p9_forget(struct dentry *d)
{
    struct p9_fs *fs = d->sb->data;
    if (!d->is_linked)
        return;
    dentry_get(d);
    dentry_unlink(d);
    count_name_out(fs, d);
    spin_lock(&fs->lock);
    bool is_orphan = atomic_load(&d->nr_children) > 0;
    if (is_orphan) { /* names below it, which only memory knows: they go when no directory is locked */
        list_push_back(&fs->orphans, &d->sibling);
        dentry_get(d);
    }
    spin_unlock(&fs->lock);
    if (is_orphan)
        work_queue(&fs->prune);
    dentry_put(d);
}

int p9_revalidate(struct inode *dir, struct dentry *d)
{
    struct inode *i;
    /* One message will do where the file is still reached by this name; QEMU lets a fid's path follow our renames. */
    bool is_same = atomic_load(&p9_node(d->inode)->fid_name) == d && p9_refresh(d->inode) == 0;
    int ret = is_same ? 1 : find_inode(dir, d, &i);
    if (ret < 0 && ret != -ENOENT)
        return ret;
    if (ret == 0) {
        is_same = i == d->inode;
        inode_put(i);
    }
    if (is_same)
        believe(d);
    else
        p9_forget(d);
    return is_same;
}

/* Mapped pages find their file by its inode: it is kept, so that whoever opens it again gets the same one. */
static bool is_mapped(struct inode *i)
{
    return !list_is_empty(&i->object.mappings); /* a hint */
}

/* Forget `d`, if nobody uses it (`all`: in any case). */
static void prune_one(struct p9_fs *fs, struct dentry *d, bool all)
{
    struct dentry *dir = dentry_parent(d);
    mutex_lock(&dir->inode->lock);
    if (d->parent == dir && all)
        p9_forget(d);
    else if (d->parent == dir && !is_mapped(d->inode) && dentry_unlink_unused(d))
        count_name_out(fs, d);
    mutex_unlock(&dir->inode->lock);
    dentry_put(dir);
}

/* Everything below `top`, deepest first. */
static void prune_below(struct p9_fs *fs, struct dentry *top, bool all)
{
    struct dentry *d = top;
    uint64_t pos = 0;
    dentry_get(d);
    for (;;) {
        struct dentry *child = dentry_next(d, pos);
        if (child && atomic_load(&child->nr_children) > 0) {
            dentry_put(d);
            d = child;
            pos = 0;
            continue;
        }
        struct dentry *next = child ? d : d == top ? NULL : dentry_parent(d);
        struct dentry *done = child ? child : d;
        if (!next)
            break;
        pos = done->pos + 1;
        if (!child)
            d = next;
        prune_one(fs, done, all);
        dentry_put(done);
    }
    dentry_put(d);
}

static struct dentry *take_orphan(struct p9_fs *fs)
{
    struct dentry *d = NULL;
    spin_lock(&fs->lock);
    if (!list_is_empty(&fs->orphans)) {
        d = list_entry(fs->orphans.next, struct dentry, sibling);
        list_remove(&d->sibling);
    }
    spin_unlock(&fs->lock);
    return d;
}

static void prune(struct work *w)
{
    struct p9_fs *fs = container_of(w, struct p9_fs, prune);
    struct dentry *d;
    while ((d = take_orphan(fs))) {
        prune_below(fs, d, true);
        dentry_put(d);
    }
    if (fs->nr_names <= fs->prune_at)
        return;
    prune_below(fs, fs->sb->root, false);
    spin_lock(&fs->lock);
    fs->prune_at = MAX(PRUNE_MIN, 2 * fs->nr_names);
    spin_unlock(&fs->lock);
}

/* --- the file system ----------------------------------------------------------------------------------- */

static void p9_stat(struct superblock *sb, struct fs_stat *st)
{
    struct p9_fs *fs = sb->data;
    struct p9_msg m;
    uint32_t type, block_size, name_max;
    if (p9_rpc(fs, &m, P9_TSTATFS, "d", fs->root_fid->nr) < 0)
        return;
    if (p9_get(&m, "ddqqqqqqd", &type, &block_size, &st->blocks, &st->blocks_reserved,
               &st->blocks_free, &st->files, &st->files_free, &st->fsid, &name_max) == 0) {
        st->blocks_reserved -= st->blocks_free; /* it was all that is free */
        st->block_size = block_size;
        st->name_max = name_max;
    }
    p9_free_msg(&m);
}

static int p9_sync(struct superblock *sb)
{
    struct p9_fs *fs = sb->data;
    p9_write_back_work(&fs->write_back);
    return 0;
}

static const struct superblock_ops fs_ops = {.stat = p9_stat, .sync = p9_sync};

static struct p9_fs *new_fs(struct p9_transport *t, struct superblock *sb)
{
    struct p9_fs *fs = heap_zalloc(sizeof(*fs));
    if (!fs)
        return NULL;
    fs->transport = t;
    fs->sb = sb;
    sb->data = fs;
    fs->prune_at = PRUNE_MIN;
    spin_init(&fs->lock, RANK_PAGETABLE);
    mutex_init(&fs->write_back_lock, RANK_OBJECT);
    waitq_init(&fs->tag_wait);
    list_init(&fs->dirty);
    list_init(&fs->orphans);
    work_init(&fs->prune, prune);
    work_init(&fs->write_back, p9_write_back_work);
    return fs;
}

static int make_root(struct p9_fs *fs)
{
    struct inode *i;
    int ret = p9_attach(fs);
    if (ret == 0) {
        p9_fid_get(fs->root_fid);
        ret = inode_of(fs, fs->root_fid, NULL, &i);
    }
    if (ret != 0)
        return ret;
    fs->sb->root = dentry_new_root(i);
    return fs->sb->root ? 0 : -ENOMEM;
}

int p9_superblock(const char *tag, struct superblock **out)
{
    struct p9_transport **at = &transports;
    while (*at && strcmp((*at)->tag, tag) != 0)
        at = &(*at)->next;
    if (!*at)
        return -ENOENT;
    struct p9_transport *t = *at;
    struct superblock *sb = superblock_new("9p", V9FS_MAGIC, &fs_ops);
    struct p9_fs *fs = sb ? new_fs(t, sb) : NULL;
    if (!fs)
        panic("no memory for a shared folder");
    /* Its names are asked for again and again, and what is in memory of them must outlive every mount. */
    sb->is_permanent = true;
    *at = t->next; /* one client for each */
    *out = sb;
    return make_root(fs);
}
