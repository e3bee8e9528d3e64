/* Descriptors: dup in all its forms, fcntl, close_range, the limit. */
#include <sys/resource.h>

#include "abi.h"

int main(void)
{
    int ends[2], fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct rlimit limit;

    NEED(fd >= 0 && pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    say("descriptors: %d %d %d", fd, ends[0], ends[1]);
    SHOW(fcntl(fd, F_GETFD));
    int copy = dup(fd);
    say("copy %d", copy);
    SHOW(fcntl(copy, F_GETFD));
    SHOW(fcntl(copy, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(copy, F_GETFD));
    SHOW(dup2(fd, 20));
    SHOW(dup2(fd, fd));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 21, O_CLOEXEC));
    SHOW(fcntl(21, F_GETFD));
    SHOW(dup3(fd, 22, O_NONBLOCK));
    SHOW(dup2(99, 5));
    SHOW(dup2(fd, -1));
    SHOW(dup2(fd, 1 << 30));
    SHOW(dup(99));
    SHOW(fcntl(fd, F_DUPFD, 30));
    SHOW(fcntl(fd, F_DUPFD, 30));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 30));
    SHOW(fcntl(32, F_GETFD));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(fcntl(fd, F_DUPFD, 1 << 30));
    SHOW(fcntl(99, F_GETFD));
    SHOW(syscall(SYS_fcntl, fd, 9999, 0));
    say("flags of the pipe: %x %x", fcntl(ends[0], F_GETFL), fcntl(ends[1], F_GETFL));
    SHOW(fcntl(ends[0], F_SETFL, 0));
    say("flags of the pipe: %x", fcntl(ends[0], F_GETFL));
    SHOW(fcntl(fd, F_SETFL, O_RDONLY | O_APPEND | O_CREAT)); /* what may not change is ignored */
    say("flags of the file: %x", fcntl(fd, F_GETFL) & ~O_LARGEFILE);
    SHOW(close(21));
    SHOW(close(21));
    SHOW(close(-1));
    SHOW(syscall(SYS_close_range, 30, 31, 0));
    SHOW(fcntl(31, F_GETFD));
    SHOW(fcntl(32, F_GETFD));
    SHOW(syscall(SYS_close_range, 20, ~0u, 4)); /* mark instead of close */
    SHOW(fcntl(20, F_GETFD));
    SHOW(syscall(SYS_close_range, 5, 4, 0));
    SHOW(syscall(SYS_close_range, 20, ~0u, 0));
    SHOW(fcntl(32, F_GETFD));
    /* The limit. */
    NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 40;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    int last = 0;
    for (int n; (n = dup(fd)) >= 0;)
        last = n;
    say("the last one: %d, then: %s", last, strerror(errno));
    SHOW(open("f", O_RDONLY));
    SHOW(pipe(ends));
    SHOW(dup2(fd, 39));
    SHOW(dup2(fd, 40));
    SHOW(fcntl(fd, F_DUPFD, 40));
    close(35);
    SHOW(open("f", O_RDONLY));
    unlink("f");
    return done();
}
