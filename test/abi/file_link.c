/* Hard links and unlink: counts, files without a name, what may be linked. */
#include "abi.h"

static long links(int fd)
{
    struct stat st;

    NEED(fstat(fd, &st) == 0);
    return (long)st.st_nlink;
}

int main(void)
{
    int fd = open("a", O_RDWR | O_CREAT, 0600);
    char text[10] = "";
    struct stat a, b;

    NEED(fd >= 0 && write(fd, "hello", 5) == 5);
    say("links: %ld", links(fd));
    SHOW(link("a", "b"));
    say("links: %ld", links(fd));
    stat("a", &a);
    stat("b", &b);
    say("the same file: %d", a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    SHOW(unlink("a"));
    say("links: %ld", links(fd));
    SHOW(unlink("b"));
    say("links: %ld", links(fd));
    SHOW(pread(fd, text, 9, 0));
    say("without a name: %s", text);
    SHOW(write(fd, " again", 6));
    SHOW(lseek(fd, 0, SEEK_END));
    close(fd);
    SHOW(unlink("a"));
    SHOW(mkdir("d", 0700));
    SHOW(link("d", "e"));
    SHOW(unlink("d"));
    SHOW(link("none", "x"));
    SHOW(symlink("none", "s"));
    SHOW(link("s", "s2")); /* the link itself */
    struct stat st;
    lstat("s2", &st);
    say("a link to a link: %d, %lu names", S_ISLNK(st.st_mode), (unsigned long)st.st_nlink);
    SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
    SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", 0x10));
    SHOW(link("s", "d"));
    SHOW(link("s", "none/x"));
    SHOW(link("s", "d/x"));
    SHOW(rmdir("d"));
    SHOW(unlink("d/x"));
    SHOW(rmdir("d"));
    SHOW(rmdir("d"));
    SHOW(rmdir("s"));
    SHOW(rmdir("."));
    SHOW(rmdir("/"));
    SHOW(unlink(""));
    SHOW(unlink("s/"));
    SHOW(unlink("s"));
    SHOW(unlink("s2"));
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd >= 0) {
        say("O_TMPFILE: links %ld", links(fd));
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
        say("links %ld", links(fd));
        SHOW(unlink("named"));
    }
    return done();
}
