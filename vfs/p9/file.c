/* The contents of files in shared folders: cached pages, filled from the host and written through to it. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/sched.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/stat.h>
#include <vfs/file_io.h>

#include "p9.h"

#define WRITE_BYTES (64u * 1024)
#define OURS_NS     (P9_FRESH_NS / 64) /* for so long a new time is that of our own write */
#define READ_AHEAD  8u                 /* pages that a small read brings */
#define PAGE_DIRTY  2                  /* in page->flags: a shared mapping may have changed it */
#define OPEN_FLAGS  (O_ACCMODE | O_APPEND | O_SYNC | O_DSYNC | O_DIRECTORY)

/* Tsetattr's: what is set; the last two: to the time given, not to the host's present. */
enum { SET_MODE = 1, SET_UID = 2, SET_GID = 4, SET_SIZE = 8, SET_ATIME = 16, SET_MTIME = 32 };
enum { SET_ATIME_TO = 128, SET_MTIME_TO = 256 };

/* --- the cache ----------------------------------------------------------------------------------------- */

static void drop(struct inode *i, uint64_t first, bool even_copies)
{
    atomic_add(&p9_fs(i)->nr_pages, -pagecache_drop(&p9_node(i)->cache, first, UINT64_MAX));
    vm_object_unmap(&i->object, first, UINT64_MAX, even_copies);
}

void p9_drop_pages(struct inode *i)
{
    if (!atomic_load(&p9_node(i)->is_dirty))
        drop(i, 0, false);
}

void p9_evict_pages(struct inode *i)
{
    atomic_add(&p9_fs(i)->nr_pages, -pagecache_evict(&p9_node(i)->cache, PAGE_DIRTY));
}

/* New pages for a run that begins at `index`: how many. */
static unsigned new_pages(struct page *pages[], struct p9_buf bufs[], unsigned max)
{
    unsigned n = 0;
    while (n < max && (pages[n] = page_alloc(0, n == 0 ? 0 : PG_MAY_FAIL))) {
        pages[n]->flags = PAGE_CHARGED;
        bufs[n] = (struct p9_buf){page_ptr(pages[n]), PAGE_SIZE};
        n++;
    }
    return n;
}

/* What came stands in pages [0, nr): into the cache with it, zeros behind the end.  The first one, referenced. */
static int add_pages(struct inode *i, uint64_t index, uint64_t epoch, struct page *pages[],
                     unsigned nr, size_t got)
{
    int first = -EAGAIN;
    for (unsigned k = 0; k < nr; k++) {
        size_t start = k * PAGE_SIZE, here = got > start ? MIN(got - start, PAGE_SIZE) : 0;
        if (here == 0 && k > 0) {
            page_put(pages[k]);
            continue;
        }
        memset(page_ptr(pages[k]) + here, 0, PAGE_SIZE - here);
        int ret = pagecache_add(&p9_node(i)->cache, index + k, epoch, &pages[k]);
        if (ret == 0)
            atomic_add(&p9_fs(i)->nr_pages, 1);
        if (k == 0)
            first = ret;
        else if (ret >= 0)
            page_put(pages[k]);
    }
    return first;
}

/* Read up to `max` pages from `index` on: the first, referenced, in *page. */
static int fill(struct inode *i, struct p9_fid *fid, uint64_t index, uint64_t epoch, unsigned max,
                struct page **page)
{
    struct p9_node *n = p9_node(i);
    struct page *pages[P9_DATA_PAGES];
    struct p9_buf bufs[P9_DATA_PAGES];
    p9_make_room(p9_fs(i));
    unsigned nr = new_pages(pages, bufs, MIN(max, P9_DATA_PAGES));
    if (nr == 0)
        return -ENOMEM;
    mutex_lock(&n->fill_lock);
    ssize_t got = p9_read(fid, index << PAGE_SHIFT, bufs, nr, nr * PAGE_SIZE);
    int ret = (int)got;
    if (got >= 0)
        ret = add_pages(i, index, epoch, pages, nr, (size_t)got);
    else
        for (unsigned k = 0; k < nr; k++)
            page_put(pages[k]);
    mutex_unlock(&n->fill_lock);
    *page = pages[0];
    return ret;
}

