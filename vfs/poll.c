/* poll(2) and select(2): one thread on many wait queues.
 *
 * The first look at the files puts a waiter on each queue until something is found ready; later
 * looks only ask. A poll operation may take mutexes and so sleep itself, hence the thread is not
 * marked as sleeping while it looks: wake-ups set a flag, and only the flag is checked between
 * wait_prepare and wait_sleep. The first few waiters live on the caller's stack, so that short
 * lists allocate nothing. */
#include <base/errno.h>
#include <core/heap.h>
#include <core/thread.h>
#include <vfs/poll.h>

#define INLINE_WAITERS 8
#define CHUNK_WAITERS  60

struct poll_waiter {
    struct waiter waiter;
    struct poller *poller;
    uint32_t events;
};

struct chunk {
    struct chunk *next;
    unsigned nr;
    struct poll_waiter waiters[CHUNK_WAITERS];
};

struct poller {
    struct poll_table table;
    struct thread *thread;
    bool was_woken; /* atomic */
    bool is_out_of_memory;
    unsigned nr; /* of those here */
    struct chunk *chunks;
    struct poll_waiter waiters[INLINE_WAITERS];
};

/* Any context, under the queue's lock. */
static bool on_wake(struct waiter *w, unsigned long key)
{
    struct poll_waiter *pw = container_of(w, struct poll_waiter, waiter);
    if (key && !(key & pw->events))
        return false;
    atomic_store(&pw->poller->was_woken, true);
    return thread_wake_quiet(pw->poller->thread);
}

static struct poll_waiter *new_waiter(struct poller *p)
{
    if (p->nr < INLINE_WAITERS)
        return &p->waiters[p->nr++];
    if (!p->chunks || p->chunks->nr == CHUNK_WAITERS) {
        struct chunk *c = heap_alloc(sizeof(*c));
        if (!c)
            return NULL;
        c->next = p->chunks;
        c->nr = 0;
        p->chunks = c;
    }
    return &p->chunks->waiters[p->chunks->nr++];
}

static void add_waiter(struct poll_table *t, struct file *f, struct waitq *q)
{
    struct poller *p = container_of(t, struct poller, table);
    struct poll_waiter *pw = new_waiter(p);
    if (!pw) {
        p->is_out_of_memory = true;
        return;
    }
    pw->poller = p;
    pw->events = t->events;
    waiter_init_fn(&pw->waiter, on_wake);
    waitq_add(q, &pw->waiter);
}

static void poller_end(struct poller *p)
{
    for (unsigned i = 0; i < p->nr; i++)
        waitq_remove(&p->waiters[i].waiter);
    for (struct chunk *c = p->chunks, *next; c; c = next) {
        next = c->next;
        for (unsigned i = 0; i < c->nr; i++)
            waitq_remove(&c->waiters[i].waiter);
        heap_free(c);
    }
}

/* Ask every file: how many slots are ready. */
static int look(struct poller *p, struct poll_slot *slots, unsigned nr)
{
    int nr_ready = 0;
    for (unsigned i = 0; i < nr; i++) {
        struct poll_slot *s = &slots[i];
        if (s->file) {
            p->table.events = s->events | POLLERR | POLLHUP;
            s->revents = file_poll(s->file, &p->table) & p->table.events;
        }
        if (s->revents) {
            nr_ready++;
            p->table.add = NULL; /* there will be no sleep */
        }
    }
    p->table.add = NULL; /* waiters are added once */
    return nr_ready;
}

static int sleep(struct poller *p, uint64_t deadline)
{
    int ret = 0;
    wait_prepare(WAIT_INTERRUPTIBLE);
    if (atomic_load(&p->was_woken))
        wait_cancel();
    else
        ret = wait_sleep(deadline);
    /* Cleared before the files are asked again, so that no wake-up falls in between. */
    (void)atomic_swap(&p->was_woken, false);
    return ret;
}

int poll_files(struct poll_slot *slots, unsigned nr, struct poll_timeout *timeout)
{
    struct poller p;
    p.table.add = timeout->ns == 0 ? NULL : add_waiter;
    p.thread = current_thread();
    p.was_woken = p.is_out_of_memory = false;
    p.nr = 0;
    p.chunks = NULL;

    int ret = 0, nr_ready;
    for (;;) {
        nr_ready = look(&p, slots, nr);
        if (nr_ready > 0 || ret < 0 || timeout->ns == 0 || p.is_out_of_memory)
            break;
        if (timeout->deadline == 0)
            timeout->deadline = timeout->ns < 0 ? TIME_NEVER : deadline_after(timeout->ns);
        ret = sleep(&p, timeout->deadline);
    }
    poller_end(&p);
    if (nr_ready > 0)
        return nr_ready;
    if (p.is_out_of_memory)
        return -ENOMEM;
    return ret == -ETIMEDOUT ? 0 : ret;
}
