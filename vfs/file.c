/* Open files: life, reading and writing.
 *
 * A struct file comes from a list of its own and goes back to it, never to the heap: fd_get
 * (fdtable.c) touches the reference count of a file that may just have been closed, and finds a
 * zero there or the count of the next file in the same place.  For the same reason `ref` is the
 * last thing that is initialised, and memory on the free list keeps its count of zero. */
#include <base/errno.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <vfs/epoll.h>
#include <vfs/file.h>
#include <vfs/file_locks.h>
#include <vfs/inode.h>
#include <vfs/inotify.h>
#include <vfs/path.h>

static struct spinlock free_lock = SPINLOCK_INIT(RANK_DRIVER); /* guards: */
static struct list free_files = LIST_INIT(free_files);         /* struct file.epoll_items */
static size_t nr_free_files;
static struct slab *file_slab;

void file_init(void)
{
    file_slab = slab_new("file", sizeof(struct file));
    slab_set_spare(file_slab, &nr_free_files);
}

static struct file *take_memory(void)
{
    spin_lock(&free_lock);
    struct list *node = list_pop_front(&free_files);
    nr_free_files -= node != NULL;
    spin_unlock(&free_lock);
    return node ? list_entry(node, struct file, epoll_items) : slab_alloc(file_slab);
}

static void give_memory(struct file *f)
{
    spin_lock(&free_lock);
    list_push_front(&free_files, &f->epoll_items);
    nr_free_files++;
    spin_unlock(&free_lock);
}

struct file *file_new(struct inode *inode, const struct path *path, int flags)
{
    struct file *f = take_memory();
    if (!f)
        return NULL;
    inode_get(inode);
    f->inode = inode;
    f->dentry = NULL;
    f->mount = NULL;
    if (path) {
        struct path own = *path;
        path_get(&own);
        f->dentry = own.dentry;
        f->mount = own.mount;
    }
    f->ops = inode->file_ops;
    f->data = NULL;
    f->anon_name = NULL;
    bool moves_data = !(flags & O_PATH);
    f->can_read = moves_data && (flags & O_ACCMODE) != O_WRONLY;
    f->can_write = moves_data && (flags & O_ACCMODE) != O_RDONLY;
    f->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
    f->holds_write = f->is_quiet = false;
    f->owner_type = f->owner_pid = f->owner_sig = 0;
    f->dir_end = 0;
    f->pos = 0;
    spin_init(&f->lock, RANK_DRIVER);
    list_init(&f->epoll_items);
    mutex_init(&f->pos_lock, RANK_FILE_POS);
    atomic_store(&f->ref.count, 1);
    return f;
}

struct file *file_new_anon(const struct file_ops *ops, void *data, int flags, unsigned mode,
                           const char *anon_name)
{
    struct inode *inode = inode_new_anon(mode);
    if (!inode)
        return NULL;
    struct file *f = file_new(inode, NULL, flags);
    inode_put(inode);
    if (!f)
        return NULL;
    f->ops = ops;
    f->data = data;
    f->anon_name = anon_name;
    return f;
}

void file_end(struct file *f)
{
    inotify_file(f->inode, f->dentry, f->can_write ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    epoll_forget_file(f);
    locks_release(f);
    if (f->ops->release)
        f->ops->release(f);
    if (f->holds_write)
        inode_release_write(f->inode);
    if (f->dentry) {
        struct path path = {f->mount, f->dentry};
        path_put(&path);
    }
    inode_put(f->inode);
    give_memory(f);
}

typedef ssize_t move_fn(struct file *f, struct iobuf *b, int64_t *pos);

/* At the file's own position. */
static ssize_t move_here(struct file *f, move_fn *fn, struct iobuf *b)
{
    mutex_lock(&f->pos_lock);
    ssize_t ret = fn(f, b, &f->pos);
    mutex_unlock(&f->pos_lock);
    return ret;
}

static bool needs_pos_lock(const struct file *f)
{
    return f->ops->has_pos && !f->ops->ignores_pos;
}

ssize_t file_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    if (!f->can_read)
        return -EBADF;
    if (!f->ops->read)
        return -EINVAL;
    int64_t ignored = 0;
    ssize_t ret;
    if (!pos && needs_pos_lock(f))
        ret = move_here(f, f->ops->read, to);
    else
        ret = f->ops->read(f, to, pos ? pos : &ignored);
    if (ret > 0)
        inotify_file(f->inode, f->dentry, IN_ACCESS);
    return ret;
}

ssize_t file_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    if (!f->can_write)
        return -EBADF;
    if (!f->ops->write)
        return -EINVAL;
    int64_t ignored = 0;
    ssize_t ret;
    if (!pos && needs_pos_lock(f))
        ret = move_here(f, f->ops->write, from);
    else
        ret = f->ops->write(f, from, pos ? pos : &ignored);
    if (ret > 0)
        inotify_file(f->inode, f->dentry, IN_MODIFY);
    return ret;
}

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, int64_t pos)
{
    struct iobuf b;
    iobuf_kernel(&b, buf, n);
    while (b.left > 0) {
        ssize_t ret = file_read(f, &b, &pos);
        if (ret < 0)
            return ret;
        if (ret == 0)
            break;
    }
    return n - b.left;
}

int64_t file_get_pos(struct file *f)
{
    mutex_lock(&f->pos_lock);
    int64_t pos = f->pos;
    mutex_unlock(&f->pos_lock);
    return pos;
}

void file_set_pos(struct file *f, int64_t pos)
{
    mutex_lock(&f->pos_lock);
    f->pos = pos;
    mutex_unlock(&f->pos_lock);
}

int64_t file_seek_sized(int64_t size, int64_t offset, int whence, int64_t *pos)
{
    int64_t new, base = whence == SEEK_CUR ? *pos : whence == SEEK_END ? size : 0;
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &new) || new < 0)
        return -EINVAL;
    return *pos = new;
}

int64_t file_seek_endless(struct file *f, int64_t offset, int whence, int64_t *pos)
{
    if (whence == SEEK_CUR)
        offset += *pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    return *pos = offset;
}

int64_t file_seek_nowhere(struct file *f, int64_t offset, int whence, int64_t *pos)
{
    *pos = 0;
    return 0;
}

int file_set_flags(struct file *f, int mask, int flags)
{
    flags &= mask;
    if (f->ops->set_flags) {
        int ret = f->ops->set_flags(f, (f->flags & ~mask) | flags);
        if (ret < 0)
            return ret;
    }
    spin_lock(&f->lock);
    f->flags = (f->flags & ~mask) | flags;
    spin_unlock(&f->lock);
    return 0;
}
