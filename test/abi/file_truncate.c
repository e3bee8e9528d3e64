/* truncate, ftruncate, fallocate. */
#include "abi.h"

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE  1
#define FALLOC_FL_PUNCH_HOLE 2
#endif

static long size_of(int fd)
{
    struct stat st;

    NEED(fstat(fd, &st) == 0);
    return (long)st.st_size;
}

int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), ro, ends[2];
    char bytes[16];

    NEED(fd >= 0 && pipe(ends) == 0 && mkdir("dir", 0755) == 0);
    NEED(write(fd, "0123456789", 10) == 10);
    SHOW(ftruncate(fd, 4));
    SHOW(ftruncate(fd, 8));
    SHOW(pread(fd, bytes, 16, 0));
    say("%.4s %d %d", bytes, bytes[4], bytes[7]);
    say("the offset stays: %ld", (long)lseek(fd, 0, SEEK_CUR));
    SHOW(write(fd, "x", 1));
    say("size %ld", size_of(fd));
    SHOW(truncate("file", 3));
    say("size %ld", size_of(fd));
    SHOW(truncate("file", -1));
    SHOW(ftruncate(fd, -1));
    SHOW(truncate("none", 0));
    SHOW(truncate("dir", 0));
    SHOW(truncate("file/x", 0));
    SHOW(truncate("", 0));
    ro = open("file", O_RDONLY);
    SHOW(ftruncate(ro, 0));
    SHOW(ftruncate(ends[0], 0));
    SHOW(ftruncate(99, 0));
    /* Across pages: what was cut does not come back. */
    char page[3 * PAGE];
    memset(page, 'p', sizeof page);
    NEED(pwrite(fd, page, sizeof page, 0) == (ssize_t)sizeof page);
    SHOW(ftruncate(fd, PAGE + 5));
    SHOW(ftruncate(fd, 3 * PAGE));
    NEED(pread(fd, page, sizeof page, 0) == (ssize_t)sizeof page);
    say("%c %d %d", page[PAGE + 4], page[PAGE + 5], page[2 * PAGE]);

    SHOW(fallocate(fd, 0, 4 * PAGE, PAGE));
    say("size %ld", size_of(fd));
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * PAGE, PAGE));
    say("size %ld", size_of(fd));
    memset(page, 'q', sizeof page);
    NEED(pwrite(fd, page, sizeof page, 0) == (ssize_t)sizeof page);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, PAGE));
    NEED(pread(fd, page, sizeof page, 0) == (ssize_t)sizeof page);
    say("%c %d %d %c", page[99], page[100], page[PAGE + 99], page[PAGE + 100]);
    say("size %ld", size_of(fd));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    SHOW(fallocate(fd, 0, -1, 1));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(ro, 0, 0, 1));
    SHOW(fallocate(ends[1], 0, 0, 1));
    SHOW(fallocate(99, 0, 0, 1));
    unlink("file");
    rmdir("dir");
    return done();
}
