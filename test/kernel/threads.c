/* Ring-0 tests of locks, wait queues, timers and the scheduler. */
#include <core/atomic.h>
#include <core/sched.h>
#include <core/timer.h>
#include <core/wait.h>

#include "kernel_test.h"

#define MS 1000000UL

static struct mutex counter_lock;
static unsigned counter;

static void count_under_mutex(void *unused)
{
    (void)unused;
    for (int i = 0; i < 500; i++) {
        mutex_lock(&counter_lock);
        unsigned seen = counter;
        if (i % 16 == 0)
            sched_yield();
        counter = seen + 1;
        mutex_unlock(&counter_lock);
    }
}

static void mutex_excludes(void)
{
    mutex_init(&counter_lock, RANK_DEVICE);
    counter = 0;
    test_in_threads(8, count_under_mutex, NULL);
    CHECK(counter == 8 * 500);
}

static struct spinlock spin = SPINLOCK_INIT(RANK_DRIVER);

static void count_under_spinlock(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5000; i++) {
        spin_lock(&spin);
        counter++;
        spin_unlock(&spin);
    }
}

static void spinlock_excludes(void)
{
    counter = 0;
    test_in_threads(8, count_under_spinlock, NULL);
    CHECK(counter == 8 * 5000);
}

/* Two threads hand a ball back and forth: a lost wake-up hangs here. */
static struct waitq ball_queue;
static unsigned ball;
static unsigned next_player;

static void play(void *unused)
{
    unsigned me = (atomic_add(&next_player, 1) - 1) % 2;

    (void)unused;
    for (int i = 0; i < 2000; i++) {
        CHECK(WAIT_EVENT(&ball_queue, atomic_load(&ball) % 2 == me, WAIT_UNINTERRUPTIBLE,
                         TIME_NEVER) == 0);
        atomic_add(&ball, 1);
        waitq_wake_all(&ball_queue);
    }
}

static void wake_ups_are_not_lost(void)
{
    waitq_init(&ball_queue);
    ball = 0;
    test_in_threads(2, play, NULL);
    CHECK(ball == 4000);
}

/* A thread on the last CPU sleeps; behind it in the queue a callback looks, under the queue's lock, at whom its CPU is
 * yet to interrupt. */
static struct waitq bell;
static unsigned nr_rung;
static uint64_t kicks_under_lock;

static bool look_at_kicks(struct waiter *w, unsigned long key)
{
    (void)w, (void)key;
    kicks_under_lock = this_cpu()->kicks;
    return false;
}

static void answer_bell(void *unused)
{
    (void)unused;
    CHECK(sched_set_affinity(current_thread(), (cpuset)1 << (arch_cpu_count() - 1)) == 0);
    for (unsigned round = 1; round <= 20; round++)
        CHECK(WAIT_EVENT(&bell, atomic_load(&nr_rung) >= round, WAIT_UNINTERRUPTIBLE, TIME_NEVER) ==
              0);
}

static void other_cpus_are_interrupted_after_the_lock(void)
{
    cpuset all = current_thread()->affinity, last = (cpuset)1 << (arch_cpu_count() - 1);
    struct waiter watcher;
    unsigned nr_seen = 0; /* not each time: the last CPU may have something else to run */

    waitq_init(&bell);
    nr_rung = 0;
    waiter_init_fn(&watcher, look_at_kicks);
    waitq_add(&bell, &watcher);
    CHECK(sched_set_affinity(current_thread(), 1) == 0);
    struct thread *sleeper = thread_spawn("sleeper", answer_bell, NULL);
    CHECK(sleeper);
    for (unsigned round = 1; round <= 20; round++) {
        while (atomic_load(&sleeper->state) != THREAD_SLEEPING)
            sched_yield();
        atomic_store(&nr_rung, round);
        CHECK(waitq_wake_all(&bell) == 1);
        CHECK(this_cpu()->kicks == 0);
        nr_seen += kicks_under_lock == last;
    }
    CHECK(nr_seen >= (arch_cpu_count() > 1 ? 10 : 0));
    waitq_remove(&watcher);
    CHECK(sched_set_affinity(current_thread(), all) == 0);
}

static void sleeps_last_long_enough(void)
{
    struct waitq nobody;

    waitq_init(&nobody);
    for (uint64_t ms = 0; ms <= 20; ms += 5) {
        uint64_t start = clock_mono_ns();
        CHECK(WAIT_EVENT(&nobody, false, WAIT_INTERRUPTIBLE, start + ms * MS) == -ETIMEDOUT);
        CHECK(clock_mono_ns() - start >= ms * MS);
    }
}

static unsigned fired;

static void on_timer(struct timer *t)
{
    (void)t;
    atomic_add(&fired, 1);
}

static void timers_fire_once_or_not_at_all(void)
{
    static struct timer timer[64];
    struct waitq nobody;
    unsigned cancelled = 0;

    waitq_init(&nobody);
    fired = 0;
    for (unsigned i = 0; i < 64; i++) {
        timer_init(&timer[i], on_timer);
        timer_arm(&timer[i], clock_mono_ns() + (i * 37 % 64) * MS / 4);
    }
    for (unsigned i = 0; i < 64; i += 3)
        cancelled += timer_cancel(&timer[i]);
    CHECK(WAIT_EVENT(&nobody, atomic_load(&fired) + cancelled == 64, WAIT_UNINTERRUPTIBLE,
                     clock_mono_ns() + 30 * MS) <= 0);
    while (atomic_load(&fired) + cancelled < 64)
        sched_yield();
    for (unsigned i = 0; i < 64; i++)
        timer_cancel_sync(&timer[i]);
    CHECK(fired + cancelled == 64);
}

static void run_on_each(void *unused)
{
    (void)unused;
    for (unsigned round = 0; round < 20; round++) {
        unsigned cpu = round % arch_cpu_count();
        CHECK(sched_set_affinity(current_thread(), (cpuset)1 << cpu) == 0);
        CHECK(this_cpu()->index == cpu);
    }
}

static void threads_move_between_cpus(void)
{
    test_in_threads(4, run_on_each, NULL);
}

const struct kernel_test thread_tests[] = {
    {"a mutex excludes", mutex_excludes},
    {"a spinlock excludes", spinlock_excludes},
    {"wake-ups are not lost", wake_ups_are_not_lost},
    {"other CPUs are interrupted after the lock", other_cpus_are_interrupted_after_the_lock},
    {"sleeps last long enough", sleeps_last_long_enough},
    {"timers fire once or not at all", timers_fire_once_or_not_at_all},
    {"threads move between CPUs", threads_move_between_cpus},
    {NULL, NULL},
};
