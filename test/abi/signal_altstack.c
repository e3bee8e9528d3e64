/* sigaltstack: where handlers run, nesting on it, SS_AUTODISARM, and its errors. */
#include "abi.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIZE 65536

static char *alternate;
static unsigned depth, raises;

static bool is_on_alternate(void)
{
    char here;

    return &here >= alternate && &here < alternate + SIZE;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    stack_t now, other = {.ss_sp = alternate, .ss_size = SIZE};

    (void)info;
    (void)context;
    sigaltstack(NULL, &now);
    say("signal %d, depth %u: on the other stack %d, flags %x", signal, depth, is_on_alternate(),
        now.ss_flags);
    if (is_on_alternate() && now.ss_flags == SS_ONSTACK) {
        SHOW(sigaltstack(&other, NULL));
        SHOW(sigaltstack(NULL, (stack_t *)8));
    }
    depth++;
    if (raises && raises--)
        raise(SIGUSR2);
    depth--;
}

int main(void)
{
    stack_t stack = {0}, old;

    alternate = map_pages(SIZE / PAGE, PROT_READ | PROT_WRITE);
    SHOW(sigaltstack(NULL, &old));
    say("at first: flags %x", old.ss_flags);
    stack.ss_sp = alternate;
    stack.ss_size = 100;
    SHOW(syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_size = SIZE;
    stack.ss_flags = 0x40;
    SHOW(syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_flags = 0;
    SHOW(sigaltstack(&stack, NULL));
    SHOW(sigaltstack(NULL, &old));
    say("set: %d %zu %x", old.ss_sp == alternate, old.ss_size, old.ss_flags);
    handle(SIGUSR1, on_signal, 0);
    handle(SIGUSR2, on_signal, SA_ONSTACK);
    raises = 1;
    raise(SIGUSR1);
    raises = 1;
    raise(SIGUSR2);
    stack.ss_flags = (int)SS_AUTODISARM;
    SHOW(syscall(SYS_sigaltstack, &stack, NULL));
    raise(SIGUSR2);
    sigaltstack(NULL, &old);
    say("armed again: %d, flags %x", old.ss_sp == alternate, old.ss_flags);
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
    handle(SIGUSR2, on_signal, SA_ONSTACK | SA_NODEFER);
    raises = 2;
    raise(SIGUSR2);
    return done();
}
