/* mremap: growing, shrinking, moving. */
#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)

static bool holds(unsigned char *p, int from, int pages)
{
    for (int i = 0; i < pages; i++)
        if (p[i * PAGE] != from + i || p[i * PAGE + PAGE - 1] != from + i)
            return false;
    return true;
}

static void fill(unsigned char *p, int pages)
{
    for (int i = 0; i < pages; i++)
        memset(p + i * PAGE, i + 1, PAGE);
}

int main(void)
{
    unsigned char *area = map_pages(64, PROT_NONE);
    unsigned char *p = area + 8 * PAGE;

    munmap(p, 16 * PAGE);
    CHECK(mmap(p, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    fill(p, 4);
    CHECK(mremap(p, 4 * PAGE, 8 * PAGE, 0) == p);
    say("grown in place: %d, new page holds %d", holds(p, 1, 4), p[6 * PAGE]);
    SHOW_OK(mremap(p, 8 * PAGE, 40 * PAGE, 0));
    unsigned char *moved = mremap(p, 8 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
    NEED(moved != MAP_FAILED);
    say("moved: %d, kept: %d, old place: signal %d, new page holds %d", moved != p,
        holds(moved, 1, 4), READS(p), moved[39 * PAGE]);
    CHECK(mremap(moved, 40 * PAGE, 2 * PAGE, 0) == moved);
    say("shrunk: kept %d, beyond: signal %d", holds(moved, 1, 2), READS(moved + 2 * PAGE));
    CHECK(mremap(moved, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
    say("moved to a place: kept %d, old place: signal %d", holds(p, 1, 2), READS(moved));
    /* The middle of a mapping. */
    CHECK(mmap(p, 8 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    fill(p, 8);
    unsigned char *middle = mremap(p + 2 * PAGE, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    NEED(middle != MAP_FAILED);
    say("middle: kept %d, hole: %d %d %d, ends: %d %d", holds(middle, 3, 3), READS(p + 2 * PAGE),
        READS(p + 3 * PAGE), READS(p + 4 * PAGE), holds(p, 1, 2), holds(p + 5 * PAGE, 6, 3));

    SHOW_OK(mremap(p + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(p, PAGE, 0, MREMAP_MAYMOVE));
    SHOW_OK(mremap(p, PAGE, PAGE, 0x80));
    SHOW_OK(mremap(p, PAGE, PAGE, MREMAP_FIXED, p));
    SHOW_OK(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE));
    SHOW_OK(mremap(p + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(p, 8 * PAGE, 20 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(p, PAGE, (size_t)1 << 47, MREMAP_MAYMOVE));
    /* Realloc's habit: grow again and again. */
    unsigned char *r = map_pages(1, RW);
    for (size_t pages = 1; pages < 300; pages++) {
        r[(pages - 1) * PAGE] = (unsigned char)pages;
        r = mremap(r, pages * PAGE, (pages + 1) * PAGE, MREMAP_MAYMOVE);
        NEED(r != MAP_FAILED);
    }
    unsigned sum = 0;
    for (int i = 0; i < 300; i++)
        sum += r[i * PAGE];
    say("grown 299 times: sum %u", sum);
    return done();
}
