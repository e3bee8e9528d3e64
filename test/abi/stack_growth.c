/* The main stack grows when it is touched, far below too; a thread's stack ends in its guard. */
#include <sys/resource.h>

#include "abi.h"

static unsigned depth_sum;

static __attribute__((noinline)) void recurse(unsigned depth)
{
    volatile char frame[1000];

    frame[0] = (char)depth;
    frame[999] = frame[0];
    if (depth)
        recurse(depth - 1);
    depth_sum += (unsigned char)frame[999];
}

static __attribute__((noinline)) void one_large_frame(void)
{
    volatile char frame[3 << 20];

    frame[sizeof frame - 1] = 1;
    frame[0] = 2; /* three megabytes below, with nothing touched between */
    say("a frame of 3 MiB: %d", frame[0] + frame[sizeof frame - 1]);
}

static void *overflow(void *arg)
{
    stack_t alternate = {.ss_sp = arg, .ss_size = 65536};
    struct sigaction action = {.sa_sigaction = abi_on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    NEED(sigaltstack(&alternate, NULL) == 0 && sigaction(SIGSEGV, &action, NULL) == 0);
    int signal = sigsetjmp(abi_fault_exit, 1);
    if (!signal)
        recurse(1u << 30);
    say("a thread's overflow: signal %d, code %d", signal, abi_fault.si_code);
    return NULL;
}

int main(void)
{
    struct rlimit limit;
    pthread_attr_t attr;
    pthread_t thread;

    NEED(getrlimit(RLIMIT_STACK, &limit) == 0);
    recurse(5000); /* five megabytes */
    say("recursion: %u", depth_sum);
    one_large_frame();
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 << 10);
    pthread_attr_setguardsize(&attr, PAGE);
    NEED(pthread_create(&thread, &attr, overflow, malloc(65536)) == 0);
    pthread_join(thread, NULL);
    /* A thread with a large stack of its own. */
    return done();
}
