/* Inodes, directory entries and file-system types: what a file system implements.
 *
 * In-memory file systems (tmpfs, devfs, proc, sys) keep their tree in dentries; a file system on a device or a
 * wire is asked through lookup.  Times are nanoseconds since the epoch. */
#pragma once

#include <core/atomic.h>
#include <core/lock.h>
#include <core/vm.h>
#include <vfs/file.h>

struct inode;
struct dentry;
struct mount;
struct path;
struct superblock;
struct path;

#define F_SEAL_EXEC_ 0x20 /* newer than the oldest <linux/fcntl.h> that we build with */

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* Credentials, as far as files ask (the rest is kernel/proc's). */
struct cred {
    struct ref ref;
    uint32_t uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
    unsigned nr_groups;
    uint32_t *groups;
    uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
};

static inline bool cred_has_cap(const struct cred *c, unsigned cap)
{
    return c->cap_effective >> cap & 1;
}
bool cred_in_group(const struct cred *c, uint32_t gid); /* fsgid or a supplementary group */

/* stat(2)'s answer before it is laid out for an ABI. */
struct inode_stat {
    uint64_t dev, ino, rdev, size, blocks;
    uint32_t mode, nlink, uid, gid, blksize;
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
};

/* statfs(2)'s, likewise. */
struct fs_stat {
    uint64_t type, block_size, blocks, files, files_free, fsid, name_max, flags;
    uint64_t blocks_free,
        blocks_reserved; /* for everybody, and of those that are free too for root */
};

/* Which attributes inode_set_attr changes (chmod, chown, truncate, utimensat).  ATTR_TOUCH goes with both times:
 * "now", which whoever may write the file may ask for.  ATTR_FORCE: the caller has the right already
 * (ftruncate through a writable descriptor). */
enum {
    ATTR_MODE = 1,
    ATTR_UID = 2,
    ATTR_GID = 4,
    ATTR_SIZE = 8,
    ATTR_ATIME = 16,
    ATTR_MTIME = 32,
    ATTR_TOUCH = 64,
    ATTR_FORCE = 128,
    ATTR_OWNER = 256, /* chown(2), if only with -1 for both: takes set-user-ID away */
};
struct inode_attr {
    unsigned mask;
    uint32_t mode, uid, gid;
    int64_t size, atime_ns, mtime_ns;
};

/* How names in a directory change; called with dir->lock held. */
struct dir_ops {
    /* Make `d` positive: the tree in memory calls dentry_link, which may fail. */
    int (*create)(struct inode *dir, struct dentry *d, unsigned mode, uint64_t rdev,
                  const struct cred *cred);
    int (*mkdir)(struct inode *dir, struct dentry *d, unsigned mode, const struct cred *cred);
    int (*symlink)(struct inode *dir, struct dentry *d, const char *target,
                   const struct cred *cred);
    int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
    int (*unlink)(struct inode *dir, struct dentry *d);
    int (*rmdir)(struct inode *dir, struct dentry *d);
    /* Both directories are locked.  `new` may be negative; RENAME_* in flags; all checks that are the same for
     * every file system (types, loops, permission) are done.  The tree in memory ends with dentry_move. */
    int (*rename)(struct inode *from, struct dentry *old, struct inode *to, struct dentry *new,
                  unsigned flags);
    /* A nameless regular file (O_TMPFILE).  NULL: -EOPNOTSUPP. */
    int (*tmpfile)(struct inode *dir, unsigned mode, const struct cred *cred, struct inode **out);
};

/* Extended attributes; called with i->lock held.  Values as in getxattr(2): size 0 asks for the length. */
struct xattr_ops {
    ssize_t (*get)(struct inode *i, const char *name, void *value, size_t size);
    int (*set)(struct inode *i, const char *name, const void *value, size_t size, int flags);
    ssize_t (*list)(struct inode *i, char *list, size_t size);
    int (*remove)(struct inode *i, const char *name);
};

/* lookup and revalidate are called with dir->lock held.  NULL members answer -EINVAL (readlink) or -ENOENT (lookup). */
struct inode_ops {
    const struct dir_ops *dir;      /* NULL: -EPERM */
    const struct xattr_ops *xattrs; /* NULL: -EOPNOTSUPP */
    /* Fill `d` (negative dentry of the wanted name) from the file system: 0, also when there is no such name.
     * NULL: the tree is in memory, and a name without a dentry does not exist.  A directory may have both, names
     * in memory and others that lookup answers (/proc): memory is looked at first. */
    int (*lookup)(struct inode *dir, struct dentry *d);
    /* A linked child's valid_until has passed: 1 when it still is what its name means; 0 when it is not, and was
     * unlinked; -errno.  Needed where dentries have such a time. */
    int (*revalidate)(struct inode *dir, struct dentry *d);
    /* The target of a symbolic link, NUL-terminated: length.  */
    ssize_t (*readlink)(struct inode *i, char *buf, size_t size);
    /* A link that leads to a place without a name (/proc/self/fd/N): references in *out, whose mount is NULL for
     * an anonymous object (dentry_new_anon).  NULL: use readlink. */
    int (*follow)(struct inode *i, struct path *out);
    /* An opened file's operations and data: called without locks, with f->ops = i->file_ops and f->data NULL.
     * NULL: by type: chardev_open, fifo_open, or nothing to do. */
    int (*open)(struct inode *i, struct file *f);
    /* i->lock is held and permission checked; usually inode_apply_attr, with the size done first.  NULL: -EPERM. */
    int (*set_attr)(struct inode *i, const struct inode_attr *attr, const struct cred *cred);
    void (*get_stat)(struct inode *i, struct inode_stat *st); /* NULL: from the fields */
    /* The attributes are about to be told: bring them up to date.  Thread context.  NULL: they are. */
    void (*refresh)(struct inode *i);
    int (*fallocate)(struct inode *i, int mode, int64_t offset,
                     int64_t len); /* i->lock held; NULL: -EOPNOTSUPP */
    /* The last reference, mappings included, is gone: free what is private, not the inode itself. */
    void (*free)(struct inode *i);
};

struct inode {
    /* users; a mapping holds object.ref instead, and the memory goes with the last of both */
    struct ref ref;
    struct superblock *sb;
    const struct inode_ops *ops;
    const struct file_ops *file_ops;
    void *data; /* the file system's */
    uint64_t ino, rdev;
    uint32_t nlink; /* atomic: unlink does not lock the file itself */
    /* F_SEAL_* of a memfd, F_SEAL_SEAL for every other file; changed under `lock` */
    uint32_t seals;
    int32_t writers;    /* atomic: open files that may write; < 0: programs that run from it */
    uint8_t write_hint; /* atomic: RWH_* of fcntl(2) */
    bool is_linkable;   /* O_TMPFILE without O_EXCL: link(2) may give it its first name */
    /* RANK_INODE - guards the following against change.  Each is read without it: stat and permission checks see
     * the old or the new value, as on Linux. */
    struct mutex lock;
    uint32_t mode, uid, gid;
    uint64_t size, blocks; /* blocks of 512 bytes */
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
    struct vm_object object; /* page cache of a regular file */
    /* a name of it, not referenced: for /proc/PID/maps; dentry.c's alias lock */
    struct dentry *alias;
    struct file_locks *locks; /* flock and POSIX locks; NULL: none yet */
    struct watches *watches;  /* inotify; NULL: none */
    struct pipe *pipe;        /* of an open FIFO */
};

/* A new inode with one reference, owned by root, times now, nlink 1 (2 for a directory), the file system's next
 * number.  `extra` zeroed bytes behind it become ->data (0: NULL).  NULL: no memory. */
struct inode *inode_new(struct superblock *sb, unsigned mode, size_t extra) must_check;
/* The inode of an anonymous object (pipe, eventfd...): of a file system that is mounted nowhere.  Full mode. */
struct inode *inode_new_anon(unsigned mode) must_check;
void inode_get(struct inode *i);
void inode_put(struct inode *i); /* thread context */

/* For the vm_object_ops of a file system with a page cache: free (exactly this), name and identity. */
void inode_object_free(struct vm_object *o);
void inode_object_name(struct vm_object *o, char *buf, size_t size);
void inode_object_identity(struct vm_object *o, uint64_t *dev, uint64_t *ino);

/* A regular file is either written to or run, ETXTBSY to who comes second: claim it for one of them, and let go.
 * 0 or -ETXTBSY. */
must_check int inode_claim_write(struct inode *i);
void inode_release_write(struct inode *i);
must_check int inode_claim_exec(struct inode *i);
void inode_release_exec(struct inode *i);

void inode_get_stat(struct inode *i, struct inode_stat *st);
/* chmod, chown, truncate, utimensat with their permission rules; locks the inode.  -EPERM, -EACCES, -EROFS is the
 * caller's (it knows the mount). */
must_check int inode_set_attr(struct inode *i, const struct inode_attr *attr,
                              const struct cred *cred);
/* The xattr family with the policy of xattr(7): -EPERM, -EACCES, -ENODATA, -EOPNOTSUPP...  Size 0 asks for the
 * length only.  The caller has checked the name's length and the mount. */
ssize_t inode_getxattr(struct inode *i, const struct cred *cred, const char *name, void *value,
                       size_t size);
must_check int inode_setxattr(struct inode *i, const struct cred *cred, const char *name,
                              const void *value, size_t size, int flags);
must_check int inode_removexattr(struct inode *i, const struct cred *cred, const char *name);
ssize_t inode_listxattr(struct inode *i, const struct cred *cred, char *list, size_t size);
/* ops->set_attr of a file system that keeps attributes in the inode only: everything but the size. */
int inode_apply_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred);
/* Contents changed (mtime and ctime), or attributes (ctime). */
/* A new inode's owner and group, and S_ISGID as it is inherited: mode is completed in place. */
void inode_set_owner(struct inode *i, const struct inode *dir, const struct cred *cred);
/* RLIMIT_FSIZE of whoever writes: kernel/proc says how far a write of *n bytes at `pos` may go by lowering *n, or
 * answers -EFBIG (and has sent SIGXFSZ).  Without a function there is no limit. */
