/* System V message queues: types, sizes, room, waiting. */
#include "abi.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static int id;

struct message {
    long type;
    char text[9000];
};

static long put(long type, const char *text, int flags)
{
    struct message m = {.type = type};
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text), flags);
}

static void get(const char *what, size_t size, long type, int flags)
{
    struct message m = {0};
    long n = msgrcv(id, &m, size, type, flags | IPC_NOWAIT);
    if (n < 0)
        say("%s: %s", what, strerror(errno));
    else
        say("%s: %ld bytes, type %ld: %.20s", what, n, m.type, m.text);
}

static void state(void)
{
    struct msqid_ds ds;
    NEED(msgctl(id, IPC_STAT, &ds) == 0);
    say("  %lu messages, room for %lu bytes, last by us %d %d, times %d %d",
        (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, ds.msg_lspid == getpid(),
        ds.msg_lrpid == getpid(), ds.msg_stime != 0, ds.msg_rtime != 0);
}

static void test_types(void)
{
    say("-- types");
    state();
    SHOW(put(3, "three", 0));
    SHOW(put(1, "one", 0));
    SHOW(put(2, "two", 0));
    SHOW(put(3, "three again", 0));
    SHOW(put(9, "nine", 0));
    state();
    get("copy of the second", 100, 1, MSG_COPY);
    get("copy of the tenth", 100, 10, MSG_COPY);
    get("copy and except", 100, 1, MSG_COPY | MSG_EXCEPT);
    get("too small", 2, 0, 0);
    get("cut off", 2, 0, MSG_NOERROR);
    get("of type 2", 100, 2, 0);
    get("of type 7", 100, 7, 0);
    get("up to 5", 100, -5, 0);
    get("not 3", 100, 3, MSG_EXCEPT);
    get("any", 100, 0, 0);
    get("none left", 100, 0, 0);
    SHOW(put(5, "", 0));
    get("empty", 0, 0, 0);
    state();
}

static void test_errors(void)
{
    say("-- errors");
    static struct message m = {.type = 1};
    SHOW(put(0, "x", 0));
    SHOW(put(-1, "x", 0));
    SHOW(msgsnd(id, &m, 8193, 0));
    SHOW(msgsnd(id, &m, -1, 0));
    SHOW(msgsnd(-1, &m, 1, 0));
    SHOW(msgsnd(id + 1, &m, 1, 0));
    SHOW(msgsnd(id, (void *)8, 1, 0));
    SHOW(msgrcv(id, &m, -1, 0, IPC_NOWAIT));
    SHOW(msgrcv(-1, &m, 1, 0, IPC_NOWAIT));
    SHOW(msgrcv(id + 1, &m, 1, 0, IPC_NOWAIT));
    SHOW(msgrcv(id, &m, 100, 0, MSG_COPY));
    SHOW(msgget(0x59303133, 0600));
    SHOW(msgctl(id, 99, NULL));
#ifndef __i386__ /* there musl itself copies to it */
    SHOW(msgctl(id, IPC_STAT, (void *)8));
#endif
    SHOW(msgctl(-1, IPC_RMID, NULL));
}

static void test_room(void)
{
    say("-- room");
    static struct message m = {.type = 1};
    struct msqid_ds ds;
    SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
    NEED(msgctl(id, IPC_STAT, &ds) == 0);
    ds.msg_qbytes = 100;
    SHOW(msgctl(id, IPC_SET, &ds));
    SHOW(msgrcv(id, &m, 8192, 0, 0));
    SHOW(msgrcv(id, &m, 8192, 0, 0));
    SHOW(msgsnd(id, &m, 100, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
    SHOW(msgrcv(id, &m, 8192, 0, 0));
    int sent = 0;
    while (msgsnd(id, &m, 0, IPC_NOWAIT) == 0)
        sent++;
    say("%d empty ones", sent);
    while (msgrcv(id, &m, 8192, 0, IPC_NOWAIT) >= 0)
        ;
}

static pid_t sleeping;

static void *receiver(void *arg)
{
    struct message m;
    __atomic_store_n(&sleeping, tid_of_self(), __ATOMIC_RELEASE);
    long n = msgrcv(id, &m, 100, (long)arg, 0);
    return (void *)(n < 0 ? -(long)errno : m.type);
}

static void *sender(void *arg)
{
    struct message m = {.type = 4};
    (void)arg;
    __atomic_store_n(&sleeping, tid_of_self(), __ATOMIC_RELEASE);
    return (void *)(long)(msgsnd(id, &m, 50, 0) < 0 ? -errno : 0);
}

static pthread_t start(void *(*fn)(void *), long arg)
{
    pthread_t t;
    sleeping = 0;
    NEED(pthread_create(&t, NULL, fn, (void *)arg) == 0);
    while (!__atomic_load_n(&sleeping, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(sleeping);
    return t;
}

static void result(const char *what, pthread_t t)
{
    void *r;
    pthread_join(t, &r);
    if ((long)r < 0)
        say("%s: %s", what, strerror(-(int)(long)r));
    else
        say("%s: %ld", what, (long)r);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void test_waiting(void)
{
    say("-- waiting");
    static struct message m = {.type = 1};
    pthread_t two = start(receiver, 2), any = start(receiver, 0);
    SHOW(put(1, "for whom it may concern", 0));
    result("any", any);
    SHOW(put(2, "for two", 0));
    result("two", two);
    SHOW(msgsnd(id, &m, 100, 0)); /* full */
    pthread_t s = start(sender, 0);
    SHOW(msgrcv(id, &m, 100, 0, 0));
    result("sent", s);
    SHOW(msgrcv(id, &m, 100, 0, 0));
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    any = start(receiver, 0);
    pthread_kill(any, SIGUSR1);
    result("interrupted", any);
    any = start(receiver, 0);
    SHOW(msgctl(id, IPC_RMID, NULL));
    result("removed", any);
}

int main(void)
{
    id = msgget(IPC_PRIVATE, 0600);
    NEED(id >= 0);
    test_types();
    test_errors();
    test_room();
    test_waiting();
    return done();
}
