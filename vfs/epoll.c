/* epoll(7): sets of files to wait for.
 *
 * An item ties one (file, descriptor) pair to an instance.  Its waiters sit on the file's wait
 * queues all the time, on those that matter to its events; a wake-up puts the item on the instance's ready list and wakes one sleeper.
 * epoll_wait takes items from the front of that list, asks each file what holds now, and puts
 * level-triggered ones back at the end, which makes a busy file wait its turn.
 *
 * Locks: ->lock (a mutex) keeps the set of items still; ->ready_lock (a spinlock inside the
 * queue's, any context) guards the ready list.  An item does not hold its file: the file's last
 * file_put calls epoll_forget_file, which waits for ->lock, so a file that an item names is alive
 * while ->lock is held.
 *
 * Instances can watch instances, four deep.  nest_lock guards who watches whom; from that comes
 * each instance's height above the bottom and from it the ranks of its locks: mutexes are taken
 * from the top down, the spinlocks of a wake-up from the bottom up. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/sched.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <vfs/epoll.h>
#include <vfs/inode.h>
#include <vfs/poll.h>

#define MAX_NESTING   4
#define FIRST_BUCKETS 16

/* Bits of events that are not poll events. */
#define EPOLL_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
/* What may be asked for together with EPOLLEXCLUSIVE. */
#define EPOLL_EXCLUSIVE_OK \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll {
    struct ref ref;         /* the file, each item, and who looks in from a dying file */
    struct waitq wait;      /* sleepers in epoll_wait */
    struct waitq poll_wait; /* those who poll this instance */
    struct mutex lock;      /* RANK_EPOLL.. - guards: */
    struct item **buckets;  /* by descriptor */
    unsigned nr_buckets, nr_items;
    struct spinlock ready_lock; /* RANK_WAITQ_2.., interrupts off - guards: */
    struct list ready;          /* struct item.ready_node */
    /* guarded by nest_lock */
    unsigned height;      /* the longest chain of instances below this one */
    struct list children; /* items that watch an instance; struct item.child_node */
    struct list parents;  /* items by which we are watched; struct item.parent_node */
};

struct item {
    struct epoll *ep; /* referenced */
    struct file *file;
    int fd;
    uint32_t events;        /* atomic; changed under ep->lock */
    uint64_t data;          /* guarded by ep->lock */
    uint32_t waited_for;    /* the events that its waiters were added for; likewise */
    struct item *next;      /* in its bucket */
    struct list file_node;  /* in file->epoll_items, guarded by file->lock */
    struct list ready_node; /* guarded by ep->ready_lock */
    bool is_ready;          /* on the list; likewise */
    bool has_news; /* woken since the file was last asked; set likewise, cleared under ep->lock */
    struct list child_node, parent_node;
    unsigned nr_waiters;
    struct item_waiter {
        struct waiter waiter;
        struct item *item;
    } waiters[POLL_QUEUES_MAX];
};

static struct mutex nest_lock;
static struct slab *item_slab;

void epoll_init(void)
{
    mutex_init(&nest_lock, RANK_EPOLL_NEST);
    item_slab = slab_new("epoll_item", sizeof(struct item));
}

static void epoll_unref(struct epoll *ep)
{
    if (!ref_put(&ep->ref))
        return;
    heap_free(ep->buckets);
    heap_free(ep);
}

/* --- the ready list --------------------------------------------------------------------------- */

static bool has_ready(struct epoll *ep)
{
    return atomic_load(&ep->ready.next) != &ep->ready;
}

/* Interrupts are off. */
static void make_ready(struct item *item)
{
    struct epoll *ep = item->ep;
    spin_lock(&ep->ready_lock);
    item->has_news = true;
    if (!item->is_ready) {
        item->is_ready = true;
        list_push_back(&ep->ready, &item->ready_node);
    }
    spin_unlock(&ep->ready_lock);
}

/* The first item, which stays where it is.  The list is not empty, and as only who holds ep->lock
 * takes items off, its front stays as it is. */
