/* munmap and mprotect in the middle of a mapping: every page keeps its own fate. */
#include "abi.h"

static void map_of(const char *when, unsigned char *p, int pages)
{
    char line[65];

    for (int i = 0; i < pages; i++) {
        bool r = !READS(p + (size_t)i * PAGE), w = r && !WRITES(p + (size_t)i * PAGE);
        line[i] = w ? 'w' : r ? 'r' : '-';
    }
    line[pages] = 0;
    say("%-24s %s", when, line);
}

int main(void)
{
    unsigned char *p = map_pages(32, PROT_READ | PROT_WRITE);

    for (int i = 0; i < 32; i++)
        p[i * PAGE] = (unsigned char)i;
    map_of("whole", p, 32);
    SHOW(munmap(p + 4 * PAGE, 2 * PAGE));
    map_of("hole at 4", p, 32);
    SHOW(mprotect(p + 8 * PAGE, 4 * PAGE, PROT_READ));
    map_of("read-only at 8", p, 32);
    SHOW(mprotect(p + 10 * PAGE, 4 * PAGE, PROT_NONE));
    map_of("none at 10", p, 32);
    SHOW(mprotect(p + 11 * PAGE, PAGE, PROT_READ | PROT_WRITE));
    map_of("back at 11", p, 32);
    SHOW(munmap(p + 9 * PAGE, 3 * PAGE));
    map_of("hole at 9", p, 32);
    SHOW(munmap(p, PAGE));
    SHOW(munmap(p + 31 * PAGE, PAGE));
    map_of("ends cut", p, 32);
    SHOW(munmap(p + 3 * PAGE, 5 * PAGE));
    map_of("over a hole", p, 32);
    /* Over a hole mprotect fails, but what comes before the hole has changed. */
    SHOW(mprotect(p + PAGE, 16 * PAGE, PROT_READ));
    map_of("mprotect over holes", p, 32);
    SHOW(mprotect(p + 12 * PAGE, 19 * PAGE, PROT_READ | PROT_WRITE));
    map_of("all writable", p, 32);
    for (int i = 0; i < 32; i++)
        if (!READS(p + i * PAGE))
            CHECK(p[i * PAGE] == i);
    /* Fill every second page: many small areas, then one again. */
    unsigned char *q = map_pages(512, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 512; i += 2)
        CHECK(mprotect(q + i * PAGE, PAGE, PROT_READ) == 0);
    for (int i = 0; i < 512; i++)
        CHECK((WRITES(q + i * PAGE) == 0) == (i % 2 == 1));
    SHOW(mprotect(q, 512 * PAGE, PROT_READ | PROT_WRITE));
    for (int i = 0; i < 512; i++)
        CHECK(WRITES(q + i * PAGE) == 0);
    SHOW(munmap(p, 32 * PAGE));
    SHOW(munmap(q, 512 * PAGE));
    return done();
}
