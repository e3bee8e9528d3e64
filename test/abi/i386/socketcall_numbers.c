/* socketcall(2): every number, and how many arguments each has. */
#include "../inet_test.h"

static long socketcall(int call, void *args)
{
    long ret = syscall(SYS_socketcall, call, args);
    return ret < 0 ? -errno : ret;
}

/* n arguments at the very end of a page that nothing follows. */
static long with_arguments(int call, int n)
{
    char *pages = map_pages(2, PROT_READ | PROT_WRITE);
    long *args = (long *)(pages + PAGE) - n;
    NEED(munmap(pages + PAGE, PAGE) == 0);
    long ret = socketcall(call, args);
    munmap(pages, PAGE);
    return ret;
}

int main(void)
{
    for (int call = -1; call < 24; call++) {
        long none[6] = {0};
        say("%d: nowhere %ld, in the kernel %ld, all 0 %ld", call, socketcall(call, NULL),
            socketcall(call, (void *)0xc0000000), socketcall(call, none));
        for (int n = 0; n <= 6; n++)
            say(" %d arguments: %ld", n, with_arguments(call, n));
    }
    SHOW(socketcall(0x10001, NULL));
    SHOW(socketcall((int)0x80000001, NULL));
    return done();
}
