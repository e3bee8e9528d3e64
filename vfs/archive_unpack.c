/* A cpio archive becomes the contents of a tmpfs.  Files are not copied: their page caches refer to
 * the archive. */
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <vfs/archive.h>
#include <vfs/path.h>
#include <vfs/tmpfs.h>

#define NR_BUCKETS 64

/* The first name of a file with several (nlink > 1): later entries with its number become links to
 * it. */
struct first_name {
    struct first_name *next;
    uint32_t ino, major, minor;
    const char *name; /* in the archive */
};

struct unpacker {
    struct walk w;
    struct first_name *names[NR_BUCKETS];
};

static const struct cred unpack_cred = {.cap_effective = ~0ul};

/* --- hard links ------------------------------------------------------------------------------- */

static struct first_name **bucket_of(struct unpacker *u, const struct archive_entry *e)
{
    return &u->names[(e->ino ^ e->major * 31 ^ e->minor * 17) % NR_BUCKETS];
}

static const char *first_name(struct unpacker *u, const struct archive_entry *e)
{
    for (struct first_name *n = *bucket_of(u, e); n; n = n->next)
        if (n->ino == e->ino && n->major == e->major && n->minor == e->minor)
            return n->name;
    return NULL;
}

static int remember_name(struct unpacker *u, const struct archive_entry *e)
{
    struct first_name *n = heap_alloc(sizeof(*n)), **bucket = bucket_of(u, e);
    if (!n)
        return -ENOMEM;
    *n = (struct first_name){*bucket, e->ino, e->major, e->minor, e->name};
    *bucket = n;
    return 0;
}

static void forget_names(struct unpacker *u)
{
    for (unsigned b = 0; b < NR_BUCKETS; b++)
        for (struct first_name *n = u->names[b], *next; n; n = next) {
            next = n->next;
            heap_free(n);
        }
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Make what is missing above `name`. */
static int make_parents(struct unpacker *u, const char *name)
{
    char *path = heap_strdup(name);
    if (!path)
        return -ENOMEM;
    int ret = 0;
    for (char *slash = strchr(path, '/'); slash && ret == 0; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        ret = path_mkdir(&u->w, path, 0755);
        *slash = '/';
        if (ret == -EEXIST)
            ret = 0;
    }
    heap_free(path);
    return ret;
}

static int make_symlink(struct unpacker *u, const struct archive_entry *e)
{
    if (e->size >= PATH_MAX)
        return -ENAMETOOLONG;
    char *target = heap_alloc(e->size + 1);
    if (!target)
        return -ENOMEM;
    memcpy(target, e->data, e->size);
    target[e->size] = 0;
    int ret = path_symlink(&u->w, target, e->name);
    heap_free(target);
    return ret;
}

/* The node itself, without contents. */
static int make_node(struct unpacker *u, const struct archive_entry *e)
{
    switch (e->mode & S_IFMT) {
    case S_IFDIR:
        return path_mkdir(&u->w, e->name, e->mode & 07777);
    case S_IFLNK:
        return make_symlink(u, e);
    default: {
        const char *first = S_ISREG(e->mode) && e->nlink > 1 ? first_name(u, e) : NULL;
        uint64_t rdev =
            (e->rdev_minor & 0xff) | e->rdev_major << 8 | (uint64_t)(e->rdev_minor & ~0xffu) << 12;
        return first ? path_link(&u->w, first, e->name) : path_mknod(&u->w, e->name, e->mode, rdev);
    }
    }
}

/* The same, over what an earlier archive has left there, and with the directories above it. */
static int make(struct unpacker *u, const struct archive_entry *e)
{
    int ret = make_node(u, e);
    if (ret == -ENOENT) {
        ret = make_parents(u, e->name);
        return ret < 0 ? ret : make_node(u, e);
    }
    if (ret != -EEXIST)
        return ret;
    ret = path_unlink(&u->w, e->name);
    if (ret == -EISDIR && S_ISDIR(e->mode))
        return 0;
    return ret < 0 ? ret : make_node(u, e);
}

static int set_attributes(struct inode *i, const struct archive_entry *e)
{
    int64_t mtime_ns = e->mtime * 1000000000L;
    struct inode_attr attr = {
        .mask = ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME | (S_ISLNK(e->mode) ? 0 : ATTR_MODE),
        .mode = e->mode & 07777,
        .uid = e->uid,
        .gid = e->gid,
        .atime_ns = mtime_ns,
        .mtime_ns = mtime_ns,
    };
    return inode_set_attr(i, &attr, &unpack_cred);
}

/* Attributes and contents of what has been made. */
static int complete(struct unpacker *u, const struct archive_entry *e)
{
    struct path p;
    int ret = path_walk(&u->w, *e->name ? e->name : ".", 0, &p);
    if (ret < 0)
        return ret;
    struct inode *i = p.dentry->inode;
    /* Of several names of a file any one may bring the contents, or each of them the same. */
    bool has_them = i->size == e->size && e->nlink > 1;
    if (S_ISREG(e->mode) && e->size > 0 && !has_them && !tmpfs_set_backing(i, e->data, e->size))
        ret = -EINVAL;
    if (ret == 0)
        ret = set_attributes(i, e);
    path_put(&p);
    return ret;
}

static int unpack_entry(struct unpacker *u, const struct archive_entry *e)
{
    int ret = *e->name ? make(u, e) : 0;
    if (ret == 0 && S_ISREG(e->mode) && e->nlink > 1 && !first_name(u, e))
        ret = remember_name(u, e);
    return ret < 0 ? ret : complete(u, e);
}

/* --- the archive ------------------------------------------------------------------------------ */

typedef int entry_fn(struct unpacker *u, const struct archive_entry *e);

static int for_each_entry(struct unpacker *u, const void *data, size_t size, entry_fn *fn)
{
    struct archive a;
    struct archive_entry e;
    int ret;
    archive_open(&a, data, size);
    while ((ret = archive_next(&a, &e)) > 0) {
        ret = fn(u, &e);
        if (ret < 0) {
            log_error("archive: cannot make /%s: error %d", e.name, -ret);
            return ret;
        }
    }
    if (ret < 0)
        log_error("archive: %s, at offset %zu of %zu", a.error, a.error_offset, size);
    return ret;
}

/* Filling a directory changes its times: they are set again at the end. */
static int restore_directory(struct unpacker *u, const struct archive_entry *e)
{
    return S_ISDIR(e->mode) ? complete(u, e) : 0;
}

int archive_unpack(const struct path *root, const void *data, size_t size)
{
    struct unpacker u = {.w.cred = &unpack_cred};
    u.w.fs = fs_context_new(root, root);
    if (!u.w.fs)
        return -ENOMEM;
    u.w.fs->umask = 0;
    int ret = for_each_entry(&u, data, size, unpack_entry);
    if (ret == 0)
        ret = for_each_entry(&u, data, size, restore_directory);
    forget_names(&u);
    fs_context_put(u.w.fs);
    return ret;
}
