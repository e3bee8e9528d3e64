/* Reading directories, also while they change. */
#include "file_test.h"

#include <dirent.h>

struct dirent64_k {
    uint64_t ino;
    int64_t off;
    unsigned short len;
    unsigned char type;
    char name[];
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every name, sorted, with its type. */
static void show_dir(const char *name)
{
    static char text[200][64];
    char *lines[200];
    unsigned n = 0;
    DIR *d = opendir(name);
    NEED(d);
    struct dirent *e;
    while ((e = readdir(d)) && n < 200) {
        snprintf(text[n], sizeof text[n], "%.50s:%d", e->d_name, e->d_type);
        lines[n] = text[n];
        n++;
    }
    closedir(d);
    qsort(lines, n, sizeof *lines, compare);
    say("%s: %u", name, n);
    for (unsigned k = 0; k < n; k++)
        say("  %s", lines[k]);
}

static void test_types(void)
{
    mkdir("types", 0755);
    make_file("types/file", "");
    mkdir("types/dir", 0755);
    symlink("x", "types/link");
    mkfifo("types/fifo", 0644);
    mknod("types/sock", S_IFSOCK | 0644, 0);
    show_dir("types");
    unlink("types/file");
    rename("types/fifo", "types/renamed");
    show_dir("types");
    struct stat st;
    stat("types", &st);
    say("size %ld, links %ld", (long)st.st_size, (long)st.st_nlink);
}

static long read_entries(int fd, void *buf, size_t size)
{
    return syscall(SYS_getdents64, fd, buf, size);
}

static void test_raw(void)
{
    char buf[4096];
    mkdir("raw", 0755);
    make_file("raw/name", "");
    int fd = open("raw", O_RDONLY);
    SHOW(read_entries(fd, buf, 10));
    SHOW(read_entries(fd, buf, 24));
    SHOW(((struct dirent64_k *)buf)->len);
    SHOW(read_entries(fd, buf, 4096));
    SHOW(read_entries(fd, buf, 4096));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read_entries(fd, buf, 4096));
    SHOW(read_entries(fd, (void *)8, 4096));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read_entries(fd, (void *)8, 4096));
    SHOW(syscall(SYS_getdents, fd, buf, 4096));
    say("type of the first: %d", buf[*(unsigned short *)(buf + 2 * sizeof(long)) - 1]);
    SHOW(lseek(fd, 0, SEEK_END) == -1);
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(read_entries(open("raw/name", O_RDONLY), buf, 4096));
    SHOW(read_entries(99, buf, 4096));
    SHOW(read_entries(open("raw", O_PATH), buf, 4096));
    SHOW(unlink("raw/name"));
    SHOW(rmdir("raw"));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read_entries(fd, buf, 4096));
}

enum { MANY = 1500 };

/* Remove everything while reading, in small pieces. */
static void test_remove_while_reading(void)
{
    char name[64], buf[300];
    unsigned seen = 0;
    mkdir("many", 0755);
    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "many/file%d", n);
        make_file(name, "");
    }
    int fd = open("many", O_RDONLY);
    for (;;) {
        long n = read_entries(fd, buf, sizeof buf);
        NEED(n >= 0);
        if (n == 0)
            break;
        for (char *p = buf; p < buf + n; p += ((struct dirent64_k *)p)->len) {
            struct dirent64_k *e = (void *)p;
            if (e->name[0] == '.')
                continue;
            seen++;
            NEED(unlinkat(fd, e->name, 0) == 0);
        }
    }
    say("seen %u", seen);
    SHOW(rmdir("many"));
}

/* Rename everything while reading: each file is met, and it ends. */
static void test_rename_while_reading(void)
{
    static bool met[MANY];
    char name[64], buf[300];
    unsigned steps = 0;
    mkdir("moving", 0755);
    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "moving/%d", n);
        make_file(name, "");
    }
    int fd = open("moving", O_RDONLY);
    while (steps < 10 * MANY) {
        long n = read_entries(fd, buf, sizeof buf);
        NEED(n >= 0);
        if (n == 0)
            break;
        for (char *p = buf; p < buf + n; p += ((struct dirent64_k *)p)->len) {
            struct dirent64_k *e = (void *)p;
            if (e->name[0] == '.')
                continue;
            steps++;
            met[atoi(e->name)] = true;
            snprintf(name, sizeof name, "%d.%u", atoi(e->name), steps);
            NEED(renameat(fd, e->name, fd, name) == 0);
        }
    }
    unsigned nr = 0;
    for (int n = 0; n < MANY; n++)
        nr += met[n];
    say("met %u, ends: %d", nr, steps < 10 * MANY);
}

static void test_positions(void)
{
    char name[64];
    long where[40];
    mkdir("pos", 0755);
    for (int n = 0; n < 40; n++) {
        snprintf(name, sizeof name, "pos/f%d", n);
        make_file(name, "");
    }
    DIR *d = opendir("pos");
    char names[42][64];
    int n = 0;
    struct dirent *e;
    for (; (e = readdir(d)); n++)
        strcpy(names[n], e->d_name);
    rewinddir(d);
    for (n = 0; n < 40; n++) {
        where[n] = telldir(d);
        readdir(d);
    }
    unsigned good = 0;
    for (n = 39; n >= 0; n -= 7) {
        seekdir(d, where[n]);
        e = readdir(d);
        good += e && strcmp(e->d_name, names[n]) == 0;
    }
    say("positions found again: %u", good);
    snprintf(name, sizeof name, "pos/%s", names[20]);
    unlink(name);
    seekdir(d, where[20]);
    e = readdir(d);
    say("behind a removed one: %d", e && strcmp(e->d_name, names[21]) == 0);
}

int main(void)
{
    enter_test_dir("file_directories");
    test_types();
    test_raw();
    test_remove_while_reading();
    test_rename_while_reading();
    test_positions();
    return done();
}
