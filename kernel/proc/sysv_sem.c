/* System V semaphores.
 *
 * A call's operations happen all at once or not at all.  Who cannot go on queues up on its set, first come first
 * served, and sleeps; whoever changes the set carries out, in order, what has become possible, on behalf of those who
 * wait, so that a late comer overtakes nobody. */
#include "sysv_private.h"

#include <core/heap.h>
#include <core/timer.h>
#include <linux/sem.h>
#include <linux/stat.h>

#define IPC_NOWAIT_ 04000

struct semaphore {
    uint16_t value;
    int pid; /* who changed it last */
};

/* What a process is to give back when it ends (SEM_UNDO). */
struct undo {
    struct list node; /* of its set */
    struct process *process;
    int16_t adjust[];
};

/* A call that waits; on its caller's stack. */
struct sem_waiter {
    struct list node; /* empty when it is answered */
    const struct sem_op *ops;
    unsigned nr, blocked_at; /* the operation that cannot be done */
    struct process *process;
    struct undo *undo; /* NULL: no SEM_UNDO among them */
    struct waitq wait;
    long result;
    bool is_answered; /* atomic, last */
};

struct sem_array {
    struct sysv_object head;
    int64_t otime, ctime;
    unsigned nr;
    struct list undos, waiters;
    struct semaphore sem[];
};

static struct sysv_table sets;

void sem_init(void)
{
    sysv_table_init(&sets);
}

static struct sem_array *array_of(struct sysv_object *o)
{
    return container_of(o, struct sem_array, head);
}

/* --- operations: sets.lock held --------------------------------------------------------------- */

/* One operation: 0, 1 (it must wait), -ERANGE. */
static int operate(struct sem_array *a, const struct sem_op *op, struct undo *undo)
{
    struct semaphore *s = &a->sem[op->nr];
    int value = s->value + op->op;
    if (op->op == 0)
        return s->value != 0;
    if (value < 0)
        return 1;
    if (value > SEM_MAX_VALUE)
        return -ERANGE;
    if (op->flags & SEM_UNDO) {
        int adjust = undo->adjust[op->nr] - op->op;
        if (adjust < -SEM_MAX_VALUE - 1 || adjust > SEM_MAX_VALUE)
            return -ERANGE;
        undo->adjust[op->nr] = (int16_t)adjust;
    }
    s->value = (uint16_t)value;
    return 0;
}

static void take_back(struct sem_array *a, const struct sem_op *op, struct undo *undo)
{
    a->sem[op->nr].value = (uint16_t)(a->sem[op->nr].value - op->op);
    if (op->flags & SEM_UNDO)
        undo->adjust[op->nr] = (int16_t)(undo->adjust[op->nr] + op->op);
}

/* All of them: 0, 1 (must wait, at w->blocked_at), -ERANGE, -EAGAIN. */
static int try_all(struct sem_array *a, struct sem_waiter *w)
{
    unsigned i;
    int ret = 0;
    for (i = 0; i < w->nr && ret == 0; i++)
        ret = operate(a, &w->ops[i], w->undo);
    if (ret == 0) {
        for (i = 0; i < w->nr; i++)
            a->sem[w->ops[i].nr].pid = w->process->pid;
        a->otime = sysv_now();
        return 0;
    }
    w->blocked_at = --i;
    bool is_impatient = ret == 1 && w->ops[i].flags & IPC_NOWAIT_;
    while (i-- > 0)
        take_back(a, &w->ops[i], w->undo);
    return is_impatient ? -EAGAIN : ret;
}

static void answer(struct sem_waiter *w, long result)
{
    list_remove(&w->node);
    w->result = result;
    atomic_store(&w->is_answered, true);
    waitq_wake_all(&w->wait);
}

/* Something has changed: serve who waits, from the oldest, until nobody can go on. */
static void serve(struct sem_array *a)
{
    struct sem_waiter *w, *next;
    bool again;
    do {
        again = false;
        list_for_each_safe(w, next, &a->waiters, node) {
            int ret = try_all(a, w);
            if (ret == 1)
                continue;
            answer(w, ret);
            again = ret == 0; /* which may let an older one go on */
        }
    } while (again);
}

static bool changes(const struct sem_op *ops, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (ops[i].op != 0)
            return true;
    return false;
}

static struct undo *find_undo(struct sem_array *a, struct process *p)
{
    struct undo *u;
    list_for_each(u, &a->undos, node)
        if (u->process == p)
            return u;
    return NULL;
}

