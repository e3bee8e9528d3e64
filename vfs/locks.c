/* Advisory locks on files: who holds what, and waiting for it.
 *
 * Record locks of processes and of open files are in one list of the inode and compete; flock(2)'s
 * are in another, and the two kinds do not know each other, as on Linux.  One spinlock guards all
 * of it: locks are rare, and the search for deadlocks looks at every waiter. */
#include <asm/fcntl.h>
#include <base/errno.h>
#include <core/heap.h>
#include <linux/fs.h>
#include <vfs/file_locks.h>
#include <vfs/inode.h>

#include "range_lock.h"

struct file_locks {
    struct list records, flocks; /* struct range_lock */
    struct waitq waiters;
};

/* One that sleeps: for the search for deadlocks. */
struct waiting {
    struct list node;
    void *owner, *blocker;
};

static struct spinlock locks_lock = SPINLOCK_INIT(RANK_DENTRY); /* guards every list, and: */
static struct list all_waiting = LIST_INIT(all_waiting);

#define MAX_CHAIN 10 /* as Linux: longer chains of waiters are not searched */

static struct file_locks *locks_of(struct inode *i)
{
    struct file_locks *l = atomic_load(&i->locks);
    if (l)
        return l;
    l = heap_zalloc(sizeof(*l));
    if (!l)
        return NULL;
    list_init(&l->records);
    list_init(&l->flocks);
    waitq_init(&l->waiters);
    if (atomic_cas(&i->locks, NULL, l))
        return l;
    heap_free(l);
    return atomic_load(&i->locks);
}

void locks_free(struct inode *i)
{
    assert(!i->locks || (list_is_empty(&i->locks->records) && list_is_empty(&i->locks->flocks)));
    heap_free(i->locks);
}

/* --- taking ----------------------------------------------------------------------------------- */

/* A lock that is wanted, across attempts. */
struct attempt {
    struct file_locks *locks;
    struct list *list;
    struct range_lock request;
    struct range_lock *spare[2];
    struct waiting waiting;
    bool is_wait, finds_deadlocks;
    int ret;
};

/* Does the blocker wait, over some others, for us? */
static bool is_deadlock(struct attempt *a)
{
    void *owner = a->waiting.blocker;
    for (unsigned n = 0; n < MAX_CHAIN && owner; n++) {
        if (owner == a->request.owner)
            return true;
        struct waiting *w;
        void *next = NULL;
        list_for_each(w, &all_waiting, node)
            if (w->owner == owner) {
                next = w->blocker;
                break;
            }
        owner = next;
    }
    return false;
}

/* True when it is decided, with the result in a->ret; false: somebody is in the way, wait. */
static bool try_lock(struct attempt *a)
{
    bool is_done = true, gave_up = false;
    spin_lock(&locks_lock);
    struct range_lock *conflict = range_find_conflict(a->list, &a->request);
    if (!conflict) {
        gave_up = range_apply(a->list, &a->request, a->spare);
        a->ret = 0;
    } else if (!a->is_wait) {
        a->ret = -EAGAIN;
    } else {
        a->waiting.blocker = conflict->owner;
        is_done = a->finds_deadlocks && is_deadlock(a);
        a->ret = -EDEADLK;
        if (!is_done && a->finds_deadlocks && list_is_empty(&a->waiting.node))
            list_push_back(&all_waiting, &a->waiting.node);
    }
    if (is_done)
        list_remove(&a->waiting.node);
    spin_unlock(&locks_lock);
    if (gave_up)
        waitq_wake_all(&a->locks->waiters);
    return is_done;
}

/* What the parameters say, with everything that must be allocated. */
static int attempt(struct attempt *a)
{
    a->spare[0] = heap_alloc(sizeof(*a->spare[0]));
    a->spare[1] = heap_alloc(sizeof(*a->spare[1]));
    a->waiting.owner = a->request.owner;
    list_init(&a->waiting.node);
    int ret = -ENOLCK;
    if (a->spare[0] && a->spare[1]) {
        /* The queue is the file's: a waiter looks again whenever anybody gives up anything on it.
         */
        ret = WAIT_EVENT(&a->locks->waiters, try_lock(a), WAIT_INTERRUPTIBLE, TIME_NEVER);
        if (ret == 0)
            ret = a->ret;
    }
    if (!list_is_empty(&a->waiting.node)) {
        spin_lock(&locks_lock);
        list_remove(&a->waiting.node);
        spin_unlock(&locks_lock);
    }
    heap_free(a->spare[0]);
    heap_free(a->spare[1]);
    return ret == -EINTR ? -ERESTARTSYS : ret;
}