/* The page at `index`, which lies before the end, referenced: 0 or -errno. */
static int get_page(struct inode *i, struct p9_fid *fid, uint64_t index, uint64_t wanted,
                    struct page **page)
{
    int ret = 0;
    do {
        uint64_t epoch, left = pagecache_pages(atomic_load(&i->size));
        *page = pagecache_get(&p9_node(i)->cache, index, &epoch);
        if (*page)
            return 0;
        left = left > index ? left - index : 1;
        ret = fill(i, fid, index, epoch, (unsigned)MIN(MAX(wanted, READ_AHEAD), MIN(left, 64ul)),
                   page);
    } while (ret == -EAGAIN);
    return MIN(ret, 0);
}

/* --- open, read, write --------------------------------------------------------------------------------- */

/* Open the file's path, making sure that it still leads there. */
static int open_path(struct inode *i, int flags, struct p9_fid **out)
{
    struct p9_msg m;
    struct p9_qid qid;
    if (atomic_load(&p9_node(i)->is_nameless))
        return -ESTALE;
    struct p9_fid *fid;
    int ret = p9_walk(i, NULL, 0, &fid);
    if (ret < 0)
        return ret;
    ret = p9_rpc(fid->fs, &m, P9_TLOPEN, "dd", fid->nr, (uint32_t)flags);
    if (ret == 0) {
        ret = p9_get(&m, "Q", &qid);
        p9_free_msg(&m);
    }
    if (ret == 0 && qid.path != i->ino)
        ret = -ESTALE;
    fid->appends = flags & O_APPEND;
    if (ret < 0)
        p9_fid_put(fid);
    else
        *out = fid;
    return ret;
}

static void keep_fid(struct p9_fs *fs, struct p9_fid **member, struct p9_fid *fid)
{
    spin_lock(&fs->lock);
    if (!*member) {
        p9_fid_get(fid);
        *member = fid;
    }
    spin_unlock(&fs->lock);
}

/* The node's own fid, which writes where it is told to; `instead` when there is none and the path cannot be opened. */
static struct p9_fid *own_writer(struct inode *i, struct p9_fid *instead)
{
    struct p9_node *n = p9_node(i);
    struct p9_fid *fid;
    if (!n->writer && open_path(i, O_RDWR | O_LARGEFILE, &fid) == 0) {
        keep_fid(p9_fs(i), &n->reader, fid);
        keep_fid(p9_fs(i), &n->writer, fid);
        p9_fid_put(fid);
    }
    return n->writer ? n->writer : instead;
}

void p9_keep_open(struct inode *i)
{
    if (S_ISREG(i->mode) && atomic_load(&i->nlink) <= 1 && atomic_load(&i->writers) > 0)
        (void)own_writer(i, NULL);
}

/* A fid that is open already and will do: of the file's creation, or of a mapping (then it may have no path any
 * more: a program's own file, removed).  `refused`: what opening its path was answered; 0: nothing yet. */
static struct p9_fid *open_fid(struct inode *i, const struct file *f, int refused)
{
    /* The host appends better than we do, but the file's mode may not allow that it is opened again. */
    int other = refused ? O_SYNC : O_APPEND | O_SYNC;
    struct p9_node *n = p9_node(i);
    struct p9_fid *fid = NULL;
    spin_lock(&p9_fs(i)->lock);
    if (n->created && !(f->flags & other)) {
        fid = n->created;
        n->created = NULL;
    } else if (refused == -ESTALE) {
        fid = f->can_write ? n->writer : n->reader;
        if (fid)
            p9_fid_get(fid);
    }
    spin_unlock(&p9_fs(i)->lock);
    return fid;
}

int p9_open(struct inode *i, struct file *f)
{
    struct p9_fid *fid = open_fid(i, f, 0);
    int ret = fid ? 0 : open_path(i, (f->flags & OPEN_FLAGS) | O_LARGEFILE, &fid);
    if (ret == -ENOENT)
        ret = -ESTALE;
    if (ret < 0) {
        fid = open_fid(i, f, ret);
        if (!fid && ret == -ESTALE)
            atomic_store(&f->dentry->valid_until, 1); /* whoever looks again, asks again */
        if (!fid)
            return ret;
    }
    /* What is known of a file without a name stays. */
    if (p9_refresh(i) < 0 && !atomic_load(&p9_node(i)->is_nameless)) {
        p9_fid_put(fid); /* nobody releases a file that was not opened */
        return -ESTALE;
    }
    f->data = fid;
    return 0;
}

void p9_release(struct file *f)
{
    p9_fid_put(f->data);
}

