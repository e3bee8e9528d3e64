/* splice, tee, vmsplice, sendfile and copy_file_range where they do move something: offsets, short files, full pipes,
 * append, and the ends of both sides. */
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "file_test.h"

static int in, out, file;
static char buffer[1 << 17];

static void make_pipe(void)
{
    int ends[2];

    NEED(pipe2(ends, O_NONBLOCK) == 0);
    in = ends[0];
    out = ends[1];
}

static void drop_pipe(void)
{
    close(in);
    close(out);
}

static void say_pipe(const char *what)
{
    ssize_t n = read(in, buffer, sizeof buffer);

    if (n < 0)
        say("%s: %s", what, strerror(errno));
    else
        say("%s: %zd, %.10s", what, n, (buffer[n < 10 ? n : 10] = 0, buffer));
}

static void from_file(void)
{
    loff_t at = 3;

    make_pipe();
    SHOW(splice(file, &at, out, NULL, 4, 0));
    say("offset %d, position %d", (int)at, (int)lseek(file, 0, SEEK_CUR));
    say_pipe("four bytes");
    SHOW(lseek(file, 8, SEEK_SET));
    SHOW(splice(file, NULL, out, NULL, 100, 0)); /* to the end */
    say("position %d", (int)lseek(file, 0, SEEK_CUR));
    SHOW(splice(file, NULL, out, NULL, 100, 0));
    at = 1000;
    SHOW(splice(file, &at, out, NULL, 100, 0));
    at = -1;
    SHOW(splice(file, &at, out, NULL, 1, 0));
    say_pipe("the end");
    while (splice(file, (at = 0, &at), out, NULL, 1, SPLICE_F_NONBLOCK) == 1)
        ;
    say("a full pipe: %s", strerror(errno));
    close(in);
    signal(SIGPIPE, SIG_IGN);
    at = 0;
    SHOW(splice(file, &at, out, NULL, 1, 0));
    close(out);
}

static void to_file(void)
{
    loff_t at = 20;
    int append = open("append", O_WRONLY | O_APPEND | O_CREAT, 0600);

    make_pipe();
    NEED(write(out, "abcdefgh", 8) == 8);
    SHOW(splice(in, NULL, file, &at, 3, 0));
    say("offset %d", (int)at);
    SHOW(splice(in, NULL, append, NULL, 3, 0));
    SHOW(splice(in, &at, file, NULL, 3, 0));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(splice(in, NULL, file, NULL, 100, 0));
    say("position %d", (int)lseek(file, 0, SEEK_CUR));
    SHOW(splice(in, NULL, file, NULL, 1, 0)); /* empty */
    SHOW(splice(in, NULL, out, NULL, 1, 0));  /* itself */
    close(out);
    SHOW(splice(in, NULL, file, NULL, 1, 0)); /* no writer */
    close(in);
    struct stat st;
    NEED(fstat(file, &st) == 0);
    say("size %d", (int)st.st_size);
    close(append);
}

static void shared_pages(void)
{
    int other[2];
    struct iovec v[2] = {{"hello ", 6}, {"world", 5}};

    make_pipe();
    NEED(pipe2(other, O_NONBLOCK) == 0);
    SHOW(vmsplice(out, v, 2, 0));
    SHOW(tee(in, other[1], 100, 0)); /* what is there, and it stays */
    say_pipe("still there");
    SHOW(read(other[0], buffer, 100));
    say("copied: %.11s", buffer);
    SHOW(tee(in, other[1], 100, SPLICE_F_NONBLOCK));
    SHOW(tee(in, out, 1, 0));
    SHOW(write(out, "abc", 3));
    SHOW(tee(in, other[1], 2, 0));
    SHOW(write(other[1], "XY", 2)); /* must not be seen in the first */
    SHOW(splice(in, NULL, other[1], NULL, 1, 0));
    say_pipe("the rest");
    SHOW(read(other[0], buffer, 100));
    say("there: %.5s", buffer);
    char a[4] = "", b[4] = "";
    struct iovec into[2] = {{a, 2}, {b, 3}};
    SHOW(write(out, "12345", 5));
    SHOW(vmsplice(in, into, 2, 0)); /* the other way: out of the pipe */
    say("%s %s", a, b);
    drop_pipe();
    close(other[0]), close(other[1]);
}

static void sending(void)
{
    int ends[2];
    off_t at = 5;

    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    SHOW(sendfile(ends[0], file, &at, 3));
    say("offset %d", (int)at);
    SHOW(read(ends[1], buffer, 100));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(sendfile(ends[0], file, NULL, 1 << 20)); /* as much as there is */
    say("position %d", (int)lseek(file, 0, SEEK_CUR));
    SHOW(sendfile(ends[0], file, NULL, 1));
    int copy = open("copy", O_RDWR | O_CREAT, 0600);
    at = 0;
    SHOW(sendfile(copy, file, &at, 1000)); /* to a file, too */
    SHOW(lseek(copy, 0, SEEK_CUR));
    close(ends[1]);
    at = 0;
    SHOW(sendfile(ends[0], file, &at, 1));
    close(ends[0]);
    close(copy);
}

static void copying(void)
{
    int copy = open("copied", O_RDWR | O_CREAT, 0600);
    loff_t from = 0, to = 10;
    char text[16] = "";

    NEED(pwrite(file, "0123456789", 10, 0) == 10);
    SHOW(copy_file_range(file, &from, copy, &to, 5, 0));
    say("%d %d", (int)from, (int)to);
    SHOW(copy_file_range(file, NULL, copy, NULL, 0, 0));
    from = 1000;
    SHOW(copy_file_range(file, &from, copy, &to, 5, 0)); /* beyond the end */
    from = 0, to = 2;
    SHOW(copy_file_range(file, &from, file, &to, 5, 0)); /* over itself */
    from = 0, to = 5;
    SHOW(copy_file_range(file, &from, file, &to, 5, 0)); /* beside itself */
    NEED(pread(file, text, 10, 0) == 10);
    say("%s", text);
    from = -1;
    SHOW(copy_file_range(file, &from, copy, &to, 5, 0));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(copy_file_range(file, NULL, copy, NULL, 1 << 20, 0));
    say("positions %d %d", (int)lseek(file, 0, SEEK_CUR) > 0, (int)lseek(copy, 0, SEEK_CUR) > 0);
    close(copy);
}

int main(void)
{
    enter_test_dir("splice");
    file = open("file", O_RDWR | O_CREAT, 0600);
    NEED(file >= 0 && write(file, "0123456789ab", 12) == 12);
    from_file();
    to_file();
    shared_pages();
    sending();
    copying();
    return done();
}
