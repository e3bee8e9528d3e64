/* Names: which calls succeed, and which error comes first. */
#include "file_test.h"

static void test_walk(void)
{
    say("-- walk");
    char longer[300], longest[5000];
    struct stat st;
    memset(longer, 'x', sizeof(longer));
    longer[256] = 0;
    memset(longest, '/', sizeof(longest));
    longest[4999] = 0;
    make_file("file", "text");
    mkdir("dir", 0755);
    mkdir("dir/sub", 0755);
    symlink("dir", "link");
    symlink("file", "flink");
    symlink("missing", "dangling");
    symlink("loop2", "loop1");
    symlink("loop1", "loop2");
    symlink("/", "rootlink");
    symlink("dir/", "slashlink");
    SHOW(stat("", &st));
    SHOW(stat("file", &st));
    SHOW(stat("file/", &st));
    SHOW(stat("file/.", &st));
    SHOW(stat("file/..", &st));
    SHOW(stat("file/x", &st));
    SHOW(stat("missing/..", &st));
    SHOW(stat("dir/../file", &st));
    SHOW(stat("dir//sub///", &st));
    SHOW(stat("./././dir/./sub/../..", &st));
    SHOW(stat("link/sub", &st));
    SHOW(stat("slashlink/sub", &st));
    SHOW(stat("flink/", &st));
    SHOW(stat("dangling", &st));
    SHOW(lstat("dangling", &st));
    SHOW(lstat("dangling/", &st));
    SHOW(stat("loop1", &st));
    SHOW(lstat("loop1", &st));
    SHOW(lstat("loop1/", &st));
    SHOW(stat("rootlink/tmp", &st));
    SHOW(stat("/../../tmp", &st));
    SHOW(stat(longer, &st));
    longer[255] = 0;
    SHOW(stat(longer, &st));
    SHOW(stat(longest, &st));
    longest[4095] = 0;
    SHOW(stat(longest, &st));
    SHOW(syscall(SYS_stat, 8, &st));
    SHOW(syscall(SYS_stat, "file", 8));
    SHOW(lstat("link/", &st));
    say("link/ is a directory: %d", S_ISDIR(st.st_mode));
    SHOW(lstat("link", &st));
    say("link is a link: %d, size %ld", S_ISLNK(st.st_mode), (long)st.st_size);
}

