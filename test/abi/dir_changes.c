/* getdents while the directory changes: every entry that stays is seen once, small buffers, going back, and
 * directories that are removed. */
#include <dirent.h>

#include "file_test.h"

#define FILES 200

struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

static int seen[FILES], others;

static int note(const struct entry *e)
{
    unsigned n;

    if (sscanf(e->name, "file%u", &n) == 1 && n < FILES)
        return seen[n]++, (int)n;
    others++;
    return -1;
}

static long list_some(int fd, size_t size)
{
    static char buf[65536] __attribute__((aligned(8)));
    long n = syscall(SYS_getdents64, fd, buf, size);

    for (long at = 0; at < n; at += ((struct entry *)(buf + at))->reclen)
        note((struct entry *)(buf + at));
    return n;
}

static void fill(void)
{
    char name[32];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file%d", i);
        make_file(name, "");
    }
}

static void say_seen(const char *what)
{
    int never = 0, twice = 0;

    for (int i = 0; i < FILES; i++) {
        never += seen[i] == 0;
        twice += seen[i] > 1;
    }
    say("%s: never %d, twice %d, others %d", what, never, twice, others);
    memset(seen, 0, sizeof seen);
    others = 0;
}

static void small_buffers(int fd)
{
    while (list_some(fd, 64) > 0)
        ;
    say_seen("a few at a time");
    SHOW(list_some(fd, 64));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(list_some(fd, 10)); /* not one fits */
    while (list_some(fd, sizeof(struct entry) + 20) > 0)
        ;
    say_seen("one at a time");
}

/* Removing what was just read must not hide what comes. */
static void remove_while_reading(int fd)
{
    char name[32];
    int removed = 0;

    NEED(lseek(fd, 0, SEEK_SET) == 0);
    while (list_some(fd, 200) > 0)
        for (int i = 0; i < FILES; i++)
            if (seen[i] == 1 && i % 2) {
                snprintf(name, sizeof name, "file%d", i);
                removed += unlink(name) == 0;
            }
    say("removed %d", removed);
    say_seen("while some are removed");
    fill();
    NEED(lseek(fd, 0, SEEK_SET) == 0);
    list_some(fd, 1000);
    make_file("another", "");
    NEED(rename("another", "yet another") == 0);
    while (list_some(fd, 1000) > 0)
        ;
    others = 0; /* a name that came while reading may be seen or not */
    say_seen("while one is added");
    unlink("yet another");
}

static void positions(void)
{
    DIR *dir = opendir(".");
    struct dirent *d;
    long where = 0;
    char name[256] = "";

    NEED(dir);
    for (int i = 0; i < 100; i++) {
        where = telldir(dir);
        NEED((d = readdir(dir)));
        strcpy(name, d->d_name);
    }
    while (readdir(dir))
        ;
    seekdir(dir, where);
    d = readdir(dir);
    say("the entry at a position told: %d", d && !strcmp(d->d_name, name));
    rewinddir(dir);
    int n = 0;
    while (readdir(dir))
        n++;
    say("all again: %d", n);
    closedir(dir);
}

static void removed(void)
{
    char buf[1000];

    NEED(mkdir("gone", 0755) == 0);
    int fd = open("gone", O_RDONLY | O_DIRECTORY);
    NEED(rmdir("gone") == 0);
    SHOW(syscall(SYS_getdents64, fd, buf, sizeof buf));
    SHOW(openat(fd, "x", O_CREAT | O_RDWR, 0600));
    SHOW(openat(fd, ".", O_RDONLY) >= 0);
    struct stat st;
    NEED(fstat(fd, &st) == 0);
    say("links %d", (int)st.st_nlink);
    close(fd);
}

int main(void)
{
    enter_test_dir("changes");
    fill();
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    NEED(fd >= 0);
    while (list_some(fd, 65536) > 0)
        ;
    say_seen("at once");
    NEED(lseek(fd, 0, SEEK_SET) == 0);
    small_buffers(fd);
    remove_while_reading(fd);
    positions();
    removed();
    return done();
}
