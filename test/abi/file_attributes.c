/* What files are like and who may change it: modes, owners, times, access, extended attributes. */
#include "file_test.h"

#include <sys/statfs.h>
#include <sys/xattr.h>
#include <utime.h>

static void show_mode(const char *name)
{
    struct stat st;
    NEED(lstat(name, &st) == 0);
    say("%s: mode %o, owner %d:%d, links %ld, size %ld, blksize %ld", name, st.st_mode, st.st_uid,
        st.st_gid, (long)st.st_nlink, (long)st.st_size, (long)st.st_blksize);
}

static void test_chmod(void)
{
    say("-- chmod and chown");
    make_file("f", "text");
    mkdir("d", 0777);
    symlink("f", "l");
    show_mode("f");
    show_mode("d");
    show_mode("l");
    SHOW(chmod("f", 06755));
    show_mode("f");
    SHOW(chown("f", 10, 20));
    show_mode("f");
    SHOW(chmod("f", 02745));
    SHOW(chown("f", -1, 21));
    show_mode("f");
    SHOW(lchown("l", 5, 6));
    show_mode("l");
    SHOW(chmod("l", 0640));
    show_mode("f");
    SHOW(chmod("missing", 0640));
    SHOW(fchmodat(AT_FDCWD, "f", 0100777, 0));
    show_mode("f");
    SHOW(chmod("d", 03777));
    SHOW(chown("d", 7, 8));
    show_mode("d");
    make_file("d/child", "");
    mkdir("d/sub", 0755);
    show_mode("d/child");
    show_mode("d/sub");
    SHOW(chmod("d/child", 06777));
    int fd = open("d/child", O_WRONLY);
    write(fd, "x", 1);
    show_mode("d/child");
    umask(0);
    close(open("u0", O_CREAT | O_WRONLY, 07777));
    show_mode("u0");
    mkdir("ud", 07777);
    show_mode("ud");
    umask(077);
    close(open("u1", O_CREAT | O_WRONLY, 0777));
    show_mode("u1");
    mknod("p1", S_IFIFO | 0777, 0);
    show_mode("p1");
    umask(022);
}

static void test_rights(void)
{
    say("-- rights of uid 1000");
    mkdir("closed", 0700);
    make_file("closed/f", "");
    mkdir("open", 0777);
    chmod("open", 0777);
    mkdir("sticky", 01777);
    chmod("sticky", 01777);
    make_file("sticky/root", "");
    make_file("secret", "");
    chmod("secret", 0600);
    make_file("shared", "");
    chmod("shared", 0666);
    make_file("group", "");
    chmod("group", 0060);
    chown("group", 1000, 1000);
    make_file("prog", "");
    chmod("prog", 0711);
    NEED(setresgid(1000, 1000, 0) == 0 && setresuid(1000, 1000, 0) == 0);
    SHOW(open("secret", O_RDONLY));
    SHOW(open("closed/f", O_RDONLY));
    SHOW(open("closed/missing", O_RDONLY));
    SHOW_OK(open("shared", O_RDWR));
    SHOW(open("group", O_RDONLY));
    SHOW(access("group", R_OK));
    SHOW(access("prog", X_OK));
    SHOW(access("prog", R_OK));
    SHOW(access("secret", F_OK));
    SHOW(access("shared", X_OK));
    SHOW(mkdir("x", 0777));
    SHOW(mkdir("open/x", 0777));
    SHOW(unlink("shared"));
    SHOW(unlink("sticky/root"));
    SHOW(rename("sticky/root", "open/y"));
    SHOW(rename("open/x", "sticky/x"));
    SHOW(rename("sticky/x", "sticky/root"));
    SHOW(rmdir("sticky/x"));
    SHOW(chmod("shared", 0777));
    SHOW(chmod("group", 0777));
    SHOW(chown("group", 0, -1));
    SHOW(chown("group", 1000, 1000));
    SHOW(chown("group", -1, 0));
    SHOW(utime("shared", NULL));
    struct utimbuf times = {1, 2};
    SHOW(utime("shared", &times));
    SHOW(utime("prog", NULL));
    SHOW(utime("group", &times));
    SHOW(truncate("prog", 0));
    SHOW(truncate("shared", 5));
    SHOW(mknod("open/null", S_IFCHR | 0666, 0x103));
    SHOW(mknod("open/fifo", S_IFIFO | 0666, 0));
    SHOW(chroot("open"));
    SHOW(chdir("closed"));
    make_file("open/mine", "");
    chmod("open/mine", 04777);
    show_mode("open/mine");
    int fd = open("open/mine", O_WRONLY);
    write(fd, "x", 1);
    show_mode("open/mine");
    SHOW(setxattr("open/mine", "trusted.x", "1", 1, 0));
    SHOW(getxattr("open/mine", "trusted.x", NULL, 0));
    SHOW(setxattr("open/mine", "security.x", "1", 1, 0));
    SHOW(setxattr("open/mine", "user.x", "1", 1, 0));
    SHOW(setxattr("prog", "user.x", "1", 1, 0));
    SHOW(getxattr("prog", "user.x", NULL, 0));
    /* access(2) asks for the real user, open for the effective one */
    NEED(setresuid(0, 1000, 0) == 0);
    SHOW(access("secret", R_OK));
    SHOW(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS));
    NEED(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
    SHOW(access("shared", X_OK));
    SHOW(access("prog", X_OK));
    SHOW(access("secret", 9));
}

