/* Signals and threads: one sent to a thread is that thread's; one sent to the process goes to a
 * thread that lets it in; each thread has its own mask. */
#include "abi.h"

static pthread_t receiver;
static volatile sig_atomic_t in_receiver, elsewhere;
static pthread_barrier_t step;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    if (pthread_equal(pthread_self(), receiver))
        in_receiver++;
    else
        elsewhere++;
}

static void *receive(void *arg)
{
    sigset_t set;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    pthread_barrier_wait(&step);
    while (in_receiver < 20)
        sched_yield();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_barrier_wait(&step); /* everybody blocks it now */
    pthread_barrier_wait(&step); /* one was sent to us, one to the process */
    sigset_t pending;
    sigpending(&pending);
    say("pending for the receiver: %d", sigismember(&pending, SIGUSR1));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    say("received: %d", (int)in_receiver);
    pthread_barrier_wait(&step);
    return NULL;
}

int main(void)
{
    sigset_t set, pending;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    handle(SIGUSR1, on_signal, 0);
    pthread_barrier_init(&step, NULL, 2);
    NEED(pthread_create(&receiver, NULL, receive, NULL) == 0);
    pthread_barrier_wait(&step);
    for (int i = 1; i <= 10; i++) {
        kill(getpid(), SIGUSR1); /* only the receiver lets it in */
        while (in_receiver < i)
            sched_yield();
    }
    for (int i = 11; i <= 20; i++) {
        pthread_kill(receiver, SIGUSR1);
        while (in_receiver < i)
            sched_yield();
    }
    say("received by the receiver %d, elsewhere %d", (int)in_receiver, (int)elsewhere);
    pthread_barrier_wait(&step);
    pthread_kill(receiver, SIGUSR1);
    sigpending(&pending);
    say("sent to the other thread, pending here: %d", sigismember(&pending, SIGUSR1));
    kill(getpid(), SIGUSR1);
    sigpending(&pending);
    say("sent to the process, pending here: %d", sigismember(&pending, SIGUSR1));
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    say("elsewhere %d", (int)elsewhere);
    sigpending(&pending);
    say("left pending: %d", sigismember(&pending, SIGUSR1));
    pthread_join(receiver, NULL);
    SHOW(kill(getpid(), 0));
    SHOW(kill(getpid(), 65));
    SHOW(kill(999999, 0));
    SHOW(kill(999999, SIGUSR1));
    return done();
}
