/* tmpfs: the contents of regular files.
 *
 * A file's pages are in its page cache; where there is none, bytes come from the backing (memory
 * that held them before: the boot module) or are zero.  Reads take no lock but the cache's; writes
 * and truncation hold the inode's; a page fault holds neither, and relies on the cache's epoch
 * against a truncation at the same time. */
#include <base/errno.h>
#include <base/string.h>
#include <core/sched.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>

#include "tmpfs_node.h"

#define CHECKPOINT_PAGES 64 /* let others run after so many pages */

static int64_t min_size(int64_t a, int64_t b)
{
    return MIN(a, b);
}

/* --- pages ------------------------------------------------------------------------------------ */

static int charge(struct inode *i)
{
    struct tmpfs_sb *fs = i->sb->data;
    if (atomic_add(&fs->used_pages, 1) > fs->max_pages) {
        atomic_add(&fs->used_pages, -1);
        return -ENOSPC;
    }
    atomic_add(&i->blocks, PAGE_SIZE / 512);
    return 0;
}

static void uncharge(struct inode *i, uint64_t nr)
{
    struct tmpfs_sb *fs = i->sb->data;
    atomic_add(&fs->used_pages, -nr);
    atomic_add(&i->blocks, -nr * (PAGE_SIZE / 512));
}

static int new_page(struct inode *i, unsigned flags, struct page **page)
{
    int ret = charge(i);
    if (ret < 0)
        return ret;
    *page = page_alloc(0, flags);
    if (!*page) {
        uncharge(i, 1);
        return -ENOMEM;
    }
    (*page)->flags = PAGE_CHARGED;
    return 0;
}

/* RANK_OBJECT: a page of a backing is adopted once, whoever comes first. */
static struct mutex adopt_lock;

void tmpfs_file_init(void)
{
    mutex_init(&adopt_lock, RANK_OBJECT);
}

/* The backing's own memory as a page, referenced; the adopter's reference stays with it until
 * page_donate. */
static struct page *adopt(const void *bytes)
{
    struct paddr pa = direct_paddr(bytes);
    mutex_lock(&adopt_lock);
    struct page *page = page_of(pa);
    if (!page)
        page = page_adopt(pa, 1);
    if (page)
        page_get(page);
    mutex_unlock(&adopt_lock);
    return page;
}

/* A page of the backing: the memory itself when it is a whole page, else a copy. */
static int backing_page(struct inode *i, uint64_t index, struct page **page)
{
    struct tmpfs_node *n = tmpfs_node(i);
    const uint8_t *bytes = n->backing + index * PAGE_SIZE;
    size_t len = MIN(n->backing_size - index * PAGE_SIZE, PAGE_SIZE);
    if (len == PAGE_SIZE && (uintptr_t)bytes % PAGE_SIZE == 0) {
        *page = adopt(bytes);
        return *page ? 0 : -ENOMEM;
    }
    int ret = new_page(i, 0, page);
    if (ret == 0) {
        memcpy(page_ptr(*page), bytes, len);
        memset(page_ptr(*page) + len, 0, PAGE_SIZE - len);
    }
    return ret;
}

static bool is_backed(struct inode *i, uint64_t index)
{
    return index < pagecache_pages(tmpfs_node(i)->backing_size);
}

static int add_page(struct inode *i, uint64_t index, uint64_t epoch, struct page **page)
{
    bool was_charged = (*page)->flags & PAGE_CHARGED;
    int ret = pagecache_add(&tmpfs_node(i)->cache, index, epoch, page);
    if (ret != 0 && was_charged)
        uncharge(i, 1);
    return ret;
}

/* The page at `index` below `end`, made when there is none; referenced.  -EFAULT at or behind the
 * end. */
static int get_page(struct inode *i, uint64_t index, const uint64_t *end, struct page **page)
{
    struct tmpfs_node *n = tmpfs_node(i);
    int ret;
    do {
        uint64_t epoch;
        *page = pagecache_get(&n->cache, index, &epoch);
        if (end && index >= pagecache_pages(atomic_load(end))) {
            if (*page)
                page_put(*page);
            return -EFAULT;
        }
        if (*page)
            return 0;
        ret = is_backed(i, index) ? backing_page(i, index, page) : new_page(i, PG_ZERO, page);
        if (ret == 0)
            ret = add_page(i, index, epoch, page);
    } while (ret == -EAGAIN);
    return MIN(ret, 0);
}

