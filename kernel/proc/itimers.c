/* setitimer(2): three timers for each process, on the wall (ITIMER_REAL) and on its CPU time.
 *
 * User and kernel time are not told apart at every system call, so ITIMER_VIRTUAL counts both, like ITIMER_PROF. */
#include "ptimer.h"

#include <core/heap.h>
#include <linux/signal.h>
#include <linux/time.h>

#define NR_ITIMERS 3

struct itimers {
    struct mutex lock; /* RANK_DEVICE - guards setting; expiry is ptimer.c's */
    struct itimer {
        struct ptimer t;
        struct process *process;
        int sig;
    } timer[NR_ITIMERS];
};

static void expired(struct ptimer *t)
{
    struct itimer *it = container_of(t, struct itimer, t);

    signal_send_process(it->process, it->sig, NULL);
    ptimer_forward(t);
}

static struct itimers *itimers_new(struct process *p)
{
    static const int sig[NR_ITIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct itimers *all = heap_zalloc(sizeof(*all));

    if (!all)
        return NULL;
    mutex_init(&all->lock, RANK_DEVICE);
    for (int i = 0; i < NR_ITIMERS; i++) {
        /* No references to the process: it outlives these. */
        struct clock_ref clock = {.kind = CLOCK_KIND_MONO};
        if (i != ITIMER_REAL)
            clock = (struct clock_ref){.kind = CLOCK_KIND_PROCESS_CPU, .process = p};
        ptimer_init(&all->timer[i].t, &clock, expired);
        all->timer[i].process = p;
        all->timer[i].sig = sig[i];
    }
    return all;
}

static struct itimers *itimers_of(struct process *p)
{
    struct itimers *all = atomic_load(&p->itimers);

    if (all)
        return all;
    all = itimers_new(p);
    if (!all)
        return NULL;
    if (!atomic_cas(&p->itimers, NULL, all))
        heap_free(all);
    return atomic_load(&p->itimers);
}

int itimer_set(int which, const struct timer_setting *new, struct timer_setting *old)
{
    if (which < 0 || which >= NR_ITIMERS)
        return -EINVAL;
    struct itimers *all = itimers_of(current_process());
    if (!all)
        return -ENOMEM;
    struct ptimer *t = &all->timer[which].t;
    mutex_lock(&all->lock);
    if (old)
        ptimer_get(t, old);
    if (new) {
        ptimer_stop(t);
        ptimer_start(t, false, new);
    }
    mutex_unlock(&all->lock);
    return 0;
}

void itimers_free(struct process *p)
{
    struct itimers *all = p->itimers;

    if (!all)
        return;
    p->itimers = NULL;
    for (int i = 0; i < NR_ITIMERS; i++)
        ptimer_stop(&all->timer[i].t);
    heap_free(all);
}
