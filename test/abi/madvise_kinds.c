/* madvise: populating, dropping locked pages, lazily freed ones, and which memory each kind refuses. */
#include "abi.h"

#ifndef MADV_COLD /* newer than musl */
#define MADV_COLD    20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static void say_resident(const char *what, void *p, size_t pages)
{
    unsigned char vec[8];
    char text[9] = "";

    NEED(mincore(p, pages * PAGE, vec) == 0);
    for (size_t i = 0; i < pages; i++)
        text[i] = vec[i] & 1 ? '1' : '0';
    say("%s: %s", what, text);
}

static void populate(void)
{
    unsigned char *p = map_pages(4, PROT_READ | PROT_WRITE);

    NEED(madvise(p, 4 * PAGE, MADV_NOHUGEPAGE) == 0);
    say_resident("new", p, 4);
    SHOW(madvise(p + PAGE, PAGE, MADV_POPULATE_WRITE));
    say_resident("the second written", p, 4);
    SHOW(madvise(p, 4 * PAGE, MADV_POPULATE_WRITE));
    say_resident("all", p, 4);
    SHOW(madvise(p, 4 * PAGE, MADV_DONTNEED));
    say_resident("dropped", p, 4);
    SHOW(mprotect(p, PAGE, PROT_READ));
    SHOW(madvise(p, 2 * PAGE, MADV_POPULATE_WRITE));
    SHOW(madvise(p, 2 * PAGE, MADV_POPULATE_READ));
    SHOW(mprotect(p, PAGE, PROT_NONE));
    SHOW(madvise(p, PAGE, MADV_POPULATE_READ));
    SHOW(munmap(p + 2 * PAGE, PAGE));
    SHOW(madvise(p + PAGE, 3 * PAGE, MADV_POPULATE_WRITE));
    SHOW(madvise(p + PAGE, 3 * PAGE, MADV_POPULATE_READ));
    munmap(p, 4 * PAGE);
}

static void locked(void)
{
    unsigned char *p = map_pages(2, PROT_READ | PROT_WRITE);

    memset(p, 7, 2 * PAGE);
    SHOW(mlock(p, PAGE));
    SHOW(madvise(p, 2 * PAGE, MADV_DONTNEED));
    say("both are there: %d %d", p[0], p[PAGE]);
    SHOW(madvise(p, PAGE, MADV_FREE));
    SHOW(madvise(p, PAGE, MADV_COLD));
    SHOW(madvise(p, PAGE, MADV_PAGEOUT));
    SHOW(madvise(p, 2 * PAGE, MADV_DONTNEED_LOCKED));
    say("both are gone: %d %d", p[0], p[PAGE]);
    SHOW(munlock(p, PAGE));
    SHOW(madvise(p, 2 * PAGE, MADV_DONTNEED));
    munmap(p, 2 * PAGE);
}

static void lazily_freed(void)
{
    unsigned char *p = map_pages(2, PROT_READ | PROT_WRITE);

    memset(p, 9, 2 * PAGE);
    SHOW(madvise(p, 2 * PAGE, MADV_FREE));
    p[PAGE] = 1; /* written again: it stays */
    say("written again: %d", p[PAGE]);
    CHECK((p[0] == 9 || p[0] == 0) && (p[PAGE + 1] == 9 || p[PAGE + 1] == 0));
    SHOW(madvise(p, 2 * PAGE, MADV_COLD));
    say("cold: %d", p[PAGE]);
    SHOW(madvise(p, 2 * PAGE, MADV_PAGEOUT));
    say("paged out and in: %d", p[PAGE]);
    munmap(p, 2 * PAGE);
}

static void other_memory(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

    NEED(fd >= 0 && ftruncate(fd, PAGE) == 0);
    char *anonymous = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(anonymous != MAP_FAILED && private != MAP_FAILED && shared != MAP_FAILED);
    static const struct {
        const char *name;
        int advice;
    } kinds[] = {
        {"MADV_FREE", MADV_FREE},
        {"MADV_WIPEONFORK", 18},
        {"MADV_KEEPONFORK", 19},
        {"MADV_REMOVE", MADV_REMOVE},
        {"MADV_DONTNEED", MADV_DONTNEED},
        {"MADV_WILLNEED", MADV_WILLNEED},
        {"MADV_COLD", MADV_COLD},
        {"MADV_PAGEOUT", MADV_PAGEOUT},
        {"MADV_MERGEABLE", MADV_MERGEABLE},
        {"MADV_POPULATE_WRITE", MADV_POPULATE_WRITE},
    };
    char *const memory[] = {anonymous, private, shared};
    for (size_t i = 0; i < NR(kinds); i++)
        for (size_t n = 0; n < NR(memory); n++) {
            errno = 0;
            int r = madvise(memory[n], PAGE, kinds[i].advice);
            say("%s, memory %zu: %s", kinds[i].name, n, r ? strerror(errno) : "good");
        }
    anonymous[0] = shared[0] = 5;
    SHOW(madvise(anonymous, PAGE, MADV_DONTNEED)); /* of this process's view only */
    SHOW(madvise(shared, PAGE, MADV_DONTNEED));
    say("shared memory keeps its contents: %d %d", anonymous[0], shared[0]);
    SHOW(madvise(anonymous, PAGE, MADV_REMOVE));
    say("a hole: %d", anonymous[0]);
    close(fd);
    unlink("file");
}

int main(void)
{
    populate();
    locked();
    lazily_freed();
    other_memory();
    return done();
}
