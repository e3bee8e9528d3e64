/* What build tools do in their trees: stat everything twice, replace outputs, set times, lock, flush, and list a directory
 * that changes. */
#include "file_test.h"

#include <dirent.h>
#include <sys/file.h>

enum { DEPTH = 12, SOURCES = 300, ENTRIES = 1000 };

static char path[PATH_MAX];

/* Source number `n`, somewhere below "deep". */
static const char *source(unsigned n)
{
    size_t len = (size_t)snprintf(path, sizeof path, "deep");
    for (unsigned k = 0; k < n % DEPTH; k++)
        len += (size_t)snprintf(path + len, sizeof path - len, "/level-%u", k);
    snprintf(path + len, sizeof path - len, "/source%u.c", n);
    return path;
}

static void make_sources(void)
{
    size_t len = 4;
    CHECK(mkdir("deep", 0755) == 0);
    strcpy(path, "deep");
    for (unsigned k = 0; k < DEPTH; k++) {
        len += (size_t)snprintf(path + len, sizeof path - len, "/level-%u", k);
        CHECK(mkdir(path, 0755) == 0);
    }
    for (unsigned n = 0; n < SOURCES; n++) {
        int fd = open(source(n), O_WRONLY | O_CREAT | O_EXCL, 0644);
        for (unsigned k = 0; k < n % 40; k++)
            CHECK(write(fd, "int x;\n", 7) == 7);
        struct timespec times[2] = {{1000000 + n, 1}, {2000000 + n, 123456789}};
        CHECK(futimens(fd, times) == 0);
        close(fd);
    }
}

/* By every way there is; the second time some of it may come from memory. */
static void stat_sources(void)
{
    static ino_t numbers[SOURCES];
    int deep = open("deep", O_PATH | O_DIRECTORY);
    for (unsigned n = 0; n < 2 * SOURCES; n++) {
        unsigned file = n % SOURCES;
        struct stat a, b, c, d;
        int fd = open(source(file), O_RDONLY);
        CHECK(stat(path, &a) == 0);
        CHECK(lstat(path, &b) == 0);
        CHECK(fstat(fd, &c) == 0);
        CHECK(fstatat(deep, path + 5, &d, 0) == 0);
        close(fd);
        CHECK(a.st_ino == b.st_ino && a.st_ino == c.st_ino && a.st_ino == d.st_ino);
        CHECK(a.st_size == (off_t)(file % 40 * 7) && c.st_size == a.st_size &&
              d.st_size == a.st_size);
        CHECK(a.st_mtim.tv_sec == 2000000 + (time_t)file && a.st_mtim.tv_nsec == 123456789);
        CHECK(c.st_mtim.tv_nsec == a.st_mtim.tv_nsec && d.st_mtim.tv_sec == a.st_mtim.tv_sec);
        CHECK(a.st_mode == (S_IFREG | 0644) && a.st_nlink == 1);
        CHECK(n < SOURCES || numbers[file] == a.st_ino);
        numbers[file] = a.st_ino;
    }
    close(deep);
}

static void remove_sources(void)
{
    for (unsigned n = 0; n < SOURCES; n++)
        CHECK(unlink(source(n)) == 0);
    for (unsigned k = DEPTH + 1; k-- > 0;) {
        size_t len = 4;
        strcpy(path, "deep");
        for (unsigned level = 0; level < k; level++)
            len += (size_t)snprintf(path + len, sizeof path - len, "/level-%u", level);
        CHECK(rmdir(path) == 0);
    }
}