static struct item *first_ready(struct epoll *ep)
{
    return list_entry(ep->ready.next, struct item, ready_node);
}

/* The file has been asked.  An item that stays goes to the end of the list; another leaves it,
 * unless a wake-up has come since. */
static void settle(struct epoll *ep, struct item *item, bool stays)
{
    bool irqs = spin_lock_irq(&ep->ready_lock);
    list_remove(&item->ready_node);
    item->is_ready = stays || item->has_news;
    if (item->is_ready)
        list_push_back(&ep->ready, &item->ready_node);
    spin_unlock_irq(&ep->ready_lock, irqs);
}

static void drop_ready(struct item *item)
{
    bool irqs = spin_lock_irq(&item->ep->ready_lock);
    if (item->is_ready)
        list_remove(&item->ready_node);
    item->is_ready = false;
    spin_unlock_irq(&item->ep->ready_lock, irqs);
}

/* Something became ready: one sleeper, and everyone who polls the instance.  Answers whether a
 * sleeper heard.  sched_send_kicks is the caller's, if only after the wake-up that this is part of. */
static inline __attribute__((always_inline)) bool wake_watchers(struct epoll *ep)
{
    bool was_heard = false;
    __atomic_thread_fence(
        __ATOMIC_SEQ_CST); /* the list has changed before the queues are looked at */
    if (!waitq_is_empty(&ep->wait))
        was_heard = waitq_wake_nested(&ep->wait, 1, 0) > 0;
    if (!waitq_is_empty(&ep->poll_wait))
        waitq_wake_nested(&ep->poll_wait, 0, POLLIN | POLLRDNORM);
    return was_heard;
}

/* The file was ready when the program asked for its events. */
static void make_ready_at_once(struct item *item)
{
    bool irqs = arch_irq_save();
    make_ready(item);
    arch_irq_restore(irqs);
    wake_watchers(item->ep);
    sched_send_kicks();
}

/* A wake-up of one of the file's queues, under that queue's lock, in any context. */
static bool on_wake(struct waiter *w, unsigned long key)
{
    struct item *item = container_of(w, struct item_waiter, waiter)->item;
    uint32_t events = atomic_load(&item->events);
    if (!(events & ~EPOLL_PRIVATE)) /* one-shot and spent */
        return false;
    if (key && !(key & events))
        return false;
    make_ready(item);
    bool was_heard = wake_watchers(item->ep);
    return was_heard || !(events & EPOLLEXCLUSIVE);
}

/* --- the set of items ------------------------------------------------------------------------- */

static struct item **bucket_of(struct epoll *ep, int fd)
{
    return &ep->buckets[(unsigned)fd & (ep->nr_buckets - 1)];
}

static struct item *find_item(struct epoll *ep, struct file *f, int fd)
{
    for (struct item *item = *bucket_of(ep, fd); item; item = item->next)
        if (item->fd == fd && item->file == f)
            return item;
    return NULL;
}

/* Twice the buckets; without memory the chains merely get longer. */
static void grow_buckets(struct epoll *ep)
{
    unsigned nr_old = ep->nr_buckets;
    struct item **old = ep->buckets, **new = heap_zalloc(2 * nr_old * sizeof(new[0]));
    if (!new)
        return;
    ep->buckets = new;
    ep->nr_buckets = 2 * nr_old;
    for (unsigned i = 0; i < nr_old; i++) {
        for (struct item *item = old[i], *next; item; item = next) {
            next = item->next;
            struct item **bucket = bucket_of(ep, item->fd);
            item->next = *bucket;
            *bucket = item;
        }
    }
    heap_free(old);
}

struct item_table {
    struct poll_table table;
    struct item *item;
};

