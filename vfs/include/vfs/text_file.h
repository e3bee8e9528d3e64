/* Files whose text is made at the moment they are read: what /proc and /sys consist of. */
#pragma once

#include <vfs/file.h>
#include <vfs/inode.h>

/* Text that grows; what does not fit into memory makes the read fail with -ENOMEM. */
struct text {
    char *buf;
    size_t len, room;
    bool is_out_of_memory;
};
void text_put(struct text *t, const void *bytes, size_t n);
void text_print(struct text *t, const char *format, ...) printf_like(2, 3);

/* Make the text: 0 or -errno.  Thread context; a mutex of RANK_FILE_POS may be held. */
typedef int text_show_fn(struct text *t, struct inode *i);
/* Take what was written, NUL-terminated at text[n]: 0 or -errno. */
typedef int text_store_fn(struct inode *i, const char *text, size_t n);

/* An opened file of such text; for inode_ops.open.  0 or -ENOMEM.  `store` NULL: writing is -EIO. */
must_check int text_open(struct file *f, text_show_fn *show, text_store_fn *store);

/* The simple case: a file whose inode->data is one of these. */
struct text_source {
    text_show_fn *show;
    text_store_fn *store;
    const char *string; /* for text_show_string, and of any use to others */
};
extern const struct inode_ops text_inode_ops;
int text_show_string(struct text *t, struct inode *i);
/* A file of it in an in-memory tree (vfs/simplefs.h); NULL: no memory. */
struct dentry *text_file(struct dentry *dir, const char *name, unsigned mode,
                         const struct text_source *source);
