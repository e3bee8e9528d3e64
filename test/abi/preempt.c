/* Threads that never call the kernel cannot keep others from running, nor signals from being
 * delivered. */
#include "abi.h"

static volatile bool stop;
static volatile unsigned long progress[4];
static volatile sig_atomic_t alarms;

static void *spin(void *arg)
{
    volatile unsigned long *mine = arg;

    while (!stop)
        ++*mine;
    return NULL;
}

static void on_alarm(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    alarms++;
}

int main(void)
{
    struct itimerval every = {.it_interval = {.tv_usec = 5000}, .it_value = {.tv_usec = 5000}},
                     never = {0};
    pthread_t threads[NR(progress)];

    for (size_t i = 0; i < NR(threads); i++)
        NEED(pthread_create(&threads[i], NULL, spin, (void *)&progress[i]) == 0);
    /* Each of them advances again and again, and so do we, who spin as well. */
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < NR(progress); i++)
            for (unsigned long before = progress[i]; progress[i] < before + 1000;)
                ;
    say("all four advanced, five times");
    handle(SIGALRM, on_alarm, 0);
    setitimer(ITIMER_REAL, &every, NULL);
    while (alarms < 10)
        ;
    setitimer(ITIMER_REAL, &never, NULL);
    say("ten alarms came to a loop that calls nothing");
    for (int i = 0; i < 20; i++)
        sleep_ms(1);
    say("a sleeper wakes beside them");
    stop = true;
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    return done();
}
