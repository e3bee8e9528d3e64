/* System V semaphores: all or nothing, waiting, who is served, what ends a wait. */
#include "abi.h"

#include <sys/ipc.h>
#include <sys/sem.h>

union arg {
    int value;
    struct semid_ds *ds;
    unsigned short *array;
};

static int set_id;

static long ctl(int nr, int cmd, int value)
{
    return semctl(set_id, nr, cmd, (union arg){.value = value});
}

static void values(const char *what)
{
    unsigned short v[4];
    NEED(semctl(set_id, 0, GETALL, (union arg){.array = v}) == 0);
    say("  %s: %d %d %d %d", what, v[0], v[1], v[2], v[3]);
}

static long op1(int nr, int op, int flags)
{
    struct sembuf s = {(unsigned short)nr, (short)op, (short)flags};
    return semop(set_id, &s, 1);
}

static void test_get(void)
{
    say("-- get");
    SHOW(semget(0x59303132, 1, 0600));
    SHOW(semget(IPC_PRIVATE, 0, 0600));
    SHOW(semget(IPC_PRIVATE, -1, 0600));
    SHOW(semget(IPC_PRIVATE, 32001, 0600));
    set_id = semget(0x59303132, 4, IPC_CREAT | 0600);
    NEED(set_id >= 0);
    CHECK(semget(0x59303132, 0, 0) == set_id && semget(0x59303132, 4, 0) == set_id);
    SHOW(semget(0x59303132, 5, 0));
    SHOW(semget(0x59303132, 4, IPC_CREAT | IPC_EXCL));
    struct semid_ds ds;
    SHOW(semctl(set_id, 0, IPC_STAT, (union arg){.ds = &ds}));
    say("mode %o, %lu of them, otime %d, ctime %d", ds.sem_perm.mode, (unsigned long)ds.sem_nsems,
        ds.sem_otime != 0, ds.sem_ctime != 0);
    values("new");
}

static void test_values(void)
{
    say("-- values");
    unsigned short v[4] = {1, 2, 3, 4}, much[4] = {1, 2, 3, 40000};
    SHOW(ctl(0, SETVAL, 5));
    SHOW(ctl(0, GETVAL, 0));
    CHECK(ctl(0, GETPID, 0) == getpid());
    SHOW(ctl(4, GETVAL, 0));
    SHOW(ctl(-1, SETVAL, 0));
    SHOW(ctl(0, SETVAL, -1));
    SHOW(ctl(0, SETVAL, 32768));
    SHOW(semctl(set_id, 9, SETALL, (union arg){.array = v}));
    values("all");
    SHOW(semctl(set_id, 0, SETALL, (union arg){.array = much}));
    SHOW(semctl(set_id, 0, SETALL, (union arg){.array = (void *)8}));
    SHOW(ctl(0, 77, 0));
    SHOW(semctl(-1, 0, GETVAL));
    SHOW(semctl(set_id + 1, 0, GETVAL));
}

static void test_ops(void)
{
    say("-- operations");
    struct sembuf both[3] = {{0, -1, 0}, {1, -2, 0}, {2, -4, IPC_NOWAIT}}, many[501] = {{0}};
    SHOW(semop(set_id, both, 3)); /* nothing happens */
    values("after");
    both[2].sem_op = -3;
    SHOW(semop(set_id, both, 3));
    values("after");
    SHOW(op1(0, 0, 0));
    SHOW(op1(3, 0, IPC_NOWAIT));
    SHOW(op1(3, 32767, 0));
    SHOW(op1(3, -5, IPC_NOWAIT));
    SHOW(op1(4, 1, 0));
    SHOW(semop(set_id, both, 0));
    SHOW(semop(set_id, many, 501));
    SHOW(semop(set_id, (void *)8, 1));
    SHOW(semop(-1, both, 1));
    SHOW(semop(set_id + 1, both, 1));
    struct timespec none = {0, 0}, bad = {0, 1000000000}, some = {0, 30000000};
    struct sembuf one = {0, -1, 0};
    SHOW(semtimedop(set_id, &one, 1, &none));
    SHOW(semtimedop(set_id, &one, 1, &bad));
    int64_t before = now_ns();
    SHOW(semtimedop(set_id, &one, 1, &some));
    CHECK(now_ns() - before >= 30000000);
    struct sembuf twice[2] = {{0, 1, 0}, {0, -1, 0}}, swapped[2] = {{0, -1, IPC_NOWAIT}, {0, 1, 0}};
    SHOW(semop(set_id, twice, 2));
    SHOW(semop(set_id, swapped, 2)); /* in order */
}

