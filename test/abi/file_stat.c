/* stat and statx: kinds, modes, devices, and that the two agree. */
#include <linux/stat.h>
#include <sys/sysmacros.h>

#include "abi.h"

static void compare(const char *path)
{
    struct stat st;
    struct statx sx;

    if (lstat(path, &st)) {
        say("%s: %s", path, strerror(errno));
        return;
    }
    NEED(syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx) == 0);
    say("%s: mode %o, device %u:%u, block size is a power of two: %d", path, st.st_mode,
        major(st.st_rdev), minor(st.st_rdev), (st.st_blksize & (st.st_blksize - 1)) == 0);
    CHECK((sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    CHECK(sx.stx_mode == st.st_mode && sx.stx_nlink == st.st_nlink && sx.stx_ino == st.st_ino);
    CHECK(sx.stx_size == (uint64_t)st.st_size && sx.stx_blocks == (uint64_t)st.st_blocks);
    CHECK(sx.stx_uid == st.st_uid && sx.stx_gid == st.st_gid && sx.stx_blksize == st.st_blksize);
    CHECK(sx.stx_rdev_major == major(st.st_rdev) && sx.stx_rdev_minor == minor(st.st_rdev));
    CHECK(sx.stx_dev_major == major(st.st_dev) && sx.stx_dev_minor == minor(st.st_dev));
    CHECK(sx.stx_mtime.tv_sec == st.st_mtim.tv_sec &&
          sx.stx_mtime.tv_nsec == (uint32_t)st.st_mtim.tv_nsec);
}

int main(void)
{
    struct statx sx;
    struct stat st, dir, root;
    int ends[2];

    umask(0);
    NEED(mkdir("d", 0751) == 0 && symlink("target", "l") == 0 && mkfifo("p", 0606) == 0);
    int fd = open("f", O_RDWR | O_CREAT, 04755);
    NEED(fd >= 0 && write(fd, "12345", 5) == 5 && pipe(ends) == 0);
    compare("f");
    compare("d");
    compare("l");
    compare("p");
    compare("none");
    compare("/dev/null");
    compare("/dev/zero");
    compare("/dev/full");
    compare("/dev/urandom");
    compare("/dev/tty");
    NEED(fstat(ends[0], &st) == 0);
    say("a pipe: mode %o, size %ld", st.st_mode, (long)st.st_size);
    stat(".", &dir);
    fstat(fd, &st);
    say("same file system as its directory: %d, size %ld, blocks %ld", st.st_dev == dir.st_dev,
        (long)st.st_size, (long)st.st_blocks);
    stat("/", &root);
    stat("/..", &st);
    say("the root's parent is the root: %d", root.st_ino == st.st_ino && root.st_dev == st.st_dev);
    SHOW(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx));
    say("size %llu", (unsigned long long)sx.stx_size);
    SHOW(syscall(SYS_statx, fd, "", 0, STATX_SIZE, &sx));
    SHOW(syscall(SYS_statx, fd, "x", 0, STATX_SIZE, &sx));
    SHOW(syscall(SYS_statx, AT_FDCWD, "f", 0x8000000, STATX_SIZE, &sx));
    SHOW(syscall(SYS_statx, AT_FDCWD, "f", 0, 1u << 31, &sx));
    SHOW(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_SIZE, (void *)8));
    SHOW(syscall(SYS_statx, AT_FDCWD, (void *)8, 0, STATX_SIZE, &sx));
    SHOW(syscall(SYS_stat, "f", 8));
    SHOW(syscall(SYS_fstat, 99, &st));
    unlink("f");
    unlink("l");
    unlink("p");
    rmdir("d");
    return done();
}