/* The process's list for this set, if any operation asks for one: 0 or -ENOMEM. */
static int get_undo(struct sem_array *a, struct sem_waiter *w)
{
    bool is_needed = false;
    for (unsigned i = 0; i < w->nr; i++)
        is_needed |= w->ops[i].flags & SEM_UNDO;
    if (!is_needed)
        return 0;
    w->undo = find_undo(a, w->process);
    if (w->undo)
        return 0;
    w->undo = heap_zalloc(sizeof(*w->undo) + a->nr * sizeof(w->undo->adjust[0]));
    if (!w->undo)
        return -ENOMEM;
    w->undo->process = w->process;
    list_push_back(&a->undos, &w->undo->node);
    return 0;
}

/* Linux's order: EFBIG, then EACCES. */
static int check(const struct sem_array *a, const struct sem_op *ops, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (ops[i].nr >= a->nr)
            return -EFBIG;
    return sysv_may(&a->head, changes(ops, nr) ? S_IWUSR : S_IRUSR);
}

/* Off the queue unless it has been answered meanwhile. */
static long give_up(struct sem_waiter *w, int why)
{
    mutex_lock(&sets.lock);
    if (!w->is_answered) {
        list_remove(&w->node);
        w->result = why == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    mutex_unlock(&sets.lock);
    return w->result;
}

/* The wall clock has no say here: `until` is of the monotonic one. */
static long wait_for_answer(struct sem_waiter *w, const struct clock_deadline *until)
{
    int ret = WAIT_EVENT(&w->wait, atomic_load(&w->is_answered), WAIT_INTERRUPTIBLE,
                         until ? until->ns : TIME_NEVER);
    /* Who answers does it under the lock, and is done with `w` when it lets go. */
    return give_up(w, ret);
}

long sem_operate(int id, const struct sem_op *ops, unsigned nr, const struct clock_deadline *until)
{
    struct sem_waiter w = {.ops = ops, .nr = nr, .process = current_process()};
    waitq_init(&w.wait);
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = o ? check(array_of(o), ops, nr) : -EINVAL;
    if (ret == 0)
        ret = get_undo(array_of(o), &w);
    if (ret == 0)
        ret = try_all(array_of(o), &w);
    if (ret == 0 && changes(ops, nr))
        serve(array_of(o));
    if (ret == 1)
        list_push_back(&array_of(o)->waiters, &w.node);
    mutex_unlock(&sets.lock);
    return ret == 1 ? wait_for_answer(&w, until) : ret;
}

/* --- sets ------------------------------------------------------------------------------------- */

static long make(int key, int nr, int flags)
{
    if (nr == 0)
        return -EINVAL;
    struct sem_array *a = heap_zalloc(sizeof(*a) + (unsigned)nr * sizeof(a->sem[0]));
    if (!a)
        return -ENOMEM;
    list_init(&a->undos);
    list_init(&a->waiters);
    a->nr = (unsigned)nr;
    a->ctime = sysv_now();
    long id = sysv_add(&sets, &a->head, key, flags);
    if (id < 0)
        heap_free(a);
    return id;
}

long sem_get(int key, int nr, int flags)
{
    struct sysv_object *o;
    if (nr < 0 || nr > SEM_MOST)
        return -EINVAL;
    mutex_lock(&sets.lock);
    long ret = sysv_find_key(&sets, key, flags, &o);
    if (!o)
        ret = key == IPC_PRIVATE || flags & IPC_CREAT ? make(key, nr, flags) : ret;
    else if (ret >= 0 && (unsigned)nr > array_of(o)->nr)
        ret = -EINVAL;
    else if (ret >= 0 && sysv_may(o, (unsigned)flags & 0700) < 0)
        ret = -EACCES;
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_remove(int id)
{
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = o ? sysv_may_control(o) : -EINVAL;
    if (ret == 0) {
        struct sem_array *a = array_of(o);
        struct sem_waiter *w, *next;
        struct undo *u, *next_undo;
        sysv_take_out(&sets, o);
        list_for_each_safe(w, next, &a->waiters, node)
            answer(w, -EIDRM);
        list_for_each_safe(u, next_undo, &a->undos, node)
            heap_free(u);
        heap_free(a);
    }
    mutex_unlock(&sets.lock);
    return ret;
}

void sem_exit(struct process *p)
{
    mutex_lock(&sets.lock);
    for (unsigned i = 0; sets.nr > 0 && i < SYSV_SLOTS; i++) {
        struct sem_array *a = sets.slot[i] ? array_of(sets.slot[i]) : NULL;
        struct undo *u = a ? find_undo(a, p) : NULL;
        if (!u)
            continue;
        for (unsigned n = 0; n < a->nr; n++) {
            int value = a->sem[n].value + u->adjust[n];
            if (u->adjust[n])
                a->sem[n].pid = p->pid;
            a->sem[n].value = (uint16_t)MIN(MAX(value, 0), SEM_MAX_VALUE);
        }
        list_remove(&u->node);
        heap_free(u);
        serve(a);
    }
    mutex_unlock(&sets.lock);
}

/* --- control ---------------------------------------------------------------------------------- */

static unsigned count_waiting(const struct sem_array *a, unsigned nr, bool for_zero)
{
    const struct sem_waiter *w;
    unsigned n = 0;
    list_for_each(w, &a->waiters, node) {
        const struct sem_op *op = &w->ops[w->blocked_at];
        n += op->nr == nr && (op->op == 0) == for_zero;
    }
    return n;
}

long sem_ask(int id, int nr, enum sem_question what)
{
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = o ? sysv_may(o, S_IRUSR) : -EINVAL;
    if (ret == 0 && (nr < 0 || (unsigned)nr >= array_of(o)->nr))
        ret = -EINVAL;
    if (ret == 0) {
        const struct sem_array *a = array_of(o);
        ret = what == SEM_VALUE ? a->sem[nr].value
              : what == SEM_PID ? a->sem[nr].pid
                                : (long)count_waiting(a, (unsigned)nr, what == SEM_NR_ZERO);
    }
    mutex_unlock(&sets.lock);
    return ret;
}

/* A value that was set by hand is nobody's to give back. */
static void forget_undo(struct sem_array *a, unsigned nr)
{
    struct undo *u;
    list_for_each(u, &a->undos, node)
        u->adjust[nr] = 0;
}

long sem_set(int id, int nr, int value)
{
    if (value < 0 || value > SEM_MAX_VALUE)
        return -ERANGE;
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = !o ? -EINVAL : nr < 0 || (unsigned)nr >= array_of(o)->nr ? -EINVAL : 0;
    if (ret == 0)
        ret = sysv_may(o, S_IWUSR);
    if (ret == 0) {
        struct sem_array *a = array_of(o);
        forget_undo(a, (unsigned)nr);
        a->sem[nr] = (struct semaphore){(uint16_t)value, current_process()->pid};
        a->ctime = sysv_now();
        serve(a);
    }
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_get_all(int id, uint16_t *values, unsigned nr)
{
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = !o || array_of(o)->nr != nr ? -EIDRM : sysv_may(o, S_IRUSR);
    for (unsigned i = 0; ret == 0 && i < nr; i++)
        values[i] = array_of(o)->sem[i].value;
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_set_all(int id, const uint16_t *values, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (values[i] > SEM_MAX_VALUE)
            return -ERANGE;
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = !o || array_of(o)->nr != nr ? -EIDRM : sysv_may(o, S_IWUSR);
    if (ret == 0) {
        struct sem_array *a = array_of(o);
        for (unsigned i = 0; i < nr; i++) {
            forget_undo(a, i);
            a->sem[i] = (struct semaphore){values[i], current_process()->pid};
        }
        a->ctime = sysv_now();
        serve(a);
    }
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_status(int id, enum sysv_stat how, struct sem_stat *st)
{
    struct sysv_object *o;
    mutex_lock(&sets.lock);
    long ret = sysv_find_stat(&sets, id, how, &o);
    if (ret == 0) {
        const struct sem_array *a = array_of(o);
        *st = (struct sem_stat){o->perm, a->otime, a->ctime, a->nr};
        ret = how == SYSV_BY_ID ? 0 : o->perm.id;
    }
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_change(int id, const struct sysv_owner *owner)
{
    mutex_lock(&sets.lock);
    struct sysv_object *o = sysv_find(&sets, id);
    long ret = o ? sysv_change(o, owner) : -EINVAL;
    if (ret == 0)
        array_of(o)->ctime = sysv_now();
    mutex_unlock(&sets.lock);
    return ret;
}

long sem_info(struct sysv_info *info)
{
    mutex_lock(&sets.lock);
    long ret = sysv_count(&sets, info);
    info->a = info->b = 0;
    for (unsigned i = 0; i < SYSV_SLOTS; i++)
        if (sets.slot[i])
            info->a += array_of(sets.slot[i])->nr;
    mutex_unlock(&sets.lock);
    return ret;
}
