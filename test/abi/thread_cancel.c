/* Cancellation: at a blocking call, at a test point, and not while it is disabled.  It is a signal
 * underneath. */
#include "abi.h"

static int pipe_ends[2];
static unsigned cleaned;
static pid_t tid;
static volatile bool may_test;

static void clean(void *arg)
{
    cleaned += (unsigned)(uintptr_t)arg;
}

static void *blocked(void *arg)
{
    char byte;

    (void)arg;
    __atomic_store_n(&tid, tid_of_self(), __ATOMIC_RELEASE);
    pthread_cleanup_push(clean, (void *)1);
    if (read(pipe_ends[0], &byte, 1) != 1)
        say("read ended");
    pthread_cleanup_pop(0);
    return NULL;
}

static void *testing(void *arg)
{
    int old;

    (void)arg;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    __atomic_store_n(&tid, tid_of_self(), __ATOMIC_RELEASE);
    while (!may_test)
        sched_yield();
    pthread_testcancel();
    pthread_cleanup_push(clean, (void *)10);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    pthread_testcancel();
    say("not reached");
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    void *result;

    NEED(pipe(pipe_ends) == 0);
    NEED(pthread_create(&thread, NULL, blocked, NULL) == 0);
    while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(tid);
    SHOW(pthread_cancel(thread));
    pthread_join(thread, &result);
    say("cancelled in read: %d, cleaned %u", result == PTHREAD_CANCELED, cleaned);
    tid = 0;
    NEED(pthread_create(&thread, NULL, testing, NULL) == 0);
    while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
        sched_yield();
    SHOW(pthread_cancel(thread));
    may_test = true;
    pthread_join(thread, &result);
    say("cancelled at a test: %d, cleaned %u", result == PTHREAD_CANCELED, cleaned);
    return done();
}
