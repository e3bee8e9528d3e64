/* Extended attributes kept in memory: the store of tmpfs, without policy (inode_xattr.c). */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/xattr.h>

#include "xattr.h"

struct xattr {
    struct list node;
    size_t name_len, size;
    char data[]; /* the name with its NUL, then the value */
};

static struct xattr *find(struct xattrs *x, const char *name)
{
    struct xattr *a;
    if (x->nr == 0)
        return NULL;
    list_for_each(a, &x->list, node)
        if (strcmp(a->data, name) == 0)
            return a;
    return NULL;
}

static char *value_of(struct xattr *a)
{
    return a->data + a->name_len + 1;
}

ssize_t xattrs_get(struct xattrs *x, const char *name, void *value, size_t size)
{
    struct xattr *a = find(x, name);
    if (!a)
        return -ENODATA;
    if (size == 0)
        return a->size;
    if (size < a->size)
        return -ERANGE;
    memcpy(value, value_of(a), a->size);
    return a->size;
}

static void drop(struct xattrs *x, struct xattr *a)
{
    list_remove(&a->node);
    x->nr--;
    heap_free(a);
}

int xattrs_set(struct xattrs *x, const char *name, const void *value, size_t size, int flags)
{
    struct xattr *old = find(x, name);
    if (old && flags & XATTR_CREATE)
        return -EEXIST;
    if (!old && flags & XATTR_REPLACE)
        return -ENODATA;
    size_t name_len = strlen(name);
    struct xattr *a = heap_alloc(sizeof(*a) + name_len + 1 + size);
    if (!a)
        return -ENOMEM;
    a->name_len = name_len;
    a->size = size;
    memcpy(a->data, name, name_len + 1);
    memcpy(value_of(a), value, size);
    if (x->nr++ == 0)
        list_init(&x->list);
    list_push_back(&x->list, &a->node);
    if (old)
        drop(x, old);
    return 0;
}

ssize_t xattrs_list(struct xattrs *x, char *list, size_t size)
{
    size_t used = 0;
    struct xattr *a;
    if (x->nr == 0)
        return 0;
    list_for_each(a, &x->list, node) {
        if (size > 0 && used + a->name_len + 1 > size)
            return -ERANGE;
        if (size > 0)
            memcpy(list + used, a->data, a->name_len + 1);
        used += a->name_len + 1;
    }
    return used;
}

int xattrs_remove(struct xattrs *x, const char *name)
{
    struct xattr *a = find(x, name);
    if (!a)
        return -ENODATA;
    drop(x, a);
    return 0;
}

void xattrs_free(struct xattrs *x)
{
    struct xattr *a, *tmp;
    if (x->nr == 0)
        return;
    list_for_each_safe(a, tmp, &x->list, node)
        drop(x, a);
}
