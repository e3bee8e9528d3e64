/* flock(2), record locks and locks of open file descriptions. */
#include "file_test.h"

#include <sys/file.h>

static struct flock lock_of(int type, off_t start, off_t len)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static long set_lock(int fd, int cmd, int type, off_t start, off_t len)
{
    struct flock l = lock_of(type, start, len);
    return fcntl(fd, cmd, &l);
}

static void test_lock(int fd, int cmd, int type, off_t start, off_t len)
{
    struct flock l = lock_of(type, start, len);
    long ret = fcntl(fd, cmd, &l);
    if (ret < 0)
        say("test: %s", strerror(errno));
    else if (l.l_type == F_UNLCK)
        say("test: free");
    else
        say("test: type %d, %ld + %ld, our pid: %d", l.l_type, (long)l.l_start, (long)l.l_len,
            l.l_pid == getpid());
}

static void test_flock(void)
{
    say("-- flock");
    int a = open("f", O_RDWR), b = open("f", O_RDWR), c = dup(a);
    SHOW(flock(a, LOCK_EX));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(c, LOCK_SH | LOCK_NB));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(a, LOCK_EX | LOCK_NB));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(b, LOCK_UN));
    SHOW(flock(a, LOCK_SH));
    close(a);
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    close(c);
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(b, 77));
    SHOW(flock(99, LOCK_SH));
    SHOW(flock(open("f", O_PATH), LOCK_SH));
    SHOW(flock(open(".", O_RDONLY), LOCK_EX));
    close(b);
}

static void test_ofd(void)
{
    say("-- open file descriptions");
    int a = open("f", O_RDWR), b = open("f", O_RDWR), ro = open("f", O_RDONLY),
        wo = open("f", O_WRONLY);
    SHOW(set_lock(a, F_OFD_SETLK, F_WRLCK, 0, 100));
    SHOW(set_lock(b, F_OFD_SETLK, F_WRLCK, 50, 100));
    SHOW(set_lock(b, F_OFD_SETLK, F_WRLCK, 100, 100));
    SHOW(set_lock(a, F_OFD_SETLK, F_UNLCK, 20, 10));
    SHOW(set_lock(b, F_OFD_SETLK, F_RDLCK, 20, 10));
    SHOW(set_lock(b, F_OFD_SETLK, F_RDLCK, 19, 10));
    test_lock(b, F_OFD_GETLK, F_RDLCK, 0, 0);
    test_lock(a, F_OFD_GETLK, F_WRLCK, 15, 10);
    test_lock(a, F_OFD_GETLK, F_RDLCK, 15, 10);
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, 0, 0));
    SHOW(set_lock(b, F_OFD_SETLK, F_UNLCK, 0, 0));
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, 0, 0));
    SHOW(set_lock(ro, F_OFD_SETLK, F_WRLCK, 500, 1));
    SHOW(set_lock(wo, F_OFD_SETLK, F_RDLCK, 500, 1));
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, -1, 1));
    SHOW(set_lock(a, F_OFD_SETLK, 9, 0, 1));
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, 10, -5));
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, 10, -50));
    SHOW(set_lock(a, F_OFD_SETLK, F_RDLCK, INT64_MAX, 2));
    struct flock l = lock_of(F_WRLCK, 0, 0);
    l.l_pid = 5;
    SHOW(fcntl(a, F_OFD_SETLK, &l));
    SHOW(set_lock(a, F_SETLK, F_WRLCK, 0, 0));
    test_lock(a, F_GETLK, F_WRLCK, 0, 0);
    close(a);
    SHOW(set_lock(b, F_SETLK, F_WRLCK, 0, 0));
    test_lock(b, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(ro); /* any descriptor of the file ends the process's locks */
    test_lock(b, F_OFD_GETLK, F_WRLCK, 0, 0);
    close(b);
    close(wo);
}

static int held, waiting;
static volatile int step;
static pid_t waiter_tid;

static void *wait_for_lock(void *arg)
{
    (void)arg;
    step = 1;
    __atomic_store_n(&waiter_tid, tid_of_self(), __ATOMIC_RELEASE);
    long ret = set_lock(waiting, F_OFD_SETLKW, F_WRLCK, 0, 10);
    __atomic_store_n(&step, ret == 0 ? 2 : 3, __ATOMIC_RELEASE);
    return NULL;
}

static void *wait_for_flock(void *arg)
{
    (void)arg;
    step = 1;
    __atomic_store_n(&waiter_tid, tid_of_self(), __ATOMIC_RELEASE);
    long ret = flock(waiting, LOCK_EX);
    __atomic_store_n(&step, ret == 0 ? 2 : 3, __ATOMIC_RELEASE);
    return NULL;
}

static void on_signal(int sig)
{
    (void)sig;
}

static pthread_t start(void *(*waiter)(void *))
{
    pthread_t t;

    waiter_tid = 0;
    NEED(pthread_create(&t, NULL, waiter, NULL) == 0);
    while (!__atomic_load_n(&waiter_tid, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(waiter_tid);
    return t;
}

static void test_waiting(void)
{
    say("-- waiting");
    held = open("f", O_RDWR);
    waiting = open("f", O_RDWR);
    SHOW(set_lock(held, F_OFD_SETLK, F_WRLCK, 5, 1));
    pthread_t t = start(wait_for_lock);
    say("step %d", step);
    SHOW(set_lock(held, F_OFD_SETLK, F_UNLCK, 5, 1));
    pthread_join(t, NULL);
    say("step %d", step);
    SHOW(flock(held, LOCK_SH));
    t = start(wait_for_flock);
    say("step %d", step);
    close(held);
    pthread_join(t, NULL);
    say("step %d", step);
    /* a signal ends the wait */
    held = open("f", O_RDWR);
    SHOW(flock(held, LOCK_SH | LOCK_NB));
    int third = open("f", O_RDWR);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGALRM, &sa, NULL);
    /* Again and again: the first may come before the call. */
    struct itimerval it = {.it_value = {0, 50000}, .it_interval = {0, 50000}}, none = {0};
    setitimer(ITIMER_REAL, &it, NULL);
    SHOW(flock(third, LOCK_SH));
    SHOW(set_lock(third, F_OFD_SETLKW, F_WRLCK, 0, 10));
    setitimer(ITIMER_REAL, &none, NULL);
}

int main(void)
{
    enter_test_dir("file_lock_kinds");
    make_file("f", "0123456789");
    test_flock();
    test_ofd();
    test_waiting();
    return done();
}
