/* Large reservations cost nothing until they are touched: what Go, ASan and JVMs rely on. */
#include "abi.h"

int main(void)
{
    static const unsigned sizes[] = {30, 36, 40, 44, 45};
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    for (size_t i = 0; i < NR(sizes); i++) {
        size_t size = (size_t)1 << sizes[i];
        char *p = mmap(NULL, size, PROT_NONE, flags, -1, 0);
        say("2^%u bytes reserved: %d", sizes[i], p != MAP_FAILED);
        if (p == MAP_FAILED)
            continue;
        /* Commit a page here and there, far apart. */
        for (size_t part = 0; part < 8; part++) {
            char *at = p + (size / 8) * part;
            CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0);
            *at = (char)part;
        }
        unsigned sum = 0;
        for (size_t part = 0; part < 8; part++)
            sum += (unsigned)p[(size / 8) * part];
        say("sum %u, between: signal %d", sum, READS(p + size / 16));
        CHECK(munmap(p, size) == 0);
    }
    /* As Go does: reserve at a wished place, then map over it. */
    char *wish = (char *)0xc000000000;
    char *got = mmap(wish, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("the wished place was given: %d", got == wish);
    CHECK(mmap(got, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == got);
    got[(4 << 20) - 1] = 1;
    say("beyond the part: signal %d", READS(got + (4 << 20)));
    /* A writable one that is used in part. */
    char *big = mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE, flags, -1, 0);
    NEED(big != MAP_FAILED);
    for (size_t i = 0; i < 8; i++)
        big[i << 30] = 1;
    say("eight pages of 8 GiB written: %d", big[(size_t)7 << 30]);
    SHOW(munmap(big, (size_t)8 << 30));
    return done();
}
