/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses, a hint is a wish. */
#include "abi.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

int main(void)
{
    unsigned char *p = map_pages(8, RW);

    memset(p, 1, 8 * PAGE);
    CHECK(mmap(p + 2 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + 2 * PAGE);
    for (int i = 0; i < 8; i++)
        say("page %d holds %d", i, p[i * PAGE]);
    SHOW_OK(mmap(p + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW_OK(mmap(p + 7 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    munmap(p + 4 * PAGE, PAGE);
    CHECK(mmap(p + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + 4 * PAGE);
    munmap(p + 5 * PAGE, PAGE);
    CHECK(mmap(p + 5 * PAGE, PAGE, RW, ANON, -1, 0) == p + 5 * PAGE); /* a free hint is taken */
    CHECK(mmap(p + 6 * PAGE, PAGE, RW, ANON, -1, 0) != p + 6 * PAGE); /* a taken one is not */
    CHECK(p[6 * PAGE] == 1);
    CHECK(((uintptr_t)mmap(p + 5 * PAGE + 123, PAGE, RW, ANON, -1, 0) & (PAGE - 1)) == 0);
    /* Over several areas and holes at once. */
    munmap(p + PAGE, PAGE);
    mprotect(p + 3 * PAGE, PAGE, PROT_READ);
    CHECK(mmap(p, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == p);
    unsigned sum = 0;
    for (int i = 0; i < 8 * PAGE; i++)
        sum += p[i];
    say("sum after replacing all: %u", sum);
    SHOW(munmap(p, 8 * PAGE));
    SHOW_OK(mmap(p, 8 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    /* Low memory: refused below mmap_min_addr or not, NULL stays a wild pointer. */
    say("address 0: signal %d", READS(NULL));
    return done();
}
