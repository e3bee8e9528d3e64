/* statx: what the mask asks for and what is answered, attributes, times, AT_EMPTY_PATH, and that stat and fstat say
 * the same. */
#include <linux/stat.h>
#include <sys/sysmacros.h>

#include "file_test.h"

static struct statx x;

static long call(int dir, const char *path, int flags, unsigned mask)
{
    memset(&x, 0x55, sizeof x);
    return syscall(SYS_statx, dir, path, flags, mask, &x);
}

static void say_statx(const char *what)
{
    unsigned known = STATX_BASIC_STATS | STATX_BTIME;

    say("%s: mask %x, mode %o, links %u, owner %u:%u, size %llu, blocks %llu, block size %u", what,
        x.stx_mask & known, x.stx_mode, x.stx_nlink, x.stx_uid, x.stx_gid,
        (unsigned long long)x.stx_size, (unsigned long long)x.stx_blocks, x.stx_blksize);
}

static void compare(const char *path)
{
    struct stat st;

    NEED(call(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL) == 0 && lstat(path, &st) == 0);
    CHECK(st.st_ino == x.stx_ino && st.st_mode == x.stx_mode && st.st_nlink == x.stx_nlink);
    CHECK(st.st_size == (off_t)x.stx_size && st.st_blocks == (blkcnt_t)x.stx_blocks);
    CHECK(major(st.st_dev) == x.stx_dev_major && minor(st.st_dev) == x.stx_dev_minor);
    CHECK(major(st.st_rdev) == x.stx_rdev_major && minor(st.st_rdev) == x.stx_rdev_minor);
    CHECK(st.st_mtim.tv_sec == x.stx_mtime.tv_sec &&
          st.st_mtim.tv_nsec == (long)x.stx_mtime.tv_nsec);
    CHECK(st.st_ctim.tv_sec == x.stx_ctime.tv_sec &&
          st.st_ctim.tv_nsec == (long)x.stx_ctime.tv_nsec);
    CHECK(st.st_atim.tv_sec == x.stx_atime.tv_sec &&
          st.st_atim.tv_nsec == (long)x.stx_atime.tv_nsec);
}

int main(void)
{
    enter_test_dir("statx");
    make_file("file", "0123456789");
    NEED(chmod("file", 06751) == 0 && symlink("file", "link") == 0 && mkdir("dir", 0755) == 0);
    NEED(link("file", "other") == 0 && mkfifo("fifo", 0600) == 0);
    static const char *const names[] = {"file", "link", "dir", "fifo", "/dev/null", "/"};
    for (size_t i = 0; i < NR(names); i++)
        compare(names[i]);
    SHOW(call(AT_FDCWD, "file", 0, STATX_BASIC_STATS));
    say_statx("file");
    SHOW(call(AT_FDCWD, "link", 0, STATX_BASIC_STATS));
    say_statx("link, followed");
    SHOW(call(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS));
    say("link: mode %o, size %llu", x.stx_mode, (unsigned long long)x.stx_size);
    SHOW(call(AT_FDCWD, "file", 0, 0)); /* what is cheap is there although nobody asked */
    say("nothing asked: size %llu", (unsigned long long)x.stx_size);
    SHOW(call(AT_FDCWD, "file", 0, STATX_BTIME | STATX_CTIME));
    CHECK(x.stx_mask & STATX_BTIME);
    CHECK(x.stx_btime.tv_sec > 0 && x.stx_btime.tv_sec <= x.stx_ctime.tv_sec);
    SHOW(call(AT_FDCWD, "file", AT_STATX_FORCE_SYNC, STATX_SIZE));
    SHOW(call(AT_FDCWD, "file", AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_SIZE));
    SHOW(call(AT_FDCWD, "file", AT_STATX_SYNC_TYPE, STATX_SIZE));
    SHOW(call(AT_FDCWD, "file", 0, STATX__RESERVED));
    SHOW(call(AT_FDCWD, "", AT_EMPTY_PATH, STATX_TYPE));
    say("the working directory: %o", x.stx_mode & S_IFMT);
    SHOW(call(AT_FDCWD, "", 0, STATX_TYPE));
    int fd = open("file", O_PATH);
    SHOW(call(fd, "", AT_EMPTY_PATH, STATX_SIZE));
    SHOW(call(fd, NULL, AT_EMPTY_PATH, STATX_SIZE));
    SHOW(call(fd, "x", 0, STATX_SIZE));
    SHOW(call(fd, "/dev/null", 0, STATX_TYPE));
    say("attributes of a file: %llx of %d known ones, of a root: %d",
        (unsigned long long)x.stx_attributes & STATX_ATTR_MOUNT_ROOT,
        !!(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT),
        (call(AT_FDCWD, "/", 0, 0), !!(x.stx_attributes & STATX_ATTR_MOUNT_ROOT)));
    int ends[2];
    NEED(pipe(ends) == 0);
    SHOW(call(ends[0], "", AT_EMPTY_PATH, STATX_BASIC_STATS));
    say("pipe: mode %o, links %u, size %llu", x.stx_mode, x.stx_nlink,
        (unsigned long long)x.stx_size);
    return done();
}