static void add_waiter(struct poll_table *t, struct file *f, struct waitq *q)
{
    struct item *item = container_of(t, struct item_table, table)->item;
    assert(item->nr_waiters < POLL_QUEUES_MAX);
    struct item_waiter *w = &item->waiters[item->nr_waiters++];
    w->item = item;
    waiter_init_fn(&w->waiter, on_wake);
    if (item->events & EPOLLEXCLUSIVE)
        waitq_add_exclusive(q, &w->waiter);
    else
        waitq_add(q, &w->waiter);
}

/* What of the item's events holds now.  ep->lock is held. */
static inline uint32_t item_poll(struct item *item, struct poll_table *t)
{
    return file_poll(item->file, t) & item->events;
}

/* The same for an item of the ready list: a wake-up from here on is news. */
static uint32_t item_ask(struct item *item)
{
    (void)atomic_swap(&item->has_news, false);
    return item_poll(item, NULL);
}

/* Put the item on the file's queues for its events, and ask what holds. */
static uint32_t item_subscribe(struct item *item)
{
    struct item_table t = {{.add = add_waiter, .events = item->events}, item};
    item->waited_for = item->events;
    return item_poll(item, &t.table);
}

/* No on_wake runs from here on. */
static void item_unsubscribe(struct item *item)
{
    for (unsigned i = 0; i < item->nr_waiters; i++)
        waitq_remove(&item->waiters[i].waiter);
    item->nr_waiters = 0;
}

/* Put a filled item into the set and on the file's queues. */
static void insert_item(struct epoll *ep, struct item *item)
{
    struct file *f = item->file;
    if (++ep->nr_items > ep->nr_buckets)
        grow_buckets(ep);
    struct item **bucket = bucket_of(ep, item->fd);
    item->next = *bucket;
    *bucket = item;
    ref_get(&ep->ref);

    spin_lock(&f->lock);
    list_push_back(&f->epoll_items, &item->file_node);
    spin_unlock(&f->lock);

    if (item_subscribe(item))
        make_ready_at_once(item);
}

/* Take an item out and free it.  ep->lock is held, and nest_lock when the item watches an instance.
 * The caller holds a reference to `ep` besides the item's. */
static void remove_item(struct epoll *ep, struct item *item)
{
    item_unsubscribe(item);
    drop_ready(item);

    struct file *f = item->file;
    spin_lock(&f->lock);
    list_remove(&item->file_node);
    spin_unlock(&f->lock); /* the file may be gone now */

    list_remove(&item->child_node);
    list_remove(&item->parent_node);
    struct item **link = bucket_of(ep, item->fd);
    while (*link != item)
        link = &(*link)->next;
    *link = item->next;
    ep->nr_items--;
    slab_free(item_slab, item);
    epoll_unref(ep);
}

/* --- instances that watch instances ----------------------------------------------------------- */

/* Give `ep` its height.  Who watches must at any time be higher than what it watches, or lock ranks
 * would be wrong: so the callers raise ancestors first and lower them last. */
static void set_height(struct epoll *ep, unsigned height)
{
    ep->height = height;
    mutex_set_rank(&ep->lock, RANK_EPOLL_LAST - height);
    spin_set_rank(&ep->ready_lock, RANK_WAITQ_2 + height);
    spin_set_rank(&ep->wait.lock, RANK_WAITQ_2 + height);
    spin_set_rank(&ep->poll_wait.lock, RANK_WAITQ_2 + height);
}

static seldom_called void raise(struct epoll *ep, unsigned height)
{
    if (ep->height >= height)
        return;
    struct item *item;
    list_for_each(item, &ep->parents, parent_node)
        raise(item->ep, height + 1);
    set_height(ep, height);
}

/* After an item of `ep` has gone. */
static seldom_called void lower(struct epoll *ep)
{
    unsigned height = 0;
    struct item *item;
    list_for_each(item, &ep->children, child_node) {
        struct epoll *child = item->file->data;
        height = MAX(height, child->height + 1);
    }
    if (height == ep->height)
        return;
    set_height(ep, height);
    list_for_each(item, &ep->parents, parent_node)
        lower(item->ep);
}

