/* Seals against mappings: which of them keep F_SEAL_WRITE away, and what may be mapped afterwards. */
#include "abi.h"

#include <sys/uio.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#define F_SEAL_EXEC_     0x20
#define MFD_NOEXEC_SEAL_ 8u

static int new_memfd(unsigned flags)
{
    int fd = (int)syscall(SYS_memfd_create, "sealed", flags);
    NEED(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    return fd;
}

static int read_only(int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int ro = open(path, O_RDONLY);
    NEED(ro >= 0);
    return ro;
}

static void map(const char *what, int fd, int prot, int flags)
{
    void *p = mmap(NULL, PAGE, prot, flags, fd, 0);
    if (p == MAP_FAILED) {
        say("  map %s: %s", what, strerror(errno));
        return;
    }
    int more = mprotect(p, PAGE, PROT_READ | PROT_WRITE);
    say("  map %s: fine, to be written: %s", what, more ? strerror(errno) : "yes");
    munmap(p, PAGE);
}

static void map_all(int fd)
{
    int ro = read_only(fd);
    map("shared rw", fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    map("shared r", fd, PROT_READ, MAP_SHARED);
    map("shared r of a read-only file", ro, PROT_READ, MAP_SHARED);
    map("private rw", fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    close(ro);
}

static void test_busy(void)
{
    say("-- what is in the way");
    int fd = new_memfd(MFD_ALLOW_SEALING), ro = read_only(fd);
    void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(mprotect(p, PAGE, PROT_READ));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); /* it could be made writable again */
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_FUTURE_WRITE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    munmap(p, PAGE);
    void *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
    void *r = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(q != MAP_FAILED && r != MAP_FAILED);
    SHOW(fcntl(ro, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); /* neither can ever write */
    SHOW(fcntl(fd, F_GET_SEALS));
    map_all(fd);
}

static void test_write(void)
{
    say("-- F_SEAL_WRITE");
    int fd = new_memfd(MFD_ALLOW_SEALING);
    SHOW(write(fd, "abc", 3));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(pwrite(fd, "abc", 3, 0));
    SHOW(ftruncate(fd, PAGE));
    SHOW(ftruncate(fd, 4 * PAGE));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    SHOW(ftruncate(fd, PAGE / 2));
    SHOW(ftruncate(fd, 2 * PAGE));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW(fcntl(fd, F_GET_SEALS));
    map_all(fd);
}

static void test_future(void)
{
    say("-- F_SEAL_FUTURE_WRITE");
    int fd = new_memfd(MFD_ALLOW_SEALING);
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), byte;
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    SHOW(write(fd, "abc", 3));
    *p = 'q'; /* what is mapped goes on */
    SHOW(pread(fd, &byte, 1, 0));
    say("byte %c", byte);
    SHOW(mprotect(p, PAGE, PROT_READ));
    SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
    map_all(fd);
}

static void test_exec(void)
{
    say("-- F_SEAL_EXEC");
    struct stat st;
    int fd = new_memfd(MFD_ALLOW_SEALING);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC_));
    SHOW(fcntl(fd, F_GET_SEALS)); /* what can be run shall not be written either */
    SHOW(fchmod(fd, 0600));
    SHOW(fchmod(fd, 0511));
    SHOW(fchmod(fd, 0755));
    SHOW(fchmod(fd, 0711));
    fd = new_memfd(MFD_NOEXEC_SEAL_);
    SHOW(fcntl(fd, F_GET_SEALS));
    NEED(fstat(fd, &st) == 0);
    say("mode %o", st.st_mode);
    SHOW(fchmod(fd, 0600));
    SHOW(fchmod(fd, 0700));
    SHOW(write(fd, "abc", 3));
}

int main(void)
{
    test_busy();
    test_write();
    test_future();
    test_exec();
    return done();
}
