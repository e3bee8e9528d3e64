/* copy_file_range(2). */
#include <base/errno.h>
#include <core/usercopy.h>
#include <files.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <syscalls/bodies.h>
#include <vfs/inode.h>

struct copy_side {
    struct file *f;
    struct uptr user_pos; /* NULL: the file's own position */
    int64_t pos;
};

static int side_begin(struct copy_side *s)
{
    if (uptr_is_null(s->user_pos))
        s->pos = file_get_pos(s->f);
    else if (user_get(s->user_pos, &s->pos) < 0)
        return -EFAULT;
    return 0;
}

static int side_end(struct copy_side *s)
{
    if (!uptr_is_null(s->user_pos))
        return user_put(s->user_pos, &s->pos);
    file_set_pos(s->f, s->pos);
    return 0;
}

/* Linux's order: generic_file_rw_checks(), then generic_copy_file_checks(). */
static int check(const struct copy_side *in, const struct copy_side *out, size_t *n)
{
    struct inode *from = in->f->inode, *to = out->f->inode;
    if (S_ISDIR(from->mode) || S_ISDIR(to->mode))
        return -EISDIR;
    if (!S_ISREG(from->mode) || !S_ISREG(to->mode))
        return -EINVAL;
    if (!in->f->can_read || !out->f->can_write || out->f->flags & O_APPEND)
        return -EBADF;
    if (from->sb != to->sb)
        return -EXDEV;
    /* Of 64 bits without a sign, as Linux compares them. */
    if ((uint64_t)in->pos + *n < (uint64_t)in->pos || (uint64_t)out->pos + *n < (uint64_t)out->pos)
        return -EOVERFLOW;
    if (in->pos < 0 || out->pos < 0)
        return -EINVAL;
    int ret = inode_check_limit(out->pos, n);
    if (ret < 0)
        return ret;
    int64_t size = from->size;
    *n = in->pos >= size ? 0 : MIN(*n, (size_t)(size - in->pos));
    if (from == to && out->pos + (int64_t)*n > in->pos && out->pos < in->pos + (int64_t)*n)
        return -EINVAL; /* they overlap */
    *n = MIN(*n, MAX_RW_COUNT);
    return 0;
}

static long copy(struct copy_side *in, struct copy_side *out, size_t n, unsigned flags)
{
    long ret = side_begin(in);
    if (ret == 0)
        ret = side_begin(out);
    if (ret == 0)
        ret = flags ? -EINVAL : check(in, out, &n);
    if (ret < 0 || n == 0)
        return ret;
    ret = file_copy_range(in->f, &in->pos, out->f, &out->pos, n);
    if (ret > 0 && (side_end(in) < 0 || side_end(out) < 0))
        return -EFAULT;
    return ret;
}

long sys_copy_file_range(int fd_in, struct uptr off_in, int fd_out, struct uptr off_out, size_t len,
                         unsigned flags)
{
    struct copy_side in = {.f = file_of_fd(fd_in), .user_pos = off_in};
    struct copy_side out = {.f = file_of_fd(fd_out), .user_pos = off_out};
    long ret = -EBADF;
    if (in.f && out.f)
        ret = copy(&in, &out, len, flags);
    if (in.f)
        file_put(in.f);
    if (out.f)
        file_put(out.f);
    return ret;
}