static ssize_t p9_read_file(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct inode *i = f->inode;
    size_t done = 0;
    ssize_t ret = 0;
    p9_refresh_if_old(i); /* perhaps the host has written */
    while (to->left > 0) {
        struct page *page;
        int64_t left = (int64_t)atomic_load(&i->size) - *pos;
        if (left <= 0)
            break;
        size_t here = (size_t)*pos % PAGE_SIZE;
        size_t len = MIN(PAGE_SIZE - here, MIN(to->left, (size_t)left));
        ret = get_page(i, f->data, (uint64_t)*pos >> PAGE_SHIFT, pagecache_pages(here + to->left),
                       &page);
        if (ret < 0)
            break;
        ret = iobuf_put(to, page_ptr(page) + here, len);
        page_put(page);
        if (ret <= 0)
            break;
        *pos += ret;
        done += (size_t)ret;
        if (sched_checkpoint())
            break;
    }
    return done > 0 ? (ssize_t)done : ret;
}

/* The host has these bytes: so have pages that are cached. */
static void update_pages(struct inode *i, const char *data, uint64_t pos, size_t n)
{
    /* Reads that began before the write are done: what they brought may be older. */
    mutex_lock(&p9_node(i)->fill_lock);
    mutex_unlock(&p9_node(i)->fill_lock);
    while (n > 0) {
        uint64_t epoch;
        size_t here = pos % PAGE_SIZE, len = MIN(n, PAGE_SIZE - here);
        struct page *page = pagecache_get(&p9_node(i)->cache, pos >> PAGE_SHIFT, &epoch);
        if (page) {
            memcpy(page_ptr(page) + here, data, len);
            page_put(page);
        }
        data += len;
        pos += len;
        n -= len;
    }
}

/* i->lock is held.  The size is changing from here to end_change. */
static void begin_change(struct inode *i)
{
    atomic_add(&p9_node(i)->changes, 1);
}

static void end_change(struct inode *i)
{
    struct p9_node *n = p9_node(i);
    spin_lock(&p9_fs(i)->lock);
    n->ours_until = arch_clock_ns() + OURS_NS;
    n->fresh_until = 0;
    n->changes++;
    spin_unlock(&p9_fs(i)->lock);
    if (n->is_nameless) /* the host does not say */
        inode_touch_mtime(i);
}

static ssize_t write_chunk(struct inode *i, struct p9_fid *fid, struct iobuf *from, int64_t pos,
                           char *buf, size_t n)
{
    ssize_t got = iobuf_get(from, buf, n);
    if (got <= 0)
        return got;
    ssize_t put = p9_write(fid, (uint64_t)pos, buf, (uint32_t)got);
    if (put > 0)
        update_pages(i, buf, (uint64_t)pos, (size_t)put);
    if (put > 0 && pos + put > (int64_t)i->size)
        atomic_store(&i->size, (uint64_t)(pos + put));
    if (put >= 0 && put < got)
        iobuf_rewind(from, (size_t)(got - put));
    return put;
}

static ssize_t write_locked(struct inode *i, struct p9_fid *fid, struct iobuf *from, int64_t *pos)
{
    size_t done = 0, max = from->left;
    ssize_t ret = inode_check_limit(*pos, &max);
    if (ret < 0)
        return ret;
    size_t size = MIN(max, (size_t)WRITE_BYTES);
    char *buf = heap_alloc(size);
    if (!buf)
        return -ENOMEM;
    while (done < max) {
        ret = write_chunk(i, fid, from, *pos, buf, MIN(size, max - done));
        if (ret <= 0)
            break;
        *pos += ret;
        done += (size_t)ret;
        if (sched_checkpoint())
            break;
    }
    heap_free(buf);
    return done > 0 ? (ssize_t)done : ret;
}

static ssize_t p9_write_file(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct inode *i = f->inode;
    struct p9_fid *fid = f->data;
    if (from->left == 0)
        return 0;
    mutex_lock(&i->lock);
    bool appends =
        (f->flags & O_APPEND || from->how & IOBUF_APPEND) && !(from->how & IOBUF_NO_APPEND);
    if (appends) {
        (void)!p9_refresh(i); /* the host may have appended, too, or have renamed it */
        *pos = (int64_t)i->size;
    }
    /* What the host appends goes to its end: that is not where F_SETFL and RWF_NOAPPEND want it, and without a name the
     * size is what we say. */
    if (fid->appends && (!appends || atomic_load(&p9_node(i)->is_nameless)))
        fid = own_writer(i, fid);
    begin_change(i);
    ssize_t ret = write_locked(i, fid, from, pos);
    end_change(i);
    mutex_unlock(&i->lock);
    return ret;
}

