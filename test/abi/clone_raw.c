/* clone(2) as Go and libcs use it: the child's stack and TLS, parent's and child's words, the futex
 * wake at its end. */
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>

#include "abi.h"

#define THREAD_FLAGS \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static pid_t parent_word, child_word, clear_word;
static volatile pid_t seen_parent, seen_child, seen_tid, seen_pid;
static volatile long sum_of_stack;

static int child(void *arg)
{
    volatile char frame[10000];

    memset((char *)frame, 1, sizeof frame);
    for (size_t i = 0; i < sizeof frame; i++)
        sum_of_stack += frame[i];
    seen_parent = parent_word;
    seen_child = child_word;
    seen_tid = (pid_t)syscall(SYS_gettid);
    seen_pid = getpid();
    syscall(SYS_exit, (int)(uintptr_t)arg);
    return 0;
}

static void wait_until_zero(pid_t *word)
{
    pid_t value;

    while ((value = __atomic_load_n(word, __ATOMIC_ACQUIRE)))
        syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

int main(void)
{
    char *stack = map_pages(16, PROT_READ | PROT_WRITE), *top = stack + 16 * PAGE;
    /* musl's clone gives each child the caller's TLS when CLONE_SETTLS is not there; these children
     * use none. */
    pid_t tid;

    SHOW(syscall(SYS_set_tid_address, &clear_word) == tid_of_self());
    child_word = -1;
    tid = clone(child, top,
                THREAD_FLAGS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                NULL, &parent_word, NULL, &child_word);
    NEED(tid > 0);
    CHECK(parent_word == tid);
    wait_until_zero(&child_word);
    say("child saw: parent's word %d, own word %d, own tid %d, our pid %d, its stack %ld",
        seen_parent == tid, seen_child == tid, seen_tid == tid, seen_pid == getpid(), sum_of_stack);
    say("words at its end: %d %d", parent_word == tid, child_word);
    for (int i = 0; i < 200; i++) {
        clear_word = 1;
        tid = clone(child, top, THREAD_FLAGS | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, &clear_word);
        NEED(tid > 0);
        wait_until_zero(&clear_word);
    }
    say("two hundred more");
    SHOW(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0));
    struct clone_args args = {.flags = THREAD_FLAGS, .exit_signal = SIGCHLD};
    SHOW(syscall(SYS_clone3, &args, sizeof args));
    SHOW(syscall(SYS_clone3, &args, 8));
    SHOW(syscall(SYS_clone3, (void *)8, sizeof args));
    SHOW(syscall(SYS_tgkill, getpid(), tid_of_self(), 0));
    SHOW(syscall(SYS_tgkill, getpid(), 0, 0));
    SHOW(syscall(SYS_tgkill, getpid(), tid_of_self(), 65));
    SHOW(syscall(SYS_tgkill, getpid(), 999999, 0));
    return done();
}