typedef int inode_limit_fn(int64_t pos, size_t *n);
void inode_set_limit(inode_limit_fn *fn);
must_check int inode_check_limit(int64_t pos, size_t *n);
/* What a write or truncation without CAP_FSETID takes away: set-user-ID and set-group-ID.  i->lock held. */
void inode_drop_suid(struct inode *i);
/* The same before a write, unless who writes has CAP_FSETID now: kernel/proc says so. */
void inode_written(struct inode *i);
typedef bool inode_fsetid_fn(void);
void inode_set_fsetid(inode_fsetid_fn *fn);
void inode_touch_mtime(struct inode *i);
void inode_touch_ctime(struct inode *i);
/* Contents were read: atime by the rule of relatime. */
void inode_touch_atime(struct inode *i);

/* What open(2) on a device node or FIFO does; vfs/devfs.c and vfs/pipe.c.  Fill f->ops and f->data. */
must_check int chardev_open(struct inode *i, struct file *f);
must_check int fifo_open(struct inode *i, struct file *f);

/* A name in a directory.
 *
 * In-memory trees hold one reference to each of their dentries ("linked"); any other dentry (of a removed name, or
 * answered by ops->lookup) lives as long as it is used.  A linked dentry is in its parent's hash table and in its
 * parent's list, ordered by `pos`. */
