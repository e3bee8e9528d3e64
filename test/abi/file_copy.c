/* sendfile, copy_file_range, splice and tee: bytes that never come by us. */
#include <sys/sendfile.h>

#include "abi.h"

static char text[40];

static const char *contents(int fd)
{
    memset(text, 0, sizeof text);
    NEED(pread(fd, text, sizeof text - 1, 0) >= 0);
    return text;
}

int main(void)
{
    int in = open("in", O_RDWR | O_CREAT, 0600), out = open("out", O_RDWR | O_CREAT, 0600), ends[2],
        ends2[2];
    off_t at = 2;

    NEED(in >= 0 && out >= 0 && pipe(ends) == 0 && pipe(ends2) == 0);
    NEED(write(in, "0123456789", 10) == 10);
    SHOW(sendfile(out, in, &at, 4));
    say("offset %ld, of the descriptor %ld: %s", (long)at, (long)lseek(in, 0, SEEK_CUR),
        contents(out));
    SHOW(sendfile(out, in, NULL, 4));
    SHOW(lseek(in, 5, SEEK_SET));
    SHOW(sendfile(out, in, NULL, 100));
    say("offset %ld: %s", (long)lseek(in, 0, SEEK_CUR), contents(out));
    at = 0;
    SHOW(sendfile(ends[1], in, &at, 10));
    SHOW(read(ends[0], text, 40));
    SHOW(sendfile(out, ends[0], NULL, 1));
    SHOW(sendfile(out, 99, NULL, 1));
    SHOW(sendfile(99, in, NULL, 1));
    at = -1;
    SHOW(sendfile(out, in, &at, 1));
    SHOW(syscall(SYS_sendfile, out, in, 8, 1));

    off_t from = 1, to = 20;
    SHOW(syscall(SYS_copy_file_range, in, &from, out, &to, 5, 0));
    say("offsets %ld %ld", (long)from, (long)to);
    SHOW(pread(out, text, 5, 20));
    say("%.5s", text);
    SHOW(syscall(SYS_copy_file_range, in, &from, out, &to, 5, 1));
    SHOW(syscall(SYS_copy_file_range, in, NULL, ends[1], NULL, 5, 0));

    at = 3;
    SHOW(splice(in, &at, ends[1], NULL, 4, 0));
    SHOW(tee(ends[0], ends2[1], 10, 0));
    SHOW(splice(ends[0], NULL, out, &(off_t){0}, 10, 0));
    say("%.4s", contents(out));
    SHOW(read(ends2[0], text, 40));
    say("%.4s", text);
    SHOW(splice(in, NULL, out, NULL, 1, 0));
    SHOW(splice(ends[0], &at, out, NULL, 1, 0));
    unlink("in");
    unlink("out");
    return done();
}
