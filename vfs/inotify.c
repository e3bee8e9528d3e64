/* inotify(7): watches on inodes, and queues of what happened to them.
 *
 * A watch is in two lists, its inode's and its instance's, and keeps the inode alive.  One spinlock
 * guards them all, and the queues: events are rare, and most programs watch nothing
 * (inotify_nr_watches says so without it). References are dropped after the lock, because dropping
 * one may sleep. */
#include <asm/ioctls.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <vfs/inotify.h>

#define MAX_QUEUED  16384 /* fs.inotify.max_queued_events */
#define MAX_WATCHES 65536 /* fs.inotify.max_user_watches */

unsigned inotify_nr_watches;

struct watches { /* of an inode */
    struct list list;
};

struct watch {
    struct list inode_node, instance_node;
    struct list dead_node; /* taken out, not yet freed */
    struct inotify *instance;
    struct inode *inode; /* referenced */
    uint32_t mask;
    int wd;
};

struct event {
    struct list node;
    struct inotify_event header; /* with header.len bytes of name behind it, padded with zeros */
};

struct inotify {
    struct list watches, events;
    unsigned nr_watches, nr_events;
    int last_wd;
    struct waitq readers;
};

static struct spinlock inotify_lock = SPINLOCK_INIT(RANK_DRIVER); /* guards all of the above */

/* --- events ----------------------------------------------------------------------------------- */

static size_t padded(size_t len)
{
    return len ? ALIGN_UP(len + 1, sizeof(struct inotify_event)) : 0;
}

static bool is_repeated(struct inotify *in, const struct inotify_event *h, const char *name)
{
    if (list_is_empty(&in->events))
        return false;
    struct event *last = list_entry(in->events.prev, struct event, node);
    return last->header.wd == h->wd && last->header.mask == h->mask &&
           last->header.cookie == h->cookie && last->header.len == h->len &&
           strncmp(last->header.name, name, h->len) == 0;
}

static void queue_event(struct inotify *in, int wd, uint32_t mask, uint32_t cookie,
                        const char *name, size_t len)
{
    struct inotify_event h = {.wd = wd, .mask = mask, .cookie = cookie, .len = padded(len)};
    if (is_repeated(in, &h, name))
        return;
    bool is_full = in->nr_events >= MAX_QUEUED;
    if (in->nr_events > MAX_QUEUED)
        return; /* IN_Q_OVERFLOW is queued already */
    if (is_full)
        h = (struct inotify_event){.wd = -1, .mask = IN_Q_OVERFLOW};
    struct event *e = heap_zalloc(sizeof(*e) + h.len);
    if (!e)
        return;
    e->header = h;
    if (h.len)
        memcpy(e->header.name, name, len);
    list_push_back(&in->events, &e->node);
    in->nr_events++;
    waitq_wake(&in->readers, 0, POLLIN | POLLRDNORM);
}

/* Out of both lists and onto `dead`; the reader hears of it. */
static void watch_take_out(struct watch *w, struct list *dead)
{
    queue_event(w->instance, w->wd, IN_IGNORED, 0, "", 0);
    list_remove(&w->inode_node);
    list_remove(&w->instance_node);
    w->instance->nr_watches--;
    atomic_add(&inotify_nr_watches, -1u);
    list_push_back(dead, &w->dead_node);
}

static void bury(struct list *dead)
{
    struct list *node;
    while ((node = list_pop_front(dead)) != NULL) {
        struct watch *w = list_entry(node, struct watch, dead_node);
        inode_put(w->inode);
        heap_free(w);
    }
}

/* Tell those who watch `i`.  `is_unlinked`: the child has no name any more. */
static void post(struct inode *i, uint32_t mask, uint32_t cookie, const char *name, size_t len,
                 bool is_unlinked, struct list *dead)
{
    struct watches *all = i->watches;
    struct watch *w, *tmp;
    if (!all)
        return;
    list_for_each_safe(w, tmp, &all->list, inode_node) {
        if (!(w->mask & mask & IN_ALL_EVENTS) || (is_unlinked && w->mask & IN_EXCL_UNLINK))
            continue;
        queue_event(w->instance, w->wd, mask, cookie, name, len);
        if (w->mask & IN_ONESHOT || mask & IN_DELETE_SELF)
            watch_take_out(w, dead);
    }
}

