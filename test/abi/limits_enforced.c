/* Resource limits where they bite: descriptors, address space, data, locked memory, queued signals; lowered and
 * raised without the right. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "abi.h"

#define NOBODY 65534

static void limit(int which, rlim_t soft)
{
    struct rlimit r;

    NEED(getrlimit(which, &r) == 0);
    r.rlim_cur = soft;
    NEED(setrlimit(which, &r) == 0);
}

static int lowest_free(void)
{
    int fd = dup(0);

    NEED(fd >= 0);
    close(fd);
    return fd;
}

static void descriptors(void)
{
    int top = lowest_free(), ends[2];

    limit(RLIMIT_NOFILE, (rlim_t)top + 1);
    SHOW(pipe(ends)); /* room for one only */
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    SHOW(lowest_free() == top); /* nothing was left open */
    int last = dup(0);
    say("the last one: %d", last == top);
    SHOW(dup(0));
    SHOW(dup2(0, top + 1));
    SHOW(dup3(0, top + 1, O_CLOEXEC));
    SHOW(dup2(0, top) == top);
    SHOW(fcntl(0, F_DUPFD, top + 1));
    SHOW(fcntl(0, F_DUPFD, 0));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(open("nothing", O_RDONLY)); /* the descriptor is wanted first */
    SHOW(epoll_create1(0));
    SHOW(eventfd(0, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 0));
    SHOW(memfd_create("x", 0));
    limit(RLIMIT_NOFILE, 3); /* what is open stays, beyond the limit too */
    SHOW(fcntl(top, F_GETFD));
    SHOW(read(top, ends, 0));
    SHOW(dup2(0, 3));
    limit(RLIMIT_NOFILE, 0);
    SHOW(dup(0));
    limit(RLIMIT_NOFILE, 100);
    close(top);
}

static void address_space(void)
{
    limit(RLIMIT_AS, 64 << 20);
    SHOW(mmap(NULL, 65 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                           : 0);
    char *p = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("a small one: %d", p != MAP_FAILED);
    SHOW(mremap(p, 1 << 20, 70 << 20, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    limit(RLIMIT_AS, PAGE);
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    SHOW(munmap(p, 1 << 20));
    void *end = (void *)syscall(SYS_brk, 0);
    say("brk stays: %d", (void *)syscall(SYS_brk, (char *)end + PAGE) == end);
    limit(RLIMIT_AS, RLIM_INFINITY);
}

static void data(void)
{
    void *end = (void *)syscall(SYS_brk, 0);

    limit(RLIMIT_DATA, PAGE);
    say("brk stays: %d", (void *)syscall(SYS_brk, (char *)end + (1 << 20)) == end);
    SHOW(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED
             ? -1
             : 0);
    SHOW(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    SHOW(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED
             ? -1
             : 0);
    limit(RLIMIT_DATA, RLIM_INFINITY);
}

static void queued_signals(void)
{
    union sigval value = {.sival_int = 1};
    sigset_t set;
    int n = 0;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    limit(RLIMIT_SIGPENDING, 5);
    while (n < 100 && sigqueue(getpid(), SIGRTMIN, value) == 0)
        n++;
    CHECK(n <= 5 && errno == EAGAIN); /* others of the user may have some, too */
    SHOW(kill(getpid(), SIGUSR1));    /* needs no room */
    SHOW(raise(SIGRTMIN + 1) == 0);
    int id;
    limit(RLIMIT_SIGPENDING, 0);
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
}

/* As nobody: memory may be locked up to the limit, and hard limits only go down. */
static void without_rights(void)
{
    struct rlimit r = {2 * PAGE, 2 * PAGE};

    NEED(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
    char *p = map_pages(4, PROT_READ | PROT_WRITE);
    NEED(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
    SHOW(mlock(p, 2 * PAGE));
    SHOW(mlock(p, 2 * PAGE)); /* counted once */
    SHOW(mlock(p + 2 * PAGE, PAGE));
    SHOW(munlock(p, PAGE));
    SHOW(mlock(p + 2 * PAGE, PAGE));
    SHOW(mlockall(MCL_CURRENT));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED
             ? -1
             : 0);
    SHOW(mlockall(MCL_FUTURE));
    r = (struct rlimit){0, 0};
    SHOW(setrlimit(RLIMIT_MEMLOCK, &r));
    SHOW(mlock(p, PAGE));
    SHOW(mlockall(MCL_CURRENT));
    r = (struct rlimit){0, PAGE};
    SHOW(setrlimit(RLIMIT_MEMLOCK, &r));
    NEED(getrlimit(RLIMIT_CPU, &r) == 0);
    r = (struct rlimit){5000, 4000};
    SHOW(setrlimit(RLIMIT_CPU, &r));
    r = (struct rlimit){4000, 5000};
    SHOW(setrlimit(RLIMIT_CPU, &r));
    r = (struct rlimit){4000, 6000};
    SHOW(setrlimit(RLIMIT_CPU, &r));
}

int main(void)
{
    descriptors();
    address_space();
    data();
    queued_signals();
    without_rights();
    return done();
}
