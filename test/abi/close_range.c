/* close_range(2), and what closing does to others: locks, O_CLOEXEC, the descriptor that read sleeps in. */
#include "abi.h"

#include <sys/eventfd.h>

static long range(unsigned first, unsigned last, unsigned flags)
{
    return syscall(SYS_close_range, first, last, flags);
}

static void open_ones(const char *what)
{
    char text[200] = "";
    for (int fd = 3; fd < 40; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            sprintf(text + strlen(text), " %d%s", fd, flags ? "e" : "");
    }
    say("  %s:%s", what, text);
}

static pid_t reader_tid;

static void *reader(void *arg)
{
    uint64_t v;

    __atomic_store_n(&reader_tid, tid_of_self(), __ATOMIC_RELEASE);
    ssize_t n = read(*(int *)arg, &v, 8);
    return (void *)(long)(n == 8 && v == 5);
}

int main(void)
{
    range(3, ~0u, 0);
    for (int i = 3; i < 12; i++)
        CHECK(open("/dev/null", O_RDONLY) == i);
    open_ones("all");
    SHOW(range(5, 6, 0));
    open_ones("without two");
    SHOW(range(5, 6, 0));
    SHOW(range(7, 8, 4)); /* CLOSE_RANGE_CLOEXEC */
    open_ones("two to be closed");
    SHOW(range(9, 8, 0));
    SHOW(range(9, 9, 0));
    SHOW(range(9, 9, 1));
    SHOW(range(9, 9, 8));
    SHOW(range(10, 10, 2)); /* CLOSE_RANGE_UNSHARE */
    open_ones("after");
    SHOW(range(4, ~0u, 4));
    SHOW(range(11, 0x7fffffff, 2 | 4));
    open_ones("after");
    SHOW(range(1000000, ~0u, 0));
    SHOW(range(3, ~0u, 0));
    open_ones("none");
    SHOW(close(-1));
    SHOW(close(3));
    SHOW(close(0x7fffffff));
    /* The file of a descriptor that somebody sleeps in lives on. */
    int fd = eventfd(0, 0), twin = dup(fd);
    uint64_t five = 5;
    pthread_t t;
    void *good;
    NEED(pthread_create(&t, NULL, reader, &fd) == 0);
    while (!__atomic_load_n(&reader_tid, __ATOMIC_ACQUIRE))
        sched_yield();
    wait_until_asleep(reader_tid);
    SHOW(close(fd));
    SHOW(write(twin, &five, 8));
    pthread_join(t, &good);
    say("read: %ld", (long)good);
    return done();
}