static int object_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    struct inode *i = container_of(o, struct inode, object);
    return get_page(i, index, &i->size, page);
}

static int punch_hole(struct inode *i, uint64_t start, uint64_t end);

static int object_punch(struct vm_object *o, uint64_t first, uint64_t last)
{
    struct inode *i = container_of(o, struct inode, object);
    mutex_lock(&i->lock);
    int ret = punch_hole(i, first << PAGE_SHIFT, (last + 1) << PAGE_SHIFT);
    if (ret == 0)
        inode_touch_mtime(i);
    mutex_unlock(&i->lock);
    return ret;
}

const struct vm_object_ops tmpfs_object_ops = {
    .get_page = object_get_page,
    .punch = object_punch,
    .free = inode_object_free,
    .name = inode_object_name,
    .identity = inode_object_identity,
};

/* --- reading ---------------------------------------------------------------------------------- */

/* Up to `len` bytes at `pos`, within one page. */
static ssize_t read_part(struct inode *i, struct iobuf *to, uint64_t pos, size_t len)
{
    struct tmpfs_node *n = tmpfs_node(i);
    uint64_t epoch;
    struct page *page = pagecache_get(&n->cache, pos >> PAGE_SHIFT, &epoch);
    if (likely(page)) {
        ssize_t moved = iobuf_put(to, page_ptr(page) + pos % PAGE_SIZE, len);
        page_put(page);
        return moved;
    }
    uint64_t backed = atomic_load(&n->backing_size);
    if (pos < backed)
        return iobuf_put(to, n->backing + pos, MIN(len, backed - pos));
    return iobuf_put_zeros(to, len);
}

static ssize_t tmpfs_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct inode *i = f->inode;
    size_t done = 0;
    ssize_t ret = 0;
    for (unsigned parts = 1; to->left > 0; parts++) {
        int64_t left = atomic_load(&i->size) - *pos;
        if (left <= 0)
            break;
        size_t len = MIN(PAGE_SIZE - *pos % PAGE_SIZE, MIN(to->left, (size_t)left));
        ret = read_part(i, to, *pos, len);
        if (ret <= 0)
            break;
        *pos += ret;
        done += ret;
        if (unlikely(parts % CHECKPOINT_PAGES == 0) && sched_checkpoint())
            break;
    }
    if (!(f->flags & O_NOATIME))
        inode_touch_atime(i);
    return done > 0 ? (ssize_t)done : ret;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void clear_tail(struct inode *i)
{
    pagecache_clear_tail(&tmpfs_node(i)->cache, i->size);
}

/* A whole new page: filled before anyone can see it, so that it needs no zeroing. */
static ssize_t write_new_page(struct inode *i, struct iobuf *from, uint64_t index, uint64_t epoch)
{
    struct page *page;
    int ret = new_page(i, 0, &page);
    if (ret < 0)
        return ret;
    ssize_t moved = iobuf_get(from, page_ptr(page), PAGE_SIZE);
    size_t filled = MAX(moved, 0);
    if (filled < PAGE_SIZE)
        memset(page_ptr(page) + filled, 0, PAGE_SIZE - filled);
    struct page *mine = page;
    page_get(mine); /* for the copy below */
    ret = add_page(i, index, epoch, &page);
    if (ret == 1) /* a fault has put a page there meanwhile */
        memcpy(page_ptr(page), page_ptr(mine), filled);
    page_put(mine);
    if (ret < 0)
        return ret;
    page_put(page);
    return moved;
}

static ssize_t write_part(struct inode *i, struct iobuf *from, uint64_t pos, size_t len)
{
    uint64_t epoch, index = pos >> PAGE_SHIFT;
    struct page *page = pagecache_get(&tmpfs_node(i)->cache, index, &epoch);
    if (!page && len == PAGE_SIZE && !is_backed(i, index))
        return write_new_page(i, from, index, epoch);
    if (!page) {
        int ret = get_page(i, index, NULL, &page);
        if (ret < 0)
            return ret;
    }
    ssize_t moved = iobuf_get(from, page_ptr(page) + pos % PAGE_SIZE, len);
    page_put(page);
    return moved;
}

