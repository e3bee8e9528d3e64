/* The contents of files: reading, writing, holes, sizes, mappings. */
#include "file_test.h"

#include <linux/falloc.h>
#include <sys/uio.h>

static uint32_t sum(const unsigned char *p, size_t n)
{
    uint32_t h = 2166136261u;
    while (n--)
        h = (h ^ *p++) * 16777619u;
    return h;
}

static void show_file(const char *name)
{
    static unsigned char buf[1 << 20];
    int fd = open(name, O_RDONLY);
    ssize_t n = read(fd, buf, sizeof(buf));
    struct stat st;
    fstat(fd, &st);
    say("%s: %zd bytes, size %ld, blocks %ld, sum %08x", name, n, (long)st.st_size,
        (long)st.st_blocks, n > 0 ? sum(buf, n) : 0);
    close(fd);
}

static char pattern[40000];

static void test_write(void)
{
    say("-- write");
    for (size_t n = 0; n < sizeof(pattern); n++)
        pattern[n] = 'a' + n % 23;
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    SHOW(write(fd, pattern, 10000));
    show_file("f");
    SHOW(pwrite(fd, pattern, 5000, 20000));
    show_file("f");
    SHOW(pwrite(fd, pattern, 8192, 4096));
    show_file("f");
    SHOW(pwrite(fd, "x", 1, 100000));
    show_file("f");
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, -200000, SEEK_END));
    SHOW(lseek(fd, 1L << 62, SEEK_SET));
    SHOW(read(fd, pattern, 10));
    SHOW(lseek(fd, 5, 77));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(lseek(fd, 13000, SEEK_DATA));
    SHOW(lseek(fd, 26000, SEEK_DATA));
    SHOW(lseek(fd, 26000, SEEK_HOLE));
    SHOW(lseek(fd, 100000, SEEK_HOLE));
    SHOW(lseek(fd, 100001, SEEK_HOLE));
    SHOW(lseek(fd, 100001, SEEK_DATA));
    SHOW(ftruncate(fd, 5000));
    show_file("f");
    SHOW(ftruncate(fd, 9000));
    show_file("f");
    SHOW(ftruncate(fd, -1));
    SHOW(ftruncate(fd, 0));
    show_file("f");
    SHOW(truncate("f", 12345));
    show_file("f");
    SHOW(pwrite(fd, "x", 1, -1));
    SHOW(pread(fd, pattern, 1, -1));
    SHOW(pwrite(fd, "x", 1, INT64_MAX));
    SHOW(pwrite(fd, (char *)8, 10, 0));
    SHOW(pwrite(fd, pattern, 0, 50000));
    struct iovec iov[3] = {{pattern, 3}, {pattern + 5, 0}, {pattern + 9, 4000}};
    SHOW(pwritev(fd, iov, 3, 100));
    show_file("f");
    int ap = open("f", O_WRONLY | O_APPEND);
    SHOW(write(ap, "end", 3));
    SHOW(lseek(ap, 0, SEEK_CUR));
    SHOW(pwrite(ap, "more", 4, 0));
    show_file("f");
    SHOW(read(ap, pattern, 1));
    int ro = open("f", O_RDONLY);
    SHOW(write(ro, "x", 1));
    SHOW(ftruncate(ro, 1));
    close(open("f", O_WRONLY | O_TRUNC));
    show_file("f");
}

static void test_fallocate(void)
{
    say("-- fallocate");
    int fd = open("g", O_CREAT | O_RDWR, 0644);
    SHOW(fallocate(fd, 0, 0, 10000));
    show_file("g");
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 10000, 10000));
    show_file("g");
    pwrite(fd, pattern, 20000, 0);
    show_file("g");
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 100));
    show_file("g");
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 10000));
    show_file("g");
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 1000, 10000));
    SHOW(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1000, 10000));
    SHOW(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096));
    SHOW(fallocate(fd, 0, -1, 10));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(99, 0, 0, 10));
    int dir = open(".", O_RDONLY);
    SHOW(fallocate(dir, 0, 0, 10));
    int ro = open("g", O_RDONLY);
    SHOW(fallocate(ro, 0, 0, 10));
}

static sigjmp_buf escape;

static void on_sigbus(int sig)
{
    siglongjmp(escape, sig);
}

