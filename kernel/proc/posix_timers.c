/* timer_create(2) and its family.
 *
 * A timer owns the siginfo that it sends.  While that is queued, a periodic timer stands still; when the program takes
 * the signal, the timer goes on from the next period, and the periods that passed meanwhile are the overrun count, as
 * on Linux. */
#include "ptimer.h"

#include <asm/siginfo.h>
#include <core/heap.h>
#include <linux/time.h>

#define TIMERS_MAX (64 * 1024)

struct posix_timer {
    struct ptimer t;
    struct queued_signal signal;
    struct process *process; /* not referenced: the timer goes before it does */
    struct task *target;     /* SIGEV_THREAD_ID: referenced; NULL: any task of the process */
    struct timer_event event;
    int overrun; /* of the last signal taken; guarded by sighand->lock */
};

struct posix_timers {
    struct mutex lock;         /* RANK_DEVICE - guards: */
    struct posix_timer **slot; /* by id */
    int nr_slots;
};

/* --- expiry ------------------------------------------------------------------------------------------- */

static bool has_signal(const struct posix_timer *pt)
{
    return pt->event.notify != SIGEV_NONE;
}

/* Under sighand->lock: the program takes the signal, or nobody will. */
static void signal_taken(struct queued_signal *q, siginfo_t *info)
{
    struct posix_timer *pt = container_of(q, struct posix_timer, signal);
    uint64_t missed = pt->t.clock.kind == CLOCK_KIND_PROCESS_CPU ? 0 : ptimer_forward(&pt->t);

    pt->overrun = (int)MIN(missed, (uint64_t)INT32_MAX);
    if (info)
        info->si_overrun = pt->overrun;
}

/* Interrupt context.  A signal that is ignored is not queued, and nobody will take it: go on at once.  So does a timer
 * on the CPU time of the process, whose clock cannot be read where signals are taken. */
static void expired(struct ptimer *t)
{
    struct posix_timer *pt = container_of(t, struct posix_timer, t);

    if (has_signal(pt))
        signal_send_queued(pt->process, pt->target, &pt->signal);
    if (t->clock.kind == CLOCK_KIND_PROCESS_CPU || list_is_empty(&pt->signal.node))
        ptimer_forward(t);
}

/* --- the table ---------------------------------------------------------------------------------------- */

static struct posix_timers *timers_of(struct process *p)
{
    struct posix_timers *table = atomic_load(&p->timers);

    if (table)
        return table;
    table = heap_zalloc(sizeof(*table));
    if (!table)
        return NULL;
    mutex_init(&table->lock, RANK_DEVICE);
    if (!atomic_cas(&p->timers, NULL, table))
        heap_free(table);
    return atomic_load(&p->timers);
}

