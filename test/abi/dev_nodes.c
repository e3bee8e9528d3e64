/* The devices that every program takes for granted. */
#include <sys/ioctl.h>
#include <termios.h>

#include "abi.h"

int main(void)
{
    char bytes[256], other[256];
    struct termios t;
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR),
        full = open("/dev/full", O_RDWR);
    int random = open("/dev/random", O_RDONLY), urandom = open("/dev/urandom", O_RDONLY);

    NEED(null >= 0 && zero >= 0 && full >= 0 && random >= 0 && urandom >= 0);
    SHOW(write(null, bytes, 100));
    SHOW(read(null, bytes, 100));
    SHOW(lseek(null, 10, SEEK_SET) >= 0);
    memset(bytes, 1, sizeof bytes);
    SHOW(read(zero, bytes, sizeof bytes));
    say("zeros: %d %d", bytes[0], bytes[255]);
    SHOW(write(zero, bytes, 100));
    SHOW(read(full, bytes, 10));
    SHOW(write(full, bytes, 10));
    SHOW(write(full, bytes, 0));
    SHOW(read(urandom, bytes, sizeof bytes));
    SHOW(read(random, other, sizeof other));
    say("different: %d", memcmp(bytes, other, sizeof bytes) != 0);
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bits += (unsigned)__builtin_popcount((unsigned char)bytes[i]);
    CHECK(bits > 800 && bits < 1250);
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    NEED(p != MAP_FAILED);
    p[5] = 1;
    say("mapped zeros: %d %d", p[5], p[PAGE]);
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0));
    SHOW(ftruncate(null, 0));
    SHOW(ioctl(null, TCGETS, &t));
    SHOW(isatty(null));
    SHOW(open("/dev/null/x", O_RDONLY));
    SHOW(close(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600)));
    /* Standard descriptors by their names. */
    int out = open("/dev/stdout", O_WRONLY);
    CHECK(out >= 0);
    SHOW(write(out, "by /dev/stdout\n", 15));
    SHOW(write(open("/dev/fd/1", O_WRONLY), "by /dev/fd/1\n", 13));
    SHOW(syscall(SYS_getrandom, bytes, sizeof bytes, 0));
    SHOW(syscall(SYS_getrandom, bytes, 10, 1));
    SHOW(syscall(SYS_getrandom, bytes, 10, 2));
    SHOW(syscall(SYS_getrandom, bytes, 10, 0x100));
    SHOW(syscall(SYS_getrandom, 8, 10, 0));
    SHOW(syscall(SYS_getrandom, 8, 0, 0));
    int shm = open("/dev/shm/yolk-abi-test", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(shm >= 0);
    SHOW(unlink("/dev/shm/yolk-abi-test"));
    return done();
}
