/* Setting policy, nice value and affinity of threads that are just about to end: it works or there is no such thread. */
#include "abi.h"

#include <sched.h>
#include <sys/resource.h>

#define ROUNDS 60

static int tids[4];
static int is_over;

static void *live_shortly(void *arg)
{
    __atomic_store_n((int *)arg, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    return NULL;
}

static bool is_fine(long result)
{
    return result == 0 || errno == ESRCH;
}

static void *meddle(void *arg)
{
    static const int policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_RR, SCHED_OTHER};
    const unsigned long all = ~0UL;

    (void)arg;
    for (unsigned i = 0; !__atomic_load_n(&is_over, __ATOMIC_ACQUIRE); i++) {
        struct sched_param p = {.sched_priority = i % 4 == 2};
        int tid = __atomic_load_n(&tids[i % 4], __ATOMIC_ACQUIRE);
        if (tid == 0)
            continue;
        /* The raw calls: musl's answer ENOSYS. */
        CHECK(is_fine(syscall(SYS_sched_setscheduler, tid, policies[i % 4], &p)));
        CHECK(is_fine(syscall(SYS_sched_setaffinity, tid, sizeof(all), &all)));
        CHECK(is_fine(setpriority(PRIO_PROCESS, (id_t)tid, (int)(i % 3))));
    }
    return NULL;
}

int main(void)
{
    pthread_t meddler, threads[4];

    NEED(pthread_create(&meddler, NULL, meddle, NULL) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++)
            NEED(pthread_create(&threads[i], NULL, live_shortly, &tids[i]) == 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    pthread_join(meddler, NULL);
    return done();
}
