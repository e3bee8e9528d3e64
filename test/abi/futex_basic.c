/* futex(2): waiting, waking, timeouts on both clocks, and its errors. */
#include <linux/futex.h>

#include "abi.h"

static uint32_t word, go;
static unsigned woken;

static long futex(uint32_t *at, int op, uint32_t value, void *timeout, uint32_t *at2,
                  uint32_t value3)
{
    return syscall(SYS_futex, at, op, value, timeout, at2, value3);
}

static void *wait_for_go(void *arg)
{
    *(pid_t *)arg = tid_of_self();
    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        futex(&go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    struct timespec ms20 = {0, 20000000}, past = {1, 0}, bad = {0, 1000000000}, negative = {-1, 0},
                    later;
    uint64_t pair[2] = {0};
    pthread_t threads[8];
    static pid_t tids[8];
    int64_t began = now_ns();

    SHOW(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, &ms20, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 0, &ms20, NULL, 0));
    CHECK(now_ns() - began >= 40000000);
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, FUTEX_BITSET_MATCH_ANY));
    SHOW(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL,
               FUTEX_BITSET_MATCH_ANY));
    clock_gettime(CLOCK_MONOTONIC, &later);
    later.tv_nsec += 20000000;
    later.tv_sec += later.tv_nsec / 1000000000;
    later.tv_nsec %= 1000000000;
    SHOW(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &later, NULL, FUTEX_BITSET_MATCH_ANY));
    SHOW(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(futex(&word, 99, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)((char *)pair + 1), FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)((char *)pair + 1), FUTEX_WAKE, 1, NULL, NULL, 0));
    SHOW(futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, (void *)8, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));

    for (size_t i = 0; i < NR(threads); i++)
        NEED(pthread_create(&threads[i], NULL, wait_for_go, &tids[i]) == 0);
    for (size_t i = 0; i < NR(threads); i++) {
        while (!__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE))
            sched_yield();
        wait_until_asleep(tids[i]);
    }
    __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
    SHOW(futex(&go, FUTEX_WAKE_PRIVATE, 3, NULL, NULL, 0));
    SHOW(futex(&go, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
    SHOW(futex(&go, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    say("woken: %u", woken);
    return done();
}
