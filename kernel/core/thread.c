/* The birth and death of threads.
 *
 * A thread cannot free the stack it stands on: when the scheduler has left it for the last time, thread_bury queues
 * it for the worker thread, which frees stack and address space and calls the owner's `reap`.  The worker is not
 * woken for each of them, but for a few together or after a moment. */
#include <arch/upcalls.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/vm.h>
#include <core/work.h>

#include "core_cpu.h"

#define BURY_AT_ONCE  16
#define BURY_DELAY_NS 20000000ULL

static void bury_all(struct work *w);
static void bury_now(struct timer *t);

static struct {
    struct spinlock lock; /* interrupts off; guards: */
    struct list all;      /* struct thread.all_node */
    struct list dead;     /* struct thread.run_node */
    unsigned nr_dead;
    struct work bury;
    struct timer bury_soon;
} threads = {
    .lock = SPINLOCK_INIT(RANK_THREADS),
    .all = LIST_INIT(threads.all),
    .dead = LIST_INIT(threads.dead),
    .bury = {.node = LIST_INIT(threads.bury.node), .fn = bury_all},
    .bury_soon = {.fn = bury_now},
};

void thread_list_add(struct thread *t)
{
    bool irqs = spin_lock_irq(&threads.lock);

    list_push_back(&threads.all, &t->all_node);
    spin_unlock_irq(&threads.lock, irqs);
}

static void thread_list_remove(struct thread *t)
{
    bool irqs = spin_lock_irq(&threads.lock);

    list_remove(&t->all_node);
    spin_unlock_irq(&threads.lock, irqs);
}

/* Where every thread begins. */
static void thread_main(void *arg)
{
    struct thread *t = arg;

    arch_irq_on();
    t->entry(t->arg);
    thread_exit(t->reap);
}

int thread_init(struct thread *t, const char *name, struct vm *vm, void (*entry)(void *), void *arg)
{
    t->kstack = kstack_alloc();
    if (!t->kstack)
        return -ENOMEM;
    t->entry = entry;
    t->arg = arg;
    t->is_user = vm != NULL;
    if (arch_thread_init(&t->arch, (char *)t->kstack + KSTACK_SIZE, thread_main, t, t->is_user) <
        0) {
        kstack_free(t->kstack);
        return -ENOMEM;
    }
    strlcpy(t->name, name, sizeof(t->name));
    t->vm = vm;
    if (vm)
        vm_get(vm);
    t->state = THREAD_NEW;
    t->cpu = this_cpu()->index;
    t->affinity = ~(cpuset)0;
    t->budget_ns = sched_slice_ns(t);
    list_init(&t->run_node);
    thread_list_add(t);
    return 0;
}

static void thread_free_parts(struct thread *t)
{
    thread_list_remove(t);
    arch_thread_destroy(&t->arch);
    kstack_free(t->kstack);
    if (t->vm)
        vm_put(t->vm);
}

void thread_destroy(struct thread *t)
{
    assert(t->state == THREAD_NEW);
    thread_free_parts(t);
}

void thread_start(struct thread *t)
{
    assert(t->state == THREAD_NEW);
    sched_make_ready(t);
    sched_send_kicks();
}

static void spawned_reap(struct thread *t)
{
    heap_free(t);
}

struct thread *thread_spawn(const char *name, void (*entry)(void *), void *arg)
{
    struct thread *t = heap_zalloc(sizeof(*t));

    if (!t)
        return NULL;
    if (thread_init(t, name, NULL, entry, arg) < 0) {
        heap_free(t);
        return NULL;
    }
    t->reap = spawned_reap;
    thread_start(t);
    return t;
}

void thread_exit(void (*reap)(struct thread *t))
{
    struct thread *t = current_thread();

    lock_assert_may_sleep();
    if (reap)
        t->reap = reap;
    sched_exit(t);
}

/* --- the dead --------------------------------------------------------------------------------------- */

static void bury_now(struct timer *t)
{
    work_queue(&threads.bury);
}

/* From the scheduler, interrupts off. */
void thread_bury(struct thread *t)
{
    spin_lock(&threads.lock);
    list_push_back(&threads.dead, &t->run_node);
    unsigned nr = ++threads.nr_dead;
    spin_unlock(&threads.lock);
    if (nr == 1)
        timer_arm(&threads.bury_soon, arch_clock_ns() + BURY_DELAY_NS);
    else if (nr == BURY_AT_ONCE)
        work_queue(&threads.bury);
}

static struct thread *next_dead(void)
{
    bool irqs = spin_lock_irq(&threads.lock);
    struct list *first = list_pop_front(&threads.dead);

    threads.nr_dead -= first != NULL;
    spin_unlock_irq(&threads.lock, irqs);
    return first ? list_entry(first, struct thread, run_node) : NULL;
}

static void bury_all(struct work *w)
{
    struct thread *t;

    while ((t = next_dead())) {
        thread_free_parts(t);
        if (t->reap)
            t->reap(t);
    }
}

/* --- the current thread's work bits ------------------------------------------------------------------ */

void thread_clear_work(uint32_t work)
{
    atomic_and(&current_thread()->work, ~work);
}

/* Who acts on a bit may do so before the interrupt that announces it has come, and answer with a restart code that
 * must not reach the program: make sure that the way back to ring 3 sees the bit, too. */
bool thread_has_work(uint32_t mask)
{
    if (likely(!(atomic_load(&current_thread()->work) & mask)))
        return false;
    atomic_or(&this_cpu()->work, WORK_THREAD);
    return true;
}

bool thread_interrupted(void)
{
    return thread_has_work(THREAD_SIGNAL | THREAD_KILL);
}

bool thread_killed(void)
{
    return thread_has_work(THREAD_KILL);
}

/* --- looking at all ----------------------------------------------------------------------------------- */

seldom_called void sched_visit(void (*visit)(void *arg, struct thread *t), void *arg)
{
    struct thread *t;
    bool irqs = spin_lock_irq(&threads.lock);

    list_for_each(t, &threads.all, all_node)
        visit(arg, t);
    spin_unlock_irq(&threads.lock, irqs);
}

seldom_called void thread_visit_anyhow(void (*visit)(struct thread *t))
{
    bool irqs = arch_irq_save(), locked = spin_try(&threads.lock);
    struct thread *t;

    list_for_each(t, &threads.all, all_node)
        visit(t);
    if (locked)
        spin_unlock(&threads.lock);
    arch_irq_restore(irqs);
}