/* A removed inode's watches end, also those that did not ask for IN_DELETE_SELF. */
static void end_watches(struct inode *i, struct list *dead)
{
    struct watch *w, *tmp;
    if (!i->watches)
        return;
    list_for_each_safe(w, tmp, &i->watches->list, inode_node)
        watch_take_out(w, dead);
}

void inotify_post_file(struct inode *i, struct dentry *d, uint32_t mask)
{
    struct list dead = LIST_INIT(dead);
    char name[NAME_MAX];
    size_t len;
    if (S_ISDIR(i->mode) && !(mask & (IN_DELETE_SELF | IN_MOVE_SELF)))
        mask |= IN_ISDIR;
    struct dentry *parent = d ? dentry_place(d, name, &len) : NULL;
    spin_lock(&inotify_lock);
    if (parent)
        post(parent->inode, mask, 0, name, len, !atomic_load(&d->is_linked), &dead);
    post(i, mask, 0, "", 0, false, &dead);
    if (mask & IN_DELETE_SELF)
        end_watches(i, &dead);
    spin_unlock(&inotify_lock);
    if (parent)
        dentry_put(parent);
    bury(&dead);
}

void inotify_post_name(struct inode *dir, const char *name, size_t len, uint32_t mask,
                       uint32_t cookie)
{
    struct list dead = LIST_INIT(dead);
    spin_lock(&inotify_lock);
    post(dir, mask, cookie, name, len, false, &dead);
    spin_unlock(&inotify_lock);
    bury(&dead);
}

void inotify_free_watches(struct inode *i)
{
    assert(!i->watches || list_is_empty(&i->watches->list)); /* each held a reference */
    heap_free(i->watches);
}

/* --- the file --------------------------------------------------------------------------------- */

/* The first event if it fits into `room`, taken off the queue: 1; 0: none; -EINVAL: too large. */
static int take_event(struct inotify *in, size_t room, struct event **out)
{
    int ret = 0;
    spin_lock(&inotify_lock);
    if (in->nr_events > 0) {
        struct event *e = list_entry(in->events.next, struct event, node);
        ret = sizeof(e->header) + e->header.len <= room ? 1 : -EINVAL;
        if (ret > 0) {
            list_remove(&e->node);
            in->nr_events--;
            *out = e;
        }
    }
    spin_unlock(&inotify_lock);
    return ret;
}

static ssize_t inotify_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct inotify *in = f->data;
    size_t done = 0;
    for (;;) {
        struct event *e;
        int ret = take_event(in, to->left, &e);
        if (ret > 0) {
            size_t n = sizeof(e->header) + e->header.len;
            ssize_t moved = iobuf_put(to, &e->header, n);
            heap_free(e);
            if (moved != (ssize_t)n)
                return done > 0 ? (ssize_t)done : -EFAULT;
            done += n;
            continue;
        }
        if (done > 0)
            return done;
        if (ret < 0)
            return ret;
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        ret = WAIT_EVENT(&in->readers, atomic_load(&in->nr_events) > 0, WAIT_INTERRUPTIBLE,
                         TIME_NEVER);
        if (ret < 0)
            return -ERESTARTSYS;
    }
}

static uint32_t inotify_poll(struct file *f, struct poll_table *t)
{
    struct inotify *in = f->data;
    poll_on(t, f, &in->readers);
    return atomic_load(&in->nr_events) > 0 ? POLLIN | POLLRDNORM : 0;
}

static long inotify_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct inotify *in = f->data;
    if (cmd != FIONREAD)
        return -ENOTTY;
    int bytes = 0;
    struct event *e;
    spin_lock(&inotify_lock);
    list_for_each(e, &in->events, node)
        bytes += sizeof(e->header) + e->header.len;
    spin_unlock(&inotify_lock);
    return user_put(arg, &bytes);
}

