/* brk: grows with zeros, shrinks, grows again with zeros; an impossible break changes nothing. */
#include "abi.h"

static char *brk_to(char *address)
{
    return (char *)syscall(SYS_brk, address);
}

int main(void)
{
    char *start = brk_to(NULL);
    unsigned sum = 0;

    CHECK(brk_to(start + 1) == start + 1);
    CHECK(brk_to(start + 100 * PAGE + 17) == start + 100 * PAGE + 17);
    for (int i = 0; i < 100 * PAGE + 17; i++)
        sum += (unsigned char)start[i];
    say("sum of fresh bytes: %u", sum);
    memset(start, 1, 100 * PAGE);
    CHECK(brk_to(start + 10 * PAGE) == start + 10 * PAGE);
    say("above a lowered break: %d",
        READS((char *)(((uintptr_t)start + 12 * PAGE) & -(uintptr_t)PAGE)));
    CHECK(start[5 * PAGE] == 1);
    CHECK(brk_to(start + 100 * PAGE) == start + 100 * PAGE);
    sum = 0;
    for (int i = 11 * PAGE; i < 99 * PAGE; i++)
        sum += (unsigned char)start[i];
    say("sum after growing again: %u", sum);
    CHECK(brk_to((char *)-(long)PAGE) == start + 100 * PAGE);
    CHECK(brk_to((char *)PAGE) == start + 100 * PAGE);
    CHECK(brk_to(start - PAGE) == start + 100 * PAGE);
    /* It stops before another mapping. */
    char *wall = (char *)(((uintptr_t)start + 200 * PAGE) & -(uintptr_t)PAGE);
    if (mmap(wall, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == wall)
        CHECK(brk_to(start + 300 * PAGE) == start + 100 * PAGE);
    CHECK(brk_to(start) == start);
    say("at the end the break is back: %d", brk_to(NULL) == start);
    return done();
}