/* A free slot, which the table's lock keeps free: its id, -EAGAIN, -ENOMEM. */
static int find_slot(struct posix_timers *table)
{
    int id = 0;

    while (id < table->nr_slots && table->slot[id])
        id++;
    if (id < table->nr_slots)
        return id;
    if (id >= TIMERS_MAX)
        return -EAGAIN;
    int nr = MAX(8, 2 * table->nr_slots);
    struct posix_timer **slot = heap_realloc(table->slot, (size_t)nr * sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    for (int i = table->nr_slots; i < nr; i++)
        slot[i] = NULL;
    table->slot = slot;
    table->nr_slots = nr;
    return id;
}

/* The timer of an id, with the table locked; NULL, unlocked: none. */
static struct posix_timer *timer_enter(int id, struct posix_timers **table)
{
    *table = atomic_load(&current_process()->timers);
    if (!*table)
        return NULL;
    mutex_lock(&(*table)->lock);
    if (id >= 0 && id < (*table)->nr_slots && (*table)->slot[id])
        return (*table)->slot[id];
    mutex_unlock(&(*table)->lock);
    return NULL;
}

/* --- creating and deleting -------------------------------------------------------------------------- */

/* 0 with what the event names, or -EINVAL. */
static int check_event(const struct timer_event *e, struct task **target)
{
    *target = NULL;
    switch (e->notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
    case SIGEV_SIGNAL | SIGEV_THREAD_ID:
        break;
    default:
        return -EINVAL;
    }
    if (e->signo <= 0 || e->signo > NR_SIGNALS)
        return -EINVAL;
    if (!(e->notify & SIGEV_THREAD_ID))
        return 0;
    *target = task_find(e->tid);
    if (*target && (*target)->process != current_process()) {
        task_put(*target);
        *target = NULL;
    }
    return *target ? 0 : -EINVAL;
}

static void timer_free(struct posix_timer *pt)
{
    ptimer_stop(&pt->t);
    signal_cancel_queued(pt->process, &pt->signal);
    ptimer_stop(&pt->t); /* taking the signal may have started it again */
    ptimer_destroy(&pt->t);
    signal_uncharge(pt->process);
    if (pt->target)
        task_put(pt->target);
    heap_free(pt);
}

static void fill_signal(struct posix_timer *pt, int id)
{
    siginfo_t *info = &pt->signal.info;

    list_init(&pt->signal.node);
    pt->signal.taken = signal_taken;
    info->si_signo = pt->event.signo;
    info->si_code = SI_TIMER;
    info->si_tid = id;
    info->si_value = pt->event.value;
    if (pt->event.value_is_id)
        info->si_int = id;
}

static int timer_insert(struct posix_timer *pt)
{
    struct posix_timers *table = timers_of(pt->process);

    if (!table)
        return -ENOMEM;
    mutex_lock(&table->lock);
    int id = find_slot(table);
    if (id >= 0) {
        fill_signal(pt, id);
        table->slot[id] = pt;
    }
    mutex_unlock(&table->lock);
    return id;
}

int posix_timer_create(int clockid, const struct timer_event *event)
{
    struct clock_ref clock;
    struct task *target;
    int id = clock_ref_get(clockid, &clock);

    if (id < 0)
        return id;
    id = check_event(event, &target);
    if (id < 0) {
        clock_ref_put(&clock);
        return id;
    }
    struct posix_timer *pt = heap_zalloc(sizeof(*pt));
    if (pt && signal_charge(current_process()) <
                  0) { /* the signal that it will send is one of those queued */
        id = -EAGAIN;
    } else if (pt) {
        pt->process = current_process();
        pt->event = *event;
        pt->target = target;
        ptimer_init(&pt->t, &clock, expired);
        id = timer_insert(pt); /* from now on another thread may set or delete it */
        if (id < 0)
            signal_uncharge(pt->process);
    } else {
        id = -ENOMEM;
    }
    if (id >= 0)
        return id;
    heap_free(pt);
    clock_ref_put(&clock);
    if (target)
        task_put(target);
    return id;
}

int posix_timer_delete(int id)
{
    struct posix_timers *table;
    struct posix_timer *pt = timer_enter(id, &table);

    if (!pt)
        return -EINVAL;
    table->slot[id] = NULL;
    mutex_unlock(&table->lock);
    timer_free(pt);
    return 0;
}

void posix_timers_free(struct process *p)
{
    struct posix_timers *table = p->timers;

    if (!table)
        return;
    p->timers = NULL;
    for (int id = 0; id < table->nr_slots; id++)
        if (table->slot[id])
            timer_free(table->slot[id]);
    heap_free(table->slot);
    heap_free(table);
}

/* --- setting and asking -------------------------------------------------------------------------------- */

static void timer_read(struct posix_timer *pt, struct timer_setting *now)
{
    ptimer_get(&pt->t, now);
    /* A timer that nobody hears of has no "due but not delivered". */
    if (!has_signal(pt) && now->interval_ns == 0 && now->value_ns == 1)
        now->value_ns = 0;
}

int posix_timer_set(int id, bool is_absolute, const struct timer_setting *new,
                    struct timer_setting *old)
{
    struct posix_timers *table;
    struct posix_timer *pt = timer_enter(id, &table);

    if (!pt)
        return -EINVAL;
    if (old)
        timer_read(pt, old);
    ptimer_stop(&pt->t);
    signal_cancel_queued(pt->process, &pt->signal);
    ptimer_stop(&pt->t);
    pt->overrun = 0;
    ptimer_start(&pt->t, is_absolute, new);
    mutex_unlock(&table->lock);
    return 0;
}

int posix_timer_get(int id, struct timer_setting *now)
{
    struct posix_timers *table;
    struct posix_timer *pt = timer_enter(id, &table);

    if (!pt)
        return -EINVAL;
    timer_read(pt, now);
    mutex_unlock(&table->lock);
    return 0;
}

int posix_timer_overrun(int id)
{
    struct posix_timers *table;
    struct posix_timer *pt = timer_enter(id, &table);

    if (!pt)
        return -EINVAL;
    int overrun = atomic_load(&pt->overrun);
    mutex_unlock(&table->lock);
    return overrun;
}