static void test_mmap(void)
{
    say("-- mmap");
    int fd = open("m", O_CREAT | O_RDWR, 0644);
    write(fd, pattern, 10000);
    char *shared = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    say("%d %d", memcmp(shared, pattern, 10000), memcmp(private, pattern, 10000));
    say("tail %d", shared[10001] | private[12000]);
    shared[5] = 'S';
    private[6] = 'P';
    char c[3];
    pread(fd, c, 3, 5);
    say("%c%c %c%c", c[0], c[1], private[5], shared[6]);
    pwrite(fd, "W", 1, 5000);
    say("%c %c", shared[5000], private[5000]);
    private[5001] = 'Q';
    pwrite(fd, "V", 1, 5000);
    say("%c %c", shared[5000], private[5000]);
    shared[10100] = 'T'; /* behind the end, in the last page */
    ftruncate(fd, 11000);
    pread(fd, c, 1, 10100);
    say("behind the end after growing: %d", c[0] == 'T' || c[0] == 0);
    ftruncate(fd, 4096);
    signal(SIGBUS, on_sigbus);
    if (sigsetjmp(escape, 1) == 0)
        say("read %d", shared[4096]);
    else
        say("SIGBUS in a shared mapping");
    if (sigsetjmp(escape, 1) == 0)
        say("read %d", private[4097]);
    else
        say("SIGBUS in a private mapping");
    ftruncate(fd, 8192);
    say("after growing again: %d %d", shared[4096], private[5001]);
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
    say("after punching: %d %d", shared[5], private[6]);
    munmap(shared, 16384);
    unlink("m");
    close(fd);
    say("mapped without a name: %c", private[6] == 'P' ? 'P' : '-');
    int ro = open("f", O_RDONLY);
    SHOW(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
    SHOW_OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, open("f", O_WRONLY), 0));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0));
}

static void test_misc(void)
{
    say("-- misc");
    int fd = open("f", O_RDWR);
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(fsync(99));
    SHOW(sync_file_range(fd, 0, 100, 7));
    SHOW(sync_file_range(fd, 0, 100, 8));
    SHOW(sync_file_range(fd, -1, 100, 7));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    SHOW(posix_fadvise(fd, 0, 0, 99));
    SHOW(readahead(fd, 0, 100));
    SHOW(syncfs(fd));
    int dir = open(".", O_RDONLY);
    char c;
    SHOW(read(dir, &c, 1));
    SHOW(fsync(dir));
    SHOW(truncate(".", 0));
    SHOW(truncate("missing", 0));
    int path = open("f", O_PATH);
    SHOW(read(path, &c, 1));
    SHOW(ftruncate(path, 0));
    SHOW(fsync(path));
    SHOW(syscall(SYS_fchmod, path, 0600));
    struct stat st;
    SHOW(fstat(path, &st));
    int p[2];
    pipe(p);
    SHOW(ftruncate(p[1], 0));
    SHOW(lseek(p[0], 0, SEEK_SET));
    SHOW(fsync(p[0]));
    SHOW(fallocate(p[1], 0, 0, 1));
}

static void test_large(void)
{
    say("-- large");
    int fd = open("big", O_CREAT | O_RDWR, 0644);
    static char block[65536];
    uint32_t written = 0, seen = 0;
    for (int n = 0; n < 128; n++) {
        memset(block, n * 7 + 1, sizeof(block));
        block[n] = n;
        written += sum((unsigned char *)block, sizeof(block));
        if (write(fd, block, sizeof(block)) != sizeof(block))
            say("short write");
    }
    lseek(fd, 0, SEEK_SET);
    for (int n = 0; n < 128; n++) {
        if (read(fd, block, sizeof(block)) != sizeof(block))
            say("short read");
        seen += sum((unsigned char *)block, sizeof(block));
    }
    say("%d", written == seen);
    SHOW(pwrite(fd, "far", 3, 1L << 40));
    struct stat st;
    fstat(fd, &st);
    say("size %ld, blocks %ld", (long)st.st_size, (long)st.st_blocks);
    SHOW(lseek(fd, 9L << 20, SEEK_DATA));
    SHOW(pread(fd, block, 10, (1L << 40) - 5));
    SHOW(ftruncate(fd, 100));
    fstat(fd, &st);
    say("blocks %ld", (long)st.st_blocks);
}

int main(void)
{
    enter_test_dir("contents");
    test_write();
    test_fallocate();
    test_mmap();
    test_misc();
    test_large();
    return done();
}
