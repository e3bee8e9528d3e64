/* Path arguments: from user memory, with the directory they start from. */
#pragma once

#include <proc/cred.h>
#include <proc/process.h>
#include <vfs/mount.h>
#include <vfs/path.h>

/* A string of at most PATH_MAX bytes with its NUL.  Nearly all are short, and those cost no
 * allocation. */
struct user_name {
    char *s; /* small, or from the heap */
    char small[216];
};
/* 0, -EFAULT, -ENAMETOOLONG, -ENOMEM; on success undone by user_name_end. */
must_check int user_name_begin(struct user_name *n, struct uptr p);
void user_name_end(struct user_name *n);

/* A dirfd and a path: what path_walk and its like take. */
struct user_path {
    struct walk w;
    struct user_name name;
};
/* With AT_EMPTY_PATH among at_flags: NULL is an empty path, which only some calls know. */
#define USER_PATH_NULL (1 << 30)
/* -ENOENT (empty, without AT_EMPTY_PATH in at_flags), -EBADF, and user_name_begin's; undone by
 * user_path_end. */
must_check int user_path_begin(struct user_path *u, int dirfd, struct uptr path, int at_flags);
void user_path_end(struct user_path *u);

/* All of it for those who want the place.  AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH in at_flags. */
must_check int user_path_walk(int dirfd, struct uptr path, int at_flags, struct path *out);

/* The place of an open file, borrowed; O_PATH descriptors included. */
static inline struct path file_place(struct file *f)
{
    return (struct path){f->mount, f->dentry};
}
