/* What the files that change directories share; private to the vfs. */
#pragma once

#include "walk.h"

/* May `cred` make a name in the directory, or take `victim` out of it?  -EACCES, -EPERM (sticky),
 * -ENOTDIR, -EISDIR; the directory is locked. */
must_check int namei_may_create(struct inode *dir, const struct cred *cred);
must_check int namei_may_delete(struct inode *dir, struct dentry *victim, bool want_dir,
                                const struct cred *cred);

unsigned namei_umask(const struct walk *w, unsigned mode);

void namei_init(void); /* boot: mount_init_root calls it */
