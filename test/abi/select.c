/* select and pselect: sets in, sets out, the time that is left. */
#include <sys/select.h>

#include "abi.h"

static int ends[2], file;

static void show(const char *what, int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t)
{
    errno = 0;
    int result =
        (int)syscall(SYS_select, n, r, w, e, t); /* a libc may keep the time that is left */

    say("%s: %d %s; reading: %d %d, writing: %d %d", what, result,
        result < 0 ? strerror(errno) : "", r && FD_ISSET(ends[0], r), r && FD_ISSET(file, r),
        w && FD_ISSET(ends[1], w), w && FD_ISSET(file, w));
}

int main(void)
{
    struct timeval zero = {0}, t = {0, 30000};
    fd_set r, w, e;

    NEED(pipe(ends) == 0);
    file = open("f", O_RDWR | O_CREAT, 0600);
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(ends[0], &r);
    FD_SET(file, &r);
    FD_SET(ends[1], &w);
    FD_SET(file, &w);
    show("at first", 10, &r, &w, &e, &zero);
    FD_SET(ends[0], &r);
    show("fewer than there are", ends[0], &r, NULL, NULL, &zero);
    FD_ZERO(&r);
    FD_SET(ends[0], &r);
    show("nothing for 30 ms", 10, &r, NULL, NULL, &t);
    say("time left: %ld %ld", (long)t.tv_sec, (long)t.tv_usec);
    NEED(write(ends[1], "x", 1) == 1);
    FD_SET(ends[0], &r);
    t = (struct timeval){1000, 0};
    show("a byte", 10, &r, NULL, NULL, &t);
    say("time left is less, and plenty: %d", t.tv_sec >= 990 && t.tv_sec < 1000);
    FD_ZERO(&r);
    FD_SET(50, &r);
    show("not open", 51, &r, NULL, NULL, &zero);
    show("negative", -1, NULL, NULL, NULL, &zero);
    t = (struct timeval){0, 1000};
    show("no sets", 0, NULL, NULL, NULL, &t);
    SHOW(syscall(SYS_select, 5, 8, NULL, NULL, &zero));
    struct timespec bad = {-1, 0};
    SHOW(pselect(0, NULL, NULL, NULL, &bad, NULL));
    /* A high descriptor. */
    NEED(dup2(ends[0], 900) == 900);
    FD_ZERO(&r);
    FD_SET(900, &r);
    SHOW(select(901, &r, NULL, NULL, &zero));
    SHOW(FD_ISSET(900, &r) != 0);
    unlink("f");
    return done();
}
