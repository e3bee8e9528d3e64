/* The limits of paths: links in a row, lengths of names and of paths, trailing slashes, dots, and the working directory
 * that is gone. */
#include "file_test.h"

static void chain(int length)
{
    char name[32], to[32];

    make_file("end", "");
    for (int i = 0; i < length; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(to, sizeof to, i ? "l%d" : "end", i - 1);
        NEED(symlink(to, name) == 0);
    }
    SHOW(access("l39", F_OK)); /* forty links */
    SHOW(access("l40", F_OK));
    SHOW(readlink("l40", to, sizeof to));
    SHOW(open("l39", O_RDONLY | O_NOFOLLOW));
    NEED(mkdir("d", 0755) == 0 && symlink("d", "s") == 0);
    char path[200] = "";
    for (int i = 0; i < 20; i++)
        strcat(path, "s/../");
    SHOW(access(path, F_OK)); /* links between count, too */
    SHOW(access("s/../s/../s/../l37", F_OK));
    SHOW(access("s/../s/../s/../l36", F_OK));
}

static void lengths(void)
{
    static char name[300], path[PATH_MAX + 10];

    memset(name, 'n', 255);
    SHOW(mkdir(name, 0755));
    SHOW(rmdir(name));
    name[255] = 'n';
    SHOW(mkdir(name, 0755));
    SHOW(access(name, F_OK));
    SHOW(symlink("x", name));
    SHOW(rename("end", name));
    for (size_t i = 0; i < PATH_MAX - 5; i += 2)
        memcpy(path + i, "./", 2);
    memcpy(path + PATH_MAX - 4, "end", 4);
    say("length %zu", strlen(path));
    SHOW(access(path, F_OK));
    memcpy(path + PATH_MAX - 4, "/end", 5);
    say("length %zu", strlen(path));
    SHOW(access(path, F_OK));
    memset(path, 't', PATH_MAX);
    path[PATH_MAX - 1] = 0;
    SHOW(symlink(path, "target")); /* as long as it may be */
    SHOW(symlink("", "target"));
    path[PATH_MAX - 1] = 't';
    SHOW(symlink(path, "target"));
    unlink("target");
}

static void slashes(void)
{
    struct stat st;

    SHOW(mkdir("dir/", 0755));
    SHOW(mkdir("dir//", 0755));
    SHOW(stat("dir///", &st));
    SHOW(stat("end/", &st));
    SHOW(stat("end/.", &st));
    SHOW(lstat("s/", &st)); /* followed because of the slash */
    say("a directory: %d", S_ISDIR(st.st_mode));
    SHOW(unlink("s/"));
    SHOW(rmdir("s/"));
    SHOW(rmdir("s"));
    SHOW(rename("dir", "dir2/"));
    SHOW(rename("dir2/", "dir"));
    SHOW(rename("end", "end2/"));
    SHOW(rename("end/", "end2"));
    SHOW(link("end", "new/"));
    SHOW(symlink("end", "new/"));
    SHOW(open("new/", O_CREAT | O_RDWR, 0600));
    SHOW(open("end/", O_RDONLY));
    SHOW(open("dir/", O_RDONLY | O_CREAT, 0600));
    SHOW(mknod("new/", S_IFREG | 0600, 0));
    SHOW(rmdir("dir/."));
    SHOW(rmdir("dir/.."));
    SHOW(unlink("dir/."));
    SHOW(rename("dir/.", "x"));
    SHOW(rename("dir", "dir/.."));
    SHOW(mkdir("dir/.", 0755));
    SHOW(mkdir("dir/..", 0755));
    SHOW(rmdir("dir/"));
    SHOW(access("", F_OK));
    SHOW(access("//", F_OK));
    SHOW(access("/..", F_OK));
}

static void nowhere(void)
{
    char buf[100];

    NEED(mkdir("gone", 0755) == 0 && chdir("gone") == 0);
    SHOW(getcwd(buf, 1) ? 0 : -1);
    SHOW(rmdir("../gone"));
    SHOW(syscall(SYS_getcwd, buf, sizeof buf));
    SHOW(access(".", F_OK));
    SHOW(access("..", F_OK)); /* still known */
    SHOW(open("file", O_CREAT | O_RDWR, 0600));
    SHOW(mkdir("sub", 0755));
    SHOW(open("file", O_RDONLY));
    SHOW(chdir(".."));
    SHOW(access("end", F_OK));
    SHOW(syscall(SYS_getcwd, buf, 0));
    SHOW(syscall(SYS_getcwd, (char *)8, 100));
}

int main(void)
{
    enter_test_dir("limits");
    chain(41);
    lengths();
    slashes();
    nowhere();
    return done();
}
