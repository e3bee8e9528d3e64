/* What a run of the call fuzzer has made: how often each call was made and did something, and how long it took.
 *
 * Time is counted in the CPU's cycles, as threads run without libc; a call that sleeps counts until it is woken. */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>

#define NR_SLOW 12

struct tally {
    unsigned long made, worked;
    unsigned long last_error;
    uint64_t cycles, most;
    unsigned long worst[MAX_ARGS]; /* the arguments of the slowest */
};

static struct tally tallies[MAX_CALLS];

void report_count(const struct fuzz_thread *t, long result, uint64_t cycles)
{
    struct tally *y = &tallies[t->now - calls];
    bool failed = result < 0 && result > -4096 && result != -EINTR; /* some do nothing but sleep */

    __atomic_fetch_add(&y->made, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&y->cycles, cycles, __ATOMIC_RELAXED);
    if (failed)
        __atomic_store_n(&y->last_error, (unsigned long)-result, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(&y->worked, 1, __ATOMIC_RELAXED);
    if (cycles <= __atomic_load_n(&y->most, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&y->most, cycles, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < MAX_ARGS; i++)
        y->worst[i] = t->args[i];
}

static int by_cycles(const void *a, const void *b)
{
    const struct tally *const *x = a, *const *y = b;

    return (*x)->cycles < (*y)->cycles ? 1 : (*x)->cycles > (*y)->cycles ? -1 : 0;
}

static void say_slow(void)
{
    static const struct tally *sorted[MAX_CALLS];

    for (unsigned i = 0; i < nr_calls; i++)
        sorted[i] = &tallies[i];
    qsort(sorted, nr_calls, sizeof(sorted[0]), by_cycles);
    for (unsigned i = 0; i < NR_SLOW; i++) {
        const struct tally *y = sorted[i];
        const unsigned long *a = y->worst;
        say("slow: %-16s %7lu calls, %7lu Mcycles, at most %6lu in (%#lx, %#lx, %#lx, %#lx, %#lx, "
            "%#lx)\n",
            calls[y - tallies].name, y->made, y->cycles >> 20, y->most >> 20, a[0], a[1], a[2],
            a[3], a[4], a[5]);
    }
}

void report_say(void)
{
    unsigned nr_rows = 0, nr_worked = 0;
    uint64_t cycles = 0;

    say_slow();
    for (unsigned i = 0; i < nr_calls; i++) {
        const struct tally *y = &tallies[i];
        if (!args_may_make(&calls[i]))
            continue;
        nr_rows++;
        cycles += y->cycles;
        if (y->worked)
            nr_worked++;
        else
            say("never: %-20s made %lu times, last error %lu\n", calls[i].name, y->made,
                y->last_error);
    }
    say("%u of %u calls did something; %lu Mcycles in calls\n", nr_worked, nr_rows, cycles >> 20);
}
