/* Mounts: file systems and where they hang in the tree of names. */
#pragma once

#include <core/atomic.h>
#include <vfs/inode.h>
#include <vfs/path.h>

struct mount {
    struct ref ref;        /* paths; the tree of mounts holds one */
    struct superblock *sb; /* referenced */
    struct dentry *root;   /* referenced: sb->root, or another place of it (MS_BIND) */
    char *source;          /* first column of /proc/mounts */
    int id;
    /* mount.c's lock guards the following */
    unsigned flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME...; read without it */
    struct mount *parent;    /* referenced; NULL: the root, or unmounted */
    struct dentry *point;    /* in `parent`, referenced */
    struct mount *next_here; /* others on the same dentry */
    struct list node;        /* of all mounts, in order of mounting */
    unsigned nr_children;    /* mounts whose parent this is */
};

/* Boot: the first file system becomes the root of everything; *root is referenced. */
must_check int mount_init_root(struct superblock *sb, struct path *root);
/* Mount on a directory by its absolute kernel path, seen from the first root; takes over sb's
 * reference on success.  -errno as mount(2). */
must_check int path_mount_at(const char *where, struct superblock *sb, unsigned flags);

/* Types that mount(2) knows.  `make` answers a superblock with a reference for the caller; options
 * may be "". */
struct mount_type {
    const char *name;
    int (*make)(const char *options, struct superblock **sb);
    bool needs_device;       /* no "nodev" in /proc/filesystems */
    struct mount_type *next; /* the registry's */
};
void mount_register_type(struct mount_type *type); /* boot */
const struct mount_type *mount_types(void);        /* first of the list; for /proc/filesystems */

/* mount(2) and umount2(2) on kernel strings; rights are checked here. */
must_check int path_mount(const struct walk *w, const char *source, const char *target,
                          const char *type, unsigned long flags, const char *options);
#define MOUNT_UMOUNT_FLAGS \
    15 /* MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW: others the caller refuses */
must_check int path_umount(const struct walk *w, const char *target, int flags);

/* For /proc/mounts and /proc/self/mountinfo: one call per mount, in order of mounting, those that
 * `root` reaches only; `where` is the path as seen from `root`.  Thread context. */
struct mount_info {
    int id, parent_id;
    const char *source, *where, *inside; /* inside: the root's path within its file system */
    const char *type;
    uint64_t dev;
    unsigned flags;
};
typedef void mount_visit_fn(void *arg, const struct mount_info *info);
must_check int mount_visit(const struct path *root, mount_visit_fn *visit,
                           void *arg); /* 0 or -ENOMEM */

/* A mount that shows all of the file system, referenced; NULL: none. */
struct mount *mount_of(struct superblock *sb);
void mount_get(struct mount *m); /* NULL is fine */
void mount_put(struct mount *m);
/* May the place be changed?  0 or -EROFS. */
must_check int mount_want_write(const struct path *p);
/* From a mount point down to what is mounted on it (the topmost), and from a mount's root up to
 * where it hangs; both replace the references in *p and answer whether they moved. */
bool mount_step_down(struct path *p);
bool mount_step_up(struct path *p);
void mount_sync_all(void); /* sync(2) */
