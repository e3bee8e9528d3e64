/* Mounting file systems. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/fcntl.h>
#include <syscalls/bodies.h>

#include "names.h"

/* A string that may be NULL: then *s is NULL.  Undone by heap_free. */
static int copy_string(struct uptr p, char **s)
{
    *s = NULL;
    if (uptr_is_null(p))
        return 0;
    char *copy = heap_alloc(PAGE_SIZE);
    if (!copy)
        return -ENOMEM;
    long len = user_read_string(copy, p, PAGE_SIZE);
    if (len < 0) {
        heap_free(copy);
        return len == -ENAMETOOLONG ? -EINVAL : len;
    }
    *s = copy;
    return 0;
}

static long mount_on(struct uptr target, const char *source, const char *type, unsigned long flags,
                     const char *data)
{
    struct user_path u;
    int ret = user_path_begin(&u, AT_FDCWD, target, 0);
    if (ret < 0)
        return ret;
    ret = path_mount(&u.w, source, u.name.s, type, flags, data);
    user_path_end(&u);
    return ret;
}

long sys_mount(struct uptr source, struct uptr target, struct uptr fstype, unsigned long mountflags,
               struct uptr data)
{
    char *text[3] = {NULL, NULL, NULL};
    long ret = copy_string(fstype, &text[0]);
    if (ret == 0)
        ret = copy_string(source, &text[1]);
    if (ret == 0)
        ret = copy_string(data, &text[2]);
    if (ret == 0)
        ret = mount_on(target, text[1], text[0], mountflags, text[2]);
    for (unsigned n = 0; n < ARRAY_LEN(text); n++)
        heap_free(text[n]);
    return ret;
}

long sys_umount2(struct uptr target, int flags)
{
    struct user_path u;
    if (flags & ~MOUNT_UMOUNT_FLAGS)
        return -EINVAL;
    int ret = user_path_begin(&u, AT_FDCWD, target, 0);
    if (ret < 0)
        return ret;
    ret = path_umount(&u.w, u.name.s, flags);
    user_path_end(&u);
    return ret;
}
