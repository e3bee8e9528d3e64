/* mlock and its family accept ordinary amounts; mincore tells touched pages; both know holes. */
#include "abi.h"

int main(void)
{
    unsigned char *p = map_pages(8, PROT_READ | PROT_WRITE), vec[8] = {0};

    p[0] = p[3 * PAGE] = 1;
    SHOW(mincore(p, 8 * PAGE, vec));
    say("touched pages are there: %d %d", vec[0] & 1, vec[3] & 1);
    SHOW(mincore(p + 1, PAGE, vec));
    SHOW(mincore(p, PAGE, (unsigned char *)1));
    SHOW(mlock(p, 4 * PAGE));
    SHOW(munlock(p, 4 * PAGE));
    munmap(p + 6 * PAGE, PAGE);
    SHOW(mincore(p, 8 * PAGE, vec));
    SHOW(mlock(p, 8 * PAGE));
    SHOW(munlock(p, 8 * PAGE));
    SHOW(munlockall());
    return done();
}
