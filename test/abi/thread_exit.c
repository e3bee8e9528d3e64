/* The first thread ends by pthread_exit; the process goes on, and ends with what the last one says.
 */
#include "abi.h"

static pthread_t first;

static void *last(void *arg)
{
    (void)arg;
    say("the first thread: %d", pthread_join(first, NULL));
    say("still running; pid is the first thread's: %d", getpid() != tid_of_self());
    exit(done() ? 1 : 0);
}

static void at_exit(void)
{
    say("exit handlers ran");
}

int main(void)
{
    pthread_t thread;

    atexit(at_exit);
    first = pthread_self();
    NEED(pthread_create(&thread, NULL, last, NULL) == 0);
    pthread_exit(NULL);
}
