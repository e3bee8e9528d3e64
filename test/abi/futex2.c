/* futex_wake(2), futex_wait(2), futex_requeue(2). */
#include "abi.h"

#define WAKE    454
#define WAIT    455
#define REQUEUE 456
#define F32     2u
#define PRIVATE 128u

struct waitv {
    uint64_t val, addr;
    uint32_t flags, reserved;
};

static uint32_t word, other;
static int woken;

static void *sleeper(void *arg)
{
    pid_t *tid = arg;
    __atomic_store_n(tid, tid_of_self(), __ATOMIC_RELEASE);
    CHECK(syscall(WAIT, &word, 0, 4, F32 | PRIVATE, NULL, 0) == 0);
    __atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void test_errors(void)
{
    struct timespec past = {0, 0}, bad = {0, 2000000000};
    struct waitv v[2] = {{0, (uintptr_t)&word, F32 | PRIVATE, 0},
                         {0, (uintptr_t)&other, F32 | PRIVATE, 0}};
    say("-- errors");
    SHOW(syscall(WAKE, &word, 1, 1, 0));
    SHOW(syscall(WAKE, &word, 1, 1, 3));
    SHOW(syscall(WAKE, &word, 1, 1, F32 | 64));
    SHOW(syscall(WAKE, &word, 0, 1, F32));
    SHOW(syscall(WAKE, &word, 1UL << 32, 1, F32));
    SHOW(syscall(WAKE, (char *)&word + 1, 1, 1, F32));
    SHOW(syscall(WAKE, 8, 1, 1, F32));
    SHOW(syscall(WAKE, 8, 1, 0, F32));
    SHOW(syscall(WAKE, &word, 1, 1, F32));
    SHOW(syscall(WAIT, &word, 1, ~0u, F32, NULL, 0));
    SHOW(syscall(WAIT, &word, 0, 0, F32, NULL, 0));
    SHOW(syscall(WAIT, &word, 1UL << 32, 1, F32, NULL, 0));
    SHOW(syscall(WAIT, &word, 0, 1, F32, &past, CLOCK_MONOTONIC));
    SHOW(syscall(WAIT, &word, 0, 1, F32, &past, CLOCK_REALTIME));
    SHOW(syscall(WAIT, &word, 0, 1, F32, &past, CLOCK_BOOTTIME));
    SHOW(syscall(WAIT, &word, 0, 1, F32, &bad, CLOCK_MONOTONIC));
    SHOW(syscall(WAIT, &word, 0, 1, F32, (void *)8, CLOCK_MONOTONIC));
    SHOW(syscall(REQUEUE, v, 1, 1, 1));
    SHOW(syscall(REQUEUE, NULL, 0, 1, 1));
    SHOW(syscall(REQUEUE, 8, 0, 1, 1));
    SHOW(syscall(REQUEUE, v, 0, 1, 1));
    SHOW(syscall(REQUEUE, v, 0, -1, 1));
    v[0].val = 1;
    SHOW(syscall(REQUEUE, v, 0, 1, 1));
    v[0].val = 0;
    v[1].reserved = 1;
    SHOW(syscall(REQUEUE, v, 0, 1, 1));
}

static void wait_for(int n)
{
    while (__atomic_load_n(&woken, __ATOMIC_ACQUIRE) != n)
        sched_yield();
}

int main(void)
{
    pthread_t t[4];
    pid_t tid[4] = {0};
    test_errors();
    say("-- waking");
    for (int i = 0; i < 4; i++) {
        NEED(pthread_create(&t[i], NULL, sleeper, &tid[i]) == 0);
        while (!__atomic_load_n(&tid[i], __ATOMIC_ACQUIRE))
            sched_yield();
        wait_until_asleep(tid[i]);
    }
    SHOW(syscall(WAKE, &word, 3, 10, F32 | PRIVATE)); /* none of these bits */
    SHOW(syscall(WAKE, &word, 4, 10, F32));           /* not the private one */
    SHOW(syscall(WAKE, &word, 6, 1, F32 | PRIVATE));
    wait_for(1);
    struct waitv v[2] = {{0, (uintptr_t)&word, F32 | PRIVATE, 0},
                         {0, (uintptr_t)&other, F32 | PRIVATE, 0}};
    SHOW(syscall(REQUEUE, v, 0, 1, 1)); /* one awake, one moved */
    wait_for(2);
    SHOW(syscall(WAKE, &other, 4, 10, F32 | PRIVATE));
    wait_for(3);
    SHOW(syscall(WAKE, &word, 4, 10, F32 | PRIVATE));
    wait_for(4);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return done();
}
