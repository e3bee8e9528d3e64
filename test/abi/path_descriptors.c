/* O_PATH: what can be done with a descriptor that is a place and no open file, and what cannot. */
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "file_test.h"

static int fd;

static void refused(void)
{
    char byte;
    struct flock lock = {.l_type = F_RDLCK};

    SHOW(read(fd, &byte, 1));
    SHOW(write(fd, "x", 1));
    SHOW(pread(fd, &byte, 1, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(ioctl(fd, FIONREAD, &byte));
    SHOW(fchmod(fd, 0600));
    SHOW(fchown(fd, 0, 0));
    SHOW(ftruncate(fd, 0));
    SHOW(fsync(fd));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
    SHOW(fgetxattr(fd, "user.x", NULL, 0));
    SHOW(fsetxattr(fd, "user.x", "", 0, 0));
    SHOW(flistxattr(fd, NULL, 0));
    SHOW(futimens(fd, NULL));
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK));
    SHOW(fcntl(fd, F_GETLK, &lock));
    SHOW(fcntl(fd, F_SETOWN, 0));
    SHOW(fcntl(fd, F_GETPIPE_SZ));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
    SHOW(posix_fallocate(fd, 0, 1));
}

static void allowed(void)
{
    struct stat st;
    struct statfs fs;

    SHOW(fstat(fd, &st));
    SHOW(fstatfs(fd, &fs));
    SHOW(fcntl(fd, F_GETFL) & ~O_LARGEFILE & ~0100000);
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    int copy = dup(fd);
    say("a copy: %d, %d", copy >= 0, fcntl(copy, F_GETFL) == fcntl(fd, F_GETFL));
    close(copy);
    SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
    SHOW(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
    SHOW(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
    SHOW(linkat(fd, "", AT_FDCWD, "another", AT_EMPTY_PATH));
    unlink("another");
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int real = open(path, O_RDWR); /* the way to an open file */
    SHOW(write(real, "x", 1));
    close(real);
    SHOW(truncate(path, 0));
    SHOW(chmod(path, 0640));
}

static void directories(void)
{
    int dir = open("dir", O_PATH);
    char buf[100];

    SHOW(syscall(SYS_getdents64, dir, buf, sizeof buf));
    SHOW(openat(dir, "inside", O_CREAT | O_RDWR, 0600) >= 0);
    SHOW(unlinkat(dir, "inside", 0));
    SHOW(fchdir(dir));
    SHOW(chdir(".."));
    NEED(chmod("dir", 0) == 0); /* root may all the same */
    SHOW(openat(dir, ".", O_RDONLY) >= 0);
    close(dir);
    SHOW(open("file", O_PATH | O_DIRECTORY));
    SHOW(open("file", O_PATH | O_CREAT | O_EXCL | O_TRUNC, 0600) >= 0); /* the rest is ignored */
    SHOW(open("missing", O_PATH | O_CREAT, 0600));
}

static void links(void)
{
    char text[20] = "";
    struct stat st;
    int link = open("link", O_PATH | O_NOFOLLOW), followed = open("link", O_PATH);

    NEED(fstat(link, &st) == 0);
    say("the link itself: %d", S_ISLNK(st.st_mode));
    SHOW(readlinkat(link, "", text, sizeof text));
    say("it points to %s", text);
    NEED(fstat(followed, &st) == 0);
    say("followed: %d", S_ISREG(st.st_mode));
    SHOW(readlinkat(followed, "", text, sizeof text));
    SHOW(open("link", O_NOFOLLOW));
    SHOW(open("dangling", O_PATH));
    SHOW(open("dangling", O_PATH | O_NOFOLLOW) >= 0);
    SHOW(fchdir(link));
    snprintf(text, sizeof text, "/proc/self/fd/%d", link);
    SHOW(open(text, O_RDONLY));
    SHOW(fchmodat(link, "", 0600, AT_EMPTY_PATH) ? -1 : 0);
}

int main(void)
{
    enter_test_dir("places");
    make_file("file", "hello");
    NEED(mkdir("dir", 0755) == 0 && symlink("file", "link") == 0 &&
         symlink("gone", "dangling") == 0);
    fd = open("file", O_PATH);
    NEED(fd >= 0);
    refused();
    allowed();
    directories();
    links();
    return done();
}
