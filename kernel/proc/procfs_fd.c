/* /proc/PID/fd and /proc/PID/fdinfo. */
#include "procfs_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <vfs/mount.h>

#define FDINFO_SIZE 4096 /* what a file may say of itself */

/* The open file behind a node, referenced; NULL: closed since. */
static struct file *file_of_node(const struct proc_node *n)
{
    struct fdtable *files = proc_get_files(n->process);
    struct file *f = files ? fd_get(files, n->fd) : NULL;
    proc_put_files(n->process, files);
    return f;
}

/* Its flags, or -EBADF: for look-ups. */
static int flags_of_node(const struct proc_node *n)
{
    struct fdtable *files = n->fd >= 0 ? proc_get_files(n->process) : NULL;
    int flags = files ? fd_peek(files, n->fd) : -EBADF;
    proc_put_files(n->process, files);
    return flags;
}

/* --- fd/N: a link to the open file itself ----------------------------------------------------- */

/* What a file without a name is called: 0 or -ENAMETOOLONG. */
static ssize_t anon_text(const struct file *f, char *buf, size_t size)
{
    unsigned type = f->inode->mode & S_IFMT;
    unsigned long ino = f->inode->ino;
    size_t n;
    if (f->anon_name)
        n = snprintf(buf, size, "%s", f->anon_name);
    else
        n = snprintf(buf, size, type == S_IFSOCK ? "socket:[%lu]" : "pipe:[%lu]", ino);
    return n < size ? (ssize_t)n : -ENAMETOOLONG;
}

static ssize_t file_text(struct file *f, char *buf, size_t size)
{
    struct path where = {f->mount, f->dentry};

    return f->dentry ? proc_path_text(&where, buf, size) : anon_text(f, buf, size);
}

size_t process_fd_name(int fd, size_t offset, char *dst, size_t n)
{
    struct file *f = fd >= 0 ? fd_get(current_process()->files, fd) : NULL;
    char *name = f ? heap_alloc(PATH_MAX) : NULL;
    ssize_t len = name ? file_text(f, name, PATH_MAX - 1) : -ENOENT;
    size_t got = 0;

    if (len >= 0 && offset <= (size_t)len) {
        name[len] = '\0';
        got = MIN(n, (size_t)len + 1 - offset);
        memcpy(dst, name + offset, got);
    }
    heap_free(name);
    if (f)
        file_put(f);
    return got;
}

static ssize_t fd_readlink(struct inode *i, char *buf, size_t size)
{
    struct file *f = file_of_node(proc_node(i));
    if (!f)
        return -ENOENT;
    ssize_t ret = file_text(f, buf, size);
    file_put(f);
    return ret;
}

static int anon_place(struct file *f, struct path *out)
{
    char name[64];
    ssize_t len = anon_text(f, name, sizeof(name));
    if (len < 0)
        return len;
    inode_get(f->inode);
    out->mount = NULL;
    out->dentry = dentry_new_anon(f->inode, name);
    return out->dentry ? 0 : -ENOMEM;
}

static int fd_follow(struct inode *i, struct path *out)
{
    struct file *f = file_of_node(proc_node(i));
    if (!f)
        return -ENOENT;
    int ret = 0;
    if (f->dentry) {
        *out = (struct path){f->mount, f->dentry};
        path_get(out);
    } else {
        ret = anon_place(f, out);
    }
    file_put(f);
    return ret;
}

static const struct inode_ops link_ops = {.set_attr = inode_apply_attr,
                                          .readlink = fd_readlink,
                                          .follow = fd_follow,
                                          .free = proc_node_free};

static int fd_lookup(struct inode *dir, struct dentry *d)
{
    struct proc_node n = *proc_node(dir);
    n.fd = proc_parse_number(d->name, d->name_len);
    struct file *f = n.fd >= 0 ? file_of_node(&n) : NULL;
    if (!f)
        return 0;
    bool is_path = f->flags & O_PATH;
    unsigned mode = S_IFLNK | (f->can_read || is_path ? 0500 : 0) | (f->can_write ? 0300 : 0);
    file_put(f);
    return proc_fill(d, &n, mode, &link_ops, NULL);
}

const struct inode_ops proc_fd_ops = {
    .lookup = fd_lookup, .set_attr = inode_apply_attr, .free = proc_node_free};

/* --- fdinfo/N --------------------------------------------------------------------------------- */

static int show_own(struct text *t, struct file *f)
{
    if (!f->ops->show_fdinfo)
        return 0;
    char *buf = heap_alloc(FDINFO_SIZE);
    if (!buf)
        return -ENOMEM;
    int n = f->ops->show_fdinfo(f, buf, FDINFO_SIZE);
    text_put(t, buf, MIN(n, FDINFO_SIZE));
    heap_free(buf);
    return 0;
}

static int show_fdinfo(struct text *t, struct inode *i)
{
    const struct proc_node *n = proc_node(i);
    struct fdtable *files = proc_get_files(n->process);
    struct file *f = files ? fd_get(files, n->fd) : NULL;
    int ret = -ENOENT;
    if (f) {
        int cloexec = fd_get_flags(files, n->fd) == FD_CLOEXEC ? O_CLOEXEC : 0;
        text_print(t, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n", (long long)f->pos,
                   f->flags | cloexec, f->mount ? f->mount->id : 0, (unsigned long)f->inode->ino);
        ret = show_own(t, f);
        proc_put_file(f);
    }
    proc_put_files(n->process, files);
    return ret;
}

static int fdinfo_open(struct inode *i, struct file *f)
{
    return text_open(f, show_fdinfo, NULL);
}

static const struct inode_ops info_ops = {
    .set_attr = inode_apply_attr, .open = fdinfo_open, .free = proc_node_free};

static int fdinfo_lookup(struct inode *dir, struct dentry *d)
{
    struct proc_node n = *proc_node(dir);
    n.fd = proc_parse_number(d->name, d->name_len);
    if (flags_of_node(&n) < 0)
        return 0;
    return proc_fill(d, &n, S_IFREG | 0444, &info_ops, NULL);
}

const struct inode_ops proc_fdinfo_ops = {
    .lookup = fdinfo_lookup, .set_attr = inode_apply_attr, .free = proc_node_free};

/* --- the directories -------------------------------------------------------------------------- */

static int fd_readdir(struct file *f, int64_t *pos, dir_emit_fn *emit, void *arg)
{
    int ret = dir_readdir(f, pos, emit, arg);
    if (ret <= 0)
        return ret;
    struct process *p = proc_node(f->inode)->process;
    struct fdtable *files = proc_get_files(p);
    if (!files)
        return 1;
    unsigned type = proc_node(f->inode)->entry->ops == &proc_fd_ops ? S_IFLNK >> 12 : S_IFREG >> 12;
    *pos = MAX(*pos, DIR_POS_DYNAMIC);
    for (;;) {
        char name[12];
        int fd = fd_next(files, (int)(*pos - DIR_POS_DYNAMIC));
        if (fd < 0)
            break;
        int len = snprintf(name, sizeof(name), "%d", fd);
        int64_t next = DIR_POS_DYNAMIC + fd + 1;
        if (!emit(arg, name, len, fd + 1, type, next)) {
            ret = 0;
            break;
        }
        *pos = next;
    }
    proc_put_files(p, files);
    return ret;
}

const struct file_ops proc_fd_file_ops = {.read = dir_read,
                                          .readdir = fd_readdir,
                                          .seek = file_seek_endless,
                                          .sync = dir_sync,
                                          .has_pos = true};
