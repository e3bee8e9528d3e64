/* fallocate(2), holes, O_TMPFILE, O_DIRECT: where the bytes of a file are. */
#include "file_test.h"

#ifndef FALLOC_FL_COLLAPSE_RANGE
#define FALLOC_FL_COLLAPSE_RANGE 8
#define FALLOC_FL_ZERO_RANGE     16
#define FALLOC_FL_INSERT_RANGE   32
#endif

static void state(int fd)
{
    struct stat st;
    NEED(fstat(fd, &st) == 0);
    say("  size %ld, blocks %ld", (long)st.st_size, (long)st.st_blocks);
}

static void test_allocate(void)
{
    say("-- fallocate");
    int fd = open("a", O_CREAT | O_RDWR, 0600), ro = open("a", O_RDONLY), p[2],
        dir = open(".", O_RDONLY);
    char buf[PAGE];
    NEED(pipe(p) == 0);
    SHOW(fallocate(fd, 0, 0, 3 * PAGE));
    state(fd);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * PAGE, PAGE));
    state(fd);
    memset(buf, 'x', PAGE);
    NEED(pwrite(fd, buf, PAGE, 0) == PAGE && pwrite(fd, buf, PAGE, PAGE) == PAGE);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, PAGE));
    state(fd);
    NEED(pread(fd, buf, PAGE, 0) == PAGE);
    say("%d %d", buf[99], buf[100]);
    NEED(pread(fd, buf, PAGE, PAGE) == PAGE);
    say("%d %d", buf[99], buf[100]);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * PAGE));
    state(fd);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE));
    SHOW(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE));
    SHOW(fallocate(fd, 0x1000, 0, PAGE));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(fd, 0, -1, 5));
    SHOW(fallocate(fd, 0, 5, -1));
    SHOW(fallocate(fd, 0, INT64_MAX, 5));
    SHOW(fallocate(ro, 0, 0, 5));
    SHOW(fallocate(p[1], 0, 0, 5));
    SHOW(fallocate(dir, 0, 0, 5));
    SHOW(fallocate(99, 0, 0, 5));
    SHOW(fallocate(open("/dev/null", O_RDWR), 0, 0, 5));
    SHOW(posix_fallocate(fd, 0, 10));
}

static void test_holes(void)
{
    say("-- holes");
    int fd = open("h", O_CREAT | O_RDWR, 0600);
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(ftruncate(fd, 10 * PAGE));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 5, SEEK_HOLE));
    NEED(pwrite(fd, "x", 1, 3 * PAGE + 7) == 1);
    NEED(pwrite(fd, "x", 1, 6 * PAGE) == 1);
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 3 * PAGE + 9, SEEK_DATA));
    SHOW(lseek(fd, 3 * PAGE, SEEK_HOLE));
    SHOW(lseek(fd, 4 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, 7 * PAGE, SEEK_DATA));
    SHOW(lseek(fd, 7 * PAGE, SEEK_HOLE));
    SHOW(lseek(fd, 6 * PAGE + 1, SEEK_HOLE));
    SHOW(lseek(fd, 10 * PAGE, SEEK_HOLE));
    SHOW(lseek(fd, 10 * PAGE - 1, SEEK_HOLE));
    SHOW(lseek(fd, -1, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 0, 5));
    state(fd);
    SHOW(ftruncate(fd, 6 * PAGE + 1));
    SHOW(lseek(fd, 6 * PAGE, SEEK_HOLE));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    CHECK(p[5] == 0);
    SHOW(lseek(fd, 0, SEEK_HOLE));
    p[5] = 1;
    SHOW(lseek(fd, 0, SEEK_DATA));
    state(fd);
}

static void test_nameless(void)
{
    say("-- O_TMPFILE");
    struct stat st;
    char path[64];
    int fd = open(".", O_TMPFILE | O_RDWR, 0640),
        alone = open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
    SHOW(write(fd, "text", 4));
    NEED(fstat(fd, &st) == 0);
    say("mode %o, links %lu", st.st_mode, (unsigned long)st.st_nlink);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    SHOW(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
    NEED(fstat(fd, &st) == 0);
    say("links %lu", (unsigned long)st.st_nlink);
    SHOW(linkat(alone, "", AT_FDCWD, "never", AT_EMPTY_PATH));
    SHOW(linkat(alone, "", AT_FDCWD, "never", 0));
    SHOW(unlink("named"));
    SHOW(unlink("again"));
    SHOW(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
    SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
    SHOW(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
    SHOW(open("a", O_TMPFILE | O_RDWR, 0600));
    SHOW(open("none", O_TMPFILE | O_RDWR, 0600));
    SHOW(open("/proc", O_TMPFILE | O_RDWR, 0600));
    SHOW(open(".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
}

static void test_direct(void)
{
    say("-- O_DIRECT");
    static char buf[2 * PAGE] __attribute__((aligned(4096)));
    int fd = open("d", O_CREAT | O_RDWR | O_DIRECT, 0600), plain = open("d", O_RDWR);
    CHECK(fd >= 0);
    SHOW(write(fd, buf, PAGE));
    SHOW(write(fd, buf + 1, 100));
    SHOW(pread(fd, buf + 3, 50, 4090));
    SHOW(fcntl(plain, F_SETFL, O_DIRECT));
    SHOW(!!(fcntl(plain, F_GETFL) & O_DIRECT));
    SHOW(fcntl(plain, F_SETFL, 0));
    SHOW_OK(open("/dev/null", O_RDWR | O_DIRECT));
    SHOW_OK(open(".", O_RDONLY | O_DIRECT));
    SHOW_OK(open("/proc/self/stat", O_RDONLY | O_DIRECT));
    SHOW(fcntl(open("/dev/null", O_RDWR), F_SETFL, O_DIRECT));
    SHOW(fcntl(open(".", O_RDONLY), F_SETFL, O_DIRECT));
    NEED(mkfifo("fifo", 0600) == 0);
    SHOW_OK(open("fifo", O_RDWR | O_DIRECT));
    make_file("kept", "12345");
    SHOW_OK(open("/proc/self/stat", O_RDWR | O_DIRECT | O_TRUNC));
}

int main(void)
{
    enter_test_dir("file_space");
    test_allocate();
    test_holes();
    test_nameless();
    test_direct();
    return done();
}