static int64_t p9_seek(struct file *f, int64_t offset, int whence, int64_t *pos)
{
    if (whence == SEEK_END || whence == SEEK_DATA || whence == SEEK_HOLE)
        p9_refresh_if_old(f->inode);
    int64_t size = (int64_t)atomic_load(&f->inode->size);
    /* The protocol does not tell where holes are: it is all data, with a hole at its end. */
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (offset < 0 || offset >= size)
            return -ENXIO;
        if (whence == SEEK_HOLE)
            offset = size;
        whence = SEEK_SET;
    }
    return file_seek_sized(size, offset, whence, pos);
}

/* --- mappings ------------------------------------------------------------------------------------------ */

static int p9_mmap(struct file *f, int prot, int flags, uint64_t offset, size_t len,
                   struct vm_object **object)
{
    struct inode *i = f->inode;
    struct p9_node *n = p9_node(i);
    keep_fid(p9_fs(i), &n->reader, f->data);
    if (f->can_write && (flags & MAP_TYPE) != MAP_PRIVATE) {
        struct p9_fid *fid = f->data;
        keep_fid(p9_fs(i), &n->writer, fid->appends ? own_writer(i, fid) : fid);
        i->object.when_unmapped = &p9_fs(i)->write_back;
    }
    vm_object_get(&i->object);
    *object = &i->object;
    return 0;
}

/* A shared mapping may change this page from now on. */
static void note_dirty(struct inode *i, struct page *page)
{
    struct p9_fs *fs = p9_fs(i);
    struct p9_node *n = p9_node(i);
    spin_lock(&fs->lock);
    page->flags |= PAGE_DIRTY;
    n->has_news = true;
    if (!n->is_dirty) {
        n->is_dirty = true;
        vm_object_get(&i->object);
        list_push_back(&fs->dirty, &n->dirty_node);
    }
    spin_unlock(&fs->lock);
}

static int object_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    struct inode *i = container_of(o, struct inode, object);
    struct p9_fid *fid = p9_fid_of(i, &p9_node(i)->reader);
    if (index >= pagecache_pages(atomic_load(&i->size)) || !fid) {
        p9_fid_put(fid);
        return -EFAULT;
    }
    int ret = get_page(i, fid, index, READ_AHEAD, page);
    p9_fid_put(fid);
    if (ret == 0 && write)
        note_dirty(i, *page);
    return ret == 0 || ret == -ENOMEM ? ret : -EFAULT; /* what cannot be read is SIGBUS */
}

static struct page *object_peek(struct vm_object *o, uint64_t index)
{
    uint64_t epoch;
    struct inode *i = container_of(o, struct inode, object);
    return pagecache_get(&p9_node(i)->cache, index, &epoch);
}

/* 0 or -errno. */
static int write_page(struct inode *i, struct p9_fid *fid, uint64_t index)
{
    uint64_t epoch, start = index << PAGE_SHIFT, size = atomic_load(&i->size);
    struct page *page = pagecache_get(&p9_node(i)->cache, index, &epoch);
    ssize_t ret = 0;
    if (!page)
        return 0;
    spin_lock(&p9_fs(i)->lock);
    bool is_dirty = page->flags & PAGE_DIRTY;
    if (list_is_empty(&i->object.mappings)) /* and will be told of, if it is mapped again */
        page->flags &= (uint16_t)~PAGE_DIRTY;
    spin_unlock(&p9_fs(i)->lock);
    if (is_dirty && start < size)
        ret = p9_write(fid, start, page_ptr(page), (uint32_t)MIN(PAGE_SIZE, size - start));
    page_put(page);
    return ret < 0 ? (int)ret : 0;
}

/* fs->write_back_lock is held.  False: something was not written. */
static bool write_pages(struct inode *i)
{
    int error = 0;
    struct p9_node *n = p9_node(i);
    struct p9_fid *fid = p9_fid_of(i, &n->writer);
    for (uint64_t index = 0; (index = pagecache_next(&n->cache, index)) != UINT64_MAX; index++)
        error = write_page(i, fid, index) ?: error;
    p9_fid_put(fid);
    if (error < 0)
        atomic_store(&n->write_error, error);
    spin_lock(&p9_fs(i)->lock);
    n->ours_until = arch_clock_ns() + OURS_NS;
    spin_unlock(&p9_fs(i)->lock);
    return error == 0;
}

