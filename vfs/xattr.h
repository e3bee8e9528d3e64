/* Extended attributes kept in memory. */
#pragma once

#include <base/list.h>

struct xattrs {
    struct list list; /* struct xattr; not initialised while `nr` is 0 */
    unsigned nr;
};

/* As the inode_ops of the same names; the inode's lock is held. */
ssize_t xattrs_get(struct xattrs *x, const char *name, void *value, size_t size);
must_check int xattrs_set(struct xattrs *x, const char *name, const void *value, size_t size,
                          int flags);
ssize_t xattrs_list(struct xattrs *x, char *list, size_t size);
must_check int xattrs_remove(struct xattrs *x, const char *name);
void xattrs_free(struct xattrs *x);