struct dentry {
    struct ref ref;
    uint32_t hash; /* of the name; changes like the name */
    struct superblock *sb;
    struct inode *inode; /* referenced; NULL: no such name; set once */
    /* what is mounted here, in any mount of this file system; mount.c's lock and, to change it, `lock` */
    struct mount *mounts;
    /* RANK_DENTRY - guards parent and name against change (rename holds the locks of both directories too, so a
     * holder of either may read them as well), and: */
    struct spinlock lock;
    /* atomic; arch_clock_ns(), then inode_ops.revalidate is asked; 0: for ever */
    uint64_t valid_until;
    bool is_dead;            /* a removed directory: nothing can be linked into it */
    struct dentry *parent;   /* referenced; itself for a root or anonymous object */
    struct dentry **buckets; /* children by hash; NULL: none yet */
    unsigned nr_buckets, nr_children;
    struct list children;  /* linked ones by `pos` */
    struct dentry *cursor; /* where the last search by position ended; NULL: nowhere */
    uint64_t next_pos;
    /* guarded by parent->lock: */
    struct dentry *hash_next;
    struct list sibling;
    uint64_t pos; /* readdir's position: grows in order of creation, never reused */
    bool is_linked;
    /* the name */
    uint16_t name_len;
    char *name; /* short_name or heap */
    char short_name[32];
};

/* Negative, referenced, known to nobody; holds a reference to its parent.  NULL: no memory. */
struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len) must_check;
/* The root of a file system, or an object without a place in any: takes over the inode's reference (also when
 * it answers NULL: no memory). */
struct dentry *dentry_new_root(struct inode *inode) must_check;
struct dentry *dentry_new_anon(struct inode *inode, const char *name) must_check;
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d); /* thread context */

/* Make a negative dentry positive, taking over the inode's reference; for ops->lookup. */
void dentry_fill(struct dentry *d, struct inode *inode);
/* dentry_fill and a place in the in-memory tree.  The directory's inode is locked.  -ENOENT when the directory was
 * removed, -ENOMEM; the inode's reference is dropped then. */
