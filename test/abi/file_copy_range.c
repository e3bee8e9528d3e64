/* copy_file_range(2). */
#include "file_test.h"

static long copy(int in, off_t *in_pos, int out, off_t *out_pos, size_t n, unsigned flags)
{
    return syscall(SYS_copy_file_range, in, in_pos, out, out_pos, n, flags);
}

int main(void)
{
    static char big[100000], back[100000];
    enter_test_dir("file_copy_range");
    for (size_t n = 0; n < sizeof big; n++)
        big[n] = (char)(n * 31 >> 3);
    int in = open("in", O_CREAT | O_RDWR, 0644), out = open("out", O_CREAT | O_RDWR, 0644);
    NEED(write(in, big, sizeof big) == sizeof big);
    off_t a = 0, b = 0;
    SHOW(copy(in, &a, out, &b, 1000000, 0));
    say("%ld %ld", (long)a, (long)b);
    NEED(pread(out, back, sizeof back, 0) == sizeof back);
    CHECK(memcmp(big, back, sizeof big) == 0);
    SHOW(copy(in, &a, out, &b, 10, 0));
    SHOW(copy(in, NULL, out, NULL, 10, 0));
    SHOW(lseek(in, 100, SEEK_SET));
    SHOW(copy(in, NULL, out, NULL, 10, 0));
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(lseek(out, 0, SEEK_CUR));
    SHOW(copy(in, NULL, out, NULL, 10, 1));
    SHOW(copy(99, NULL, out, NULL, 10, 0));
    SHOW(copy(in, NULL, 99, NULL, 10, 0));
    a = 5;
    b = 10;
    SHOW(copy(in, &a, in, &b, 6, 0));
    SHOW(copy(in, &a, in, &b, 5, 0));
    a = -1;
    SHOW(copy(in, &a, out, &b, 5, 0));
    SHOW(copy(in, (off_t *)8, out, &b, 5, 0));
    a = INT64_MAX;
    SHOW(copy(in, &a, out, &b, 5, 0));
    a = 0;
    SHOW(copy(in, &a, out, &b, 0, 0));
    SHOW(copy(open(".", O_RDONLY), NULL, out, NULL, 5, 0));
    int p[2];
    NEED(pipe(p) == 0);
    SHOW(copy(in, NULL, p[1], NULL, 5, 0));
    SHOW(copy(open("in", O_WRONLY), NULL, out, NULL, 5, 0));
    SHOW(copy(in, NULL, open("out", O_RDONLY), NULL, 5, 0));
    SHOW(copy(in, NULL, open("out", O_WRONLY | O_APPEND), NULL, 5, 0));
    return done();
}