static void show_times(const char *name)
{
    struct stat st;
    NEED(lstat(name, &st) == 0);
    say("%s: %ld.%09ld %ld.%09ld", name, (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
        (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static int64_t ns_of(struct timespec t)
{
    return t.tv_sec * 1000000000l + t.tv_nsec;
}

/* Which of the times an action changes: a, m, c. */
static void changes(const char *what, const char *name, void (*action)(void))
{
    struct stat a, b;
    NEED(stat(name, &a) == 0);
    sleep_ms(20);
    action();
    NEED(stat(name, &b) == 0);
    say("%s: %s%s%s", what, ns_of(a.st_atim) != ns_of(b.st_atim) ? "a" : "-",
        ns_of(a.st_mtim) != ns_of(b.st_mtim) ? "m" : "-",
        ns_of(a.st_ctim) != ns_of(b.st_ctim) ? "c" : "-");
}

static int changes_fd;
static void do_write(void)
{
    write(changes_fd, "x", 1);
}
static void do_read(void)
{
    char c;
    pread(changes_fd, &c, 1, 0);
}
static void do_truncate(void)
{
    ftruncate(changes_fd, 1);
}
static void do_chmod(void)
{
    chmod("t", 0600);
}
static void do_link(void)
{
    link("t", "t2");
}
static void do_rename(void)
{
    rename("t2", "t3");
}
static void do_unlink(void)
{
    unlink("t3");
}
static void do_create(void)
{
    close(open("td/new", O_CREAT | O_WRONLY, 0644));
}
static void do_remove(void)
{
    unlink("td/new");
}
static void do_open_trunc(void)
{
    close(open("t", O_WRONLY | O_TRUNC));
}
static void do_xattr(void)
{
    setxattr("t", "user.a", "b", 1, 0);
}
static void do_write_nothing(void)
{
    write(changes_fd, "", 0);
}
static void do_fallocate(void)
{
    fallocate(changes_fd, 0, 0, 8192);
}

static void test_times(void)
{
    say("-- times");
    make_file("t", "text");
    symlink("t", "tl");
    mkdir("td", 0755);
    struct timespec ts[2] = {{1000, 5}, {2000, 6}};
    SHOW(utimensat(AT_FDCWD, "t", ts, 0));
    show_times("t");
    ts[0].tv_nsec = UTIME_OMIT;
    ts[1].tv_sec = 3000;
    SHOW(utimensat(AT_FDCWD, "t", ts, 0));
    show_times("t");
    ts[1].tv_nsec = UTIME_OMIT;
    SHOW(utimensat(AT_FDCWD, "missing", ts, 0));
    ts[0].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "t", ts, 0));
    ts[0] = (struct timespec){-5, 7};
    ts[1] = (struct timespec){7, 8};
    SHOW(utimensat(AT_FDCWD, "tl", ts, AT_SYMLINK_NOFOLLOW));
    show_times("tl");
    SHOW(utimensat(AT_FDCWD, "t", ts, 0x8000));
    int fd = open("t", O_RDWR);
    SHOW(futimens(fd, ts));
    show_times("t");
    struct timeval tv[2] = {{10, 11}, {12, 13}};
    SHOW(utimes("t", tv));
    show_times("t");
    tv[0].tv_usec = 1000000;
    SHOW(utimes("t", tv));
    struct utimbuf ub = {77, 78};
    SHOW(utime("t", &ub));
    show_times("t");
    changes_fd = fd;
    changes("write", "t", do_write);
    changes("write nothing", "t", do_write_nothing);
    changes("read", "t", do_read);
    changes("read again", "t", do_read);
    changes("ftruncate", "t", do_truncate);
    changes("ftruncate to the same", "t", do_truncate);
    changes("chmod", "t", do_chmod);
    changes("link", "t", do_link);
    changes("rename", "t", do_rename);
    changes("unlink", "t", do_unlink);
    changes("open with O_TRUNC", "t", do_open_trunc);
    changes("setxattr", "t", do_xattr);
    changes("fallocate", "t", do_fallocate);
    changes("create in it", "td", do_create);
    changes("remove from it", "td", do_remove);
}

static void test_statfs(void)
{
    say("-- statfs and statx");
    struct statfs fs;
    SHOW(statfs(".", &fs));
    say("type %lx, bsize %ld, namelen %ld, frsize %ld", (long)fs.f_type, (long)fs.f_bsize,
        (long)fs.f_namelen, (long)fs.f_frsize);
    SHOW(statfs("missing", &fs));
    SHOW(fstatfs(99, &fs));
    struct {
        uint32_t mask, blksize;
        uint64_t attributes;
        uint32_t nlink, uid, gid;
        uint16_t mode, spare;
        uint64_t rest[60];
    } x;
    SHOW(syscall(SYS_statx, AT_FDCWD, "t", 0, 0x7ff, &x));
    say("mask has basic and btime: %d, mode %o, links %d", (x.mask & 0xfff) == 0xfff, x.mode,
        x.nlink);
    SHOW(syscall(SYS_statx, AT_FDCWD, "t", 0x6000, 0x7ff, &x));
    SHOW(syscall(SYS_statx, AT_FDCWD, "t", 0, 0x80000000u, &x));
    SHOW(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, 0x7ff, &x));
    say("mode %o", x.mode & S_IFMT);
    SHOW(syscall(SYS_statx, AT_FDCWD, "", 0, 0x7ff, &x));
    struct stat st;
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "", &st, AT_EMPTY_PATH));
    SHOW(syscall(SYS_newfstatat, 1, "", &st, AT_EMPTY_PATH) && 0);
    SHOW(syscall(SYS_newfstatat, 99, "", &st, AT_EMPTY_PATH));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "t", &st, 1));
}

