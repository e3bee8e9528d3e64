/* kcmp(2), process_vm_readv(2) and _writev(2) of oneself, ioprio_get(2) and _set(2), unshare(2), membarrier(2)'s
 * registrations. */
#include "abi.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/uio.h>

static long kcmp(int type, long a, long b)
{
    return syscall(SYS_kcmp, getpid(), getpid(), type, a, b);
}

static void test_kcmp(void)
{
    say("-- kcmp");
    int fd = open("/dev/null", O_RDONLY), twin = dup(fd), stranger = open("/dev/null", O_RDONLY);
    SHOW(kcmp(0, fd, twin));
    CHECK(kcmp(0, fd, stranger) == 1 || kcmp(0, fd, stranger) == 2);
    CHECK(kcmp(0, fd, stranger) + kcmp(0, stranger, fd) == 3);
    SHOW(kcmp(0, fd, 99));
    for (int type = 1; type <= 6; type++)
        SHOW(kcmp(type, 0, 0));
    SHOW(kcmp(8, 0, 0));
    SHOW(kcmp(-1, 0, 0));
    SHOW(syscall(SYS_kcmp, getpid(), 30000000, 1, 0, 0));
    SHOW(syscall(SYS_kcmp, 0, 0, 1, 0, 0));
}

static void test_process_vm(void)
{
    say("-- process_vm");
    char from[5000], to[5000];
    char *gap = map_pages(2, PROT_READ | PROT_WRITE);
    munmap(gap + PAGE, PAGE);
    for (int i = 0; i < 5000; i++)
        from[i] = (char)(i * 7);
    memset(to, 0, sizeof to);
    struct iovec l[3] = {{to, 1000}, {to + 1000, 0}, {to + 1000, 4000}},
                 r[2] = {{from, 4500}, {from + 4500, 400}};
    SHOW(process_vm_readv(getpid(), l, 3, r, 2, 0));
    say("same: %d", memcmp(from, to, 4900) == 0);
    memset(from, 1, sizeof from);
    SHOW(process_vm_writev(getpid(), l, 1, r, 1, 0));
    say("same: %d", memcmp(from, to, 1000) == 0 && from[1000] == 1);
    struct iovec g[2] = {{gap + PAGE - 10, 100}, {from, 10}}, bad = {(void *)8, 10};
    SHOW(process_vm_readv(getpid(), l, 3, g, 2, 0)); /* up to the hole */
    SHOW(process_vm_writev(getpid(), l, 3, g, 2, 0));
    SHOW(process_vm_readv(getpid(), l, 3, &bad, 1, 0));
    SHOW(process_vm_readv(getpid(), l, 3, r, 2, 1));
    SHOW(process_vm_readv(getpid(), l, 0, r, 2, 0));
    SHOW(process_vm_readv(getpid(), l, 3, r, 0, 0));
    SHOW(process_vm_readv(30000000, l, 3, r, 2, 0));
    SHOW(process_vm_readv(30000000, l, 3, r, 2, 1));
    SHOW(process_vm_readv(getpid(), (void *)8, 3, r, 2, 0));
    SHOW(process_vm_readv(getpid(), l, 3, (void *)8, 2, 0));
    SHOW(process_vm_readv(getpid(), l, 5000, r, 2, 0));
    char *ro = map_pages(1, PROT_READ);
    struct iovec o = {ro, 10};
    SHOW(process_vm_writev(getpid(), l, 1, &o, 1, 0));
    SHOW(process_vm_readv(getpid(), l, 1, &o, 1, 0));
}

static long set(int which, int who, int class, int level)
{
    return syscall(SYS_ioprio_set, which, who, class << 13 | level);
}

static void test_ioprio(void)
{
    say("-- ioprio");
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(set(1, 0, 2, 7));
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(syscall(SYS_ioprio_get, 1, getpid()));
    SHOW(set(1, getpid(), 1, 3));
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(set(1, 0, 3, 0));
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(set(1, 0, 0, 0));
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(set(1, 0, 0, 1));
    SHOW(set(1, 0, 4, 1));
    if (getpgrp() != getpid())
        NEED(setpgid(0, 0) == 0);
    SHOW(set(2, 0, 2, 5)); /* the group, which is this process alone */
    SHOW(syscall(SYS_ioprio_get, 2, 0));
    SHOW(set(1, 0, 0, 0));
    SHOW(set(1, 30000000, 2, 1));
    SHOW(set(4, 0, 2, 1));
    SHOW(set(0, 0, 2, 1));
    SHOW(syscall(SYS_ioprio_get, 1, 30000000));
    SHOW(syscall(SYS_ioprio_get, 4, 0));
}

static void *in_thread(void *arg)
{
    (void)arg;
    SHOW(unshare(0));
    SHOW(unshare(CLONE_VM));
    SHOW(unshare(CLONE_SIGHAND));
    SHOW(unshare(CLONE_THREAD));
    SHOW(unshare(CLONE_SYSVSEM));
    return NULL;
}

static void test_unshare(void)
{
    say("-- unshare");
    pthread_t t;
    SHOW(unshare(0));
    SHOW(unshare(CLONE_FS));
    SHOW(unshare(CLONE_FILES | CLONE_SYSVSEM));
    SHOW(unshare(CLONE_VM));
    SHOW(unshare(CLONE_SIGHAND | CLONE_THREAD));
    SHOW(unshare(1));
    SHOW(unshare(CLONE_PTRACE));
    SHOW(unshare(CLONE_SETTLS));
    NEED(pthread_create(&t, NULL, in_thread, NULL) == 0);
    pthread_join(t, NULL);
}

static void test_membarrier(void)
{
    say("-- membarrier");
    SHOW(syscall(SYS_membarrier, 1 << 9, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, 1 << 9, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    SHOW(syscall(SYS_membarrier, 1 << 9, 0, 0));
    SHOW(syscall(SYS_membarrier, 1 << 9, 1, 0));
    SHOW(syscall(SYS_membarrier, 1 << 10, 0, 0));
}

int main(void)
{
    test_kcmp();
    test_process_vm();
    test_ioprio();
    test_unshare();
    test_membarrier();
    return done();
}
