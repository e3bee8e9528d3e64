/* Boots like kernel/main.c as far as threads, runs every ring-0 test, says "N passed, N failed" and powers off. */
#include <arch/upcalls.h>
#include <base/string.h>
#include <core/console.h>
#include <core/heap.h>
#include <core/page.h>
#include <core/random.h>
#include <core/sched.h>

#include "kernel_test.h"

static struct bootinfo boot_info;
static void serial_write(enum log_level level, const char *line, size_t n)
{
    (void)level;
    arch_serial_write(line, n);
}

static struct log_sink serial_sink = {.write = serial_write};

noreturn void test_failed(const char *file, int line, const char *what)
{
    log_error("%s:%d: %s", file, line, what);
    log_backtrace(0);
    arch_poweroff(1);
}

struct crowd {
    struct waitq done;
    unsigned running;
    void (*fn)(void *arg);
    void *arg;
};

static void crowd_member(void *arg)
{
    struct crowd *crowd = arg;

    crowd->fn(crowd->arg);
    /* Under the queue's lock, because `crowd` is gone as soon as the last member has been counted out. */
    bool irqs = spin_lock_irq(&crowd->done.lock);
    crowd->running--;
    spin_unlock_irq(&crowd->done.lock, irqs);
    thread_exit(NULL);
}

static unsigned crowd_running(struct crowd *crowd)
{
    bool irqs = spin_lock_irq(&crowd->done.lock);
    unsigned running = crowd->running;

    spin_unlock_irq(&crowd->done.lock, irqs);
    return running;
}

void test_in_threads(unsigned nr, void (*fn)(void *arg), void *arg)
{
    struct crowd crowd = {.running = nr, .fn = fn, .arg = arg};

    waitq_init(&crowd.done);
    for (unsigned i = 0; i < nr; i++)
        CHECK(thread_spawn("test", crowd_member, &crowd));
    while (crowd_running(&crowd) > 0)
        sched_yield();
}

static void run_all(void *unused)
{
    const struct kernel_test *const suites[] = {memory_tests, thread_tests};
    unsigned passed = 0;

    (void)unused;
    arch_start_cpus(~0u);
    /* A CPU counts as running a little before it has made its first allocations and joined the scheduler. */
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        while (sched_set_affinity(current_thread(), (cpuset)1 << cpu) < 0)
            sched_yield();
    CHECK(sched_set_affinity(current_thread(), ~(cpuset)0) == 0);
    log_info("%u cpus, %lu pages", arch_cpu_count(), (unsigned long)page_count_total());
    for (unsigned s = 0; s < ARRAY_LEN(suites); s++)
        for (const struct kernel_test *t = suites[s]; t->name; t++) {
            log_info("run %s", t->name);
            t->run();
            passed++;
        }
    log_info("%u passed, 0 failed", passed);
    arch_poweroff(0);
}

void up_main(const struct bootinfo *info)
{
    boot_info = *info;
    log_add_sink(&serial_sink);
    log_set_level(LOG_INFO);
    page_init(&boot_info);
    heap_init();
    core_cpu_init();
    random_init();
    sched_start(run_all);
}
