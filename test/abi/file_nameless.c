/* Open files and directories that lose their names, while others take them: what is done through the descriptor meets
 * the file that was opened, and no other. */
#include <sys/mman.h>
#include <sys/stat.h>

#include "file_test.h"

static void show_stat(const char *what, const char *text, ssize_t n, const struct stat *st)
{
    say("%s: \"%.*s\" mode %o, size %ld, links %d, %s", what, (int)n, text, st->st_mode,
        (long)st->st_size, (int)st->st_nlink, st->st_mtime == 7 ? "seconds 7" : "a time of now");
}

static void show_file(const char *name)
{
    char text[64];
    struct stat st;
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (n < 0 || fstat(fd, &st))
        say("%s: %s", name, strerror(errno));
    else
        show_stat(name, text, n, &st);
    close(fd);
}

static void show_open(int fd)
{
    char text[64];
    struct stat st;
    ssize_t n = pread(fd, text, sizeof text, 0);

    NEED(n >= 0 && fstat(fd, &st) == 0);
    for (ssize_t i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : '0';
    show_stat("opened", text, n, &st);
}

static void unlinked(void)
{
    const struct timespec times[2] = {{5, 6}, {7, 8}};

    say("-- unlinked");
    make_file("a", "old text");
    int fd = open("a", O_RDWR), log = open("a", O_WRONLY | O_APPEND);
    SHOW(unlink("a"));
    make_file("a", "the other");
    SHOW(fchmod(fd, 0600));
    SHOW(futimens(fd, times));
    show_open(fd);
    SHOW(ftruncate(fd, 3));
    show_open(fd);
    SHOW(ftruncate(fd, 12));
    show_open(fd);
    SHOW(ftruncate(fd, 5));
    SHOW(write(log, "end", 3));
    SHOW(pwrite(fd, "O", 1, 0));
    show_open(fd);
    SHOW(fsync(fd));
    SHOW(fchown(fd, 0, 0));
    show_file("a");
    close(fd);
    close(log);
}

static void replaced(void)
{
    say("-- replaced by a rename");
    make_file("b", "victim");
    make_file("c", "winner");
    int fd = open("b", O_RDWR);
    SHOW(rename("c", "b"));
    SHOW(ftruncate(fd, 2));
    SHOW(fchmod(fd, 0700));
    SHOW(pwrite(fd, "V", 1, 0));
    show_open(fd);
    show_file("b");
    close(fd);
}

static void moved(void)
{
    say("-- moved");
    make_file("d", "moving");
    NEED(mkdir("dir1", 0755) == 0);
    make_file("dir1/f", "in a directory");
    int fd = open("d", O_RDWR), inside = open("dir1/f", O_RDWR);
    SHOW(rename("d", "e"));
    make_file("d", "the other");
    SHOW(rename("dir1", "dir2"));
    NEED(mkdir("dir1", 0755) == 0);
    make_file("dir1/f", "the other");
    SHOW(ftruncate(fd, 3));
    SHOW(fchmod(fd, 0600));
    SHOW(ftruncate(inside, 4));
    SHOW(fchmod(inside, 0600));
    show_file("d");
    show_file("e");
    show_file("dir1/f");
    show_file("dir2/f");
    close(fd);
    close(inside);
}

static void linked(void)
{
    say("-- one of two names gone");
    make_file("h1", "linked");
    NEED(link("h1", "h2") == 0);
    int fd = open("h1", O_RDWR);
    SHOW(unlink("h1"));
    make_file("h1", "the other");
    SHOW(ftruncate(fd, 4));
    SHOW(fchmod(fd, 0600));
    show_file("h1");
    show_file("h2");
    SHOW(rename("h1", "h2"));
    SHOW(fchmod(fd, 0640));
    show_file("h2");
    show_open(fd);
    close(fd);
}

static void mapped(void)
{
    char path[64], c;

    say("-- grown and mapped, as a temporary file");
    int fd = open("t", O_RDWR | O_CREAT | O_EXCL, 0600);
    SHOW(unlink("t"));
    SHOW(ftruncate(fd, 10000));
    char *bytes = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(bytes != MAP_FAILED);
    bytes[9999] = 'z';
    SHOW(pread(fd, &c, 1, 9999) == 1 && c == 'z');
    SHOW(msync(bytes, 10000, MS_SYNC));
    SHOW(ftruncate(fd, 5000));
    SHOW(ftruncate(fd, 10000));
    SHOW(bytes[9999]);
    SHOW(munmap(bytes, 10000));
    SHOW(lseek(fd, 0, SEEK_END));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR);
    SHOW(pwrite(again, "!", 1, 0));
    SHOW(pread(fd, &c, 1, 0) == 1 && c == '!');
    close(again);
    close(fd);
}

