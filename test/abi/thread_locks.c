/* The kinds of mutexes and their errors; conditions, rwlocks, semaphores, once: all of them futexes
 * underneath. */
#include <semaphore.h>

#include "abi.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static unsigned once_count, counter, stage;

static void run_once(void)
{
    once_count++;
}

static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void *try_from_another(void *arg)
{
    struct timespec soon = in_ms(CLOCK_REALTIME, 20), past = {1, 0};

    (void)arg;
    say("trylock: %d", pthread_mutex_trylock(&mutex));
    say("timedlock: %d", pthread_mutex_timedlock(&mutex, &soon));
    say("timedlock in the past: %d", pthread_mutex_timedlock(&mutex, &past));
    say("trywrlock: %d", pthread_rwlock_trywrlock(&rwlock));
    say("tryrdlock: %d", pthread_rwlock_tryrdlock(&rwlock));
    pthread_rwlock_unlock(&rwlock);
    return NULL;
}

static void *count(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    pthread_once(&once, run_once);
    return arg;
}

static void *second_stage(void *arg)
{
    pthread_mutex_lock(&mutex);
    stage = 1;
    pthread_cond_signal(&cond);
    while (stage != 2)
        pthread_cond_wait(&cond, &mutex);
    stage = 3;
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphore);
    return arg;
}

static void kinds(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attr);
    say("errorcheck: lock %d", pthread_mutex_lock(&m));
    say("lock again: %d", pthread_mutex_lock(&m) == EDEADLK);
    say("unlock: %d", pthread_mutex_unlock(&m));
    say("unlock again: %d", pthread_mutex_unlock(&m) == EPERM);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attr);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_mutex_lock(&m) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_mutex_unlock(&m) == 0);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    if (pthread_mutex_init(&m, &attr) == 0) {
        CHECK(pthread_mutex_lock(&m) == 0);
        CHECK(pthread_mutex_unlock(&m) == 0);
    }
}

int main(void)
{
    pthread_t threads[4];
    struct timespec soon;

    kinds();
    pthread_mutex_lock(&mutex);
    pthread_rwlock_rdlock(&rwlock);
    pthread_create(&threads[0], NULL, try_from_another, NULL);
    pthread_join(threads[0], NULL);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_unlock(&mutex);
    for (size_t i = 0; i < NR(threads); i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    say("counted under the mutex: %u, once: %u", counter, once_count);

    sem_init(&semaphore, 0, 0);
    SHOW(sem_trywait(&semaphore));
    pthread_mutex_lock(&mutex);
    pthread_create(&threads[0], NULL, second_stage, NULL);
    while (stage != 1)
        pthread_cond_wait(&cond, &mutex);
    stage = 2;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
    SHOW(sem_wait(&semaphore));
    say("stage %u", stage);
    pthread_join(threads[0], NULL);

    pthread_mutex_lock(&mutex);
    soon = in_ms(CLOCK_REALTIME, 20);
    say("cond_timedwait: %d", pthread_cond_timedwait(&cond, &mutex, &soon) == ETIMEDOUT);
    pthread_condattr_t attr;
    pthread_cond_t monotonic;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &attr);
    int64_t began = now_ns();
    soon = in_ms(CLOCK_MONOTONIC, 20);
    say("on the monotonic clock: %d",
        pthread_cond_timedwait(&monotonic, &mutex, &soon) == ETIMEDOUT);
    CHECK(now_ns() - began >= 20000000);
    soon = in_ms(CLOCK_REALTIME, 20);
    SHOW(sem_timedwait(&semaphore, &soon));
    return done();
}
