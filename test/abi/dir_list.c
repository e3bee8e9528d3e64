/* Directories: listing, listing while they change, positions, counts of links, names of every
 * length. */
#include <dirent.h>

#include "abi.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned list(const char *path, bool print)
{
    static char *names[3000];
    unsigned n = 0;
    DIR *dir = opendir(path);
    struct dirent *e;

    NEED(dir != NULL);
    while ((e = readdir(dir)))
        names[n++] = strdup(e->d_name);
    closedir(dir);
    qsort(names, n, sizeof *names, compare);
    for (unsigned i = 0; i < n; i++) {
        if (print)
            say("  %s", names[i]);
        if (i)
            CHECK(strcmp(names[i], names[i - 1]) != 0);
    }
    for (unsigned i = 0; i < n; i++)
        free(names[i]);
    return n;
}

static void make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    NEED(fd >= 0);
    close(fd);
}

int main(void)
{
    char name[300];
    struct stat st;
    struct dirent *e;

    NEED(mkdir("d", 0755) == 0);
    make("d/file");
    NEED(mkdir("d/dir", 0755) == 0 && symlink("file", "d/link") == 0 &&
         mkfifo("d/fifo", 0600) == 0);
    list("d", true);
    DIR *dir = opendir("d");
    unsigned types = 0, inodes = 0;
    while ((e = readdir(dir))) {
        snprintf(name, sizeof name, "d/%s", e->d_name);
        lstat(name, &st);
        types += e->d_type == DT_UNKNOWN || e->d_type == (st.st_mode >> 12);
        if (strcmp(e->d_name, ".."))
            inodes += e->d_ino == st.st_ino;
    }
    say("types right: %u, inode numbers right: %u", types, inodes);
    rewinddir(dir);
    unsigned again = 0;
    while (readdir(dir))
        again++;
    say("after rewinddir: %u", again);
    closedir(dir);
    stat("d", &st);
    say("links of a directory with one in it: %lu", (unsigned long)st.st_nlink);

    NEED(mkdir("many", 0755) == 0);
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof name, "many/%d-%.*s", i, i % 200,
                 "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
        make(name);
    }
    say("many: %u", list("many", false));
    /* Removing what was just read: everything is seen once, and all of it goes. */
    dir = opendir("many");
    unsigned removed = 0;
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        CHECK(unlinkat(dirfd(dir), e->d_name, 0) == 0);
        removed++;
    }
    closedir(dir);
    say("removed while listing: %u, left: %u", removed, list("many", false));
    /* Adding while listing ends all the same. */
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "many/old%d", i);
        make(name);
    }
    dir = opendir("many");
    unsigned old = 0, added = 0;
    while ((e = readdir(dir))) {
        old += !strncmp(e->d_name, "old", 3);
        if (added < 100) {
            snprintf(name, sizeof name, "many/new%u", added++);
            make(name);
        }
    }
    closedir(dir);
    say("old ones seen: %u, in all: %u", old, list("many", false));
    /* The raw call: small buffers, wrong descriptors. */
    char buffer[4096];
    int fd = open("many", O_RDONLY | O_DIRECTORY), file = open("d/file", O_RDONLY);
    SHOW(syscall(SYS_getdents64, fd, buffer, 5));
    SHOW(syscall(SYS_getdents64, file, buffer, sizeof buffer));
    SHOW(syscall(SYS_getdents64, 99, buffer, sizeof buffer));
    SHOW(syscall(SYS_getdents64, fd, 8, 4096));
    say("something was read: %d", syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(rmdir("many"));
    dir = opendir("many");
    while ((e = readdir(dir)))
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    SHOW(rmdir("many"));
    rewinddir(dir);
    say("a removed directory lists nothing: %d", readdir(dir) == NULL);
    closedir(dir);
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("d/file/x", 0755));
    SHOW(mkdir("d/new/", 0755));
    SHOW(mkdir("none/x", 0755));
    SHOW(rmdir("d/new/"));
    unlink("d/file");
    unlink("d/link");
    unlink("d/fifo");
    rmdir("d/dir");
    SHOW(rmdir("d"));
    return done();
}