int locks_set(struct file *f, void *owner, const struct lock_range *r, bool wait)
{
    if ((r->type == F_RDLCK && !f->can_read) || (r->type == F_WRLCK && !f->can_write))
        return -EBADF;
    struct file_locks *l = locks_of(f->inode);
    if (!l)
        return -ENOLCK;
    struct attempt a = {
        .locks = l,
        .list = &l->records,
        .is_wait = wait,
        .finds_deadlocks = owner != f,
        .request =
            {.owner = owner, .type = r->type, .pid = r->pid, .start = r->start, .end = r->end},
    };
    return attempt(&a);
}

void locks_test(struct file *f, void *owner, struct lock_range *r)
{
    struct file_locks *l = atomic_load(&f->inode->locks);
    struct range_lock request = {.owner = owner, .type = r->type, .start = r->start, .end = r->end};
    r->type = F_UNLCK;
    if (!l)
        return;
    spin_lock(&locks_lock);
    struct range_lock *c = request.type == F_UNLCK ? range_find_own(&l->records, &request)
                                                   : range_find_conflict(&l->records, &request);
    if (c)
        *r = (struct lock_range){.type = c->type, .start = c->start, .end = c->end, .pid = c->pid};
    spin_unlock(&locks_lock);
}

int locks_make_range(struct file *f, int whence, int64_t start, int64_t len, struct lock_range *r)
{
    int64_t base = 0;
    if (whence == SEEK_CUR)
        base = file_get_pos(f);
    else if (whence == SEEK_END)
        base = f->inode->size;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (__builtin_add_overflow(base, start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    r->start = start;
    r->end = INT64_MAX;
    if (len > 0 && __builtin_add_overflow(start, len - 1, &r->end))
        return -EOVERFLOW;
    if (len < 0) { /* what lies before `start` */
        if (start + len < 0)
            return -EINVAL;
        r->start = start + len;
        r->end = start - 1;
    }
    return 0;
}

/* --- giving up -------------------------------------------------------------------------------- */

static bool drop_owner(struct list *locks, void *owner)
{
    struct range_lock everything = {.owner = owner, .type = F_UNLCK, .start = 0, .end = INT64_MAX};
    struct range_lock *no_spare[2] = {NULL, NULL}; /* nothing is split */
    return range_apply(locks, &everything, no_spare);
}

static void drop(struct file_locks *l, void *owner, bool records, bool flocks)
{
    if (!l)
        return;
    spin_lock(&locks_lock);
    bool gave_up = records && drop_owner(&l->records, owner);
    gave_up |= flocks && drop_owner(&l->flocks, owner);
    spin_unlock(&locks_lock);
    if (gave_up)
        waitq_wake_all(&l->waiters);
}

/* Does `owner` hold a lock of another type? */
static bool holds_other(struct list *locks, void *owner, int type)
{
    bool does = false;
    struct range_lock *held;
    spin_lock(&locks_lock);
    list_for_each(held, locks, node)
        does |= held->owner == owner && held->type != type;
    spin_unlock(&locks_lock);
    return does;
}

int locks_flock(struct file *f, int operation)
{
    struct file_locks *l = locks_of(f->inode);
    if (!l)
        return -ENOLCK;
    bool wait = !(operation & LOCK_NB);
    struct attempt a = {
        .locks = l,
        .list = &l->flocks,
        .is_wait = wait,
        .request = {.owner = f, .start = 0, .end = INT64_MAX},
    };
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        a.request.type = F_RDLCK;
        break;
    case LOCK_EX:
        a.request.type = F_WRLCK;
        break;
    case LOCK_UN:
        drop(l, f, false, true);
        return 0;
    default:
        return -EINVAL;
    }
    /* A conversion gives the old lock up first, and may lose it: flock(2). */
    if (holds_other(&l->flocks, f, a.request.type))
        drop(l, f, false, true);
    return attempt(&a);
}

void locks_close(struct file *f, void *owner)
{
    drop(atomic_load(&f->inode->locks), owner, true, false);
}

void locks_release(struct file *f)
{
    drop(atomic_load(&f->inode->locks), f, true, true);
}
