/* int 0x80 from a 64-bit program: i386's numbers and structures, registers cut to 32 bits, r8 to r15 left alone. */
#include "abi.h"

#include <sys/utsname.h>

/* All registers that a call could hurt come back in `after`. */
static long call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t r8_after, r11_after;
    long ret;

    __asm__ volatile("movq $0x1122334455667788, %%r8\n\t"
                     "movq $0x8877665544332211, %%r11\n\t"
                     "int $0x80\n\t"
                     "movq %%r8, %1\n\t"
                     "movq %%r11, %2"
                     : "=a"(ret), "=&r"(r8_after), "=&r"(r11_after)
                     : "a"(nr), "b"(a), "c"(b), "d"(c)
                     : "r8", "r11", "memory", "cc");
    CHECK(r8_after == 0x1122334455667788 && r11_after == 0x8877665544332211);
    return ret;
}

static void *low_page(void)
{
    void *p =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    NEED(p != MAP_FAILED && (uintptr_t)p < 1ul << 32);
    return p;
}

static volatile int seen;
static void on_signal(int sig)
{
    seen = sig;
}

int main(void)
{
    char *low = low_page();
    uint64_t address = (uintptr_t)low, junk = 0xdead00000000;

    say("getpid: %d", call(20, 0, 0, 0) == getpid());
    say("high bits of the number: %d", call(20 | junk, 0, 0, 0) == getpid());
    strcpy(low, "written\n");
    say("write: %ld", call(4, 1 | junk, address | junk, 8 | junk));
    say("bad fd: %ld", call(4, 0xffffffff, address, 8));
    say("an address that is cut: %ld", call(4, 1, junk | 1, 1));
    say("no such call: %ld", call(100000, 0, 0, 0));
    say("-1: %ld", call(0xffffffff, 0, 0, 0));

    struct timeval32 {
        int32_t sec, usec;
    } *tv = (void *)low;
    memset(low, 0xff, 64);
    say("gettimeofday: %ld", call(78, address, 0, 0));
    say("wrote eight bytes: %d", tv->usec >= 0 && tv->usec < 1000000 && tv[1].sec == -1);

    struct iovec32 {
        uint32_t base, len;
    } *iov = (void *)(low + 256);
    strcpy(low, "abcdef\n");
    iov[0] = (struct iovec32){(uint32_t)address + 3, 3};
    iov[1] = (struct iovec32){(uint32_t)address + 6, 1};
    say("writev: %ld", call(146, 1, address + 256, 2));

    uint32_t *args = (void *)(low + 512); /* the old mmap */
    args[0] = 0, args[1] = PAGE, args[2] = PROT_READ, args[3] = MAP_PRIVATE | MAP_ANONYMOUS;
    args[4] = (uint32_t)-1, args[5] = 0;
    long mapped = call(90, address + 512, 0, 0);
    say("mmap below 4 GiB: %d, reads: %d", mapped > 0 && mapped < 1l << 32, *(char *)mapped);
    say("set_thread_area: %ld", (*args = 5, call(243, address + 512, 0, 0)));

    signal(SIGUSR1, on_signal); /* of this ABI, sent through the other */
    long killed = call(37, (uint32_t)getpid(), SIGUSR1, 0);
    say("kill: %ld, seen %d", killed, seen);
    say("lseek past 2 GiB: %d", call(19, 1, 0x80000000, SEEK_SET) < 0);
    return done();
}
