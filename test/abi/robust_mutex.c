/* A thread that ends while it holds a robust mutex: the next one is told so. */
#include "abi.h"

static pthread_mutex_t mutex;
static pid_t waiter_tid;

static void *die_with_it(void *arg)
{
    pthread_mutex_lock(&mutex);
    if (arg) {
        while (!__atomic_load_n(&waiter_tid, __ATOMIC_ACQUIRE))
            sched_yield();
        wait_until_asleep(waiter_tid);
    }
    return NULL;
}

static void *wait_for_it(void *arg)
{
    __atomic_store_n(&waiter_tid, tid_of_self(), __ATOMIC_RELEASE);
    *(int *)arg = pthread_mutex_lock(&mutex);
    pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_t owner, waiter;
    int result = -1;
    struct {
        void *next;
        long offset;
        void *pending;
    } * head;
    size_t len = 0;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attr);
    pthread_create(&owner, NULL, die_with_it, NULL);
    pthread_join(owner, NULL);
    say("lock: %s", strerror(pthread_mutex_lock(&mutex)));
    SHOW(pthread_mutex_consistent(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));
    SHOW(pthread_mutex_lock(&mutex));
    SHOW(pthread_mutex_unlock(&mutex));

    /* The same with one who sleeps on it already. */
    pthread_create(&owner, NULL, die_with_it, &result);
    while (pthread_mutex_trylock(&mutex) == 0) {
        pthread_mutex_unlock(&mutex);
        sched_yield();
    }
    pthread_create(&waiter, NULL, wait_for_it, &result);
    pthread_join(owner, NULL);
    pthread_join(waiter, NULL);
    say("the waiter: %s", strerror(result));

    /* Not made consistent: lost for ever. */
    pthread_create(&owner, NULL, die_with_it, NULL);
    pthread_join(owner, NULL);
    say("lock: %s", strerror(pthread_mutex_lock(&mutex)));
    pthread_mutex_unlock(&mutex);
    say("lock: %s", strerror(pthread_mutex_lock(&mutex)));
    SHOW(syscall(SYS_get_robust_list, 0, &head, &len));
    say("length %zu", len);
    SHOW(syscall(SYS_set_robust_list, head, len + 1));
    SHOW(syscall(SYS_set_robust_list, head, len));
    return done();
}
