/* sources: */
/* The lock checker: every rule that it knows is broken once, and must panic. */
#define YOLK_DEBUG 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* The real declarations, without what needs ring 0. */
#define this_cpu         ring0_this_cpu
#define current_thread   ring0_current_thread
#define arch_irq_save    ring0_irq_save
#define arch_irq_restore ring0_irq_restore
#define arch_irqs_are_on ring0_irqs_are_on
#include <arch/arch.h>
#undef this_cpu
#undef current_thread
#undef arch_irq_save
#undef arch_irq_restore
#undef arch_irqs_are_on

#include <base/log.h>

static struct cpu cpu;
static bool irqs_on = true;
static struct thread *thread_now;

static inline struct cpu *this_cpu(void)
{
    return &cpu;
}

static inline struct thread *current_thread(void)
{
    return thread_now;
}

static inline bool arch_irq_save(void)
{
    bool were_on = irqs_on;

    irqs_on = false;
    return were_on;
}

static inline void arch_irq_restore(bool were_on)
{
    irqs_on = were_on;
}

static inline bool arch_irqs_are_on(void)
{
    return irqs_on;
}

static jmp_buf on_panic;
static char reason[256];

noreturn void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    longjmp(on_panic, 1);
}

#include "../../kernel/core/lock_check.c"
#include "../../kernel/core/lock.c"

/* Nobody sleeps here. */
unsigned arch_cpu_count(void)
{
    return 1;
}

void wait_prepare(enum wait_how how)
{
    panic("would sleep");
}

int wait_sleep(uint64_t deadline)
{
    panic("would sleep");
}

bool thread_wake_quiet(struct thread *t)
{
    return false;
}

void sched_send_kicks_now(void)
{
    cpu.kicks = 0;
}

#define PANICS(text, code)                     \
    do {                                       \
        if (setjmp(on_panic) == 0) {           \
            code;                              \
            fail_msg("no panic: %s", text);    \
        }                                      \
        assert_non_null(strstr(reason, text)); \
    } while (0)

static struct spinlock low, high;
static struct mutex outer, inner;
static struct thread me;

static int set_up(void **state)
{
    memset(held_spins, 0, sizeof(held_spins));
    memset(&me, 0, sizeof(me));
    cpu = (struct cpu){0};
    irqs_on = true;
    thread_now = &me;
    spin_init(&low, RANK_WAITQ);
    spin_init(&high, RANK_RUNQ);
    mutex_init(&outer, RANK_PIPE);
    mutex_init(&inner, RANK_VM);
    return 0;
}

static void rising_ranks_are_fine(void **state)
{
    spin_lock(&low);
    spin_lock(&high);
    assert_true(spin_is_held(&low));
    spin_unlock(&low); /* in any order */
    assert_false(spin_is_held(&low));
    spin_unlock(&high);
    lock_assert_may_sleep();
    mutex_lock(&outer);
    mutex_lock(&inner);
    assert_true(mutex_is_held(&outer));
    mutex_unlock(&outer);
    mutex_unlock(&inner);
}

static void falling_ranks_panic(void **state)
{
    spin_lock(&high);
    PANICS("lock order", spin_lock(&low));
}

static void equal_ranks_panic_unless_nested(void **state)
{
    static struct spinlock other; /* stays among the locks that are held */

    spin_init(&other, RANK_WAITQ);
    spin_lock(&low);
    spin_lock_nested(&other, RANK_WAITQ_2);
    spin_unlock(&other);
    PANICS("lock order", spin_lock(&other));
}

static void trying_breaks_the_order(void **state)
{
    spin_lock(&high);
    assert_true(spin_try(&low));
    assert_false(spin_try(&low));
    spin_unlock(&low);
}

static void twice_panics(void **state)
{
    spin_lock(&low);
    PANICS("taken again", spin_lock(&low));
}

static void releasing_what_is_not_held_panics(void **state)
{
    PANICS("released by cpu", spin_unlock(&low));
    PANICS("does not hold it", mutex_unlock(&outer));
}

static void handlers_locks_need_interrupts_off(void **state)
{
    cpu.irq_depth = 1;
    irqs_on = false;
    spin_lock(&low);
    spin_unlock(&low);
    cpu.irq_depth = 0;
    bool were_on = spin_lock_irq(&low);
    spin_unlock_irq(&low, were_on);
    irqs_on = true;
    PANICS("also with interrupts on", spin_lock(&low));
}

static void a_handler_counts_its_own_locks_only(void **state)
{
    spin_lock(&high);
    cpu.irq_depth = 1;
    irqs_on = false;
    spin_lock(&low);
    spin_unlock(&low);
}

/* CPU 0 holds `high` and is interrupted by a handler that wants `low`; CPU 1 holds `low` and wants `high`. */
static void inversion_through_a_handler_panics(void **state)
{
    spin_lock(&high);
    spin_unlock(&high);
    cpu.irq_depth = 1;
    irqs_on = false;
    spin_lock(&low);
    spin_unlock(&low);
    cpu.irq_depth = 0;
    spin_lock_irq(&low);
    PANICS("which handlers take", spin_lock(&high));
}

static void sleeping_under_a_spinlock_panics(void **state)
{
    spin_lock(&low);
    PANICS("about to sleep", mutex_lock(&outer));
    PANICS("about to sleep", lock_assert_may_sleep());
}

static void sleeping_before_other_cpus_are_told_panics(void **state)
{
    cpu.kicks = 2;
    PANICS("sched_send_kicks", lock_assert_may_sleep());
    sched_send_kicks();
    lock_assert_may_sleep();
}

static void mutexes_have_an_order_too(void **state)
{
    mutex_lock(&inner);
    PANICS("lock order", mutex_lock(&outer));
    PANICS("taken again", mutex_lock(&inner));
    mutex_lock_nested(&outer, RANK_OBJECT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        TEST(rising_ranks_are_fine),
        TEST(falling_ranks_panic),
        TEST(equal_ranks_panic_unless_nested),
        TEST(trying_breaks_the_order),
        TEST(twice_panics),
        TEST(releasing_what_is_not_held_panics),
        TEST(handlers_locks_need_interrupts_off),
        TEST(a_handler_counts_its_own_locks_only),
        TEST(inversion_through_a_handler_panics),
        TEST(sleeping_under_a_spinlock_panics),
        TEST(sleeping_before_other_cpus_are_told_panics),
        TEST(mutexes_have_an_order_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
