/* tmpfs: files in memory; the root file system is one. */
#pragma once

#include <vfs/inode.h>
#include <vfs/path.h>

/* One reference, an empty root directory with `root_mode`; at most max_bytes of file pages (0: half of RAM).
 * NULL: no memory. */
struct superblock *tmpfs_new_superblock(uint64_t max_bytes, unsigned root_mode) must_check;

/* memfd_create(2): a nameless file, open for reading and writing.  O_* in flags (O_CLOEXEC is the caller's).  Its
 * seals (inode->seals) start as given. */
must_check int tmpfs_new_memfd(const char *name, int flags, unsigned seals, struct file **out);

/* A regular file in `dir` whose contents are already in memory at `data`, which the file owns from now on, in the
 * direct map.  Whole, page-aligned pages are used in place; others are copied when first touched.  -EEXIST,
 * -ENOMEM, -ENOTDIR. */
must_check int tmpfs_new_backed_file(struct dentry *dir, const char *name, unsigned mode, const void *data,
                                     size_t size);
void tmpfs_init(void); /* boot: registers the type */

/* The root of everything: a tmpfs on / with the standard directories that an archive may not bring. */
must_check int rootfs_init(struct path *root);
/* Afterwards: make what the archive did not bring, and mount devfs, proc and sysfs. */
must_check int rootfs_finish(const struct path *root);
