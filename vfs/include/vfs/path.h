/* Names to inodes.  Path walking never asks "who is current": the caller passes what it depends on. */
#pragma once

#include <core/atomic.h>
#include <core/lock.h>
#include <vfs/inode.h>

struct mount;

/* A place in the tree, both referenced.  `mount` is NULL for an anonymous object (a pipe behind /proc/self/fd/N). */
struct path {
    struct mount *mount;
    struct dentry *dentry;
};
void path_get(struct path *p);
void path_put(struct path *p); /* and clears it */

/* Root, working directory and umask of a process (CLONE_FS shares it). */
struct fs_context {
    struct ref ref;
    struct spinlock lock; /* RANK_DENTRY - guards: */
    struct path root, cwd;
    unsigned umask;
};
struct fs_context *fs_context_new(const struct path *root, const struct path *cwd) must_check;
struct fs_context *fs_context_copy(struct fs_context *fs) must_check;
void fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
/* chdir, chroot: take references of their own.  And copies of what is there now, referenced. */
void fs_context_set_cwd(struct fs_context *fs, const struct path *p);
void fs_context_set_root(struct fs_context *fs, const struct path *p);
void fs_context_cwd(struct fs_context *fs, struct path *p);
void fs_context_root(struct fs_context *fs, struct path *p);

/* What a walk depends on. */
struct walk {
    struct fs_context *fs;
    const struct cred *cred;
    /* Where a relative path starts (the file of a dirfd); NULL: fs->cwd. */
    struct file *at;
};

enum walk_flags {
    WALK_FOLLOW = 1,    /* follow a symbolic link in the last place */
    WALK_DIRECTORY = 2, /* -ENOTDIR unless the result is one */
    WALK_EMPTY = 4,     /* AT_EMPTY_PATH: "" means `at` itself */
    WALK_NO_SYMLINKS = 8,
    WALK_BENEATH = 16,
    WALK_IN_ROOT = 32,
    WALK_NO_XDEV = 64,
    WALK_NO_MAGICLINKS = 128, /* openat2 */
};

/* Resolve; *out is referenced.  -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG as path_resolution(7). */
must_check int path_walk(const struct walk *w, const char *name, unsigned flags, struct path *out);

/* open(2) on a kernel string: flags O_*, mode for O_CREAT (umask applied).  -errno as open(2). */
must_check int path_open(const struct walk *w, const char *name, int flags, unsigned mode,
                         struct file **out);
/* openat2(2): with WALK_* restrictions (resolve). */
must_check int path_open_resolve(const struct walk *w, const char *name, int flags, unsigned mode,
                                 unsigned resolve, struct file **out);
/* Linux's build_open_flags(): what open(2) ignores is taken out, what it refuses before it looks at the name is -EINVAL. */
must_check int path_check_open_flags(int *flags);
/* Open what a walk has found (not O_CREAT). */
must_check int path_open_place(const struct path *p, const struct cred *cred, int flags,
                               struct file **out);

/* mknod, mkdir, symlink, link, unlink, rmdir, rename: the bodies behind the system calls. */
must_check int path_mknod(const struct walk *w, const char *name, unsigned mode, uint64_t rdev);
/* path_mknod; the new place in *out, referenced, unless `out` is NULL. */
must_check int path_make_node(const struct walk *w, const char *name, unsigned mode, uint64_t rdev,
                              struct path *out);
must_check int path_mkdir(const struct walk *w, const char *name, unsigned mode);
must_check int path_symlink(const struct walk *w, const char *target, const char *name);
/* 0, or why mknod(2) makes no such node (-EPERM, -EINVAL), whatever its name. */
must_check int path_check_node(unsigned mode);
must_check int path_link(const struct walk *w, const char *old, const char *name);
/* Its two halves: the place of the old name (AT_SYMLINK_FOLLOW, AT_EMPTY_PATH; *place is referenced), the new name. */
must_check int path_find_link(const struct walk *from, const char *old, int at_flags,
                              struct path *place);
must_check int path_link_place(const struct path *old, const struct walk *to, const char *name);
must_check int path_unlink(const struct walk *w, const char *name);
must_check int path_rmdir(const struct walk *w, const char *name);
must_check int path_rename(const struct walk *from, const char *old, const struct walk *to,
                           const char *name, unsigned rename_flags);

/* RENAME_* that are not known, or not together: -EINVAL. */
must_check int path_check_rename_flags(unsigned flags);

/* inode_set_attr of a place: -EROFS, and its watchers hear of it. */
must_check int path_set_attr(const struct path *p, const struct inode_attr *attr,
                             const struct cred *cred);

/* The name of a place as seen from `root` ("(unreachable)" and " (deleted)" as Linux writes them): length or
 * -ENAMETOOLONG. */
must_check ssize_t path_name(const struct path *root, const struct path *p, char *buf, size_t size);

/* Was the name removed?  (The place itself lives while it is referenced.) */
bool path_is_deleted(const struct path *p);

/* access(2) for `cred`: mask of MAY_READ, MAY_WRITE, MAY_EXEC.  0 or -EACCES, -EROFS. */
must_check int inode_permission(struct inode *inode, const struct cred *cred, unsigned mask);