static void write_whole(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    SHOW(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(fchmod(fd, 0755));
    close(fd);
}

/* A new output takes the old one's name; whoever has the old one open keeps it. */
static void replace_output(void)
{
    struct stat before, after;
    char text[16] = "";
    write_whole("output", "old");
    int old = open("output", O_RDONLY);
    SHOW(fstat(old, &before));
    write_whole("output.tmp", "newer");
    SHOW(rename("output.tmp", "output"));
    SHOW(stat("output.tmp", &after));
    SHOW(stat("output", &after));
    printf("size %d, mode %o, another file: %d\n", (int)after.st_size, after.st_mode,
           before.st_ino != after.st_ino);
    SHOW(pread(old, text, sizeof text, 0));
    puts(text);
    SHOW(fstat(old, &before));
    printf("size %d, links %d\n", (int)before.st_size, (int)before.st_nlink);
    close(old);
    int fd = open("output", O_RDONLY);
    memset(text, 0, sizeof text);
    SHOW(read(fd, text, sizeof text));
    puts(text);
    close(fd);
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(fsync(dir));
    SHOW(syncfs(dir));
    close(dir);
}

static void show_times(const char *name)
{
    struct stat st;
    CHECK(stat(name, &st) == 0);
    printf("%s: %lld.%09ld %lld.%09ld\n", name, (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void set_times(void)
{
    struct timespec both[2] = {{1, 999999999}, {1700000000, 5}},
                    some[2] = {{0, UTIME_OMIT}, {7, 8}};
    struct stat st;
    struct timespec now;
    SHOW(utimensat(AT_FDCWD, "output", both, 0));
    show_times("output");
    SHOW(utimensat(AT_FDCWD, "output", some, 0));
    show_times("output");
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    SHOW(utimensat(AT_FDCWD, "output", NULL, 0));
    CHECK(stat("output", &st) == 0);
    CHECK(st.st_mtim.tv_sec >= now.tv_sec - 1 && st.st_mtim.tv_sec <= now.tv_sec + 60);
    /* Contents that are in memory are still the file's. */
    char text[16] = "";
    int fd = open("output", O_RDWR);
    SHOW(read(fd, text, sizeof text));
    SHOW(ftruncate(fd, 2));
    CHECK(fstat(fd, &st) == 0 && st.st_size == 2);
    SHOW(ftruncate(fd, 4));
    SHOW(pread(fd, text, sizeof text, 0));
    CHECK(!memcmp(text, "ne\0\0", 4));
    close(fd);
}

/* As Go's build cache: one lock for a file, shared or not, which goes with the descriptor. */
static void lock(void)
{
    int a = open("lock", O_RDWR | O_CREAT, 0666), b = open("lock", O_RDWR | O_CREAT, 0666);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    SHOW(flock(a, LOCK_SH));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(a, LOCK_UN));
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(a, LOCK_SH | LOCK_NB));
    close(b);
    SHOW(flock(a, LOCK_EX | LOCK_NB));
    b = open("lock", O_RDWR);
    SHOW(fcntl(a, F_OFD_SETLK, &whole));
    SHOW(fcntl(b, F_OFD_SETLK, &whole));
    whole.l_type = F_UNLCK;
    SHOW(fcntl(a, F_OFD_SETLK, &whole));
    whole.l_type = F_RDLCK;
    SHOW(fcntl(b, F_OFD_SETLK, &whole));
    close(a);
    close(b);
    SHOW(unlink("lock"));
}

static void long_names(void)
{
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0);
    close(fd);
    SHOW(access(name, F_OK));
    SHOW(unlink(name));
    name[255] = 'n';
    name[256] = 0;
    SHOW(open(name, O_RDWR | O_CREAT, 0644));
    SHOW(access(name, F_OK));
    SHOW(rename("output", name));
}

/* Every old entry is seen once, whatever comes and goes. */
static void list_changing(void)
{
    static unsigned char seen[ENTRIES];
    unsigned once = 0, others = 0;
    SHOW(mkdir("many", 0755));
    for (unsigned n = 0; n < ENTRIES; n++) {
        snprintf(path, sizeof path, "many/old%u", n);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        CHECK(fd >= 0);
        close(fd);
    }
    DIR *dir = opendir("many");
    struct dirent *e;
    for (unsigned n = 0; (e = readdir(dir)) != NULL; n++) {
        unsigned number;
        if (sscanf(e->d_name, "old%u", &number) == 1 && number < ENTRIES)
            seen[number]++;
        else
            others++;
        if (n < ENTRIES / 4) {
            snprintf(path, sizeof path, "many/new%u", n);
            int fd = open(path, O_WRONLY | O_CREAT, 0644);
            CHECK(fd >= 0);
            close(fd);
            if (n % 2)
                CHECK(unlink(path) == 0);
        }
    }
    for (unsigned n = 0; n < ENTRIES; n++)
        once += seen[n] == 1;
    CHECK(others >= 2 && others <= 2 + ENTRIES / 4);
    printf("seen once: %u\n", once);
    /* As rm -r: removed as they are listed. */
    rewinddir(dir);
    unsigned removed = 0;
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            removed += unlinkat(dirfd(dir), e->d_name, 0) == 0;
    printf("removed: %u\n", removed);
    SHOW(rmdir("many"));
    rewinddir(dir);
    errno = 0;
    CHECK(readdir(dir) == NULL);
    printf("a removed directory: %s\n", strerror(errno));
    closedir(dir);
}

int main(void)
{
    umask(022);
    make_sources();
    stat_sources();
    remove_sources();
    replace_output();
    set_times();
    lock();
    long_names();
    list_changing();
    SHOW(unlink("output"));
    return 0;
}