must_check int dentry_link(struct dentry *d, struct inode *inode);
/* Out of the tree.  The caller holds a reference of its own, and the directory's lock. */
void dentry_unlink(struct dentry *d);
/* dentry_unlink, unless somebody but the tree and the caller has a reference, or a mount hangs there: done? */
bool dentry_unlink_unused(struct dentry *d);
/* Is the directory empty and nothing mounted on it?  Then it stays so: for rmdir.  0, -ENOTEMPTY, -EBUSY. */
must_check int dentry_kill_empty(struct dentry *dir);
/* `d` takes the name and place of `target`, which leaves the tree if it was there; or they swap.  Both directories
 * are locked.  -ENOTEMPTY, -EBUSY (a directory in the way), -ENOENT (the new directory was removed), -ENOMEM. */
must_check int dentry_move(struct dentry *d, struct dentry *target, bool exchange);
/* The dentry of a name, referenced; NULL: not in memory.  Without the directory's lock, NULL may also mean that a
 * rename is just moving it: dentry_lookup knows better. */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/* The same, asking the file system when need be; takes the directory's lock only then.  0 and a positive dentry
 * in *out, -ENOENT, -ENOMEM, or what ops->lookup answers. */
must_check int dentry_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out);
/* With the directory's lock held already, and *out may be negative. */
must_check int dentry_lookup_locked(struct dentry *dir, const char *name, size_t len,
                                    struct dentry **out);
/* A name of the inode, referenced; NULL when none is in use. */
struct dentry *dentry_of_inode(struct inode *i);
/* The linked child with the least pos >= `pos`, referenced; NULL: none. */
struct dentry *dentry_next(struct dentry *dir, uint64_t pos);
struct dentry *dentry_parent(struct dentry *d); /* referenced */
/* The directory that it is in, referenced, and its name there, `*len` of the NAME_MAX bytes at `name`, without a 0: as both were
 * at one moment.  NULL, and nothing else: it is in none. */
struct dentry *dentry_place(struct dentry *d, char *name, size_t *len);

/* ops->readdir of an in-memory directory: ".", ".." and the linked children.  1 when all were emitted, 0 when the
 * caller's buffer was full, as file_ops.readdir.  Positions stay below DIR_POS_DYNAMIC: a directory with computed
 * entries behind them goes on from there once this has answered 1. */
#define DIR_POS_DYNAMIC (1L << 40)
int dir_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg);
/* ops->sync and ops->read of such directories; ops->seek is file_seek_endless. */
int dir_sync(struct file *f, bool data_only);
ssize_t dir_read(struct file *f, struct iobuf *to, int64_t *pos); /* -EISDIR */

struct superblock_ops {
    void (*stat)(struct superblock *sb,
                 struct fs_stat *st);    /* type, fsid, name_max are filled.  NULL: no sizes */
    int (*sync)(struct superblock *sb);  /* NULL: nothing is ever written back */
    void (*free)(struct superblock *sb); /* the last mount and the last inode are gone */
};

struct superblock {
    struct ref ref;    /* mounts */
    struct ref memory; /* inodes, and one for all mounts: inode.c's */
    const char *type;  /* "tmpfs" for statfs and /proc/mounts */
    const struct superblock_ops *ops;
    uint64_t dev;   /* st_dev */
    uint64_t magic; /* f_type */
    struct dentry *root;
    uint64_t next_ino; /* atomic */
    bool is_read_only;
    /* made once at boot, mounted any number of times (devfs, proc, sysfs): never freed */
    bool is_permanent;
    void *data;
};

/* One reference, a fresh device number, no root yet.  NULL: no memory. */
struct superblock *superblock_new(const char *type, uint64_t magic,
                                  const struct superblock_ops *ops) must_check;
void superblock_get(struct superblock *sb);
void superblock_put(
    struct superblock *sb); /* the last one frees the in-memory tree, unless is_permanent */
void superblock_get_stat(struct superblock *sb, struct fs_stat *st);

/* Character devices by number: what a device node opens.  `ops->open`-like set-up goes in `open`. */
struct chardev {
    const char *name; /* "/dev/" + name is made by devfs */
    unsigned major, minor, mode;
    const struct file_ops *ops;
    int (*open)(struct file *f, void *arg); /* NULL: nothing to do */
    void *arg;
    struct chardev *next; /* the registry's */
};
void chardev_register(struct chardev *dev); /* before or after devfs is mounted */
