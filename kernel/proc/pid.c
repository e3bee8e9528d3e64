/* Ids: which numbers are taken, and whom they name.
 *
 * A number may name a task, a process and a process group at once.  Numbers are given out in rising
 * order and reused only after a wrap, as on Linux, so a stale one is unlikely to name somebody
 * else.  One spinlock guards everything here; it is taken with interrupts off because a terminal's
 * interrupt signals a group. */
#include "private.h"

#include <proc/cred.h>

enum {
    PID_MAX = 32768,
    RESERVED_PIDS = 300, /* not given out again after a wrap, as on Linux */
    NR_TASK_BUCKETS = 256,
    NR_PROCESS_BUCKETS = 16,
};

static struct spinlock pid_lock = SPINLOCK_INIT(RANK_PIDMAP); /* guards: */
static uint64_t used[PID_MAX / 64]; /* of 0, which names nobody, it tells nothing */
static int last_id;
static bool has_wrapped;
static unsigned nr_tasks;

/* Chains by id; the number of them is a power of two. */
struct pid_map {
    unsigned mask;
    struct pid_link **bucket;
};
static struct pid_link *task_buckets[NR_TASK_BUCKETS], *process_buckets[NR_PROCESS_BUCKETS];
static const struct pid_map task_map = {NR_TASK_BUCKETS - 1, task_buckets};
static const struct pid_map process_map = {NR_PROCESS_BUCKETS - 1, process_buckets};

/* --- the maps --------------------------------------------------------------------------------- */

static void link_add(const struct pid_map *map, struct pid_link *l, int id)
{
    struct pid_link **first = &map->bucket[(unsigned)id & map->mask];
    l->id = id;
    l->next = *first;
    *first = l;
}

static void link_remove(const struct pid_map *map, struct pid_link *l)
{
    struct pid_link **at = &map->bucket[(unsigned)l->id & map->mask];
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
}

static struct pid_link *link_find(const struct pid_map *map, int id)
{
    if (id <= 0 || id >= PID_MAX)
        return NULL;
    struct pid_link *l = map->bucket[(unsigned)id & map->mask];
    while (l && l->id != id)
        l = l->next;
    return l;
}

static struct process *process_of(struct pid_link *l)
{
    return container_of(l, struct process, pid_link);
}

/* The process with the lowest pid > `after`; NULL: none. */
static struct process *next_process(int after)
{
    struct process *best = NULL;
    for (unsigned b = 0; b < NR_PROCESS_BUCKETS; b++)
        for (struct pid_link *l = process_buckets[b]; l; l = l->next)
            if (l->id > after && (!best || l->id < best->pid))
                best = process_of(l);
    return best;
}

