/* Shared mappings: what one sees the others see, and so do read and write. */
#include "abi.h"

int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char byte;

    NEED(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    char *a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *b = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    char *c = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
    NEED(a != MAP_FAILED && b != MAP_FAILED && c != MAP_FAILED);
    a[10] = '1';
    NEED(pread(fd, &byte, 1, 10) == 1);
    say("stored: other mapping %c, read %c", b[10], byte);
    NEED(pwrite(fd, "2", 1, PAGE + 5) == 1);
    say("written: %c %c", a[PAGE + 5], b[PAGE + 5]);
    c[7] = '3';
    say("through an offset: %c", a[2 * PAGE + 7]);
    SHOW(msync(a, 4 * PAGE, MS_SYNC));
    SHOW(msync(a, 4 * PAGE, MS_ASYNC));
    SHOW(msync(a, 4 * PAGE, MS_SYNC | MS_ASYNC));
    SHOW(msync(a + 1, PAGE, MS_SYNC));
    SHOW(munmap(a, 4 * PAGE));
    NEED(pread(fd, &byte, 1, 10) == 1);
    say("after munmap: %c", byte);
    /* Cutting the file takes the pages from every mapping. */
    NEED(ftruncate(fd, PAGE) == 0);
    say("cut: kept %d, gone %d", READS(b), READS(b + PAGE));
    NEED(ftruncate(fd, 4 * PAGE) == 0);
    say("grown again: signal %d, value %d", READS(b + PAGE + 5), b[PAGE + 5]);
    /* The rest of the last page is cleared when the file is cut inside it. */
    NEED(pwrite(fd, "abcdef", 6, 0) == 6 && ftruncate(fd, 3) == 0 && ftruncate(fd, PAGE) == 0);
    say("cut inside a page: %c%d", b[2], b[3]);
    SHOW(mprotect(b, PAGE, PROT_READ | PROT_WRITE));

    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(shared != MAP_FAILED);
    say("shared anonymous: %d", shared[PAGE]);
    shared[PAGE] = 4;
    char *again = mremap(shared, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    say("moved: %d", again[PAGE]);
    SHOW(munmap(again, 2 * PAGE));
    unlink("file");
    return done();
}
