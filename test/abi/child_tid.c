/* The tid words of clone(2): written in parent and child, cleared and woken at the end of the thread, and
 * set_tid_address. */
#include <sched.h>

#include "abi.h"

#define FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static char stack[4][32768] __attribute__((aligned(16)));
static volatile int parent_word, child_word, cleared, may_end, seen_in_child;

static void wait_for_zero(volatile int *word)
{
    int value;

    while ((value = *word) != 0)
        syscall(SYS_futex, word, 0, value, NULL, NULL, 0); /* not private: as the kernel wakes */
}

static int child(void *arg)
{
    (void)arg;
    seen_in_child = child_word == (int)tid_of_self();
    while (!may_end)
        sched_yield();
    return 0;
}

static int moves_its_word(void *arg)
{
    (void)arg;
    cleared = 1;
    NEED(syscall(SYS_set_tid_address, &cleared) == tid_of_self());
    return 0;
}

static int has_no_word(void *arg)
{
    (void)arg;
    NEED(syscall(SYS_set_tid_address, 8) == tid_of_self()); /* a wild one: nothing happens */
    __atomic_store_n(&may_end, 2, __ATOMIC_SEQ_CST);
    return 0;
}

static int start(int which, int (*run)(void *), int flags)
{
    return clone(run, stack[which] + sizeof stack[which], FLAGS | flags, NULL, (void *)&parent_word,
                 NULL, (void *)&child_word);
}

int main(void)
{
    child_word = -1;
    int tid = start(0, child, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
    NEED(tid > 0);
    say("the parent's word: %d", parent_word == tid);
    may_end = 1;
    wait_for_zero(&child_word);
    say("the child saw its own: %d, cleared at its end: %d", seen_in_child, child_word);

    parent_word = child_word = -1;
    cleared = 1;
    tid = start(1, moves_its_word, CLONE_CHILD_CLEARTID);
    NEED(tid > 0);
    wait_for_zero(&cleared);
    say("the new word was cleared, the first was not: %d, nobody wrote the parent's: %d",
        child_word, parent_word);

    may_end = 0;
    tid = start(2, has_no_word, CLONE_CHILD_CLEARTID);
    NEED(tid > 0);
    while (may_end != 2)
        sched_yield();
    while (syscall(SYS_tgkill, getpid(), tid, 0) == 0)
        sched_yield();
    say("a wild word harmed nobody: %d", errno == ESRCH);
    say("nobody wrote: %d %d", parent_word, child_word);

    static const int wrong[] = {CLONE_THREAD, CLONE_THREAD | CLONE_SIGHAND, CLONE_SIGHAND,
                                CLONE_THREAD | CLONE_VM, CLONE_FS | CLONE_NEWNS};
    for (size_t i = 0; i < NR(wrong); i++) {
        errno = 0;
        long r = clone(child, stack[3] + sizeof stack[3], wrong[i], NULL);
        say("flags %zu: %ld, %s", i, r, strerror(errno));
    }
    return done();
}