int p9_write_back(struct inode *i)
{
    struct p9_node *n = p9_node(i);
    /* Whoever takes a file off the list has told of errors before. */
    if (!atomic_load(&n->is_dirty) && !atomic_load(&n->write_error))
        return 0;
    mutex_lock(&p9_fs(i)->write_back_lock); /* after a round that is under way */
    if (atomic_load(&n->is_dirty))
        (void)!write_pages(i);
    int ret = atomic_swap(&n->write_error, 0);
    mutex_unlock(&p9_fs(i)->write_back_lock);
    return ret;
}

static int object_sync(struct vm_object *o, uint64_t first, uint64_t last)
{
    return p9_write_back(container_of(o, struct inode, object));
}

/* Everything that mappings have changed goes to the host.  Files that nobody maps any more leave the list, unless they
 * were mapped again and changed meanwhile.  Whoever calls it waits for a round that is under way, whose files are on no
 * list that others see. */
void p9_write_back_work(struct work *w)
{
    struct p9_fs *fs = container_of(w, struct p9_fs, write_back);
    struct list done;
    list_init(&done);
    mutex_lock(&fs->write_back_lock);
    for (;;) {
        spin_lock(&fs->lock);
        struct p9_node *n = list_is_empty(&fs->dirty)
                                ? NULL
                                : list_entry(fs->dirty.next, struct p9_node, dirty_node);
        bool is_mapped = n && !list_is_empty(&n->inode->object.mappings);
        if (n) {
            n->has_news = false;
            list_remove(&n->dirty_node);
            list_push_back(&done, &n->dirty_node);
        }
        spin_unlock(&fs->lock);
        if (!n)
            break;
        if (!write_pages(n->inode))
            log_error("9p: changes of a mapped file could not be written");
        spin_lock(&fs->lock);
        bool is_done = !is_mapped && !n->has_news;
        if (is_done) {
            list_remove(&n->dirty_node);
            n->is_dirty = false;
        }
        spin_unlock(&fs->lock);
        if (is_done)
            vm_object_put(&n->inode->object);
    }
    spin_lock(&fs->lock);
    while (!list_is_empty(&done)) {
        struct list *node = done.next;
        list_remove(node);
        list_push_back(&fs->dirty, node);
    }
    spin_unlock(&fs->lock);
    mutex_unlock(&fs->write_back_lock);
}

void p9_free_contents(struct inode *i)
{
    atomic_add(&p9_fs(i)->nr_pages, -pagecache_drop(&p9_node(i)->cache, 0, UINT64_MAX));
}

const struct vm_object_ops p9_object_ops = {
    .get_page = object_get_page,
    .free = inode_object_free,
    .name = inode_object_name,
    .identity = inode_object_identity,
    .peek = object_peek,
    .sync = object_sync,
};

/* --- attributes ---------------------------------------------------------------------------------------- */

static void size_changed(struct inode *i, uint64_t size)
{
    uint64_t old = i->size;
    atomic_store(&i->size, size);
    if (size < old)
        drop(i, pagecache_pages(size), true);
    pagecache_clear_tail(&p9_node(i)->cache, MIN(old, size));
}

static uint32_t what_to_set(const struct inode_attr *a)
{
    static const struct {
        uint16_t attr, set, set_to;
    } table[] = {{ATTR_MODE, SET_MODE, 0},
                 {ATTR_UID, SET_UID, 0},
                 {ATTR_GID, SET_GID, 0},
                 {ATTR_SIZE, SET_SIZE, 0},
                 {ATTR_ATIME, SET_ATIME, SET_ATIME_TO},
                 {ATTR_MTIME, SET_MTIME, SET_MTIME_TO}};
    uint32_t set = 0;
    for (unsigned n = 0; n < ARRAY_LEN(table); n++)
        if (a->mask & table[n].attr)
            set |= table[n].set | (a->mask & ATTR_TOUCH ? 0 : table[n].set_to);
    return set;
}

