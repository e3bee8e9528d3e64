/* Limits that are enforced: descriptors, memory, the heap; and who may change them. */
#include "abi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

static long limit(int what, rlim_t n)
{
    struct rlimit r;
    NEED(getrlimit(what, &r) == 0);
    r.rlim_cur = n;
    return setrlimit(what, &r);
}

static void test_files(void)
{
    say("-- RLIMIT_NOFILE");
    int p[2], fd = open("/dev/null", O_RDONLY);
    for (int i = 3; i < 40; i++)
        close(i);
    fd = open("/dev/null", O_RDONLY);
    SHOW(limit(RLIMIT_NOFILE, 5));
    SHOW(dup(fd));
    SHOW(dup(fd));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(open("/none", O_RDONLY));
    SHOW(pipe(p));
    SHOW(dup2(fd, 4));
    SHOW(dup2(fd, 5));
    SHOW(dup2(fd, -1));
    SHOW(dup3(fd, 5, 0));
    SHOW(fcntl(fd, F_DUPFD, 5));
    SHOW(fcntl(fd, F_DUPFD, 4));
    SHOW(fcntl(fd, F_DUPFD, 0));
    SHOW(epoll_create1(0));
    SHOW(eventfd(0, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0));
    SHOW(syscall(SYS_memfd_create, "x", 0));
    close(4);
    SHOW(pipe(p));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(limit(RLIMIT_NOFILE, 2)); /* what is open stays open */
    char c;
    SHOW(read(fd, &c, 1));
    SHOW(dup(fd));
    SHOW(limit(RLIMIT_NOFILE, 1024));
    SHOW(dup2(fd, 1023));
    SHOW(dup2(fd, 1024));
}

static void test_memory(void)
{
    say("-- RLIMIT_AS, RLIMIT_DATA");
    struct rlimit old;
    getrlimit(RLIMIT_AS, &old);
    SHOW(limit(RLIMIT_AS, 64 << 20));
    SHOW_OK(mmap(NULL, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    void *p = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    SHOW_OK(mremap(p, 1 << 20, 256 << 20, MREMAP_MAYMOVE));
    uintptr_t now = (uintptr_t)syscall(SYS_brk, 0);
    CHECK((uintptr_t)syscall(SYS_brk, now + (256 << 20)) == now);
    CHECK((uintptr_t)syscall(SYS_brk, now + PAGE) == now + PAGE);
    setrlimit(RLIMIT_AS, &old);
    SHOW(limit(RLIMIT_DATA, PAGE));
    CHECK((uintptr_t)syscall(SYS_brk, now + 2 * PAGE) == now + PAGE);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    SHOW(limit(RLIMIT_DATA, RLIM_INFINITY));
    munmap(p, 1 << 20);
}

static void test_rules(void)
{
    say("-- rules");
    struct rlimit r = {10, 5}, old;
    SHOW(setrlimit(RLIMIT_CORE, &r));
    SHOW(setrlimit(99, &r));
    SHOW(setrlimit(-1, &r));
    SHOW(getrlimit(16, &r));
    SHOW(syscall(SYS_setrlimit, RLIMIT_CORE, 8));
    SHOW(syscall(SYS_getrlimit, RLIMIT_CORE, 8));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &old));
    SHOW(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, &old, NULL));
    SHOW(syscall(SYS_prlimit64, 30000000, RLIMIT_CORE, &old, NULL));
    SHOW(syscall(SYS_prlimit64, 0, 16, NULL, &old));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, NULL));
    SHOW(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 8));
    r = (struct rlimit){100, 200};
    SHOW(setrlimit(RLIMIT_NPROC, &r));
    SHOW(seteuid(1000));
    r = (struct rlimit){300, 300};
    SHOW(setrlimit(RLIMIT_NPROC, &r));
    r = (struct rlimit){50, 150};
    SHOW(setrlimit(RLIMIT_NPROC, &r));
    r = (struct rlimit){50, 200};
    SHOW(setrlimit(RLIMIT_NPROC, &r));
    SHOW(seteuid(0));
    r = (struct rlimit){1, (rlim_t)1 << 40};
    SHOW(setrlimit(RLIMIT_NOFILE, &r));
}

int main(void)
{
    test_files();
    test_memory();
    test_rules();
    return done();
}
