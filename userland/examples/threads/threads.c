/* Two hundred threads that take turns: a mutex guards a sum, a condition variable hands a token
 * round, and barriers keep the phases apart. */
#include <pthread.h>
#include <stdio.h>

#define THREADS 200
#define ROUNDS  3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t phase;
static long sum;
static unsigned turn, out_of_turn;

static void *work(void *arg)
{
    unsigned id = (unsigned)(long)arg;

    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&lock);
        sum += id;
        pthread_mutex_unlock(&lock);
    }
    pthread_barrier_wait(&phase);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_mutex_lock(&lock);
        while (turn != round * THREADS + id)
            pthread_cond_wait(&turn_changed, &lock);
        if (turn % THREADS != id)
            out_of_turn++;
        turn++;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&lock);
    }
    pthread_barrier_wait(&phase);
    return arg;
}

int main(void)
{
    static pthread_t threads[THREADS];
    pthread_attr_t attr;
    long joined = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 << 10);
    pthread_barrier_init(&phase, NULL, THREADS);
    for (long i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], &attr, work, (void *)i)) {
            perror("pthread_create");
            return 1;
        }
    }
    for (long i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        joined += result == (void *)i;
    }
    printf("threads joined: %ld\n", joined);
    printf("sum: %ld\n", sum);
    printf("turns taken: %u, out of turn: %u\n", turn, out_of_turn);
    return 0;
}