/* Zeros as far as the host has anything behind `at`: it does not know to what size we have grown the file. */
static int zero_rest(struct p9_fid *fid, uint64_t at, uint64_t end)
{
    char *buf = heap_zalloc(WRITE_BYTES);
    struct p9_buf first = {buf, 1};
    ssize_t ret = buf ? 1 : -ENOMEM;
    while (ret > 0 && at < end && (ret = p9_read(fid, at, &first, 1, 1)) > 0) {
        *buf = 0;
        ret = p9_write(fid, at, buf, (uint32_t)MIN(WRITE_BYTES, end - at));
        at += (uint64_t)ret;
        if (sched_checkpoint())
            ret = -EINTR;
    }
    heap_free(buf);
    return (int)MIN(ret, 0);
}

/* The path of a file that has lost its last name may lead to another.  Nobody but us sees its attributes, so they are in
 * memory only; what is cut off becomes zeros, as which it would be seen if the file grew again. */
static int set_nameless(struct inode *i, const struct inode_attr *a, const struct cred *cred)
{
    struct p9_fid *fid = p9_node(i)->writer;
    if (a->mask & ATTR_SIZE) {
        int ret = fid ? zero_rest(fid, (uint64_t)a->size, i->size) : -ESTALE;
        if (ret < 0)
            return ret;
        size_changed(i, (uint64_t)a->size);
        inode_touch_mtime(i);
    }
    return inode_apply_attr(i, a, cred);
}

int p9_set_attr(struct inode *i, const struct inode_attr *a, const struct cred *cred)
{
    bool sizes = a->mask & ATTR_SIZE;
    int ret = p9_check_path(i);
    if (atomic_load(&p9_node(i)->is_nameless))
        return set_nameless(i, a, cred);
    if (ret < 0)
        return ret;
    if (sizes)
        begin_change(i);
    ret = p9_rpc(p9_fs(i), NULL, P9_TSETATTR, "iddddqtt", i, what_to_set(a), a->mode, a->uid,
                 a->gid, (uint64_t)a->size, a->atime_ns, a->mtime_ns);
    if (ret == 0 && sizes)
        size_changed(i, (uint64_t)a->size);
    if (sizes)
        end_change(i);
    /* Rights are looked at without asking the host, which may take some from what is truncated; size and times are not. */
    bool changes_mode =
        (a->mask & (ATTR_MODE | ATTR_UID | ATTR_GID)) || (sizes && i->mode & (S_ISUID | S_ISGID));
    if (ret == 0 && changes_mode)
        return p9_refresh(i);
    p9_expire(i);
    return ret;
}

int p9_sync_file(struct file *f, bool data_only)
{
    struct p9_fid *fid = f->data;
    int ret = S_ISREG(f->inode->mode) ? p9_write_back(f->inode) : 0;
    int synced = p9_rpc(fid->fs, NULL, P9_TFSYNC, "dd", fid->nr, data_only);
    return ret < 0 ? ret : synced;
}

static ssize_t p9_readlink(struct inode *i, char *buf, size_t size)
{
    struct p9_msg m;
    const char *target;
    uint16_t len;
    if (atomic_load(&p9_node(i)->is_nameless))
        return -ESTALE; /* its path may lead to another */
    int ret = p9_rpc(p9_fs(i), &m, P9_TREADLINK, "i", i);
    if (ret < 0)
        return ret;
    ret = p9_get(&m, "n", &target, &len);
    if (ret == 0 && len >= size)
        ret = -ENAMETOOLONG;
    if (ret == 0) {
        memcpy(buf, target, len);
        buf[len] = 0;
        ret = len;
    }
    p9_free_msg(&m);
    return ret;
}

/* What stdio makes its buffers of: a message costs much, and a byte in it little. */
static void p9_get_stat(struct inode *i, struct inode_stat *st)
{
    st->blksize = WRITE_BYTES;
}

const struct inode_ops p9_file_ops = {.open = p9_open,
                                      .get_stat = p9_get_stat,
                                      .set_attr = p9_set_attr,
                                      .refresh = p9_refresh_if_old,
                                      .free = p9_free,
                                      .xattrs = &p9_xattr_ops};
const struct inode_ops p9_link_ops = {.readlink = p9_readlink,
                                      .set_attr = p9_set_attr,
                                      .refresh = p9_refresh_if_old,
                                      .free = p9_free,
                                      .xattrs = &p9_xattr_ops};

const struct file_ops p9_regular_file_ops = {
    .read = p9_read_file,
    .write = p9_write_file,
    .seek = p9_seek,
    .mmap = p9_mmap,
    .sync = p9_sync_file,
    .release = p9_release,
    .has_pos = true,
};
