/* Placing mappings: MAP_FIXED_NOREPLACE, hints, MAP_32BIT and MAP_GROWSDOWN, MAP_SHARED_VALIDATE, MAP_POPULATE and
 * MAP_LOCKED, and the low addresses that nobody gets. */
#include "abi.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *place;

static void say_map(const char *what, void *got, void *wanted)
{
    say("%s: %s", what,
        got == MAP_FAILED ? strerror(errno)
        : got == wanted   ? "there"
                          : "elsewhere");
}

static void *map(void *at, size_t len, int prot, int flags)
{
    return mmap(at, len, prot, ANONYMOUS | flags, -1, 0);
}

static void noreplace(void)
{
    say_map("free", map(place, 4 * PAGE, PROT_READ, MAP_FIXED_NOREPLACE), place);
    say_map("taken", map(place, PAGE, PROT_READ, MAP_FIXED_NOREPLACE), place);
    say_map("its end overlaps", map(place - PAGE, 2 * PAGE, PROT_READ, MAP_FIXED_NOREPLACE),
            place - PAGE);
    say_map("its beginning overlaps",
            map(place + 3 * PAGE, 2 * PAGE, PROT_READ, MAP_FIXED_NOREPLACE), place);
    say_map("around it", map(place - PAGE, 6 * PAGE, PROT_READ, MAP_FIXED_NOREPLACE), place);
    say_map("beside it", map(place + 4 * PAGE, PAGE, PROT_READ, MAP_FIXED_NOREPLACE),
            place + 4 * PAGE);
    say_map("odd", map(place + 10 * PAGE + 1, PAGE, PROT_READ, MAP_FIXED_NOREPLACE), place);
    say_map("with MAP_FIXED too", map(place, PAGE, PROT_READ, MAP_FIXED_NOREPLACE | MAP_FIXED),
            place);
    say("what was there is there: %d", READS(place));
}

static void hints(void)
{
    say_map("a free hint", map(place + 20 * PAGE, PAGE, PROT_READ, 0), place + 20 * PAGE);
    say_map("a taken hint", map(place, PAGE, PROT_READ, 0), place);
    say_map("an odd hint", map(place + 22 * PAGE + 5, PAGE, PROT_READ, 0), place + 22 * PAGE);
    say_map("a hint in the kernel", map((void *)0xffff800000000000ull, PAGE, PROT_READ, 0), NULL);
    say_map("a hint too low", map((void *)8, PAGE, PROT_READ, 0), NULL);
    unsigned char *low = map(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_32BIT);
    say("MAP_32BIT: %d", low != MAP_FAILED && (uintptr_t)low < 1ull << 31);
    say_map("MAP_32BIT and too much", map(NULL, 1ull << 31, PROT_NONE, MAP_32BIT | MAP_NORESERVE),
            NULL);
}

static void more_flags(void)
{
    unsigned char vec[4];
    int fd = open("file", O_RDWR | O_CREAT, 0600);

    NEED(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    unsigned char *p = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_POPULATE);
    NEED(p != MAP_FAILED && mincore(p, 4 * PAGE, vec) == 0);
    say("populated: %d%d%d%d", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
    p = map(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_LOCKED);
    NEED(p != MAP_FAILED && mincore(p, 4 * PAGE, vec) == 0);
    say("locked: %d%d%d%d", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
    p = map(NULL, 4 * PAGE, PROT_NONE, MAP_POPULATE);
    NEED(p != MAP_FAILED && mincore(p, 4 * PAGE, vec) == 0);
    say("nothing to populate: %d%d%d%d", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
    say_map("MAP_SHARED_VALIDATE",
            mmap(NULL, PAGE, PROT_READ, 3, fd, 0) == MAP_FAILED ? MAP_FAILED : NULL, NULL);
    say_map("with an unknown flag", mmap(NULL, PAGE, PROT_READ, 3 | 1 << 24, fd, 0), NULL);
    say_map("MAP_SHARED with one",
            mmap(NULL, PAGE, PROT_READ, 1 | 1 << 24, fd, 0) == MAP_FAILED ? MAP_FAILED : NULL,
            NULL);
    say_map("MAP_SYNC", mmap(NULL, PAGE, PROT_READ, 3 | 0x80000, fd, 0), NULL);
    say_map("no kind", mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), NULL);
    say_map("nothing", map(NULL, 0, PROT_READ, 0), NULL);
    say_map("everything", map(NULL, SIZE_MAX - PAGE, PROT_READ, 0), NULL);
    say_map("an odd offset", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100), NULL);
    say_map("beyond the file",
            mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100 * PAGE) == MAP_FAILED ? MAP_FAILED
                                                                                  : NULL,
            NULL);
    say_map("unknown protection", map(NULL, PAGE, 0x100, 0) == MAP_FAILED ? MAP_FAILED : NULL,
            NULL);
    say_map("huge pages", map(NULL, PAGE, PROT_READ, MAP_HUGETLB), NULL);
    close(fd);
    unlink("file");
}

static void grows_down(void)
{
    unsigned char *p =
        map(place + 60 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_GROWSDOWN);

    NEED(p != MAP_FAILED);
    say("touched below: %d", WRITES(p - 1));
    say("and below that: %d", WRITES(p - PAGE - 1));
    say("far below: %d", WRITES(p - 10 * PAGE));
}

int main(void)
{
    place = map(NULL, 100 * PAGE, PROT_NONE, 0);
    NEED(place != MAP_FAILED);
    munmap(place, 100 * PAGE);
    place += PAGE;
    noreplace();
    hints();
    more_flags();
    grows_down();
    return done();
}
