/* Private mappings of files: copy on write, the tail of the last page, SIGBUS beyond it. */
#include "abi.h"

int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char bytes[3 * PAGE];

    NEED(fd >= 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i / PAGE);
    NEED(write(fd, bytes, 2 * PAGE + 100) == 2 * PAGE + 100);
    char *p = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    NEED(p != MAP_FAILED);
    say("pages: %c %c %c, tail %d", p[0], p[PAGE], p[2 * PAGE + 99], p[2 * PAGE + 100]);
    p[0] = 'X';
    p[2 * PAGE + 200] = 'Y';
    NEED(pread(fd, bytes, 1, 0) == 1);
    say("written privately: %c, the file: %c, its size: %ld", p[0], bytes[0],
        (long)lseek(fd, 0, SEEK_END));
    say_fault("beyond the last page", READS(p + 3 * PAGE), p + 3 * PAGE);
    /* A page not yet copied shows what is written to the file; a copied one does not. */
    NEED(pwrite(fd, "zz", 2, PAGE) == 2 && pwrite(fd, "zz", 2, 0) == 2);
    say("file changed: copied page %c, other page %c", p[0], p[PAGE]);
    /* A later offset. */
    char *q = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    NEED(q != MAP_FAILED);
    say("at offset one page: %c, write: signal %d", q[5], WRITES(q));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 5));
    /* The file grows under the mapping. */
    NEED(ftruncate(fd, 4 * PAGE) == 0);
    say_fault("after growing", READS(p + 3 * PAGE), NULL);
    say("value %d", p[3 * PAGE]);
    /* The mapping outlives the descriptor and the name. */
    close(fd);
    unlink("file");
    say("closed and unlinked: %c", p[PAGE + 9]);
    int ro = open("ro", O_RDONLY | O_CREAT, 0600);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0));
    int wo = open("ro", O_WRONLY);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0));
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));
    unlink("ro");
    return done();
}
