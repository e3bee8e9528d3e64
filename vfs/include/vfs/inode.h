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
struct superblock;
struct path;

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* Credentials, as far as files ask (the rest is kernel/proc's). */
struct cred {
    struct ref ref;
    uint32_t uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
    unsigned nr_groups;
    uint32_t *groups;
    uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding, cap_ambient;
};

/* stat(2)'s answer before it is laid out for an ABI. */
struct inode_stat {
    uint64_t dev, ino, rdev, size, blocks;
    uint32_t mode, nlink, uid, gid, blksize;
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
};

/* Which attributes inode_set_attr changes (chmod, chown, truncate, utimensat). */
enum { ATTR_MODE = 1, ATTR_UID = 2, ATTR_GID = 4, ATTR_SIZE = 8, ATTR_ATIME = 16, ATTR_MTIME = 32 };
struct inode_attr {
    unsigned mask;
    uint32_t mode, uid, gid;
    int64_t size, atime_ns, mtime_ns;
};

/* Directory operations are called with dir->lock held.  NULL members answer -EPERM (changes), -EINVAL (readlink)
 * or -ENOENT (lookup). */
struct inode_ops {
    /* Fill `d` (negative dentry of the wanted name) from the file system: 0, also when there is no such name.
     * NULL: the tree is in memory, and a name without a dentry does not exist. */
    int (*lookup)(struct inode *dir, struct dentry *d);
    /* Make `d` positive. */
    int (*create)(struct inode *dir, struct dentry *d, unsigned mode, uint64_t rdev, const struct cred *cred);
    int (*mkdir)(struct inode *dir, struct dentry *d, unsigned mode, const struct cred *cred);
    int (*symlink)(struct inode *dir, struct dentry *d, const char *target, const struct cred *cred);
    int (*link)(struct inode *dir, struct dentry *d, struct inode *target);
    int (*unlink)(struct inode *dir, struct dentry *d);
    int (*rmdir)(struct inode *dir, struct dentry *d);
    int (*rename)(struct inode *from, struct dentry *old, struct inode *to, struct dentry *new, unsigned flags);
    /* A nameless regular file (O_TMPFILE). */
    int (*tmpfile)(struct inode *dir, unsigned mode, const struct cred *cred, struct inode **out);
    /* The target of a symbolic link, NUL-terminated: length.  */
    ssize_t (*readlink)(struct inode *i, char *buf, size_t size);
    /* A link that leads to a place without a name (/proc/self/fd/N): references in *out.  NULL: use readlink. */
    int (*follow)(struct inode *i, struct path *out);
    /* An opened file's operations and data; the default is i->file_ops. */
    int (*open)(struct inode *i, struct file *f);
    int (*set_attr)(struct inode *i, const struct inode_attr *attr, const struct cred *cred);
    void (*get_stat)(struct inode *i, struct inode_stat *st);  /* NULL: from the fields */
    int (*fallocate)(struct inode *i, int mode, int64_t offset, int64_t len);
    ssize_t (*getxattr)(struct inode *i, const char *name, void *value, size_t size);
    int (*setxattr)(struct inode *i, const char *name, const void *value, size_t size, int flags);
    ssize_t (*listxattr)(struct inode *i, char *list, size_t size);
    int (*removexattr)(struct inode *i, const char *name);
    void (*free)(struct inode *i); /* the last reference is gone and nlink is 0, or the file system goes */
};

struct inode {
    struct ref ref;
    struct superblock *sb;
    const struct inode_ops *ops;
    const struct file_ops *file_ops;
    void *data;               /* the file system's */
    uint64_t ino, rdev;
    struct mutex lock;        /* RANK_INODE - guards: */
    uint32_t mode, uid, gid, nlink;
    uint64_t size, blocks;    /* blocks of 512 bytes */
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
    struct vm_object object;  /* page cache of a regular file */
    struct file_locks *locks; /* flock and POSIX locks; NULL: none yet */
    struct watches *watches;  /* inotify; NULL: none */
    struct pipe *pipe;        /* of an open FIFO */
};

struct superblock {
    const char *type;         /* "tmpfs" for statfs and /proc/mounts */
    const struct superblock_ops *ops;
    uint64_t dev;             /* st_dev */
    uint64_t magic;           /* f_type */
    struct dentry *root;
    uint64_t next_ino;        /* atomic */
    bool is_read_only;
    void *data;
};

/* Character devices by number: what a device node opens.  `ops->open`-like set-up goes in `open`. */
struct chardev {
    const char *name;         /* "/dev/" + name is made by devfs */
    unsigned major, minor, mode;
    const struct file_ops *ops;
    int (*open)(struct file *f, void *arg); /* NULL: nothing to do */
    void *arg;
    struct chardev *next;     /* the registry's */
};
void chardev_register(struct chardev *dev); /* before or after devfs is mounted */