static void directory(void)
{
    say("-- a directory");
    NEED(mkdir("gone", 0755) == 0);
    int dir = open("gone", O_RDONLY | O_DIRECTORY);
    NEED(dir >= 0 && rmdir("gone") == 0 && mkdir("gone", 0755) == 0);
    make_file("gone/x", "x");
    SHOW(openat(dir, "x", O_RDONLY));
    SHOW(openat(dir, "y", O_CREAT | O_RDWR, 0600));
    SHOW(mkdirat(dir, "z", 0755));
    SHOW(unlinkat(dir, "x", 0));
    SHOW(symlinkat("target", dir, "s"));
    SHOW(linkat(AT_FDCWD, "a", dir, "l", 0));
    SHOW(renameat(AT_FDCWD, "a", dir, "a"));
    SHOW(fchmod(dir, 0700));
    SHOW(access("gone/x", F_OK));
    SHOW(access("gone/y", F_OK));
    close(dir);
}

/* A file that only a path holds, or a working directory, is not open on the host: the next one may get its number. */
static void numbers(void)
{
    say("-- held, but not opened");
    make_file("held", "old text");
    int path = open("held", O_PATH), back = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(unlink("held"));
    make_file("next", "the other");
    show_file("next");
    SHOW(chmod("next", 0600));
    SHOW(truncate("next", 3));
    SHOW(link("next", "linked"));
    show_file("linked");
    close(path);
    NEED(symlink("here", "link") == 0);
    path = open("link", O_PATH | O_NOFOLLOW);
    NEED(unlink("link") == 0 && symlink("there", "link") == 0);
    char target[8] = "";
    say("a link that is gone leads there: %d", readlinkat(path, "", target, sizeof target) == 5);
    close(path);
    NEED(mkdir("in", 0755) == 0 && chdir("in") == 0);
    SHOW(rmdir("../in"));
    SHOW(mkdir("../in", 0755));
    make_file("../in/f", "new");
    show_file("../in/f");
    SHOW(open("f", O_RDONLY));
    SHOW(chdir("../in"));
    SHOW(fchdir(back));
    SHOW(chdir("in"));
    show_file("f");
    SHOW(fchdir(back));
    close(back);
}

/* What is written at a place goes there, even if the file was opened to append. */
static void appending(void)
{
    say("-- opened to append");
    make_file("log", "old text");
    int log = open("log", O_RDWR | O_APPEND);
    char *bytes = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
    NEED(bytes != MAP_FAILED);
    bytes[0] = 'M';
    SHOW(msync(bytes, 8, MS_SYNC));
    SHOW(munmap(bytes, 8));
    show_file("log");
    SHOW(fcntl(log, F_SETFL, 0));
    SHOW(pwrite(log, "P", 1, 1));
    show_file("log");
    close(log);
    make_file("log2", "old text");
    log = open("log2", O_RDWR | O_APPEND);
    bytes = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
    int fd = open("log2", O_RDWR);
    SHOW(unlink("log2"));
    SHOW(pwrite(fd, "P", 1, 1));
    show_open(fd);
    SHOW(munmap(bytes, 8));
    close(fd);
    close(log);
}

/* A hole costs nothing, to make or to take away. */
static void vast(void)
{
    say("-- vast");
    int fd = open("vast", O_RDWR | O_CREAT | O_EXCL, 0600);
    SHOW(unlink("vast"));
    SHOW(write(fd, "text", 4));
    SHOW(ftruncate(fd, (off_t)1 << (sizeof(off_t) == 8 ? 40 : 30)));
    SHOW(ftruncate(fd, 2));
    SHOW(ftruncate(fd, 6));
    show_open(fd);
    close(fd);
}

int main(void)
{
    enter_test_dir("work");
    unlinked();
    replaced();
    moved();
    linked();
    mapped();
    directory();
    numbers();
    appending();
    vast();
    return done();
}
