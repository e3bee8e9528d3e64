/* mmap, munmap: fresh pages are zero, gone pages fault, wrong arguments have their errno. */
#include "abi.h"

int main(void)
{
    unsigned char *p = map_pages(4, PROT_READ | PROT_WRITE);
    bool zero = true;

    for (size_t i = 0; i < 4 * PAGE; i++)
        zero &= p[i] == 0;
    say("fresh pages are zero: %d", zero);
    memset(p, 0xaa, 4 * PAGE);
    SHOW(munmap(p, 4 * PAGE));
    say_fault("after munmap", READS(p + PAGE + 7), p + PAGE + 7);
    unsigned char *q = map_pages(4, PROT_READ | PROT_WRITE);
    zero = true;
    for (size_t i = 0; i < 4 * PAGE; i++)
        zero &= q[i] == 0;
    say("pages used again are zero: %d", zero);

    SHOW(munmap(q + 1, PAGE));
    SHOW(munmap(q, 0));
    SHOW(munmap(p, 4 * PAGE)); /* nothing there is no error */
    SHOW_OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
    SHOW_OK(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1));
    SHOW_OK(mmap(q + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW_OK(syscall(SYS_mmap, NULL, SIZE_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW_OK(syscall(SYS_mmap, 0x7ffffffff000, PAGE, PROT_READ,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW_OK(syscall(SYS_mmap, -(long)PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                    -1, 0));
    SHOW(syscall(SYS_munmap, -(long)PAGE, (long)PAGE));
    SHOW(syscall(SYS_munmap, 0x7ffffffff000, 2 * PAGE));

    /* A length is rounded up to pages. */
    unsigned char *odd =
        mmap(NULL, 100, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(odd != MAP_FAILED);
    say("last byte of the page: %d", WRITES(odd + PAGE - 1));
    SHOW(munmap(odd, 1));
    say("after munmap of one byte: %d", READS(odd + PAGE - 1));

    for (int i = 0; i < 2000; i++) {
        unsigned char *r = map_pages(1 + i % 7, PROT_READ | PROT_WRITE);
        r[0] = 1;
        CHECK(munmap(r, (size_t)(1 + i % 7) * PAGE) == 0);
    }
    return done();
}
