/* The limits that bite only who has no rights: threads, nice values, realtime priorities; and the stack's. */
#include <sys/resource.h>

#include "abi.h"

#include <sched.h>

#define SOMEBODY (20000 + getpid() % 40000) /* of whom there is no other thread */

static void limit(int which, rlim_t n)
{
    struct rlimit r = {n, n};
    NEED(setrlimit(which, &r) == 0);
}

static void on_overflow(int signal, siginfo_t *info, void *context)
{
    (void)context;
    abi_fault = *info;
    siglongjmp(abi_fault_exit, signal);
}

/* The first thread's stack grows down to its limit, which is looked at when it grows. */
static void stack(void)
{
    static char alternate[65536];
    stack_t alt = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct rlimit r;
    static char *volatile sp;

    sp = __builtin_frame_address(0);
    NEED(getrlimit(RLIMIT_STACK, &r) == 0);
    r.rlim_cur = 4 << 20;
    NEED(setrlimit(RLIMIT_STACK, &r) == 0);
    NEED(sigaltstack(&alt, NULL) == 0);
    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    int signal = sigsetjmp(abi_fault_exit, 1);
    if (!signal)
        *(volatile char *)(sp - (3 << 20)) = 1;
    say("within the limit: signal %d", signal);
    signal = sigsetjmp(abi_fault_exit, 1);
    if (!signal)
        *(volatile char *)(sp - (5 << 20)) = 1;
    say("below it: signal %d, code %d, right address %d", signal, abi_fault.si_code,
        abi_fault.si_addr == sp - (5 << 20));
    r.rlim_cur = 8 << 20;
    NEED(setrlimit(RLIMIT_STACK, &r) == 0);
    signal = sigsetjmp(abi_fault_exit, 1);
    if (!signal)
        *(volatile char *)(sp - (5 << 20)) = 1;
    say("with a higher limit: signal %d", signal);
}

static void *wait_for_end(void *arg)
{
    pthread_mutex_lock(arg);
    pthread_mutex_unlock(arg);
    return NULL;
}

static void threads(void)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t[10];
    int n = 0, error = 0;

    pthread_mutex_lock(&gate);
    while (n < 10 && (error = pthread_create(&t[n], NULL, wait_for_end, &gate)) == 0)
        n++;
    say("%d more threads, then: %s", n, strerror(error));
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
}

static long realtime(int policy, int priority)
{
    struct sched_param p = {.sched_priority = priority};
    return syscall(SYS_sched_setscheduler, 0, policy, &p);
}

/* Without a limit above 0: what it has it may keep or give up, and nothing else. */
static void no_rights(void)
{
    SHOW(setpriority(PRIO_PROCESS, 0, 3));
    SHOW(setpriority(PRIO_PROCESS, 0, 2));
    SHOW(realtime(SCHED_FIFO, 5));
    SHOW(realtime(SCHED_FIFO, 6));
    SHOW(realtime(SCHED_RR, 5));
    SHOW(realtime(SCHED_RR, 1));
    SHOW(realtime(SCHED_FIFO, 4));
    SHOW(realtime(SCHED_FIFO, 5));
    SHOW(realtime(SCHED_OTHER, 0));
    SHOW(realtime(SCHED_FIFO, 1));
}

/* With the limits that NICE and PRIORITY were raised to. */
static void some_rights(void)
{
    CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, -6) == -1 && errno == EACCES);
    CHECK(realtime(SCHED_FIFO, 8) == -1 && errno == EPERM);
    CHECK(realtime(SCHED_RR, 7) == 0);
    CHECK(realtime(SCHED_FIFO, 3) == 0);
    limit(RLIMIT_RTPRIO, 2);
    CHECK(realtime(SCHED_FIFO, 4) == -1 && errno == EPERM);
    CHECK(realtime(SCHED_FIFO, 3) == 0);
    CHECK(realtime(SCHED_RR, 3) == 0);
    CHECK(realtime(SCHED_OTHER, 0) == 0);
    CHECK(realtime(SCHED_FIFO, 3) == -1 && errno == EPERM);
    CHECK(realtime(SCHED_FIFO, 2) == 0);
    CHECK(realtime(SCHED_OTHER, 0) == 0);
    limit(RLIMIT_NICE, 20);
    CHECK(setpriority(PRIO_PROCESS, 0, 0) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, -1) == -1 && errno == EACCES);
}

static void *as_somebody_with_rights(void *arg)
{
    struct rlimit nice = {25, 25}, priority = {7, 7}; /* nice: as far as -5 */

    (void)arg;
    /* In a container root may not raise limits: then Linux cannot be asked. */
    if (setrlimit(RLIMIT_NICE, &nice) == 0 && setrlimit(RLIMIT_RTPRIO, &priority) == 0) {
        NEED(syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY) == 0);
        some_rights();
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;

    stack();
    NEED(pthread_create(&thread, NULL, as_somebody_with_rights, NULL) == 0);
    pthread_join(thread, NULL);
    limit(RLIMIT_NICE, 0);
    limit(RLIMIT_RTPRIO, 0);
    limit(RLIMIT_NPROC, 4);
    NEED(realtime(SCHED_FIFO, 5) == 0);
    NEED(syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY) == 0);
    no_rights();
    threads();
    return done();
}