/* What a write may not do: 0, or why; *max is how many bytes are left to be written. */
static int check_write(struct inode *i, int64_t pos, size_t *max)
{
    int64_t end;
    if (__builtin_add_overflow(pos, *max, &end))
        return -EINVAL;
    int ret = inode_check_limit(pos, max);
    if (ret < 0)
        return ret;
    end = pos + *max;
    if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    if (i->seals & F_SEAL_GROW && end > (int64_t)i->size) {
        if (pos >= (int64_t)i->size)
            return -EPERM;
        *max = i->size - pos;
    }
    return 0;
}

static ssize_t write_locked(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct inode *i = f->inode;
    size_t done = 0, max = from->left;
    ssize_t ret = check_write(i, *pos, &max);
    if (ret < 0)
        return ret;
    if (*pos > (int64_t)i->size)
        clear_tail(i);
    inode_written(i);
    for (unsigned parts = 1; done < max; parts++) {
        size_t len = MIN(PAGE_SIZE - *pos % PAGE_SIZE, max - done);
        ret = write_part(i, from, *pos, len);
        if (ret <= 0)
            break;
        *pos += ret;
        done += ret;
        if (*pos > (int64_t)i->size)
            atomic_store(&i->size, *pos);
        if (unlikely(parts % CHECKPOINT_PAGES == 0) && sched_checkpoint())
            break;
    }
    if (done > 0)
        inode_touch_mtime(i);
    return done > 0 ? (ssize_t)done : ret;
}

static ssize_t tmpfs_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct inode *i = f->inode;
    if (from->left == 0)
        return 0;
    mutex_lock(&i->lock);
    if ((f->flags & O_APPEND || from->how & IOBUF_APPEND) && !(from->how & IOBUF_NO_APPEND))
        *pos = i->size;
    ssize_t ret = write_locked(f, from, pos);
    mutex_unlock(&i->lock);
    return ret;
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* Drop pages [first, last] with their mappings. */
static void drop_pages(struct inode *i, uint64_t first, uint64_t last, bool even_copies)
{
    uncharge(i, pagecache_drop(&tmpfs_node(i)->cache, first, last));
    vm_object_unmap(&i->object, first, last, even_copies);
}

int tmpfs_set_size(struct inode *i, uint64_t size)
{
    struct tmpfs_node *n = tmpfs_node(i);
    assert(mutex_is_held(&i->lock));
    if (size < i->size && i->seals & F_SEAL_SHRINK)
        return -EPERM;
    if (size > i->size && i->seals & F_SEAL_GROW)
        return -EPERM;
    if (size > i->size) {
        clear_tail(i);
        atomic_store(&i->size, size);
    } else if (size < i->size) {
        atomic_store(&i->size, size);
        if (n->backing_size > size)
            atomic_store(&n->backing_size, size);
        drop_pages(i, pagecache_pages(size), UINT64_MAX, true);
        clear_tail(i);
    }
    return 0;
}

void tmpfs_free_contents(struct inode *i)
{
    struct tmpfs_node *n = tmpfs_node(i);
    atomic_store(&n->backing_size, 0);
    uncharge(i, pagecache_drop(&n->cache, 0, UINT64_MAX));
    if (n->backing)
        page_donate(direct_paddr(n->backing), n->backing_total);
}

/* Zero bytes [start, end) where there are pages or backing, within one page. */
static int clear_part(struct inode *i, uint64_t start, uint64_t end)
{
    struct page *page;
    uint64_t epoch, index = start >> PAGE_SHIFT;
    if (start >= end)
        return 0;
    page = pagecache_get(&tmpfs_node(i)->cache, index, &epoch);
    if (!page && !is_backed(i, index))
        return 0;
    int ret = page ? 0 : get_page(i, index, NULL, &page);
    if (ret < 0)
        return ret;
    memset(page_ptr(page) + start % PAGE_SIZE, 0, end - start);
    page_put(page);
    return 0;
}

