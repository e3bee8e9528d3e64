/* Path arguments: from user memory, with the directory they start from. */
#include <base/errno.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <linux/limits.h>

#include "names.h"

int user_name_begin(struct user_name *n, struct uptr p)
{
    n->s = n->small;
    long len = user_read_string(n->small, p, sizeof(n->small));
    if (likely(len != -ENAMETOOLONG))
        return len < 0 ? len : 0;
    n->s = heap_alloc(PATH_MAX);
    if (!n->s)
        return -ENOMEM;
    len = user_read_string(n->s, p, PATH_MAX);
    if (len < 0)
        heap_free(n->s);
    return len < 0 ? len : 0;
}

void user_name_end(struct user_name *n)
{
    if (unlikely(n->s != n->small))
        heap_free(n->s);
}

int user_path_begin(struct user_path *u, int dirfd, struct uptr path, int at_flags)
{
    int ret = 0;
    bool may_be_empty = at_flags & AT_EMPTY_PATH;
    if (may_be_empty && at_flags & USER_PATH_NULL && uptr_is_null(path)) {
        u->name.s = u->name.small;
        u->name.small[0] = 0;
    } else {
        ret = user_name_begin(&u->name, path);
    }
    if (ret < 0)
        return ret;
    u->w = (struct walk){.fs = current_process()->fs, .cred = current_cred()};
    if (!*u->name.s && !may_be_empty)
        ret = -ENOENT;
    if (dirfd != AT_FDCWD && *u->name.s != '/' && ret == 0) {
        u->w.at = fd_get(current_process()->files, dirfd);
        if (!u->w.at)
            ret = -EBADF;
    }
    if (ret < 0)
        user_name_end(&u->name);
    return ret;
}

void user_path_end(struct user_path *u)
{
    if (u->w.at)
        file_put(u->w.at);
    user_name_end(&u->name);
}

int user_path_walk(int dirfd, struct uptr path, int at_flags, struct path *out)
{
    struct user_path u;
    int ret = user_path_begin(&u, dirfd, path, at_flags);
    if (ret < 0)
        return ret;
    unsigned flags = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
                     (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    ret = path_walk(&u.w, u.name.s, flags, out);
    user_path_end(&u);
    return ret;
}
