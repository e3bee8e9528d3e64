/* O_TMPFILE: files without a name, given one by linkat through /proc/self/fd or AT_EMPTY_PATH, or never. */
#include <sys/statvfs.h>

#include "file_test.h"

static void say_file(const char *what, int fd)
{
    struct stat st;

    NEED(fstat(fd, &st) == 0);
    say("%s: mode %o, links %d, size %d", what, st.st_mode, (int)st.st_nlink, (int)st.st_size);
}

static int link_fd(int fd, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static void named_later(void)
{
    char text[8] = "";
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);

    NEED(fd >= 0);
    say_file("new", fd);
    SHOW(write(fd, "hello", 5));
    SHOW(link_fd(fd, "name"));
    say_file("named", fd);
    SHOW(link_fd(fd, "name"));
    SHOW(link_fd(fd, "second"));
    SHOW(linkat(fd, "", AT_FDCWD, "third", AT_EMPTY_PATH));
    say_file("three names", fd);
    int again = open("name", O_RDONLY);
    SHOW(read(again, text, 5));
    say("it holds: %s", text);
    SHOW(unlink("name"));
    SHOW(unlink("second"));
    SHOW(unlink("third"));
    say_file("no name again", fd);
    SHOW(link_fd(fd, "back")); /* once it had names and lost them, it is gone */
    SHOW(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
    close(again);
    close(fd);
}

static void never_named(void)
{
    int fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);

    NEED(fd >= 0);
    SHOW(link_fd(fd, "name"));
    SHOW(linkat(fd, "", AT_FDCWD, "name", AT_EMPTY_PATH));
    SHOW(fcntl(fd, F_GETFL) & (O_TMPFILE & ~O_DIRECTORY) ? 1 : 0);
    char path[64], target[200];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    NEED(n > 0);
    target[n] = 0;
    say("called deleted: %d", strstr(target, " (deleted)") != NULL);
    int other = open(path, O_RDONLY); /* opened again by its link */
    SHOW(write(fd, "x", 1));
    say_file("through another descriptor", other);
    close(other);
    close(fd);
}

static void refused(void)
{
    make_file("file", "");
    NEED(mkdir("dir", 0755) == 0);
    static const struct {
        const char *path;
        int flags;
    } tries[] = {
        {".", O_TMPFILE | O_RDONLY},           {".", O_TMPFILE | O_WRONLY | O_CREAT},
        {"file", O_TMPFILE | O_RDWR},          {"nothing", O_TMPFILE | O_RDWR},
        {"dir/", O_TMPFILE | O_RDWR},          {".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR},
        {"dir", O_TMPFILE | O_RDWR | O_TRUNC}, {"dir", O_TMPFILE | O_WRONLY | O_NOFOLLOW},
        {"/proc", O_TMPFILE | O_RDWR},         {"dir", O_TMPFILE | O_RDWR | O_PATH},
    };
    for (size_t i = 0; i < NR(tries); i++) {
        errno = 0;
        int fd = open(tries[i].path, tries[i].flags, 0600);
        say("open %zu: %s", i, fd < 0 ? strerror(errno) : "good");
        if (fd >= 0)
            close(fd);
    }
}

static void ordinary_files(void)
{
    int fd = open("file", O_RDWR);

    SHOW(unlink("file"));
    SHOW(link_fd(fd, "back")); /* only what began without a name can be given one */
    SHOW(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
    int dir = open("dir", O_RDONLY);
    SHOW(linkat(dir, "", AT_FDCWD, "back", AT_EMPTY_PATH));
    SHOW(link_fd(dir, "back"));
    SHOW(rmdir("dir"));
}

int main(void)
{
    enter_test_dir("tmpfile");
    named_later();
    never_named();
    refused();
    ordinary_files();
    return done();
}
