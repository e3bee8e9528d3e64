/* tmpfs: files in memory; the root file system is one. */
#pragma once

#include <vfs/inode.h>
#include <vfs/path.h>

/* One reference, an empty root directory with `root_mode`; at most max_bytes of file pages (0: half
 * of RAM). NULL: no memory. */
struct superblock *tmpfs_new_superblock(uint64_t max_bytes, unsigned root_mode) must_check;

/* memfd_create(2): a nameless file, open for reading and writing.  O_* in flags (O_CLOEXEC is the
 * caller's).  Its seals (inode->seals) start as given. */
must_check int tmpfs_new_memfd(const char *name, int flags, unsigned seals, struct file **out);

/* A regular file in `dir` whose contents are already in memory at `data`, which the file owns from
 * now on, in the direct map.  Whole, page-aligned pages are used in place; others are copied when
 * first touched.  -EEXIST, -ENOMEM, -ENOTDIR. */
must_check int tmpfs_new_backed_file(struct dentry *dir, const char *name, unsigned mode,
                                     const void *data, size_t size);
/* The same for an empty file of a tmpfs that exists already.  False: it is not empty, or not of a
 * tmpfs. */
must_check bool tmpfs_set_backing(struct inode *i, const void *data, size_t size);
void tmpfs_init(void); /* rootfs_init's: registers the type */

/* The root of everything: a tmpfs on /.  *root is referenced.  Then unpack archives, and: */
must_check int rootfs_init(struct path *root);
/* Make the directories that the archive did not bring (/dev /proc /sys /tmp...), and mount
 * devtmpfs, proc, sysfs as far as such types are registered, and tmpfs on /dev/shm.  What fails is
 * said on the log. */
void rootfs_finish(const struct path *root);
