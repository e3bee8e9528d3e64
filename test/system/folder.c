/* What test_share.py asks of a folder, by the first argument; the working directory is the folder.  Most of it is also done on this
 * machine, and must print the same. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../abi/abi.h"

/* Every call that would change something where nothing may be changed: "f", "d" (with "d/f") and "link" are there. */
static int read_only(void)
{
    struct timespec times[2] = {{1, 0}, {2, 0}};
    struct statvfs st;

    SHOW(open("f", O_WRONLY));
    SHOW(open("f", O_RDWR));
    SHOW(open("f", O_RDONLY | O_TRUNC));
    SHOW(open("f", O_RDWR | O_CREAT, 0600));
    SHOW(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW_OK(open("f", O_RDONLY | O_CREAT, 0600));
    SHOW(open("d", O_WRONLY));
    SHOW(open("d", O_RDWR | O_CREAT, 0600));
    SHOW(open("link", O_WRONLY | O_NOFOLLOW));
    SHOW(open("new", O_RDONLY));
    SHOW(open("new", O_RDONLY | O_CREAT, 0600));
    SHOW(open("new", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("none/new", O_RDWR | O_CREAT, 0600));
    SHOW(open("f/new", O_RDWR | O_CREAT, 0600));
    SHOW(mkdir("new", 0700));
    SHOW(mkdir("d", 0700));
    SHOW(mkdir("f/new", 0700));
    SHOW(mknod("new", S_IFREG | 0600, 0));
    SHOW(mknod("f", S_IFIFO | 0600, 0));
    SHOW(symlink("f", "new"));
    SHOW(symlink("f", "link"));
    SHOW(link("f", "new"));
    SHOW(link("f", "d"));
    SHOW(link("none", "new"));
    SHOW(unlink("f"));
    SHOW(unlink("none"));
    SHOW(unlink("d"));
    SHOW(rmdir("d"));
    SHOW(rmdir("f"));
    SHOW(rmdir("none"));
    SHOW(rename("f", "new"));
    SHOW(rename("f", "d"));
    SHOW(rename("none", "new"));
    SHOW(rename("d", "d/inside"));
    SHOW(chmod("f", 0600));
    SHOW(chmod("none", 0600));
    SHOW(chown("f", 0, 0));
    SHOW(lchown("link", 0, 0));
    SHOW(truncate("f", 0));
    SHOW(truncate("d", 0));
    SHOW(truncate("none", 0));
    SHOW(utimensat(AT_FDCWD, "f", times, 0));
    SHOW(utimensat(AT_FDCWD, "f", NULL, 0));
    SHOW(setxattr("f", "user.name", "x", 1, 0));
    SHOW(removexattr("f", "user.name"));
    SHOW(access("f", W_OK));
    SHOW(access("d", W_OK));
    SHOW(access("f", R_OK));
    SHOW(faccessat(AT_FDCWD, "d", W_OK | X_OK, AT_EACCESS));
    int fd = open("f", O_RDONLY);
    SHOW(fchmod(fd, 0600));
    SHOW(fchown(fd, 0, 0));
    SHOW(futimens(fd, NULL));
    SHOW(ftruncate(fd, 0));
    SHOW(write(fd, "x", 1));
    SHOW_OK(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    SHOW_OK(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    SHOW(fsync(fd));
    SHOW(statvfs(".", &st));
    say("read-only: %d", (st.f_flag & ST_RDONLY) != 0);
    return done();
}

/* The file system has no room.  "sparse" is a file of which nothing is there. */
static int no_space(void)
{
    static char block[60000];
    int fd = open("f", O_RDWR | O_CREAT, 0600), sparse = open("sparse", O_RDWR);

    while (write(fd, block, sizeof block) == (long)sizeof block)
        ;
    SHOW(write(fd, block, sizeof block));
    SHOW(pwrite(sparse, block, 1, 0));
    unsigned char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, sparse, 0);
    NEED(shared != MAP_FAILED);
    *shared = 1;
    SHOW(msync(shared, PAGE, MS_SYNC));
    SHOW(munmap(shared, PAGE));
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, sparse, 0);
    shared[1] = 1;
    SHOW(munmap(shared, PAGE));
    SHOW(fsync(sparse));
    SHOW(fsync(sparse));
    SHOW(ftruncate(fd, 0));
    SHOW(write(fd, block, sizeof block));
    return done();
}

/* Every file's contents. */
static int read_all(void)
{
    static unsigned char block[8192];
    unsigned long long nr = 0, bytes = 0, sum = 0;
    struct dirent *entry;
    DIR *dir = opendir(".");

    while ((entry = readdir(dir))) {
        int fd = entry->d_type == DT_REG ? open(entry->d_name, O_RDONLY) : -1;
        long n = -1;
        if (entry->d_type != DT_REG)
            continue;
        while ((n = read(fd, block, sizeof block)) > 0) {
            for (long i = 0; i < n; i++)
                sum += block[i];
            bytes += (unsigned long long)n;
        }
        CHECK(n == 0);
        close(fd);
        nr++;
    }
    closedir(dir);
    say("%llu files, %llu bytes, their sum is %llu", nr, bytes, sum);
    return done();
}

/* The same name, made again and again, while somebody else makes and removes it. */
static int create_again(int rounds)
{
    say("begin");
    for (int n = 0; n < rounds; n++) {
        int fd = open("f", O_RDWR | O_CREAT, 0600);
        if (CHECK(fd >= 0))
            close(fd);
    }
    return done();
}

/* Files that their own modes forbid to open again, by who is not root on this machine. */
static int made_read_only(void)
{
    char text[8];
    int fd;

    SHOW_OK(fd = open("appended", O_WRONLY | O_CREAT | O_APPEND, 0444));
    SHOW(write(fd, "one", 3));
    SHOW(pwrite(fd, "two", 3, 0));
    SHOW_OK(fd = open("read", O_RDWR | O_CREAT | O_EXCL, 0400));
    SHOW(write(fd, "three", 5));
    SHOW_OK(fd = open("none", O_RDWR | O_CREAT, 0));
    SHOW(write(fd, "four", 4));
    SHOW(pread(fd, text, 8, 0));
    SHOW(open("none", O_RDONLY));
    SHOW(open("read", O_WRONLY));
    SHOW(open("appended", O_WRONLY | O_APPEND));
    SHOW_OK(open("appended", O_RDONLY));
    SHOW(chmod("read", 0600));
    SHOW_OK(open("read", O_WRONLY | O_APPEND));
    SHOW(chown("read", 0, 0));
    return done();
}

/* Many open files, which the host renames and removes meanwhile; a line of stdin says when it has. */
static int open_many(int nr)
{
    int *fds = calloc((size_t)nr, sizeof *fds);
    char text[32];

    for (int n = 0; n < nr; n++) {
        snprintf(text, sizeof text, "f%d", n);
        NEED((fds[n] = open(text, O_RDWR | O_CREAT, 0600)) >= 0);
        NEED(write(fds[n], text, strlen(text)) == (long)strlen(text));
    }
    say("open");
    NEED(read(0, text, sizeof text) > 0);
    for (int n = 0; n < nr; n++) {
        char again[32] = "";
        snprintf(text, sizeof text, "f%d", n);
        CHECK(pread(fds[n], again, sizeof again - 1, 0) == (long)strlen(text));
        CHECK(strcmp(text, again) == 0);
        CHECK(write(fds[n], "+", 1) == 1);
    }
    return done();
}

/* What a link says and leads to, for each line of stdin. */
static int links(void)
{
    char line[16], target[PATH_MAX], text[64];

    while (read(0, line, sizeof line) > 0) {
        ssize_t len = readlink("link", target, sizeof target);
        int fd = open("link", O_RDONLY);
        ssize_t n = read(fd, text, sizeof text);
        say("%.*s: %.*s", (int)len, target, n < 0 ? 0 : (int)n, text);
        close(fd);
    }
    return done();
}

/* Names of the longest length and of strange bytes. */
static int names(void)
{
    char a[NAME_MAX + 2], b[NAME_MAX + 2];

    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[NAME_MAX + 1] = b[NAME_MAX + 1] = 0;
    SHOW(open(a, O_RDWR | O_CREAT, 0600));
    a[NAME_MAX] = b[NAME_MAX] = 0;
    SHOW_OK(open(a, O_RDWR | O_CREAT, 0600));
    SHOW(rename(a, b));
    SHOW(link(b, a));
    SHOW(unlink(b));
    SHOW(mkdir(b, 0700));
    SHOW(symlink(b, "to b"));
    SHOW(rename(a, "\n\t \\\"'*?[\x7f\xff\xfe\x80"));
    SHOW(mkdir("...", 0700));
    SHOW(mkdir("-rf", 0700));
    DIR *dir = opendir(".");
    struct dirent **list;
    int nr = scandir(".", &list, NULL, alphasort);
    for (int n = 0; n < nr; n++) {
        char hex[2 * NAME_MAX + 1] = "";
        for (const char *c = list[n]->d_name; *c; c++)
            sprintf(hex + strlen(hex), "%02x", (unsigned char)*c);
        say("%d %s", list[n]->d_type, hex);
    }
    closedir(dir);
    return done();
}

/* Beyond what 32 bits count: little is there, the rest is holes. */
static int large(void)
{
    static const off_t places[] = {0,          0x7ffffffe,  0x80000000,
                                   0xfffffffe, 0x100000000, 0x2345678901};
    char text[8];
    struct stat st;
    int fd = open("large", O_RDWR | O_CREAT | O_LARGEFILE, 0600);

    for (size_t n = 0; n < NR(places); n++)
        SHOW(pwrite(fd, "1234", 4, places[n]));
    for (size_t n = 0; n < NR(places); n++) {
        SHOW(pread(fd, text, 8, places[n]));
        say("%.4s %d", text, text[7]);
    }
    SHOW(fstat(fd, &st));
    say("%lld bytes", (long long)st.st_size);
    SHOW_OK(lseek(fd, -4, SEEK_END));
    SHOW(write(fd, "end", 3));
    unsigned char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, places[4]);
    NEED(shared != MAP_FAILED);
    say("%.4s", (char *)shared);
    memcpy(shared + 100, "stored", 6);
    SHOW(msync(shared, PAGE, MS_SYNC));
    SHOW(ftruncate(fd, places[4] + 103));
    say("%.3s %d", (char *)shared + 100, shared[103]);
    SHOW(fsync(fd));
    SHOW(ftruncate(fd, places[5]));
    SHOW(pread(fd, text, 8, places[4] + 99));
    return done();
}

/* What a mapping holds of one file leaves no room in the cache for the other. */
static int mapped_and_read(void)
{
    static char block[4096];
    struct stat st;
    long sum = 0, bytes = 0;
    ssize_t n;
    int mapped = open("mapped", O_RDONLY), other = open("other", O_RDONLY);

    NEED(mapped >= 0 && other >= 0 && !fstat(mapped, &st));
    char *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, mapped, 0);
    NEED(p != MAP_FAILED);
    for (long at = 0; at < st.st_size; at += 4096)
        sum += p[at];
    while ((n = read(other, block, sizeof block)) > 0)
        bytes += n;
    printf("%ld, %ld bytes\n", sum, bytes);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 0;

    if (!strcmp(what, "read-only"))
        return read_only();
    if (!strcmp(what, "no-space"))
        return no_space();
    if (!strcmp(what, "read-all"))
        return read_all();
    if (!strcmp(what, "mapped-and-read"))
        return mapped_and_read();
    if (!strcmp(what, "create-again"))
        return create_again(number);
    if (!strcmp(what, "made-read-only"))
        return made_read_only();
    if (!strcmp(what, "open-many"))
        return open_many(number);
    if (!strcmp(what, "links"))
        return links();
    if (!strcmp(what, "names"))
        return names();
    if (!strcmp(what, "large"))
        return large();
    return 2;
}
