/* inotify(7): which events come, in which order. */
#include "file_test.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;

static void show(const char *what)
{
    static const char *const names[] = {
        "ACCESS",     "MODIFY",   "ATTRIB",     "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
        "MOVED_FROM", "MOVED_TO", "CREATE",     "DELETE",      "DELETE_SELF",   "MOVE_SELF",
        "",           "UNMOUNT",  "Q_OVERFLOW", "IGNORED"};
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n;
    say("%s:", what);
    while ((n = read(in, buf, sizeof buf)) > 0)
        for (char *p = buf; p < buf + n;) {
            struct inotify_event *e = (void *)p;
            int bit = __builtin_ctz(e->mask);
            say("  %d %s%s%s %u %s", e->wd, bit < 16 ? names[bit] : "?",
                e->mask & IN_ISDIR ? " dir" : "", e->cookie ? " cookie" : "", e->len,
                e->len ? e->name : "");
            p += sizeof *e + e->len;
        }
}

int main(void)
{
    char c;
    enter_test_dir("file_inotify");
    in = inotify_init1(IN_NONBLOCK);
    NEED(in >= 0);
    mkdir("d", 0755);
    SHOW(inotify_add_watch(in, ".", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(in, "d", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(in, ".", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(in, ".", IN_ALL_EVENTS | IN_MASK_CREATE));
    SHOW(inotify_add_watch(in, "missing", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(in, ".", 0));
    SHOW(inotify_add_watch(0, ".", IN_OPEN));
    SHOW(inotify_add_watch(99, ".", IN_OPEN));
    struct pollfd p = {in, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    int fd = open("d/file", O_CREAT | O_RDWR, 0644);
    SHOW(poll(&p, 1, 0));
    int bytes;
    SHOW(ioctl(in, FIONREAD, &bytes));
    say("%d bytes", bytes);
    SHOW(read(in, &c, 1));
    show("create");
    SHOW(inotify_add_watch(in, "d/file", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(in, "d/file", IN_ONLYDIR | IN_OPEN));
    write(fd, "text", 4);
    show("write");
    write(fd, "text", 4);
    write(fd, "text", 4);
    show("two writes are one event");
    pread(fd, &c, 1, 0);
    show("read");
    ftruncate(fd, 1);
    show("ftruncate");
    fchmod(fd, 0600);
    show("chmod");
    utimensat(AT_FDCWD, "d/file", NULL, 0);
    show("utimensat");
    close(open("d/file", O_WRONLY | O_TRUNC));
    show("open with O_TRUNC");
    link("d/file", "d/other");
    show("link");
    rename("d/other", "moved");
    show("rename to another directory");
    mkdir("sub", 0755);
    rename("sub", "d/sub");
    show("mkdir, rename a directory");
    close(open("d", O_RDONLY));
    show("open a directory");
    symlink("x", "d/link");
    mkfifo("d/fifo", 0600);
    show("symlink, fifo");
    make_file("d/victim", "");
    show("another");
    rename("d/victim", "d/file");
    show("rename over");
    unlink("moved");
    show("unlink the last name of an open file");
    close(fd);
    show("close it");
    rmdir("d/sub");
    show("rmdir");
    SHOW(inotify_add_watch(in, "d/file", IN_OPEN | IN_ONESHOT));
    close(open("d/file", O_RDONLY));
    close(open("d/file", O_RDONLY));
    show("one shot");
    rename("d", "e");
    show("rename the watched directory");
    SHOW(inotify_rm_watch(in, 2));
    SHOW(inotify_rm_watch(in, 2));
    show("removed");
    return done();
}
