/* mremap: moving, to a place, without unmapping the old one, shared memory doubled, and what it refuses. */
#include "abi.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static unsigned char *base; /* room to play in */

static unsigned char *at(int page)
{
    return base + (size_t)page * PAGE;
}

static void say_result(const char *what, void *got, void *wanted)
{
    say("%s: %s", what,
        got == MAP_FAILED ? strerror(errno)
        : got == wanted   ? "there"
                          : "elsewhere");
}

static void area(int page, int pages, int fill)
{
    NEED(mmap(at(page), (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(page));
    if (fill)
        memset(at(page), fill, (size_t)pages * PAGE);
}

static void fixed(void)
{
    area(0, 4, 3);
    area(10, 2, 4);
    say_result("over another mapping",
               mremap(at(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(10)), at(10));
    say("moved: %d, the rest: %d, left: %d", at(10)[0], at(2)[0], READS(at(0)));
    say_result("grown on the way",
               mremap(at(2), 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(20)), at(20));
    say("contents %d, then %d", at(20)[0], at(22)[0]);
    say_result("shrunk on the way",
               mremap(at(20), 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(30)), at(30));
    say("left: %d %d, beyond: %d", READS(at(20)), READS(at(22)), READS(at(31)));
    say_result("overlapping",
               mremap(at(10), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(11)), at(11));
    say_result("fixed without maymove", mremap(at(10), PAGE, PAGE, MREMAP_FIXED, at(40)), at(40));
    say_result("to an odd address",
               mremap(at(10), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(40) + 1), at(40));
}

static void keeping(void)
{
    area(0, 2, 5);
    say_result("without unmapping",
               mremap(at(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, at(50)),
               at(50));
    unsigned char *p =
        mremap(at(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, at(60));
    say_result("to a place", p, at(60));
    say("the old one is there and empty: %d %d", READS(at(0)), at(0)[0]);
    say_result("not the same size",
               mremap(at(0), 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, at(70)), at(70));
    say_result("without maymove", mremap(at(0), PAGE, PAGE, MREMAP_DONTUNMAP, at(70)), at(70));
}

static void in_place(void)
{
    area(0, 1, 6);
    area(1, 1, 7); /* one mapping with it, for mremap */
    munmap(at(2), PAGE);
    say_result("into the hole", mremap(at(0), 2 * PAGE, 3 * PAGE, 0), at(0));
    say("contents %d %d %d", at(0)[0], at(1)[0], at(2)[0]);
    area(4, 1, 8);
    munmap(at(3), PAGE);
    say_result("no room", mremap(at(0), 3 * PAGE, 6 * PAGE, 0), at(0));
    say_result("shrunk", mremap(at(0), 3 * PAGE, PAGE, 0), at(0));
    say("cut off: %d", READS(at(1)));
    say_result("the same size", mremap(at(0), PAGE, PAGE, 0), at(0));
    say_result("to nothing", mremap(at(0), PAGE, 0, 0), at(0));
    say_result("a hole", mremap(at(1), PAGE, 2 * PAGE, MREMAP_MAYMOVE), at(1));
    area(0, 2, 9);
    mprotect(at(1), PAGE, PROT_READ);
    say_result("across two mappings", mremap(at(0), 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), at(0));
}

static void doubled(void)
{
    unsigned char *p =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    NEED(p != MAP_FAILED);
    unsigned char *q = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
    say("shared memory twice: %d", q != MAP_FAILED && q != p);
    p[PAGE] = 77;
    say("seen through the other: %d", q[PAGE]);
    area(0, 1, 1);
    say_result("private memory twice", mremap(at(0), 0, PAGE, MREMAP_MAYMOVE), at(0));
    say_result("without maymove", mremap(p, 0, PAGE, 0), p);
    unsigned char *more = mremap(q, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    say("grown: %d, beyond its end: %d", more != MAP_FAILED, READS(more + 2 * PAGE));
}

int main(void)
{
    base = mmap(NULL, 100 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(base != MAP_FAILED);
    munmap(base, 100 * PAGE);
    fixed();
    keeping();
    in_place();
    doubled();
    return done();
}
