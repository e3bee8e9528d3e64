/* What tmpfs keeps for each file; shared by its two halves, tmpfs.c (names, inodes) and
 * tmpfs_file.c (contents). */
#pragma once

#include <vfs/inode.h>
#include <vfs/tmpfs.h>

#include "pagecache.h"
#include "xattr.h"

struct tmpfs_sb {
    uint64_t max_pages;
    uint64_t used_pages; /* atomic; without those of backings */
    uint64_t nr_inodes;  /* atomic */
};

struct tmpfs_node {
    /* regular files */
    struct pagecache cache;
    /* Contents that were in memory before: bytes [0, backing_size) where no page is.  Guarded by
     * the inode's lock, and changed under the cache's too; the memory is given to the allocator
     * with the file. */
    const uint8_t *backing;
    uint64_t backing_size, backing_total;

    char *target;         /* symbolic links; immutable */
    struct xattrs xattrs; /* guarded by the inode's lock */
};

static inline struct tmpfs_node *tmpfs_node(struct inode *i)
{
    return i->data;
}

extern const struct file_ops tmpfs_file_ops;
extern const struct vm_object_ops tmpfs_object_ops;

void tmpfs_file_init(void); /* boot: tmpfs_init calls it */
/* Change the size: inode_ops.set_attr's half that concerns contents.  i->lock held. */
must_check int tmpfs_set_size(struct inode *i, uint64_t size);
int tmpfs_fallocate(struct inode *i, int mode, int64_t offset, int64_t len);
void tmpfs_free_contents(struct inode *i);
