/* read and write in several pieces, at offsets, and what wrong pieces do. */
#include <sys/uio.h>

#include "abi.h"

int main(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    char a[4], b[4], c[8];
    struct iovec out[] = {{"abc", 3}, {NULL, 0}, {"defg", 4}, {"h", 1}};
    struct iovec in[] = {{a, 4}, {b, 2}, {c, 8}};

    NEED(fd >= 0);
    SHOW(writev(fd, out, 4));
    SHOW(lseek(fd, 1, SEEK_SET));
    SHOW(readv(fd, in, 3));
    say("%.4s %.2s %.1s", a, b, c);
    SHOW(readv(fd, in, 3));
    SHOW(preadv(fd, in, 2, 3));
    say("%.4s %.1s", a, b);
    SHOW(pwritev(fd, out, 1, 6));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(pread(fd, c, 8, 4));
    say("%.5s", c);
    SHOW(readv(fd, in, 0));
    SHOW(syscall(SYS_readv, fd, in, -1));
    SHOW(syscall(SYS_readv, fd, in, 1025));
    SHOW(syscall(SYS_readv, fd, 8, 1));
    in[1].iov_len = SIZE_MAX;
    SHOW(syscall(SYS_preadv, fd, in, 2, 0, 0));
    in[1].iov_len = 2;
    in[1].iov_base = (void *)8;
    SHOW(syscall(SYS_preadv, fd, in, 3, 0, 0)); /* what came before the wrong piece counts */
    SHOW(syscall(SYS_preadv, fd, in + 1, 1, 0, 0));
    out[2].iov_base = (void *)8;
    SHOW(syscall(SYS_pwritev, fd, out, 4, 100, 0));
    SHOW(preadv(fd, in, 1, -1));
    SHOW(read(fd, c, 0));
    SHOW(write(fd, c, 0));
    SHOW(syscall(SYS_read, fd, 8, 0));
    SHOW(syscall(SYS_read, fd, 8, 4));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(syscall(SYS_read, fd, 8, 4));
    SHOW(syscall(SYS_write, fd, 8, 4));
    SHOW(syscall(SYS_preadv2, fd, in, 1, 0, 0, 0));
    SHOW(syscall(SYS_preadv2, fd, in, 1, -1, -1, 0)); /* -1: at the descriptor's offset */
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(syscall(SYS_preadv2, fd, in, 1, 0, 0, 0x4000));
    /* More than one call's worth, across pages. */
    char *big = map_pages(40, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 40 * PAGE; i++)
        big[i] = (char)(i * 7 + i / 256);
    NEED(ftruncate(fd, 0) == 0);
    SHOW(pwrite(fd, big, 40 * PAGE - 3, 5));
    char *back = map_pages(40, PROT_READ | PROT_WRITE);
    SHOW(pread(fd, back, 40 * PAGE, 5));
    say("the same: %d", !memcmp(big, back, 40 * PAGE - 3) && !back[40 * PAGE - 1]);
    /* The buffer ends in the middle of the call. */
    munmap(back + 20 * PAGE, 20 * PAGE);
    SHOW_OK(pread(fd, back, 40 * PAGE, 5));
    SHOW_OK(pwrite(fd, back, 40 * PAGE, 0));
    unlink("f");
    return done();
}