static bool names_a_group(int id)
{
    for (struct process *p = next_process(0); p; p = next_process(p->pid))
        if (p->pgid == id || p->sid == id)
            return true;
    return false;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* The lowest free number >= from, 0: none. */
static int find_free(int from)
{
    for (int word = from / 64; word < PID_MAX / 64; word++) {
        uint64_t free = ~used[word];
        if (word == from / 64)
            free &= ~0UL << (from % 64);
        if (free)
            return word * 64 + __builtin_ctzl(free);
    }
    return 0;
}

/* The next number after the last one given out, around the end at most once; 0: none.  After the
 * first wrap one may still name a group or session whose first process is gone. */
static int next_free(void)
{
    int id = last_id, wraps = 0;
    do {
        id = find_free(id + 1);
        if (!id) {
            has_wrapped = true;
            id = find_free(RESERVED_PIDS);
            if (!id || ++wraps > 1)
                return 0;
        }
    } while (has_wrapped && names_a_group(id));
    return id;
}

int pid_alloc(void)
{
    bool irqs = spin_lock_irq(&pid_lock);
    int id = next_free();
    if (id) {
        used[id / 64] |= 1UL << (id % 64);
        last_id = id;
    }
    spin_unlock_irq(&pid_lock, irqs);
    return id ? id : -EAGAIN;
}

static void release(int id)
{
    used[id / 64] &= ~(1UL << (id % 64));
}

void pid_release(int id)
{
    bool irqs = spin_lock_irq(&pid_lock);
    release(id);
    spin_unlock_irq(&pid_lock, irqs);
}

/* --- who is who ------------------------------------------------------------------------------- */

void pid_add_task(struct task *t)
{
    bool irqs = spin_lock_irq(&pid_lock);
    link_add(&task_map, &t->pid_link, t->tid);
    nr_tasks++;
    spin_unlock_irq(&pid_lock, irqs);
}

/* The number of a leader stays reserved until its process is gone. */
void pid_remove_task(struct task *t)
{
    bool irqs = spin_lock_irq(&pid_lock);
    link_remove(&task_map, &t->pid_link);
    nr_tasks--;
    if (t->tid != t->process->pid)
        release(t->tid);
    spin_unlock_irq(&pid_lock, irqs);
}

void pid_become_leader(struct task *t)
{
    bool irqs = spin_lock_irq(&pid_lock);
    link_remove(&task_map, &t->pid_link);
    release(t->tid);
    t->tid = t->process->pid;
    link_add(&task_map, &t->pid_link, t->tid);
    spin_unlock_irq(&pid_lock, irqs);
}

void pid_add_process(struct process *p, int pgid, int sid)
{
    bool irqs = spin_lock_irq(&pid_lock);
    p->pgid = pgid;
    p->sid = sid;
    link_add(&process_map, &p->pid_link, p->pid);
    spin_unlock_irq(&pid_lock, irqs);
}

void pid_remove_process(struct process *p)
{
    bool irqs = spin_lock_irq(&pid_lock);
    link_remove(&process_map, &p->pid_link);
    release(p->pid);
    spin_unlock_irq(&pid_lock, irqs);
}

unsigned pid_count_tasks(void)
{
    return atomic_load(&nr_tasks);
}

struct process *process_find(int pid)
{
    bool irqs = spin_lock_irq(&pid_lock);
    struct pid_link *l = link_find(&process_map, pid);
    struct process *p = l && ref_get_unless_zero(&process_of(l)->ref) ? process_of(l) : NULL;
    spin_unlock_irq(&pid_lock, irqs);
    return p;
}

struct task *task_find(int tid)
{
    bool irqs = spin_lock_irq(&pid_lock);
    struct pid_link *l = link_find(&task_map, tid);
    struct task *t = l ? container_of(l, struct task, pid_link) : NULL;
    if (t && !ref_get_unless_zero(&t->ref))
        t = NULL;
    spin_unlock_irq(&pid_lock, irqs);
    return t;
}

/* --- groups and sessions ---------------------------------------------------------------------- */

int process_group(struct process *p)
{
    return atomic_load(&p->pgid);
}

int process_session(struct process *p)
{
    return atomic_load(&p->sid);
}

/* The lock cannot be held while visiting, so go on from the last pid. */
unsigned process_visit_group(int pgid, void (*visit)(void *arg, struct process *p), void *arg)
{
    unsigned n = 0;
    int after = 0;
    for (;;) {
        bool irqs = spin_lock_irq(&pid_lock);
        struct process *p = next_process(after);
        while (p && ((pgid && p->pgid != pgid) || !ref_get_unless_zero(&p->ref)))
            p = next_process(p->pid);
        spin_unlock_irq(&pid_lock, irqs);
        if (!p)
            return n;
        after = p->pid;
        visit(arg, p);
        process_put(p);
        n++;
    }
}

static bool group_in_session(int pgid, int sid)
{
    for (struct process *p = next_process(0); p; p = next_process(p->pid))
        if (p->pgid == pgid && p->sid == sid)
            return true;
    return false;
}

static int set_group_locked(struct process *self, struct pid_link *l, int pgid)
{
    if (!l)
        return -ESRCH;
    struct process *p = process_of(l);
    if (p != self &&
        atomic_load(&p->parent) != self) /* compared only, so no lock of the family's */
        return -ESRCH;
    if (p != self && p->sid != self->sid)
        return -EPERM;
    if (p->sid == p->pid) /* a session leader stays */
        return -EPERM;
    if (pgid != p->pid && !group_in_session(pgid, self->sid))
        return -EPERM;
    atomic_store(&p->pgid, pgid);
    return 0;
}

int process_set_group(int pid, int pgid)
{
    struct process *self = current_process();
    if (pid == 0)
        pid = self->pid;
    if (pgid == 0)
        pgid = pid;
    if (pgid < 0)
        return -EINVAL;
    bool irqs = spin_lock_irq(&pid_lock);
    int err = set_group_locked(self, link_find(&process_map, pid), pgid);
    spin_unlock_irq(&pid_lock, irqs);
    return err;
}

int process_new_session(void)
{
    struct process *p = current_process();
    int sid = -EPERM;
    bool irqs = spin_lock_irq(&pid_lock);
    bool leads_group = false;
    for (struct process *q = next_process(0); q && !leads_group; q = next_process(q->pid))
        leads_group = q->pgid == p->pid;
    if (!leads_group) {
        sid = p->pid;
        atomic_store(&p->pgid, sid);
        atomic_store(&p->sid, sid);
    }
    spin_unlock_irq(&pid_lock, irqs);
    return sid;
}
