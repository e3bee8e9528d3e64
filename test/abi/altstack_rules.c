/* The alternate signal stack: sizes, changes from on it, disarming itself, nesting, and what a thread starts with. */
#include <ucontext.h>

#include "abi.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIZE 65536

static char area[2][SIZE] __attribute__((aligned(16)));

static bool is_on(const void *where, int n)
{
    return (const char *)where >= area[n] && (const char *)where < area[n] + SIZE;
}

static void say_stack(const char *what)
{
    stack_t s;

    NEED(sigaltstack(NULL, &s) == 0);
    say("%s: flags %x, size %zu, which %d", what, (unsigned)s.ss_flags, s.ss_size,
        s.ss_sp == area[0]   ? 0
        : s.ss_sp == area[1] ? 1
        : s.ss_sp            ? 2
                             : -1);
}

static long set(int n, size_t size, unsigned flags)
{
    stack_t s = {.ss_sp = n < 0 ? NULL : area[n], .ss_size = size, .ss_flags = (int)flags};

    return sigaltstack(&s, NULL);
}

static void inner(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    char here;
    say("inner: on the first %d, on the second %d", is_on(&here, 0), is_on(&here, 1));
}

static void outer(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;
    char here;

    (void)signal, (void)info;
    say("outer: on the first %d, in the frame: flags %x, size %zu", is_on(&here, 0),
        (unsigned)u->uc_stack.ss_flags, u->uc_stack.ss_size);
    say_stack("in the handler");
    SHOW(set(1, SIZE, 0)); /* not while on it */
    SHOW(set(-1, 0, SS_DISABLE));
    raise(SIGUSR2);
}

static void disarmed(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;

    (void)signal, (void)info;
    say("disarmed: in the frame: flags %x, size %zu", (unsigned)u->uc_stack.ss_flags,
        u->uc_stack.ss_size);
    say_stack("in the handler");
    SHOW(set(1, SIZE, 0)); /* now it may be changed */
    say_stack("changed");
    raise(SIGUSR2);
}

static void *thread(void *arg)
{
    say_stack("a new thread");
    SHOW(set(1, SIZE, 0));
    return arg;
}

static void sizes(void)
{
    say_stack("at first");
    SHOW(set(0, 100, 0));
    SHOW(set(0, 2047, 0));
    SHOW(set(0, 2048, 0) && errno != ENOMEM ? -1 : 0); /* large CPU states may need more */
    SHOW(set(0, SIZE, 0));
    say_stack("set");
    SHOW(set(0, SIZE, SS_ONSTACK)); /* as good as 0 */
    say_stack("SS_ONSTACK");
    SHOW(set(0, SIZE, 4));
    SHOW(set(0, SIZE, SS_DISABLE | SS_ONSTACK));
    SHOW(set(1, SIZE, SS_DISABLE));
    say_stack("disabled");
    SHOW(set(-1, SIZE, 0)); /* nobody looks where it is */
    say_stack("nowhere");
    SHOW(set(0, SIZE, SS_AUTODISARM | SS_DISABLE));
    say_stack("disabled with more");
}

static void *volatile wild = (void *)8;

static void on_overflow(int signal, siginfo_t *info, void *context)
{
    char here;

    (void)signal, (void)info, (void)context;
    say("the fault's handler: on the second %d", is_on(&here, 1));
    siglongjmp(abi_fault_exit, 1);
}

/* Left by siglongjmp: the stack is free again. */
static void jumped_from(void)
{
    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    SHOW(set(1, SIZE, 0));
    for (int i = 0; i < 2; i++)
        if (!sigsetjmp(abi_fault_exit, 1))
            *(volatile char *)wild = 1;
    say_stack("after the jumps");
}

int main(void)
{
    pthread_t t;

    sizes();
    handle(SIGUSR2, inner, SA_ONSTACK);
    handle(SIGUSR1, outer, SA_ONSTACK);
    SHOW(set(0, SIZE, 0));
    raise(SIGUSR1);
    say_stack("afterwards");
    handle(SIGUSR1, outer, 0); /* not asked for */
    raise(SIGUSR1);
    handle(SIGUSR1, disarmed, SA_ONSTACK);
    SHOW(set(0, SIZE, SS_AUTODISARM));
    say_stack("disarms itself");
    raise(SIGUSR1);
    say_stack("armed again");
    NEED(pthread_create(&t, NULL, thread, NULL) == 0);
    pthread_join(t, NULL);
    say_stack("ours");
    jumped_from();
    return done();
}