/* The longest chain of instances above. */
static seldom_called unsigned depth_above(struct epoll *ep)
{
    unsigned depth = 0;
    struct item *item;
    list_for_each(item, &ep->parents, parent_node)
        depth = MAX(depth, depth_above(item->ep) + 1);
    return depth;
}

static seldom_called bool reaches(struct epoll *from, struct epoll *to)
{
    if (from == to)
        return true;
    struct item *item;
    list_for_each(item, &from->children, child_node)
        if (reaches(item->file->data, to))
            return true;
    return false;
}

/* `ep` is about to watch `child`. */
static int prepare_nesting(struct epoll *ep, struct epoll *child)
{
    if (reaches(child, ep) || child->height + 1 + depth_above(ep) > MAX_NESTING)
        return -ELOOP;
    raise(ep, child->height + 1);
    return 0;
}

/* --- epoll_ctl -------------------------------------------------------------------------------- */

static int ctl_add(struct epoll *ep, struct file *f, int fd, uint32_t events, uint64_t data)
{
    struct epoll *child = file_is_epoll(f) ? f->data : NULL;
    if (find_item(ep, f, fd))
        return -EEXIST;
    struct item *item = slab_alloc(item_slab);
    if (!item)
        return -ENOMEM;
    item->ep = ep;
    item->file = f;
    item->fd = fd;
    item->events = events | EPOLLERR | EPOLLHUP;
    item->data = data;
    list_init(&item->child_node);
    list_init(&item->parent_node);
    if (child) {
        list_push_back(&ep->children, &item->child_node);
        list_push_back(&child->parents, &item->parent_node);
    }
    insert_item(ep, item);
    return 0;
}

