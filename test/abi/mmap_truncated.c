/* A file that shrinks and grows under its mappings: SIGBUS beyond its last page, zeros after its last byte, private
 * copies that go with the page, and shared memory that read, write and truncate agree with. */
#include "file_test.h"

#ifndef MADV_POPULATE_READ /* newer than musl */
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static unsigned char *shared, *private;
static int fd;

static void say_pages(const char *what)
{
    say("%s: shared %d %d %d, private %d %d %d", what, READS(shared), READS(shared + PAGE),
        READS(shared + 2 * PAGE), READS(private), READS(private + PAGE), READS(private + 2 * PAGE));
}

static void fill(void)
{
    char page[PAGE];

    for (int i = 0; i < 3; i++) {
        memset(page, 'a' + i, sizeof page);
        NEED(pwrite(fd, page, sizeof page, (off_t)i * PAGE) == PAGE);
    }
}

static void shrink(void)
{
    private[PAGE] = 'P'; /* a copy of its own: it goes with the file's page all the same */
    say("private copy %c, shared %c", private[PAGE], shared[PAGE]);
    SHOW(ftruncate(fd, PAGE));
    say_pages("one page left");
    say_fault("one beyond", READS(shared + PAGE + 17), shared + PAGE + 17);
    say_fault("written beyond", WRITES(shared + 2 * PAGE), shared + 2 * PAGE);
    SHOW(ftruncate(fd, 3 * PAGE));
    say("grown again: shared %d, private %d", shared[PAGE], private[PAGE]);
    SHOW(ftruncate(fd, PAGE + 10));
    say_pages("ten bytes of the second");
    shared[PAGE + 9] = 'x';
    shared[PAGE + 10] = 'y'; /* after the end, in memory only */
    say("after the end: %c %d", shared[PAGE + 9], shared[PAGE + 11]);
    SHOW(ftruncate(fd, 2 * PAGE));
}

static void coherent(void)
{
    char byte;

    fill();
    shared[5] = 'M';
    NEED(pread(fd, &byte, 1, 5) == 1);
    say("stored, then read: %c", byte);
    NEED(pwrite(fd, "W", 1, 6) == 1);
    say("written, then loaded: %c", shared[6]);
    say("private, not touched yet: %c", private[6]);
    private[7] = 'Q';
    NEED(pwrite(fd, "V", 1, 8) == 1);
    say("private, touched: %c", private[8]);
    SHOW(ftruncate(fd, 0));
    say_pages("empty");
    SHOW(read(fd, shared, 1));
    SHOW(ftruncate(fd, PAGE));
    say("zeros again: %d", shared[5]);
    SHOW(write(fd, shared + PAGE, 1)); /* a source that is beyond the end */
    SHOW(pread(fd, shared + PAGE, 1, 0));
}

static void advice(void)
{
    SHOW(ftruncate(fd, 3 * PAGE));
    fill();
    SHOW(madvise(shared + PAGE, PAGE, MADV_REMOVE)); /* a hole */
    say("a hole: %d, then %c", shared[PAGE], shared[2 * PAGE]);
    SHOW(madvise(private, PAGE, MADV_REMOVE));
    SHOW(ftruncate(fd, PAGE));
    SHOW(madvise(shared, 3 * PAGE, MADV_POPULATE_READ));
    SHOW(madvise(shared, PAGE, MADV_POPULATE_WRITE));
    SHOW(msync(shared, 3 * PAGE, MS_SYNC));
    SHOW(msync(shared, PAGE, MS_SYNC | MS_ASYNC));
    SHOW(mprotect(shared, 3 * PAGE, PROT_READ));
    say_fault("read-only", WRITES(shared), shared);
    say_fault("read-only, beyond", WRITES(shared + PAGE), shared + PAGE);
}

int main(void)
{
    enter_test_dir("truncated");
    fd = open("file", O_RDWR | O_CREAT, 0600);
    NEED(fd >= 0);
    fill();
    shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    NEED(shared != MAP_FAILED && private != MAP_FAILED);
    say_pages("three pages");
    shrink();
    coherent();
    advice();
    return done();
}
