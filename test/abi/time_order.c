/* Threads that sleep wake in the order of their times. */
#include "abi.h"

static const int steps[] = {3, 1, 5, 2, 4};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[NR(steps)], arrived;

static void *sleep_and_sign(void *arg)
{
    int step = (int)(intptr_t)arg;
    int64_t began = now_ns();

    sleep_ms(step * 50);
    CHECK(now_ns() - began >= step * 50000000ll);
    pthread_mutex_lock(&lock);
    order[arrived++] = step;
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* Whether the sleepers wake in the order of their times. */
static bool wake_in_order(void)
{
    pthread_t threads[NR(steps)];

    arrived = 0;
    for (size_t i = 0; i < NR(steps); i++)
        NEED(pthread_create(&threads[i], NULL, sleep_and_sign, (void *)(intptr_t)steps[i]) == 0);
    for (size_t i = 0; i < NR(steps); i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < NR(steps); i++)
        if (order[i] != (int)i + 1)
            return false;
    return true;
}

int main(void)
{
    /* A busy machine can delay any of them, but not each time. */
    bool in_order = false;
    for (int i = 0; i < 20 && !in_order; i++)
        in_order = wake_in_order();
    say("sleepers woke in order: %d", in_order);
    return done();
}
