/* Descriptors on their way (SCM_RIGHTS), and the garbage they can become.
 *
 * A message holds a reference to each file that it carries.  A socket may so end up in a message in its own queue,
 * or two in each other's, with no descriptor left: nobody can ever read those messages.  Such cycles are found as
 * Linux found them for twenty years: a socket whose file has no references but those of messages is a candidate;
 * what candidates' queues hold of each other is subtracted; who still has references then is reachable, and so is
 * what lies in its queue; the rest is garbage, and its messages are taken away.  That looks at every socket in flight,
 * so it is only done once a cycle is possible: the message that closes one goes to a socket that is in flight itself.
 *
 * gc_lock makes that exact: a file goes into and out of flight, and rights are peeked at, under it, before the
 * receiver can use the descriptor to read another queue. */
#include <linux/capability.h>
#include <net/socket.h>
#include <core/thread.h>
#include <unix.h>
#include <vfs/inode.h>

static struct spinlock gc_lock = SPINLOCK_INIT(RANK_SOCKET_GC); /* guards: */
static struct list flying = LIST_INIT(flying);                  /* struct unix_sock.flight_node */
static unsigned nr_files_in_flight;
static struct list drains = LIST_INIT(drains); /* struct drain.node */
static bool is_collecting, wants_round;
static bool may_cycle; /* (also read without it) */

