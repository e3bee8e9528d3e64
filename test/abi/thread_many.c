/* A thousand threads alive at once, then joined; ten thousand one after another. */
#include "abi.h"

#define MANY 1000

static pthread_barrier_t all_alive;
static unsigned sum;

static void *live(void *arg)
{
    pthread_barrier_wait(&all_alive);
    __atomic_fetch_add(&sum, (unsigned)(uintptr_t)arg, __ATOMIC_RELAXED);
    return (char *)arg + 1;
}

static void *nothing(void *arg)
{
    return arg;
}

int main(void)
{
    static pthread_t threads[MANY];
    pthread_attr_t attr;
    unsigned right = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 32 << 10);
    pthread_barrier_init(&all_alive, NULL, MANY);
    for (size_t i = 0; i < MANY; i++)
        NEED(pthread_create(&threads[i], &attr, live, (void *)i) == 0);
    for (size_t i = 0; i < MANY; i++) {
        void *result;
        NEED(pthread_join(threads[i], &result) == 0);
        right += result == (void *)(i + 1);
    }
    say("joined with the right result: %u, sum %u", right, sum);
    for (int i = 0; i < 3000; i++) {
        NEED(pthread_create(&threads[0], &attr, nothing, NULL) == 0);
        NEED(pthread_join(threads[0], NULL) == 0);
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_barrier_init(&all_alive, NULL, 101);
    for (int i = 0; i < 100; i++)
        NEED(pthread_create(&threads[0], &attr, live, NULL) == 0);
    pthread_barrier_wait(&all_alive);
    say("detached ones ran");
    return done();
}