static void test_xattr(void)
{
    say("-- xattr");
    char buf[128];
    make_file("x", "");
    symlink("x", "xl");
    mkfifo("xp", 0600);
    SHOW(setxattr("x", "user.a", "value", 5, 0));
    SHOW(getxattr("x", "user.a", buf, sizeof buf));
    SHOW(getxattr("x", "user.a", buf, 0));
    SHOW(getxattr("x", "user.a", buf, 4));
    SHOW(getxattr("x", "user.b", buf, 4));
    SHOW(setxattr("x", "user.a", "other", 5, XATTR_CREATE));
    SHOW(setxattr("x", "user.b", "other", 5, XATTR_REPLACE));
    SHOW(setxattr("x", "user.b", "", 0, 0));
    SHOW(setxattr("x", "trusted.t", "t", 1, 0));
    SHOW(setxattr("x", "user.a", "v", 1, XATTR_REPLACE));
    SHOW(listxattr("x", buf, sizeof buf));
    SHOW(listxattr("x", buf, 0));
    SHOW(listxattr("x", buf, 3));
    SHOW(removexattr("x", "user.b"));
    SHOW(removexattr("x", "user.b"));
    SHOW(setxattr("x", "bogus.a", "v", 1, 0));
    SHOW(setxattr("x", "user.", "v", 1, 0));
    SHOW(setxattr("x", "", "v", 1, 0));
    SHOW(setxattr("x", "user.a", "v", 1, 4));
    SHOW(setxattr("x", "user.a", buf, 70000, 0));
    SHOW(getxattr("x", "system.posix_acl_access", buf, sizeof buf));
    SHOW(lsetxattr("xl", "user.a", "v", 1, 0));
    SHOW(lgetxattr("xl", "user.a", buf, 0));
    SHOW(lsetxattr("xl", "trusted.a", "v", 1, 0));
    SHOW(setxattr("xp", "user.a", "v", 1, 0));
    SHOW(setxattr("missing", "user.a", "v", 1, 0));
    int fd = open("x", O_RDONLY);
    SHOW(fgetxattr(fd, "user.a", buf, sizeof buf));
    SHOW(fsetxattr(fd, "user.c", "v", 1, 0));
    SHOW(flistxattr(fd, buf, sizeof buf));
    SHOW(fremovexattr(fd, "user.c"));
    SHOW(fgetxattr(open("x", O_PATH), "user.a", buf, sizeof buf));
}

int main(void)
{
    enter_test_dir("file_attributes");
    chmod(".", 0755);
    test_chmod();
    test_times();
    test_statfs();
    test_xattr();
    test_rights();
    return done();
}