static int ctl_mod(struct epoll *ep, struct item *item, uint32_t events, uint64_t data)
{
    if (item->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    item->data = data;
    /* Seen by every on_wake from here on; one that came before is covered by looking at the file
     * now. */
    atomic_swap(&item->events, events | EPOLLERR | EPOLLHUP);
    bool needs_more = item->events & ~EPOLL_PRIVATE & ~item->waited_for;
    if (needs_more)
        item_unsubscribe(item);
    if (needs_more ? item_subscribe(item) : item_poll(item, NULL))
        make_ready_at_once(item);
    return 0;
}

static int ctl(struct epoll *ep, int op, struct file *f, int fd, uint32_t events, uint64_t data)
{
    if (op == EPOLL_CTL_ADD)
        return ctl_add(ep, f, fd, events, data);
    struct item *item = find_item(ep, f, fd);
    if (op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
        return -EINVAL;
    if (!item)
        return -ENOENT;
    if (op == EPOLL_CTL_MOD)
        return ctl_mod(ep, item, events, data);
    remove_item(ep, item);
    return 0;
}

int epoll_ctl(struct file *epoll, int op, struct file *target, int fd, uint32_t events,
              uint64_t data)
{
    if (!target->ops->poll)
        return -EPERM;
    if (epoll == target || !file_is_epoll(epoll))
        return -EINVAL;
    bool nests = file_is_epoll(target);
    if (op != EPOLL_CTL_DEL && (events & EPOLLEXCLUSIVE)) {
        if (op == EPOLL_CTL_MOD || nests || (events & ~EPOLL_EXCLUSIVE_OK))
            return -EINVAL;
    }
    struct epoll *ep = epoll->data;
    int ret = 0;
    if (nests)
        mutex_lock(&nest_lock);
    /* Before ep->lock is taken, because a lock that is held keeps the rank it was taken with. */
    if (nests && op == EPOLL_CTL_ADD)
        ret = prepare_nesting(ep, target->data);
    if (ret == 0) {
        mutex_lock(&ep->lock);
        ret = ctl(ep, op, target, fd, events, data);
        mutex_unlock(&ep->lock);
    }
    if (nests) {
        lower(ep); /* an item has gone, or the one that was prepared for did not come */
        mutex_unlock(&nest_lock);
    }
    return ret;
}

/* --- epoll_wait ------------------------------------------------------------------------------- */

/* Deliver what is ready, each item at most once: events, or -EFAULT when the first one could not be
 * told. */
static int deliver_locked(struct epoll *ep, int max_events, epoll_emit_fn *emit, void *arg)
{
    /* Only who holds ->lock takes items off the list, so its present end stays on it until we get
     * there. */
    const struct list *last = atomic_load(&ep->ready.prev);
    bool is_last;
    int nr = 0;
    if (last == &ep->ready) /* another has been faster */
        return 0;
    do {
        struct item *item = first_ready(ep);
        is_last = &item->ready_node == last;
        uint32_t events = item_ask(item);
        int ret = events ? emit(arg, events, item->data) : 0;
        if (ret < 0)
            return nr > 0 ? nr : ret;
        nr += events != 0;
        if (events && (item->events & EPOLLONESHOT))
            atomic_store(&item->events, item->events & EPOLL_PRIVATE);
        bool stays = events && !(item->events & (EPOLLONESHOT | EPOLLET));
        if (!stays ||
            atomic_load(&item->ready_node.next) != &ep->ready) /* else the end is where it is */
            settle(ep, item, stays);
    } while (!is_last && nr < max_events);
    return nr;
}

static int deliver(struct epoll *ep, int max_events, epoll_emit_fn *emit, void *arg)
{
    mutex_lock(&ep->lock);
    int nr = deliver_locked(ep, max_events, emit, arg);
    mutex_unlock(&ep->lock);
    if (has_ready(ep) && !waitq_is_empty(&ep->wait))
        waitq_wake(&ep->wait, 1, 0); /* what is left, or level-triggered, is another sleeper's */
    return nr;
}

/* The rest of a wait that found nothing at first. */
static __attribute__((noinline)) int wait_and_deliver(struct file *epoll, int max_events,
                                                      int64_t timeout_ns, epoll_emit_fn *emit,
                                                      void *arg)
{
    struct epoll *ep = epoll->data;
    uint64_t deadline = timeout_ns < 0 ? TIME_NEVER : deadline_after(timeout_ns);
    for (;;) {
        int ret = WAIT_EVENT_EXCLUSIVE(&ep->wait, has_ready(ep), WAIT_INTERRUPTIBLE, deadline);
        /* Also after a failed sleep: our exclusive wake-up may have come at the same moment. */
        int nr = epoll_wait(epoll, max_events, 0, emit, arg);
        if (nr != 0)
            return nr;
        if (ret < 0)
            return ret == -ETIMEDOUT ? 0 : ret;
    }
}

int epoll_wait(struct file *epoll, int max_events, int64_t timeout_ns, epoll_emit_fn *emit,
               void *arg)
{
    struct epoll *ep = epoll->data;
    int nr = has_ready(ep) ? deliver(ep, max_events, emit, arg) : 0;
    if (nr != 0 || timeout_ns == 0)
        return nr;
    return wait_and_deliver(epoll, max_events, timeout_ns, emit, arg);
}

/* --- the file --------------------------------------------------------------------------------- */

/* Readable when an item is really ready; items that are so no more leave the list. */
static uint32_t epoll_poll(struct file *f, struct poll_table *t)
{
    struct epoll *ep = f->data;
    poll_on(t, f, &ep->poll_wait);
    if (!has_ready(ep))
        return 0;
    mutex_lock(&ep->lock);
    const struct list *last = atomic_load(&ep->ready.prev);
    bool is_last = last == &ep->ready, is_readable = false;
    while (!is_last && !is_readable) {
        struct item *item = first_ready(ep);
        is_last = &item->ready_node == last;
        is_readable = item_ask(item);
        if (!is_readable)
            settle(ep, item, false);
    }
    mutex_unlock(&ep->lock);
    return is_readable ? POLLIN | POLLRDNORM : 0;
}

static seldom_called int epoll_show_fdinfo(struct file *f, char *buf, size_t size)
{
    struct epoll *ep = f->data;
    size_t n = 0;
    mutex_lock_nested(&ep->lock, RANK_PROCESS_INNER); /* who holds it reads nothing in /proc */
    for (unsigned i = 0; i < ep->nr_buckets; i++) {
        for (struct item *item = ep->buckets[i]; item && n + 100 < size; item = item->next)
            n += snprintf(buf + n, size - n,
                          "tfd: %8d events: %8x data: %16llx  pos:%lld ino:%llx sdev:%llx\n",
                          item->fd, item->events, (unsigned long long)item->data,
                          (long long)item->file->pos, (unsigned long long)item->file->inode->ino,
                          (unsigned long long)item->file->inode->sb->dev);
    }
    mutex_unlock(&ep->lock);
    return n;
}

static void epoll_release(struct file *f)
{
    struct epoll *ep = f->data;
    mutex_lock(&nest_lock);
    mutex_lock(&ep->lock);
    for (unsigned i = 0; i < ep->nr_buckets; i++)
        while (ep->buckets[i])
            remove_item(ep, ep->buckets[i]);
    mutex_unlock(&ep->lock);
    mutex_unlock(&nest_lock);
    epoll_unref(ep);
}

const struct file_ops epoll_ops = {
    .seek = file_seek_nowhere,
    .poll = epoll_poll,
    .show_fdinfo = epoll_show_fdinfo,
    .release = epoll_release,
};

seldom_called struct file *epoll_new(void)
{
    struct epoll *ep = heap_zalloc(sizeof(*ep));
    if (!ep)
        return NULL;
    ref_init(&ep->ref);
    waitq_init(&ep->wait);
    waitq_init(&ep->poll_wait);
    mutex_init(&ep->lock, RANK_EPOLL_LAST);
    spin_init(&ep->ready_lock, RANK_WAITQ_2);
    set_height(ep, 0);
    list_init(&ep->ready);
    list_init(&ep->children);
    list_init(&ep->parents);
    ep->nr_buckets = FIRST_BUCKETS;
    ep->buckets = heap_zalloc(ep->nr_buckets * sizeof(ep->buckets[0]));
    struct file *f =
        ep->buckets ? file_new_anon(&epoll_ops, ep, O_RDWR, 0600, "anon_inode:[eventpoll]") : NULL;
    if (!f)
        epoll_unref(ep);
    return f;
}

/* --- files that go away ----------------------------------------------------------------------- */

/* An instance that watches `f`, referenced; NULL: none. */
static inline struct epoll *first_watcher(struct file *f)
{
    struct epoll *ep = NULL;
    spin_lock(&f->lock);
    if (!list_is_empty(&f->epoll_items)) {
        ep = list_entry(f->epoll_items.next, struct item, file_node)->ep;
        ref_get(&ep->ref);
    }
    spin_unlock(&f->lock);
    return ep;
}

/* An item by which `ep` watches `f`; NULL: none.  ep->lock is held, so that the answer stays true.
 */
static struct item *item_of_file(struct epoll *ep, struct file *f)
{
    struct item *item, *found = NULL;
    spin_lock(&f->lock);
    list_for_each(item, &f->epoll_items, file_node)
        if (item->ep == ep)
            found = item;
    spin_unlock(&f->lock);
    return found;
}

void epoll_forget_file(struct file *f)
{
    struct epoll *ep = first_watcher(f);
    if (likely(!ep))
        return;
    bool nests = file_is_epoll(f);
    if (nests)
        mutex_lock(&nest_lock);
    for (; ep; ep = first_watcher(f)) {
        mutex_lock(&ep->lock);
        for (struct item *item; (item = item_of_file(ep, f));)
            remove_item(ep, item);
        if (nests)
            lower(ep);
        mutex_unlock(&ep->lock);
        epoll_unref(ep);
    }
    if (nests)
        mutex_unlock(&nest_lock);
}