static void test_create(void)
{
    say("-- create");
    SHOW(mkdir("dir", 0755));
    SHOW(mkdir("file", 0755));
    SHOW(mkdir("dangling", 0755));
    SHOW(mkdir("new/", 0755));
    SHOW(mkdir("no/new", 0755));
    SHOW(mkdir("file/new", 0755));
    SHOW(mkdir(".", 0755));
    SHOW(mkdir("..", 0755));
    SHOW(mkdir("/", 0755));
    SHOW(mkdir("", 0755));
    SHOW(mknod("fifo", S_IFIFO | 0644, 0));
    SHOW(mknod("reg", 0644, 0));
    SHOW(mknod("reg2/", 0644, 0));
    SHOW(mknod("dirnode", S_IFDIR | 0755, 0));
    SHOW(mknod("odd", 0150000 | 0755, 0));
    SHOW(mknod("sock", S_IFSOCK | 0755, 0));
    SHOW(symlink("", "empty"));
    SHOW(symlink("x", "dir"));
    SHOW(symlink("x", "sl/"));
    SHOW(symlink("x", ""));
    SHOW(link("file", "hard"));
    SHOW(link("file", "dir"));
    SHOW(link("dir", "dirhard"));
    SHOW(link("missing", "y"));
    SHOW(link("dangling", "danglinghard"));
    SHOW(link("file", "hard2/"));
    SHOW(linkat(AT_FDCWD, "flink", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    SHOW(linkat(AT_FDCWD, "file", AT_FDCWD, "f3", 0x4000));
    struct stat st;
    stat("file", &st);
    say("links of file: %ld", (long)st.st_nlink);
    stat("dir", &st);
    say("links of dir: %ld, size %ld", (long)st.st_nlink, (long)st.st_size);
}

static void test_open(void)
{
    say("-- open");
    SHOW_OK(open("file", O_RDONLY));
    SHOW(open("missing", O_RDONLY));
    SHOW(open("dir", O_WRONLY));
    SHOW(open("dir", O_RDWR));
    SHOW(open("dir", O_RDONLY | O_TRUNC));
    SHOW_OK(open("dir", O_RDONLY));
    SHOW(open("file", O_RDONLY | O_DIRECTORY));
    SHOW(open("flink", O_RDONLY | O_NOFOLLOW));
    SHOW(open("flink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    SHOW_OK(open("flink", O_PATH | O_NOFOLLOW));
    SHOW(open("dir", O_CREAT | O_RDONLY, 0644));
    SHOW(open("newfile/", O_CREAT | O_RDWR, 0644));
    SHOW(open("file", O_CREAT | O_EXCL | O_RDWR, 0644));
    SHOW(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0644));
    SHOW(open("dangling", O_CREAT | O_NOFOLLOW | O_RDWR, 0644));
    SHOW_OK(open("dangling", O_CREAT | O_RDWR, 0644));
    SHOW(access("missing", F_OK));
    SHOW(unlink("missing"));
    SHOW(open("loop1", O_CREAT | O_RDWR, 0644));
    SHOW(open("no/file", O_CREAT | O_RDWR, 0644));
    SHOW(open(".", O_CREAT | O_RDWR, 0644));
    SHOW(open("..", O_CREAT, 0644));
    SHOW(open("/", O_CREAT, 0644));
    SHOW(open("rootlink", O_CREAT, 0644));
    SHOW(open("dir", O_CREAT | O_DIRECTORY, 0644));
    SHOW(open("sock", O_RDONLY));
    SHOW_OK(open("fifo", O_RDONLY | O_NONBLOCK));
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK | O_DIRECTORY));
    SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
    SHOW(open("file", O_TMPFILE | O_RDWR, 0600));
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    struct stat st;
    fstat(fd, &st);
    say("tmpfile: mode %o, links %ld", st.st_mode, (long)st.st_nlink);
    char proc[64];
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    SHOW(linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH));
    fstat(fd, &st);
    say("tmpfile: links %ld", (long)st.st_nlink);
    int ex = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    SHOW(linkat(ex, "", AT_FDCWD, "linked2", AT_EMPTY_PATH));
}

static void test_remove(void)
{
    say("-- remove");
    SHOW(unlink("dir"));
    SHOW(unlink("dir/"));
    SHOW(unlink("file/"));
    SHOW(unlink("."));
    SHOW(unlink(".."));
    SHOW(unlink("/"));
    SHOW(unlink("missing/"));
    SHOW(rmdir("file"));
    SHOW(rmdir("dir"));
    SHOW(rmdir("."));
    SHOW(rmdir(".."));
    SHOW(rmdir("dir/."));
    SHOW(rmdir("dir/sub/.."));
    SHOW(rmdir("/"));
    SHOW(rmdir("link"));
    SHOW(rmdir("link/"));
    SHOW(rmdir("missing"));
    SHOW(rmdir("new"));
    SHOW(unlinkat(AT_FDCWD, "dir/sub", AT_REMOVEDIR));
    SHOW(unlinkat(AT_FDCWD, "dir", 1));
    SHOW(unlinkat(99, "dir", 0));
    SHOW(unlinkat(99, "/missing", 0));
    SHOW(unlink("hard"));
    SHOW(unlink("dangling"));
    mkdir("gone", 0755);
    int fd = open("gone", O_RDONLY | O_DIRECTORY);
    rmdir("gone");
    struct stat st;
    SHOW(fstatat(fd, "x", &st, 0));
    SHOW(openat(fd, "x", O_CREAT | O_RDWR, 0644));
    SHOW(mkdirat(fd, "x", 0755));
    SHOW(fstatat(fd, ".", &st, 0));
    SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
    say("links of a removed directory: %ld", (long)st.st_nlink);
    SHOW_OK(fstatat(fd, "..", &st, 0));
    char buf[64];
    SHOW(fchdir(fd));
    SHOW(syscall(SYS_getcwd, buf, sizeof(buf)));
    SHOW(chdir(".."));
}

