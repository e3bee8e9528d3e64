/* Futexes by the numbers: how many are woken, moved and left by wake, requeue, compare-requeue, wake-op and bitsets, and
 * every operation of wake-op. */
#include "abi.h"

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET = 9, WAKE_BITSET };

#define WAITERS 6

static uint32_t a, b;
static volatile int woken;
static volatile pid_t tids[WAITERS];
static uint32_t bits[WAITERS];
static pthread_t threads[WAITERS];

static long futex(uint32_t *word, int op, uint32_t value, uintptr_t value2, uint32_t *word2,
                  uint32_t value3)
{
    return syscall(SYS_futex, word, op, value, value2, word2, value3);
}

static void *waiter(void *arg)
{
    intptr_t n = (intptr_t)arg;

    tids[n] = tid_of_self();
    NEED(futex(&a, WAIT_BITSET, a, 0, NULL, bits[n]) == 0);
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void start(const uint32_t *with)
{
    woken = 0;
    for (intptr_t i = 0; i < WAITERS; i++) {
        tids[i] = 0;
        bits[i] = with ? with[i] : ~0u;
        NEED(pthread_create(&threads[i], NULL, waiter, (void *)i) == 0);
        while (!tids[i])
            sched_yield();
        wait_until_asleep(tids[i]); /* one after the other: they are woken in that order */
    }
}

static void wait_for(int nr)
{
    while (woken < nr)
        sched_yield();
}

/* Wakes who is left, wherever: how many there were. */
static void finish(const char *what)
{
    long on_a = futex(&a, WAKE, INT_MAX, 0, NULL, 0), on_b = futex(&b, WAKE, INT_MAX, 0, NULL, 0);

    say("%s: left on the first %ld, on the second %ld", what, on_a, on_b);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    say("  all woken: %d", woken);
}

static void waking(void)
{
    start(NULL);
    SHOW(futex(&a, WAKE, 1, 0, NULL, 0));
    SHOW(futex(&a, WAKE, 2, 0, NULL, 0));
    wait_for(3);
    SHOW(futex(&b, WAKE, 5, 0, NULL, 0));
    SHOW(futex(&a, WAKE | 128, 5, 0, NULL, 0)); /* private: another queue? not in one process */
    finish("wake");
    start(NULL);
    SHOW(futex(&a, WAKE, 0, 0, NULL, 0)); /* one, as a quirk has it */
    SHOW(futex(&a, WAKE, (uint32_t)-1, 0, NULL, 0));
    finish("wake of none");
}

static void requeueing(void)
{
    start(NULL);
    SHOW(futex(&a, REQUEUE, 1, 2, &b, 0)); /* wakes one, moves two: counts both or one? */
    wait_for(1);
    SHOW(futex(&b, WAKE, 1, 0, NULL, 0));
    wait_for(2);
    finish("requeue");
    start(NULL);
    a = 7;
    SHOW(futex(&a, CMP_REQUEUE, 1, 2, &b, 6)); /* not that value */
    SHOW(futex(&a, CMP_REQUEUE, 2, 3, &b, 7));
    wait_for(2);
    SHOW(futex(&a, CMP_REQUEUE, 0, INT_MAX, &b, 7));
    SHOW(futex(&a, CMP_REQUEUE, (uint32_t)-1, 1, &b, 7));
    finish("compare and requeue");
    a = 0;
    start(NULL);
    SHOW(futex(&a, CMP_REQUEUE, 1, INT_MAX, &a, 0)); /* onto itself */
    wait_for(1);
    finish("onto itself");
}

static void masks(void)
{
    static const uint32_t with[WAITERS] = {1, 2, 4, 1, 3, 0x80000000};

    start(with);
    SHOW(futex(&a, WAKE_BITSET, 1, 0, NULL, 2));
    wait_for(1);
    SHOW(futex(&a, WAKE_BITSET, INT_MAX, 0, NULL, 1));
    wait_for(4);
    SHOW(futex(&a, WAKE_BITSET, INT_MAX, 0, NULL, 8));
    SHOW(futex(&a, WAKE_BITSET, INT_MAX, 0, NULL, 0));
    SHOW(futex(&a, WAIT_BITSET, 0, 0, NULL, 0));
    SHOW(futex(&a, WAKE_BITSET, INT_MAX, 0, NULL, 0x80000000));
    wait_for(5);
    finish("bitsets");
}

static void wake_op(void)
{
    static const char *const ops[] = {"set", "add", "or", "andn", "xor", "5"};
    static const char *const tests[] = {"eq", "ne", "lt", "le", "gt", "ge", "6"};

    for (uint32_t op = 0; op < NR(ops); op++) {
        b = 6;
        errno = 0;
        long r = futex(&a, WAKE_OP, 1, 1, &b, op << 28 | 0u << 24 | 3 << 12 | 6);
        say("%s: %ld %s, now %d", ops[op], r, r < 0 ? strerror(errno) : "", (int)b);
    }
    b = 5;
    SHOW(futex(&a, WAKE_OP, 1, 1, &b, 8u << 28 | 4u << 12)); /* the argument is a shift */
    say("shifted: %d", (int)b);
    SHOW(futex(&a, WAKE_OP, 1, 1, &b, 0u << 28 | 0xfffu << 12)); /* 12 bits with a sign */
    say("negative: %d", (int)b);
    for (uint32_t test = 0; test < NR(tests); test++) {
        b = 5;
        errno = 0;
        long r = futex(&a, WAKE_OP, 1, 1, &b, 1u << 28 | test << 24 | 1 << 12 | 5);
        say("%s: %ld %s, now %d", tests[test], r, r < 0 ? strerror(errno) : "", (int)b);
    }
    start(NULL);
    b = 0;
    SHOW(
        futex(&a, WAKE_OP, 2, 2, &b, 1u << 28 | 0u << 24 | 1 << 12 | 0)); /* nobody on the second */
    wait_for(2);
    SHOW(futex(&b, WAKE_OP, 1, 2, &a,
               2u << 28 | 1u << 24 | 0 << 12 | 99)); /* the second word is theirs */
    wait_for(4);
    SHOW(futex(&a, WAKE_OP, 1, 1, &b, 1u << 28 | 0u << 24 | 1 << 12 | 77));
    wait_for(5);
    finish("wake-op");
}

int main(void)
{
    waking();
    requeueing();
    masks();
    wake_op();
    SHOW(futex(&a, FD, 0, 0, NULL, 0));
    return done();
}