static struct unix_sock *sock_of_file(const struct file *f)
{
    struct socket *s = socket_of_file(f);
    return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

/* --- in and out ---------------------------------------------------------------------------------------- */

int unix_rights_send(struct socket_rights *r)
{
    struct net_caller c;
    net_get_caller(&c);
    bool may_exceed = cred_has_cap(c.cred, CAP_SYS_RESOURCE) || cred_has_cap(c.cred, CAP_SYS_ADMIN);
    spin_lock(&gc_lock);
    if (nr_files_in_flight > c.max_files && !may_exceed) {
        spin_unlock(&gc_lock);
        return -ETOOMANYREFS;
    }
    for (unsigned i = 0; i < r->nr; i++) {
        struct unix_sock *u = sock_of_file(r->file[i]);
        if (!u)
            continue;
        r->nr_sockets++;
        if (u->in_flight++ == 0)
            list_push_back(&flying, &u->flight_node);
    }
    nr_files_in_flight += r->nr;
    spin_unlock(&gc_lock);
    return 0;
}

void unix_rights_aim(const struct socket_rights *r, const struct unix_sock *to)
{
    if (r->nr_sockets == 0)
        return;
    spin_lock(&gc_lock);
    if (to->in_flight > 0 || !to->s.file)
        atomic_store(&may_cycle, true);
    spin_unlock(&gc_lock);
}

void unix_rights_receive(struct socket_rights *r)
{
    spin_lock(&gc_lock);
    for (unsigned i = 0; i < r->nr && r->nr_sockets > 0; i++) {
        struct unix_sock *u = sock_of_file(r->file[i]);
        if (u && --u->in_flight == 0)
            list_remove(&u->flight_node);
    }
    r->nr_sockets = 0;
    nr_files_in_flight -= r->nr;
    if (list_is_empty(&flying))
        atomic_store(&may_cycle, false);
    spin_unlock(&gc_lock);
}

struct socket_rights *unix_rights_peek(struct socket_rights *r)
{
    struct socket_rights *copy = heap_alloc(sizeof(*copy) + r->nr * sizeof(copy->file[0]));
    if (!copy)
        return NULL;
    list_init(&copy->node);
    copy->nr = r->nr;
    copy->nr_sockets = 0;
    spin_lock(&gc_lock);
    for (unsigned i = 0; i < r->nr; i++) {
        copy->file[i] = r->file[i];
        file_get(copy->file[i]);
    }
    spin_unlock(&gc_lock);
    return copy;
}

/* --- letting go ---------------------------------------------------------------------------------------- */

/* The last reference to a socket frees the messages in its queue, whose files may be sockets with messages, and so
 * on: as deep as a program likes.  So rights that are dropped while this thread drops rights wait for their turn. */
struct drain {
    struct list node;
    struct thread *thread;
    struct list rights; /* private to the thread */
};

static struct drain *drain_of_thread(void)
{
    struct drain *d, *found = NULL;
    spin_lock(&gc_lock);
    list_for_each(d, &drains, node)
        if (d->thread == current_thread())
            found = d;
    spin_unlock(&gc_lock);
    return found;
}

void socket_rights_free(struct socket_rights *r)
{
    struct drain *outer = drain_of_thread();
    if (outer) {
        list_push_back(&outer->rights, &r->node);
        return;
    }
    struct drain d = {.thread = current_thread(), .rights = LIST_INIT(d.rights)};
    spin_lock(&gc_lock);
    list_push_back(&drains, &d.node);
    spin_unlock(&gc_lock);
    list_init(&r->node);
    list_push_back(&d.rights, &r->node);
    for (struct list *node; (node = list_pop_front(&d.rights));) {
        r = list_entry(node, struct socket_rights, node);
        for (unsigned i = 0; i < r->nr; i++)
            file_put(r->file[i]);
        heap_free(r);
    }
    spin_lock(&gc_lock);
    list_remove(&d.node);
    spin_unlock(&gc_lock);
}

void unix_rights_drop(struct socket_rights *r)
{
    unix_rights_receive(r);
    socket_rights_free(r);
}

/* --- garbage ------------------------------------------------------------------------------------------- */

typedef void child_fn(struct unix_sock *child, struct list *live);

static void visit_queue(struct unix_sock *u, child_fn *fn, struct list *live)
{
    struct unix_msg *m;
    list_for_each(m, &u->queue, node) {
        for (unsigned i = 0; m->rights && i < m->rights->nr; i++) {
            struct unix_sock *child = sock_of_file(m->rights->file[i]);
            if (child && child->gc_is_candidate)
                fn(child, live);
        }
    }
}

/* Every candidate in `u`'s queue, or in the queues of those it has not accepted yet. */
static void visit_children(struct unix_sock *u, child_fn *fn, struct list *live)
{
    spin_lock(&u->lock);
    if (u->state == UNIX_LISTENING) {
        struct unix_sock *embryo;
        list_for_each(embryo, &u->queue, accept_node) {
            spin_lock_nested(&embryo->lock, RANK_SOCKET_2);
            visit_queue(embryo, fn, live);
            spin_unlock(&embryo->lock);
        }
    } else {
        visit_queue(u, fn, live);
    }
    spin_unlock(&u->lock);
}

static void subtract(struct unix_sock *child, struct list *live)
{
    (void)live;
    child->gc_count--;
}

static void make_live(struct unix_sock *u, struct list *live)
{
    u->gc_is_candidate = false;
    list_remove(&u->gc_node);
    list_push_back(live, &u->gc_node);
}

/* Move the rights of a garbage socket's messages to `hits`, which is linked by their nodes. */
static void take_rights(struct unix_sock *u, struct list *hits)
{
    struct unix_msg *m;
    list_for_each(m, &u->queue, node) {
        if (!m->rights)
            continue;
        list_push_back(hits, &m->rights->node);
        m->rights = NULL;
    }
}

static void take_all_rights(struct unix_sock *u, struct list *hits)
{
    spin_lock(&u->lock);
    if (u->state == UNIX_LISTENING) {
        struct unix_sock *embryo;
        list_for_each(embryo, &u->queue, accept_node) {
            spin_lock_nested(&embryo->lock, RANK_SOCKET_2);
            take_rights(embryo, hits);
            spin_unlock(&embryo->lock);
        }
    } else {
        take_rights(u, hits);
    }
    spin_unlock(&u->lock);
}

/* Under gc_lock: the rights in unreachable queues. */
static void find_garbage(struct list *hits)
{
    struct list candidates = LIST_INIT(candidates), live = LIST_INIT(live), done = LIST_INIT(done);
    struct unix_sock *u, *next;
    list_for_each(u, &flying, flight_node) {
        if (atomic_load(&u->s.file->ref.count) != u->in_flight)
            continue;
        u->gc_is_candidate = true;
        u->gc_count = u->in_flight;
        list_push_back(&candidates, &u->gc_node);
    }
    list_for_each(u, &candidates, gc_node)
        visit_children(u, subtract, NULL);
    list_for_each_safe(u, next, &candidates, gc_node)
        if (u->gc_count > 0)
            make_live(u, &live);
    for (struct list *node; (node = list_pop_front(&live));) {
        list_push_back(&done, node);
        visit_children(list_entry(node, struct unix_sock, gc_node), make_live, &live);
    }
    while (list_pop_front(&done))
        ;
    list_for_each_safe(u, next, &candidates, gc_node) {
        u->gc_is_candidate = false;
        take_all_rights(u, hits);
        list_remove(&u->gc_node);
    }
}

/* Find and let go; what is let go comes here again, and only asks for another round. */
void unix_collect_garbage(void)
{
    if (likely(!atomic_load(&may_cycle)))
        return;
    struct list hits = LIST_INIT(hits);
    spin_lock(&gc_lock);
    wants_round = true;
    bool is_first = !is_collecting;
    is_collecting = true;
    while (is_first && wants_round) {
        wants_round = false;
        find_garbage(&hits);
        spin_unlock(&gc_lock);
        for (struct list *node; (node = list_pop_front(&hits));)
            unix_rights_drop(list_entry(node, struct socket_rights, node));
        spin_lock(&gc_lock);
    }
    if (is_first)
        is_collecting = false;
    spin_unlock(&gc_lock);
}
