/* lseek, holes, SEEK_DATA and SEEK_HOLE, sizes beyond what fits. */
#include "abi.h"

int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];
    char bytes[10] = {1, 1, 1, 1, 1};
    struct stat st;

    NEED(fd >= 0 && pipe(ends) == 0);
    SHOW(lseek(fd, 100, SEEK_SET));
    SHOW(lseek(fd, -30, SEEK_CUR));
    SHOW(lseek(fd, -71, SEEK_CUR));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 10, SEEK_END));
    SHOW(read(fd, bytes, 5));
    SHOW(lseek(fd, 0, 99));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, LONG_MAX, SEEK_SET));
    SHOW(lseek(fd, 1, SEEK_CUR));
    SHOW(lseek(ends[0], 0, SEEK_SET));
    SHOW(lseek(99, 0, SEEK_SET));
    /* Data, hole, data, hole. */
    SHOW(pwrite(fd, "data", 4, 0));
    SHOW(pwrite(fd, "data", 4, 16 * PAGE));
    SHOW(ftruncate(fd, 32 * PAGE));
    SHOW(pread(fd, bytes, 5, 8 * PAGE));
    say("a hole reads as zeros: %d %d", bytes[0], bytes[4]);
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(lseek(fd, PAGE, SEEK_DATA));
    SHOW(lseek(fd, 16 * PAGE, SEEK_HOLE));
    SHOW(lseek(fd, 17 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, 32 * PAGE, SEEK_HOLE));
    SHOW(lseek(fd, 32 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, -1, SEEK_DATA));
    SHOW(fstat(fd, &st));
    say("size %ld, blocks %ld", (long)st.st_size, (long)st.st_blocks);
    /* A hole larger than any memory. */
    SHOW(ftruncate(fd, 1l << 40));
    SHOW(pwrite(fd, "far", 3, (1l << 40) - 3));
    SHOW(pread(fd, bytes, 5, (1l << 40) - 5));
    say("%d %d %c%c%c", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]);
    SHOW(pread(fd, bytes, 5, 1l << 40));
    SHOW(pread(fd, bytes, 5, -1));
    SHOW(pwrite(fd, bytes, 5, -1));
    SHOW(pwrite(fd, bytes, 5, LONG_MAX));
    unlink("file");
    return done();
}
