/* Telling watchers (inotify) what happened to files and names. */
#pragma once

#include <core/atomic.h>
#include <linux/inotify.h>
#include <vfs/file.h>
#include <vfs/inode.h>

extern unsigned inotify_nr_watches; /* in all; atomic: most programs watch nothing */

/* The slow halves: use the inline ones. */
void inotify_post_file(struct inode *i, struct dentry *d, uint32_t mask);
void inotify_post_name(struct inode *dir, const char *name, size_t len, uint32_t mask,
                       uint32_t cookie);

/* Something happened to an inode known under dentry `d` (NULL: nameless): its own watchers hear of
 * it, and with the name those of its directory.  IN_OPEN, IN_ATTRIB; for read(2), write(2)...:
 * IN_ACCESS, IN_MODIFY; for file_put: IN_CLOSE_WRITE, IN_CLOSE_NOWRITE.  No locks held but the
 * inode's. */
static inline void inotify_file(struct inode *i, struct dentry *d, uint32_t mask)
{
    if (unlikely(atomic_load(&inotify_nr_watches)))
        inotify_post_file(i, d, mask);
}

/* A name appeared, went or moved in a directory: IN_CREATE, IN_DELETE, IN_MOVED_*; IN_ISDIR with
 * it. */
static inline void inotify_name(struct inode *dir, const char *name, size_t len, uint32_t mask,
                                uint32_t cookie)
{
    if (unlikely(atomic_load(&inotify_nr_watches)))
        inotify_post_name(dir, name, len, mask, cookie);
}

void inotify_free_watches(struct inode *i); /* inode.c: the inode goes */

/* inotify_init1(2) and friends, behind the system calls. */
must_check int inotify_new(int flags, struct file **out);
bool inotify_is(const struct file *f);
must_check int inotify_add(struct file *f, struct inode *i,
                           uint32_t mask); /* watch descriptor or -errno */
must_check int inotify_remove(struct file *f, int wd);
