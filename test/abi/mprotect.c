/* mprotect: contents survive every protection, execution needs PROT_EXEC, wrong arguments have
 * their errno. */
#include "abi.h"

static int call(unsigned char *code)
{
    struct sigaction action = {.sa_sigaction = abi_on_fault, .sa_flags = SA_SIGINFO}, old;
    int result;

    sigaction(SIGSEGV, &action, &old);
    result = sigsetjmp(abi_fault_exit, 1);
    if (!result)
        result = ((int (*)(void))code)();
    sigaction(SIGSEGV, &old, NULL);
    return result;
}

int main(void)
{
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
    unsigned char *p = map_pages(4, PROT_READ | PROT_WRITE);

    memset(p, 7, 4 * PAGE);
    for (int round = 0; round < 3; round++) {
        CHECK(mprotect(p, 4 * PAGE, PROT_NONE) == 0);
        say_fault("none: read", READS(p + PAGE), p + PAGE);
        CHECK(mprotect(p, 4 * PAGE, PROT_READ) == 0);
        say("read: read %d", READS(p + PAGE));
        say_fault("read: write", WRITES(p + PAGE), p + PAGE);
        CHECK(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
        say("write: write %d, value %d", WRITES(p + PAGE), p[PAGE]);
    }
    memcpy(p, code, sizeof code);
    say_fault("call of data", call(p), p);
    SHOW(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    say("call of code: %d", call(p));
    say("write to code: %d", WRITES(p));
    SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
    p[1] = 43;
    say("call of changed code: %d", call(p));

    SHOW(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ)); /* a libc may round */
    SHOW(mprotect(p, 0, PROT_READ));
    SHOW(mprotect(p, PAGE, 0x100));
    SHOW(mprotect(p, SIZE_MAX, PROT_READ));
    munmap(p + 2 * PAGE, PAGE);
    SHOW(mprotect(p, 4 * PAGE, PROT_READ));
    say("before the hole: write %d", WRITES(p + PAGE));
    /* A page never touched before its protection changed. */
    unsigned char *q = map_pages(2, PROT_NONE);
    CHECK(mprotect(q, PAGE, PROT_READ) == 0);
    say("untouched: value %d, write %d, beyond %d", q[5], WRITES(q), READS(q + PAGE));
    return done();
}
