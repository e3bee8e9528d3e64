/* madvise: MADV_DONTNEED gives zeros back, or the file's bytes; the rest is advice with errors of
 * its own. */
#include "abi.h"

int main(void)
{
    unsigned char *p = map_pages(8, PROT_READ | PROT_WRITE);
    char page[PAGE];

    memset(p, 5, 8 * PAGE);
    SHOW(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
    for (int i = 0; i < 8; i++)
        say("page %d holds %d", i, p[i * PAGE + 100]);
    p[2 * PAGE] = 9;
    say("written again: %d %d", p[2 * PAGE], p[2 * PAGE + 1]);

    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    NEED(fd >= 0);
    memset(page, 'f', sizeof page);
    NEED(write(fd, page, sizeof page) == PAGE);
    unsigned char *f = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    NEED(f != MAP_FAILED);
    f[0] = 'x';
    SHOW(madvise(f, PAGE, MADV_DONTNEED));
    say("a private page of a file is the file's again: %c", f[0]);

    SHOW(madvise(p, 8 * PAGE, MADV_NORMAL));
    SHOW(madvise(p, 8 * PAGE, MADV_RANDOM));
    SHOW(madvise(p, 8 * PAGE, MADV_SEQUENTIAL));
    SHOW(madvise(p, 8 * PAGE, MADV_WILLNEED));
    SHOW(madvise(p, 8 * PAGE, MADV_FREE));
    SHOW(madvise(p, 8 * PAGE, MADV_DONTFORK));
    SHOW(madvise(p, 8 * PAGE, MADV_DOFORK));
    SHOW(madvise(p, 8 * PAGE, MADV_DONTDUMP));
    SHOW(madvise(p, 8 * PAGE, 12345));
    SHOW(madvise(p + 1, PAGE, MADV_NORMAL));
    SHOW(madvise(p, 0, MADV_NORMAL));
    SHOW(madvise(p, SIZE_MAX, MADV_NORMAL));
    munmap(p + 3 * PAGE, PAGE);
    memset(p, 6, 3 * PAGE);
    memset(p + 4 * PAGE, 6, 4 * PAGE);
    SHOW(madvise(p, 8 * PAGE, MADV_DONTNEED));
    say("over a hole both sides were dropped: %d %d", p[2 * PAGE], p[4 * PAGE]);
    p[0] = 1;
    SHOW(mprotect(p, PAGE, PROT_NONE));
    SHOW(madvise(p, PAGE, MADV_DONTNEED));
    SHOW(mprotect(p, PAGE, PROT_READ));
    say("dropped while inaccessible: %d", p[0]);
    unlink("file");
    return done();
}
