/* Leaving handlers by siglongjmp and longjmp, thousands of times, from both stacks; recovering from
 * overflow. */
#include "abi.h"

static sigjmp_buf back;
static volatile unsigned jumps;

static void jump(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    jumps++;
    siglongjmp(back, signal);
}

static __attribute__((noinline)) unsigned overflow(unsigned n)
{
    volatile char frame[4096];

    frame[0] = (char)n;
    return n ? overflow(n - 1) + (unsigned)frame[0] : 0;
}

int main(void)
{
    static char other[65536];
    stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
    volatile int *volatile wild = (volatile int *)16;
    sigset_t set;

    handle(SIGUSR1, jump, 0);
    handle(SIGSEGV, jump, SA_ONSTACK);
    sigaltstack(&stack, NULL);
    for (volatile int i = 0; i < 5000; i++) {
        if (!sigsetjmp(back, 1))
            raise(SIGUSR1);
    }
    say("jumps: %u", jumps);
    for (volatile int i = 0; i < 2000; i++) {
        if (!sigsetjmp(back, 1))
            *wild = 1;
    }
    say("jumps: %u", jumps);
    for (volatile int i = 0; i < 3; i++) {
        if (!sigsetjmp(back, 1))
            overflow(1u << 30);
    }
    say("jumps: %u", jumps);
    /* Without the saved mask the signal stays blocked. */
    if (!sigsetjmp(back, 0))
        raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &set);
    say("jumps: %u, blocked: %d", jumps, sigismember(&set, SIGUSR1));
    return done();
}