static int punch_hole(struct inode *i, uint64_t start, uint64_t end)
{
    if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    uint64_t first = pagecache_pages(start),
             last = end >> PAGE_SHIFT; /* whole pages: [first, last) */
    if (first > last)
        return clear_part(i, start, end);
    int ret = clear_part(i, start, first << PAGE_SHIFT);
    if (ret == 0)
        ret = clear_part(i, last << PAGE_SHIFT, end);
    if (ret < 0 || first == last)
        return ret;
    /* A hole cannot be told from the backing behind it: pages there stay, with zeros. */
    uint64_t backed = MIN(last, pagecache_pages(tmpfs_node(i)->backing_size));
    for (uint64_t index = first; index < backed && ret == 0; index++) {
        ret = clear_part(i, index << PAGE_SHIFT, (index + 1) << PAGE_SHIFT);
        if (ret == 0 && sched_checkpoint())
            ret = -EINTR;
    }
    if (ret == 0 && MAX(first, backed) < last)
        drop_pages(i, MAX(first, backed), last - 1, false);
    return ret;
}

int tmpfs_fallocate(struct inode *i, int mode, int64_t offset, int64_t len)
{
    uint64_t end = offset + len;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE)
        return punch_hole(i, offset, end);
    if (i->seals & F_SEAL_GROW && end > i->size)
        return -EPERM;
    struct tmpfs_sb *fs = i->sb->data;
    if (pagecache_pages(end) - (offset >> PAGE_SHIFT) > fs->max_pages)
        return -ENOSPC;
    for (uint64_t index = offset >> PAGE_SHIFT; index < pagecache_pages(end); index++) {
        struct page *page;
        int ret = get_page(i, index, NULL, &page);
        if (ret < 0)
            return ret;
        page_put(page);
        if (index % CHECKPOINT_PAGES == 0 && sched_checkpoint())
            return -EINTR;
    }
    if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->size) {
        clear_tail(i);
        atomic_store(&i->size, end);
    }
    return 0;
}

/* --- the rest of the operations --------------------------------------------------------------- */

/* SEEK_DATA and SEEK_HOLE, by whole pages. */
static int64_t seek_contents(struct inode *i, int64_t offset, int whence)
{
    struct pagecache *c = &tmpfs_node(i)->cache;
    int64_t size = i->size;
    if (offset < 0 || offset >= size)
        return -ENXIO;
    uint64_t index = offset >> PAGE_SHIFT, backed = pagecache_pages(tmpfs_node(i)->backing_size);
    if (whence == SEEK_DATA) {
        uint64_t at = index < backed ? index : pagecache_next(c, index);
        if (at >= pagecache_pages(size))
            return -ENXIO;
        return at == index ? offset : (int64_t)(at << PAGE_SHIFT);
    }
    index = MAX(index, backed);
    while (pagecache_next(c, index) == index && !sched_checkpoint())
        index++;
    return min_size(size, MAX(offset, (int64_t)(index << PAGE_SHIFT)));
}

static int64_t tmpfs_seek(struct file *f, int64_t offset, int whence, int64_t *pos)
{
    struct inode *i = f->inode;
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        offset = seek_contents(i, offset, whence);
        if (offset < 0)
            return offset;
        whence = SEEK_SET;
    }
    return file_seek_sized(i->size, offset, whence, pos);
}

static int tmpfs_mmap(struct file *f, int prot, int flags, uint64_t offset, size_t len,
                      struct vm_object **object)
{
    struct inode *i = f->inode;
    bool writes = (flags & MAP_TYPE) != MAP_PRIVATE && prot & PROT_WRITE;
    if (writes && i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    inode_touch_atime(i);
    *object = &i->object;
    vm_object_get(*object);
    return 0;
}

static int tmpfs_sync(struct file *f, bool data_only)
{
    return 0; /* memory is as stable as it gets */
}

const struct file_ops tmpfs_file_ops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .seek = tmpfs_seek,
    .mmap = tmpfs_mmap,
    .sync = tmpfs_sync,
    .has_pos = true,
};
