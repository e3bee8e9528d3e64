/* Paths relative to a descriptor; the working directory and where it is. */
#include "abi.h"

int main(void)
{
    char cwd[PATH_MAX], start[PATH_MAX];
    struct stat st;

    NEED(getcwd(start, sizeof start) != NULL);
    NEED(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0);
    int d = open("d", O_RDONLY | O_DIRECTORY), path = open("d", O_PATH | O_DIRECTORY);
    int f = openat(d, "f", O_RDWR | O_CREAT, 0600);
    SHOW(f >= 0 && write(f, "abc", 3));
    SHOW(faccessat(path, "f", R_OK, 0));
    SHOW(fstatat(path, "f", &st, 0));
    say("size %ld", (long)st.st_size);
    SHOW(fstatat(f, "", &st, AT_EMPTY_PATH));
    say("size %ld", (long)st.st_size);
    SHOW(fstatat(f, "", &st, 0));
    SHOW(fstatat(f, "x", &st, 0));
    SHOW(fstatat(99, "f", &st, 0));
    SHOW(fstatat(99, "/", &st, 0)); /* an absolute path needs no descriptor */
    SHOW(fstatat(d, "f", &st, 0x8000000));
    SHOW(mkdirat(d, "new", 0700));
    SHOW(unlinkat(d, "new", 0));
    SHOW(unlinkat(d, "new", AT_REMOVEDIR));
    SHOW(unlinkat(d, "f", AT_REMOVEDIR));
    SHOW(unlinkat(d, "f", 0x80));
    SHOW(symlinkat("f", d, "l"));
    SHOW(readlinkat(d, "l", cwd, sizeof cwd));
    SHOW(fstatat(d, "l", &st, AT_SYMLINK_NOFOLLOW));
    say("a link: %d", S_ISLNK(st.st_mode));
    SHOW(linkat(d, "f", d, "hard", 0));
    SHOW(renameat(d, "hard", AT_FDCWD, "moved"));
    SHOW(unlink("moved"));
    SHOW(mknodat(d, "fifo", S_IFIFO | 0600, 0));
    SHOW(unlinkat(d, "fifo", 0));
    SHOW(fchmodat(d, "f", 0444, 0));
    SHOW(openat(d, "../d/f", O_RDONLY) >= 0);
    SHOW(openat(f, "x", O_RDONLY));

    SHOW(chdir("d"));
    NEED(getcwd(cwd, sizeof cwd) != NULL);
    say("below where we began: %s",
        strncmp(cwd, start, strlen(start)) ? "no" : cwd + strlen(start) + (start[1] == 0 ? -1 : 0));
    SHOW(access("f", F_OK));
    SHOW(chdir("f"));
    SHOW(chdir("none"));
    SHOW(chdir(""));
    SHOW(fchdir(f));
    SHOW(fchdir(99));
    SHOW(chdir("sub"));
    SHOW(rmdir("../sub"));
    SHOW(getcwd(cwd, sizeof cwd) != NULL); /* it is gone */
    SHOW(close(open("x", O_CREAT | O_WRONLY, 0600)));
    SHOW(stat(".", &st));
    SHOW(chdir(start));
    SHOW(syscall(SYS_getcwd, cwd, 1));
    SHOW(syscall(SYS_getcwd, 8, 100));
    SHOW(chdir("/"));
    NEED(getcwd(cwd, sizeof cwd) != NULL);
    say("%s", cwd);
    SHOW(chdir(".."));
    NEED(getcwd(cwd, sizeof cwd) != NULL);
    say("%s", cwd);
    SHOW(stat("/../..//./", &st));
    SHOW(chdir(start));
    unlinkat(d, "f", 0);
    unlinkat(d, "l", 0);
    SHOW(rmdir("d"));
    return done();
}
