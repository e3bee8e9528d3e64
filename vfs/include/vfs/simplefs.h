/* Pseudo file systems whose tree is built by calls: devfs, procfs, sysfs.
 *
 * Everything made here stays for good unless simple_remove takes it away; what a function answers
 * belongs to the tree, the caller needs no reference.  NULL means no memory.  `mode` is permissions
 * only (0444).  Dynamic entries come from a directory's own inode_ops.lookup and file_ops.readdir
 * (see dir_readdir in vfs/inode.h). */
#pragma once

#include <vfs/inode.h>

/* A file system with an empty root directory; register it for mount(2) with mount_register_type. */
struct superblock *simple_superblock(const char *type, uint64_t magic,
                                     unsigned root_mode) must_check;

struct dentry *simple_dir(struct dentry *parent, const char *name, unsigned mode);
/* A regular file.  At open f->ops is `ops` and f->data is NULL; `data` is f->inode->data. */
struct dentry *simple_file(struct dentry *parent, const char *name, unsigned mode,
                           const struct file_ops *ops, void *data);
struct dentry *simple_symlink(struct dentry *parent, const char *name, const char *target);
/* A device node: S_IFCHR or S_IFBLK in `mode`.  It opens through chardev_open. */
struct dentry *simple_node(struct dentry *parent, const char *name, unsigned mode, uint64_t rdev);
/* Anything else: full mode (S_IF* included), own operations; either may be NULL for the simple
 * ones. */
struct dentry *simple_special(struct dentry *parent, const char *name, unsigned mode,
                              const struct inode_ops *ops, const struct file_ops *file_ops,
                              void *data);
void simple_remove(struct dentry *d); /* a directory with all that is in it */

/* For inode_ops.lookup: make `d` positive with a new inode of full `mode`; NULL operations: the
 * simple ones. */
must_check int simple_fill(struct dentry *d, unsigned mode, const struct inode_ops *ops,
                           const struct file_ops *file_ops, void *data);

/* The simple operations, to be named in own ones: attributes in memory, getdents from the tree. */
extern const struct inode_ops simple_inode_ops;
extern const struct file_ops simple_dir_file_ops;