static int nr_done;
static pid_t sleeping;

static void *take(void *arg)
{
    struct sembuf *s = arg;
    __atomic_store_n(&sleeping, tid_of_self(), __ATOMIC_RELEASE);
    long ret = semop(set_id, s, s[1].sem_flg == 99 ? 1 : 2);
    int n = __atomic_add_fetch(&nr_done, 1, __ATOMIC_ACQ_REL);
    return (void *)(ret < 0 ? -(long)errno : (long)n);
}

static pthread_t start(struct sembuf *s)
{
    pthread_t t;
    sleeping = 0;
    NEED(pthread_create(&t, NULL, take, s) == 0);
    while (!__atomic_load_n(&sleeping, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(sleeping);
    return t;
}

static void result(const char *what, pthread_t t)
{
    void *r;
    pthread_join(t, &r);
    say("%s: %s", what, (long)r < 0 ? strerror(-(int)(long)r) : "done");
}

static void on_signal(int sig)
{
    (void)sig;
}

static void test_waiting(void)
{
    say("-- waiting");
    struct sembuf three[2] = {{0, -3, 0}, {0, 0, 99}}, one[2] = {{0, -1, 0}, {0, 0, 99}},
                  pair[2] = {{0, -1, 0}, {1, -1, 0}}, zero[2] = {{1, 0, 0}, {0, 0, 99}};
    semctl(set_id, 0, SETALL, (union arg){.array = (unsigned short[]){0, 0, 0, 0}});
    pthread_t a = start(three), b = start(one), c = start(pair);
    SHOW(ctl(0, GETNCNT, 0));
    SHOW(ctl(0, GETZCNT, 0));
    SHOW(ctl(1, GETNCNT, 0));
    SHOW(op1(0, 1, 0)); /* only who wants one can go on */
    result("one", b);
    SHOW(op1(0, 1, 0));
    SHOW(ctl(1, GETNCNT, 0));
    SHOW(op1(1, 1, 0));
    result("a pair", c);
    values("now");
    SHOW(ctl(0, SETVAL, 3));
    result("three", a);
    values("now");
    ctl(1, SETVAL, 2);
    a = start(zero);
    SHOW(ctl(1, GETZCNT, 0));
    SHOW(op1(1, -1, 0));
    SHOW(op1(1, -1, 0));
    result("zero", a);

    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    a = start(one);
    pthread_kill(a, SIGUSR1); /* is never restarted */
    result("interrupted", a);
    SHOW(ctl(0, GETNCNT, 0));
    a = start(one);
    b = start(three);
    SHOW(semctl(set_id, 0, IPC_RMID));
    result("removed", a);
    result("removed", b);
    SHOW(op1(0, 1, 0));
}

static void test_undo(void)
{
    say("-- undo");
    set_id = semget(IPC_PRIVATE, 4, 0600);
    SHOW(op1(0, 5, SEM_UNDO));
    SHOW(op1(0, -2, SEM_UNDO));
    SHOW(op1(0, 32765, SEM_UNDO));
    values("now");
    SHOW(ctl(0, SETVAL, 0));
    SHOW(op1(0, 30000, SEM_UNDO));
    SHOW(op1(0, -30000, 0));
    SHOW(op1(0, 3000, SEM_UNDO)); /* more than can be given back */
    values("now");
    SHOW(semctl(set_id, 0, IPC_RMID));
}

int main(void)
{
    test_get();
    test_values();
    test_ops();
    test_waiting();
    test_undo();
    return done();
}
