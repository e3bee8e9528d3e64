/* memfd_create: a file without a name, seals, mapping. */
#include "abi.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS   1033
#define F_GET_SEALS   1034
#define F_SEAL_SEAL   1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW   4
#define F_SEAL_WRITE  8
#endif

int main(void)
{
    int fd = (int)syscall(SYS_memfd_create, "name", 3),
        plain = (int)syscall(SYS_memfd_create, "plain", 0);
    struct stat st;

    NEED(fd >= 0 && plain >= 0);
    say("close-on-exec: %d %d", fcntl(fd, F_GETFD), fcntl(plain, F_GETFD));
    fstat(fd, &st);
    say("mode %o, links %lu", st.st_mode & S_IFMT, (unsigned long)st.st_nlink);
    SHOW(write(fd, "0123456789", 10));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(p != MAP_FAILED);
    say("mapped: %.10s", p);
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(plain, F_GET_SEALS));
    SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); /* a writable mapping is there */
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    SHOW(ftruncate(fd, 5));
    SHOW(ftruncate(fd, 20));
    SHOW(pwrite(fd, "x", 1, 15));
    SHOW(pwrite(fd, "x", 1, 3));
    munmap(p, PAGE);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
    SHOW(pwrite(fd, "x", 1, 3));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(0, F_GET_SEALS));
    SHOW(syscall(SYS_memfd_create, "x", 0x1000));
    SHOW(syscall(SYS_memfd_create, 8, 0));
    return done();
}
