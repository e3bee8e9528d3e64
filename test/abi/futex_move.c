/* futex(2): requeueing, bitsets and FUTEX_WAKE_OP choose who is woken. */
#include <linux/futex.h>

#include "abi.h"

#define WAITERS 6

static uint32_t first, second;
static unsigned woken;
static struct {
    uint32_t *at, bits;
    pid_t tid;
    int result;
} waiters[WAITERS];

static long futex(uint32_t *at, int op, uint32_t value, uintptr_t value2, uint32_t *at2,
                  uint32_t value3)
{
    return syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, value, value2, at2, value3);
}

static void *wait(void *arg)
{
    size_t i = (uintptr_t)arg;

    __atomic_store_n(&waiters[i].tid, tid_of_self(), __ATOMIC_RELEASE);
    waiters[i].result = (int)futex(waiters[i].at, FUTEX_WAIT_BITSET, 0, 0, NULL, waiters[i].bits);
    __atomic_fetch_add(&woken, 1, __ATOMIC_RELEASE);
    return NULL;
}

static pthread_t threads[WAITERS];

static void start(uint32_t *at, const uint32_t *bits)
{
    woken = 0;
    for (size_t i = 0; i < WAITERS; i++) {
        waiters[i].at = at;
        waiters[i].bits = bits ? bits[i] : FUTEX_BITSET_MATCH_ANY;
        waiters[i].tid = 0;
        NEED(pthread_create(&threads[i], NULL, wait, (void *)i) == 0);
        while (!__atomic_load_n(&waiters[i].tid, __ATOMIC_ACQUIRE))
            sched_yield();
        wait_until_asleep(waiters[i].tid);
    }
}

static void finish(void)
{
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(waiters[i].result == 0);
    }
    say("all %u came back", woken);
}

int main(void)
{
    static const uint32_t bits[WAITERS] = {1, 1, 2, 2, 4, 8};

    start(&first, NULL);
    SHOW(futex(&first, FUTEX_CMP_REQUEUE, 1, 2, &second, 5));
    SHOW(futex(&first, FUTEX_CMP_REQUEUE, 1, 2, &second, 0));
    SHOW(futex(&second, FUTEX_WAKE, 10, 0, NULL, 0));
    SHOW(futex(&first, FUTEX_REQUEUE, 0, 2, &second, 0));
    SHOW(futex(&second, FUTEX_WAKE, 1, 0, NULL, 0));
    SHOW(futex(&first, FUTEX_WAKE, 10, 0, NULL, 0));
    SHOW(futex(&second, FUTEX_WAKE, 10, 0, NULL, 0));
    finish();

    start(&first, bits);
    SHOW(futex(&first, FUTEX_WAKE_BITSET, 10, 0, NULL, 16));
    SHOW(futex(&first, FUTEX_WAKE_BITSET, 10, 0, NULL, 2));
    SHOW(futex(&first, FUTEX_WAKE_BITSET, 1, 0, NULL, 5));
    SHOW(futex(&first, FUTEX_WAKE_BITSET, 10, 0, NULL, 12));
    SHOW(futex(&first, FUTEX_WAKE, 10, 0, NULL, 0));
    finish();

    /* Adds 3 to the second word and wakes its waiters when it was 0. */
    start(&second, NULL);
    second = 0;
    SHOW(
        futex(&first, FUTEX_WAKE_OP, 1, 2, &second, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
    say("second word: %u", second);
    SHOW(
        futex(&first, FUTEX_WAKE_OP, 1, 2, &second, FUTEX_OP(FUTEX_OP_SET, 8, FUTEX_OP_CMP_LT, 3)));
    say("second word: %u", second);
    SHOW(futex(&first, FUTEX_WAKE_OP, 1, 1, &second, FUTEX_OP(FUTEX_OP_OR, 3, FUTEX_OP_CMP_GE, 8)));
    say("second word: %u", second);
    SHOW(futex(&first, FUTEX_WAKE_OP, 1, 10, &second,
               FUTEX_OP((FUTEX_OP_XOR | FUTEX_OP_OPARG_SHIFT), 0, FUTEX_OP_CMP_NE, 8)));
    say("second word: %u", second);
    finish();
    SHOW(futex(&first, FUTEX_WAKE_OP, 1, 1, (uint32_t *)16, 0));
    SHOW(futex(&first, FUTEX_CMP_REQUEUE, 1, 1, (uint32_t *)((char *)&second + 2), 0));
    SHOW(futex(&first, FUTEX_REQUEUE, (uint32_t)-1, 1, &second, 0));
    return done();
}