static void test_rename(void)
{
    say("-- rename");
    make_file("a", "a");
    make_file("b", "bb");
    mkdir("d1", 0755);
    mkdir("d2", 0755);
    mkdir("d1/in", 0755);
    mkdir("full", 0755);
    make_file("full/x", "x");
    SHOW(rename("a", "b"));
    SHOW(access("a", F_OK));
    SHOW(rename("missing", "b"));
    SHOW(rename("b", "d1"));
    SHOW(rename("d1", "b"));
    SHOW(rename("b", "new/"));
    SHOW(rename("b/", "c"));
    SHOW(rename("d1", "d1/in/x"));
    SHOW(rename("d1", "d1"));
    SHOW(rename("d1", "d1/"));
    SHOW(rename("d1/in", "d1"));
    SHOW(rename("d1", "full"));
    SHOW(rename("d1/in", "full"));
    SHOW(rename("full/x", "full"));
    SHOW(rename("d2", "d1/in"));
    SHOW(rename("d1/in", "moved"));
    SHOW(rename("d1/.", "q"));
    SHOW(rename("d1", "."));
    SHOW(rename("d1", ".."));
    SHOW(rename("..", "q"));
    SHOW(rename("d1", "q/"));
    SHOW(rename("q", "file/x"));
    link("b", "b2");
    SHOW(rename("b", "b2"));
    SHOW(access("b", F_OK));
    make_file("e1", "1");
    mkdir("e2", 0755);
#define RENAME(a, b, flags) syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags)
    SHOW(RENAME("e1", "e2", 2));
    struct stat st;
    stat("e1", &st);
    say("e1 is a directory: %d", S_ISDIR(st.st_mode));
    SHOW(RENAME("e1", "e2", 1));
    SHOW(RENAME("e1", "e3", 1));
    SHOW(RENAME("e3", "e4", 2));
    SHOW(RENAME("e3", "e4", 3));
    SHOW(RENAME("e3", "e4", 8));
    SHOW(RENAME("q", "q/x", 2));
    mkdir("q/sub", 0755);
    SHOW(RENAME("q", "q/sub", 2));
    SHOW(RENAME("q/sub", "q", 2));
    SHOW(RENAME("q/sub", "e2", 2));
    stat("q", &st);
    say("links of q: %ld", (long)st.st_nlink);
    char name[240], longer[240];
    memset(name, 'n', 230);
    name[230] = 0;
    memset(longer, 'm', 235);
    longer[235] = 0;
    make_file(name, "long");
    SHOW(rename(name, longer) + 0);
    SHOW(access(name, F_OK) + 0);
    SHOW(rename(longer, "short") + 0);
    SHOW(access("short", F_OK));
}

static void test_cwd(void)
{
    say("-- cwd");
    char buf[64];
    SHOW(chdir("/"));
    SHOW(syscall(SYS_getcwd, buf, sizeof(buf)));
    SHOW(syscall(SYS_getcwd, buf, 1));
    SHOW(syscall(SYS_getcwd, buf, 2));
    say("%s", buf);
    SHOW(chdir("tmp"));
    SHOW(syscall(SYS_getcwd, buf, sizeof(buf)));
    say("%s", buf);
    SHOW(chdir("/dev/null"));
    SHOW(chdir("/no"));
    SHOW(readlink("/dev/null", buf, sizeof(buf)));
    SHOW(umask(0777));
    SHOW(umask(022));
}

static void test_readlink(void)
{
    say("-- readlink");
    char buf[16] = "";
    SHOW(readlink("slashlink", buf, sizeof(buf)));
    say("%.*s", 4, buf);
    SHOW(readlink("slashlink", buf, 2));
    SHOW(readlink("slashlink", buf, 0));
    SHOW(readlink("file", buf, sizeof(buf)));
    SHOW(readlink("missing", buf, sizeof(buf)));
    SHOW(readlink("slashlink", (char *)8, 10));
    int fd = open("slashlink", O_PATH | O_NOFOLLOW);
    SHOW(readlinkat(fd, "", buf, sizeof(buf)));
    int dir = open(".", O_RDONLY);
    SHOW(readlinkat(dir, "", buf, sizeof(buf)));
    SHOW(readlinkat(dir, "slashlink", buf, sizeof(buf)));
}

int main(void)
{
    enter_test_dir("names");
    test_walk();
    test_readlink();
    test_create();
    test_open();
    test_remove();
    test_rename();
    test_cwd();
    return done();
}
