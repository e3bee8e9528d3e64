/* futex_waitv(2): waiting on several words at once. */
#include <linux/futex.h>

#include "abi.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static uint32_t words[4];

static long waitv(struct futex_waitv *w, unsigned nr, unsigned flags, struct timespec *timeout,
                  int clock)
{
    return syscall(SYS_futex_waitv, w, nr, flags, timeout, clock);
}

static void *wake_third(void *tid)
{
    wait_until_asleep(*(pid_t *)tid);
    words[2] = 1;
    CHECK(syscall(SYS_futex, &words[2], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
    return NULL;
}

int main(void)
{
    struct futex_waitv w[4];
    struct timespec past = {1, 0}, bad = {0, -1};
    pid_t self = tid_of_self();
    pthread_t t;

    for (size_t i = 0; i < NR(w); i++)
        w[i] = (struct futex_waitv){.uaddr = (uintptr_t)&words[i],
                                    .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
    SHOW(waitv(w, 0, 0, NULL, 0));
    SHOW(waitv(w, 129, 0, NULL, 0));
    SHOW(waitv(w, 4, 1, NULL, 0));
    SHOW(waitv(NULL, 4, 0, NULL, 0));
    SHOW(waitv((void *)8, 4, 0, NULL, 0));
    SHOW(waitv(w, 4, 0, &past, CLOCK_MONOTONIC));
    SHOW(waitv(w, 4, 0, &past, CLOCK_REALTIME));
    SHOW(waitv(w, 4, 0, &past, CLOCK_BOOTTIME));
    SHOW(waitv(w, 4, 0, &bad, CLOCK_MONOTONIC));
    w[3].val = 1;
    SHOW(waitv(w, 4, 0, NULL, 0));
    w[3].val = 0;
    w[1].flags = 0;
    SHOW(waitv(w, 4, 0, NULL, 0));
    w[1].flags = FUTEX_32 | FUTEX_PRIVATE_FLAG;
    w[1].__reserved = 1;
    SHOW(waitv(w, 4, 0, NULL, 0));
    w[1].__reserved = 0;
    NEED(pthread_create(&t, NULL, wake_third, &self) == 0);
    SHOW(waitv(w, 4, 0, NULL, 0));
    pthread_join(t, NULL);
    return done();
}