static void inotify_release(struct file *f)
{
    struct inotify *in = f->data;
    struct list dead = LIST_INIT(dead), *node;
    struct watch *w, *tmp;
    spin_lock(&inotify_lock);
    list_for_each_safe(w, tmp, &in->watches, instance_node)
        watch_take_out(w, &dead);
    spin_unlock(&inotify_lock);
    bury(&dead);
    while ((node = list_pop_front(&in->events)) != NULL)
        heap_free(list_entry(node, struct event, node));
    heap_free(in);
}

static const struct file_ops inotify_ops = {
    .read = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .release = inotify_release,
};

int inotify_new(int flags, struct file **out)
{
    struct inotify *in = heap_zalloc(sizeof(*in));
    if (!in)
        return -ENOMEM;
    list_init(&in->watches);
    list_init(&in->events);
    waitq_init(&in->readers);
    *out = file_new_anon(&inotify_ops, in, O_RDONLY | (flags & O_NONBLOCK), 0600,
                         "anon_inode:inotify");
    if (*out)
        return 0;
    heap_free(in);
    return -ENOMEM;
}

/* --- watches ---------------------------------------------------------------------------------- */

static struct watch *find_watch(struct inotify *in, const struct inode *i, int wd)
{
    struct watch *w;
    list_for_each(w, &in->watches, instance_node)
        if (i ? w->inode == i : w->wd == wd)
            return w;
    return NULL;
}

/* Change the watch that there is: its descriptor, -EEXIST, or 0 when there is none. */
static int change_watch(struct inotify *in, struct inode *i, uint32_t mask)
{
    struct watch *w = find_watch(in, i, 0);
    if (!w)
        return 0;
    if (mask & IN_MASK_CREATE)
        return -EEXIST;
    w->mask = mask & IN_MASK_ADD ? w->mask | mask : mask;
    return w->wd;
}

static int add_watch(struct inotify *in, struct inode *i, struct watch *new)
{
    if (in->nr_watches >= MAX_WATCHES)
        return -ENOSPC;
    new->wd = ++in->last_wd;
    list_push_back(&i->watches->list, &new->inode_node);
    list_push_back(&in->watches, &new->instance_node);
    in->nr_watches++;
    atomic_add(&inotify_nr_watches, 1);
    return new->wd;
}

/* An inode's list of watches, made when it is first watched. */
static bool have_watches(struct inode *i)
{
    if (atomic_load(&i->watches))
        return true;
    struct watches *all = heap_alloc(sizeof(*all));
    if (!all)
        return false;
    list_init(&all->list);
    if (!atomic_cas(&i->watches, NULL, all))
        heap_free(all);
    return true;
}

bool inotify_is(const struct file *f)
{
    return f->ops == &inotify_ops;
}

int inotify_add(struct file *f, struct inode *i, uint32_t mask)
{
    if (!inotify_is(f) || !(mask & IN_ALL_EVENTS))
        return -EINVAL;
    if ((mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE))
        return -EINVAL;
    struct inotify *in = f->data;
    struct watch *new = heap_zalloc(sizeof(*new));
    if (!new || !have_watches(i)) {
        heap_free(new);
        return -ENOMEM;
    }
    new->instance = in;
    new->inode = i;
    new->mask = mask;
    inode_get(i);
    spin_lock(&inotify_lock);
    int wd = change_watch(in, i, mask);
    bool is_new = wd == 0;
    if (is_new)
        wd = add_watch(in, i, new);
    spin_unlock(&inotify_lock);
    if (!is_new || wd < 0) {
        inode_put(i);
        heap_free(new);
    }
    return wd;
}

int inotify_remove(struct file *f, int wd)
{
    if (!inotify_is(f))
        return -EINVAL;
    struct list dead = LIST_INIT(dead);
    spin_lock(&inotify_lock);
    struct watch *w = find_watch(f->data, NULL, wd);
    if (w)
        watch_take_out(w, &dead);
    spin_unlock(&inotify_lock);
    bury(&dead);
    return w ? 0 : -EINVAL;
}
