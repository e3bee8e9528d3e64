/* setitimer(2): three timers for each process, on the wall (ITIMER_REAL) and on its CPU time; and a fourth, which
 * enforces RLIMIT_CPU.
 *
 * User and kernel time are not told apart at every system call, so ITIMER_VIRTUAL counts both, like ITIMER_PROF. */
#include "ptimer.h"

#include <core/heap.h>
#include <core/wait.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/time.h>

#define NR_ITIMERS 3
#define NS_PER_SEC 1000000000UL
#define CPU_LIMIT  NR_ITIMERS /* the timer after those of setitimer(2) */

struct itimers {
    struct mutex lock; /* RANK_DEVICE - guards setting; expiry is ptimer.c's */
    struct itimer {
        struct ptimer t;
        struct process *process;
        int sig;
    } timer[CPU_LIMIT + 1];
};

static void expired(struct ptimer *t)
{
    struct itimer *it = container_of(t, struct itimer, t);

    signal_send_process(it->process, it->sig, NULL);
    ptimer_forward(t);
}

/* Once a second from the soft limit on, which goes up each time as on Linux; at the hard one it is over. */
static void cpu_limit_reached(struct ptimer *t)
{
    struct process *p = container_of(t, struct itimer, t)->process;
    struct rlimit_pair *limit = &p->rlimits[RLIMIT_CPU];
    uint64_t soft = atomic_load(&limit->cur), used = process_cpu_ns(p) / NS_PER_SEC;

    if (used >= atomic_load(&limit->max)) {
        signal_send_process(p, SIGKILL, NULL);
    } else if (used >= soft && atomic_cas(&limit->cur, soft, used + 1)) {
        signal_send_process(p, SIGXCPU, NULL);
    }
    ptimer_forward(t);
}

static struct itimers *itimers_new(struct process *p)
{
    static const int sig[CPU_LIMIT + 1] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct itimers *all = heap_zalloc(sizeof(*all));

    if (!all)
        return NULL;
    mutex_init(&all->lock, RANK_DEVICE);
    for (int i = 0; i <= CPU_LIMIT; i++) {
        /* No references to the process: it outlives these. */
        struct clock_ref clock = {.kind = CLOCK_KIND_MONO};
        if (i != ITIMER_REAL)
            clock = (struct clock_ref){.kind = CLOCK_KIND_PROCESS_CPU, .process = p};
        ptimer_init(&all->timer[i].t, &clock, i == CPU_LIMIT ? cpu_limit_reached : expired);
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

int itimers_limit_cpu(struct process *p)
{
    struct itimers *all = itimers_of(p);

    if (!all)
        return -ENOMEM;
    struct ptimer *t = &all->timer[CPU_LIMIT].t;
    mutex_lock(&all->lock);
    uint64_t s = atomic_load(&p->rlimits[RLIMIT_CPU].cur);
    struct timer_setting setting = {.interval_ns = NS_PER_SEC};
    if (s < TIME_NEVER / NS_PER_SEC)
        setting.value_ns = MAX(s * NS_PER_SEC, 1);
    ptimer_stop(t);
    ptimer_start(t, true, &setting);
    mutex_unlock(&all->lock);
    return 0;
}

void itimers_free(struct process *p)
{
    struct itimers *all = p->itimers;

    if (!all)
        return;
    p->itimers = NULL;
    for (int i = 0; i <= CPU_LIMIT; i++)
        ptimer_stop(&all->timer[i].t);
    heap_free(all);
}
